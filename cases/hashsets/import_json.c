/*
 * import_json: JSON (RFC 8259) of Project VIC's data model, by the keys that are seen in open programs: an
 * array of media objects, alone or as `value` of the outermost object; of each the hashes, Category, Series,
 * Tags and three marks, and hashes of AlternativeHashes. The model's own text is not public: this claims no
 * compliance with it.
 *
 * Read as it streams, byte by byte, with nothing kept but one object's values: such files have gigabytes.
 */
#include "cases/hashsets/import_private.h"

#include <errno.h>
#include <string.h>

enum { DEPTH_MAX = 64, STRING_MAX = 1 << 20, WORD = 32 };

enum mode { MODE_BETWEEN, MODE_STRING, MODE_ESCAPE, MODE_CODE, MODE_SCALAR };

struct json_reader {
    enum mode mode;
    char open[DEPTH_MAX + 1];       /* '{' or '[' of each level */
    char keys[DEPTH_MAX + 1][WORD]; /* the key that the level's next value belongs to */
    bool keyed[DEPTH_MAX + 1];      /* an object's key has been read, its value has not */
    size_t depth, media;            /* depth of the media object, 0: in none */
    bool done;
    struct buf text;
    unsigned code, code_digits;
    uint64_t offset;
    char name[WORD]; /* of an alternative hash */
    uint8_t value[2 * HASHSET_KEY_MAX];
    size_t value_size;
    struct import_fields fields;
};

static bool json_is(const uint8_t *head, size_t size)
{
    while (size > 0 && (*head == ' ' || *head == '\t' || *head == '\r' || *head == '\n'))
        head++, size--;
    return size > 0 && (*head == '{' || *head == '[');
}

static int wrong(struct import *import, const char *what)
{
    const struct json_reader *json = import->state;

    return why_set(import->why, -EBADMSG, "%s: byte %llu: %s", import->path, (unsigned long long)json->offset,
                   what);
}

/* Is the object that opens now one of the list of media? */
static bool is_media(const struct json_reader *json)
{
    if (json->media != 0 || json->depth < 2 || json->open[json->depth - 1] != '[')
        return false;
    return json->depth == 2 || (json->depth == 3 && strcmp(json->keys[1], "value") == 0);
}

static void take_scalar(struct json_reader *json)
{
    const char *key = json->keys[json->depth];
    const uint8_t *text = json->text.data;
    size_t size = json->text.size;

    if (json->media == 0)
        return;
    if (json->depth == json->media) {
        import_fields_take(&json->fields, import_column_of((const uint8_t *)key, strlen(key)), text, size);
        return;
    }
    if (json->open[json->depth] == '[') {
        if (json->depth == json->media + 1 && strcmp(json->keys[json->media], "tags") == 0)
            import_fields_take(&json->fields, COLUMN_TAGS, text, size);
        return;
    }
    if (strcmp(json->keys[json->media], "alternativehashes") != 0)
        return;
    if (strcmp(key, "hashname") == 0)
        import_word(text, size, json->name, sizeof json->name);
    if (strcmp(key, "hashvalue") == 0 && size <= sizeof json->value) {
        memcpy(json->value, text, size);
        json->value_size = size;
    }
}

static int open_level(struct import *import, char bracket)
{
    struct json_reader *json = import->state;

    if (json->depth == DEPTH_MAX)
        return wrong(import, "brackets inside brackets too deep");
    json->open[++json->depth] = bracket;
    json->keys[json->depth][0] = '\0';
    json->keyed[json->depth] = false;
    if (bracket == '{' && is_media(json)) {
        json->media = json->depth;
        import_fields_clear(&json->fields);
    }
    json->name[0] = '\0';
    json->value_size = 0;
    return 0;
}

static int close_level(struct import *import, char bracket)
{
    struct json_reader *json = import->state;
    int rc = 0;

    if (json->depth == 0 || json->open[json->depth] != bracket)
        return wrong(import, "a bracket closes what is not open");
    if (json->media != 0 && json->depth > json->media && bracket == '{' &&
        import_column_of((const uint8_t *)json->name, strlen(json->name)) == COLUMN_HASH)
        import_fields_take(&json->fields, COLUMN_HASH, json->value, json->value_size);
    json->name[0] = '\0';
    if (json->media != 0 && json->depth == json->media) {
        import->result->lines++;
        rc = import_fields_row(import, &json->fields);
        json->media = 0;
    }
    json->depth--;
    json->keyed[json->depth] = false;
    json->done = json->depth == 0;
    return rc;
}

/* A string is over: a key, or a value. */
static int end_string(struct import *import)
{
    struct json_reader *json = import->state;

    json->mode = MODE_BETWEEN;
    if (buf_failed(&json->text))
        return -ENOMEM;
    if (json->depth == 0)
        return wrong(import, "text outside of all brackets");
    if (json->open[json->depth] == '{' && !json->keyed[json->depth]) {
        import_word(json->text.data, json->text.size, json->keys[json->depth], WORD);
        return 0;
    }
    take_scalar(json);
    json->keyed[json->depth] = false;
    return 0;
}

