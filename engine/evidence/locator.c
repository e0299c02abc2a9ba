/*
 * locator: the strict parser and the printer of the addresses described in locator.h.
 */
#include "engine/evidence/locator.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

/* What is still to be parsed; `failed` is sticky, as in struct bytes. */
struct cursor {
    const char *at;
    bool failed;
};

static void take_text(struct cursor *cursor, const char *text)
{
    size_t size = strlen(text);

    if (cursor->failed || strncmp(cursor->at, text, size) != 0)
        cursor->failed = true;
    else
        cursor->at += size;
}

static uint64_t take_number(struct cursor *cursor, uint64_t max)
{
    const char *start = cursor->at;
    uint64_t value = 0;

    if (cursor->failed)
        return 0;
    while (*cursor->at >= '0' && *cursor->at <= '9') {
        uint64_t digit = (uint64_t)(*cursor->at - '0');
        if (value > (max - digit) / 10)
            cursor->failed = true;
        if (cursor->failed)
            return 0;
        value = value * 10 + digit;
        cursor->at++;
    }
    if (cursor->at == start || (*start == '0' && cursor->at - start > 1))
        cursor->failed = true;
    return value;
}

static void take_type(struct cursor *cursor, char ret[LOCATOR_TYPE_SIZE])
{
    size_t size = 0;

    while (!cursor->failed) {
        char c = *cursor->at;
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+'))
            break;
        if (size + 1 == LOCATOR_TYPE_SIZE)
            cursor->failed = true;
        else
            ret[size++] = c;
        cursor->at++;
    }
    ret[size] = '\0';
    if (size == 0)
        cursor->failed = true;
}

/* "" or "/<inode>-<type>-<id>": true when it was there. */
static bool take_content(struct cursor *cursor, struct locator *locator)
{
    if (cursor->failed || *cursor->at == '\0')
        return false;
    take_text(cursor, "/");
    locator->inode = take_number(cursor, UINT64_MAX);
    take_text(cursor, "-");
    locator->attribute_type = (uint32_t)take_number(cursor, UINT32_MAX);
    take_text(cursor, "-");
    locator->attribute_id = (uint16_t)take_number(cursor, UINT16_MAX);
    return true;
}

static void parse_raw(struct cursor *cursor, struct locator *locator)
{
    locator->kind = LOCATOR_RAW;
    locator->offset = take_number(cursor, UINT64_MAX);
    take_text(cursor, "+");
    locator->size = take_number(cursor, UINT64_MAX);
    if (locator->size == 0 || locator->size > UINT64_MAX - locator->offset)
        cursor->failed = true;
}

static void parse_runs(struct cursor *cursor, struct locator *locator)
{
    size_t count = 0;

    locator->kind = LOCATOR_RUNS;
    locator->path = cursor->at;
    do {
        struct locator run = {0};

        if (count > 0)
            take_text(cursor, ",");
        parse_raw(cursor, &run);
        if (++count > LOCATOR_RUNS_MAX || run.size > UINT64_MAX - locator->size)
            cursor->failed = true;
        locator->size += run.size;
    } while (!cursor->failed && *cursor->at != '\0');
}

bool locator_next_run(const char **text, uint64_t *ret_offset, uint64_t *ret_size)
{
    struct cursor cursor = {.at = *text};
    struct locator run = {0};

    if (*cursor.at == ',')
        cursor.at++;
    parse_raw(&cursor, &run);
    if (cursor.failed)
        return false;
    *text = cursor.at;
    *ret_offset = run.offset;
    *ret_size = run.size;
    return true;
}

/* free@<offset> and then :<type> or /<block>, and /<start>+<size>. */
static void parse_free(struct cursor *cursor, struct locator *locator)
{
    struct locator range = {0};

    locator->offset = take_number(cursor, UINT64_MAX);
    if (*cursor->at == ':') {
        take_text(cursor, ":");
        take_type(cursor, locator->type);
        if (strcmp(locator->type, "apfs") == 0)
            cursor->failed = true;
    } else {
        take_text(cursor, "/");
        locator->block = take_number(cursor, UINT64_MAX);
        strcpy(locator->type, "apfs");
    }
    take_text(cursor, "/");
    parse_raw(cursor, &range);
    locator->kind = LOCATOR_FREE;
    locator->start = range.offset;
    locator->size = range.size;
}

