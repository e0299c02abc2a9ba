/*
 * list: see list.h.
 */
#include "plugins/keywords/list.h"

#include "engine/base/buf.h"
#include "engine/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_SIZE_MAX = 64 * 1024 * 1024, COMPLAINTS_MAX = 1000 };

struct reading {
    struct list *list;
    struct list_file *file;
    char *group;
    uint32_t line;
};

void list_finish(struct list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->keywords[i].text);
        free(list->keywords[i].group);
        program_finish(&list->keywords[i].program);
    }
    for (size_t i = 0; i < list->file_count; i++) {
        for (size_t j = 0; j < list->files[i].complaint_count; j++)
            free(list->files[i].complaints[j].text);
        free(list->files[i].complaints);
        free(list->files[i].name);
    }
    free(list->keywords);
    free(list->files);
    *list = (struct list){0};
}

static char *escaped(const char *text)
{
    struct buf buf = {0};

    text_escape(&buf, text, strlen(text));
    return buf_steal(&buf);
}

static int complain(struct list_file *file, uint32_t line, const char *what)
{
    struct complaint *more;
    char *text;

    if (file->complaint_count > COMPLAINTS_MAX)
        return 0;
    if (file->complaint_count == COMPLAINTS_MAX)
        what = "and more lines are wrong; these are not named";
    more = reallocarray(file->complaints, file->complaint_count + 1, sizeof more[0]);
    if (more == NULL)
        return -ENOMEM;
    file->complaints = more;
    if (asprintf(&text, "%s:%u: %s", file->name, line, what) < 0)
        return -ENOMEM;
    more[file->complaint_count++] = (struct complaint){line, text};
    return 0;
}

int list_complain(struct list *list, const struct keyword *keyword, const char *what)
{
    for (size_t i = 0; i < list->file_count; i++) {
        if (list->files[i].name == keyword->file) {
            list->files[i].keywords--;
            return complain(&list->files[i], keyword->line, what);
        }
    }
    return 0;
}

/* ------------------------------------------------------------------ one line */

struct flags {
    bool word, exact_case, regex, literal;
};

static bool flag_set(struct flags *flags, const char *name, size_t size)
{
    static const char *const names[] = {"word", "case", "regex", "text"};
    bool *const values[] = {&flags->word, &flags->exact_case, &flags->regex, &flags->literal};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strlen(names[i]) != size || memcmp(names[i], name, size) != 0)
            continue;
        *values[i] = true;
        return true;
    }
    return false;
}

/* "word,case: rest": small letters and commas up to a colon and a blank. What looks like that and is not is
 * refused, because a flag that was mistyped would otherwise be searched for as text. */
static const char *take_flags(const char *line, struct flags *ret_flags, struct why *why)
{
    size_t length = strspn(line, "abcdefghijklmnopqrstuvwxyz,");
    const char *at = line;

    if (length == 0 || line[length] != ':' || (line[length + 1] != ' ' && line[length + 1] != '\t'))
        return line;
    while (at < line + length) {
        size_t size = strcspn(at, ",:");

        if (!flag_set(ret_flags, at, size)) {
            why_set(why, -EINVAL,
                    "\"%.*s\" is none of the flags word, case, regex, text; if the line is text with a "
                    "colon, write "
                    "\"text: \" before it",
                    (int)(size < 40 ? size : 40), at);
            return NULL;
        }
        at += size + 1;
    }
    at = line + length + 1;
    return at + strspn(at, " \t");
}

static int keyword_new(struct list *list, struct keyword **ret_keyword)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 256 : list->capacity * 2;
        struct keyword *keywords = reallocarray(list->keywords, capacity, sizeof keywords[0]);

        if (keywords == NULL)
            return -ENOMEM;
        list->keywords = keywords;
        list->capacity = capacity;
    }
    *ret_keyword = &list->keywords[list->count];
    **ret_keyword = (struct keyword){0};
    return 0;
}

/* -EINVAL: the line is no keyword, and `why` says why. */
static int take_keyword(struct reading *reading, const char *line, struct why *why)
{
    struct flags flags = {0};
    const char *text = take_flags(line, &flags, why);
    struct keyword *keyword;
    int code;

    if (text == NULL)
        return -EINVAL;
    if (flags.regex && flags.literal)
        return why_set(why, -EINVAL, "\"regex\" and \"text\" exclude each other");
    if (reading->list->count >= LIST_KEYWORDS_MAX)
        return why_set(why, -EINVAL, "more than %d keywords", LIST_KEYWORDS_MAX);
    code = keyword_new(reading->list, &keyword);
    if (code < 0)
        return code;
    code = flags.regex
               ? program_regex(&keyword->program, text, !flags.exact_case, flags.word, why)
               : program_word(&keyword->program, text, !flags.exact_case, flags.word, flags.literal, why);
    if (code < 0) {
        program_finish(&keyword->program);
        return code;
    }
    keyword->text = escaped(text);
    keyword->group = strdup(reading->group != NULL ? reading->group : "");
    keyword->file = reading->file->name;
    keyword->line = reading->line;
    keyword->regex = flags.regex;
    keyword->whole = flags.word;
    keyword->exact_case = flags.exact_case;
    reading->list->count++; /* list_finish frees it, whole or not */
    reading->file->keywords++;
    return keyword->text == NULL || keyword->group == NULL ? -ENOMEM : 0;
}

