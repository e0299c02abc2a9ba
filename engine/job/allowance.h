/*
 * allowance: how long a worker may walk, how long it may be silent meanwhile, and how long it may look at one content.
 *
 * The first two grow with the folders that it reads. What a folder is said to hold is a hostile witness's word, so
 * both have an end.
 */
#ifndef KVALI_JOB_ALLOWANCE_H
#define KVALI_JOB_ALLOWANCE_H

#include <stdbool.h>
#include <stdint.h>

/* A second's bytes of the slowest parser that is not taken for hung. */
#define ALLOWANCE_SLOW_BYTES (UINT64_C(2) << 20)

/* Seconds for reading one folder of up to so many names, from 0 to 86400. */
double allowance_folder(uint64_t names);
/* Nanoseconds without a sign of life: `hang` is the setting limit.hang in seconds, `names` the folder being
 * read, or 0. At most a day. */
int64_t allowance_silence(uint64_t hang, uint64_t names);
/* Nanoseconds for a whole walk: `stream` is the setting limit.stream_seconds, `folders` the sum of
 * allowance_folder over the folders read so far. At least four hours, at most ten days, of which folders give
 * at most one. */
int64_t allowance_walk(uint64_t stream, double folders);
/* Nanoseconds for one content of `bytes` bytes: `stream` is the setting limit.stream_seconds. What the medium can hold of it
 * (`medium` bytes; 0: not known, then all) may be read slowly, 2 MiB a second. Whatever a content claims beyond that is a hole, which is
 * never read: 64 MiB a second, and `stream` once more at most; twelve times that for the medium itself (`whole`), whose hash has
 * all its holes in it. So an inode or a virtual disk that claims a petabyte holds nobody up for days. `children`: bytes
 * that came out of it. At most ten days. */
int64_t allowance_content(uint64_t stream, uint64_t bytes, uint64_t medium, bool whole, uint64_t children);
/* Nanoseconds during which nobody looked, so that they count against no worker: the supervisor looked at
 * `last`, or never (0), and then at `now`. A job that is stopped as a whole (SIGSTOP, a frozen cgroup, a
 * machine that is paused) goes on as if it had not been. 0 up to five seconds, and all but a second of
 * more: a supervisor that is always so slow (a full disk, a slow one) still sees a hang. */
int64_t allowance_stall(int64_t last, int64_t now);

#endif
