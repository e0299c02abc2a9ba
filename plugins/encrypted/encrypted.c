/*
 * encrypted: contents that are encrypted. What says so itself is named with its method (known.c); what is
 * random from its first byte to its last, in whole sectors, without any structure, may be a volume of
 * VeraCrypt or TrueCrypt, which has no mark by design: a suspect, no more.
 *
 * Archives, PDF files, compound files and messages tell what is encrypted in them by their own plugins; the
 * view `encrypted` has all of it.
 */
#include "engine/base/text.h"
#include "engine/plugin.h"
#include "plugins/encrypted/known.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Chi-squared over 256 counts, 255 degrees of freedom: mean 255, deviation 22.6. Of random blocks one in 10^4
 * is above HIGH, none in 10^12 outside of NEVER. Deflate, JPEG and video leave NEVER in nearly every block of
 * 64 KiB. */
enum { FIRST = 4096, BLOCK = 64 * 1024, HIGH = 345, NEVER_LOW = 120, NEVER_HIGH = 460, SECTOR = 512 };
#define SUSPECT_MIN (UINT64_C(256) << 10) /* a VeraCrypt volume has four headers of 64 KiB */

struct encrypted_stream {
    bool known, suspect;
    uint32_t counts[256];
    size_t filled; /* of the block */
    uint64_t blocks, high, sum;
};

static const struct field encrypted_fields[] = {
    {"kind", FIELD_TEXT, "", "what it is"},
    {"method", FIELD_TEXT, "", "how it is encrypted, as far as it says"},
    {"certainty", FIELD_TEXT, "",
     "structure: it says so itself; suspect: it may be, by being random and nothing else"},
    {"reason", FIELD_TEXT, "", "why it is suspected"},
};
static const struct record_type encrypted_type = {"encrypted", 1, "an encrypted content", encrypted_fields,
                                                  4};
static const struct record_type *const encrypted_emits[] = {&encrypted_type, NULL};

/* ------------------------------------------------------------------ what is random */

static uint64_t chi_squared(const uint32_t counts[256], size_t size)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < 256; i++)
        sum += (uint64_t)counts[i] * counts[i];
    /* sum of (c - n/256)^2 / (n/256) = 256 * sum(c^2) / n - n */
    sum = sum * 256 / size;
    return sum > size ? sum - size : 0;
}

static void count(uint32_t counts[256], const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        counts[data[i]]++;
}

/* Formats that look random behind their first bytes. */
static bool has_beginning(const uint8_t *data)
{
    static const struct {
        size_t offset;
        const char *magic;
        size_t size;
    } magics[] = {
        {0, "7z\xbc\xaf", 4},
        {0,
         "\xfd"
         "7zXZ",
         5},
        {0, "\x28\xb5\x2f\xfd", 4},
        {0, "\x1f\x8b", 2},
        {0, "PK", 2},
        {0, "Rar!", 4},
        {0, "BZh", 3},
        {0, "\x04\x22\x4d\x18", 4},
        {4, "ftyp", 4},
        {0, "ID3", 3},
        {0, "\xff\xd8\xff", 3},
        {0, "\x89PNG", 4},
        {0, "RIFF", 4},
        {0, "OggS", 4},
        {0, "fLaC", 4},
        {0, "\x1a\x45\xdf\xa3", 4},
        {0, "LZIP", 4},
        {0, "\x5d\0\0", 3},
        {0, "MSCF", 4},
        {0, "%PDF", 4},
    };

    for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++) {
        if (memcmp(data + magics[i].offset, magics[i].magic, magics[i].size) == 0)
            return true;
    }
    return false;
}

static bool may_be_volume(const struct stream_info *info, const uint8_t *head, size_t size)
{
    uint32_t counts[256] = {0};

    if (info->size < SUSPECT_MIN || info->size % SECTOR != 0 || size < FIRST || has_beginning(head))
        return false;
    count(counts, head, size);
    return chi_squared(counts, size) < NEVER_HIGH && chi_squared(counts, size) > NEVER_LOW;
}

