/*
 * trace: runs plugins over memory and writes down all that they say as lines of text, so that tests can
 * compare.
 *
 *     [0] yara.match rule="eicar" namespace="core/eicar" tags=[] ... severity=10
 *     [0] note nest @12 the reason
 *     [0] limited engine @0 the reason
 *     [0] failed liar @0 -22
 *     [1] begin "sample!/a" in 0 by nest kind=7 depth=1 offset=4 deleted=0 size=3 extension="" name="a"
 *     [1] end whole size=3
 *     = whole read=7 unread=0 error=0
 */
#ifndef KVALI_TESTS_TRACE_H
#define KVALI_TESTS_TRACE_H

#include "engine/scan/scanner.h"

struct trace {
    const struct plugin *const *plugins;
    struct buf text;
    uint64_t lines, lines_max; /* lines_max: not written any more; 0: all are */
    int answer;                /* what the sink answers to a record from now on */
};

/* Memory as a stream that gives at most `step` bytes a read (0: all that is asked for). */
struct trace_source {
    const uint8_t *data;
    size_t size, offset, step;
    size_t reads;
    int fail_code; /* from offset fail_at on; 0: never */
    size_t fail_at;
    struct ranges bad;
};

/* The sink that writes into `trace`. */
struct scan_sink trace_sink(struct trace *trace);
struct source trace_source(struct trace_source *source);

/* Scans with this scanner and writes what comes; the trace is added to. Returns scanner_scan's code. A sample
 * whose name holds
 * "-secret." is given the passwords "wrong" and "secret", whose digests are "<number> of <salt>". */
int trace_scan(struct trace *trace, struct scanner *scanner, const struct stream_info *info,
               struct trace_source *source, uint64_t without);

/* An info for a file of that name: "sample/<name>"; for free space where the name begins with "free@". Valid
 * until the next call. */
const struct stream_info *trace_info(const char *name, uint64_t size);

/* Settings for the tests of plugins: the rules in the source tree. Aborts when they cannot be made. */
void trace_settings(struct settings *settings, const char *source_root);

#endif
