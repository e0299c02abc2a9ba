/*
 * false_worker: a kvali-worker that lies to whoever reads a content with it (engine/job/read.c). KVALI_LIE
 * says how. It opens nothing: it is the protocol's other side and no more.
 */
#include "engine/job/wire.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint8_t packet[WIRE_PACKET_MAX];
static const char *lie;

static bool is(const char *name)
{
    return strcmp(lie, name) == 0;
}

static void say_data(struct wire *wire, const char *text)
{
    buf_blob(wire_begin(wire, WIRE_DATA), text, strlen(text));
    wire_end(wire);
}

static void say_found(struct wire *wire, uint32_t number)
{
    buf_u32le(wire_begin(wire, WIRE_FOUND), number);
    wire_end(wire);
}

static void say_end(struct wire *wire, enum wire_type type, uint32_t error, bool more)
{
    struct buf *out = wire_begin(wire, type);
    if (type == WIRE_READ_END)
        buf_u64le(out, 0);
    buf_u32le(out, error);
    buf_string(out, "");
    if (more)
        buf_u8(out, 1);
    wire_end(wire);
}

static void answer_read(struct wire *wire)
{
    if (is("found"))
        say_found(wire, 0);
    say_data(wire, is("flood") ? "hello and more" : "hello");
    if (is("data tail")) {
        struct buf *out = wire_begin(wire, WIRE_DATA);
        buf_blob(out, "", 0);
        buf_u8(out, 1);
        wire_end(wire);
    }
    if (is("broken packet")) {
        wire_flush(wire);
        (void)!write(wire->fd, "\xff\xff\xff\xff\xff\xff", 6);
    }
    say_end(wire, is("replayed") ? WIRE_REPLAYED : WIRE_READ_END, is("errno") ? 0x80000000 : 0,
            is("end tail"));
}

static void answer_replay(struct wire *wire)
{
    if (is("data without"))
        say_data(wire, "hello");
    if (is("end without"))
        say_end(wire, WIRE_READ_END, 0, false);
    say_found(wire, is("number") ? 2 : 0);
    if (is("found in found"))
        say_found(wire, 1);
    say_data(wire, "hello");
    if (is("open at the end"))
        say_end(wire, WIRE_REPLAYED, 0, false);
    say_end(wire, WIRE_READ_END, 0, false);
    if (is("twice"))
        say_found(wire, 0);
    if (!is("lost")) {
        say_found(wire, 1);
        say_data(wire, "there");
        say_end(wire, WIRE_READ_END, 0, false);
    }
    say_end(wire, WIRE_REPLAYED, is("replay errno") ? 0xffffffff : 0, is("replay tail"));
}

static void work(int fd)
{
    struct wire wire;
    struct bytes bytes, payload;
    enum wire_type type;
    wire_init(&wire, fd);
    for (int64_t size; (size = wire_receive(fd, packet, false, NULL)) > 0;) {
        bytes_init(&bytes, packet, (size_t)size);
        while (wire_next(&bytes, &type, &payload))
            if (type == WIRE_READ)
                answer_read(&wire);
            else if (type == WIRE_REPLAY)
                answer_replay(&wire);
        wire_flush(&wire);
    }
    _exit(0);
}

static void fork_one(struct wire *wire, const int *fds, uint32_t number)
{
    pid_t pid = fork();
    if (pid == 0)
        work(fds[0]);
    for (int i = 0; i < WIRE_FDS_MAX; i++)
        close(fds[i]);
    struct buf *out = wire_begin(wire, WIRE_FORKED);
    buf_u32le(out, number);
    buf_u32le(out, (uint32_t)pid);
    wire_end(wire);
    wire_flush(wire);
}

static void be_ready(struct wire *wire)
{
    struct buf *out = wire_begin(wire, is("fatal errno") ? WIRE_FATAL : WIRE_ZYGOTE_READY);
    if (is("fatal errno"))
        buf_u32le(out, 0x80000000);
    buf_string(out, "");
    wire_end(wire);
    wire_flush(wire);
}

int main(void)
{
    struct wire wire;
    struct bytes bytes, payload;
    enum wire_type type;
    int fds[WIRE_FDS_MAX];
    lie = getenv("KVALI_LIE");
    if (!lie)
        lie = "";
    wire_init(&wire, 3);
    for (int64_t size; (size = wire_receive(3, packet, false, fds)) > 0;) {
        bytes_init(&bytes, packet, (size_t)size);
        while (wire_next(&bytes, &type, &payload))
            if (type == WIRE_OPEN)
                be_ready(&wire);
            else if (type == WIRE_FORK)
                fork_one(&wire, fds, bytes_u32le(&payload));
    }
    return 0;
}
