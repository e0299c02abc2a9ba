/*
 * reader: see reader.h; the one file that knows libarchive. Its `support_filter_all` is never used: that
 * would start programs that the evidence names by its first bytes.
 *
 * Names: with a UTF-8 locale libarchive gives those that it knows the character set of as UTF-8, and others
 * as they are.
 */
#include "plugins/archive/reader.h"

#include "engine/base/when.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER = 256 * 1024, RETRIES = 64 };

struct reader {
    struct archive *archive;
    struct archive_entry *entry; /* the library's */
    struct source_bytes *source;
    const uint8_t *head; /* before the source's bytes */
    size_t head_size;
    uint64_t offset, size; /* part of the source */
    uint64_t position;     /* in head and part, of the next read */
    uint64_t given;        /* of the member's content */
    enum form form;
    bool warned;
    uint8_t *buffer;
};

/* For the whole process, made before anything is read: the library asks for the current locale's character
 * set. */
static locale_t utf8;

int reader_setup(void)
{
    if (utf8 == (locale_t)0)
        utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    return utf8 != (locale_t)0 ? 0 : -ENOTSUP;
}

/* ------------------------------------------------------------------ bytes */

static la_ssize_t on_read(struct archive *archive, void *context, const void **ret_data)
{
    struct reader *reader = context;
    uint64_t behind;
    int64_t got;

    if (reader->position < reader->head_size) {
        *ret_data = reader->head + reader->position;
        got = (int64_t)(reader->head_size - reader->position);
        reader->position = reader->head_size;
        return (la_ssize_t)got;
    }
    behind = reader->position - reader->head_size;
    if (behind >= reader->size)
        return 0;
    got = source_read(reader->source, reader->offset + behind, reader->buffer,
                      reader->size - behind < BUFFER ? (size_t)(reader->size - behind) : BUFFER);
    if (got < 0) {
        archive_set_error(archive, (int)-got,
                          got == -EDQUOT ? "it jumps to and fro too often" : "the stream could not be read");
        return -1;
    }
    reader->position += (uint64_t)got;
    *ret_data = reader->buffer;
    return (la_ssize_t)got;
}

static la_int64_t on_skip(struct archive *archive, void *context, la_int64_t request)
{
    struct reader *reader = context;
    uint64_t end = reader->head_size + reader->size;

    (void)archive;
    if (request <= 0 || reader->position < reader->head_size || reader->position >= end)
        return 0;
    if ((uint64_t)request > end - reader->position)
        request = (la_int64_t)(end - reader->position);
    reader->position += (uint64_t)request;
    return request;
}

static la_int64_t on_seek(struct archive *archive, void *context, la_int64_t offset, int whence)
{
    struct reader *reader = context;
    uint64_t size = reader->head_size + reader->size;
    uint64_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? reader->position : size;

    (void)archive;
    if (offset < 0 && (uint64_t)-offset > from)
        return ARCHIVE_FATAL;
    from = offset < 0 ? from - (uint64_t)-offset : from + (uint64_t)offset;
    reader->position = from < size ? from : size;
    return (la_int64_t)reader->position;
}

/* ------------------------------------------------------------------ opening */

static int support(struct archive *archive, enum form form)
{
    switch (form) {
    case FORM_ZIP:
        return archive_read_support_format_zip_streamable(archive);
    case FORM_SEVENZIP:
        return archive_read_support_format_7zip(archive);
    case FORM_RAR:
        return archive_read_support_format_rar(archive);
    case FORM_RAR5:
        return archive_read_support_format_rar5(archive);
    case FORM_TAR:
        return archive_read_support_format_tar(archive);
    case FORM_CPIO:
        return archive_read_support_format_cpio(archive);
    case FORM_AR:
        return archive_read_support_format_ar(archive);
    case FORM_CAB:
        return archive_read_support_format_cab(archive);
    case FORM_ISO:
        return archive_read_support_format_iso9660(archive);
    case FORM_XAR:
        return archive_read_support_format_xar(archive);
    case FORM_WARC:
        return archive_read_support_format_warc(archive);
    case FORM_LHA:
        return archive_read_support_format_lha(archive);
    default:
        return ARCHIVE_FATAL;
    }
}

static int support_packed(struct archive *archive, enum form form)
{
    static int (*const filters[FORMS])(struct archive *) = {
        [FORM_LZ4] = archive_read_support_filter_lz4,
        [FORM_COMPRESS] = archive_read_support_filter_compress,
        [FORM_RPM] = archive_read_support_filter_rpm,
    };

    if (filters[form] == NULL)
        return ARCHIVE_FATAL;
    /* ARCHIVE_WARN would mean that the library wants to start a program for it. */
    if (filters[form](archive) != ARCHIVE_OK || archive_read_support_format_raw(archive) != ARCHIVE_OK)
        return ARCHIVE_FATAL;
    return archive_read_support_format_empty(archive);
}

