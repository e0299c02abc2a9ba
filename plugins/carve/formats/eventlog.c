/*
 * eventlog: Windows event logs, both kinds [MS-EVEN6 and J. Metz, Windows XML Event Log (EVTX) format;
 * Microsoft, Event Log File Format].
 *
 * EVTX: a file header with a CRC-32 and the number of chunks, and chunks of 64 KiB with a CRC-32 of their
 * header and one of their events. Validated: all of them. The file begins with one chunk and grows by 16 at a
 * time: chunks of zeros up to there belong to it.
 *
 * EVT: a header and records, each with its length at both ends; the log goes round, and a record without
 * content tells where it begins and ends. Validated: the ring of records closes.
 */
#include "plugins/carve/format.h"
#include "plugins/carve/formats/field.h"

#include <string.h>
#include <zlib.h>

enum { BLOCK = 4096, CHUNK = 64 * 1024, CHUNK_HEADER = 512, CHUNKS_GROWN = 16 };
enum { EVT_HEADER = 48, EVT_END = 40, EVT_RECORD_MIN = 56, EVT_RECORD_MAX = 512 * 1024 };

/* ------------------------------------------------------------------ EVTX */

struct evtx {
    struct reader *reader;
    uint32_t chunks; /* as the header says */
    bool dirty;
};

static uint32_t crc_of(const uint8_t *data, size_t size)
{
    return (uint32_t)crc32(0, data, (uInt)size);
}

static bool read_evtx_header(struct evtx *evtx)
{
    const uint8_t *head = reader_at(evtx->reader, 0, 128);

    if (head == NULL || memcmp(head, "ElfFile", 8) != 0 || field_le32(head + 32) != 128 || head[38] != 3 ||
        (head[40] | head[41] << 8) != BLOCK || crc_of(head, 120) != field_le32(head + 124))
        return false;
    evtx->chunks = (uint32_t)(head[42] | head[43] << 8);
    evtx->dirty = (head[120] & 1) != 0;
    return true;
}

static bool chunk_holds(struct evtx *evtx, uint64_t at)
{
    const uint8_t *head = reader_at(evtx->reader, at, CHUNK);
    uint32_t free_space;
    uLong crc;

    if (head == NULL || memcmp(head, "ElfChnk", 8) != 0 || field_le32(head + 40) != 128)
        return false;
    free_space = field_le32(head + 48);
    if (free_space < CHUNK_HEADER || free_space > CHUNK || field_le32(head + 44) > free_space)
        return false;
    crc = crc32(crc32(0, head, 120), head + 128, CHUNK_HEADER - 128);
    return crc == field_le32(head + 124) &&
           crc_of(head + CHUNK_HEADER, free_space - CHUNK_HEADER) == field_le32(head + 52);
}

/* The end of the file whose last chunk ends at `end`: behind the unused chunks that it has grown by. */
static uint64_t evtx_end(struct evtx *evtx, uint64_t end)
{
    uint64_t grown = CHUNKS_GROWN * (uint64_t)CHUNK, first = BLOCK + CHUNK;
    uint64_t limit = first + (end - first + grown - 1) / grown * grown;

    return reader_is_all(evtx->reader, end, limit - end, 0) ? limit : end;
}

static enum carve_grade examine_evtx(struct reader *reader, struct carved *ret)
{
    struct evtx evtx = {.reader = reader};
    uint64_t at = BLOCK;
    uint32_t chunks = 0;

    if (!read_evtx_header(&evtx))
        return CARVE_NONE;
    /* the header of a log that was not closed is behind: it may have more chunks */
    for (; (evtx.dirty || chunks < evtx.chunks) && chunk_holds(&evtx, at); at += CHUNK)
        chunks++;
    if (chunks == 0 || chunks < evtx.chunks) {
        carved_partial(ret, at, "chunk %u of %u is cut or its checksum is wrong", chunks + 1, evtx.chunks);
        if (chunks == 0) {
            ret->grade = CARVE_FRAGMENT;
            ret->size = ret->good = 128;
        }
        return ret->grade;
    }
    if (reader_is(reader, at, "ElfChnk", 8))
        return carved_partial(ret, at, "chunk %u is cut or its checksum is wrong", chunks + 1);
    return carved_whole(ret, CARVE_VALIDATED, evtx_end(&evtx, at));
}

/* ------------------------------------------------------------------ EVT */

struct evt {
    struct reader *reader;
    uint64_t end; /* of the file, as the header says */
    uint64_t records;
};

