/*
 * openpgp: keys and key rings of OpenPGP as they are, without armour [RFC 4880, sections 4.2, 5 and 12.2; RFC
 * 9580]. A primary key, then user IDs, signatures and subkeys; keys directly behind each other are one ring.
 * The end is where no packet of these kinds follows. Validated: every packet's content fills it exactly, and
 * each primary key has a signature that names the fingerprint or the key ID which its bytes give (SHA-1).
 */
#include "plugins/carve/format.h"

#include "plugins/carve/formats/field.h"
#include "engine/base/hash.h"
#include "engine/base/text.h"

#include <string.h>

enum { PACKET_MAX = READER_AT_MAX, TITLE_MAX = 255 };

enum tag {
    SIGNATURE = 2,
    SECRET_KEY = 5,
    PUBLIC_KEY = 6,
    SECRET_SUBKEY = 7,
    TRUST = 12,
    USER_ID = 13,
    PUBLIC_SUBKEY = 14,
    USER_ATTRIBUTE = 17,
};

struct packet {
    uint8_t tag;
    uint64_t body;
    uint32_t size;
};

struct ring {
    struct reader *reader;
    uint8_t fingerprint[SHA1_SIZE]; /* of the primary key at hand */
    bool bound, all_bound;          /* its own signature was seen; and those of all before it */
    uint32_t keys, signatures;
};

/* The packet at `offset`: of a kind that keys have, with a definite length. */
static bool read_packet(struct reader *reader, uint64_t offset, struct packet *ret)
{
    static const uint8_t known[] = {SIGNATURE, SECRET_KEY, PUBLIC_KEY,    SECRET_SUBKEY,
                                    TRUST,     USER_ID,    PUBLIC_SUBKEY, USER_ATTRIBUTE};
    uint64_t left = offset < reader_size(reader) ? reader_size(reader) - offset : 0;
    size_t most = left < 6 ? (size_t)left : 6, head;
    const uint8_t *p = most >= 2 ? reader_at(reader, offset, most) : NULL;

    if (p == NULL || (p[0] & 0x80) == 0)
        return false;
    if ((p[0] & 0x40) == 0) {
        head = (p[0] & 3) == 0 ? 2 : (p[0] & 3) == 1 ? 3 : 5;
        ret->tag = (p[0] >> 2) & 0x0f;
        if ((p[0] & 3) == 3 || most < head)
            return false;
        ret->size = head == 2 ? p[1] : head == 3 ? field_be16(p + 1) : field_be32(p + 1);
    } else {
        head = p[1] < 192 ? 2 : p[1] < 224 ? 3 : 6;
        ret->tag = p[0] & 0x3f;
        if ((p[1] >= 224 && p[1] < 255) || most < head)
            return false;
        ret->size = head == 2   ? p[1]
                    : head == 3 ? (((uint32_t)p[1] - 192) << 8) + p[2] + 192u
                                : field_be32(p + 2);
    }
    ret->body = offset + head;
    return memchr(known, ret->tag, sizeof known) != NULL && ret->size > 0 && ret->size <= PACKET_MAX;
}

/* A number with its length in bits, of which the first one is set; the bytes it takes, 0 when it is none. */
static size_t mpi(const uint8_t *p, size_t size)
{
    size_t bits = size >= 2 ? field_be16(p) : 0, bytes = (bits + 7) / 8;

    if (bits == 0 || bytes > size - 2 || p[2] >> ((bits - 1) % 8) != 1)
        return 0;
    return bytes + 2;
}

static size_t mpis(const uint8_t *p, size_t size, unsigned count)
{
    size_t done = 0;

    for (; count > 0; count--) {
        size_t n = mpi(p + done, size - done);

        if (n == 0)
            return 0;
        done += n;
    }
    return done;
}

/* A curve's name and a point, for ECDH with its parameters. */
static size_t curve_key(const uint8_t *p, size_t size, bool ecdh)
{
    size_t n, done = size > 1 && p[0] >= 3 && p[0] <= 20 ? p[0] + 1u : 0;

    if (done == 0 || done >= size || (n = mpi(p + done, size - done)) == 0)
        return 0;
    done += n;
    if (!ecdh)
        return done;
    return done < size && p[done] >= 3 && p[done] < 0x20 && size - done > p[done] ? done + 1 + p[done] : 0;
}

