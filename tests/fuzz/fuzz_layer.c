/*
 * fuzz_layer: whatever an encrypted volume, a virtual disk, a physical volume of LVM2 or a catalog of
 * snapshots says of itself, opening it and reading in it keeps to its bounds and comes to an end. libfvde,
 * libqcow, libvhdi, libvmdk and libvshadow are fuzzed with them. KVALI_LAYER names one kind, which then alone is
 * opened.
 *
 * The input is a medium from its first byte on; one that begins with "SPARSE" has pieces of a larger one: its
 * size, then offset, size and bytes of each (64, 64 and 32 bits, little-endian). LUKS2's checksum, which
 * would keep away all that is mutated, is set right, and rounds that take a minute are made less; LVM2's text
 * and FileVault's plists are parsed by themselves, too.
 */
#include "engine/base/bytes.h"
#include "engine/evidence/layer/crypt.h"
#include "engine/evidence/layer/layer.h"
#include "engine/evidence/layer/layer_filevault.h"
#include "engine/evidence/layer/lvm_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PIECES_MAX = 64, MAGIC = 6, BLOCK = 65536, LUKS1_SIZE = 592, LUKS2_MAX = 65536, LUKS2_CHECKSUM = 448 };

struct piece {
    uint64_t offset;
    size_t size;
    const uint8_t *data;
};

struct medium {
    struct piece pieces[PIECES_MAX];
    size_t count;
    uint64_t size;
};

static int read_medium(void *context, uint64_t offset, void *data, size_t size)
{
    const struct medium *medium = context;

    memset(data, 0, size);
    for (size_t i = 0; i < medium->count; i++) {
        const struct piece *piece = &medium->pieces[i];
        uint64_t from = piece->offset > offset ? piece->offset : offset;
        uint64_t piece_end = piece->offset + piece->size, end = offset + size;

        end = piece_end < end ? piece_end : end;
        if (from < end)
            memcpy((uint8_t *)data + (from - offset), piece->data + (from - piece->offset),
                   (size_t)(end - from));
    }
    return 0;
}

static void take_pieces(struct medium *medium, const uint8_t *data, size_t size)
{
    struct bytes bytes;
    size_t at = MAGIC + 8;

    bytes_init(&bytes, data, size);
    bytes_skip(&bytes, MAGIC);
    medium->size = bytes_u64le(&bytes) & ((UINT64_C(1) << 34) - 1);
    while (medium->count < PIECES_MAX && size - at >= 12) {
        struct piece *piece = &medium->pieces[medium->count];

        bytes_seek(&bytes, at);
        piece->offset = bytes_u64le(&bytes) & ((UINT64_C(1) << 34) - 1);
        piece->size = bytes_u32le(&bytes);
        at += 12;
        if (piece->size > size - at)
            piece->size = size - at;
        piece->data = data + at;
        at += piece->size;
        medium->count++;
    }
}

static struct medium make_medium(const uint8_t *data, size_t size)
{
    struct medium medium = {.size = size};

    if (size >= MAGIC + 8 && memcmp(data, "SPARSE", MAGIC) == 0)
        take_pieces(&medium, data, size);
    else
        medium.pieces[medium.count++] = (struct piece){0, size, data};
    return medium;
}

/* What asks for work in LUKS2's text has at most four digits. */
static void shorten(uint8_t *text, size_t size, const char *name)
{
    size_t length = strlen(name);

    for (size_t at = 0; at + length < size; at++) {
        if (memcmp(text + at, name, length) != 0)
            continue;
        at += length;
        for (size_t digits = 0; at < size && text[at] >= '0' && text[at] <= '9'; at++, digits++)
            text[at] = digits < 4 ? text[at] : ' ';
    }
}

/* A header of LUKS2 with the checksum that it should have, in front of all else. Owned by the caller. */
static uint8_t *mend_luks2(struct medium *medium)
{
    uint8_t *head = medium->size >= LUKS2_MAX ? calloc(1, LUKS2_MAX) : NULL;
    struct bytes bytes;
    uint64_t size;
    char name[33] = "";

    if (head == NULL || medium->count == PIECES_MAX || read_medium(medium, 0, head, LUKS2_MAX) < 0 ||
        memcmp(head, "LUKS\xba\xbe\0\2", 8) != 0) {
        free(head);
        return NULL;
    }
    shorten(head, LUKS2_MAX, "\"iterations\":");
    shorten(head, LUKS2_MAX, "\"time\":");
    shorten(head, LUKS2_MAX, "\"memory\":");
    bytes_init(&bytes, head, LUKS2_MAX);
    bytes_skip(&bytes, 8);
    size = bytes_u64be(&bytes);
    memcpy(name, head + 72, 32);
    memset(head + LUKS2_CHECKSUM, 0, CRYPT_DIGEST_MAX);
    if (size <= LUKS2_MAX)
        (void)crypt_digest(name, head, (size_t)size, head + LUKS2_CHECKSUM);
    medium->pieces[medium->count++] = (struct piece){0, LUKS2_MAX, head};
    return head;
}

