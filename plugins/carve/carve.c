/*
 * carve: recovers objects by their own structure, where no file system names them.
 *
 * Every byte of free space, slack and unread volumes is searched for signatures while it passes by. At the
 * end each place found is handed to the format's examiner, which follows the object to its true end. What is
 * recovered becomes a child stream, in pieces of this stream, so that it is hashed, typed and scanned like
 * any file; a record says what it is and how sure that is.
 */
#include "plugins/carve/reassemble.h"
#include "plugins/carve/signatures.h"

#include "engine/base/bytes.h"
#include "engine/plugin.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HITS_MAX = 1 << 22, NAME_SIZE = 48, SECTOR = 512 };

/* For a stream and an object: so that a range full of broken things costs seconds, not hours. */
#define EFFORT_STREAM(size) ((UINT64_C(512) << 20) + 16 * (size))
#define EFFORT_OBJECT       (UINT64_C(128) << 20)

/* A false hit is cheap; an object is read a few times at most. */
#define BUDGET(max) ((UINT64_C(1) << 20) + 6 * (max))

struct carve_worker {
    struct signatures *signatures;
    bool files; /* look inside of live files too */
    /* What is being handed over as a child at this moment: the child's own stream begins before that returns,
     * and takes the parts inside of it from here, so that it need not be examined twice. NULL at all other
     * times. */
    const struct verdict *handed;
};

struct hit {
    uint64_t start; /* where the object would begin */
    uint32_t row;
};

struct carve_stream {
    struct hit *hits;
    size_t count, capacity;
    bool full;
    uint64_t block;                             /* offset of the block being searched */
    struct carved_part parts[CARVED_PARTS_MAX]; /* of a carved stream */
    size_t part_count;
    const struct signature *row; /* that it was found by */
};

static const struct field carve_fields[] = {
    {"format", FIELD_TEXT, "", "what it is, in words"},
    {"extension", FIELD_TEXT, "", "what such files end in"},
    {"grade", FIELD_TEXT, "", "validated, complete, partial or fragment"},
    {"title", FIELD_TEXT, "", "the name or title that it carries inside"},
    {"lacks", FIELD_TEXT, "", "what is missing, and why"},
    {"pieces", FIELD_U64, "", "parts that it lay in; more than one: put together again"},
    {"carver", FIELD_TEXT, "", "the examiner that judged it"},
};
static const struct record_type carve_type = {"carve", 1, "an object recovered by its structure",
                                              carve_fields, sizeof carve_fields / sizeof carve_fields[0]};
static const struct record_type *const carve_emits[] = {&carve_type, NULL};

static const char *const grades[] = {"none", "fragment", "partial", "complete", "validated"};

static int carve_setup(void *worker, const struct settings *settings, struct why *why)
{
    struct carve_worker *mine = worker;

    mine->files = settings_bool(settings, "carve.files");
    return signatures_load(settings_text(settings, "carve.signatures"), &mine->signatures, why);
}

static void carve_teardown(void *worker)
{
    struct carve_worker *mine = worker;

    signatures_free(mine->signatures);
}

/* ------------------------------------------------------------------ searching */

struct verdict {
    const struct signature *row;
    struct carved carved;
    struct scan_piece pieces[REASSEMBLE_PIECES];
    size_t piece_count;
};

static bool take_parts(struct carve_stream *stream, const struct verdict *handed)
{
    if (handed == NULL || handed->carved.part_count == 0)
        return false;
    memcpy(stream->parts, handed->carved.parts, sizeof stream->parts);
    stream->part_count = handed->carved.part_count;
    stream->row = handed->row;
    return true;
}

static enum plugin_want carve_start(struct scan *scan)
{
    const struct carve_worker *mine = scan_worker(scan);