/* Bytes of the public key's numbers by algorithm; 0: they do not fit. */
static size_t public_size(uint8_t algorithm, const uint8_t *p, size_t size)
{
    static const uint8_t native[] = {32, 56, 32, 57}; /* X25519, X448, Ed25519, Ed448 */

    switch (algorithm) {
    case 1:
    case 2:
    case 3:
        return mpis(p, size, 2);
    case 16:
    case 20:
        return mpis(p, size, 3);
    case 17:
        return mpis(p, size, 4);
    case 18:
        return curve_key(p, size, true);
    case 19:
    case 22:
        return curve_key(p, size, false);
    case 25:
    case 26:
    case 27:
    case 28:
        return size >= native[algorithm - 25] ? native[algorithm - 25] : 0;
    default:
        return 0;
    }
}

/* The public part of a key packet of version 3, 4 or 6, from its version on; 0: it is none. */
static size_t key_size(const uint8_t *p, size_t size)
{
    size_t head = size > 0 && p[0] == 4 ? 6 : size > 0 && p[0] == 6 ? 10 : 8, n;

    if (size <= head || (p[0] != 3 && p[0] != 4 && p[0] != 6) || (p[0] == 3 && (p[7] == 0 || p[7] > 3)))
        return 0;
    n = public_size(p[0] == 3 ? p[7] : p[5], p + head, size - head);
    return n == 0 || (p[0] == 6 && field_be32(p + 6) != n) ? 0 : head + n;
}

static bool take_key(struct ring *ring, const struct packet *packet, const uint8_t *p)
{
    bool secret = packet->tag == SECRET_KEY || packet->tag == SECRET_SUBKEY;
    bool primary = packet->tag == SECRET_KEY || packet->tag == PUBLIC_KEY;
    size_t size = key_size(p, packet->size);
    const uint8_t prefix[] = {0x99, (uint8_t)(size >> 8), (uint8_t)size};
    struct hash_all *hash;
    struct hash_set set;

    if (size == 0 || size > 0xffff || (secret ? size + 3 > packet->size : size != packet->size))
        return false;
    if (!primary)
        return true;
    ring->all_bound = ring->all_bound && (ring->keys == 0 || ring->bound);
    ring->bound = false;
    ring->keys++;
    hash = hash_all_new();
    if (hash == NULL)
        return true;
    hash_all_update(hash, prefix, sizeof prefix);
    hash_all_update(hash, p, size);
    hash_all_final(hash, &set);
    hash_all_free(hash);
    memcpy(ring->fingerprint, set.sha1, SHA1_SIZE);
    return true;
}

/* Subpackets that fill their area; one may say who signed. */
static bool take_subpackets(struct ring *ring, const uint8_t *p, size_t size)
{
    while (size > 0) {
        size_t head = p[0] < 192 ? 1 : p[0] < 255 ? 2 : 5, length;

        if (size < head)
            return false;
        length = head == 1 ? p[0] : head == 2 ? (((size_t)p[0] - 192) << 8) + p[1] + 192 : field_be32(p + 1);
        if (length == 0 || length > size - head)
            return false;
        if (((p[head] & 0x7f) == 16 && length == 9 && memcmp(p + head + 1, ring->fingerprint + 12, 8) == 0) ||
            ((p[head] & 0x7f) == 33 && length == 22 &&
             memcmp(p + head + 2, ring->fingerprint, SHA1_SIZE) == 0))
            ring->bound = true;
        p += head + length;
        size -= head + length;
    }
    return true;
}

/* How many numbers a signature has; native ones of 64 or 114 bytes: 0. */
static bool signature_fills(uint8_t algorithm, const uint8_t *p, size_t size)
{
    unsigned count = algorithm <= 3 ? 1 : 2;

    if (algorithm == 27 || algorithm == 28)
        return size == (algorithm == 27 ? 64 : 114);
    return mpis(p, size, count) == size;
}

