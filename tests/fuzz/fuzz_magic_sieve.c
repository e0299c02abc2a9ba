/*
 * fuzz_magic_sieve: whatever is in a content, libmagic says with the sieve what it says without, in each
 * detail.
 *
 * What a test of a magic file asks for is seldom met by chance. So the last byte of an input may say that
 * values of the magic file itself are laid into the bytes before it, where a test looks for them or beside
 * that, and that these are repeated beyond the sizes at which libmagic stops to look. KVALI_CONTENT names a
 * file for what was asked about when the answers differ.
 *
 * Through a libmagic that is instrumented libFuzzer sees its ways as well (file 5.44 built with
 * CFLAGS="-g -fsanitize=address,fuzzer-no-link", and LD_LIBRARY_PATH).
 */
#include "engine/scan/filetype.h"
#include "engine/scan/magic_entry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char magic_file[] = "/usr/lib/file/magic.mgc";

enum { DETAILS = FILETYPE_QUICK + 1, PIECE_SIZE = 4, SIZE_MAX_HERE = FILETYPE_SIZE_MAX + 4096 };

static struct {
    struct filetype *plain[DETAILS], *sieved[DETAILS];
    uint8_t *file; /* the compiled one, its entries behind the first place */
    size_t entries;
} magic;

static void check(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

static void set_up(void)
{
    FILE *file = fopen(magic_file, "rb");
    long size = 0;

    check(file != NULL && fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) > 0, magic_file);
    rewind(file);
    magic.file = malloc((size_t)size);
    check(magic.file != NULL && fread(magic.file, 1, (size_t)size, file) == (size_t)size, "not read");
    fclose(file);
    magic.entries = (size_t)size / MAGIC_ENTRY_SIZE - 1;
    for (int i = 0; i < DETAILS; i++) {
        enum filetype_detail detail = (enum filetype_detail)i;
        struct why why = {""};

        if (detail == FILETYPE_TYPE) /* the first half of a full answer */
            continue;
        check(filetype_open(magic_file, detail, false, &magic.plain[detail], &why) == 0 &&
                  filetype_open(magic_file, detail, true, &magic.sieved[detail], &why) == 0,
              why.text);
    }
}

static void ask(struct filetype *filetype, const uint8_t *data, size_t size, struct buf *into)
{
    struct why why = {""};
    struct buf description = {0};
    int rc = filetype_identify(filetype, data, size, into, &description, &why);

    buf_printf(into, "|%s|%d|%s", buf_cstr(&description), rc, why.text);
    buf_finish(&description);
}

static void compare(enum filetype_detail detail, const uint8_t *data, size_t size)
{
    struct buf plain = {0}, sieved = {0};

    ask(magic.plain[detail], data, size, &plain);
    ask(magic.sieved[detail], data, size, &sieved);
    if (strcmp(buf_cstr(&plain), buf_cstr(&sieved)) != 0) {
        FILE *file = getenv("KVALI_CONTENT") != NULL ? fopen(getenv("KVALI_CONTENT"), "wb") : NULL;

        if (file != NULL) { /* what was asked about, to be looked at */
            (void)fwrite(data, 1, size, file);
            fclose(file);
        }
        fprintf(stderr, "detail %d, %zu bytes\nwithout: %s\nwith:    %s\n", (int)detail, size,
                buf_cstr(&plain), buf_cstr(&sieved));
        abort();
    }
    buf_finish(&plain);
    buf_finish(&sieved);
}

/* What an expression has in plain bytes, so that more of them match. */
static size_t plain_text(const struct magic_entry *entry, uint8_t *into)
{
    size_t size = 0;

    for (size_t i = 0; i < MAGIC_VALUE_MAX && entry->value[i] != 0; i++)
        if (strchr("\\^$[]()*+?", entry->value[i]) == NULL)
            into[size++] = entry->value[i];
    return size;
}

static size_t value_of(const struct magic_entry *entry, uint8_t how, uint8_t *into)
{
    bool big;
    size_t size = magic_entry_number_size(entry, &big);

    if (entry->type == MAGIC_REGEX)
        return plain_text(entry, into);
    for (size_t i = 0; i < size; i++)
        into[big ? size - 1 - i : i] = (uint8_t)((entry->number + (how & 3) - (how >> 1 & 1)) >> 8 * i);
    if (size > 0)
        return size;
    for (size_t i = 0; i < entry->value_size; i++) {
        uint8_t byte = entry->value[i];
        bool letter = (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';

        into[i] = letter && (how & 1) ? byte ^ 0x20 : byte;
        if (byte == ' ' && (how & 2)) {
            if (how & 4) /* none, or another */
                continue;
            into[i] = '\t';
        }
    }
    return entry->value_size;
}

/* A piece: which entry, or how far behind the one before (2 bytes); how its value is changed; where it lies.
 */
static void lay(const uint8_t *piece, size_t *at, uint8_t *content, size_t size)
{
    uint8_t value[MAGIC_VALUE_MAX + 1] = {0}, how = piece[2], where = piece[3];
    struct magic_entry entry;
    size_t length;
    int64_t offset;

    *at = (how & 0x80 ? *at + 1 + piece[0] % 8 : (size_t)(piece[0] << 8 | piece[1])) % magic.entries;
    magic_entry_read(magic.file + (*at + 1) * MAGIC_ENTRY_SIZE, &entry);
    length = value_of(&entry, how, value);
    offset = entry.offset < 0 ? (int64_t)size + entry.offset : entry.offset;
    if ((where & 3) == 1)
        offset += where >> 2;
    else if ((where & 3) == 2)
        offset += (int64_t)entry.range - (where >> 2) % 4;
    else if ((where & 3) == 3)
        offset = (int64_t)size - (int64_t)length - (where >> 2) % 4;
    if (offset < 0 || (uint64_t)offset >= size)
        return;
    memcpy(content + offset, value, length < size - (size_t)offset ? length : size - (size_t)offset);
}

/* `control`: how many pieces lie before it, how often what lies before these is repeated. */
static void compare_laid(enum filetype_detail detail, uint8_t control, const uint8_t *data, size_t size)
{
    static const unsigned times[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 3, 7, 33, 257, 4097};
    size_t count = control >> 4 & 3, repeated = times[control & 15], at = 0, made;
    const uint8_t *pieces;
    uint8_t *content;

    if (count * PIECE_SIZE > size)
        count = size / PIECE_SIZE;
    size -= count * PIECE_SIZE;
    pieces = data + size;
    made = size * repeated < SIZE_MAX_HERE ? size * repeated : SIZE_MAX_HERE;
    if (size > SIZE_MAX_HERE)
        made = size;
    content = malloc(made + 1);
    check(content != NULL, "no memory");
    for (size_t i = 0; i < made; i++)
        content[i] = data[i % size];
    for (size_t i = 0; i < count; i++)
        lay(pieces + i * PIECE_SIZE, &at, content, made);
    compare(detail, content, made);
    free(content);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t control = size > 0 ? data[size - 1] : 0;
    enum filetype_detail detail = (control & 0xc0) == 0xc0 ? FILETYPE_QUICK : FILETYPE_FULL;

    if (magic.file == NULL)
        set_up();
    if ((control & 0x30) == 0) /* "\n", and zeros: a content as it is */
        compare(detail, data, size);
    else
        compare_laid(detail, control, data, size - 1);
    return 0;
}
