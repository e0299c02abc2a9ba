/*
 * settings: the table of known keys, and the list of key=value that a run is told.
 *
 * Values are stored in one canonical form (1024M becomes 1G, "yes" becomes "true", 007 becomes 7), so that
 * two lists that mean the same have the same SHA-256. Paths are not part of that digest: what the files they
 * name contain is, through the digests that setup_loaded reports.
 */
#include "engine/base/settings.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FINDINGS true
#define OTHER    false

/* Sorted by key. */
static const struct setting_known table[] = {
    {"archive.ratio", "200", SETTING_NUMBER, FINDINGS, "bytes that may come out of each byte of an archive, once more than archive.ratio_from came; 0: any"},
    {"archive.ratio_from", "100M", SETTING_SIZE, FINDINGS, "bytes that come out of an archive before archive.ratio counts"},
    /* One could hope that the block size never matters, and the tests hold every plugin to that; but when two
     * plugins give two children of one stream the same name, who comes first depends on it. */
    {"block", "1M", SETTING_SIZE, FINDINGS, "bytes read at once and handed to plugins"},
    {"carve.files", "false", SETTING_BOOL, FINDINGS, "carve inside live files and what was unpacked, too"},
    {"carve.signatures", "", SETTING_TEXT, OTHER, "folder with the tables of what an object may begin with"},
    {"digest.files_only", "false", SETTING_BOOL, FINDINGS, "hash files alone: not the image, free space, slack and what lies outside of file systems"},
    {"features.limit", "1000000", SETTING_NUMBER, FINDINGS, "different values of one kind that are told of one stream"},
    {"features.tables", "", SETTING_TEXT, OTHER, "folder with the tables of what counts as a feature"},
    {"filetype.detail", "full", SETTING_TEXT, FINDINGS, "full; type: no description; quick: nor most kinds of text"},
    {"filetype.extensions", "", SETTING_TEXT, OTHER,
     "table of file extensions by content type; empty: no check"},
    {"filetype.magic", "/usr/share/misc/magic.mgc", SETTING_TEXT, OTHER, "libmagic's database"},
    {"hashset.folder", "", SETTING_TEXT, OTHER, "folder of hash sets; empty: $KVALI_HASHSETS or ~/.local/share/kvali/hashsets"},
    {"hashset.sets", "", SETTING_TEXT, OTHER, "hash sets to look contents up in, names or files, separated by ':'"},
    {"hashset.skip_known", "false", SETTING_BOOL, FINDINGS,
     "leave costly plugins out where a known set has the content; each is recorded"},
    {"jobs", "0", SETTING_NUMBER, OTHER, "workers; 0: one for each core"},
    {"keywords.files", "", SETTING_TEXT, OTHER, "lists of keywords, separated by ':'"},
    {"keywords.hits", "1000", SETTING_NUMBER, FINDINGS, "hits of one keyword that are recorded in one stream"},
    {"lab.plugins", "", SETTING_TEXT, OTHER, "shared objects of a lab's own plugins, separated by ':'"},
    {"limit.child_bytes", "10G", SETTING_SIZE, FINDINGS,
     "bytes unpacked from one stream of the file system, all levels together"},
    {"limit.children", "100000", SETTING_NUMBER, FINDINGS,
     "streams unpacked from one stream of the file system, all levels together"},
    {"limit.depth", "8", SETTING_NUMBER, FINDINGS, "levels of streams inside streams"},
    {"limit.hang", "60", SETTING_SECONDS, FINDINGS,
     "seconds without progress after which a worker is stopped"},
    {"limit.memory", "1536M", SETTING_SIZE, FINDINGS, "memory of a worker beyond what it has at its start"},
    {"limit.records", "1000000", SETTING_NUMBER, FINDINGS,
     "records and notes that one plugin may leave on one stream"},
    {"limit.spool", "16G", SETTING_SIZE, FINDINGS,
     "bytes kept of streams being scanned, in memory and in the spool file"},
    {"limit.stream_seconds", "600", SETTING_SECONDS, FINDINGS,
     "base of a stream's deadline, which grows with its size"},
    {"plugins", "archive,carve,digest,encrypted,entropy,filetype,hashset,keywords,mail,ole,pdf,pst,thumbnail,tnef,yara", SETTING_TEXT, FINDINGS, "plugins to run, separated by ','"},
    {"profile", "full", SETTING_TEXT, OTHER,
     "file of settings in rules/profiles; what it sets counts, not its name"},
    {"sandbox", "require", SETTING_TEXT, OTHER,
     "require: no scan without a full sandbox; weak: take what the kernel gives"},
    {"spool.memory", "64M", SETTING_SIZE, OTHER, "bytes kept in memory before the spool file is used"},
    {"text.limit", "64M", SETTING_SIZE, FINDINGS, "bytes of text of one document that are indexed"},
    {"thumbnail.all", "false", SETTING_BOOL, FINDINGS,
     "small pictures of all pictures, not of recovered and deleted ones alone"},
    {"tmp", "", SETTING_TEXT, OTHER, "folder of the spool files; empty: the case folder"},
    {"unpack.forms", "gzip,zlib,zip,base64", SETTING_TEXT, FINDINGS, "what is unpacked, separated by ',': gzip, zlib (in PDF), zip, base64"},
    {"yara.profile", "false", SETTING_BOOL, FINDINGS, "say what YARA rules cost instead of what they match"},
    {"yara.remarks", "false", SETTING_BOOL, OTHER, "tell what is odd about rules that are in use, too"},
    {"yara.rules", "", SETTING_TEXT, OTHER,
     "YARA rule files and folders, separated by ':'; empty: the rules that come with kvali"},
    {"yara.timeout", "30", SETTING_SECONDS, FINDINGS,
     "seconds that YARA may take for one stream, and one more for each MiB of it"},
};