    switch (scan_stream(scan)->kind) {
    case STREAM_FREE:
    case STREAM_RAW:
    case STREAM_SLACK:
        return PLUGIN_FEED;
    case STREAM_CARVED:
        return take_parts(scan_state(scan), mine->handed) ? PLUGIN_FEED : PLUGIN_SKIP;
    case STREAM_FILE:
    case STREAM_ADS:
    case STREAM_META:
    case STREAM_CHILD:
        return mine->files ? PLUGIN_FEED : PLUGIN_SKIP;
    default:
        return PLUGIN_SKIP;
    }
}

static int on_found(void *context, size_t index, size_t place)
{
    struct scan *scan = context;
    struct carve_stream *stream = scan_state(scan);
    const struct carve_worker *mine = scan_worker(scan);
    const struct signature *row = signatures_at(mine->signatures, index);
    uint64_t at = stream->block + place, start;

    if (row->offset > 0 && at < (uint64_t)row->offset)
        return 0;
    start = at - (uint64_t)(int64_t)row->offset;
    if (start % row->align != 0)
        return 0;
    if (stream->count == stream->capacity) {
        size_t capacity = stream->capacity > 0 ? stream->capacity * 2 : 256;
        struct hit *hits = capacity <= HITS_MAX ? reallocarray(stream->hits, capacity, sizeof hits[0]) : NULL;

        if (hits == NULL) {
            stream->full = capacity > HITS_MAX;
            return stream->full ? -ENOSPC : -ENOMEM;
        }
        stream->hits = hits;
        stream->capacity = capacity;
    }
    stream->hits[stream->count++] = (struct hit){start, (uint32_t)index};
    return 0;
}

static int carve_feed(struct scan *scan, const struct block *block)
{
    const struct carve_worker *mine = scan_worker(scan);
    struct carve_stream *stream = scan_state(scan);
    int code;

    if (stream->full || scan_stream(scan)->kind == STREAM_CARVED)
        return 0;
    stream->block = block->offset;
    code = signatures_search(mine->signatures, block->offset, block->data, block->size,
                             block->size + block->ahead, on_found, scan);
    if (code != -ENOSPC)
        return code;
    scan_limited(scan, block->offset,
                 "more than %d places look like the beginning of something: the rest was not searched",
                 HITS_MAX);
    return 0;
}

/* ------------------------------------------------------------------ examining */

struct carving {
    struct scan *scan;
    const struct stream_info *info;
    struct reader *reader;
    uint64_t effort; /* bytes that may still be read to put broken objects together */
};

static int64_t read_stream(void *context, uint64_t offset, void *data, size_t size)
{
    struct carving *carving = context;
    size_t got = 0;
    int code = scan_read(carving->scan, offset, data, size, &got);

    return code < 0 ? code : (int64_t)got;
}

static int compare_hits(const void *a, const void *b)
{
    const struct hit *left = a, *right = b;

    if (left->start != right->start)
        return left->start < right->start ? -1 : 1;
    return left->row < right->row ? -1 : left->row > right->row;
}

static void judge(struct carving *carving, const struct signature *row, uint64_t start, struct carved *ret)
{
    uint64_t left = scan_reach(carving->scan) - start;
    const struct reader_piece piece = {start, left < row->max ? left : row->max};

    *ret = (struct carved){.grade = CARVE_NONE};
    reader_aim(carving->reader, &piece, 1, BUDGET(row->max));
    row->format->examine(carving->reader, ret);
    if (ret->grade != CARVE_NONE && (ret->size == 0 || ret->size > piece.size))
        ret->grade = CARVE_NONE;
}

static bool is_better(const struct carved *a, const struct carved *b)
{
    return a->grade != b->grade ? a->grade > b->grade : a->size > b->size;
}

/* Asks all formats whose signatures name this place; *ret_next is the first hit behind them. */
static void judge_place(struct carving *carving, const struct carve_stream *stream, size_t first,
                        struct verdict *ret, size_t *ret_next)
{
    const struct carve_worker *mine = scan_worker(carving->scan);
    uint64_t start = stream->hits[first].start;
    const struct carve_format *last = NULL;
    size_t i;

