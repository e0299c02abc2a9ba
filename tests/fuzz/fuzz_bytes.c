/*
 * fuzz_bytes: whatever the bytes are, the base layer keeps its bounds and its round trips.
 *
 * The first byte is not special: every check runs over the whole input, so any file is a useful seed. A check
 * that does not hold aborts, which libFuzzer and replay.c both report.
 */
#include "engine/base/bytes.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/base/when.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

/* What a take gave must lie inside; the bytes themselves are touched, so that a sanitizer sees them. */
static void check_inside(const uint8_t *data, size_t size, const uint8_t *taken, size_t length)
{
    volatile uint8_t sink = 0;

    if (taken == NULL || length == 0)
        return;
    check(taken >= data && length <= size && (size_t)(taken - data) <= size - length);
    sink = taken[0];
    sink = taken[length - 1];
    (void)sink;
}

static void take_blob(struct bytes *bytes)
{
    size_t length = 1;
    const uint8_t *blob = bytes_blob(bytes, &length);

    check(blob != NULL || (length == 0 && bytes_failed(bytes)));
    check_inside(bytes->data, bytes->size, blob, length);
}

static void take_string(struct bytes *bytes)
{
    const char *string = bytes_string(bytes);

    check((string == NULL) == bytes_failed(bytes));
    if (string != NULL)
        check_inside(bytes->data, bytes->size, (const uint8_t *)string, strlen(string) + 1);
}

/* Takes what `step` names; after a failure nothing more may come. */
static void take_one(struct bytes *bytes, uint8_t step)
{
    switch (step % 8) {
    case 0:
        bytes_u16le(bytes);
        break;
    case 1:
        bytes_u32be(bytes);
        break;
    case 2:
        bytes_u64le(bytes);
        break;
    case 3:
        check_inside(bytes->data, bytes->size, bytes_take(bytes, step), step);
        break;
    case 4:
        take_blob(bytes);
        break;
    case 5:
        take_string(bytes);
        break;
    case 6:
        bytes_skip(bytes, bytes_u16be(bytes));
        break;
    default:
        bytes_seek(bytes, bytes->offset + (step >> 4));
        break;
    }
}

/* The input says itself how it is to be taken apart. */
static void fuzz_reader(const uint8_t *data, size_t size)
{
    struct bytes bytes;

    bytes_init(&bytes, data, size);
    for (size_t i = 0; i <= size && bytes_left(&bytes) > 0; i++) {
        take_one(&bytes, bytes_u8(&bytes));
        check(bytes.offset <= bytes.size);
    }
    bytes_skip(&bytes, size + 1);
    check(bytes_failed(&bytes) && bytes_left(&bytes) == 0 && bytes_u64be(&bytes) == 0 &&
          bytes_take(&bytes, 0) == NULL);
}

static void fuzz_wire(const uint8_t *data, size_t size)
{
    struct buf buf = {0};
    struct bytes bytes;
    const uint8_t *blob;
    size_t length;

    buf_u32le(&buf, 0);
    buf_blob(&buf, data, size);
    buf_patch_u32le(&buf, 0, (uint32_t)size);
    if (!buf_failed(&buf)) {
        bytes_init(&bytes, buf.data, buf.size);
        check(bytes_u32le(&bytes) == (uint32_t)size);
        blob = bytes_blob(&bytes, &length);
        check(blob != NULL && length == size && (size == 0 || memcmp(blob, data, size) == 0));
        check(bytes_left(&bytes) == 0 && !bytes_failed(&bytes));
    }
    buf_finish(&buf);
}

typedef void escape_function(struct buf *, const void *, size_t);

static void fuzz_escape(escape_function *escape, const uint8_t *data, size_t size, bool is_name)
{
    struct buf shown = {0}, back = {0};
    const char *text;

    escape(&shown, data, size);
    text = buf_cstr(&shown);
    if (!buf_failed(&shown)) {
        check(strlen(text) == shown.size && text_is_utf8(text, shown.size));
        for (size_t i = 0; i < shown.size; i++)
            check(shown.data[i] >= 0x20 && shown.data[i] != 0x7f);
        if (is_name)
            check(strchr(text, '/') == NULL && text[0] != '\0' && strcmp(text, ".") != 0 &&
                  strcmp(text, "..") != 0 && text[shown.size - 1] != '!');
        check(text_unescape(&back, text) == 0 || buf_failed(&back));
        check(buf_failed(&back) || (back.size == size && (size == 0 || memcmp(back.data, data, size) == 0)));
    }
    buf_finish(&back);
    buf_finish(&shown);
}

