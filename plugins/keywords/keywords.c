/*
 * keywords: the words, phrases and regular expressions of an investigator's lists, in every writing that
 * their letters may stand in. README.md says which, and how a list is written.
 */
#include "engine/base/text.h"
#include "engine/plugin.h"
#include "plugins/keywords/excerpt.h"
#include "plugins/keywords/search.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BEFORE = EXCERPT_BYTES, AHEAD = SEARCH_AHEAD + EXCERPT_BYTES, WRITING_NAMES = 64 };

static const struct field fields[] = {
    {"offset", FIELD_U64, "bytes", "of the hit in the stream"},
    {"physical", FIELD_U64, "bytes", "where on the medium; nothing when it is not there as it stands"},
    {"length", FIELD_U64, "bytes", "of the hit"},
    {"keyword", FIELD_TEXT, "", "as the list has it"},
    {"keyword_group", FIELD_TEXT, "", "the list's group that it is in; empty for none"},
    {"writing", FIELD_TEXT, "",
     "how it stands in the evidence: utf-8, utf-16le, georgian-academy, acadnusx ..."},
    {"text_before", FIELD_TEXT, "", "what stands before it, up to 40 characters"},
    {"text", FIELD_TEXT, "", "the hit as it stands there, up to 200 characters"},
    {"text_after", FIELD_TEXT, "", "what stands behind it, up to 40 characters"},
    {"list", FIELD_TEXT, "", "the list and the line in it"},
};
static const struct record_type hit_type = {
    .name = "keywords",
    .version = 2,
    .what = "a keyword that stands in the content",
    .fields = fields,
    .field_count = sizeof fields / sizeof fields[0],
};
static const struct record_type *const emits[] = {&hit_type, NULL};

struct worker {
    struct search *search; /* NULL: there is nothing to search for */
    uint64_t limit;
};

/* How often a keyword was found in this stream. */
struct tally {
    uint32_t keyword; /* plus 1; 0: free */
    bool gave_up;
    uint64_t count, dropped_at;
};

struct stream {
    uint8_t before[BEFORE];
    size_t before_size;
    struct search_marks marks;
    struct tally *tallies;
    size_t tally_count, tally_capacity;
};

/* ------------------------------------------------------------------ setting up */

static void report(const struct list *list)
{
    for (size_t i = 0; i < list->file_count; i++) {
        const struct list_file *file = &list->files[i];

        setup_loaded("keywords", "list", file->name, file->sha256, file->keywords, NULL);
        for (size_t j = 0; j < file->complaint_count; j++)
            setup_loaded("keywords", "line", file->name, file->sha256, 0, file->complaints[j].text);
    }
}

static int keywords_setup(void *memory, const struct settings *settings, struct why *why)
{
    struct worker *worker = memory;
    const char *paths = settings_text(settings, "keywords.files");
    int code;

    worker->limit = settings_number(settings, "keywords.hits");
    if (*paths == '\0')
        return 0;
    code = keyword_search_new(paths, &worker->search, why);
    if (code == 0)
        report(keyword_search_list(worker->search));
    return code;
}

static void keywords_teardown(void *memory)
{
    struct worker *worker = memory;

    keyword_search_free(worker->search);
}

/* The files, slack and free space of an image are streams of their own. */
static enum plugin_want keywords_start(struct scan *scan)
{
    const struct worker *worker = scan_worker(scan);

    if (worker->search == NULL || keyword_search_pattern_count(worker->search) == 0 ||
        scan_stream(scan)->kind == STREAM_IMAGE)
        return PLUGIN_SKIP;
    return PLUGIN_FEED;
}

/* ------------------------------------------------------------------ counting */

static struct tally *tally_of(struct stream *stream, uint32_t keyword)
{
    if (stream->tally_count * 2 >= stream->tally_capacity) {
        size_t capacity = stream->tally_capacity == 0 ? 64 : stream->tally_capacity * 2;
        struct stream larger = {.tallies = calloc(capacity, sizeof(struct tally)),
                                .tally_capacity = capacity};

        if (larger.tallies == NULL)
            return NULL;
        for (size_t i = 0; i < stream->tally_capacity; i++) {
            if (stream->tallies[i].keyword != 0)
                *tally_of(&larger, stream->tallies[i].keyword - 1) = stream->tallies[i];
        }
        free(stream->tallies);
        stream->tallies = larger.tallies;
        stream->tally_count = larger.tally_count;
        stream->tally_capacity = capacity;
    }
    for (size_t slot = keyword * 2654435761U % stream->tally_capacity;;
         slot = (slot + 1) % stream->tally_capacity) {
        struct tally *tally = &stream->tallies[slot];

        if (tally->keyword == 0) {
            tally->keyword = keyword + 1;
            stream->tally_count++;
        }
        if (tally->keyword == keyword + 1)
            return tally;
    }
}

