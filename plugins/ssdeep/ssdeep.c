/*
 * ssdeep: context triggered piecewise hashes (Kornblum 2006; libfuzzy) of contents, and the nearest of the
 * known ones in hash sets or a list.
 *
 * A shared object of its own for --plugin, never a part of kvali-worker: libfuzzy's licence is the GPL, which
 * does not go with libtsk's in one program that is given to others.
 */
#include "engine/plugin.h"

#include "plugins/similar/known.h"
#include "plugins/ssdeep/grams.h"

#include <errno.h>
#include <fuzzy.h>
#include <stdlib.h>
#include <string.h>

enum { SCORE_LEAST = 1, SIZE_LEAST = 4096 };

struct ssdeep_worker {
    struct known_list known;
    struct grams grams;
    int least;
};

struct ssdeep_stream {
    struct fuzzy_state *state;
    uint64_t size;
};

static const struct field ssdeep_fields[] = {
    {"ssdeep", FIELD_TEXT, "", "context triggered piecewise hash"},
    {"nearest", FIELD_TEXT, "", "the nearest of the known ones"},
    {"score", FIELD_U64, "", "how near it is, 0 to 100"},
};
static const struct record_type ssdeep_type = {"ssdeep", 1, "similarity hash of the content", ssdeep_fields,
                                               sizeof ssdeep_fields / sizeof ssdeep_fields[0]};
static const struct field near_fields[] = {
    KNOWN_FIELDS,
    {"score", FIELD_U64, "", "how near it is, 0 to 100"},
};
static const struct record_type near_type = {"near", 1, "a known content that is similar to this one",
                                             near_fields, sizeof near_fields / sizeof near_fields[0]};
static const struct record_type *const ssdeep_emits[] = {&ssdeep_type, &near_type, NULL};

static const char *text_of(const void *context, size_t i)
{
    const struct known_list *known = context;

    return known_text(known, known->items[i].hash);
}

/* Head lines and other words of a list are no hashes. */
static void drop_others(struct known_list *known)
{
    size_t kept = 0;

    for (size_t i = 0; i < known->count; i++)
        if (grams_is_hash(text_of(known, i)))
            known->items[kept++] = known->items[i];
    known->count = kept;
}

static int ssdeep_setup(void *worker, const struct settings *settings, struct why *why)
{
    struct ssdeep_worker *mine = worker;
    const char *least = settings_text(settings, "plugin.ssdeep.least");
    int rc;

    mine->least = least[0] != '\0' ? atoi(least) : SCORE_LEAST;
    if (mine->least < 1 || mine->least > 100)
        return why_set(why, -EINVAL, "plugin.ssdeep.least: a score from 1 to 100");
    rc = known_load(&mine->known, "ssdeep", HASHSET_SSDEEP, settings, why);
    if (rc < 0)
        return rc;
    drop_others(&mine->known);
    rc = grams_make(&mine->grams, mine->known.count, text_of, &mine->known);
    return rc < 0 ? why_set(why, rc, "no memory for the index of %zu hashes", mine->known.count) : 0;
}

static void ssdeep_teardown(void *worker)
{
    struct ssdeep_worker *mine = worker;

    grams_finish(&mine->grams);
    known_finish(&mine->known);
}

/* Of small contents such a hash says little, and of free space and ends of blocks nothing. */
static enum plugin_want ssdeep_start(struct scan *scan)
{
    const struct stream_info *info = scan_stream(scan);
    struct ssdeep_stream *stream = scan_state(scan);

    if (info->size < SIZE_LEAST || (info->kind != STREAM_FILE && info->kind != STREAM_ADS &&
                                    info->kind != STREAM_CHILD && info->kind != STREAM_CARVED))
        return PLUGIN_SKIP;
    stream->state = fuzzy_new();
    return PLUGIN_FEED;
}

static int ssdeep_feed(struct scan *scan, const struct block *block)
{
    struct ssdeep_stream *stream = scan_state(scan);

    stream->size += block->size;
    return stream->state == NULL || fuzzy_update(stream->state, block->data, block->size) != 0 ? -ENOMEM : 0;
}

struct near {
    const struct ssdeep_worker *worker;
    const char *hash;
    struct known_hit hits[KNOWN_HITS_MAX];
    size_t count, all;
};

static bool is_better(const struct known_hit *a, const struct known_hit *b)
{
    return a->score != b->score ? a->score > b->score : a->item < b->item;
}

/* The best ones, the best first. */
static void compare(void *context, size_t item)
{
    struct near *near = context;
    const struct known_list *known = &near->worker->known;
    int score = fuzzy_compare(near->hash, known_text(known, known->items[item].hash));
    struct known_hit hit = {item, score > 0 ? (uint64_t)score : 0};
    size_t at;

    if (score < near->worker->least)
        return;
    near->all++;
    if (near->count == KNOWN_HITS_MAX && !is_better(&hit, &near->hits[near->count - 1]))
        return;
    at = near->count < KNOWN_HITS_MAX ? near->count++ : near->count - 1;
    for (; at > 0 && is_better(&hit, &near->hits[at - 1]); at--)
        near->hits[at] = near->hits[at - 1];
    near->hits[at] = hit;
}

static int emit(struct scan *scan, const struct near *near)
{
    const struct known_list *known = &near->worker->known;
    const struct known_hit *best = near->count > 0 ? &near->hits[0] : NULL;
    int rc = scan_emit(scan, &ssdeep_type,
                       (const struct value[]){
                           value_text(near->hash),
                           value_text(best != NULL ? known_text(known, known->items[best->item].name) : NULL),
                           best != NULL ? value_u64(best->score) : value_none()});

    for (size_t i = 0; i < near->count && rc == 0; i++)
        rc = known_emit(scan, known, &near_type, &near->hits[i]);
    if (rc == 0 && near->all > near->count)
        scan_note(scan, 0, "%zu known contents are similar by ssdeep: the nearest %zu are recorded",
                  near->all, near->count);
    return rc;
}

static int ssdeep_finish(struct scan *scan, enum scan_status status)
{
    struct ssdeep_stream *stream = scan_state(scan);
    struct ssdeep_worker *mine = scan_worker(scan);
    char hash[FUZZY_MAX_RESULT];
    struct near near = {.worker = mine, .hash = hash};
    int rc = 0;

    if (stream->state == NULL)
        return -ENOMEM;
    if (status != SCAN_CUT && stream->size > 0) {
        rc = fuzzy_digest(stream->state, hash, 0) == 0 ? 0 : -ENOMEM;
        if (rc == 0) {
            grams_ask(&mine->grams, hash, compare, &near);
            rc = emit(scan, &near);
        }
    }
    fuzzy_free(stream->state);
    return rc;
}

extern const struct plugin kvali_plugin;
const struct plugin kvali_plugin = {
    .abi = PLUGIN_ABI,
    .version = 2,
    .name = "ssdeep",
    .summary = "similarity hashes of contents (ssdeep), and the nearest of known ones",
    .emits = ssdeep_emits,
    .worker_size = sizeof(struct ssdeep_worker),
    .stream_size = sizeof(struct ssdeep_stream),
    .setup = ssdeep_setup,
    .teardown = ssdeep_teardown,
    .start = ssdeep_start,
    .feed = ssdeep_feed,
    .finish = ssdeep_finish,
};
