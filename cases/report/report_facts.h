/*
 * report_facts: every file that a case knows, one row after the other in the order of exhibits and paths, for
 * the formats that list files. Nothing is gathered; memory does not grow with the case.
 */
#ifndef KVALI_CASES_REPORT_REPORT_FACTS_H
#define KVALI_CASES_REPORT_REPORT_FACTS_H

#include "cases/casefile.h"
#include "engine/base/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Words as in the view `file`; "" where there is none. Text is escaped (text.h) and passed through safe.h: it
 * holds no control character and is valid UTF-8. All is valid during the call only. */
struct file_fact {
    uint64_t exhibit_id;
    const char *exhibit; /* label */
    const char *path;    /* address in the case */
    const char *within;  /* the same below its file system: "Users/x/a.doc"; `path` where it is in none */
    const char *volume;  /* key */
    const char *filesystem;
    uint64_t volume_offset, volume_size;
    uint32_t block_size, sector_size;
    const uint8_t *name; /* as stored, not escaped; NULL when that is what the path ends with */
    size_t name_size;
    const char *type, *kind, *attribute, *target;
    uint64_t inode, sequence, size;
    uint64_t mode, uid, gid, links;
    uint64_t flags;                                     /* enum entry_flags (found.h) */
    int64_t modified, accessed, changed, born, removed; /* ns, WHEN_NONE */
    int64_t name_modified, name_accessed, name_changed, name_born;
    bool has_content;
    uint64_t content_size;
    const char *runs;            /* [[offset or null, bytes], ...] */
    bool inside;                 /* it lies in a medium inside of the exhibit's: offsets are that one's */
    const uint8_t *sha256_bytes; /* SHA256_SIZE; NULL: not known */
    char md5[33], sha1[41], sha256[SHA256_HEX_SIZE];
    uint64_t unread; /* bytes of it that zeros stand for in the hash values */
    const char *mime, *grade, *parent, *plugin;
    uint64_t blocks, overwritten; /* deleted contents: bytes on the medium, and of these in blocks that a live
                                     content owns */
    bool inner;                   /* lies inside another content: no file system names it */
};
enum facts_what {
    FACTS_ENTRIES = 1, /* what file systems name: files, folders, alternate streams, their own metadata */
    FACTS_INNER = 2,   /* what was found inside contents: members, recovered objects, slack is left out */
    FACTS_ALL = 3,     /* first the one, then the other */
    FACTS_BRIEF = 4,   /* no more of each than exhibit, path, type, size, flags, the four times, content_size,
                          sha256_bytes, mime, grade, inner: the rest is 0 or "", and takes half of the time */
};

/* `each` returns 0, or negative to end, which is returned. Free and unread space, slack and images are not
 * files and are left out. Negative errno with `why`. */
int file_facts(struct casefile *cf, enum facts_what what,
               int (*each)(void *context, const struct file_fact *fact), void *context, struct why *why);

/* Deleted by its name or by its content. */
bool file_fact_deleted(const struct file_fact *fact);

#endif
