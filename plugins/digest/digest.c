/*
 * digest: MD5 (RFC 1321), SHA-1 and SHA-256 (FIPS 180-4) and XXH3-128 of every stream, in one pass.
 */
#include "engine/base/hash.h"
#include "engine/plugin.h"

#include <errno.h>

/* More than there can be levels of streams inside streams. */
enum { IDLE_MAX = 80 };

struct digest_worker {
    struct hash_all *idle[IDLE_MAX];
    size_t count;
};

struct digest_stream {
    struct hash_all *hash;
    uint64_t size;
};

static const struct field digest_fields[] = {
    {"md5", FIELD_BYTES, "", "MD5"},
    {"sha1", FIELD_BYTES, "", "SHA-1"},
    {"sha256", FIELD_BYTES, "", "SHA-256"},
    {"xxh3", FIELD_BYTES, "", "XXH3, 128 bits, big-endian"},
    {"size", FIELD_U64, "bytes", "bytes that were hashed"},
    {"unread", FIELD_U64, "bytes", "of these, bytes that could not be read and were hashed as zeros"},
};

static const struct record_type digest_type = {"digest", 1, "hashes of the content", digest_fields,
                                               sizeof digest_fields / sizeof digest_fields[0]};
static const struct record_type *const digest_emits[] = {&digest_type, NULL};

static int digest_setup(void *worker, const struct settings *settings, struct why *why)
{
    struct digest_worker *mine = worker;
    int rc = hash_setup();

    (void)settings;
    if (rc < 0)
        return why_set(why, rc, "libcrypto refuses a hash algorithm (FIPS mode?)");
    mine->idle[0] = hash_all_new();
    if (mine->idle[0] == NULL)
        return why_set(why, -ENOMEM, "no memory");
    mine->count = 1;
    return 0;
}

static void digest_teardown(void *worker)
{
    struct digest_worker *mine = worker;

    while (mine->count > 0)
        hash_all_free(mine->idle[--mine->count]);
}

static enum plugin_want digest_start(struct scan *scan)
{
    struct digest_worker *worker = scan_worker(scan);
    struct digest_stream *stream = scan_state(scan);

    stream->hash = worker->count > 0 ? worker->idle[--worker->count] : hash_all_new();
    if (stream->hash != NULL)
        hash_all_reset(stream->hash);
    return PLUGIN_FEED;
}

static int digest_feed(struct scan *scan, const struct block *block)
{
    struct digest_stream *stream = scan_state(scan);

    if (stream->hash == NULL)
        return -ENOMEM;
    hash_all_update(stream->hash, block->data, block->size);
    stream->size += block->size;
    return 0;
}

static int digest_emit(struct scan *scan, const struct digest_stream *stream)
{
    struct hash_set set;

    hash_all_final(stream->hash, &set);
    return scan_emit(scan, &digest_type,
                     (const struct value[]){
                         value_bytes(set.md5, sizeof set.md5),
                         value_bytes(set.sha1, sizeof set.sha1),
                         value_bytes(set.sha256, sizeof set.sha256),
                         value_bytes(set.xxh3, sizeof set.xxh3),
                         value_u64(stream->size),
                         value_u64(scan_unread(scan)),
                     });
}

/* The hash of a beginning is no hash of the stream: where it was cut, the engine says so and there is no
 * record. */
static int digest_finish(struct scan *scan, enum scan_status status)
{
    struct digest_worker *worker = scan_worker(scan);
    struct digest_stream *stream = scan_state(scan);
    int rc = 0;

    if (stream->hash == NULL)
        return -ENOMEM;
    if (status != SCAN_CUT)
        rc = digest_emit(scan, stream);
    if (worker->count < IDLE_MAX)
        worker->idle[worker->count++] = stream->hash;
    else
        hash_all_free(stream->hash);
    return rc;
}

const struct plugin plugin_digest = {
    .abi = PLUGIN_ABI,
    .version = 1,
    .name = "digest",
    .summary = "MD5, SHA-1, SHA-256 and XXH3-128 of every stream",
    .emits = digest_emits,
    .worker_size = sizeof(struct digest_worker),
    .stream_size = sizeof(struct digest_stream),
    .setup = digest_setup,
    .teardown = digest_teardown,
    .start = digest_start,
    .feed = digest_feed,
    .finish = digest_finish,
};