static void on_gave_up(void *context, uint32_t pattern, uint64_t offset)
{
    struct scan *scan = context;
    const struct worker *worker = scan_worker(scan);
    uint32_t index = keyword_search_pattern(worker->search, pattern)->keyword;
    struct tally *tally = tally_of(scan_state(scan), index);

    if (tally == NULL || tally->gave_up)
        return;
    tally->gave_up = true;
    scan_limited(scan, offset,
                 "the keyword \"%s\" takes too many steps here and perhaps elsewhere; it counts as no hit",
                 keyword_search_list(worker->search)->keywords[index].text);
}

static int compare_tallies(const void *a, const void *b)
{
    const struct tally *one = a, *two = b;

    return one->keyword < two->keyword ? -1 : one->keyword > two->keyword;
}

/* In the order of the lists, and not of a hash table. */
static void tell_dropped(struct scan *scan, struct stream *stream)
{
    const struct worker *worker = scan_worker(scan);
    const struct list *list = keyword_search_list(worker->search);

    if (stream->tally_capacity > 0)
        qsort(stream->tallies, stream->tally_capacity, sizeof stream->tallies[0], compare_tallies);
    for (size_t i = 0; i < stream->tally_capacity; i++) {
        const struct tally *tally = &stream->tallies[i];

        if (tally->keyword != 0 && tally->count > worker->limit)
            scan_limited(
                scan, tally->dropped_at,
                "keywords.hits: the keyword \"%s\" stands here %llu times; the first %llu are recorded",
                list->keywords[tally->keyword - 1].text, (unsigned long long)tally->count,
                (unsigned long long)worker->limit);
    }
}

/* ------------------------------------------------------------------ hits */

/* The bytes before data[at], which may lie in the block before. `room` has BEFORE bytes. */
static const uint8_t *bytes_before(const struct stream *stream, const struct block *block, size_t at,
                                   uint8_t *room, size_t *ret_size)
{
    size_t old;

    if (at >= BEFORE || stream->before_size == 0) {
        *ret_size = at < BEFORE ? at : BEFORE;
        return block->data + at - *ret_size;
    }
    old = BEFORE - at < stream->before_size ? BEFORE - at : stream->before_size;
    memcpy(room, stream->before + stream->before_size - old, old);
    memcpy(room + old, block->data, at);
    *ret_size = old + at;
    return room;
}

struct found {
    const struct hit *hit;
    const struct writing *writing;
    char names[WRITING_NAMES];
};

static int put_hit(struct scan *scan, const struct block *block, const struct found *found)
{
    const struct worker *worker = scan_worker(scan);
    const struct keyword *keyword =
        &keyword_search_list(worker->search)
             ->keywords[keyword_search_pattern(worker->search, found->hit->pattern)->keyword];
    size_t at = (size_t)(found->hit->offset - block->offset), behind = at + found->hit->size, size;
    size_t left = block->size + block->ahead - behind;
    uint64_t physical = scan_physical(scan, found->hit->offset);
    uint8_t room[BEFORE];
    struct buf before = {0}, text = {0}, after = {0}, list = {0};
    const uint8_t *bytes = bytes_before(scan_state(scan), block, at, room, &size);
    struct value values[sizeof fields / sizeof fields[0]];
    int code;

    excerpt(&before, found->writing, bytes, size, EXCERPT_CHARACTERS, true);
    excerpt(&text, found->writing, block->data + at, found->hit->size, EXCERPT_BYTES, false);
    excerpt(&after, found->writing, block->data + behind, left < EXCERPT_BYTES ? left : EXCERPT_BYTES,
            EXCERPT_CHARACTERS, false);
    buf_printf(&list, "%s:%u", keyword->file, keyword->line);
    values[0] = value_u64(found->hit->offset);
    values[1] = physical != UINT64_MAX ? value_u64(physical) : value_none();
    values[2] = value_u64(found->hit->size);
    values[3] = value_text(keyword->text);
    values[4] = value_text(keyword->group);
    values[5] = value_text(found->names);
    values[6] = value_bytes(before.data, before.size);
    values[7] = value_bytes(text.data, text.size);
    values[8] = value_bytes(after.data, after.size);
    values[9] = value_bytes(list.data, list.size);
    code = buf_failed(&before) || buf_failed(&text) || buf_failed(&after) || buf_failed(&list)
               ? -ENOMEM
               : scan_emit(scan, &hit_type, values);
    buf_finish(&before);
    buf_finish(&text);
    buf_finish(&after);
    buf_finish(&list);
    return code == -ENOSPC ? 0 : code;
}

static int take_hit(struct scan *scan, const struct block *block, const struct found *found)
{
    const struct worker *worker = scan_worker(scan);
    struct tally *tally =
        tally_of(scan_state(scan), keyword_search_pattern(worker->search, found->hit->pattern)->keyword);

    if (tally == NULL)
        return -ENOMEM;
    if (++tally->count <= worker->limit)
        return put_hit(scan, block, found);
    if (tally->count == worker->limit + 1)
        tally->dropped_at = found->hit->offset;
    return 0;
}

static bool is_ascii_pair(const struct search_window *window, const struct hit *hit, bool big)
{
    size_t at = (size_t)(hit->offset - window->offset);

    for (size_t i = 0; i < hit->size; i += 2) {
        if (window->data[at + i + !big] != 0)
            return false;
    }
    return true;
}

