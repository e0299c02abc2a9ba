/*
 * tlsh: locality sensitive hashes of contents (TLSH), and the known ones that are near.
 *
 * A shared object of its own for --plugin: libtlsh is C++, and kvali-worker needs none of that. Known hashes
 * are asked in a row; most are passed over by what their length and quartiles alone say.
 */
#include "engine/plugin.h"

#include "plugins/similar/known.h"
#include "plugins/tlsh/digest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DISTANCE_MOST = 50, SIZE_LEAST = 256 };
#define SIZE_MOST UINT64_C(0xffffffff) /* libtlsh counts in 32 bits */

struct tlsh_worker {
    struct known_list known;
    struct tlsh_digest **digests; /* of each known one */
    uint32_t *heads;              /* its length, and its two quartile ratios */
    uint64_t most;
};

struct tlsh_stream {
    struct tlsh_digest *digest;
    uint64_t size;
    bool too_large;
};

static const struct field tlsh_fields[] = {
    {"tlsh", FIELD_TEXT, "", "locality sensitive hash, without the mark T1"},
    {"nearest", FIELD_TEXT, "", "the nearest of the known ones"},
    {"distance", FIELD_U64, "", "how far it is, 0: the same hash"},
};
static const struct record_type tlsh_type = {"tlsh", 1, "similarity hash of the content", tlsh_fields,
                                             sizeof tlsh_fields / sizeof tlsh_fields[0]};
static const struct field near_fields[] = {
    KNOWN_FIELDS,
    {"distance", FIELD_U64, "", "how far it is, 0: the same hash"},
};
static const struct record_type near_type = {"near", 1, "a known content that is similar to this one",
                                             near_fields, sizeof near_fields / sizeof near_fields[0]};
static const struct record_type *const tlsh_emits[] = {&tlsh_type, &near_type, NULL};

static unsigned digit(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 32) - 'a') + 10;
}

/* Digits 3 to 6 of a hash: the length's logarithm and the quartile ratios, each byte with its digits swapped.
 */
static uint32_t head_of(const char *hash)
{
    return digit(hash[3]) << 12 | digit(hash[2]) << 8 | digit(hash[5]) << 4 | digit(hash[4]);
}

static unsigned around(unsigned a, unsigned b, unsigned size)
{
    unsigned far = a > b ? a - b : b - a;

    return far < size - far ? far : size - far;
}

/* What a difference of length or quartiles adds to a distance: a step adds one, more are multiplied. */
static unsigned part_of_distance(uint32_t a, uint32_t b)
{
    unsigned length = around(a >> 8, b >> 8, 256), first = around(a >> 4 & 15, b >> 4 & 15, 16),
             second = around(a & 15, b & 15, 16);

    return (length > 1 ? 12 * length : length) + (first > 1 ? 12 * (first - 1) : first) +
           (second > 1 ? 12 * (second - 1) : second);
}

static int read_known(struct tlsh_worker *mine)
{
    struct known_list *known = &mine->known;
    size_t kept = 0;

    mine->digests = calloc(known->count + 1, sizeof mine->digests[0]);
    mine->heads = calloc(known->count + 1, sizeof mine->heads[0]);
    if (mine->digests == NULL || mine->heads == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < known->count; i++) {
        const char *text = known_text(known, known->items[i].hash);

        if (strncmp(text, "T1", 2) == 0)
            text += 2;
        mine->digests[kept] = tlsh_read(text);
        if (mine->digests[kept] == NULL)
            continue; /* a head line or other words of a list */
        mine->heads[kept] = head_of(text);
        known->items[kept++] = known->items[i];
    }
    known->count = kept;
    return 0;
}

static int tlsh_setup(void *worker, const struct settings *settings, struct why *why)
{
    struct tlsh_worker *mine = worker;
    const char *most = settings_text(settings, "plugin.tlsh.most");
    int rc;

    mine->most = most[0] != '\0' ? strtoul(most, NULL, 10) : DISTANCE_MOST;
    rc = known_load(&mine->known, "tlsh", HASHSET_TLSH, settings, why);
    if (rc < 0)
        return rc;
    rc = read_known(mine);
    return rc < 0 ? why_set(why, rc, "no memory") : 0;
}

static void tlsh_teardown(void *worker)
{
    struct tlsh_worker *mine = worker;

    for (size_t i = 0; mine->digests != NULL && i < mine->known.count; i++)
        tlsh_free(mine->digests[i]);
    free(mine->digests);
    free(mine->heads);
    known_finish(&mine->known);
}

