/*
 * search: marks and cores say where to look, examiners look, and what they find is sorted, so that it does
 * not matter in which order they did.
 */
#include "plugins/features/search.h"

#include "plugins/features/cores.h"
#include "plugins/features/examiners.h"
#include "plugins/features/masks.h"
#include "plugins/features/wide.h"

#include "engine/base/buf.h"
#include "engine/base/hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How far before and behind [from, to) a mark may lie that leads to something that begins in it. */
enum { MARGIN = 384, VALUE_MAX = FEATURE_MAX };

/* An occurrence whose bytes lie in `search->bytes` one behind the other. */
struct candidate {
    struct occurrence occurrence;
    size_t at;
};

struct search {
    struct tables *tables;
    struct cores *cores;
    struct hash_sha256 *sha256;
    struct marks marks, wide_marks;
    struct seen_list seen;
    struct place *places;
    size_t place_capacity;
    struct wide wide;
    struct candidate *candidates;
    size_t count, capacity;
    struct buf bytes;
    int failed;
};

void search_free(struct search *search)
{
    if (search == NULL)
        return;
    cores_free(search->cores);
    tables_free(search->tables);
    hash_sha256_free(search->sha256);
    marks_finish(&search->marks);
    marks_finish(&search->wide_marks);
    wide_finish(&search->wide);
    free(search->seen.items);
    free(search->places);
    free(search->candidates);
    buf_finish(&search->bytes);
    free(search);
}

int search_new(const char *folder, struct search **ret_search, struct why *why)
{
    struct search *search = calloc(1, sizeof *search);
    int code =
        search != NULL ? tables_load(folder, &search->tables, why) : why_set(why, -ENOMEM, "no memory");

    if (code == 0)
        code = cores_new(search->tables, &search->cores, why);
    if (code == 0) {
        search->sha256 = hash_sha256_new();
        if (search->sha256 == NULL)
            code = why_set(why, -ENOMEM, "no memory");
    }
    if (code < 0) {
        search_free(search);
        return code;
    }
    *ret_search = search;
    return 0;
}

/* ------------------------------------------------------------------ one text */

struct looking {
    struct search *search;
    const struct piece *piece;
    const struct wide *wide; /* NULL: the bytes as they are */
};

static void failed(struct search *search, int code)
{
    if (search->failed == 0)
        search->failed = code;
}

static struct candidate *candidate_new(struct search *search)
{
    if (search->count == search->capacity) {
        size_t capacity = search->capacity > 0 ? 2 * search->capacity : 256;
        struct candidate *candidates = reallocarray(search->candidates, capacity, sizeof candidates[0]);

        if (candidates == NULL) {
            failed(search, -ENOMEM);
            return NULL;
        }
        search->candidates = candidates;
        search->capacity = capacity;
    }
    return &search->candidates[search->count++];
}

/* So that no character is cut: the first byte at or behind `begin`, and the end before `end`. */
static size_t character_begin(const struct text *text, size_t begin, size_t end)
{
    while (begin < end && (text->data[begin] & 0xc0) == 0x80)
        begin++;
    return begin;
}

static size_t character_end(const struct text *text, size_t begin, size_t end)
{
    while (end > begin && end < text->size && (text->data[end] & 0xc0) == 0x80)
        end--;
    return end;
}

static size_t keep(struct buf *bytes, const void *data, size_t size)
{
    buf_append(bytes, data, size);
    return size;
}

static void on_found(struct finder *finder, const struct text *text, const struct found *found)
{
    const struct looking *looking = finder->context;
    struct search *search = looking->search;
    const struct piece *piece = looking->piece;
    const struct wide *wide = looking->wide;
    size_t begin = wide != NULL ? wide->from[found->begin] : found->begin,
           end = wide != NULL ? wide->from[found->end] : found->end,
           before = found->begin > CONTEXT_SIZE ? found->begin - CONTEXT_SIZE : 0,
           behind = text->size - found->end > CONTEXT_SIZE ? found->end + CONTEXT_SIZE : text->size,
           size = found->end - found->begin < VALUE_MAX ? found->end - found->begin : VALUE_MAX;
    struct candidate *candidate;
    struct occurrence *o;

    if (begin < piece->from || begin >= piece->to)
        return;
    candidate = candidate_new(search);
    if (candidate == NULL)
        return;
    candidate->at = search->bytes.size;
    candidate->occurrence = (struct occurrence){.kind = found->kind,
                                                .rank = found->rank,
                                                .encoding = wide == NULL       ? ENCODING_UTF8
                                                            : wide->big_endian ? ENCODING_UTF16BE
                                                                               : ENCODING_UTF16LE,
                                                .offset = piece->offset + begin,
                                                .size = end - begin};
    o = &candidate->occurrence;
    before = character_begin(text, before, found->begin);
    behind = character_end(text, found->end, behind);
    o->value_size = keep(&search->bytes, text->data + found->begin, size);
    o->normal_size = found->normal != NULL ? keep(&search->bytes, found->normal, strlen(found->normal))
                                           : keep(&search->bytes, text->data + found->begin, size);
    o->detail_size = found->detail != NULL ? keep(&search->bytes, found->detail, strlen(found->detail)) : 0;
    o->before_size = keep(&search->bytes, text->data + before, found->begin - before);
    o->behind_size = keep(&search->bytes, text->data + found->end, behind - found->end);
}

