/*
 * ssdeep: context triggered piecewise hashes (Kornblum 2006; libfuzzy) of contents, and the nearest in a list
 * of known ones.
 *
 * A shared object of its own for --plugin, never a part of kvali-worker: libfuzzy's licence is the GPL, which
 * does not go with libtsk's in one program that is given to others.
 */
#include "engine/plugin.h"

#include "engine/base/buf.h"
#include "engine/base/text.h"

#include <errno.h>
#include <fuzzy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_MAX = 1000000, SCORE_LEAST = 1, SIZE_LEAST = 4096 };

/* A known hash; `name` follows it after a comma or TAB. */
struct known {
    char *hash, *name;
    unsigned long block; /* hashes with blocks that are neither the same nor one twice the other score 0 */
};

struct ssdeep_worker {
    struct known *known;
    size_t count;
    unsigned long least;
};

struct ssdeep_stream {
    struct fuzzy_state *state;
    uint64_t size;
};

static const struct field ssdeep_fields[] = {
    {"ssdeep", FIELD_TEXT, "", "context triggered piecewise hash"},
    {"nearest", FIELD_TEXT, "", "the nearest in the list"},
    {"score", FIELD_U64, "", "how near it is, 0 to 100"},
};
static const struct record_type ssdeep_type = {"ssdeep", 1, "similarity hash of the content", ssdeep_fields,
                                               sizeof ssdeep_fields / sizeof ssdeep_fields[0]};
static const struct record_type *const ssdeep_emits[] = {&ssdeep_type, NULL};

static int add_known(struct ssdeep_worker *mine, char *line)
{
    struct buf name = {0};
    struct known *known, one = {0};
    char *end, *rest;

    line[strcspn(line, "\r\n")] = '\0';
    one.block = strtoul(line, &end, 10);
    if (end == line || *end != ':' || strchr(end + 1, ':') == NULL)
        return 0; /* a head line, a comment */
    rest = line + strcspn(line, ",\t");
    if (*rest != '\0')
        *rest++ = '\0';
    if (mine->count == LIST_MAX)
        return -E2BIG;
    known = reallocarray(mine->known, mine->count + 1, sizeof known[0]);
    if (known == NULL)
        return -ENOMEM;
    mine->known = known;
    text_escape(&name, rest, strlen(rest));
    one.hash = strdup(line);
    one.name = strdup(buf_cstr(&name));
    buf_finish(&name);
    known[mine->count++] = one;
    return one.hash != NULL && one.name != NULL ? 0 : -ENOMEM;
}

static int load(struct ssdeep_worker *mine, const char *path, struct why *why)
{
    FILE *file = fopen(path, "re");
    char sha256[SHA256_HEX_SIZE], *line = NULL;
    size_t capacity = 0;
    int rc = file != NULL ? 0 : -errno;

    while (rc == 0 && getline(&line, &capacity, file) > 0)
        rc = add_known(mine, line);
    if (rc == 0)
        rc = hash_sha256_file(path, sha256);
    if (rc == 0)
        setup_loaded("ssdeep", "similar", path, sha256, mine->count, NULL);
    else
        why_set(why, rc, "%s: %s", path, strerror(-rc));
    free(line);
    if (file != NULL)
        fclose(file);
    return rc;
}

static int ssdeep_setup(void *worker, const struct settings *settings, struct why *why)
{
    struct ssdeep_worker *mine = worker;
    const char *path = settings_text(settings, "plugin.ssdeep.list"),
               *least = settings_text(settings, "plugin.ssdeep.least");

    mine->least = least[0] != '\0' ? strtoul(least, NULL, 10) : SCORE_LEAST;
    return path[0] != '\0' ? load(mine, path, why) : 0;
}

static void ssdeep_teardown(void *worker)
{
    struct ssdeep_worker *mine = worker;

    for (size_t i = 0; i < mine->count; i++) {
        free(mine->known[i].hash);
        free(mine->known[i].name);
    }
    free(mine->known);
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

/* The first of the best. */
static const struct known *nearest(const struct ssdeep_worker *mine, const char *hash, int *ret_score)
{
    unsigned long block = strtoul(hash, NULL, 10);
    const struct known *best = NULL;

    *ret_score = 0;
    for (size_t i = 0; i < mine->count; i++) {
        const struct known *known = &mine->known[i];
        int score;

        if (known->block != block && known->block != 2 * block && 2 * known->block != block)
            continue;
        score = fuzzy_compare(hash, known->hash);
        if (score > *ret_score && (unsigned long)score >= mine->least) {
            *ret_score = score;
            best = known;
        }
    }
    return best;
}

static int ssdeep_finish(struct scan *scan, enum scan_status status)
{
    struct ssdeep_stream *stream = scan_state(scan);
    char hash[FUZZY_MAX_RESULT];
    const struct known *best;
    int rc = 0, score;

    if (stream->state == NULL)
        return -ENOMEM;
    if (status != SCAN_CUT && stream->size > 0) {
        rc = fuzzy_digest(stream->state, hash, 0) == 0 ? 0 : -ENOMEM;
        best = rc == 0 ? nearest(scan_worker(scan), hash, &score) : NULL;
        if (rc == 0)
            rc = scan_emit(scan, &ssdeep_type,
                           (const struct value[]){value_text(hash),
                                                  value_text(best != NULL ? best->name : NULL),
                                                  best != NULL ? value_u64((uint64_t)score) : value_none()});
    }
    fuzzy_free(stream->state);
    return rc;
}

extern const struct plugin kvali_plugin;
const struct plugin kvali_plugin = {
    .abi = PLUGIN_ABI,
    .version = 1,
    .name = "ssdeep",
    .summary = "similarity hashes of contents (ssdeep), and the nearest in a list of known ones",
    .emits = ssdeep_emits,
    .worker_size = sizeof(struct ssdeep_worker),
    .stream_size = sizeof(struct ssdeep_stream),
    .setup = ssdeep_setup,
    .teardown = ssdeep_teardown,
    .start = ssdeep_start,
    .feed = ssdeep_feed,
    .finish = ssdeep_finish,
};
