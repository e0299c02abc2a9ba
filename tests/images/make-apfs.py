#!/usr/bin/env python3
"""Makes an encrypted APFS volume whose content is known, out of a plain one.

    make-apfs.py PLAIN OUT-PLAIN OUT PASSWORD RECOVERY-KEY [--hardware] [--decrypted]

PLAIN: a container that begins at byte 0 and has one volume with files, without encryption or snapshots. OUT-PLAIN: the same with one
file made larger, so that a content has several blocks: among them a copy of the volume's own tree, which a reader must not take for a
part of the tree when it is decrypted, and an end in the middle of a block. OUT: the same again, the volume's tree and contents encrypted
(AES-XTS-128), to be opened with PASSWORD and with a personal recovery key. The first extent stays plain, as while a volume is being
encrypted, and the tweak of the second is not its block's number, as when a file was moved. Older checkpoints are gone from both.
--hardware: the container says that its keys are elsewhere. --decrypted: flags and key bags only, as in the image of a disk that its
machine decrypted. Prints the volume's key, and the block of the container's key bag.

Formats: Apple File System Reference, "Encryption", "Object Maps", "B-Trees", "Space Manager"; what key bags hold inside: sgan81/apfs-fuse,
ApfsLib/KeyMgmt.cpp. Control, by programs that share no code with this one, with password and with recovery key: the library of apfs-fuse gives
the same names and contents for OUT as for OUT-PLAIN; so do fls and icat of The Sleuth Kit 4.11.1 built with OpenSSL, and fsapfsinfo (libfsapfs
20201107, its use of OpenSSL 3 mended), but for the extent that is plain, which these two decrypt. With other words none of them opens it.

All keys and salts come from hashes of their names, so that the same call makes the same bytes. AES is libcrypto's."""
import ctypes
import hashlib
import hmac
import struct
import sys

BLOCK, SECTOR, ROUNDS, LARGER = 4096, 512, 20000, 40
NODES, OMAP, FSTREE = (2, 3), 0xb, 0xe
RECOVERY = bytes.fromhex("ebc6c064000011aaaa1100306543ecac")
crypto = ctypes.CDLL("libcrypto.so.3")
for name in ("EVP_CIPHER_CTX_new", "EVP_aes_128_ecb", "EVP_aes_256_ecb"):
    getattr(crypto, name).restype = ctypes.c_void_p


def secret(name, size):
    return hashlib.sha256(b"make-apfs " + name.encode()).digest()[:size]


class Ecb:
    def __init__(self, key):
        self.context = ctypes.c_void_p(crypto.EVP_CIPHER_CTX_new())
        kind = crypto.EVP_aes_128_ecb() if len(key) == 16 else crypto.EVP_aes_256_ecb()
        assert crypto.EVP_EncryptInit_ex(self.context, ctypes.c_void_p(kind), None, key, None) == 1
        crypto.EVP_CIPHER_CTX_set_padding(self.context, 0)

    def encrypt(self, data):
        out, size = ctypes.create_string_buffer(len(data)), ctypes.c_int()
        assert crypto.EVP_EncryptUpdate(self.context, out, ctypes.byref(size), data, len(data)) == 1 and size.value == len(data)
        return out.raw


