/*
 * layer_bitlocker: a BitLocker volume, opened with a password, a recovery key, a startup key's file (.BEK),
 * its own key, or the key in clear that it holds itself while protection is suspended.
 *
 * A reader of our own: libbde 20190102 (Debian 12) opens no volume with AES-256-XTS, none that is suspended,
 * being encrypted or already decrypted, none of Vista's in its present form, and takes the volume's size from
 * the boot sector of NTFS alone.
 */
#include "engine/base/buf.h"
#include "engine/evidence/layer/bfio.h"
#include "engine/evidence/layer/bitlocker.h"
#include "engine/evidence/layer/crypt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct state {
    const struct layer_base *base;
    struct bitlocker bitlocker;
    struct crypt_sectors *sectors; /* NULL: nothing is encrypted */
};

static const struct method {
    uint16_t number;
    const char *name, *mode;
    size_t key_size,
        parts; /* the key's bytes that count; in one part, or two of which each has 32 bytes of room */
} methods[] = {
    {BITLOCKER_AES_128_DIFFUSER, "AES-128-CBC with diffuser", "cbc-elephant", 32, 2},
    {BITLOCKER_AES_256_DIFFUSER, "AES-256-CBC with diffuser", "cbc-elephant", 64, 2},
    {BITLOCKER_AES_128, "AES-128-CBC", "cbc-eboiv", 16, 1},
    {BITLOCKER_AES_256, "AES-256-CBC", "cbc-eboiv", 32, 1},
    {BITLOCKER_XTS_128, "AES-128-XTS", "xts-plain64", 32, 1},
    {BITLOCKER_XTS_256, "AES-256-XTS", "xts-plain64", 64, 1},
};

static const struct method *method_of(const struct bitlocker *bitlocker)
{
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (methods[i].number == bitlocker->method)
            return &methods[i];
    }
    return NULL;
}

/* ------------------------------------------------------------------ reading */

enum source { SOURCE_ENCRYPTED, SOURCE_PLAIN, SOURCE_ZEROS, SOURCE_BOOT, SOURCE_LOG };

/* Where the bytes from `offset` on come from, and for how many that holds. */
struct run {
    enum source source;
    uint64_t from, size;
};

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Bytes of the volume's data at `from`: encrypted, or not. */
static void judge(const struct bitlocker *bitlocker, uint64_t from, struct run *run)
{
    uint64_t size = 0;

    run->from = from;
    if (bitlocker->state == BITLOCKER_DECRYPTED) {
        run->source = SOURCE_PLAIN;
    } else if (bitlocker->maps) {
        run->source = bitlocker_eow_find(bitlocker, from, &size) ? SOURCE_ENCRYPTED : SOURCE_PLAIN;
        run->size = least(run->size, size);
    } else if (from < bitlocker->encrypted) {
        run->source = SOURCE_ENCRYPTED;
        run->size = least(run->size, bitlocker->encrypted - from);
    } else {
        run->source = SOURCE_PLAIN;
    }
}

static bool in_log(const struct bitlocker *bitlocker, uint64_t offset, struct run *run)
{
    const struct bitlocker_region *log = &bitlocker->log;

    if (log->size == 0 || offset >= u64_add_saturating(log->offset, log->size))
        return false;
    if (offset < log->offset) {
        run->size = least(run->size, log->offset - offset);
        return false;
    }
    *run = (struct run){SOURCE_LOG, offset, least(run->size, log->size - (offset - log->offset))};
    return true;
}

static bool in_region(const struct bitlocker *bitlocker, uint64_t offset, struct run *run)
{
    for (size_t i = 0; i < bitlocker->region_count; i++) {
        const struct bitlocker_region *region = &bitlocker->regions[i];

        if (offset < region->offset) {
            run->size = least(run->size, region->offset - offset);
            return false;
        }
        if (offset - region->offset < region->size) {
            *run = (struct run){SOURCE_ZEROS, offset,
                                least(run->size, region->size - (offset - region->offset))};
            return true;
        }
    }
    return false;
}

/* The first bytes are elsewhere, or in clear; of the others some are BitLocker's own. */
static struct run find_run(const struct bitlocker *bitlocker, uint64_t offset, uint64_t size)
{
    struct run run = {.from = offset, .size = size};

