/*
 * openpgp: messages that are encrypted to keys or with passwords: what their first packets say. [RFC
 * 9580: 4.2, 5.1, 5.3, 5.7, 5.13, 9]
 */
#include "plugins/encrypted/known.h"

#include "engine/base/bytes.h"

#include <inttypes.h>

enum tag { TAG_PKESK = 1, TAG_SKESK = 3, TAG_MARKER = 10, TAG_SED = 9, TAG_SEIPD = 18, TAG_AEAD = 20 };
enum { PACKETS = 64 };

struct packet {
    int tag;
    const uint8_t *data;
    size_t size; /* of it that is there */
    bool partial;
};

/* [4.2.1] The next packet; false: none begins here. A length of unknown kind ends what can be told. */
static bool next_packet(struct bytes *bytes, struct packet *ret)
{
    uint8_t head = bytes_u8(bytes), first;
    uint64_t size = 0;

    if (bytes_failed(bytes) || (head & 0x80) == 0)
        return false;
    *ret = (struct packet){.tag = (head & 0x40) != 0 ? head & 0x3f : head >> 2 & 15};
    if ((head & 0x40) == 0) {
        unsigned kind = head & 3;

        size = kind == 0   ? bytes_u8(bytes)
               : kind == 1 ? bytes_u16be(bytes)
               : kind == 2 ? bytes_u32be(bytes)
                           : bytes_left(bytes);
        ret->partial = kind == 3;
    } else {
        first = bytes_u8(bytes);
        size = first < 192    ? first
               : first < 224  ? ((uint64_t)first - 192) * 256 + bytes_u8(bytes) + 192
               : first == 255 ? bytes_u32be(bytes)
                              : UINT64_C(1) << (first & 31);
        ret->partial = first >= 224 && first < 255;
    }
    if (bytes_failed(bytes))
        return false;
    ret->size = size < bytes_left(bytes) ? (size_t)size : bytes_left(bytes);
    ret->data = bytes_take(bytes, ret->size);
    return ret->tag != 0;
}

static const char *public_algorithm(uint8_t algorithm)
{
    switch (algorithm) {
    case 1:
    case 2:
        return "RSA";
    case 16:
        return "Elgamal";
    case 18:
        return "ECDH";
    case 25:
        return "X25519";
    case 26:
        return "X448";
    default:
        return NULL;
    }
}

static const char *cipher(uint8_t algorithm)
{
    static const char *const names[] = {
        NULL,      "IDEA",    "TripleDES", "CAST5",       "Blowfish",     NULL,           NULL,
        "AES 128", "AES 192", "AES 256",   "Twofish 256", "Camellia 128", "Camellia 192", "Camellia 256"};

    return algorithm < sizeof names / sizeof names[0] ? names[algorithm] : NULL;
}

/* A session key for somebody's key: which key, and its kind. False: it is not built like one. */
static bool put_public(const struct packet *packet, struct buf *ret)
{
    struct bytes bytes;
    uint64_t id;
    const char *name;

    bytes_init(&bytes, packet->data, packet->size);
    if (bytes_u8(&bytes) != 3)
        return false;
    id = bytes_u64be(&bytes);
    name = public_algorithm(bytes_u8(&bytes));
    if (bytes_failed(&bytes) || name == NULL)
        return false;
    buf_printf(ret, "%s%s key %016" PRIX64, ret->size > 0 ? ", " : "", name, id);
    return true;
}

static bool put_password(const struct packet *packet, struct buf *ret)
{
    const char *name = packet->size >= 3 ? cipher(packet->data[1]) : NULL;

    if (packet->size < 3 || packet->data[0] < 4 || packet->data[0] > 6)
        return false;
    if (packet->data[0] == 4 && (name == NULL || packet->data[2] > 4 || packet->data[2] == 2))
        return false;
    buf_printf(ret, "%spassword%s%s", ret->size > 0 ? ", " : "", packet->data[0] == 4 ? ", " : "",
               packet->data[0] == 4 ? name : "");
    return true;
}

bool openpgp_begins(const uint8_t *data, size_t size)
{
    struct packet packet;
    struct bytes bytes;

    bytes_init(&bytes, data, size);
    return next_packet(&bytes, &packet) && (packet.tag == TAG_PKESK || packet.tag == TAG_SKESK) &&
           packet.size > 10 && packet.data[0] >= 3 && packet.data[0] <= 6;
}

const char *openpgp_kind(const uint8_t *data, size_t size, struct buf *ret_method)
{
    struct packet packet;
    struct bytes bytes;
    bool keys = false;

    bytes_init(&bytes, data, size);
    for (int i = 0; i < PACKETS && next_packet(&bytes, &packet); i++) {
        if (packet.tag == TAG_PKESK && put_public(&packet, ret_method))
            keys = true;
        else if (packet.tag == TAG_SKESK && put_password(&packet, ret_method))
            keys = true;
        else if (keys && (packet.tag == TAG_SED || packet.tag == TAG_SEIPD || packet.tag == TAG_AEAD))
            return "OpenPGP message";
        else if (packet.tag != TAG_MARKER)
            break;
    }
    buf_clear(ret_method);
    return NULL;
}
