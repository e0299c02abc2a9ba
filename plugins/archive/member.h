/*
 * member: what an archive says of one of its members, as a record; and the member's content, as a stream.
 */
#ifndef KVALI_ARCHIVE_MEMBER_H
#define KVALI_ARCHIVE_MEMBER_H

#include "plugins/archive/charset.h"
#include "plugins/archive/form.h"
#include "plugins/archive/source.h"

enum member_kind { MEMBER_FILE, MEMBER_DIRECTORY, MEMBER_SYMLINK, MEMBER_HARDLINK, MEMBER_SPECIAL };

/* All that is NULL or WHEN_NONE is not there. What is pointed to is borrowed. */
struct member {
    const void *name; /* as it is stored, as far as the reader gives it */
    size_t name_size;
    const char *charset; /* when the archive says it: "UTF-8"; then `name` is in it */
    const void *unicode; /* the name once more, in UTF-8, when the archive has that beside `name` */
    size_t unicode_size;
    bool oem; /* see charset_decode */
    enum member_kind kind;
    const char *target;
    uint64_t size, packed; /* UINT64_MAX: not known */
    int64_t modified, accessed, changed, born;
    bool local; /* times are the packer's local time, whose zone is not known */
    bool owned; /* mode, uid, gid are there */
    uint32_t mode;
    uint64_t uid, gid;
    const char *owner, *group;
    const char *method, *encrypted; /* how it is packed; how it is encrypted */
    const char *key;                /* which key opened it, or that none did */
    const char *unlisted;           /* the archive's directory does not name it: what it was found by */
    bool hidden;                    /* there is a directory, and it leaves this one out */
    uint64_t offset;                /* of its header in the archive */
};

extern const struct record_type archive_type, member_type;

struct archive_limits {
    uint64_t ratio, ratio_from;
};

/* All that came out of one stream of the file system, through all levels of archives inside. */
struct family {
    uint64_t root, out; /* bytes of that stream; bytes that came out */
};

/* An archive on its way. */
struct opened {
    struct scan *scan;
    const struct charset *charset;
    const struct archive_limits *limits;
    struct family *family;
    struct source_bytes source;
    enum form form;
    const char *detail; /* a more exact name of the form; "" */
    char room[64];      /* for it */
    uint64_t members, contents, encrypted, unsupported, unlisted, out;
    const char *hidden; /* names are encrypted, too: how */
    struct buf problem; /* the first one, escaped */
    bool stop;          /* a limit is reached: no more of this archive */
};

void opened_finish(struct opened *opened);

/* Notes damage, once in words for the archive's own record, too. Text may be evidence's. */
void opened_problem(struct opened *opened, uint64_t offset, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A member without content to look at: its record alone, on the archive's stream. `state`: "directory",
 * "encrypted" … */
void member_listed(struct opened *opened, const struct member *member, const char *state);

/* A member's content on its way to the plugins. */
struct content;

/* It begins; NULL: no more of this archive (a limit, which is recorded). What the member points to stays
 * until member_close. */
struct content *member_open(struct opened *opened, const struct member *member,
                            const struct scan_piece *pieces);
/* `size` bytes more of it; data NULL: zeros. False: no more of it is wanted. */
bool member_write(struct opened *opened, struct content *content, const void *data, uint64_t size);
/* Counts bytes that need not be written; says and stops it when they are too many. */
void member_count(struct opened *opened, uint64_t size);
/* Scans it. */
void member_close(struct opened *opened, struct content *content, enum scan_status status);

/* The record of the archive itself. */
void opened_emit(struct opened *opened);

#endif
