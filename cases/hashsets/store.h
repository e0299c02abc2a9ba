/*
 * store: the folder that a lab keeps its hash sets in: NAME.kvset each.
 */
#ifndef KVALI_CASES_HASHSETS_STORE_H
#define KVALI_CASES_HASHSETS_STORE_H

#include "engine/base/buf.h"
#include "engine/base/why.h"

#include <stdbool.h>
#include <stddef.h>

#define STORE_SUFFIX ".kvset"

/* The folder: `wanted` when it is not NULL or ""; else $KVALI_HASHSETS; else $XDG_DATA_HOME/kvali/hashsets;
 * else
 * ~/.local/share/kvali/hashsets; else /var/lib/kvali/hashsets. Appended to `ret`. */
void store_folder(const char *wanted, struct buf *ret);

/* May a set be called so: letters of any script, digits, '-', '_', '.', no '/', no ':' and not beginning with
 * '.'. */
bool store_name_is_valid(const char *name);

/* Appends the path of the set NAME in the folder; and makes the folder when it is to be `made`. -EINVAL: no
 * name for a set. */
int store_path(const char *folder, const char *name, bool made, struct buf *ret, struct why *why);

/* What a user calls a set: a path when it has a '/' or is a file's name with the suffix; else a name in the
 * folder. -ENOENT: there is none, and `why` says where was looked. */
int store_find(const char *folder, const char *named, struct buf *ret, struct why *why);

/* Every set's path, sorted by name. A folder that is not there has none. */
int store_each(const char *folder, int (*each)(void *context, const char *path), void *context,
               struct why *why);

#endif