/* Of free space and ends of blocks such a hash says nothing. */
static enum plugin_want tlsh_start(struct scan *scan)
{
    const struct stream_info *info = scan_stream(scan);
    struct tlsh_stream *stream = scan_state(scan);

    if (info->size < SIZE_LEAST || (info->kind != STREAM_FILE && info->kind != STREAM_ADS &&
                                    info->kind != STREAM_CHILD && info->kind != STREAM_CARVED))
        return PLUGIN_SKIP;
    stream->digest = tlsh_new();
    return PLUGIN_FEED;
}

static int tlsh_feed(struct scan *scan, const struct block *block)
{
    struct tlsh_stream *stream = scan_state(scan);

    if (stream->digest == NULL)
        return -ENOMEM;
    stream->too_large = stream->too_large || block->size > SIZE_MOST - stream->size;
    if (stream->too_large)
        return 0;
    stream->size += block->size;
    return tlsh_update(stream->digest, block->data, block->size) == 0 ? 0 : -ENOMEM;
}

/* The nearest, and of equally near the first of the list. */
static size_t nearest(const struct tlsh_worker *mine, const char *hash, struct known_hit *hits,
                      size_t *ret_all)
{
    struct tlsh_digest *digest = tlsh_read(hash);
    uint32_t head = head_of(hash);
    size_t count = 0;

    *ret_all = 0;
    for (size_t i = 0; digest != NULL && i < mine->known.count; i++) {
        struct known_hit hit = {.item = i};
        size_t at;

        if (part_of_distance(head, mine->heads[i]) > mine->most)
            continue;
        hit.score = (uint64_t)tlsh_distance(digest, mine->digests[i]);
        if (hit.score > mine->most)
            continue;
        ++*ret_all;
        if (count == KNOWN_HITS_MAX && hit.score >= hits[count - 1].score)
            continue;
        at = count < KNOWN_HITS_MAX ? count++ : count - 1;
        for (; at > 0 && hit.score < hits[at - 1].score; at--)
            hits[at] = hits[at - 1];
        hits[at] = hit;
    }
    tlsh_free(digest);
    return count;
}

static int emit(struct scan *scan, const char *hash)
{
    const struct tlsh_worker *mine = scan_worker(scan);
    const struct known_list *known = &mine->known;
    struct known_hit hits[KNOWN_HITS_MAX];
    size_t all, count = nearest(mine, hash, hits, &all);
    int rc = scan_emit(scan, &tlsh_type,
                       (const struct value[]){
                           value_text(hash),
                           value_text(count > 0 ? known_text(known, known->items[hits[0].item].name) : NULL),
                           count > 0 ? value_u64(hits[0].score) : value_none()});

    for (size_t i = 0; i < count && rc == 0; i++)
        rc = known_emit(scan, known, &near_type, &hits[i]);
    if (rc == 0 && all > count)
        scan_note(scan, 0, "%zu known contents are similar by TLSH: the nearest %zu are recorded", all,
                  count);
    return rc;
}

static int tlsh_finish(struct scan *scan, enum scan_status status)
{
    struct tlsh_stream *stream = scan_state(scan);
    char hash[TLSH_SIZE];
    int rc = stream->digest != NULL ? 0 : -ENOMEM, made;

    if (rc == 0 && stream->too_large) {
        scan_limited(scan, SIZE_MOST, "larger than 4 GiB: no TLSH was made of it");
    } else if (rc == 0 && status != SCAN_CUT) {
        made = tlsh_text(stream->digest, hash);
        rc = made > 0 ? emit(scan, hash) : made;
        rc = rc == -1 ? -ENOMEM : rc;
    }
    tlsh_free(stream->digest);
    return rc;
}

extern const struct plugin kvali_plugin;
const struct plugin kvali_plugin = {
    .abi = PLUGIN_ABI,
    .version = 1,
    .name = "tlsh",
    .summary = "similarity hashes of contents (TLSH), and the nearest of known ones",
    .emits = tlsh_emits,
    .worker_size = sizeof(struct tlsh_worker),
    .stream_size = sizeof(struct tlsh_stream),
    .setup = tlsh_setup,
    .teardown = tlsh_teardown,
    .start = tlsh_start,
    .feed = tlsh_feed,
    .finish = tlsh_finish,
};
