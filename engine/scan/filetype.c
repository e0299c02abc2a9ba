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
};

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
        {MAGIC_PARAM_ENCODING_MAX, 65536},
    };

    for (size_t i = 0; i < sizeof params / sizeof params[0]; i++)
        magic_setparam(magic, params[i].param, &params[i].value);
}

int filetype_open(const char *magic, struct filetype **ret_filetype, struct why *why)
{
    struct filetype *filetype;
    int rc;

    /* magic_load would take anything else that it finds for an unreadable path. */
    if (access(magic, R_OK) != 0)
        return why_set(why, -errno, "%s: %s", magic, strerror(errno));
    filetype = calloc(1, sizeof *filetype);
    if (filetype == NULL)
        return why_set(why, -ENOMEM, "no memory");
    filetype->magic = magic_open(flags);
    if (filetype->magic == NULL) {
        rc = why_set(why, -ENOMEM, "no memory");
        goto out;
    }
    set_params(filetype->magic);
    if (magic_load(filetype->magic, magic) != 0) {
        rc = why_set(why, -EINVAL, "%s: %s", magic, magic_error(filetype->magic));
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

static int ask(struct filetype *filetype, int what, const void *data, size_t size, struct buf *answer,
               struct why *why)
{
    const char *text = NULL, *error;

    if (magic_setflags(filetype->magic, flags | what) == 0)
        text = magic_buffer(filetype->magic, data, size);
    if (text == NULL) {
        error = magic_error(filetype->magic);
        return why_set(why, -EIO, "%s", error != NULL ? error : "libmagic gave no answer");
    }
    text_escape(answer, text, strlen(text));
    return buf_failed(answer) ? -ENOMEM : 0;
}

const char *filetype_version(void)
{
    static char version[32];
    int number = magic_version();

    snprintf(version, sizeof version, "libmagic %d.%02d", number / 100, number % 100);
    return version;
}

int filetype_identify(struct filetype *filetype, const void *data, size_t size, struct buf *mime,
                      struct buf *description, struct why *why)
{
    int rc;

    if (size > FILETYPE_SIZE_MAX)
        size = FILETYPE_SIZE_MAX;
    rc = ask(filetype, MAGIC_MIME_TYPE, data, size, mime, why);
    return rc < 0 ? rc : ask(filetype, MAGIC_NONE, data, size, description, why);
}