class Xts:
    """Of its own: libcrypto does not encrypt when both halves of the key are the same, as a key bag's are."""
    def __init__(self, key):
        self.data, self.tweak = Ecb(key[:16]), Ecb(key[16:])

    def sector(self, data, number):
        tweak, masks = int.from_bytes(self.tweak.encrypt(number.to_bytes(16, "little")), "little"), b""
        for _ in range(0, len(data), 16):
            masks += tweak.to_bytes(16, "little")
            tweak = (tweak << 1) ^ (tweak >> 127) * ((1 << 128) | 0x87)
        mask = int.from_bytes(masks, "little")
        mixed = self.data.encrypt((int.from_bytes(data, "little") ^ mask).to_bytes(len(data), "little"))
        return (int.from_bytes(mixed, "little") ^ mask).to_bytes(len(data), "little")

    def blocks(self, data, number):
        return b"".join(self.sector(data[at:at + SECTOR], (number * BLOCK + at) // SECTOR) for at in range(0, len(data), SECTOR))


def wrapped(kek, key):
    """RFC 3394"""
    cipher, a, r = Ecb(kek), b"\xa6" * 8, [key[i:i + 8] for i in range(0, len(key), 8)]
    for t in range(6 * len(r)):
        i = t % len(r)
        out = cipher.encrypt(a + r[i])
        a, r[i] = (int.from_bytes(out[:8], "big") ^ (t + 1)).to_bytes(8, "big"), out[8:]
    return a + b"".join(r)


def checksum(data):
    """Fletcher-64 in Apple's way, over what follows the checksum."""
    low = high = 0
    for word in struct.unpack(f"<{len(data) // 4 - 2}I", data[8:]):
        low = (low + word) % 0xffffffff
        high = (high + low) % 0xffffffff
    first = 0xffffffff - (low + high) % 0xffffffff
    return (0xffffffff - (low + first) % 0xffffffff) << 32 | first


class Container:
    def __init__(self, data):
        self.data = bytearray(data)

    def block(self, number):
        return self.data[number * BLOCK:(number + 1) * BLOCK]

    def put(self, number, block):
        assert len(block) % BLOCK == 0
        self.data[number * BLOCK:number * BLOCK + len(block)] = block

    def seal(self, number, block):
        struct.pack_into("<Q", block, 0, checksum(block))
        self.put(number, block)

    def valid(self, number):
        block = self.block(number)
        return any(block) and struct.unpack_from("<Q", block)[0] == checksum(block)

    def number(self, number, at, size="Q"):
        return struct.unpack_from("<" + size, self.data, number * BLOCK + at)[0]

    def type(self, number):
        return self.number(number, 24, "H"), self.number(number, 28, "I")


def records(node):
    """(where the key is, its size, where the value is, its size) in a node's block"""
    flags, _, count, space, length = struct.unpack_from("<HHIHH", node, 32)
    keys, values = 56 + space + length, BLOCK - (40 if flags & 1 else 0)
    for i in range(count):
        if flags & 4:
            key, value = struct.unpack_from("<HH", node, 56 + space + i * 4)
            yield keys + key, 16, values - value, 16
        else:
            key, key_size, value, value_size = struct.unpack_from("<4H", node, 56 + space + i * 8)
            yield keys + key, key_size, values - value, value_size


def leaves(container, number):
    """Numbers of the leaves below a node of a tree whose nodes name each other by block."""
    node = container.block(number)
    if struct.unpack_from("<H", node, 32)[0] & 2:
        return [number]
    return [leaf for _, _, value, _ in records(node) for leaf in leaves(container, struct.unpack_from("<Q", node, value)[0])]


def newest(container):
    """The newest checkpoint's superblock; older ones go."""
    first, count = container.number(0, 112), container.number(0, 104, "I")
    ring = [number for number in range(first, first + count) if container.valid(number)]
    xid = max(container.number(number, 16) for number in ring if container.type(number)[0] == 1)
    for number in ring:
        if container.number(number, 16) != xid:
            container.put(number, bytes(BLOCK))
    container.number_of_map = next(number for number in ring if container.type(number)[0] == 0xc and container.number(number, 16) == xid)
    return next(number for number in ring if container.type(number)[0] == 1 and container.number(number, 16) == xid)


def take_blocks(container, superblock, count):
    """So many neighbours out of free space: bitmap, its chunk's entry and the space manager say so."""
    oid, checkpoint = container.number(superblock, 152), container.block(container.number_of_map)
    manager = next(struct.unpack_from("<Q", checkpoint, at + 32)[0] for at in range(40, 40 + 40 * struct.unpack_from("<I", checkpoint, 36)[0], 40)
                   if struct.unpack_from("<Q", checkpoint, at + 24)[0] == oid)
    assert container.number(manager, 48 + 20, "I") == 0, "its chunks are listed in two steps"
    chunks = container.number(manager, container.number(manager, 48 + 32, "I"))
    chunk, space = container.block(chunks), container.block(manager)
    base, total, free, bitmap = struct.unpack_from("<QIIQ", chunk, 48)
    bits = container.block(bitmap)
    used = [bool(bits[i // 8] >> i % 8 & 1) for i in range(total)]
    start = next(i for i in range(total) if not any(used[i:i + count]) and i + count <= total)
    for i in range(start, start + count):
        bits[i // 8] |= 1 << i % 8
    struct.pack_into("<I", chunk, 48 + 12, free - count)
    struct.pack_into("<Q", space, 48 + 24, struct.unpack_from("<Q", space, 48 + 24)[0] - count)
    container.put(bitmap, bits)
    container.seal(chunks, chunk)
    container.seal(manager, space)
    return base + start


def enlarge(container, superblock, nodes):
    """The last file with an extent gets many blocks, and contents with something to mistake."""
    extents = [(number, key, value) for number in nodes for key, size, value, _ in records(container.block(number))
               if size == 16 and container.number(number, key) >> 60 == 8]
    number, key, value = extents[-1]
    owner, node, size = container.number(number, key) & (1 << 60) - 1, container.block(number), LARGER * BLOCK - 1000
    place = take_blocks(container, superblock, LARGER)
    content = b"".join(b"line %d of what an encrypted volume holds\n" % i for i in range(5000))[:LARGER * BLOCK]
    content = bytearray(content.ljust(LARGER * BLOCK, b"."))
    content[8 * BLOCK:9 * BLOCK], content[20 * BLOCK:30 * BLOCK] = container.block(nodes[0]), bytes(10 * BLOCK)
    content[size:] = bytes(len(content) - size)
    container.put(place, content)
    struct.pack_into("<QQ", node, value, LARGER * BLOCK, place)
    for key, key_size, value, _ in records(node):
        if key_size == 8 and struct.unpack_from("<Q", node, key)[0] == owner | 3 << 60:
            count, at = struct.unpack_from("<H", node, value + 92)[0], value + 96
            data = at + 4 * count
            for field in range(count):
                kind, _, length = struct.unpack_from("<BBH", node, at + 4 * field)
                if kind == 8:
                    struct.pack_into("<QQ", node, data, size, LARGER * BLOCK)
                data += length + 7 & ~7
    container.seal(number, node)


def der(tag, data):
    return bytes([tag]) + (bytes([len(data)]) if len(data) < 128 else bytes([0x81, len(data)])) + data


def blob(name, uuid, key, rest=b""):
    body, salt = der(0xa3, der(0x80, b"\0") + der(0x81, uuid) + der(0x82, bytes(8)) + der(0x83, key) + rest), secret(name + " hmac", 8)
    mac = hmac.new(hashlib.sha256(bytes.fromhex("011620171505") + salt).digest(), body, "sha256").digest()
    return der(0x30, der(0x80, b"\0") + der(0x81, mac) + der(0x82, salt) + body)


def unlock_record(name, word, kek):
    salt = secret(name + " salt", 16)
    derived = hashlib.pbkdf2_hmac("sha256", word.encode(), salt, ROUNDS, 32)
    return blob(name, secret(name + " uuid", 16), wrapped(derived, kek), der(0x84, ROUNDS.to_bytes(3, "big").lstrip(b"\0")) + der(0x85, salt))


def bag(number, xid, kind, uuid, entries):
    """A key bag, encrypted with the identifier of what it belongs to."""
    body = b""
    for owner, tag, data in entries:
        entry = owner + struct.pack("<HHI", tag, len(data), 0) + data
        body += entry + bytes(-len(entry) % 16)
    block = bytearray((bytes(8) + struct.pack("<QQII", number, xid, kind, 0) + struct.pack("<HHIQ", 2, len(entries), len(body) + 16, 0) + body).ljust(BLOCK, b"\0"))
    struct.pack_into("<Q", block, 0, checksum(block))
    return Xts(uuid + uuid).blocks(bytes(block), number)


def encrypt_tree(container, entries, cipher):
    """Nodes (object map's entries name them) and all that their extents name, but for holes and the first extent."""
    seen = 0
    for leaf, value in entries:
        number = container.number(leaf, value + 8)
        if container.type(number)[0] not in NODES:
            continue
        node, mapping = container.block(number), container.block(leaf)
        if struct.unpack_from("<H", node, 32)[0] & 2:
            for key, _, at, _ in records(node):
                if struct.unpack_from("<Q", node, key)[0] >> 60 == 8:
                    size, place = struct.unpack_from("<QQ", node, at)
                    size &= (1 << 56) - 1
                    seen += place > 0
                    tweak = 0 if place == 0 or seen == 1 else place + (0x123456789 if seen == 2 else 0)
                    struct.pack_into("<Q", node, at + 16, tweak)
                    if tweak:
                        container.put(place, cipher.blocks(bytes(container.data[place * BLOCK:place * BLOCK + size]), tweak))
        struct.pack_into("<I", node, 24, struct.unpack_from("<I", node, 24)[0] | 0x10000000)
        struct.pack_into("<Q", node, 0, checksum(node))
        container.put(number, cipher.blocks(bytes(node), number))
        struct.pack_into("<I", mapping, value, struct.unpack_from("<I", mapping, value)[0] | 4)
        container.seal(leaf, mapping)


def main(plain, out_plain, out, password, recovery, *options):
    container = Container(open(plain, "rb").read())
    superblock = newest(container)
    volumes = container.block(leaves(container, container.number(container.number(superblock, 160), 48))[0])
    volume = max(struct.unpack_from("<Q", volumes, value + 8)[0] for _, _, value, _ in records(volumes))
    assert container.number(volume, 32, "I") == 0x42535041 and container.number(volume, 264) & 1 and container.number(volume, 216) == 0
    mapping = leaves(container, container.number(container.number(volume, 128), 48))
    entries = [(leaf, value) for leaf in mapping for _, _, value, _ in records(container.block(leaf))]
    nodes = [container.number(leaf, value + 8) for leaf, value in entries]
    for number in range(len(container.data) // BLOCK):
        if number not in nodes and container.type(number)[1] == FSTREE and container.type(number)[0] in NODES and container.valid(number):
            container.put(number, bytes(BLOCK))
    enlarge(container, superblock, [n for n in nodes if container.number(n, 32, "H") & 2])
    bags = take_blocks(container, superblock, 2)
    with open(out_plain, "wb") as file:
        file.write(container.data)

    ids, kek, vek = [bytes(container.block(superblock)[72:88]), bytes(container.block(volume)[240:256])], secret("kek", 32), secret("vek", 32)
    xid = container.number(superblock, 16)
    if "--decrypted" not in options:
        encrypt_tree(container, entries, Xts(vek))
    container.put(bags + 1, bag(bags + 1, xid, 0x72656373, ids[1], [(ids[1], 3, unlock_record("password", password, kek)),
                                                                  (RECOVERY, 3, unlock_record("recovery", recovery, kek)), (ids[1], 4, b"the usual one")]))
    container.put(bags, bag(bags, xid, 0x6b657973, ids[0], [(ids[1], 2, blob("vek", secret("vek uuid", 16), wrapped(kek, vek))),
                                                           (ids[1], 3, struct.pack("<QQ", bags + 1, 1))]))
    block = container.block(volume)
    struct.pack_into("<Q", block, 264, struct.unpack_from("<Q", block, 264)[0] & ~1 | 8)
    container.seal(volume, block)
    block = container.block(superblock)
    if "--hardware" not in options:
        struct.pack_into("<Q", block, 1264, struct.unpack_from("<Q", block, 1264)[0] | 4)
    struct.pack_into("<QQ", block, 1296, bags, 1)
    container.seal(superblock, block)
    container.seal(0, block)
    with open(out, "wb") as file:
        file.write(container.data)
    print(vek.hex(), bags)


main(*sys.argv[1:])
