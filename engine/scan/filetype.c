/*
 * filetype: the only file that includes libmagic [magic(5), libmagic(3), file 5.44].
 *
 * libmagic is never asked to look into compressed data: for that it starts other programs, chosen by the
 * evidence. Its parameters are set to fixed values, and its output is taken raw and escaped here, because its
 * own escaping depends on the locale.
 */
#include "engine/scan/filetype.h"

#include "engine/base/text.h"

#include <errno.h>
#include <magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct filetype {
    magic_t magic;
    enum filetype_detail detail;
};

enum { ENCODING_MAX = 65536 }; /* bytes from the start that say whether it is text */

static const int flags = MAGIC_NO_CHECK_COMPRESS | MAGIC_RAW;

static void set_params(magic_t magic)
{
    static const struct {
        int param;
        size_t value;
    } params[] = {
        {MAGIC_PARAM_INDIR_MAX, 50},
        {MAGIC_PARAM_NAME_MAX, 50},
        {MAGIC_PARAM_ELF_PHNUM_MAX, 2048},
        {MAGIC_PARAM_ELF_SHNUM_MAX, 32768},
        {MAGIC_PARAM_ELF_NOTES_MAX, 256},
        {MAGIC_PARAM_REGEX_MAX, 8192},
        {MAGIC_PARAM_BYTES_MAX, FILETYPE_SIZE_MAX},
        {MAGIC_PARAM_ENCODING_MAX, ENCODING_MAX},
    };

    for (size_t i = 0; i < sizeof params / sizeof params[0]; i++)
        magic_setparam(magic, params[i].param, &params[i].value);
}

int filetype_open(const char *magic, enum filetype_detail detail, struct filetype **ret_filetype,
                  struct why *why)
{
    struct filetype *filetype;
    int rc;

    /* magic_load would take anything else that it finds for an unreadable path. */
    if (access(magic, R_OK) != 0)
        return why_set(why, -errno, "%s: %s", magic, strerror(errno));
    filetype = calloc(1, sizeof *filetype);
    if (filetype == NULL)
        return why_set(why, -ENOMEM, "no memory");
    filetype->detail = detail;
    filetype->magic = magic_open(flags);
    if (filetype->magic == NULL) {
        rc = why_set(why, -ENOMEM, "no memory");
        goto out;
    }
    set_params(filetype->magic);
    if (magic_load(filetype->magic, magic) != 0) {
        rc = why_set(why, magic_errno(filetype->magic) == ENOMEM ? -ENOMEM : -EINVAL, "%s: %s", magic,
                     magic_error(filetype->magic));
        goto out;
    }
    *ret_filetype = filetype;
    return 0;
out:
    filetype_close(filetype);
    return rc;
}

void filetype_close(struct filetype *filetype)
{
    if (filetype == NULL)
        return;
    if (filetype->magic != NULL)
        magic_close(filetype->magic);
    free(filetype);
}

/* NULL: it gave none. Valid until the next question. */
static const char *answer(struct filetype *filetype, int what, const void *data, size_t size)
{
    return magic_setflags(filetype->magic, flags | what) == 0 ? magic_buffer(filetype->magic, data, size)
                                                              : NULL;
}

static int take(struct filetype *filetype, const char *text, struct buf *into, struct why *why)
{
    if (text == NULL) {
        const char *error = magic_error(filetype->magic);
        return why_set(why, -EIO, "%s", error != NULL ? error : "libmagic gave no answer");
    }
    text_escape(into, text, strlen(text));
    return buf_failed(into) ? -ENOMEM : 0;
}

const char *filetype_version(void)
{
    static char version[32];
    int number = magic_version();

    snprintf(version, sizeof version, "libmagic %d.%02d", number / 100, number % 100);
    return version;
}

/* As libmagic has it: no control characters but those of line ends and terminals; here in UTF-8 only. A
 * character may be cut at the end. */
static bool is_text(const uint8_t *data, size_t size)
{
    size_t seen = size < ENCODING_MAX ? size : ENCODING_MAX, cut = 0;

    for (size_t i = 0; i < seen; i++)
        if (data[i] < 0x20 && !(data[i] >= '\a' && data[i] <= '\r') && data[i] != 0x1b)
            return false;
    while (cut < 3 && cut < seen && !text_is_utf8(data, seen - cut))
        cut++;
    return seen > 0 && text_is_utf8(data, seen - cut);
}

/* What libmagic takes for nothing, without its checks of text, is text or nothing known. */
static const char *quick_answer(struct filetype *filetype, const void *data, size_t size)
{
    const char *text =
        answer(filetype, MAGIC_MIME_TYPE | MAGIC_NO_CHECK_TEXT | MAGIC_NO_CHECK_ENCODING, data, size);

    return text != NULL && strcmp(text, "application/octet-stream") == 0 && is_text(data, size) ? "text/plain"
                                                                                                : text;
}

int filetype_identify(struct filetype *filetype, const void *data, size_t size, struct buf *mime,
                      struct buf *description, struct why *why)
{
    int rc;

    if (size > FILETYPE_SIZE_MAX)
        size = FILETYPE_SIZE_MAX;
    if (filetype->detail == FILETYPE_QUICK)
        return take(filetype, quick_answer(filetype, data, size), mime, why);
    rc = take(filetype, answer(filetype, MAGIC_MIME_TYPE, data, size), mime, why);
    if (rc < 0 || filetype->detail == FILETYPE_TYPE)
        return rc;
    return take(filetype, answer(filetype, MAGIC_NONE, data, size), description, why);
}
