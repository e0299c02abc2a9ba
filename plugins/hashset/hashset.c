/*
 * hashset: is this content in a set of known hashes? Looked up by SHA-256, then SHA-1, then MD5, in every set
 * that the run names; one record for each entry of the strongest algorithm that finds it.
 */
#include "engine/plugin.h"

#include "engine/base/buf.h"
#include "engine/hashset/hashset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Sets of a run; records of one set about one stream. */
enum { SETS_MAX = 256, HITS_MAX = 16 };

struct hashset_worker {
    struct hashset *sets[SETS_MAX];
    size_t count;
    bool skip_known, files_only;
    struct buf category, series, tags, source, spared; /* texts of the record that is being made */
};

static const struct field hashset_fields[] = {
    {"set_name", FIELD_TEXT, "", "the set"},
    {"set_kind", FIELD_TEXT, "", "known, alert or notable"},
    {"algorithm", FIELD_TEXT, "", "the strongest hash of the content that the set has"},
    {"category", FIELD_TEXT, "", "as the set's source says"},
    {"series", FIELD_TEXT, "", "as the set's source says"},
    {"tags", FIELD_TEXT, "", "as the set's source says"},
    {"source", FIELD_TEXT, "", "the file that the set's entry came from"},
    {"line", FIELD_U64, "", "its line or entry there, from 1"},
    {"spared", FIELD_TEXT, "", "plugins that were not asked, because the content is known"},
};
static const struct record_type hashset_type = {"hashset", 1, "the content is in a hash set", hashset_fields,
                                                sizeof hashset_fields / sizeof hashset_fields[0]};
static const struct record_type *const hashset_emits[] = {&hashset_type, NULL};

static int open_set(struct hashset_worker *mine, const char *path, struct why *why)
{
    const struct hashset_info *info;
    uint64_t count = 0;
    int rc;

    if (mine->count == SETS_MAX)
        return why_set(why, -E2BIG, "more than %d hash sets", SETS_MAX);
    rc = hashset_open(path, &mine->sets[mine->count], why);
    if (rc < 0)
        return rc;
    info = hashset_info(mine->sets[mine->count++]);
    for (unsigned i = 0; i < HASHSET_ALGORITHMS; i++)
        count += info->count[i];
    setup_loaded("hashset", hashset_kind_name(info->kind), info->name, info->sha256, count, NULL);
    return 0;
}

static int hashset_setup(void *worker, const struct settings *settings, struct why *why)
{
    struct hashset_worker *mine = worker;
    char *list = strdup(settings_text(settings, "hashset.sets")), *save = NULL;
    int rc = list != NULL ? 0 : why_set(why, -ENOMEM, "no memory");

    mine->skip_known = settings_bool(settings, "hashset.skip_known");
    mine->files_only = settings_bool(settings, "digest.files_only");
    for (char *path = list != NULL ? strtok_r(list, ":", &save) : NULL; path != NULL && rc == 0;
         path = strtok_r(NULL, ":", &save))
        rc = open_set(mine, path, why);
    free(list);
    return rc;
}

static void hashset_teardown(void *worker)
{
    struct hashset_worker *mine = worker;

    while (mine->count > 0)
        hashset_close(mine->sets[--mine->count]);
    buf_finish(&mine->category);
    buf_finish(&mine->series);
    buf_finish(&mine->tags);
    buf_finish(&mine->source);
    buf_finish(&mine->spared);
}

static enum plugin_want hashset_start(struct scan *scan)
{
    const struct hashset_worker *mine = scan_worker(scan);

    if (mine->count == 0 || (mine->files_only && !stream_kind_is_file(scan_stream(scan)->kind)))
        return PLUGIN_SKIP;
    return PLUGIN_FEED;
}

static int hashset_feed(struct scan *scan, const struct block *block)
{
    (void)scan, (void)block;
    return 0;
}

/* Where a set has the content: `count` entries of the algorithm from `first` on. */
struct hit {
    enum hashset_algorithm algorithm;
    uint64_t first;
    int64_t count; /* negative: what would answer it is damaged in the set's file */
};

/* A stronger hash that cannot be looked up is no reason to trust a weaker one. */
static struct hit look_up(const struct hashset *set, const struct hash_set *digests)
{
    const uint8_t *const keys[HASHSET_ALGORITHMS] = {digests->md5, digests->sha1, digests->sha256};
    struct hit hit = {.count = 0};