static struct reader *reader_new(enum form form, struct source_bytes *source)
{
    struct reader *reader = calloc(1, sizeof *reader);

    if (reader == NULL)
        return NULL;
    reader->form = form;
    reader->source = source;
    reader->size = source->size;
    reader->buffer = malloc(BUFFER);
    reader->archive = archive_read_new();
    if (reader->buffer == NULL || reader->archive == NULL) {
        reader_close(reader);
        return NULL;
    }
    return reader;
}

/* A failure of the library shows at the first member. */
static int begin(struct reader *reader)
{
    struct archive *archive = reader->archive;
    int code =
        form_is_packed(reader->form) ? support_packed(archive, reader->form) : support(archive, reader->form);

    if (code == ARCHIVE_FATAL)
        return -ENOMEM;
    archive_read_set_read_callback(archive, on_read);
    archive_read_set_skip_callback(archive, on_skip);
    archive_read_set_seek_callback(archive, on_seek);
    archive_read_set_callback_data(archive, reader);
    archive_read_open1(archive);
    return 0;
}

int reader_open(enum form form, struct source_bytes *source, struct reader **ret_reader)
{
    struct reader *reader = reader_new(form, source);
    locale_t before = uselocale(utf8);
    int code = reader != NULL ? begin(reader) : -ENOMEM;

    uselocale(before);
    if (code < 0) {
        reader_close(reader);
        return code;
    }
    *ret_reader = reader;
    return 0;
}

int reader_open_one(const void *head, size_t head_size, struct source_bytes *source, uint64_t offset,
                    uint64_t size, const char *password, struct reader **ret_reader)
{
    struct reader *reader = reader_new(FORM_ZIP, source);
    int code;

    if (reader == NULL)
        return -ENOMEM;
    reader->head = head;
    reader->head_size = head_size;
    reader->offset = offset;
    reader->size = size;
    if (password != NULL && archive_read_add_passphrase(reader->archive, password) != ARCHIVE_OK)
        code = -ENOMEM;
    else
        code = begin(reader);
    if (code < 0) {
        reader_close(reader);
        return code;
    }
    *ret_reader = reader;
    return 0;
}

void reader_close(struct reader *reader)
{
    if (reader == NULL)
        return;
    archive_read_free(reader->archive);
    free(reader->buffer);
    free(reader);
}

/* ------------------------------------------------------------------ members */

static int64_t time_of(int is_set, time_t seconds, long nanoseconds)
{
    return is_set ? when_from_unix(seconds, nanoseconds >= 0 ? (uint32_t)nanoseconds : 0) : WHEN_NONE;
}

static enum member_kind kind_of(struct archive_entry *entry)
{
    if (archive_entry_hardlink(entry) != NULL)
        return MEMBER_HARDLINK;
    switch (archive_entry_filetype(entry)) {
    case AE_IFDIR:
        return MEMBER_DIRECTORY;
    case AE_IFLNK:
        return MEMBER_SYMLINK;
    case AE_IFCHR:
    case AE_IFBLK:
    case AE_IFIFO:
    case AE_IFSOCK:
        return MEMBER_SPECIAL;
    default:
        return MEMBER_FILE;
    }
}

static const char *cipher(enum form form)
{
    return form == FORM_SEVENZIP ? "AES-256 (7zAES)"
           : form == FORM_RAR    ? "AES-128 (RAR)"
           : form == FORM_RAR5   ? "AES-256 (RAR5)"
                                 : "yes";
}

/* Each member has a header of its own, before its content. */
static bool has_headers(enum form form)
{
    return form == FORM_TAR || form == FORM_CPIO || form == FORM_AR || form == FORM_WARC ||
           form == FORM_LHA || form == FORM_RAR || form == FORM_RAR5;
}

