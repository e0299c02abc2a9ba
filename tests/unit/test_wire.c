/* wire: framing keeps messages whole, in order, within packets; what is malformed is refused. */
#include "engine/job/wire.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int sockets[2];
static uint8_t packet[WIRE_PACKET_MAX];

static void make_sockets(void)
{
    cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, sockets), 0);
}

TestSuite(wire, .init = make_sockets);

static void send_blob(struct wire *wire, size_t size)
{
    static uint8_t data[WIRE_PACKET_MAX * 2];
    memset(data, (int)(size & 0xff), size);
    buf_blob(wire_begin(wire, WIRE_DATA), data, size);
    wire_end(wire);
}

/* Receives all packets that are there; counts messages and checks that each blob is as it was sent. */
static size_t receive_blobs(size_t *sizes, size_t max)
{
    size_t count = 0;
    int64_t size;
    while ((size = wire_receive(sockets[1], packet, true, NULL)) > 0) {
        struct bytes bytes, payload;
        enum wire_type type;
        bytes_init(&bytes, packet, (size_t)size);
        while (wire_next(&bytes, &type, &payload)) {
            size_t length;
            const uint8_t *data = bytes_blob(&payload, &length);
            cr_assert_eq(type, WIRE_DATA);
            cr_assert_not_null(data);
            cr_assert(length == 0 || (data[0] == (length & 0xff) && data[length - 1] == (length & 0xff)));
            cr_assert_lt(count, max);
            sizes[count++] = length;
        }
        cr_assert_not(bytes_failed(&bytes));
    }
    return count;
}

Test(wire, messages_arrive_whole_and_in_order)
{
    struct wire wire;
    size_t sizes[8];
    wire_init(&wire, sockets[0]);
    send_blob(&wire, 0);
    send_blob(&wire, 1);
    send_blob(&wire, 1000);
    cr_assert_eq(wire_flush(&wire), 0);
    cr_assert_eq(receive_blobs(sizes, 8), 3);
    cr_assert_eq(sizes[0], 0);
    cr_assert_eq(sizes[1], 1);
    cr_assert_eq(sizes[2], 1000);
    wire_finish(&wire);
}

Test(wire, messages_that_do_not_fit_into_one_packet_are_sent_in_two)
{
    struct wire wire;
    size_t sizes[8];
    wire_init(&wire, sockets[0]);
    send_blob(&wire, 40000);
    send_blob(&wire, 40000);
    cr_assert_eq(wire_flush(&wire), 0);
    cr_assert_eq(receive_blobs(sizes, 8), 2);
    wire_finish(&wire);
}

Test(wire, a_message_larger_than_a_packet_is_an_error_that_stays)
{
    struct wire wire;
    wire_init(&wire, sockets[0]);
    send_blob(&wire, WIRE_PACKET_MAX);
    cr_assert_eq(wire_flush(&wire), -EMSGSIZE);
    send_blob(&wire, 1);
    cr_assert_eq(wire_flush(&wire), -EMSGSIZE);
    wire_finish(&wire);
}

Test(wire, the_other_side_gone_is_EPIPE_and_no_signal)
{
    struct wire wire;
    wire_init(&wire, sockets[0]);
    close(sockets[1]);
    send_blob(&wire, 1);
    cr_assert_eq(wire_flush(&wire), -EPIPE);
    wire_finish(&wire);
}

Test(wire, the_end_of_the_connection_is_zero_and_nothing_there_is_EAGAIN)
{
    cr_assert_eq(wire_receive(sockets[1], packet, true, NULL), -EAGAIN);
    close(sockets[0]);
    cr_assert_eq(wire_receive(sockets[1], packet, true, NULL), 0);
}

Test(wire, a_length_past_the_packet_makes_it_malformed)
{
    const uint8_t bad[] = {WIRE_DATA, 0xff, 0xff, 0xff, 0xff, 1, 2, 3};
    struct bytes bytes, payload;
    enum wire_type type;
    bytes_init(&bytes, bad, sizeof bad);
    cr_assert_not(wire_next(&bytes, &type, &payload));
    cr_assert(bytes_failed(&bytes));
}

Test(wire, an_unknown_type_makes_it_malformed)
{
    const uint8_t types[] = {WIRE_NONE, WIRE_TYPES, 0xff};
    for (size_t i = 0; i < sizeof types; i++) {
        uint8_t bad[] = {types[i], 0, 0, 0, 0};
        struct bytes bytes, payload;
        enum wire_type type;
        bytes_init(&bytes, bad, sizeof bad);
        cr_assert_not(wire_next(&bytes, &type, &payload));
        cr_assert(bytes_failed(&bytes));
    }
}

Test(wire, every_truncated_packet_is_refused_or_shorter)
{
    const uint8_t whole[] = {WIRE_DATA, 2, 0, 0, 0, 9, 9, WIRE_DONE, 0, 0, 0, 0};
    for (size_t size = 0; size <= sizeof whole; size++) {
        struct bytes bytes, payload;
        enum wire_type type;
        size_t count = 0;
        bytes_init(&bytes, whole, size);
        while (wire_next(&bytes, &type, &payload))
            count++;
        bool clean = size == 0 || size == 7 || size == sizeof whole;
        cr_assert_eq(!bytes_failed(&bytes), clean, "size %zu", size);
        cr_assert_eq(count, size < 7 ? 0 : size < sizeof whole ? 1 : 2);
    }
}

Test(wire, descriptors_travel_with_a_packet_and_are_closed_where_nobody_wants_them)
{
    struct wire wire;
    int fds[WIRE_FDS_MAX], pipe_fds[2];
    char byte;
    cr_assert_eq(pipe(pipe_fds), 0);
    wire_init(&wire, sockets[0]);
    wire_begin(&wire, WIRE_FORK);
    wire_end(&wire);
    cr_assert_eq(wire_flush_fds(&wire, &pipe_fds[1], 1), 0);
    cr_assert_gt(wire_receive(sockets[1], packet, true, fds), 0);
    cr_assert_eq(fds[1], -1);
    cr_assert_eq(write(fds[0], "x", 1), 1);
    cr_assert_eq(read(pipe_fds[0], &byte, 1), 1);
    close(fds[0]);

    wire_begin(&wire, WIRE_FORK);
    wire_end(&wire);
    cr_assert_eq(wire_flush_fds(&wire, &pipe_fds[1], 1), 0);
    close(pipe_fds[1]);
    cr_assert_gt(wire_receive(sockets[1], packet, true, NULL), 0);
    cr_assert_eq(read(pipe_fds[0], &byte, 1), 0, "the writing end is still open somewhere");
    wire_finish(&wire);
}