    for (unsigned i = HASHSET_ALGORITHMS; i > 0 && hit.count == 0; i--) {
        hit.algorithm = (enum hashset_algorithm)(i - 1);
        hit.count = hashset_find(set, hit.algorithm, keys[i - 1], &hit.first);
    }
    return hit;
}

static struct value text_of(struct buf *buf, const char *text, size_t size)
{
    buf_clear(buf);
    buf_append(buf, text, size);
    return value_text(buf_cstr(buf));
}

static int emit_entry(struct scan *scan, const struct hashset *set, const struct hit *hit, size_t index)
{
    struct hashset_worker *mine = scan_worker(scan);
    const struct hashset_info *info = hashset_info(set);
    struct hashset_source source;
    struct hashset_entry entry;
    uint64_t line = 0;

    if (!hashset_entry(set, hit->algorithm, hit->first + index, &entry)) {
        scan_limited(scan, 0,
                     "the hash set %s has this content, but is damaged: what it says of it is not recorded",
                     hashset_info(set)->name);
        return 0;
    }
    source = hashset_row_source(set, entry.row, &line);
    return scan_emit(scan, &hashset_type,
                     (const struct value[]){
                         value_text(info->name),
                         value_text(hashset_kind_name(info->kind)),
                         value_text(hashset_algorithm_name(hit->algorithm)),
                         text_of(&mine->category, entry.category, entry.category_size),
                         text_of(&mine->series, entry.series, entry.series_size),
                         text_of(&mine->tags, entry.tags, entry.tags_size),
                         text_of(&mine->source, source.name, source.name != NULL ? strlen(source.name) : 0),
                         value_u64(line),
                         value_text(info->kind == HASHSET_KNOWN ? buf_cstr(&mine->spared) : ""),
                     });
}

static int emit_hit(struct scan *scan, const struct hashset *set, const struct hit *hit)
{
    size_t count = hit->count < HITS_MAX ? (size_t)hit->count : HITS_MAX;
    int rc = 0;

    if (hit->count < 0) {
        /* Where is not said: which damage is met first hangs on what this worker looked up before. */
        scan_limited(scan, 0, "the hash set %s is damaged: this content was not looked up in it",
                     hashset_info(set)->name);
        return 0;
    }
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = emit_entry(scan, set, hit, i);
    if (rc == 0 && hit->count > HITS_MAX)
        scan_note(scan, 0, "the hash set %s has %lld entries for this content: %zu are recorded",
                  hashset_info(set)->name, (long long)hit->count, count);
    return rc;
}

/* Nothing is spared that an alert or notable set has as well, or may have: whoever made that set wants all
 * there is. */
static void spare(struct scan *scan, const struct hit *hits)
{
    struct hashset_worker *mine = scan_worker(scan);
    bool known = false, wanted = false;
    const char *names;

    buf_clear(&mine->spared);
    for (size_t i = 0; i < mine->count; i++) {
        bool is_known = hashset_info(mine->sets[i])->kind == HASHSET_KNOWN;

        known = known || (hits[i].count > 0 && is_known);
        wanted = wanted || (hits[i].count != 0 && !is_known);
    }
    if (!known || wanted || !mine->skip_known)
        return;
    names = scan_spare(scan);
    buf_text(&mine->spared, names);
}

/* The empty content is in every list of known files, and says nothing. What has holes is not the content that
 * it was. */
static int hashset_finish(struct scan *scan, enum scan_status status)
{
    const struct hashset_worker *mine = scan_worker(scan);
    struct hit hits[SETS_MAX];
    uint64_t size = 0;
    const struct hash_set *digests = scan_digests(scan, &size);
    int rc = 0;

    if (digests == NULL)
        return status == SCAN_CUT ? 0 : -ENOMEM;
    if (status != SCAN_WHOLE || size == 0)
        return 0;
    for (size_t i = 0; i < mine->count; i++)
        hits[i] = look_up(mine->sets[i], digests);
    spare(scan, hits);
    for (size_t i = 0; i < mine->count && rc == 0; i++)
        rc = emit_hit(scan, mine->sets[i], &hits[i]);
    return rc == -ENOSPC ? 0 : rc;
}

const struct plugin plugin_hashset = {
    .abi = PLUGIN_ABI,
    .version = 1,
    .name = "hashset",
    .summary = "contents that are in sets of known, alert or notable hashes",
    .emits = hashset_emits,
    .worker_size = sizeof(struct hashset_worker),
    .setup = hashset_setup,
    .teardown = hashset_teardown,
    .start = hashset_start,
    .feed = hashset_feed,
    .finish = hashset_finish,
    .traits = PLUGIN_DIGESTS | PLUGIN_JUDGE,
};
