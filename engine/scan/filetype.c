/*
 * filetype: the only file that includes libmagic [magic(5), libmagic(3), file 5.44].
 *
 * libmagic is never asked to look into compressed data: for that it starts other programs, chosen by the
 * evidence. Its parameters are set to fixed values, and its output is taken raw and escaped here, because its
 * own escaping depends on the locale.
 */
#include "engine/scan/filetype.h"

#include "engine/base/text.h"
#include "engine/scan/magic_sieve.h"
#include "engine/scan/magic_text.h"

#include <errno.h>
#include <magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct filetype {
    magic_t whole, rest; /* all tests, and those that the sieve leaves; NULL: there is no sieve */
    struct magic_sieve *sieve;
    enum filetype_detail detail;
};

enum { SIEVED_VERSION = 544 }; /* of the library whose compiled files and comparisons the sieve knows */

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
        {MAGIC_PARAM_ENCODING_MAX, MAGIC_TEXT_MAX},
    };

    for (size_t i = 0; i < sizeof params / sizeof params[0]; i++)
        magic_setparam(magic, params[i].param, &params[i].value);
}

static int open_library(magic_t *ret_magic, struct why *why)
{
    *ret_magic = magic_open(flags);
    if (*ret_magic == NULL)
        return why_set(why, -ENOMEM, "no memory");
    set_params(*ret_magic);
    return 0;
}

static int not_loaded(magic_t magic, const char *path, struct why *why)
{
    return why_set(why, magic_errno(magic) == ENOMEM ? -ENOMEM : -EINVAL, "%s: %s", path, magic_error(magic));
}

static int load_rest(struct filetype *filetype, const char *path, struct why *why)
{
    void *rest;
    size_t size;
    int rc = magic_version() == SIEVED_VERSION ? magic_sieve_open(path, &filetype->sieve, why) : 0;

    if (rc < 0 || filetype->sieve == NULL)
        return rc;
    rest = magic_sieve_rest(filetype->sieve, &size);
    rc = open_library(&filetype->rest, why);
    if (rc == 0 && magic_load_buffers(filetype->rest, &rest, &size, 1) != 0)
        rc = not_loaded(filetype->rest, path, why);
    return rc;
}

int filetype_open(const char *magic, enum filetype_detail detail, bool sieved, struct filetype **ret_filetype,
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
    rc = open_library(&filetype->whole, why);
    if (rc == 0 && magic_load(filetype->whole, magic) != 0)
        rc = not_loaded(filetype->whole, magic, why);
    if (rc == 0 && sieved)
        rc = load_rest(filetype, magic, why);
    if (rc < 0) {
        filetype_close(filetype);
        return rc;
    }
    *ret_filetype = filetype;
    return 0;
}

void filetype_close(struct filetype *filetype)
{
    if (filetype == NULL)
        return;
    if (filetype->rest != NULL)
        magic_close(filetype->rest);
    if (filetype->whole != NULL)
        magic_close(filetype->whole);
    magic_sieve_close(filetype->sieve);
    free(filetype);
}

/* NULL: it gave none. Valid until the next question. */
static const char *answer(magic_t magic, int what, const void *data, size_t size)
{
    return magic_setflags(magic, flags | what) == 0 ? magic_buffer(magic, data, size) : NULL;
}

static int take(magic_t magic, const char *text, struct buf *into, struct why *why)
{
    if (text == NULL) {
        const char *error = magic_error(magic);
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
    size_t seen = size < MAGIC_TEXT_MAX ? size : MAGIC_TEXT_MAX, cut = 0;

    for (size_t i = 0; i < seen; i++)
        if (data[i] < 0x20 && !(data[i] >= '\a' && data[i] <= '\r') && data[i] != 0x1b)
            return false;
    while (cut < 3 && cut < seen && !text_is_utf8(data, seen - cut))
        cut++;
    return seen > 0 && text_is_utf8(data, seen - cut);
}

/* What libmagic takes for nothing, without its checks of text, is text or nothing known. */
static const char *quick_answer(magic_t magic, const void *data, size_t size)
{
    const char *text =
        answer(magic, MAGIC_MIME_TYPE | MAGIC_NO_CHECK_TEXT | MAGIC_NO_CHECK_ENCODING, data, size);

    return text != NULL && strcmp(text, "application/octet-stream") == 0 && is_text(data, size) ? "text/plain"
                                                                                                : text;
}

int filetype_identify(struct filetype *filetype, const void *data, size_t size, struct buf *mime,
                      struct buf *description, struct why *why)
{
    magic_t magic = filetype->whole;
    int rc;

    if (size > FILETYPE_SIZE_MAX)
        size = FILETYPE_SIZE_MAX;
    if (filetype->sieve != NULL &&
        !magic_sieve_passes(filetype->sieve, data, size, filetype->detail != FILETYPE_QUICK))
        magic = filetype->rest;
    if (filetype->detail == FILETYPE_QUICK)
        return take(magic, quick_answer(magic, data, size), mime, why);
    rc = take(magic, answer(magic, MAGIC_MIME_TYPE, data, size), mime, why);
    if (rc < 0 || filetype->detail == FILETYPE_TYPE)
        return rc;
    return take(magic, answer(magic, MAGIC_NONE, data, size), description, why);
}
