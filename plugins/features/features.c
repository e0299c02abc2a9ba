/*
 * features: what investigators search for, in every stream: addresses, numbers, accounts, keys, documents,
 * with the checks that their standards give them.
 *
 * The stream is searched in pieces that begin at multiples of PIECE, each with what lies before and behind
 * it, whatever blocks it comes in: so what is found does not depend on these. A value is told once a stream,
 * with how often and where it was seen.
 */
#include "plugins/features/search.h"

#include "engine/base/buf.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/plugin.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { PIECE = 256 * 1024, BEHIND = 8 * 1024, AHEAD = 16 * 1024, WINDOW = BEHIND + PIECE + AHEAD };

struct features_worker {
    struct search *search;
    uint64_t limit;
    uint64_t seed;
    struct hit_pool pool;
};

struct features_stream {
    struct hits hits;
    uint8_t *window; /* owned; bytes [begin, begin + filled) of the stream */
    size_t capacity;
    size_t filled;
    uint64_t begin;
    uint64_t next; /* where the next piece begins */
};

static const struct field fields[] = {
    {"kind", FIELD_TEXT, "", "what it is: email, card, iban ..."},
    {"value", FIELD_TEXT, "", "as it stands where it was first seen"},
    {"normal", FIELD_TEXT, "", "the form in which the same value is always the same text"},
    {"rank", FIELD_TEXT, "",
     "checksum: its check digits or sum fit; context: a word or form around it says so; format"},
    {"offset", FIELD_U64, "bytes", "where in the stream it was first seen"},
    {"physical", FIELD_U64, "bytes", "where on the medium; nothing when it is not there as it stands"},
    {"size", FIELD_U64, "bytes", "of the first, as encoded"},
    {"encoding", FIELD_TEXT, "", "utf-8 (and ASCII), utf-16le, utf-16be"},
    {"count", FIELD_U64, "", "how often in this stream"},
    {"more", FIELD_JSON, "", "offsets of the next ones, eight at most"},
    {"before", FIELD_TEXT, "", "what stands before it"},
    {"behind", FIELD_TEXT, "", "what stands behind it"},
    {"detail", FIELD_JSON, "", "parts of it: fields of a document, the issuer ..."},
};
static const struct record_type feature_type = {"feature", 1, "something that investigators search for",
                                                fields, sizeof fields / sizeof fields[0]};
static const struct record_type *const features_emits[] = {&feature_type, NULL};

static int features_setup(void *worker, const struct settings *settings, struct why *why)
{
    struct features_worker *mine = worker;

    mine->limit = settings_number(settings, "features.limit");
    if (getrandom(&mine->seed, sizeof mine->seed, 0) != sizeof mine->seed)
        return why_set(why, -errno, "no random number");
    return search_new(settings_text(settings, "features.tables"), &mine->search, why);
}

static void features_teardown(void *worker)
{
    struct features_worker *mine = worker;

    search_free(mine->search);
    hit_pool_finish(&mine->pool);
}

/* The image as a whole is files, free space and gaps, which are streams of their own. */
static enum plugin_want features_start(struct scan *scan)
{
    struct features_worker *mine = scan_worker(scan);
    struct features_stream *stream = scan_state(scan);

    stream->hits.pool = &mine->pool;
    stream->hits.seed = mine->seed;
    return scan_stream(scan)->kind == STREAM_IMAGE ? PLUGIN_SKIP : PLUGIN_FEED;
}

struct adding {
    struct hits *hits;
    uint64_t limit;
};

static int on_occurrence(void *context, const struct occurrence *occurrence)
{
    struct adding *adding = context;

    return hits_add(adding->hits, occurrence, adding->limit);
}

static int search_next(struct scan *scan, const uint8_t *data, size_t size, uint64_t begin)
{
    const struct features_worker *mine = scan_worker(scan);
    struct features_stream *stream = scan_state(scan);
    struct adding adding = {&stream->hits, mine->limit};
    size_t from = (size_t)(stream->next - begin), to = size - from > PIECE ? from + PIECE : size;
    const struct piece piece = {data, size, from, to, begin};

    stream->next += to - from;
    return search_piece(mine->search, &piece, on_occurrence, &adding);
}

/* Keeps what the next piece needs before it. */
static void slide(struct features_stream *stream)
{
    uint64_t keep = stream->next > BEHIND ? stream->next - BEHIND : 0;
    size_t drop = (size_t)(keep - stream->begin);

    if (drop == 0)
        return;
    memmove(stream->window, stream->window + drop, stream->filled - drop);
    stream->filled -= drop;
    stream->begin = keep;
}

/* Room for what is left of the stream, or a whole window. */
static int make_room(struct features_stream *stream, size_t more)
{
    size_t wanted = more < WINDOW - stream->filled ? stream->filled + more : WINDOW;
    uint8_t *window;

    if (wanted <= stream->capacity)
        return 0;
    wanted = wanted < WINDOW / 2 ? 2 * wanted : WINDOW;
    window = realloc(stream->window, wanted);
    if (window == NULL)
        return -ENOMEM;
    stream->window = window;
    stream->capacity = wanted;
    return 0;
}