    *ret = (struct verdict){.row = NULL};
    for (i = first; i < stream->count && stream->hits[i].start == start; i++) {
        const struct signature *row = signatures_at(mine->signatures, stream->hits[i].row);
        struct carved carved;

        if (row->format == last)
            continue;
        last = row->format;
        judge(carving, row, start, &carved);
        if (is_better(&carved, &ret->carved)) {
            ret->carved = carved;
            ret->row = row;
        }
    }
    ret->pieces[0] = (struct scan_piece){start, ret->carved.size};
    ret->piece_count = 1;
    *ret_next = i;
}

/* Can the format's fragments be put together, and does the examiner say where this object breaks? */
static bool may_be_mended(const struct verdict *verdict)
{
    return verdict->carved.grade < CARVE_VALIDATED && verdict->carved.broken > 0 &&
           verdict->row->format->continues != NULL;
}

/* A broken object may lie in two pieces. */
static void mend(struct carving *carving, uint64_t start, struct verdict *verdict)
{
    uint64_t effort = carving->effort < EFFORT_OBJECT ? carving->effort : EFFORT_OBJECT, before = effort;
    struct reassembly whole;
    bool found = reassemble(carving->reader, verdict->row->format, &verdict->carved, start,
                            scan_reach(carving->scan), verdict->row->max, &effort, &whole);

    carving->effort -= before - effort;
    if (effort == 0 && !found)
        scan_note(carving->scan, start, "a broken %s: its other piece was not sought everywhere",
                  verdict->row->name);
    if (!found)
        return;
    verdict->carved = whole.carved;
    verdict->piece_count = REASSEMBLE_PIECES;
    for (size_t i = 0; i < REASSEMBLE_PIECES; i++)
        verdict->pieces[i] = (struct scan_piece){whole.pieces[i].offset, whole.pieces[i].size};
}

/* ------------------------------------------------------------------ recovering */

static bool is_unallocated(const struct stream_info *info)
{
    return info->kind == STREAM_FREE || info->kind == STREAM_SLACK || info->deleted;
}

static void recover(struct carving *carving, uint64_t start, const struct verdict *verdict)
{
    struct carve_worker *mine = scan_worker(carving->scan);
    const struct carved *carved = &verdict->carved;
    const char *extension = carved->extension != NULL ? carved->extension : verdict->row->extension;
    const struct value values[] = {
        value_text(carved->format != NULL ? carved->format : verdict->row->name),
        value_text(extension),
        value_text(grades[carved->grade]),
        carved->title[0] != '\0' ? value_text(carved->title) : value_none(),
        carved->lacks[0] != '\0' ? value_text(carved->lacks) : value_none(),
        value_u64(verdict->piece_count),
        value_text(verdict->row->format->name),
    };
    char name[NAME_SIZE];
    struct child child = {.name = name,
                          .kind = STREAM_CARVED,
                          .offset = start,
                          .deleted = is_unallocated(carving->info),
                          .pieces = verdict->pieces,
                          .piece_count = verdict->piece_count,
                          .about = &carve_type,
                          .values = values};

    child.name_size = (size_t)snprintf(name, sizeof name, "0x%08" PRIx64 ".%.16s", start, extension);
    mine->handed = verdict;
    sink_close(scan_child(carving->scan, &child), SCAN_WHOLE);
    mine->handed = NULL;
}

/* What lies inside of an object that this stream consists of. */
static void recover_parts(struct carving *carving, const struct carved_part *parts, size_t count,
                          const struct signature *row)
{
    for (size_t i = 0; i < count; i++) {
        const struct carved_part *part = &parts[i];
        struct verdict inner = {.row = row};

        if (!u64_range_fits(part->offset, part->size, carving->info->size) || part->offset == 0)
            continue;
        inner.carved =
            (struct carved){.grade = CARVE_COMPLETE, .size = part->size, .extension = part->extension};
        inner.carved.format = "picture inside another one";
        inner.pieces[0] = (struct scan_piece){part->offset, part->size};
        inner.piece_count = 1;
        recover(carving, part->offset, &inner);
    }
}