    if (bitlocker->version == 1 && offset < BITLOCKER_VISTA_PLAIN) {
        run.source = offset < bitlocker->sector_size ? SOURCE_BOOT : SOURCE_PLAIN;
        run.size =
            least(size, (offset < bitlocker->sector_size ? bitlocker->sector_size : BITLOCKER_VISTA_PLAIN) -
                            offset);
    } else if (offset < bitlocker->moved_size) {
        run.size = least(size, bitlocker->moved_size - offset);
        judge(bitlocker, bitlocker->moved + offset, &run);
    } else if (!in_log(bitlocker, offset, &run) && !in_region(bitlocker, offset, &run)) {
        judge(bitlocker, offset, &run);
    }
    return run;
}

/* Vista's boot sector is that of NTFS, but for its name and the place of the second MFT. */
static void mend_boot(const struct bitlocker *bitlocker, uint8_t *sector)
{
    memcpy(sector + 3, "NTFS    ", 8);
    for (size_t i = 0; i < 8; i++)
        sector[56 + i] = (uint8_t)(bitlocker->mirror >> (8 * i));
}

/* Whole sectors of one run. */
static int read_run(const struct state *state, const struct run *run, uint8_t *data)
{
    uint32_t unit = state->bitlocker.sector_size;
    int code = 0;

    if (run->source == SOURCE_ZEROS) {
        memset(data, 0, run->size);
        return 0;
    }
    if (run->source == SOURCE_LOG)
        return -EIO;
    code = reader_read(&state->base->readers[0], run->from, data, run->size);
    if (code == 0 && run->source == SOURCE_BOOT)
        mend_boot(&state->bitlocker, data);
    for (uint64_t done = 0; code == 0 && run->source == SOURCE_ENCRYPTED && done < run->size; done += unit)
        code = state->sectors
                   ? crypt_sectors_decrypt(state->sectors, (run->from + done) / unit, data + done, unit)
                   : -EIO;
    return code;
}

static int read_sectors(const void *context, uint64_t offset, uint8_t *data, size_t size)
{
    const struct state *state = context;
    int code = 0;

    while (code == 0 && size > 0) {
        struct run run = find_run(&state->bitlocker, offset, size);

        run.size -= run.size % state->bitlocker.sector_size;
        if (run.size == 0) /* what the metadata say ends within a sector: they are damaged */
            return -EIO;
        code = read_run(state, &run, data);
        offset += run.size;
        data += run.size;
        size -= run.size;
    }
    return code;
}

static int bitlocker_read(struct layer *layer, uint64_t offset, void *data, size_t size)
{
    const struct state *state = layer->state;

    return layer_read_any(read_sectors, state, state->bitlocker.sector_size, offset, data, size);
}

/* ------------------------------------------------------------------ opening */

static int start(struct state *state, const uint8_t *key, size_t size)
{
    const struct method *method = method_of(&state->bitlocker);
    uint8_t packed[BITLOCKER_KEY_MAX];
    size_t part = method->key_size / method->parts;
    int code;

    if (size < method->key_size || (method->parts == 2 && size != BITLOCKER_KEY_MAX))
        return -ENOKEY;
    for (size_t i = 0; i < method->parts; i++)
        memcpy(packed + i * part, key + i * (BITLOCKER_KEY_MAX / 2), part);
    crypt_sectors_free(state->sectors);
    state->sectors = NULL;
    code = crypt_sectors_new("aes", method->mode, packed, method->key_size, &state->sectors);
    crypt_wipe(packed, sizeof packed);
    return code == -EINVAL ? -ENOKEY : code; /* libcrypto refuses XTS with two equal halves */
}

/* Any key of the right size is taken for the volume's own; only what it decrypts tells whether it is. A boot
 * sector of NTFS, FAT and exFAT ends with its mark, ReFS has its name; Vista's is in clear, and so the first
 * record of the MFT has to tell. */
static bool is_decrypted(struct layer *layer)
{
    const struct state *state = layer->state;
    uint8_t sector[512], record[4];
    struct bytes bytes;
    uint64_t table;

    if (bitlocker_read(layer, 0, sector, sizeof sector) < 0)
        return false;
    if (state->bitlocker.version == 1) {
        bytes_init(&bytes, sector, sizeof sector);
        bytes_seek(&bytes, 48);
        table = u64_mul_saturating(bytes_u64le(&bytes), state->bitlocker.cluster_size);
        return u64_range_fits(table, sizeof record, layer->size) &&
               bitlocker_read(layer, table, record, sizeof record) == 0 && memcmp(record, "FILE", 4) == 0;
    }
    return (sector[510] == 0x55 && sector[511] == 0xaa) || memcmp(sector + 3, "ReFS", 4) == 0;
}