/* Versions 4 and 6 with their subpackets; 3 with the key's ID. */
static bool take_signature(struct ring *ring, const struct packet *packet, const uint8_t *p)
{
    size_t size = packet->size, wide = p[0] == 6 ? 4 : 2, hashed, other, at;

    if (p[0] == 3) {
        if (size < 20 || p[1] != 5)
            return false;
        ring->bound = ring->bound || memcmp(p + 7, ring->fingerprint + 12, 8) == 0;
        ring->signatures++;
        return signature_fills(p[15], p + 19, size - 19);
    }
    if ((p[0] != 4 && p[0] != 6) || size < 4 + 2 * wide + 2)
        return false;
    hashed = wide == 4 ? field_be32(p + 4) : field_be16(p + 4);
    if (hashed > size - 4 - 2 * wide - 2)
        return false;
    at = 4 + wide + hashed;
    other = wide == 4 ? field_be32(p + at) : field_be16(p + at);
    if (other > size - at - wide - 2 || !take_subpackets(ring, p + 4 + wide, hashed) ||
        !take_subpackets(ring, p + at + wide, other))
        return false;
    at += wide + other + 2;
    if (wide == 4) {
        if (at >= size || p[at] + 1u > size - at)
            return false;
        at += p[at] + 1u; /* salt */
    }
    ring->signatures++;
    return signature_fills(p[2], p + at, size - at);
}

static bool user_id_is_text(const uint8_t *p, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (p[i] < 0x20 || p[i] == 0x7f)
            return false;
    }
    return size <= 2048;
}

/* Does the packet hold what its kind holds, exactly? */
static bool take_packet(struct ring *ring, const struct packet *packet, struct carved *ret)
{
    const uint8_t *p = reader_at(ring->reader, packet->body, packet->size);

    if (p == NULL)
        return false;
    switch (packet->tag) {
    case SIGNATURE:
        return take_signature(ring, packet, p);
    case USER_ID:
        if (ret->title[0] == '\0' && user_id_is_text(p, packet->size))
            carved_title(ret, p, packet->size < TITLE_MAX ? packet->size : TITLE_MAX, "UTF-8");
        return user_id_is_text(p, packet->size);
    case USER_ATTRIBUTE:
        return packet->size > 2;
    case TRUST:
        return packet->size <= 16;
    default:
        return take_key(ring, packet, p);
    }
}

/* Is what follows a packet that was broken, rather than something else? Its first bytes are those of one. */
static bool looks_like_packet(struct reader *reader, const struct packet *packet)
{
    uint64_t left = packet->body < reader_size(reader) ? reader_size(reader) - packet->body : 0;
    size_t size = left < 8 ? (size_t)left : 8;
    const uint8_t *p = size > 0 ? reader_at(reader, packet->body, size) : NULL;

    if (p == NULL)
        return true; /* a header alone, then the data ends */
    if (packet->tag == SIGNATURE)
        return size < 6 || (p[0] == 4 && p[1] <= 0x50 && p[2] >= 1 && p[2] <= 28 && p[3] >= 1 && p[3] <= 14 &&
                            field_be16(p + 4) <= 512);
    if (packet->tag == USER_ID || packet->tag == TRUST || packet->tag == USER_ATTRIBUTE)
        return packet->size > left;
    return size < 6 || (p[0] == 4 && ((p[5] >= 1 && p[5] <= 3) || (p[5] >= 16 && p[5] <= 28)));
}

static enum carve_grade examine_openpgp(struct reader *reader, struct carved *ret)
{
    struct ring ring = {.reader = reader, .all_bound = true};
    struct packet packet, last = {0};
    uint64_t at = 0;

    if (!read_packet(reader, 0, &packet) || (packet.tag != SECRET_KEY && packet.tag != PUBLIC_KEY))
        return CARVE_NONE;
    while (read_packet(reader, at, &packet) && take_packet(&ring, &packet, ret)) {
        ret->format = packet.tag == SECRET_KEY ? "OpenPGP private key" : ret->format;
        at = packet.body + packet.size;
        last = packet;
    }
    if (at == 0)
        return CARVE_NONE;
    if (ring.keys > 1)
        ret->format = "OpenPGP key ring";
    if (read_packet(reader, at, &packet) && looks_like_packet(reader, &packet))
        return carved_partial(ret, at, "the packet at byte %llu is cut", (unsigned long long)at);
    if (ring.signatures == 0 || (last.tag != SIGNATURE && last.tag != TRUST))
        return carved_partial(ret, at, "no signature follows the last packet");
    return carved_whole(ret, ring.all_bound && ring.bound ? CARVE_VALIDATED : CARVE_COMPLETE, at);
}

static const struct carve_format openpgp_format = {"openpgp", examine_openpgp};
const struct carve_format *const carve_openpgp[] = {&openpgp_format, NULL};
