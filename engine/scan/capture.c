/*
 * capture: a scan that is done once more, not for what plugins say but for the bytes of streams that they
 * find inside. The same bytes give the same children under the same addresses, so what a run found is found
 * again.
 */
#include "engine/scan/pass.h"

#include <errno.h>

void capture_child(const struct pass *pass)
{
    struct scanner *scanner = pass->scanner;
    const struct scan_capture *capture = scanner->capture;
    int rc = pass->error;

    if (capture == NULL || pass->parent == NULL || scanner->stop < 0 ||
        !capture->wants(capture->context, pass->info))
        return;
    if (rc == 0 && pass->filled > 0)
        rc = capture->bytes(capture->context, pass->data, pass->filled);
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
