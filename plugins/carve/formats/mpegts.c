/*
 * mpegts: MPEG transport streams [ISO/IEC 13818-1, 2.4]: packets of 188 bytes, in files of Blu-ray discs and
 * camcorders (M2TS) with 4 bytes of arrival time before each. Its tables (PAT, PMT) have a CRC-32.
 *
 * Nothing names its end: it is behind the last packet, so never better than complete. Where another stream
 * begins directly behind, at a place where a file may begin, the counters of its packets tell.
 */
#include "plugins/carve/formats/crc.h"
#include "plugins/carve/format.h"
#include "plugins/carve/formats/field.h"

#include "engine/base/bytes.h"

#include <string.h>

enum { PACKET = 188, PIDS = 8192, PACKETS_LEAST = 16, PROGRAMS_MAX = 32, SECTOR = 512 };

struct ts {
    struct reader *reader;
    struct crc crc;
    size_t stride, lead; /* 188 and 0, or 192 and 4 */
    uint64_t packets;
    uint8_t counters[PIDS]; /* of the last packet, + 1; 0: none came */
    uint16_t programs[PROGRAMS_MAX];
    size_t program_count;
    bool pat, pmt; /* such tables came with a right CRC */
};

/* Where the payload begins in the packet; 188: there is none. */
static size_t payload(const uint8_t *p)
{
    unsigned control = p[3] >> 4 & 3;
    size_t at = control == 1 ? 4 : control == 3 ? 5u + p[4] : PACKET;

    return at < PACKET ? at : PACKET;
}

/* A section that is all in this packet; NULL: none. */
static const uint8_t *section(const uint8_t *p, size_t *ret_size)
{
    size_t at = payload(p);

    if ((p[1] & 0x40) == 0 || at + 1 >= PACKET)
        return NULL;
    at += 1u + p[at];
    if (at + 12 > PACKET)
        return NULL;
    *ret_size = 3 + (field_be16(p + at + 1) & 0xfff);
    return *ret_size <= PACKET - at && *ret_size >= 12 ? p + at : NULL;
}

static void take_table(struct ts *ts, const uint8_t *p, unsigned pid)
{
    size_t size;
    const uint8_t *table = section(p, &size);
    bool program = false;

    for (size_t i = 0; i < ts->program_count; i++)
        program |= ts->programs[i] == pid;
    if (table == NULL || (pid == 0 ? table[0] != 0 : !program || table[0] != 2))
        return;
    if (crc_value(&ts->crc, crc_add(&ts->crc, crc_begin(&ts->crc, 0xffffffff), table, size)) != 0)
        return;
    ts->pmt |= pid != 0;
    if (pid != 0 || ts->pat)
        return;
    ts->pat = true;
    for (size_t at = 8; at + 8 <= size && ts->program_count < PROGRAMS_MAX; at += 4) {
        if (field_be16(table + at) != 0)
            ts->programs[ts->program_count++] = (uint16_t)(field_be16(table + at + 2) & 0x1fff);
    }
}

static bool is_packet(const uint8_t *p)
{
    return p[0] == 0x47 && (p[1] & 0x80) == 0 && (p[3] & 0x30) != 0 && ((p[3] & 0x20) == 0 || p[4] <= 183);
}

/* Does the counter go on from the stream's last packet? [2.4.3.3] */
static bool counter_goes_on(const struct ts *ts, const uint8_t *p, unsigned pid)
{
    unsigned now = p[3] & 15, last = ts->counters[pid];

    return last == 0 || pid == 0x1fff || now == (last & 15) || now == last - 1 || (p[3] & 0x10) == 0 ||
           ((p[3] & 0x20) != 0 && p[4] > 0 && (p[5] & 0x80) != 0);
}

/* At a sector's beginning: a table's first packet whose counter does not go on, and so the next of it. */
static bool begins_another(struct ts *ts, const uint8_t *p, unsigned pid, uint64_t offset)
{
    return ts->packets > 0 && offset % SECTOR == 0 && (p[1] & 0x40) != 0 && (pid == 0 || pid == 0x11) &&
           (p[3] & 15) == 0 && !counter_goes_on(ts, p, pid);
}

static void walk(struct ts *ts)
{
    for (;; ts->packets++) {
        uint64_t offset = ts->packets * ts->stride;
        const uint8_t *p = reader_at(ts->reader, offset, ts->stride);
        unsigned pid;

        if (p == NULL || !is_packet(p + ts->lead))
            return;
        p += ts->lead;
        pid = field_be16(p + 1) & 0x1fff;
        if (begins_another(ts, p, pid, offset))
            return;
        ts->counters[pid] = (uint8_t)((p[3] & 15) + 1);
        if ((p[1] & 0x40) != 0 && (pid == 0 || ts->program_count > 0))
            take_table(ts, p, pid);
    }
}

/* Three packets in a row? Cheap: most candidates end here. */
static bool begins(struct reader *reader, size_t stride, size_t lead)
{
    for (uint64_t i = 0; i < 3; i++) {
        const uint8_t *p = reader_at(reader, i * stride + lead, PACKET);

        if (p == NULL || !is_packet(p))
            return false;
    }
    return true;
}

static enum carve_grade examine_mpegts(struct reader *reader, struct carved *ret)
{
    struct ts ts = {.reader = reader};

    if (begins(reader, PACKET, 0))
        ts.stride = PACKET;
    else if (begins(reader, PACKET + 4, 4))
        ts.stride = PACKET + 4, ts.lead = 4;
    else
        return CARVE_NONE;
    crc_init(&ts.crc, 32, 0x04c11db7);
    walk(&ts);
    if (!ts.pat)
        return CARVE_NONE;
    ret->extension = ts.lead > 0 ? "m2ts" : "ts";
    ret->format = "MPEG transport stream";
    if (ts.packets >= PACKETS_LEAST && ts.pmt)
        return carved_whole(ret, CARVE_COMPLETE, ts.packets * ts.stride);
    carved_partial(ret, ts.packets * ts.stride, "the packets behind number %llu",
                   (unsigned long long)ts.packets);
    return ret->grade = CARVE_FRAGMENT;
}

static const struct carve_format mpegts_format = {"mpegts", examine_mpegts};
const struct carve_format *const carve_mpegts[] = {&mpegts_format, NULL};