static int append(struct scan *scan, const uint8_t *data, size_t size)
{
    struct features_stream *stream = scan_state(scan);

    while (size > 0) {
        size_t part = size < WINDOW - stream->filled ? size : WINDOW - stream->filled;
        int code = make_room(stream, part);

        if (code < 0)
            return code;
        memcpy(stream->window + stream->filled, data, part);
        stream->filled += part;
        data += part;
        size -= part;
        if (stream->begin + stream->filled < stream->next + PIECE + AHEAD)
            continue;
        code = search_next(scan, stream->window, stream->filled, stream->begin);
        if (code < 0)
            return code;
        slide(stream);
    }
    return 0;
}

/* What is left when no more bytes come. */
static int search_rest(struct scan *scan, const uint8_t *data, size_t size, uint64_t begin)
{
    const struct features_stream *stream = scan_state(scan);
    int code = 0;

    while (code == 0 && stream->next < begin + size)
        code = search_next(scan, data, size, begin);
    return code;
}

static int features_feed(struct scan *scan, const struct block *block)
{
    const struct features_stream *stream = scan_state(scan);

    if (block->last && block->offset == 0 && block->size <= PIECE)
        return search_rest(scan, block->data, block->size, 0);
    (void)stream;
    return append(scan, block->data, block->size);
}

/* ------------------------------------------------------------------ records */

static struct value escaped(struct buf *buf, size_t at)
{
    return value_bytes(buf->data + at, buf->size - at);
}

static struct value put_more(struct buf *buf, const struct hit *hit)
{
    size_t at = buf->size;

    for (size_t i = 0; i < HIT_OFFSETS && i + 1 < hit->count; i++)
        buf_printf(buf, "%s%llu", i == 0 ? "[" : ",", (unsigned long long)hit->more[i]);
    if (buf->size == at)
        return value_none();
    buf_u8(buf, ']');
    return escaped(buf, at);
}

static int emit(struct scan *scan, const struct hit *hit, struct buf *buf)
{
    static const char *const encodings[] = {"utf-8", "utf-16le", "utf-16be"};
    enum { TEXTS = 4 };
    const size_t sizes[TEXTS] = {hit->value_size, hit->normal_size, hit->before_size, hit->behind_size};
    const uint8_t *const starts[TEXTS] = {hit->bytes, hit->bytes + hit->value_size,
                                          hit->bytes + hit->value_size + hit->normal_size + hit->detail_size,
                                          hit->bytes + hit->value_size + hit->normal_size + hit->detail_size +
                                              hit->before_size};
    uint64_t physical = scan_physical(scan, hit->offset);
    struct value texts[TEXTS];
    size_t ends[TEXTS + 1] = {0};

    buf_clear(buf);
    for (size_t i = 0; i < TEXTS; i++) {
        text_escape(buf, starts[i], sizes[i]);
        ends[i + 1] = buf->size;
    }
    struct value more = put_more(buf, hit);
    if (buf_failed(buf))
        return -ENOMEM;
    for (size_t i = 0; i < TEXTS; i++)
        texts[i] = value_bytes(buf->data + ends[i], ends[i + 1] - ends[i]);
    if (more.present)
        more = value_bytes(buf->data + ends[TEXTS], buf->size - ends[TEXTS]);
    const struct value values[] = {
        value_text(feature_kind_name(hit->kind)),
        texts[0],
        texts[1],
        value_text(feature_rank_name(hit->rank)),
        value_u64(hit->offset),
        physical != UINT64_MAX ? value_u64(physical) : value_none(),
        value_u64(hit->size),
        value_text(encodings[hit->encoding]),
        value_u64(hit->count),
        more,
        texts[2],
        texts[3],
        hit->detail_size > 0 ? value_bytes(starts[1] + hit->normal_size, hit->detail_size) : value_none(),
    };
    return scan_emit(scan, &feature_type, values);
}

static int emit_all(struct scan *scan)
{
    const struct features_worker *mine = scan_worker(scan);
    const struct features_stream *stream = scan_state(scan);
    struct buf buf = {0};
    int code = 0;

    for (size_t i = 0; i < stream->hits.count && code == 0; i++)
        code = emit(scan, stream->hits.items[i], &buf);
    buf_finish(&buf);
    for (int kind = 0; kind < FEATURE_KINDS && code == 0; kind++) {
        if (stream->hits.dropped[kind] > 0)
            scan_limited(scan, 0,
                         "features.limit: more than %llu different values of kind %s: %llu places with "
                         "others are not told",
                         (unsigned long long)mine->limit, feature_kind_name((enum feature_kind)kind),
                         (unsigned long long)stream->hits.dropped[kind]);
    }
    return code == -ENOSPC ? 0 : code; /* limit.records: the engine has said so */
}

static int features_finish(struct scan *scan, enum scan_status status)
{
    struct features_stream *stream = scan_state(scan);
    int code = search_rest(scan, stream->window, stream->filled, stream->begin);

    (void)status;
    if (code == 0)
        code = emit_all(scan);
    hits_finish(&stream->hits);
    free(stream->window);
    return code;
}

const struct plugin plugin_features = {
    .abi = PLUGIN_ABI,
    .version = 3,
    .name = "features",
    .summary = "Addresses, numbers, accounts, keys and documents, with their checks",
    .emits = features_emits,
    .worker_size = sizeof(struct features_worker),
    .stream_size = sizeof(struct features_stream),
    .setup = features_setup,
    .teardown = features_teardown,
    .start = features_start,
    .feed = features_feed,
    .finish = features_finish,
};