static void parse_fs(struct cursor *cursor, struct locator *locator)
{
    locator->offset = take_number(cursor, UINT64_MAX);
    take_text(cursor, ":");
    take_type(cursor, locator->type);
    locator->kind = take_content(cursor, locator) ? LOCATOR_FS_CONTENT : LOCATOR_FS;
}

static void parse_apfs(struct cursor *cursor, struct locator *locator)
{
    locator->offset = take_number(cursor, UINT64_MAX);
    take_text(cursor, "/");
    locator->block = take_number(cursor, UINT64_MAX);
    strcpy(locator->type, "apfs");
    locator->kind = take_content(cursor, locator) ? LOCATOR_APFS_CONTENT : LOCATOR_APFS;
}

static void parse_folder_content(struct cursor *cursor, struct locator *locator)
{
    size_t size = strspn(cursor->at, "0123456789abcdef");

    locator->kind = LOCATOR_FOLDER_CONTENT;
    locator->path = cursor->at;
    if (size == 0 || size % 2 != 0)
        cursor->failed = true;
    cursor->at += size;
}

static const struct {
    const char *text;
    enum locator_kind kind;
} words[] = {
    {"volumes", LOCATOR_VOLUMES},
    {"folder", LOCATOR_FOLDER},
    {"file", LOCATOR_FILE},
    {"image", LOCATOR_IMAGE},
};

static const struct {
    const char *text;
    void (*parse)(struct cursor *cursor, struct locator *locator);
} prefixes[] = {
    {"raw@", parse_raw},
    {"runs@", parse_runs},
    {"free@", parse_free},
    {"fs@", parse_fs},
    {"apfs@", parse_apfs},
    {"folder/", parse_folder_content},
};

int locator_parse(const char *text, struct locator *ret_locator)
{
    struct locator locator = {0};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(text, words[i].text) == 0) {
            locator.kind = words[i].kind;
            *ret_locator = locator;
            return 0;
        }
    }
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        struct cursor cursor = {.at = text};
        take_text(&cursor, prefixes[i].text);
        if (cursor.failed)
            continue;
        prefixes[i].parse(&cursor, &locator);
        if (cursor.failed || *cursor.at != '\0')
            return -EINVAL;
        *ret_locator = locator;
        return 0;
    }
    return -EINVAL;
}

static void print_content(struct buf *buf, const struct locator *locator)
{
    buf_printf(buf, "/%" PRIu64 "-%" PRIu32 "-%u", locator->inode, locator->attribute_type,
               (unsigned)locator->attribute_id);
}

void locator_print(struct buf *buf, const struct locator *locator)
{
    switch (locator->kind) {
    case LOCATOR_VOLUMES:
    case LOCATOR_FOLDER:
    case LOCATOR_FILE:
    case LOCATOR_IMAGE:
        buf_text(buf, words[locator->kind].text);
        break;
    case LOCATOR_RAW:
        buf_printf(buf, "raw@%" PRIu64 "+%" PRIu64, locator->offset, locator->size);
        break;
    case LOCATOR_RUNS:
        buf_printf(buf, "runs@%s", locator->path);
        break;
    case LOCATOR_FREE:
        if (strcmp(locator->type, "apfs") == 0)
            buf_printf(buf, "free@%" PRIu64 "/%" PRIu64, locator->offset, locator->block);
        else
            buf_printf(buf, "free@%" PRIu64 ":%s", locator->offset, locator->type);
        buf_printf(buf, "/%" PRIu64 "+%" PRIu64, locator->start, locator->size);
        break;
    case LOCATOR_FS:
    case LOCATOR_FS_CONTENT:
        buf_printf(buf, "fs@%" PRIu64 ":%s", locator->offset, locator->type);
        break;
    case LOCATOR_APFS:
    case LOCATOR_APFS_CONTENT:
        buf_printf(buf, "apfs@%" PRIu64 "/%" PRIu64, locator->offset, locator->block);
        break;
    case LOCATOR_FOLDER_CONTENT:
        buf_printf(buf, "folder/%s", locator->path);
        break;
    }
    if (locator->kind == LOCATOR_FS_CONTENT || locator->kind == LOCATOR_APFS_CONTENT)
        print_content(buf, locator);
}