/* What a number may be, where it is not anything. */
static const struct {
    const char *key;
    uint64_t least, most;
} bounds[] = {
    {"block", 1, 1 << 30},
    {"jobs", 0, 4096},
    {"limit.depth", 0, 64},
    {"limit.hang", 1, 365 * 86400},
    {"limit.stream_seconds", 1, 365 * 86400},
    {"yara.timeout", 1, 365 * 86400},
};

enum { SETTINGS_LINE_MAX = 8192, SETTINGS_MAX = 1024 };

const struct setting_known *settings_table(size_t *ret_count)
{
    *ret_count = sizeof table / sizeof table[0];
    return table;
}

static int compare_known(const void *key, const void *known)
{
    return strcmp(key, ((const struct setting_known *)known)->key);
}

static const struct setting_known *known_find(const char *key)
{
    return bsearch(key, table, sizeof table / sizeof table[0], sizeof table[0], compare_known);
}

static int compare_item(const void *key, const void *item)
{
    return strcmp(key, ((const struct setting *)item)->key);
}

static struct setting *item_find(const struct settings *settings, const char *key)
{
    if (settings->count == 0)
        return NULL;
    return bsearch(key, settings->items, settings->count, sizeof settings->items[0], compare_item);
}

static bool number_parse(const char *text, uint64_t *ret_number)
{
    uint64_t number = 0;

    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (!isdigit((unsigned char)*text) || __builtin_mul_overflow(number, 10U, &number) ||
            __builtin_add_overflow(number, (uint64_t)(*text - '0'), &number))
            return false;
    }
    *ret_number = number;
    return true;
}

bool size_parse(const char *text, uint64_t *ret_size)
{
    static const char units[] = "KMGT";
    char digits[24];
    uint64_t size;
    size_t length = strlen(text);
    unsigned shift = 0;
    const char *unit;

    if (length == 0 || length >= sizeof digits)
        return false;
    unit = strchr(units, toupper((unsigned char)text[length - 1]));
    if (unit != NULL && *unit != '\0') {
        shift = 10 * (unsigned)(unit - units + 1);
        length--;
    }
    memcpy(digits, text, length);
    digits[length] = '\0';
    if (!number_parse(digits, &size) || size > UINT64_MAX >> shift)
        return false;
    *ret_size = size << shift;
    return true;
}

static bool bool_parse(const char *text, bool *ret_bool)
{
    static const char *const yes[] = {"true", "yes", "on", "1"}, *const no[] = {"false", "no", "off", "0"};

    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        if (strcmp(text, yes[i]) != 0 && strcmp(text, no[i]) != 0)
            continue;
        *ret_bool = strcmp(text, yes[i]) == 0;
        return true;
    }
    return false;
}

/* With the largest unit that divides it. */
static void size_print(uint64_t size, char *ret, size_t ret_size)
{
    static const char units[] = "KMGT";
    size_t unit = 0;

    while (unit < 4 && size != 0 && size % 1024 == 0) {
        size /= 1024;
        unit++;
    }
    if (unit == 0)
        snprintf(ret, ret_size, "%" PRIu64, size);
    else
        snprintf(ret, ret_size, "%" PRIu64 "%c", size, units[unit - 1]);
}

