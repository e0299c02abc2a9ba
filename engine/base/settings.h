/*
 * settings: everything that a run can be told, as one list of key=value, sorted by key.
 *
 * The known keys with their defaults and meaning are in settings.c's table, which --help prints. Profiles
 * (rules/profiles/NAME.ini) and flags are both written into this list; the list goes into the ledger, with
 * the SHA-256 of the part that can change findings.
 */
#ifndef KVALI_BASE_SETTINGS_H
#define KVALI_BASE_SETTINGS_H

#include "engine/base/buf.h"
#include "engine/base/bytes.h"
#include "engine/base/hash.h"
#include "engine/base/why.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum setting_kind { SETTING_TEXT, SETTING_NUMBER, SETTING_SIZE, SETTING_SECONDS, SETTING_BOOL };

struct setting_known {
    const char *key; /* "limit.memory" */
    const char *fallback;
    enum setting_kind kind;
    bool findings; /* can change what is found: part of settings_sha256 */
    const char *what;
};

/* The table of all known keys, `*ret_count` long, sorted by key. */
const struct setting_known *settings_table(size_t *ret_count);

struct settings {
    struct setting {
        char *key, *value;
    } * items;
    size_t count;
};

/* Every known key with its default. 0 or -ENOMEM. */
int settings_init(struct settings *settings);
void settings_finish(struct settings *settings);

/* -ENOENT for an unknown key, -EINVAL for a value that does not fit the kind; `why` names both. Sizes take K,
 * M, G, T (powers of 1024); keys "plugin.<name>.<word>" are always accepted as text (for a lab's own
 * plugins). */
int settings_set(struct settings *settings, const char *key, const char *value, struct why *why);

/* Reads "key = value" lines (# and ; comment, [section] prefixes "section."). Errors name file and line. */
int settings_load(struct settings *settings, const char *path, struct why *why);

/* Never NULL: "" for an unknown key. Borrowed until the next set. */
const char *settings_text(const struct settings *settings, const char *key);
/* Numbers, sizes in bytes, seconds; 0 for an unknown key. */
uint64_t settings_number(const struct settings *settings, const char *key);
bool settings_bool(const struct settings *settings, const char *key);

/* SHA-256 over "key=value\n" of the keys that can change findings. */
void settings_sha256(const struct settings *settings, char ret[SHA256_HEX_SIZE]);

/* The wire form. settings_read expects an initialised list and replaces values; -EBADMSG. */
void settings_write(const struct settings *settings, struct buf *buf);
int settings_read(struct settings *settings, struct bytes *bytes);

/* "4G", "1536M", "100" as bytes. False when it is not a size. */
bool size_parse(const char *text, uint64_t *ret_size);

#endif
