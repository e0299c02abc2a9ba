/*
 * extensions: the table in memory, sorted by media type. Read once, in setup; the file is the operator's, not
 * evidence.
 */
#include "plugins/filetype/extensions.h"

#include "engine/base/buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 1024, ROWS_MAX = 10000 };

struct row {
    char *mime, *expected;
};

struct extensions {
    struct row *rows;
    size_t count;
};

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct row *)a)->mime, ((const struct row *)b)->mime);
}

void extensions_free(struct extensions *extensions)
{
    if (extensions == NULL)
        return;
    for (size_t i = 0; i < extensions->count; i++) {
        free(extensions->rows[i].mime);
        free(extensions->rows[i].expected);
    }
    free(extensions->rows);
    free(extensions);
}

/* Words of lower-case letters, digits, '_' and '-' with one space between them. */
static bool words_are_valid(const char *words)
{
    size_t length = strlen(words);

    return length > 0 && words[0] != ' ' && words[length - 1] != ' ' && strstr(words, "  ") == NULL &&
           words[strspn(words, "abcdefghijklmnopqrstuvwxyz0123456789_- ")] == '\0';
}

static int read_line(struct extensions *extensions, char *line)
{
    char *tab, *end = line + strcspn(line, "\r\n");
    struct row *row;

    *end = '\0';
    if (line[0] == '\0' || line[0] == '#')
        return 0;
    tab = strchr(line, '\t');
    if (tab == NULL || tab == line || !words_are_valid(tab + 1) || extensions->count == ROWS_MAX)
        return -EINVAL;
    *tab = '\0';
    row = &extensions->rows[extensions->count++];
    row->mime = strdup(line);
    row->expected = strdup(tab + 1);
    return row->mime != NULL && row->expected != NULL ? 0 : -ENOMEM;
}

static int read_all(struct extensions *extensions, FILE *file, const char *path, struct why *why)
{
    char line[LINE_MAX_BYTES];
    unsigned number = 0;
    int rc = 0;

    while (rc == 0 && fgets(line, sizeof line, file) != NULL) {
        number++;
        rc = read_line(extensions, line);
    }
    if (rc < 0)
        return why_set(why, rc, "%s:%u: not a media type, a tab and extensions in lower case", path, number);
    return ferror(file) ? why_set(why, -EIO, "%s: cannot be read", path) : 0;
}

static int check_twice(const struct extensions *extensions, const char *path, struct why *why)
{
    for (size_t i = 1; i < extensions->count; i++) {
        if (strcmp(extensions->rows[i].mime, extensions->rows[i - 1].mime) == 0)
            return why_set(why, -EINVAL, "%s: %s is there twice", path, extensions->rows[i].mime);
    }
    return 0;
}

int extensions_load(const char *path, struct extensions **ret_extensions, size_t *ret_count,
                    char ret_sha256[SHA256_HEX_SIZE], struct why *why)
{
    struct extensions *extensions = calloc(1, sizeof *extensions);
    FILE *file = NULL;
    int rc;

    if (extensions != NULL)
        extensions->rows = calloc(ROWS_MAX, sizeof extensions->rows[0]);
    if (extensions == NULL || extensions->rows == NULL) {
        rc = why_set(why, -ENOMEM, "no memory");
        goto out;
    }
    file = fopen(path, "re");
    rc = file == NULL ? -errno : hash_sha256_file(path, ret_sha256);
    if (rc < 0) {
        why_set(why, rc, "%s: %s", path, strerror(-rc));
        goto out;
    }
    rc = read_all(extensions, file, path, why);
    if (rc < 0)
        goto out;
    qsort(extensions->rows, extensions->count, sizeof extensions->rows[0], compare);
    rc = check_twice(extensions, path, why);
out:
    if (file != NULL)
        fclose(file);
    if (rc < 0) {
        extensions_free(extensions);
        return rc;
    }
    *ret_count = extensions->count;
    *ret_extensions = extensions;
    return 0;
}

const char *extensions_expected(const struct extensions *extensions, const char *mime)
{
    const struct row *row = NULL;

    if (extensions != NULL)
        row = bsearch(&(struct row){.mime = (char *)mime}, extensions->rows, extensions->count,
                      sizeof extensions->rows[0], compare);
    return row != NULL ? row->expected : NULL;
}

bool extensions_has(const char *expected, const char *extension)
{
    size_t length = strlen(extension);

    while (*expected != '\0') {
        size_t word = strcspn(expected, " ");

        if (word == length && memcmp(expected, extension, length) == 0)
            return true;
        expected += word;
        expected += strspn(expected, " ");
    }
    return false;
}