/* "h\0e\0r\0o\0" with a zero before it is also "\0h\0e\0r\0o", one byte earlier. One of the two begins at an
 * even place, and that is the one that counts, when it is a hit too. */
static bool is_other_half(struct search *search, const struct search_window *window, const struct hit *hit)
{
    const struct pattern *pattern = keyword_search_pattern(search, hit->pattern);
    bool big = pattern->writing->kind == WRITING_UTF16BE;
    size_t at = (size_t)(hit->offset - window->offset);
    uint8_t room[SEARCH_BEFORE + SEARCH_AHEAD];
    struct search_window shifted = *window;
    size_t before;

    if (hit->offset % 2 == 0 || (pattern->writing->kind != WRITING_UTF16LE && !big) ||
        !is_ascii_pair(window, hit, big))
        return false;
    if (big) /* the pattern that follows is not the other half's: writings stand in the order LE, BE */
        return at + 1 < window->size &&
               keyword_search_match(search, window, hit->pattern - 1, at + 1) == hit->size;
    if (at > 0)
        return keyword_search_match(search, window, hit->pattern + 1, at - 1) == hit->size;
    before = window->before_size < SEARCH_BEFORE ? window->before_size : SEARCH_BEFORE;
    if (before == 0)
        return false;
    memcpy(room, window->before + window->before_size - before, before);
    shifted.size = window->size < SEARCH_AHEAD ? window->size : SEARCH_AHEAD;
    memcpy(room + before, window->data, shifted.size);
    shifted.data = room;
    shifted.size += before;
    shifted.before_size = 0;
    return keyword_search_match(search, &shifted, hit->pattern + 1, before - 1) == hit->size;
}

static bool is_same_place(const struct search *search, const struct hit *a, const struct hit *b)
{
    return a->offset == b->offset && a->size == b->size &&
           keyword_search_pattern(search, a->pattern)->keyword ==
               keyword_search_pattern(search, b->pattern)->keyword;
}

/* The same bytes may be a keyword in two writings (dato: romanised and under the legacy fonts): one record
 * that names both. */
static size_t join(const struct search *search, const struct hit *hits, size_t count, struct found *ret_found)
{
    size_t same = 1, length;

    *ret_found =
        (struct found){.hit = hits, .writing = keyword_search_pattern(search, hits->pattern)->writing};
    strncat(ret_found->names, ret_found->writing->name, sizeof ret_found->names - 1);
    for (; same < count && is_same_place(search, hits, &hits[same]); same++) {
        length = strlen(ret_found->names);
        strncat(ret_found->names, ", ", sizeof ret_found->names - 1 - length);
        length = strlen(ret_found->names);
        strncat(ret_found->names, keyword_search_pattern(search, hits[same].pattern)->writing->name,
                sizeof ret_found->names - 1 - length);
    }
    return same;
}

static void remember(struct stream *stream, const struct block *block)
{
    size_t keep;

    if (block->size >= BEFORE) {
        memcpy(stream->before, block->data + block->size - BEFORE, BEFORE);
        stream->before_size = BEFORE;
        return;
    }
    keep = BEFORE - block->size < stream->before_size ? BEFORE - block->size : stream->before_size;
    memmove(stream->before, stream->before + stream->before_size - keep, keep);
    memcpy(stream->before + keep, block->data, block->size);
    stream->before_size = keep + block->size;
}

static int keywords_feed(struct scan *scan, const struct block *block)
{
    struct worker *worker = scan_worker(scan);
    struct stream *stream = scan_state(scan);
    size_t size = block->size + (block->ahead < SEARCH_AHEAD ? block->ahead : SEARCH_AHEAD), count;
    struct search_window window = {block->data,   block->size,    size,
                                   block->offset, stream->before, stream->before_size};
    const struct hit *hits;
    int code =
        keyword_search_window(worker->search, &stream->marks, &window, on_gave_up, scan, &hits, &count);

    for (size_t i = 0; i < count && code == 0;) {
        struct found found;

        if (is_other_half(worker->search, &window, &hits[i])) {
            i++;
            continue;
        }
        i += join(worker->search, &hits[i], count - i, &found);
        code = take_hit(scan, block, &found);
    }
    remember(stream, block);
    return code;
}

static int keywords_finish(struct scan *scan, enum scan_status status)
{
    struct stream *stream = scan_state(scan);

    (void)status;
    tell_dropped(scan, stream);
    free(stream->tallies);
    keyword_search_marks_finish(&stream->marks);
    return 0;
}

const struct plugin plugin_keywords = {
    .abi = PLUGIN_ABI,
    .version = 2,
    .name = "keywords",
    .summary = "keywords in every writing: Unicode, 8-bit Georgian and Cyrillic, AcadNusx, romanised "
               "(--keywords FILE)",
    .emits = emits,
    .ahead = AHEAD,
    .worker_size = sizeof(struct worker),
    .stream_size = sizeof(struct stream),
    .setup = keywords_setup,
    .teardown = keywords_teardown,
    .start = keywords_start,
    .feed = keywords_feed,
    .finish = keywords_finish,
};