static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || (unsigned char)*text == 0x7f)
            return false;
    }
    return true;
}

static bool in_bounds(const char *key, uint64_t number)
{
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        if (strcmp(bounds[i].key, key) == 0)
            return number >= bounds[i].least && number <= bounds[i].most;
    }
    return true;
}

static const char *const kind_words[] = {
    [SETTING_TEXT] = "text without control characters",
    [SETTING_NUMBER] = "a number in its range",
    [SETTING_SIZE] = "a size like 64M in its range",
    [SETTING_SECONDS] = "a number of seconds in its range",
    [SETTING_BOOL] = "true or false",
};

/* `small` receives the canonical form of all kinds but text; `*ret_value` is it or `value` itself. */
static bool canonical(const struct setting_known *known, const char *value, char small[32],
                      const char **ret_value)
{
    uint64_t number = 0;
    bool truth = false;

    *ret_value = small;
    switch (known->kind) {
    case SETTING_TEXT:
        *ret_value = value;
        if (strcmp(known->key, "sandbox") == 0 && strcmp(value, "require") != 0 && strcmp(value, "weak") != 0)
            return false;
        return is_printable(value);
    case SETTING_NUMBER:
    case SETTING_SECONDS:
        if (!number_parse(value, &number))
            return false;
        snprintf(small, 32, "%" PRIu64, number);
        return in_bounds(known->key, number);
    case SETTING_SIZE:
        if (!size_parse(value, &number))
            return false;
        size_print(number, small, 32);
        return in_bounds(known->key, number);
    case SETTING_BOOL:
        if (!bool_parse(value, &truth))
            return false;
        snprintf(small, 32, "%s", truth ? "true" : "false");
        return true;
    }
    return false;
}

/* "plugin.<name>.<word>": what a lab's own plugin may be told. */
static bool is_plugin_key(const char *key)
{
    const char *rest = key;

    if (strncmp(key, "plugin.", 7) != 0 || strlen(key) > 128)
        return false;
    for (int parts = 0; parts < 2; parts++) {
        rest = strchr(rest, '.');
        if (rest == NULL || rest[1] == '\0' || rest[1] == '.')
            return false;
        rest++;
    }
    return rest[strspn(rest, "abcdefghijklmnopqrstuvwxyz0123456789_.-")] == '\0' &&
           key[strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_.-")] == '\0';
}

/* Puts or replaces one item. -ENOMEM. */
static int item_put(struct settings *settings, const char *key, const char *value)
{
    struct setting *item = item_find(settings, key), *items;
    char *copy = strdup(value), *name;
    size_t at = 0;

    if (copy == NULL)
        return -ENOMEM;
    if (item != NULL) {
        free(item->value);
        item->value = copy;
        return 0;
    }
    name = strdup(key);
    items = reallocarray(settings->items, settings->count + 1, sizeof items[0]);
    if (items != NULL)
        settings->items = items;
    if (name == NULL || items == NULL) {
        free(name);
        free(copy);
        return -ENOMEM;
    }
    while (at < settings->count && strcmp(items[at].key, key) < 0)
        at++;
    memmove(&items[at + 1], &items[at], (settings->count - at) * sizeof items[0]);
    items[at] = (struct setting){name, copy};
    settings->count++;
    return 0;
}

int settings_init(struct settings *settings)
{
    *settings = (struct settings){NULL, 0};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (item_put(settings, table[i].key, table[i].fallback) < 0) {
            settings_finish(settings);
            return -ENOMEM;
        }
    }
    return 0;
}

void settings_finish(struct settings *settings)
{
    if (settings == NULL)
        return;
    for (size_t i = 0; i < settings->count; i++) {
        free(settings->items[i].key);
        free(settings->items[i].value);
    }
    free(settings->items);
    *settings = (struct settings){NULL, 0};
}

int settings_set(struct settings *settings, const char *key, const char *value, struct why *why)
{
    const struct setting_known *known = known_find(key);
    const char *stored = value;
    char small[32];
    int rc;

    if (known == NULL && !is_plugin_key(key))
        return why_set(why, -ENOENT, "there is no setting '%s'", key);
    if (known == NULL && !is_printable(value))
        return why_set(why, -EINVAL, "%s: not text without control characters", key);
    if (known != NULL && !canonical(known, value, small, &stored))
        return why_set(why, -EINVAL, "%s: '%s' is not %s", key, value,
                       strcmp(key, "sandbox") == 0 ? "require or weak" : kind_words[known->kind]);
    if (known == NULL && settings->count >= SETTINGS_MAX && item_find(settings, key) == NULL)
        return why_set(why, -EINVAL, "%s: more than %d settings", key, SETTINGS_MAX);
    rc = item_put(settings, key, stored);
    return rc < 0 ? why_set(why, rc, "%s: no memory", key) : 0;
}