static bool read_evt_header(struct evt *evt)
{
    const uint8_t *head = reader_at(evt->reader, 0, EVT_HEADER);

    if (head == NULL || field_le32(head) != EVT_HEADER || memcmp(head + 4, "LfLe", 4) != 0 ||
        field_le32(head + 8) != 1 || field_le32(head + 12) != 1 || field_le32(head + 44) != EVT_HEADER)
        return false;
    evt->end = field_le32(head + 32);
    return evt->end >= EVT_HEADER && evt->end % 1024 == 0;
}

static bool record_holds(struct evt *evt, uint64_t at, uint32_t *ret_length)
{
    const uint8_t *head = reader_at(evt->reader, at, 8);
    uint32_t length, behind;

    if (head == NULL || memcmp(head + 4, "LfLe", 4) != 0)
        return false;
    length = field_le32(head);
    if (length < EVT_RECORD_MIN || length > EVT_RECORD_MAX || length % 4 != 0 ||
        !reader_le32(evt->reader, at + length - 4, &behind) || behind != length)
        return false;
    *ret_length = length;
    return true;
}

/* Follows records from `at`; where they stop. */
static uint64_t follow(struct evt *evt, uint64_t at)
{
    uint32_t length;

    for (; record_holds(evt, at, &length); at += length)
        evt->records++;
    return at;
}

/* Where the first record begins: behind what is left of one that goes round the end. */
static uint64_t first_record(struct evt *evt)
{
    uint64_t at = reader_find(evt->reader, EVT_HEADER + 4, EVT_HEADER + 4 + EVT_RECORD_MAX, "LfLe", 4);

    return at == UINT64_MAX ? EVT_HEADER : at - 4;
}

/* The record without content at `at`, which says where the oldest record is. */
static bool read_end(struct evt *evt, uint64_t at, uint64_t *ret_oldest)
{
    static const uint8_t magic[] = {0x28, 0,    0,    0,    0x11, 0x11, 0x11, 0x11, 0x22, 0x22,
                                    0x22, 0x22, 0x33, 0x33, 0x33, 0x33, 0x44, 0x44, 0x44, 0x44};
    const uint8_t *head = reader_at(evt->reader, at, EVT_END);

    if (head == NULL || memcmp(head, magic, sizeof magic) != 0 || field_le32(head + 24) != at ||
        field_le32(head + 36) != EVT_END)
        return false;
    *ret_oldest = field_le32(head + 20);
    return true;
}

/* Does the record at `at` go round the end of the file, so that it ends where the first one begins? */
static bool goes_round(struct evt *evt, uint64_t at, uint64_t first)
{
    uint32_t length = 0, behind = 0;

    if (at == evt->end)
        return first == EVT_HEADER;
    if (evt->end - at < EVT_RECORD_MIN && first == EVT_HEADER)
        return true; /* filled up, as a record's fixed part is never cut in two */
    return reader_le32(evt->reader, at, &length) && reader_is(evt->reader, at + 4, "LfLe", 4) &&
           length == evt->end - at + first - EVT_HEADER && first >= EVT_HEADER + 4 &&
           reader_le32(evt->reader, first - 4, &behind) && behind == length;
}

static enum carve_grade examine_evt(struct reader *reader, struct carved *ret)
{
    struct evt evt = {.reader = reader};
    uint64_t first, at, oldest, padded;

    if (!read_evt_header(&evt))
        return CARVE_NONE;
    first = first_record(&evt);
    at = follow(&evt, first);
    if (!read_end(&evt, at, &oldest)) {
        carved_partial(ret, evt.records > 0 ? at : EVT_HEADER, "no record begins at byte %llu",
                       (unsigned long long)at);
        if (evt.records == 0)
            ret->grade = CARVE_FRAGMENT;
        return ret->grade;
    }
    if (oldest < at || evt.records == 0) { /* it has not gone round */
        at += EVT_END;
        padded = (at + CHUNK - 1) / CHUNK * CHUNK;
        if (reader_is_all(reader, at, padded - at, 0))
            return carved_whole(ret, CARVE_VALIDATED, padded);
        return carved_whole(ret, CARVE_COMPLETE, at);
    }
    if (oldest > evt.end)
        return carved_partial(ret, at + EVT_END, "the oldest record lies behind the end of the file");
    at = follow(&evt, oldest);
    if (at > evt.end || !goes_round(&evt, at, first) || reader_at(reader, evt.end - 1, 1) == NULL)
        return carved_partial(ret, at < reader_size(reader) ? at : reader_size(reader),
                              "no record begins at byte %llu", (unsigned long long)at);
    return carved_whole(ret, CARVE_VALIDATED, evt.end);
}

static const struct carve_format evtx_format = {"evtx", examine_evtx};
static const struct carve_format evt_format = {"evt", examine_evt};
const struct carve_format *const carve_eventlog[] = {&evtx_format, &evt_format, NULL};
