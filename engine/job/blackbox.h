/*
 * blackbox: one page shared by a worker and the supervisor: what is being worked on right now. The worker writes it
 * without a system call; the supervisor reads it for the heartbeat, for progress, and to name stream, plugin and offset after a
 * crash. Everything in it is a hostile witness's word: it is used for blame and progress, never trusted for more.
 */
#ifndef KVALI_JOB_BLACKBOX_H
#define KVALI_JOB_BLACKBOX_H

#include <stdatomic.h>
#include <stdint.h>

#define BLACKBOX_ENGINE UINT32_MAX       /* plugin: none, the engine itself (reading, walking) */
#define BLACKBOX_MEDIUM (UINT32_MAX - 1) /* plugin: none, the content is opened as a medium */

struct blackbox {
    _Atomic uint64_t beat;   /* changes whenever something moves on */
    _Atomic uint64_t task;   /* stream id of a scan; 0 in an expand task */
    _Atomic uint64_t at;     /* scan: offset in the stream; expand: inode or block */
    _Atomic uint64_t weight; /* expand: names that the folder being read can hold, 0 outside of that: its time may grow with the square */
    _Atomic uint32_t stream; /* scan: 0 the stream itself, else a descendant */
    _Atomic uint32_t plugin; /* index, BLACKBOX_ENGINE or BLACKBOX_MEDIUM */
    _Atomic uint64_t done;   /* bytes of the stream read so far, for progress */
};

#endif
