/*
 * wire: what supervisor, zygote and workers say to each other over SOCK_SEQPACKET.
 *
 * A packet (one datagram, at most WIRE_PACKET_MAX bytes) is a sequence of messages: u8 type, u32 length, payload, all
 * little-endian (base/buf.h, base/bytes.h). Messages from workers are hostile: the supervisor checks type against what is permitted in the
 * worker's state, every length, every enum, every text.
 *
 *   supervisor -> zygote   SETUP (EXHIBIT | KEY)* OPEN, then FORK (with three descriptors) for each worker
 *   zygote -> supervisor   (PLUGIN | LOADED)* VERSIONS (IMAGE | IMAGE_FAILED)* ZYGOTE_READY, then FORKED
 *   supervisor -> worker   EXPAND | (SPARE* STREAM)+ GO | READ | (WANT)+ REPLAY
 *   worker -> supervisor   WORKER_READY, then
 *                          to EXPAND: (VOLUME | ENTRY | FAULT)* EXPANDED
 *                          to GO:     (BEGIN (VOLUME | RECORD | NOTE | LIMITED | FAILED | CHILD | CHILD_END | FAULT)* END)+ DONE
 *                          to READ:   DATA* READ_END
 *                          to REPLAY: (FOUND DATA* READ_END)* REPLAYED
 */
#ifndef KVALI_JOB_WIRE_H
#define KVALI_JOB_WIRE_H

#include "engine/base/buf.h"
#include "engine/base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WIRE_VERSION = 5,
    WIRE_PACKET_MAX = 64 * 1024,
    WIRE_FDS_MAX = 3,
    WIRE_BATCH_MAX = 64, /* streams in one task */
};

/* Beside the bits of plugins that are left out: the content is not opened as a medium. In t_stream.without it has this name. */
#define WIRE_WITHOUT_MEDIUM (UINT64_C(1) << 63)
#define WIRE_MEDIUM_NAME    "medium"

enum wire_type {
    WIRE_NONE,
    /* to the zygote */
    WIRE_SETUP,    /* u32 WIRE_VERSION, settings */
    WIRE_EXHIBIT,  /* u64 id, string path, string type */
    WIRE_KEY,      /* u64 exhibit (UINT64_MAX: all), u32 enum key_kind, blob */
    WIRE_OPEN,     /* - */
    WIRE_FORK,     /* u32 worker; descriptors: socket, black box, spool */
    /* from the zygote */
    WIRE_PLUGIN,   /* string name, u32 version, string summary, u8 content only, u32 n, n record types */
    WIRE_LOADED,   /* string plugin, kind, name, sha256, u64 count, u8 has problem, string problem */
    WIRE_VERSIONS, /* string JSON */
    WIRE_IMAGE,    /* u64 id, string name type details unsupported damage, u64 size stored, u32 sector, u32 segments, u32 n, n x 3 strings */
    WIRE_IMAGE_FAILED, /* u64 id, u32 errno, string reason */
    WIRE_ZYGOTE_READY, /* string sandbox in words */
    WIRE_FORKED,   /* u32 worker, u32 pid */
    WIRE_FATAL,    /* u32 errno, string reason */
    /* to a worker */
    WIRE_EXPAND,   /* u64 exhibit, string locator volume root, u32 n, n x (u64 at, u32 fault kind) */
    WIRE_SPARE,    /* string path: a stream, the next STREAM's or one inside, that only the silent plugins look at */
    WIRE_STREAM,   /* u64 id, u64 exhibit, string locator path name extension, u32 kind, u8 deleted, u64 size, u64 without,
                    * u8 a later pass, u64 silent: plugins whose words are not wanted, only the streams that they find,
                    * u64 barren: plugins that may not make children */
    WIRE_GO,       /* - */
    WIRE_READ,     /* u64 exhibit, string locator, u64 offset, u64 size */
    WIRE_WANT,     /* string path, u64 offset, u64 size: a stream inside the one that REPLAY names */
    WIRE_REPLAY,   /* u64 exhibit, string locator path name extension, u32 kind, u8 deleted, u64 without */
    /* from a worker */
    WIRE_WORKER_READY, /* string sandbox in words, u8 complete */
    WIRE_VOLUME,   /* found_volume */
    WIRE_ENTRY,    /* found_entry */
    WIRE_FAULT,    /* found_fault */
    WIRE_ACCOUNT,  /* found_account */
    WIRE_EXPANDED, /* u32 errno */
    WIRE_BEGIN,    /* u64 id */
    WIRE_RECORD,   /* u32 stream, u32 plugin, u32 type, record */
    WIRE_NOTE,     /* u32 stream, u32 plugin, u64 offset, string */
    WIRE_LIMITED,  /* u32 stream, u32 plugin, u64 offset, string */
    WIRE_FAILED,   /* u32 stream, u32 plugin, u64 offset, u32 errno */
    WIRE_CHILD,    /* u32 parent, u32 stream, string path, blob name, u32 kind, u8 deleted, u64 offset, u32 plugin, u8 runs cut, u32 n, n x (u64, u64) */
    WIRE_CHILD_END,/* u32 stream, u32 status, u64 size */
    WIRE_END,      /* u64 id, u32 status, u64 read, u64 unread, u32 errno, u32 uniform byte (256: none), u64 slack, u8 slack uniform */
    WIRE_DONE,     /* - */
    WIRE_DATA,     /* blob */
    WIRE_READ_END, /* u64 unread, u32 errno, string reason */
    WIRE_FOUND,    /* u32 which WANT, counted from 0: the DATA that follow are its */
    WIRE_REPLAYED, /* u32 errno, string reason; the WANTs without FOUND were not found */
    WIRE_TYPES,
};

/* The writing side of one socket. */
struct wire {
    int fd;
    struct buf out;   /* messages not yet sent */
    size_t begun;     /* where the open message begins; SIZE_MAX for none */
    int error;        /* sticky: negative errno of a send that failed */
};

void wire_init(struct wire *wire, int fd);
/* Forgets what was not sent; the descriptor stays the caller's. */
void wire_finish(struct wire *wire);

/* Starts a message; its payload is appended to the returned buffer. wire_end closes it and sends earlier messages when the
 * packet would become too large. */
struct buf *wire_begin(struct wire *wire, enum wire_type type);
void wire_end(struct wire *wire);
/* Sends what is there. 0 or the sticky error (-EPIPE: the other side is gone; -EMSGSIZE: a message is too large). */
int wire_flush(struct wire *wire);
/* The same with descriptors beside the packet. */
int wire_flush_fds(struct wire *wire, const int *fds, size_t count);
size_t wire_pending(const struct wire *wire);

/* Receives one packet into `packet` (WIRE_PACKET_MAX bytes): its size, 0 at the end of the connection, negative errno (-EAGAIN
 * with `nowait`, -EMSGSIZE when cut). Descriptors that came along are stored (at most WIRE_FDS_MAX; -1 for the rest); `fds` NULL: refused. */
int64_t wire_receive(int fd, uint8_t *packet, bool nowait, int *fds);

/* The next message of a packet: true and its payload in *ret_payload; false at the end, or when malformed (then bytes_failed(packet)). */
bool wire_next(struct bytes *packet, enum wire_type *ret_type, struct bytes *ret_payload);

/* A u32 errno as 0 or a negative code; a number that is none (Linux: above 4095) makes the message fail. */
int wire_errno(struct bytes *payload);

#endif
