/*
 * wire: framing of messages in SOCK_SEQPACKET datagrams (unix(7), cmsg(3)). The format is in wire.h.
 */
#include "engine/job/wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEADER_SIZE = 5, ERRNO_MAX = 4095 };

void wire_init(struct wire *wire, int fd)
{
    *wire = (struct wire){.fd = fd, .begun = SIZE_MAX};
    buf_init(&wire->out);
}

void wire_finish(struct wire *wire)
{
    if (wire)
        buf_finish(&wire->out);
}

struct buf *wire_begin(struct wire *wire, enum wire_type type)
{
    wire->begun = wire->out.size;
    buf_u8(&wire->out, (uint8_t)type);
    buf_u32le(&wire->out, 0);
    return &wire->out;
}

static int send_packet(struct wire *wire, size_t size, const int *fds, size_t count)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int) * WIRE_FDS_MAX)];
    } control = {0};
    struct iovec iov = {.iov_base = wire->out.data, .iov_len = size};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
    if (count) {
        message.msg_control = control.space;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(header), fds, sizeof(int) * count);
    }
    for (;;) {
        if (sendmsg(wire->fd, &message, MSG_NOSIGNAL) >= 0)
            return 0;
        if (errno != EINTR)
            return -errno;
    }
}

/* Sends the first `size` bytes and keeps the rest. */
static void flush_prefix(struct wire *wire, size_t size, const int *fds, size_t count)
{
    if (wire->error == 0 && size > WIRE_PACKET_MAX)
        wire->error = -EMSGSIZE;
    if (wire->error == 0 && buf_failed(&wire->out))
        wire->error = -ENOMEM;
    if (wire->error == 0 && size)
        wire->error = send_packet(wire, size, fds, count);
    if (wire->error) {
        buf_clear(&wire->out);
        return;
    }
    memmove(wire->out.data, wire->out.data + size, wire->out.size - size);
    wire->out.size -= size;
}

void wire_end(struct wire *wire)
{
    size_t begun = wire->begun;
    wire->begun = SIZE_MAX;
    if (wire->error || buf_failed(&wire->out)) {
        flush_prefix(wire, 0, NULL, 0);
        return;
    }
    buf_patch_u32le(&wire->out, begun + 1, (uint32_t)(wire->out.size - begun - HEADER_SIZE));
    if (wire->out.size > WIRE_PACKET_MAX)
        flush_prefix(wire, begun, NULL, 0);
    if (wire->error == 0 && wire->out.size > WIRE_PACKET_MAX)
        flush_prefix(wire, wire->out.size, NULL, 0);
}

int wire_flush(struct wire *wire)
{
    return wire_flush_fds(wire, NULL, 0);
}

int wire_flush_fds(struct wire *wire, const int *fds, size_t count)
{
    flush_prefix(wire, wire->out.size, fds, count);
    return wire->error;
}

size_t wire_pending(const struct wire *wire)
{
    return wire->out.size;
}

/* Stores the descriptors of a message, or closes them when they are not wanted. */
static void take_fds(struct msghdr *message, int *fds)
{
    size_t stored = 0;
    for (struct cmsghdr *h = CMSG_FIRSTHDR(message); h; h = CMSG_NXTHDR(message, h)) {
        if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(h) + i * sizeof(int), sizeof fd);
            if (fds && stored < WIRE_FDS_MAX)
                fds[stored++] = fd;
            else
                close(fd);
        }
    }
}

int64_t wire_receive(int fd, uint8_t *packet, bool nowait, int *fds)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int) * WIRE_FDS_MAX)];
    } control;
    struct iovec iov = {.iov_base = packet, .iov_len = WIRE_PACKET_MAX};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
    if (fds) {
        message.msg_control = control.space;
        message.msg_controllen = sizeof control.space;
        for (size_t i = 0; i < WIRE_FDS_MAX; i++)
            fds[i] = -1;
    }
    ssize_t size;
    do
        size = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | (nowait ? MSG_DONTWAIT : 0));
    while (size < 0 && errno == EINTR);
    if (size < 0)
        return errno == ECONNRESET ? 0 : -errno;
    if (fds)
        take_fds(&message, fds);
    if (message.msg_flags & MSG_TRUNC)
        return -EMSGSIZE;
    return size;
}

bool wire_next(struct bytes *packet, enum wire_type *ret_type, struct bytes *ret_payload)
{
    if (bytes_failed(packet) || bytes_left(packet) == 0)
        return false;
    uint8_t type = bytes_u8(packet);
    uint32_t size = bytes_u32le(packet);
    const uint8_t *payload = bytes_take(packet, size);
    if (type == WIRE_NONE || type >= WIRE_TYPES)
        bytes_fail(packet);
    if (bytes_failed(packet))
        return false;
    *ret_type = (enum wire_type)type;
    bytes_init(ret_payload, payload, size);
    return true;
}

int wire_errno(struct bytes *payload)
{
    uint32_t error = bytes_u32le(payload);
    if (error <= ERRNO_MAX)
        return -(int)error;
    bytes_fail(payload);
    return 0;
}