static void describe(struct reader *reader, struct archive_entry *entry, struct member *ret)
{
    const char *name = archive_entry_pathname(entry);
    enum form form = reader->form;

    *ret = (struct member){
        .name = name != NULL ? name : "",
        .name_size = name != NULL ? strlen(name) : 0,
        .charset = form == FORM_SEVENZIP || form == FORM_RAR5 || form == FORM_XAR ? "UTF-8" : NULL,
        .oem = form == FORM_CAB || form == FORM_RAR || form == FORM_LHA,
        .kind = kind_of(entry),
        .size = archive_entry_size_is_set(entry) ? (uint64_t)archive_entry_size(entry) : UINT64_MAX,
        .packed = UINT64_MAX,
        .modified = time_of(archive_entry_mtime_is_set(entry), archive_entry_mtime(entry),
                            archive_entry_mtime_nsec(entry)),
        .accessed = time_of(archive_entry_atime_is_set(entry), archive_entry_atime(entry),
                            archive_entry_atime_nsec(entry)),
        .changed = time_of(archive_entry_ctime_is_set(entry), archive_entry_ctime(entry),
                           archive_entry_ctime_nsec(entry)),
        .born = time_of(archive_entry_birthtime_is_set(entry), archive_entry_birthtime(entry),
                        archive_entry_birthtime_nsec(entry)),
        .local = form == FORM_CAB || form == FORM_RAR || form == FORM_LHA,
        .owned =
            form == FORM_TAR || form == FORM_CPIO || form == FORM_AR || form == FORM_XAR || form == FORM_ISO,
        .mode = (uint32_t)archive_entry_mode(entry),
        .uid = (uint64_t)archive_entry_uid(entry),
        .gid = (uint64_t)archive_entry_gid(entry),
        .owner = archive_entry_uname(entry),
        .group = archive_entry_gname(entry),
        .encrypted = archive_entry_is_encrypted(entry) ? cipher(form) : NULL,
        .offset = (uint64_t)archive_read_header_position(reader->archive),
    };
    ret->target = ret->kind == MEMBER_HARDLINK ? archive_entry_hardlink(entry) : archive_entry_symlink(entry);
    if (form_is_packed(form))
        ret->size = UINT64_MAX;
    if (!has_headers(form) || ret->offset > reader->size)
        ret->offset = 0;
}

/* A filter that the library did not take up would give the stream itself as its own content. */
static bool is_as_told(const struct reader *reader)
{
    return !form_is_packed(reader->form) || archive_filter_count(reader->archive) > 1;
}

int reader_next(struct reader *reader, struct member *ret_member)
{
    locale_t before = uselocale(utf8);
    int code = ARCHIVE_RETRY;

    for (unsigned i = 0; i < RETRIES && code == ARCHIVE_RETRY; i++)
        code = archive_read_next_header(reader->archive, &reader->entry);
    reader->given = 0;
    reader->warned = false;
    if ((code == ARCHIVE_OK || code == ARCHIVE_WARN) && is_as_told(reader)) {
        describe(reader, reader->entry, ret_member);
        uselocale(before);
        return 1;
    }
    uselocale(before);
    return code == ARCHIVE_EOF ? 0 : -EBADMSG;
}

int reader_data(struct reader *reader, const void **ret_data, size_t *ret_size, uint64_t *ret_gap)
{
    la_int64_t offset = 0;
    size_t size = 0;
    int code = ARCHIVE_RETRY;

    for (unsigned i = 0; i < RETRIES && code == ARCHIVE_RETRY; i++)
        code = archive_read_data_block(reader->archive, ret_data, &size, &offset);
    if (code == ARCHIVE_EOF) {
        uint64_t whole =
            archive_entry_size_is_set(reader->entry) ? (uint64_t)archive_entry_size(reader->entry) : 0;

        /* What ends in a hole. */
        *ret_gap = reader->form == FORM_TAR && whole > reader->given ? whole - reader->given : 0;
        reader->given += *ret_gap;
        *ret_size = 0;
        return *ret_gap > 0;
    }
    if (code != ARCHIVE_OK && code != ARCHIVE_WARN)
        return code == ARCHIVE_FAILED ? -ENOTSUP : -EBADMSG;
    reader->warned = reader->warned || code == ARCHIVE_WARN;
    *ret_gap = offset > 0 && (uint64_t)offset > reader->given ? (uint64_t)offset - reader->given : 0;
    *ret_size = size;
    reader->given += *ret_gap + size;
    return 1;
}

bool reader_warned(const struct reader *reader)
{
    return reader->warned;
}

const char *reader_error(const struct reader *reader)
{
    const char *error = archive_error_string(reader->archive);

    return error != NULL && *error != '\0' ? error : "the library gives no reason";
}

const char *reader_detail(const struct reader *reader)
{
    const char *name = form_is_packed(reader->form) ? archive_filter_name(reader->archive, 0)
                                                    : archive_format_name(reader->archive);

    return name != NULL ? name : "";
}

bool reader_is_closed(const struct reader *reader)
{
    /* Asked before it has taken to a format, libarchive 3.6.2 calls what is no function. */
    return archive_format(reader->archive) != 0 && archive_read_has_encrypted_entries(reader->archive) > 0;
}

uint64_t reader_position(const struct reader *reader)
{
    la_int64_t at = archive_filter_bytes(reader->archive, 0);

    return at > 0 ? (uint64_t)at : 0;
}