/* "[Name]" begins a group; "[]" ends it. */
static int take_group(struct reading *reading, char *line, size_t length, struct why *why)
{
    if (line[length - 1] != ']')
        return why_set(why, -EINVAL,
                       "a group is named as [Name], and the ] is not there; if it is text, write \"text: \" "
                       "before it");
    line[length - 1] = '\0';
    free(reading->group);
    reading->group = escaped(line + 1);
    return reading->group == NULL ? -ENOMEM : 0;
}

static int take_line(struct reading *reading, char *line, size_t length, struct why *why)
{
    while (length > 0 && strchr(" \t\r", line[length - 1]) != NULL)
        line[--length] = '\0';
    line += strspn(line, " \t");
    length = strlen(line);
    if (length == 0 || line[0] == '#')
        return 0;
    if (length > LIST_LINE_MAX)
        return why_set(why, -EINVAL, "the line is longer than %d bytes", LIST_LINE_MAX);
    if (!text_is_utf8(line, length))
        return why_set(why, -EINVAL, "the line is not UTF-8; save the file as UTF-8");
    return line[0] == '[' ? take_group(reading, line, length, why) : take_keyword(reading, line, why);
}

/* ------------------------------------------------------------------ files */

static int take_lines(struct reading *reading, char *text, size_t size)
{
    char *end = text + size;
    int code = 0;

    for (char *line = text; line < end && code == 0; reading->line++) {
        char *next = memchr(line, '\n', (size_t)(end - line));
        size_t length = next != NULL ? (size_t)(next - line) : (size_t)(end - line);
        struct why why = {{0}};

        if (reading->line == 0)
            reading->line = 1;
        line[length] = '\0';
        if (memchr(line, '\0', length) != NULL)
            code = why_set(&why, -EINVAL, "the line holds a NUL byte");
        else
            code = take_line(reading, line, length, &why);
        if (code == -EINVAL)
            code = complain(reading->file, reading->line, why.text);
        line += length + 1;
    }
    return code;
}

/* Notepad of old saves "Unicode" as UTF-16 with a mark at the beginning. */
static int to_utf8(struct buf *buf)
{
    struct buf text = {0};

    if (buf->size >= 3 && memcmp(buf->data, "\xef\xbb\xbf", 3) == 0) {
        buf_append(&text, buf->data + 3, buf->size - 3);
    } else if (buf->size >= 2 &&
               (memcmp(buf->data, "\xff\xfe", 2) == 0 || memcmp(buf->data, "\xfe\xff", 2) == 0)) {
        text_from_utf16(&text, buf->data + 2, buf->size - 2, buf->data[0] == 0xfe);
    } else {
        return 0;
    }
    if (buf_failed(&text))
        return -ENOMEM;
    buf_finish(buf);
    *buf = text;
    return 0;
}

static int read_bytes(const char *path, struct buf *ret, struct why *why)
{
    FILE *stream = fopen(path, "re");
    char block[65536];
    size_t got;
    int code = 0;

    if (stream == NULL)
        return why_set(why, -errno, "%s: %s", path, strerror(errno));
    while (ret->size <= FILE_SIZE_MAX && (got = fread(block, 1, sizeof block, stream)) > 0)
        buf_append(ret, block, got);
    if (ferror(stream))
        code = why_set(why, -EIO, "%s: cannot be read", path);
    else if (ret->size > FILE_SIZE_MAX)
        code = why_set(why, -EFBIG, "%s: larger than 64 MiB", path);
    fclose(stream);
    return code < 0 ? code : buf_failed(ret) ? -ENOMEM : 0;
}

static int read_file(struct list *list, const char *path, struct why *why)
{
    const char *slash = strrchr(path, '/');
    struct reading reading = {.list = list, .file = &list->files[list->file_count]};
    struct buf bytes = {0};
    int code;

    *reading.file = (struct list_file){.name = escaped(slash != NULL ? slash + 1 : path)};
    list->file_count++;
    code = reading.file->name == NULL ? -ENOMEM : read_bytes(path, &bytes, why);
    if (code == 0)
        hash_sha256_hex(bytes.data, bytes.size, reading.file->sha256);
    if (code == 0)
        code = to_utf8(&bytes);
    if (code == 0 && bytes.size > 0) {
        size_t size = bytes.size;

        buf_u8(&bytes, 0);
        code = buf_failed(&bytes) ? -ENOMEM : take_lines(&reading, (char *)bytes.data, size);
    }
    free(reading.group);
    buf_finish(&bytes);
    return code;
}

int list_read(struct list *list, const char *paths, struct why *why)
{
    char *copy = strdup(paths), *rest = copy, *path;
    int code = copy == NULL ? -ENOMEM : 0;

    *list = (struct list){0};
    list->files = calloc(LIST_FILES_MAX, sizeof list->files[0]);
    if (list->files == NULL)
        code = -ENOMEM;
    while (code == 0 && (path = strsep(&rest, ":")) != NULL) {
        if (*path == '\0')
            continue;
        code = list->file_count < LIST_FILES_MAX
                   ? read_file(list, path, why)
                   : why_set(why, -E2BIG, "more than %d lists of keywords", LIST_FILES_MAX);
    }
    free(copy);
    return code == -ENOMEM ? why_set(why, code, "no memory for the keywords") : code;
}
