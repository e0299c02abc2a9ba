/*
 * sqlitelog: the logs beside an SQLite 3 database [SQLite, Database File Format, 3 "The Rollback Journal", 4
 * "The Write-Ahead Log"].
 *
 * Write-ahead log: a header and frames, each one page with a checksum that continues the one before it; the
 * salts of the header are in every frame. When a log is used anew its old frames stay behind the new ones,
 * and their checksums still continue each other: they belong to the file, only the first of them cannot be
 * checked. Validated: all of these hold, and the last new frame ends a transaction.
 *
 * Rollback journal: segments of a header, padded to a sector, and pages with checksums over every 200th byte.
 * Validated: as many pages as the header says, or up to what is no page where it does not say.
 */
#include "plugins/carve/format.h"
#include "plugins/carve/formats/field.h"

#include <string.h>

enum { WAL_HEADER = 32, FRAME = 24, JOURNAL_HEADER = 28, PAGE_MAX = 65536, SALT_AGE_MAX = 65536 };

static bool is_page_size(uint32_t size)
{
    return size >= 512 && size <= PAGE_MAX && (size & (size - 1)) == 0;
}

/* ------------------------------------------------------------------ write-ahead log */

struct wal {
    struct reader *reader;
    uint32_t page_size, salt[2], sum[2], commit;
    uint64_t frames;
    bool big_endian; /* of the numbers that are summed */
};

static void sum_up(struct wal *wal, const uint8_t *data, size_t size)
{
    uint32_t a = wal->sum[0], b = wal->sum[1];

    if (wal->big_endian) {
        for (size_t i = 0; i < size; i += 8) {
            a += field_be32(data + i) + b;
            b += field_be32(data + i + 4) + a;
        }
    } else {
        for (size_t i = 0; i < size; i += 8) {
            a += field_le32(data + i) + b;
            b += field_le32(data + i + 4) + a;
        }
    }
    wal->sum[0] = a;
    wal->sum[1] = b;
}

static bool read_wal_header(struct wal *wal)
{
    const uint8_t *head = reader_at(wal->reader, 0, WAL_HEADER);

    if (head == NULL || (field_be32(head) & ~1U) != 0x377f0682 || field_be32(head + 4) != 3007000)
        return false;
    wal->big_endian = (head[3] & 1) != 0;
    wal->page_size = field_be32(head + 8);
    wal->salt[0] = field_be32(head + 16);
    wal->salt[1] = field_be32(head + 20);
    sum_up(wal, head, 24);
    return is_page_size(wal->page_size) && wal->sum[0] == field_be32(head + 24) &&
           wal->sum[1] == field_be32(head + 28);
}

enum frame { FRAME_HOLDS, FRAME_CUT, FRAME_NONE };

/* The frame at `at`; its checksum is the wal's now. NONE: its salts are not the wal's. */
static enum frame take_frame(struct wal *wal, uint64_t at)
{
    uint8_t head[FRAME];
    const uint8_t *data = reader_at(wal->reader, at, FRAME);
    struct wal before = *wal;

    if (data == NULL)
        return FRAME_NONE;
    memcpy(head, data, FRAME);
    if (field_be32(head + 8) != wal->salt[0] || field_be32(head + 12) != wal->salt[1] ||
        field_be32(head) == 0)
        return FRAME_NONE;
    data = reader_at(wal->reader, at + FRAME, wal->page_size);
    if (data == NULL)
        return FRAME_CUT;
    sum_up(wal, head, 8);
    sum_up(wal, data, wal->page_size);
    if (wal->sum[0] != field_be32(head + 16) || wal->sum[1] != field_be32(head + 20)) {
        *wal = before;
        return FRAME_CUT;
    }
    wal->commit = field_be32(head + 4);
    wal->frames++;
    return FRAME_HOLDS;
}

/* Frames from before the log was last used anew: the first salt is counted up each time. Takes the first one
 * of such a run as it is, for its successors to be checked against; false: there is none, or it has none. */
static bool begin_old_frames(struct wal *wal, uint64_t at)
{
    const uint8_t *head = reader_at(wal->reader, at, FRAME);
    struct wal old = *wal;
    enum frame next;

    if (head == NULL || field_be32(head) == 0 || wal->salt[0] - field_be32(head + 8) - 1 >= SALT_AGE_MAX)
        return false;
    for (size_t i = 0; i < 2; i++) {
        old.salt[i] = field_be32(head + 8 + 4 * i);
        old.sum[i] = field_be32(head + 16 + 4 * i);
    }
    if (reader_at(wal->reader, at + FRAME, wal->page_size) == NULL)
        return false;
    next = take_frame(&old, at + FRAME + wal->page_size);
    if (next == FRAME_HOLDS) { /* it is taken again, as the first of those that can be checked */
        old.frames = wal->frames + 1;
        old.sum[0] = old.sum[1] = 0;
        head = reader_at(wal->reader, at, FRAME);
        for (size_t i = 0; head != NULL && i < 2; i++)
            old.sum[i] = field_be32(head + 16 + 4 * i);
        *wal = old;
    }
    return next == FRAME_HOLDS;
}

static enum carve_grade examine_wal(struct reader *reader, struct carved *ret)
{
    struct wal wal = {.reader = reader};
    uint64_t at = WAL_HEADER, step;
    enum frame frame;
    uint32_t commit;