/* At most 999 rounds where LUKS1 asks for some. Owned by the caller. */
static uint8_t *mend_luks1(struct medium *medium)
{
    static const size_t rounds[] = {164, 212, 260, 308, 356, 404, 452, 500, 548};
    uint8_t *head = medium->size >= LUKS1_SIZE ? calloc(1, LUKS1_SIZE) : NULL;

    if (head == NULL || medium->count == PIECES_MAX || read_medium(medium, 0, head, LUKS1_SIZE) < 0 ||
        memcmp(head, "LUKS\xba\xbe\0\1", 8) != 0) {
        free(head);
        return NULL;
    }
    for (size_t i = 0; i < sizeof rounds / sizeof rounds[0]; i++) {
        memset(head + rounds[i], 0, 2);
        head[rounds[i] + 2] &= 3;
    }
    medium->pieces[medium->count++] = (struct piece){0, LUKS1_SIZE, head};
    return head;
}

/* Keys that need no long computation: what takes time is libcrypto's, and not what is looked for. */
static const struct keys *keys(void)
{
    static struct keys set;
    static const uint8_t zeros[64];

    if (set.count == 0 &&
        (keys_add(&set, KEY_MASTER, zeros, 16) < 0 || keys_add(&set, KEY_MASTER, zeros, 32) < 0 ||
         keys_add(&set, KEY_MASTER, zeros, 64) < 0))
        abort();
    return &set;
}

static void look_into(struct layer *layer)
{
    static uint8_t data[BLOCK];
    const uint64_t places[] = {0, 512, layer->size / 3 / 512 * 512, layer->size / 2 / 512 * 512,
                               layer->size > BLOCK ? layer->size - BLOCK : 0};

    if (layer->size == 0 || memchr(layer->note, '\0', sizeof layer->note) == NULL)
        abort();
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        uint64_t left = places[i] < layer->size ? layer->size - places[i] : 0;
        size_t size = left < BLOCK ? (size_t)left : BLOCK;

        if (size > 0 && layer->kind->read(layer, places[i], data, size) == 0 && layer->kind->through)
            (void)layer->kind->through(layer, places[i], size);
    }
}

static void open_layer(const struct layer_kind *kind, struct medium *medium)
{
    struct layer_base base = {
        .readers = {{read_medium, medium, medium->size}}, .count = 1, .number = 1, .keys = keys()};
    struct layer layer = {.kind = kind};
    struct why why = {{0}};
    char name[LAYER_PARENT_SIZE];

    if (kind->parent)
        (void)kind->parent(&base.readers[0], name);
    if (kind->open(&layer, &base, &why) == 0)
        look_into(&layer);
    if (layer.state)
        kind->close(&layer);
}

static const struct layer_kind *choose(const struct medium *medium)
{
    const struct reader reader = {read_medium, (void *)(uintptr_t)medium, medium->size};
    const char *wanted = getenv("KVALI_LAYER");
    uint8_t first[512], last[512];
    char group[LAYER_GROUP_SIZE];

    if (wanted != NULL)
        return layer_kind_find(wanted, strlen(wanted));
    if (reader_read(&reader, 0, first, sizeof first) < 0 ||
        reader_read(&reader, medium->size - sizeof last, last, sizeof last) < 0)
        return NULL;
    if (layer_shadow_there(&reader))
        return &layer_shadow;
    return layer_lvm_group(&reader, group) ? &layer_lvm
                                           : layer_kind_detect(first, sizeof first, last, sizeof last);
}

static void parse_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct filevault_plist plist = {text, size};
    struct lvm_text parsed;
    bool costly;

    if (text == NULL)
        abort();
    memcpy(text, data, size);
    text[size] = '\0';
    if (lvm_text_parse(text, size, &parsed) == 0)
        lvm_text_finish(&parsed);
    (void)filevault_has_users(&plist, &costly);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct medium medium = make_medium(data, size);
    uint8_t *first = mend_luks1(&medium), *second = mend_luks2(&medium);
    const struct layer_kind *kind = choose(&medium);
    static bool warm;

    if (!warm)
        layer_warm();
    warm = true;
    if (kind != NULL)
        open_layer(kind, &medium);
    parse_text(data, size);
    free(first);
    free(second);
    return 0;
}
