/*
 * files: which files hold rules, what is in them, and their names. The operator's own, read in setup; not
 * evidence.
 */
#ifndef KVALI_PLUGINS_YARA_FILES_H
#define KVALI_PLUGINS_YARA_FILES_H

#include "engine/base/hash.h"
#include "engine/base/why.h"
#include "plugins/yara/source.h"

#include <stddef.h>
#include <stdint.h>

struct rule_file {
    char *path;     /* where it is */
    char *relative; /* below the folder that was given (its name alone when it was given itself), escaped */
    char *space;    /* `relative` without its extension, made unique */
    char *set;      /* the folder below the given one that it is in, or the given one's name, escaped */
    char *text;     /* NUL-terminated */
    struct rule_source source; /* of text */
    char sha256[SHA256_HEX_SIZE];
    uint64_t count;     /* rules in use */
    struct why problem; /* "" when it is good */
};

struct rule_files {
    struct rule_file *items;
    size_t count, capacity;
};

/* All files of `list` (paths separated by ':') sorted by namespace: a file is taken whatever its name, a
 * folder gives every
 * *.yar, *.yara and *.rule below it. A path that is not there is an error; a file that cannot be used has a
 * problem. */
int rule_files_find(struct rule_files *files, const char *list, struct why *why);
void rule_files_finish(struct rule_files *files);

#endif
