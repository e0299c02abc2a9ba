/*
 * digest: MD5 (RFC 1321), SHA-1 and SHA-256 (FIPS 180-4) and XXH3-128 of every stream, in one pass.
 */
#include "engine/plugin.h"

#include <errno.h>

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

struct digest_worker {
    bool files_only;
};

static int digest_setup(void *worker, const struct settings *settings, struct why *why)
{
    struct digest_worker *mine = worker;

    (void)why;
    mine->files_only = settings_bool(settings, "digest.files_only");
    return 0;
}

/* The engine hashes, once for all who ask: to be fed is only to see that the stream is read. */
static enum plugin_want digest_start(struct scan *scan)
{
    const struct digest_worker *mine = scan_worker(scan);

    return mine->files_only && !stream_kind_is_file(scan_stream(scan)->kind) ? PLUGIN_SKIP : PLUGIN_FEED;
}

static int digest_feed(struct scan *scan, const struct block *block)
{
    (void)scan, (void)block;
    return 0;
}

/* The hash of a beginning is no hash of the stream: where it was cut, the engine says so and there is no
 * record. */
static int digest_finish(struct scan *scan, enum scan_status status)
{
    uint64_t size = 0;
    const struct hash_set *set = scan_digests(scan, &size);

    if (set == NULL)
        return status == SCAN_CUT ? 0 : -ENOMEM;
    return scan_emit(scan, &digest_type,
                     (const struct value[]){
                         value_bytes(set->md5, sizeof set->md5),
                         value_bytes(set->sha1, sizeof set->sha1),
                         value_bytes(set->sha256, sizeof set->sha256),
                         value_bytes(set->xxh3, sizeof set->xxh3),
                         value_u64(size),
                         value_u64(scan_unread(scan)),
                     });
}

const struct plugin plugin_digest = {
    .abi = PLUGIN_ABI,
    .version = 1,
    .name = "digest",
    .summary = "MD5, SHA-1, SHA-256 and XXH3-128 of every stream",
    .emits = digest_emits,
    .worker_size = sizeof(struct digest_worker),
    .setup = digest_setup,
    .start = digest_start,
    .feed = digest_feed,
    .finish = digest_finish,
    .traits = PLUGIN_DIGESTS,
};