static void end_block(struct encrypted_stream *stream)
{
    uint64_t chi = chi_squared(stream->counts, BLOCK);

    stream->blocks++;
    stream->sum += chi;
    stream->high += chi > HIGH;
    if (chi > NEVER_HIGH || chi < NEVER_LOW || stream->high > 3 + stream->blocks / 1000)
        stream->suspect = false;
    memset(stream->counts, 0, sizeof stream->counts);
    stream->filled = 0;
}

static int encrypted_feed(struct scan *scan, const struct block *block)
{
    struct encrypted_stream *stream = scan_state(scan);

    for (size_t at = 0; at < block->size && stream->suspect;) {
        size_t room = BLOCK - stream->filled, part = block->size - at < room ? block->size - at : room;

        count(stream->counts, block->data + at, part);
        stream->filled += part;
        at += part;
        if (stream->filled == BLOCK)
            end_block(stream);
    }
    return 0;
}

/* ------------------------------------------------------------------ */

static enum plugin_want encrypted_start(struct scan *scan)
{
    const struct stream_info *info = scan_stream(scan);
    struct encrypted_stream *stream = scan_state(scan);
    size_t size = scan_kept(scan) < FIRST ? (size_t)scan_kept(scan) : FIRST;
    const uint8_t *head;

    if ((info->kind != STREAM_FILE && info->kind != STREAM_ADS && info->kind != STREAM_CHILD &&
         info->kind != STREAM_CARVED) ||
        size < 8 || scan_peek(scan, 0, size, &head) < 0)
        return PLUGIN_SKIP;
    stream->known = known_begins(head, size);
    stream->suspect = info->kind != STREAM_CARVED && may_be_volume(info, head, size);
    return stream->known || stream->suspect ? PLUGIN_FEED : PLUGIN_SKIP;
}

/* *ret_is: it is one, after all. */
static int emit_known(struct scan *scan, bool *ret_is)
{
    uint8_t head[KNOWN_HEAD];
    struct buf method = {0}, shown = {0};
    const char *kind = NULL;
    size_t size = 0;
    int code = 0;

    if (scan_read(scan, 0, head, sizeof head, &size) == 0)
        kind = known_kind(head, size, &method);
    *ret_is = kind != NULL;
    if (kind != NULL) {
        text_escape(&shown, method.data, method.size);
        code = scan_emit(scan, &encrypted_type,
                         (const struct value[]){value_text(kind),
                                                method.size > 0 ? value_text(buf_cstr(&shown)) : value_none(),
                                                value_text("structure"), value_none()});
    }
    buf_finish(&method);
    buf_finish(&shown);
    return code;
}

static int emit_suspect(struct scan *scan)
{
    const struct encrypted_stream *stream = scan_state(scan);
    char reason[160];

    snprintf(reason, sizeof reason,
             "%" PRIu64 " sectors of 512 bytes, random in each of %" PRIu64 " blocks (chi-squared %" PRIu64
             " on average, random is 255), nothing known begins so",
             scan_stream(scan)->size / SECTOR, stream->blocks, stream->sum / stream->blocks);
    return scan_emit(scan, &encrypted_type,
                     (const struct value[]){value_text("perhaps a VeraCrypt or TrueCrypt volume"),
                                            value_none(), value_text("suspect"), value_text(reason)});
}

static int encrypted_finish(struct scan *scan, enum scan_status status)
{
    const struct encrypted_stream *stream = scan_state(scan);
    bool is_known = false;
    int code = status != SCAN_SPARED && stream->known ? emit_known(scan, &is_known) : 0;

    if (is_known || code < 0)
        return code;
    /* Random bytes begin like an OpenPGP message now and then. */
    return status == SCAN_WHOLE && stream->suspect && stream->blocks > 0 ? emit_suspect(scan) : 0;
}

const struct plugin plugin_encrypted = {
    .abi = PLUGIN_ABI,
    .version = 2,
    .name = "encrypted",
    .summary = "Encrypted contents by name and method; what may be a VeraCrypt volume",
    .emits = encrypted_emits,
    .stream_size = sizeof(struct encrypted_stream),
    .start = encrypted_start,
    .feed = encrypted_feed,
    .finish = encrypted_finish,
};