/* -ENOKEY: this one (NULL: none) does not open it. */
static int try_key(struct layer *layer, const struct key *key)
{
    struct state *state = layer->state;
    uint8_t volume[BITLOCKER_KEY_MAX];
    size_t size = 0;
    int code = bitlocker_unlock(&state->bitlocker, state->base, key, volume, &size);

    if (code == 0)
        code = start(state, volume, size);
    crypt_wipe(volume, sizeof volume);
    if (code == 0 && key && key->kind == KEY_MASTER && !is_decrypted(layer))
        code = -ENOKEY;
    return code;
}

#define DAMAGED "; no copy of its metadata has its checksum"

static const char *state_words(const struct bitlocker *bitlocker, uint64_t size)
{
    if (bitlocker->state == BITLOCKER_DIRTY)
        return ", its conversion was interrupted: part of it is not read";
    if (bitlocker->maps ? !bitlocker_eow_whole(bitlocker) : bitlocker->encrypted < size)
        return ", encrypted in part";
    return "";
}

static int opened(struct layer *layer, const char *words, const struct key *key)
{
    const struct state *state = layer->state;
    char digest[KEY_DIGEST_SIZE] = "", guid[BFIO_GUID_SIZE];

    bfio_guid(state->bitlocker.id, guid);
    if (key)
        key_digest(key, guid, digest);
    (void)snprintf(layer->note, sizeof layer->note, "%s%s%s, opened with %s%s%s", words,
                   state_words(&state->bitlocker, layer->size), state->bitlocker.damaged ? DAMAGED : "",
                   key ? key_kind_name(key->kind) : "the clear key in it", key ? " " : "", digest);
    return 0;
}

static int unlock(struct layer *layer, const char *words, struct why *why)
{
    const struct state *state = layer->state;
    const struct keys *keys = state->base->keys;
    struct buf ways = {0};
    int code = try_key(layer, NULL);

    if (code == 0)
        return opened(layer, words, NULL);
    for (size_t i = 0; code == -ENOKEY && keys && i < keys->count; i++) {
        code = try_key(layer, &keys->items[i]);
        if (code == 0)
            return opened(layer, words, &keys->items[i]);
    }
    if (code != -ENOKEY)
        return code;
    bitlocker_describe_keys(&state->bitlocker, &ways);
    code =
        why_set(why, code, "%s%s%s%s", words, buf_failed(&ways) || !*buf_cstr(&ways) ? "" : "; opens with: ",
                buf_failed(&ways) ? "" : buf_cstr(&ways), state->bitlocker.damaged ? DAMAGED : "");
    buf_finish(&ways);
    return code;
}

static int bitlocker_open(struct layer *layer, const struct layer_base *base, struct why *why)
{
    struct state *state = calloc(1, sizeof *state);
    const struct method *method;
    char words[128], guid[BFIO_GUID_SIZE];
    int code;

    if (!state)
        return -ENOMEM;
    layer->state = state;
    state->base = base;
    code = bitlocker_parse(&base->readers[0], &state->bitlocker, why);
    if (code < 0)
        return code == -EIO ? -EINVAL : code;
    method = method_of(&state->bitlocker);
    layer->sector_size = state->bitlocker.sector_size;
    layer->size = base->readers[0].size - base->readers[0].size % layer->sector_size;
    bfio_guid(state->bitlocker.id, guid);
    (void)snprintf(words, sizeof words, "BitLocker, %s, volume %s",
                   method ? method->name : "method not known", guid);
    if (state->bitlocker.state == BITLOCKER_DECRYPTED) {
        (void)snprintf(layer->note, sizeof layer->note, "BitLocker, decrypted already, volume %s%s", guid,
                       state->bitlocker.damaged ? DAMAGED : "");
        return 0;
    }
    if (!method)
        return why_set(why, -ENOTSUP, "%s: 0x%04x", words, state->bitlocker.method);
    return unlock(layer, words, why);
}

static void bitlocker_close(struct layer *layer)
{
    struct state *state = layer->state;

    crypt_sectors_free(state->sectors);
    bitlocker_free(&state->bitlocker);
    free(state);
}

const struct layer_kind layer_bitlocker = {.name = "bitlocker",
                                           .keyed = true,
                                           .open = bitlocker_open,
                                           .read = bitlocker_read,
                                           .close = bitlocker_close};
