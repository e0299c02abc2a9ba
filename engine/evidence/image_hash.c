/*
 * image_hash: hashes that somebody left in small files beside a raw image.
 *
 * disk.raw.md5, .sha1 and .sha256, and the same with the image's extension taken off. A line is a bare hash,
 * "hash  name" or "hash *name" as md5sum(1) writes it, or "MD5 (name) = hash" as BSD does. A line that names
 * another file says nothing about this image. For a split image only files without a part's extension speak
 * of the whole.
 */
#include "engine/evidence/image_private.h"

#include "engine/base/buf.h"
#include "engine/base/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SIDECAR_MAX = 4096 };

static const struct algorithm {
    const char *name;
    size_t digits;
} algorithms[] = {{"md5", 32}, {"sha1", 40}, {"sha256", 64}};

/* The names that a line may give: the whole image's, never a single part's. */
struct names {
    const char *whole; /* "disk.raw" */
    const char *stem;  /* "disk" */
    bool split;
};

static size_t hex_length(const char *text)
{
    size_t length = 0;
    while (isxdigit((unsigned char)text[length]))
        length++;
    return length;
}

/* Cuts spaces at both ends, in place. */
static char *trimmed(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t size = strlen(text);
    while (size > 0 && isspace((unsigned char)text[size - 1]))
        text[--size] = '\0';
    return text;
}

static bool names_image(const char *name, const struct names *names)
{
    const char *slash = strrchr(name, '/'), *backslash = strrchr(name, '\\');
    const char *last = slash > backslash ? slash + 1 : backslash != NULL ? backslash + 1 : name;
    size_t stem = strlen(names->stem);
    if (!names->split)
        return strcasecmp(last, names->whole) == 0 || strcasecmp(last, names->stem) == 0;
    /* "disk" or "disk.dd", but not "disk.001" */
    if (strncasecmp(last, names->stem, stem) != 0)
        return false;
    return last[stem] == '\0' ||
           (last[stem] == '.' && !isdigit((unsigned char)last[stem + 1]) &&
            strchr(last + stem + 1, '.') == NULL && strcasecmp(last, names->whole) != 0);
}

/* "MD5 (name) = hash": cuts it into its two parts. */
static bool parse_bsd(char *line, const struct algorithm *algorithm, char **ret_name, char **ret_hex)
{
    size_t length = strlen(algorithm->name);
    char *close = strrchr(line, ')');
    if (strncasecmp(line, algorithm->name, length) != 0 || close == NULL)
        return false;
    char *open = trimmed(line + length);
    char *equal = close + 1 + strspn(close + 1, " ");
    if (*open != '(' || open > close || *equal != '=')
        return false;
    *close = '\0';
    *ret_name = open + 1;
    *ret_hex = trimmed(equal + 1);
    return true;
}

static bool parse_line(char *text, const struct algorithm *algorithm, const struct names *names,
                       char ret_hex[65])
{
    static char nameless[] = "";
    char *line = trimmed(text), *hex = line, *name = nameless;
    size_t digits = hex_length(line);
    if (digits == algorithm->digits && (line[digits] == ' ' || line[digits] == '\t')) {
        name = trimmed(line + digits);
        if (*name == '*')
            name++;
        line[digits] = '\0';
    } else if (digits != algorithm->digits && !parse_bsd(line, algorithm, &name, &hex)) {
        return false;
    }
    if (hex_length(hex) != algorithm->digits || hex[algorithm->digits] != '\0')
        return false;
    if (*name != '\0' && !names_image(name, names))
        return false;
    for (size_t i = 0; i <= algorithm->digits; i++)
        ret_hex[i] = (char)tolower((unsigned char)hex[i]);
    return true;
}

/* The first bytes of a small regular file as a string; false when there is none. */
static bool read_sidecar(const char *path, char ret_text[SIDECAR_MAX + 1])
{
    struct stat info;
    if (stat(path, &info) < 0 || !S_ISREG(info.st_mode))
        return false;
    int fd = image_open_file(path, NULL);
    if (fd < 0)
        return false;
    ssize_t got = pread(fd, ret_text, SIDECAR_MAX, 0);
    (void)close(fd);
    ret_text[got > 0 ? got : 0] = '\0';
    return got > 0;
}

static void take_sidecar(struct image *image, const char *path, const struct algorithm *algorithm,
                         const struct names *names)
{
    char text[SIDECAR_MAX + 1], hex[65], source[SHOWN_SIZE];
    if (!read_sidecar(path, text))
        return;
    const char *slash = strrchr(path, '/');
    char *rest = text + (strncmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0); /* a byte order mark */
    for (char *line; (line = strsep(&rest, "\r\n")) != NULL;) {
        if (!parse_line(line, algorithm, names, hex))
            continue;
        (void)image_shown(slash == NULL ? path : slash + 1, 60, source);
        if (strlen(source) >= sizeof(image->info.hashes[0].source))
            (void)snprintf(source, sizeof(source), "file beside the image");
        image_add_hash(image, algorithm->name, hex, source);
        return;
    }
}

void image_find_hashes(struct image *image, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash == NULL ? path : slash + 1;
    const char *dot = strrchr(name, '.');
    char *stem = strndup(path, dot == NULL || dot == name ? strlen(path) : (size_t)(dot - path));
    if (stem == NULL)
        return;
    struct names names = {name, stem + (name - path), image->info.type == IMAGE_SPLIT};
    for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
        char *beside = NULL;
        if (!names.split && asprintf(&beside, "%s.%s", path, algorithms[i].name) >= 0) {
            take_sidecar(image, beside, &algorithms[i], &names);
            free(beside);
        }
        if (strcmp(stem, path) != 0 && asprintf(&beside, "%s.%s", stem, algorithms[i].name) >= 0) {
            take_sidecar(image, beside, &algorithms[i], &names);
            free(beside);
        }
    }
    free(stem);
}
