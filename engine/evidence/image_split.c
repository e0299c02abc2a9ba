/*
 * image_split: the parts of a split raw image, by their names.
 *
 * Numbered parts: disk.001 disk.002 ... or disk.000 disk.001 ..., two to four digits, going on with one more
 * (.999, .1000). Lettered parts as split(1) writes them: disk.aa disk.ab ..., disk.aaa ... Parts are sought
 * by listing the folder, so that a gap is seen: up to GAP_MAX parts in a row may be missing.
 */
#include "engine/evidence/image_private.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GAP_MAX = 16, WIDTH_MAX = 4 };

struct scheme {
    bool letters;
    size_t width;
};

/* The number of the part whose extension is `text`, -1 when it is none of this scheme. */
static long part_number(const struct scheme *scheme, const char *text)
{
    size_t length = strlen(text);
    long number = 0;
    if (length != scheme->width && (scheme->letters || length != scheme->width + 1 || text[0] == '0'))
        return -1;
    for (size_t i = 0; i < length; i++) {
        bool fits = scheme->letters ? text[i] >= 'a' && text[i] <= 'z' : isdigit((unsigned char)text[i]) != 0;
        if (!fits)
            return -1;
        number = scheme->letters ? number * 26 + (text[i] - 'a') : number * 10 + (text[i] - '0');
    }
    return number;
}

static void part_name(const struct scheme *scheme, long number, char ret[16])
{
    if (!scheme->letters) {
        (void)snprintf(ret, 16, "%0*ld", (int)scheme->width, number);
        return;
    }
    ret[scheme->width] = '\0';
    for (size_t i = scheme->width; i > 0; i--, number /= 26)
        ret[i - 1] = (char)('a' + number % 26);
}

/* Of the extension of the given name; false when it is not one of a part. A name with more digits than the
 * scheme's usual three, "disk.1000", goes on from "disk.999". */
static bool guess_scheme(const char *extension, struct scheme *ret_scheme)
{
    size_t length = strlen(extension);
    bool letters = islower((unsigned char)extension[0]) != 0;
    struct scheme scheme = {letters, length};
    if (length < 2 || length > (letters ? 3 : WIDTH_MAX))
        return false;
    if (!letters && length == WIDTH_MAX && extension[0] != '0')
        scheme.width = length - 1;
    if (part_number(&scheme, extension) < 0)
        return false;
    *ret_scheme = scheme;
    return true;
}

/* Marks which parts are there. `stem` ends with the dot. */
static int list_parts(const char *folder, const char *stem, const struct scheme *scheme, bool *present)
{
    DIR *list = opendir(folder);
    if (list == NULL)
        return -errno;
    size_t length = strlen(stem);
    for (const struct dirent *entry; (entry = readdir(list)) != NULL;) {
        if (strncmp(entry->d_name, stem, length) != 0)
            continue;
        long number = part_number(scheme, entry->d_name + length);
        if (number >= 0 && number < IMAGE_FDS_MAX)
            present[number] = true;
    }
    (void)closedir(list);
    return 0;
}

/* The last part that follows without too long a gap. */
static long last_part(const bool *present, long first)
{
    long last = first;
    for (long i = first; i < IMAGE_FDS_MAX && i <= last + GAP_MAX; i++)
        if (present[i])
            last = i;
    return last;
}

static long count_parts(const bool *present, long first, long last)
{
    long count = 0;
    for (long i = first; i <= last; i++)
        count += present[i];
    return count;
}

static int name_parts(struct split *split, const char *prefix, const struct scheme *scheme,
                      const bool *present, long first, long last)
{
    split->paths = calloc((size_t)(last - first) + 1, sizeof(*split->paths));
    if (split->paths == NULL)
        return -ENOMEM;
    split->count = (size_t)(last - first) + 1;
    for (long i = first; i <= last; i++) {
        char extension[16];
        part_name(scheme, i, extension);
        if (present[i] && asprintf(&split->paths[i - first], "%s%s", prefix, extension) < 0) {
            split->paths[i - first] = NULL;
            return -ENOMEM;
        }
    }
    return 0;
}

/* `prefix` is the path up to and with the last dot. */
static int find_parts(const char *prefix, const struct scheme *scheme, long given, struct split *split)
{
    static const char here[] = ".";
    const char *slash = strrchr(prefix, '/');
    char *folder = slash == NULL ? strdup(here) : strndup(prefix, (size_t)(slash - prefix) + 1);
    bool *present = calloc(IMAGE_FDS_MAX, sizeof(*present));
    int status = folder == NULL || present == NULL ? -ENOMEM : 0;
    if (status == 0)
        status = list_parts(folder, slash == NULL ? prefix : slash + 1, scheme, present);
    if (status == 0) {
        long first = scheme->letters || present[0] ? 0 : 1;
        long last = last_part(present, first);
        split->lone_later = !present[first] && given > first && !scheme->letters;
        bool set = given >= first && given <= last && count_parts(present, first, last) > 1;
        if (set && (present[first] || !scheme->letters))
            status = name_parts(split, prefix, scheme, present, first, last);
    }
    free(present);
    free(folder);
    return status;
}

int split_find(const char *path, struct split *ret_split)
{
    struct split split = {0};
    struct scheme scheme;
    const char *name = strrchr(path, '/') == NULL ? path : strrchr(path, '/') + 1;
    const char *dot = strrchr(name, '.');
    *ret_split = split;
    if (dot == NULL || dot == name || !guess_scheme(dot + 1, &scheme))
        return 0;
    char *prefix = strndup(path, (size_t)(dot + 1 - path));
    if (prefix == NULL)
        return -ENOMEM;
    int status = find_parts(prefix, &scheme, part_number(&scheme, dot + 1), &split);
    free(prefix);
    if (status < 0)
        split_finish(&split);
    else
        *ret_split = split;
    return status == -EACCES ? 0 : status; /* a folder that may not be listed: the file alone */
}

void split_finish(struct split *split)
{
    for (size_t i = 0; i < split->count; i++)
        free(split->paths[i]);
    free(split->paths);
    split->paths = NULL;
    split->count = 0;
}
