/*
 * query: what commands ask of a case. Anything that is not here is asked of the views with db.h, as anybody
 * may (README.md lists them: file, match, keyword, fault, note, exhibit, image_hash, run, run_loaded, volume, stream,
 * finding).
 */
#ifndef KVALI_CASES_QUERY_H
#define KVALI_CASES_QUERY_H

#include "cases/casefile.h"
#include "engine/base/settings.h"
#include "engine/base/when.h"

#include <stdbool.h>
#include <stdint.h>

/* All zero, with times WHEN_NONE, selects everything: use file_filter_all. Text members are borrowed; NULL:
 * any. */
struct file_filter {
    const char *exhibit;
    const char *name; /* glob on the last component */
    const char *path; /* glob on the whole address */
    const char
        *hash; /* hex: MD5, SHA-1, SHA-256 or XXH3 (with "xxh3:" before it, for it is as long as an MD5) */
    const char *mime;            /* glob */
    const char *rule;            /* glob on a YARA rule's name */
    const char *hashset;         /* glob on the name of a hash set that has it */
    const char *tag;             /* glob on a tag of a YARA rule that matched, or of an entry of a hash set that has it */
    const char *keyword;         /* glob on a keyword that stands in it, or on its group */
    const char *feature;         /* holds such a feature: "iban", or with a glob on its normal form "email:*@example.org" */
    const char *kind;            /* "file", "ads", "image" ... */
    const char *type;            /* "file", "folder" ... */
    const char *grade;           /* recovered by its structure, with this grade: "validated" ... */
    bool carved;                 /* only what was recovered by its structure */
    uint64_t size_min, size_max; /* size_max 0: any */
    int64_t after, before;       /* modified; WHEN_NONE: any */
    bool deleted, live;          /* only these */
    bool mismatch;               /* only where extension and content differ */
    uint64_t limit;              /* 0: all */
};
#define FILE_FILTER_ALL                                                                                      \
    (struct file_filter)                                                                                     \
    {                                                                                                        \
        .after = WHEN_NONE, .before = WHEN_NONE                                                              \
    }

/* One row of the view `file`; text is "" for NULL and valid during the call only. */
struct file_row {
    const char *exhibit, *path, *volume, *type, *kind, *mime, *description, *md5, *sha1, *sha256, *xxh3,
        *status, *locator, *target;
    const char *modified, *accessed, *changed, *born; /* RFC 3339 or "" */
    uint64_t inode, size, content_size, stream;
    bool live, deleted, reallocated, orphan, unnamed, encrypted, mismatch, hash_complete;
};

/* Rows in order of exhibit and path. `each` returns negative to end. -EINVAL and `why` for a filter that
 * cannot be. */
int file_query(struct casefile *cf, const struct file_filter *filter,
               int (*each)(void *context, const struct file_row *row), void *context, struct why *why);

/* The YARA rules that took most time (setting yara.profile), at most `limit`, the slowest first. `each` returns
 * negative to end. */
int rule_costs(struct casefile *cf, uint64_t limit,
               int (*each)(void *context, const char *rule, const char *space, uint64_t microseconds,
                           uint64_t contents),
               void *context, struct why *why);

/* One address. Images of several exhibits may have one name, and then the same addresses: without `exhibit`
 * all of these give -ENOTUNIQ for such a one, and `why` names the exhibits. */
struct file_address {
    const char *path;
    const char *exhibit; /* its label; NULL: the only one that has this address */
};

/* How an entry's content can be read. Strings are malloc'ed; file_source_finish frees. */
struct file_source {
    char *exhibit_path, *exhibit_type, *locator, *path, *sha256, *extension;
    uint64_t size;
    uint64_t root; /* it lies inside this stream, at whatever depth, and is found by scanning that again; 0:
                    * it is opened by its locator */
};
/* -ENOENT: no such address; -ENODATA: it has no content. */
int file_source(struct casefile *cf, const struct file_address *at, struct file_source *ret_source, struct why *why);
void file_source_finish(struct file_source *source);

/* A stream that others lie in, as the plugins saw it, and what is needed to find those again. Strings are
 * malloc'ed; file_root_finish frees. */
struct file_root {
    uint64_t id, run; /* the run whose findings in it count */
    char *exhibit_path, *exhibit_type, *locator, *path, *extension;
    char *plugins; /* every one that found a stream in it, ',' between */
    uint32_t kind;
    bool deleted;
};
/* The stream that `stream` lies in at whatever depth; itself when a file system names it. -ENOENT. */
int file_root_of(struct casefile *cf, uint64_t stream, uint64_t *ret_root, struct why *why);
/* -ENOENT: no such stream, or it was not scanned. */
int file_root(struct casefile *cf, uint64_t stream, struct file_root *ret_root, struct why *why);
void file_root_finish(struct file_root *root);

/* Puts the settings of a run over those in `settings` (initialised). What this version does not know any more
 * is left out. -ENOENT: no such run; -EINVAL: a value that cannot be, `why` says which. */
int run_settings(struct casefile *cf, uint64_t run, struct settings *settings, struct why *why);

/* Every column of the view `file` for one address, in order, as text. -ENOENT. */
int file_columns(struct casefile *cf, const struct file_address *at,
                 void (*each)(void *context, const char *name, const char *value), void *context,
                 struct why *why);

/* All findings about one address: pass, plugin, type and the record as JSON. */
int file_findings(struct casefile *cf, const struct file_address *at,
                  void (*each)(void *context, uint64_t pass, const char *plugin, const char *type, const char *json),
                  void *context, struct why *why);

#endif