/* Cuts blanks from both ends, in place. */
static char *trim(char *text)
{
    size_t length;

    text += strspn(text, " \t\r\n");
    length = strlen(text);
    while (length > 0 && strchr(" \t\r\n", text[length - 1]) != NULL)
        length--;
    text[length] = '\0';
    return text;
}

/* One line of a file; `section` is kept between lines. */
static int load_line(struct settings *settings, char *line, char section[64], struct why *why)
{
    char key[192], *text = trim(line), *equals, *end;

    if (*text == '\0' || *text == '#' || *text == ';')
        return 0;
    if (*text == '[') {
        end = strchr(text, ']');
        if (end == NULL || end[1] != '\0' || end == text + 1 || end - text > 60)
            return why_set(why, -EINVAL, "not a [section]");
        *end = '\0';
        snprintf(section, 64, "%s.", text + 1);
        return 0;
    }
    equals = strchr(text, '=');
    if (equals == NULL)
        return why_set(why, -EINVAL, "neither a comment, a [section] nor key = value");
    *equals = '\0';
    if ((size_t)snprintf(key, sizeof key, "%s%s", section, trim(text)) >= sizeof key)
        return why_set(why, -EINVAL, "the key is too long");
    return settings_set(settings, key, trim(equals + 1), why);
}

int settings_load(struct settings *settings, const char *path, struct why *why)
{
    char line[SETTINGS_LINE_MAX], section[64] = "";
    struct why inner = {""};
    FILE *file = fopen(path, "re");
    unsigned number = 0;
    int rc = 0;

    if (file == NULL)
        return why_set(why, -errno, "%s: %s", path, strerror(errno));
    while (rc == 0 && fgets(line, sizeof line, file) != NULL) {
        number++;
        if (strlen(line) == sizeof line - 1)
            rc = why_set(&inner, -EINVAL, "the line is too long");
        else
            rc = load_line(settings, line, section, &inner);
    }
    if (rc < 0)
        why_set(why, rc, "%s:%u: %s", path, number, inner.text);
    else if (ferror(file))
        rc = why_set(why, -EIO, "%s: cannot be read", path);
    fclose(file);
    return rc;
}

const char *settings_text(const struct settings *settings, const char *key)
{
    const struct setting *item = item_find(settings, key);

    return item != NULL ? item->value : "";
}

uint64_t settings_number(const struct settings *settings, const char *key)
{
    uint64_t number;

    return size_parse(settings_text(settings, key), &number) ? number : 0;
}

bool settings_bool(const struct settings *settings, const char *key)
{
    bool truth;

    return bool_parse(settings_text(settings, key), &truth) && truth;
}

void settings_sha256(const struct settings *settings, char ret[SHA256_HEX_SIZE])
{
    struct buf text;

    buf_init(&text);
    for (size_t i = 0; i < settings->count; i++) {
        const struct setting_known *known = known_find(settings->items[i].key);

        if (known == NULL || known->findings)
            buf_printf(&text, "%s=%s\n", settings->items[i].key, settings->items[i].value);
    }
    /* A digest of less than everything would be a lie: no memory for a few hundred bytes ends the program. */
    if (buf_failed(&text))
        abort();
    hash_sha256_hex(text.data, text.size, ret);
    buf_finish(&text);
}

void settings_write(const struct settings *settings, struct buf *buf)
{
    buf_u32le(buf, (uint32_t)settings->count);
    for (size_t i = 0; i < settings->count; i++) {
        buf_string(buf, settings->items[i].key);
        buf_string(buf, settings->items[i].value);
    }
}

int settings_read(struct settings *settings, struct bytes *bytes)
{
    uint32_t count = bytes_u32le(bytes);
    int rc;

    for (uint32_t i = 0; i < count && !bytes_failed(bytes); i++) {
        const char *key = bytes_string(bytes), *value = bytes_string(bytes);

        if (key == NULL || value == NULL)
            return -EBADMSG;
        rc = settings_set(settings, key, value, NULL);
        if (rc < 0)
            return rc == -ENOMEM ? rc : -EBADMSG;
    }
    return bytes_failed(bytes) ? -EBADMSG : 0;
}