static void add_code(struct buf *text, unsigned code)
{
    if (code < 0x80) {
        buf_u8(text, (uint8_t)code);
    } else if (code < 0x800) {
        buf_u8(text, (uint8_t)(0xc0 | code >> 6));
        buf_u8(text, (uint8_t)(0x80 | (code & 63)));
    } else {
        buf_u8(text, (uint8_t)(0xe0 | code >> 12));
        buf_u8(text, (uint8_t)(0x80 | (code >> 6 & 63)));
        buf_u8(text, (uint8_t)(0x80 | (code & 63)));
    }
}

static int escape(struct import *import, uint8_t c)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    struct json_reader *json = import->state;
    const char *at = memchr(from, c, sizeof from - 1);

    json->mode = MODE_STRING;
    if (c == 'u') {
        json->mode = MODE_CODE;
        json->code = json->code_digits = 0;
        return 0;
    }
    if (at == NULL)
        return wrong(import, "an escape that JSON has not");
    buf_u8(&json->text, (uint8_t)to[at - from]);
    return 0;
}

static int code_digit(struct import *import, uint8_t c)
{
    struct json_reader *json = import->state;
    uint8_t digits[2] = {'0', c}, value;

    if (!import_unhex(digits, &value, 1))
        return wrong(import, "an escape that JSON has not");
    json->code = json->code << 4 | value;
    if (++json->code_digits == 4) {
        add_code(&json->text, json->code);
        json->mode = MODE_STRING;
    }
    return 0;
}

static int between(struct import *import, uint8_t c)
{
    struct json_reader *json = import->state;

    if (json->done && c != ' ' && c != '\n' && c != '\r' && c != '\t')
        return wrong(import, "something follows the end");
    switch (c) {
    case ' ':
    case '\n':
    case '\r':
    case '\t':
    case ',':
        return 0;
    case ':':
        json->keyed[json->depth] = true;
        return 0;
    case '{':
    case '[':
        return open_level(import, (char)c);
    case '}':
    case ']':
        return close_level(import, c == '}' ? '{' : '[');
    case '"':
        buf_clear(&json->text);
        json->mode = MODE_STRING;
        return 0;
    default:
        buf_clear(&json->text);
        buf_u8(&json->text, c);
        json->mode = MODE_SCALAR;
        return 0;
    }
}

/* null is no value. */
static int end_scalar(struct import *import)
{
    struct json_reader *json = import->state;

    if (json->text.size == 4 && memcmp(json->text.data, "null", 4) == 0)
        buf_clear(&json->text);
    return json->depth == 0 || (json->open[json->depth] == '{' && !json->keyed[json->depth])
               ? wrong(import, "a value where none belongs")
               : end_string(import);
}

static int one(struct import *import, uint8_t c)
{
    struct json_reader *json = import->state;

    switch (json->mode) {
    case MODE_STRING:
        if (c == '"')
            return end_string(import);
        if (c == '\\')
            json->mode = MODE_ESCAPE;
        else if (json->text.size < STRING_MAX)
            buf_u8(&json->text, c);
        return 0;
    case MODE_ESCAPE:
        return escape(import, c);
    case MODE_CODE:
        return code_digit(import, c);
    case MODE_SCALAR:
        if (strchr(",}] \r\n\t", c) != NULL && c != '\0') {
            int rc = end_scalar(import);
            return rc < 0 ? rc : between(import, c);
        }
        if (json->text.size == WORD)
            return wrong(import, "a value that JSON has not");
        buf_u8(&json->text, c);
        return 0;
    default:
        return between(import, c);
    }
}

/* The inside of a string in one go. */
static size_t plain_run(const struct json_reader *json, const uint8_t *data, size_t size)
{
    size_t length = 0;

    if (json->mode != MODE_STRING || json->text.size >= STRING_MAX)
        return 0;
    while (length < size && data[length] != '"' && data[length] != '\\')
        length++;
    return length < STRING_MAX - json->text.size ? length : STRING_MAX - json->text.size;
}

static int json_data(struct import *import, const uint8_t *data, size_t size)
{
    struct json_reader *json = import->state;
    int rc = 0;

    for (size_t i = 0; i < size && rc == 0;) {
        size_t run = plain_run(json, data + i, size - i);

        if (run > 0) {
            buf_append(&json->text, data + i, run);
        } else {
            rc = one(import, data[i]);
            run = 1;
        }
        i += run;
        json->offset += run;
    }
    return rc;
}

static int json_end(struct import *import)
{
    const struct json_reader *json = import->state;

    return json->done ? 0 : wrong(import, "it ends in the middle: it is cut short");
}

static void json_finish(struct import *import)
{
    struct json_reader *json = import->state;

    buf_finish(&json->text);
    import_fields_finish(&json->fields);
}

const struct import_format import_json = {.name = "VICS JSON",
                                          .labelled = true,
                                          .is = json_is,
                                          .state_size = sizeof(struct json_reader),
                                          .data = json_data,
                                          .end = json_end,
                                          .finish = json_finish};