static examiner *const by_trigger[TRIGGERS] = {
    [TRIGGER_AT] = examine_email,      [TRIGGER_SCHEME] = examine_url,
    [TRIGGER_DIGITS] = examine_digits, [TRIGGER_GROUPS] = examine_groups,
    [TRIGGER_DOTTED] = examine_ipv4,   [TRIGGER_DECIMAL] = examine_coordinates,
    [TRIGGER_PLUS] = examine_phone,    [TRIGGER_RUN] = examine_coin,
    [TRIGGER_CAPITALS] = examine_mrz,  [TRIGGER_PAIRS] = examine_mac,
    [TRIGGER_COLONS] = examine_ipv6,   [TRIGGER_WORDS] = examine_seed,
    [TRIGGER_PLATE] = examine_plate,   [TRIGGER_IBAN] = examine_iban,
};

static bool find_places(struct search *search, struct text *text, size_t shift)
{
    if (search->place_capacity < search->seen.count) {
        struct place *places = reallocarray(search->places, search->seen.count, sizeof places[0]);

        if (places == NULL)
            return false;
        search->places = places;
        search->place_capacity = search->seen.count;
    }
    text->places = search->places;
    text->place_count = cores_places(search->cores, &search->seen, text, shift, search->places);
    return true;
}

/* Bytes [from, to) of the text are searched for marks and cores. */
static void search_text(struct looking *looking, const uint8_t *data, size_t size, size_t from, size_t to,
                        struct marks *marks)
{
    struct search *search = looking->search;
    struct finder finder = {
        .tables = search->tables, .sha256 = search->sha256, .found = on_found, .context = looking};
    struct text text = {.data = data, .size = size};
    int code = cores_search(search->cores, data + from, to - from, &search->seen);

    marks->count = 0;
    if (code < 0 || !masks_find(data + from, to - from, looking->wide == NULL, marks) ||
        !find_places(search, &text, from)) {
        failed(search, code < 0 ? code : -ENOMEM);
        return;
    }
    for (size_t i = 0; i < marks->count; i++) {
        if (by_trigger[marks->items[i].trigger] != NULL)
            by_trigger[marks->items[i].trigger](&finder, &text, from + marks->items[i].at);
    }
    for (size_t i = 0; i < search->seen.count; i++)
        cores_examine(search->cores, &search->seen.items[i], &finder, &text, from);
}

/* The runs of UTF-16 that were marked. */
static void search_wide(struct search *search, const struct piece *piece, size_t from)
{
    struct looking looking = {search, piece, &search->wide};
    size_t done[2] = {0, 0};

    for (size_t i = 0; i < search->marks.count && search->failed == 0; i++) {
        size_t at = from + search->marks.items[i].at;
        int code;

        if (search->marks.items[i].trigger != TRIGGER_WIDE || at < done[at % 2])
            continue;
        code = wide_decode(&search->wide, piece->data, piece->size, at, piece->offset % 2 != 0);
        if (code < 0)
            failed(search, code);
        else if (search->wide.size > 0)
            search_text(&looking, search->wide.text, search->wide.size, 0, search->wide.size,
                        &search->wide_marks);
        if (search->wide.end > done[at % 2])
            done[at % 2] = search->wide.end;
    }
}

/* ------------------------------------------------------------------ in order */

static int compare(const void *a, const void *b)
{
    const struct occurrence *left = &((const struct candidate *)a)->occurrence,
                            *right = &((const struct candidate *)b)->occurrence;

    if (left->offset != right->offset)
        return left->offset < right->offset ? -1 : 1;
    if (left->kind != right->kind)
        return left->kind < right->kind ? -1 : 1;
    if (left->rank != right->rank)
        return left->rank > right->rank ? -1 : 1;
    if (left->size != right->size)
        return left->size > right->size ? -1 : 1;
    return left->normal_size < right->normal_size ? -1 : left->normal_size > right->normal_size;
}

static void point(struct occurrence *o, const uint8_t *bytes)
{
    o->value = bytes;
    o->normal = o->value + o->value_size;
    o->detail = o->normal + o->normal_size;
    o->before = o->detail + o->detail_size;
    o->behind = o->before + o->before_size;
}

static int tell_all(struct search *search, search_each *each, void *context)
{
    const struct occurrence *last = NULL;
    int code = 0;

    if (search->count > 0)
        qsort(search->candidates, search->count, sizeof search->candidates[0], compare);
    for (size_t i = 0; i < search->count && code == 0; i++) {
        struct occurrence *o = &search->candidates[i].occurrence;

        if (last != NULL && last->offset == o->offset && last->kind == o->kind)
            continue;
        point(o, search->bytes.data + search->candidates[i].at);
        code = each(context, o);
        last = o;
    }
    return code;
}

int search_piece(struct search *search, const struct piece *piece, search_each *each, void *context)
{
    struct looking looking = {search, piece, NULL};
    size_t from = piece->from > MARGIN ? piece->from - MARGIN : 0,
           to = piece->size - piece->to > MARGIN ? piece->to + MARGIN : piece->size;

    search->count = 0;
    search->failed = 0;
    buf_clear(&search->bytes);
    search_text(&looking, piece->data, piece->size, from, to, &search->marks);
    search_wide(search, piece, from);
    if (search->failed == 0 && buf_failed(&search->bytes))
        search->failed = -ENOMEM;
    return search->failed < 0 ? search->failed : tell_all(search, each, context);
}
