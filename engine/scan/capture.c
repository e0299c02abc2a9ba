/*
 * capture: a scan that is done once more, not for what plugins say but for the bytes of streams that they
 * find inside. The same bytes give the same children under the same addresses, so what a run found is found
 * again.
 */
#include "engine/scan/pass.h"

#include <errno.h>

/* A child that lies in pieces of its parent is read beside its pass; of one that was written all is at hand. */
static int give(const struct pass *pass, const struct scan_capture *capture)
{
    static uint8_t block[64 * 1024];
    uint64_t offset = 0;
    int rc = 0;

    if (pass->source == NULL)
        return pass->filled > 0 ? capture->bytes(capture->context, pass->data, pass->filled) : 0;
    while (rc == 0 && offset < pass->source->reach) {
        int64_t got = pass_read_at(pass, offset, block, sizeof block, NULL);

        if (got <= 0)
            return got < 0 ? (int)got : -EIO;
        rc = capture->bytes(capture->context, block, (size_t)got);
        offset += (uint64_t)got;
    }
    return rc;
}

void capture_child(const struct pass *pass)
{
    struct scanner *scanner = pass->scanner;
    const struct scan_capture *capture = scanner->capture;
    int rc = pass->error;

    if (capture == NULL || pass->parent == NULL || scanner->stop < 0 ||
        !capture->wants(capture->context, pass->info))
        return;
    if (rc == 0)
        rc = give(pass, capture);
    if (rc == 0)
        rc = capture->end(capture->context, pass->status);
    scanner_answer(scanner, rc);
}

int scanner_capture(struct scanner *scanner, const struct stream_info *info, const struct source *source,
                    uint64_t without, const struct scan_capture *capture, struct scan_result *ret_result)
{
    struct scan_sink sink = scanner_quiet;
    int rc;

    sink.at = capture->at;
    sink.context = capture->context;
    scanner->capture = capture;
    rc = scanner_scan(scanner, info, source, without, &sink, ret_result);
    scanner->capture = NULL;
    return rc;
}