    if (!read_wal_header(&wal))
        return CARVE_NONE;
    step = FRAME + (uint64_t)wal.page_size;
    while ((frame = take_frame(&wal, at)) == FRAME_HOLDS)
        at += step;
    commit = wal.commit;
    while (frame == FRAME_NONE && wal.frames > 0 && begin_old_frames(&wal, at)) {
        at += step;
        while ((frame = take_frame(&wal, at)) == FRAME_HOLDS)
            at += step;
    }
    if (wal.frames == 0) {
        carved_partial(ret, WAL_HEADER, "the first frame is not there");
        return ret->grade = CARVE_FRAGMENT;
    }
    if (frame == FRAME_CUT)
        return carved_partial(ret, at, "frame %llu is cut or its checksum is wrong",
                              (unsigned long long)wal.frames + 1);
    if (reader_spent(reader))
        return carved_partial(ret, at, "the effort allowed is spent");
    return carved_whole(ret, commit != 0 ? CARVE_VALIDATED : CARVE_COMPLETE, at);
}

/* ------------------------------------------------------------------ rollback journal */

struct journal {
    struct reader *reader;
    uint32_t count, nonce, pages, sector, page_size;
    uint64_t records;
};

static const uint8_t journal_magic[8] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};

/* The header of a segment. Those after the first repeat the sizes; magic number and count of the last are
 * zero until its pages are safely on the disk. */
static bool read_journal_header(struct journal *journal, uint64_t at)
{
    static const uint8_t zero[12];
    const uint8_t *head = reader_at(journal->reader, at, JOURNAL_HEADER);
    bool first = journal->page_size == 0;

    if (head == NULL ||
        (memcmp(head, journal_magic, sizeof journal_magic) != 0 && (first || memcmp(head, zero, 12) != 0)))
        return false;
    journal->count = field_be32(head + 8);
    journal->nonce = field_be32(head + 12);
    if (!first)
        return field_be32(head + 16) == journal->pages && field_be32(head + 20) == journal->sector &&
               field_be32(head + 24) == journal->page_size;
    journal->pages = field_be32(head + 16);
    journal->sector = field_be32(head + 20);
    journal->page_size = field_be32(head + 24);
    return is_page_size(journal->page_size) && journal->sector >= 32 && journal->sector <= 65536 &&
           (journal->sector & (journal->sector - 1)) == 0;
}

/* A page of the database before the change: its number, its bytes, and a sum of some of them. */
static bool record_holds(struct journal *journal, uint64_t at)
{
    uint32_t number = 0, stored, sum = journal->nonce;
    const uint8_t *data;

    if (!reader_be32(journal->reader, at, &number) || number == 0 || number > journal->pages ||
        !reader_be32(journal->reader, at + 4 + journal->page_size, &stored) ||
        (data = reader_at(journal->reader, at + 4, journal->page_size)) == NULL)
        return false;
    for (uint32_t i = journal->page_size - 200; i > 0 && i < journal->page_size; i -= 200)
        sum += data[i];
    return sum == stored;
}

/* One segment's records; *at is behind them. False: fewer than its header says. */
static bool walk_segment(struct journal *journal, uint64_t *at)
{
    uint32_t count = 0;

    *at += journal->sector;
    while (record_holds(journal, *at)) {
        *at += 8 + (uint64_t)journal->page_size;
        journal->records++;
        count += count < UINT32_MAX - 1;
    }
    return journal->count == UINT32_MAX || count >= journal->count;
}

/* Journals of several databases that change together end with the name of one that they share. */
static uint64_t behind_super_journal(struct journal *journal, uint64_t at)
{
    uint32_t page = 0, length = 0, stored, sum = 0;
    const uint8_t *name;

    if (!reader_be32(journal->reader, at, &page) || page != 0x40000000 / journal->page_size + 1)
        return at;
    /* the name's length is behind it: its end is found by the magic number that follows */
    for (uint64_t end = at + 4; end < at + 4 + 4096; end++) {
        if (reader_be32(journal->reader, end, &length) && length > 0 && length == end - at - 4 &&
            reader_is(journal->reader, end + 8, journal_magic, sizeof journal_magic) &&
            reader_be32(journal->reader, end + 4, &stored)) {
            name = reader_at(journal->reader, at + 4, length);
            for (uint32_t i = 0; name != NULL && i < length; i++)
                sum += name[i] < 128 ? name[i] : name[i] - 256U;
            return name != NULL && sum == stored ? end + 16 : at;
        }
    }
    return at;
}

static enum carve_grade examine_journal(struct reader *reader, struct carved *ret)
{
    struct journal journal = {.reader = reader};
    uint64_t at = 0, next = 0, before;
    bool whole = true;

    while (whole && read_journal_header(&journal, next)) {
        before = journal.records;
        whole = walk_segment(&journal, &next);
        if (journal.records == before)
            break;
        at = next;
        next = (at + journal.sector - 1) / journal.sector * journal.sector;
    }
    if (journal.records == 0)
        return CARVE_NONE;
    if (reader_spent(reader))
        return carved_partial(ret, at, "the effort allowed is spent");
    if (!whole)
        return carved_partial(ret, at, "page %llu of the journal is cut or its checksum is wrong",
                              (unsigned long long)journal.records + 1);
    return carved_whole(ret, CARVE_VALIDATED, behind_super_journal(&journal, at));
}

static const struct carve_format wal_format = {"sqlitewal", examine_wal};
static const struct carve_format journal_format = {"sqlitejournal", examine_journal};
const struct carve_format *const carve_sqlitelog[] = {&wal_format, &journal_format, NULL};