/* Free space and the like are no object, whatever they hold; a file is one. */
static bool is_object(const struct carving *carving)
{
    return carving->info->kind == STREAM_FILE || carving->info->kind == STREAM_ADS ||
           carving->info->kind == STREAM_META || carving->info->kind == STREAM_CHILD;
}

/* Inside an object what cannot be followed to its end is a piece of that object's own data. */
static bool is_wanted(const struct carving *carving, const struct verdict *verdict)
{
    return verdict->carved.grade >= (is_object(carving) ? CARVE_COMPLETE : CARVE_FRAGMENT);
}

/* What was recovered last, and whether every byte of that is known to be its own. Where it is not, what
 * begins at a sector inside of it may be another file between two pieces of it, if it is whole; of the same
 * format only if it is sure, for a part of an archive or of sound looks like one that is whole. */
struct covered {
    uint64_t end;
    bool checked;
    const struct carve_format *format;
};

static bool is_hidden(const struct covered *covered, uint64_t start)
{
    return start < covered->end && (covered->checked || start % SECTOR != 0);
}

static bool is_part(const struct covered *covered, uint64_t start, const struct verdict *verdict)
{
    enum carve_grade least = verdict->row->format == covered->format ? CARVE_VALIDATED : CARVE_COMPLETE;

    return start < covered->end && verdict->carved.grade < least;
}

static void cover(struct covered *covered, uint64_t start, const struct verdict *verdict)
{
    uint64_t end = start + (verdict->piece_count > 1 ? verdict->pieces[0].size : verdict->carved.good);

    if (end > covered->end)
        *covered = (struct covered){end, verdict->carved.grade == CARVE_VALIDATED, verdict->row->format};
}

static void carve_all(struct carving *carving, struct carve_stream *stream)
{
    struct covered covered = {.end = 0};
    size_t next;

    for (size_t i = 0; i < stream->count; i = next) {
        uint64_t start = stream->hits[i].start;
        struct verdict verdict;

        if (is_hidden(&covered, start) || start >= carving->info->size) {
            next = i + 1;
            continue;
        }
        judge_place(carving, stream, i, &verdict, &next);
        if (verdict.row == NULL || is_part(&covered, start, &verdict))
            continue;
        if (is_object(carving) && start == 0 && verdict.carved.size == carving->info->size) {
            recover_parts(carving, verdict.carved.parts, verdict.carved.part_count, verdict.row);
        } else if (is_wanted(carving, &verdict)) {
            if (may_be_mended(&verdict))
                mend(carving, start, &verdict);
            recover(carving, start, &verdict);
            cover(&covered, start, &verdict);
        }
    }
}

static int carve_finish(struct scan *scan, enum scan_status status)
{
    struct carve_stream *stream = scan_state(scan);
    struct carving carving = {
        .scan = scan, .info = scan_stream(scan), .effort = EFFORT_STREAM(scan_stream(scan)->size)};

    (void)status;
    recover_parts(&carving, stream->parts, stream->part_count, stream->row);
    if (stream->count > 0) {
        qsort(stream->hits, stream->count, sizeof stream->hits[0], compare_hits);
        carving.reader = reader_new(read_stream, &carving);
        if (carving.reader != NULL)
            carve_all(&carving, stream);
        reader_free(carving.reader);
    }
    free(stream->hits);
    return stream->count > 0 && carving.reader == NULL ? -ENOMEM : 0;
}

const struct plugin plugin_carve = {
    .abi = PLUGIN_ABI,
    .version = 1,
    .name = "carve",
    .summary = "Files in free space, slack and unread volumes, by their structure",
    .emits = carve_emits,
    .ahead = SIGNATURE_WIDTH_MAX,
    .worker_size = sizeof(struct carve_worker),
    .stream_size = sizeof(struct carve_stream),
    .setup = carve_setup,
    .teardown = carve_teardown,
    .start = carve_start,
    .feed = carve_feed,
    .finish = carve_finish,
};