/* Text that a person typed: either it is refused with nothing appended, or it is an escaped form of its
 * bytes. */
static void fuzz_unescape(const char *typed)
{
    struct buf buf = {0};

    if (text_unescape(&buf, typed) != 0)
        check(buf.size == 0);
    else
        fuzz_escape(text_escape, buf.data, buf.size, false);
    buf_finish(&buf);
}

/* Also UTF-16: what had no unpaired surrogate and no odd byte must be UTF-8. */
static void fuzz_utf16(const uint8_t *data, size_t size)
{
    struct buf little = {0}, big = {0};

    text_from_utf16(&little, data, size, false);
    text_from_utf16(&big, data, size, true);
    check(buf_failed(&little) || little.size <= size / 2 * 3 + 1);
    check(buf_failed(&big) || big.size <= size / 2 * 3 + 1);
    fuzz_escape(text_escape, little.data, little.size, false);
    buf_finish(&little);
    buf_finish(&big);
}

static void fuzz_json(const uint8_t *data, size_t size)
{
    struct buf buf = {0};
    struct json json;

    json_init(&json, &buf);
    json_bytes(&json, NULL, data, size);
    if (!buf_failed(&buf)) {
        check(text_is_utf8(buf.data, buf.size) && buf.size >= 2);
        check(buf.data[0] == '"' && buf.data[buf.size - 1] == '"');
        for (size_t i = 1; i < buf.size - 1; i++)
            check(buf.data[i] >= 0x20 && strchr("<>&'\x7f", buf.data[i]) == NULL);
    }
    buf_finish(&buf);
}

static void check_shown(int64_t when)
{
    char text[WHEN_TEXT_SIZE];
    int64_t back = 0;

    if (when == WHEN_NONE)
        return;
    check(strlen(when_format_ms(when, text)) == strlen("2026-01-31T23:59:59.000Z"));
    check(when_parse(when_format(when, text), &back) && back == when);
}

static void fuzz_when(const uint8_t *data, size_t size)
{
    struct bytes bytes;
    uint32_t a, b;

    for (bytes_init(&bytes, data, size); bytes_left(&bytes) >= 8;) {
        uint64_t raw = bytes_u64le(&bytes);

        a = (uint32_t)raw;
        b = (uint32_t)(raw >> 32);
        check_shown((int64_t)raw);
        check_shown(when_from_filetime(raw));
        check_shown(when_from_ext4(a, b));
        check_shown(when_from_hfs(a));
        check_shown(when_from_dos((uint16_t)a, (uint16_t)(a >> 16), (uint8_t)b));
        check_shown(when_from_unix((int64_t)raw, b));
        check_shown(when_from_unix((int32_t)a, b));
    }
}

static void fuzz_typed(const char *typed)
{
    char extension[8];
    uint8_t raw[4];
    int64_t when;

    fuzz_unescape(typed);
    if (when_parse(typed, &when))
        check_shown(when);
    if (text_unhex(typed, raw, sizeof raw))
        check(strlen(typed) == 2 * sizeof raw);
    text_extension(typed, extension, sizeof extension);
    check(strlen(extension) < sizeof extension);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *typed = malloc(size + 1);

    if (typed == NULL)
        return 0;
    for (size_t i = 0; i < size; i++)
        typed[i] = (char)data[i];
    typed[size] = '\0';
    fuzz_typed(typed);
    free(typed);
    fuzz_reader(data, size);
    fuzz_wire(data, size);
    fuzz_escape(text_escape, data, size, false);
    fuzz_escape(text_escape_name, data, size, true);
    fuzz_utf16(data, size);
    fuzz_json(data, size);
    fuzz_when(data, size);
    return 0;
}
