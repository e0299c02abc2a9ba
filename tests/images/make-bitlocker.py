#!/usr/bin/env python3
"""Makes a BitLocker volume whose content is known: a plain volume, encrypted with the key of a sample, whose metadata it gets; or with a new
key and new metadata.

    make-bitlocker.py SAMPLE KEY PLAIN OUT
    make-bitlocker.py --new METHOD PLAIN OUT [password:WORDS] [recovery:DIGITS] [file:PATH] [clear] [part:BYTES] [write] [decrypted]

SAMPLE: a BitLocker volume (Windows 7 or later), also To Go. KEY: a file with its volume key, as `cryptsetup bitlkDump --dump-volume-key` writes
it: 32 or 64 bytes; AES-XTS, or with 64 bytes and the method 0x8001 AES-256-CBC with diffuser. PLAIN: as large as SAMPLE, with zeros
where SAMPLE has metadata (else this ends with an error). OUT opens with all that opens SAMPLE.

METHOD: cbc-128, cbc-256, elephant-128, elephant-256, xts-128, xts-256. Each of password, recovery (48 digits), file (a startup key's file is
made) and clear is a way to open it. part: the first BYTES are encrypted (a multiple of 512), the others not yet; write: encrypt-on-write, and
the odd ones of its chunks of 64 KiB are not encrypted yet; decrypted: only the metadata are there. Of what is made by METHOD and a way to open
it dislocker 0.7.2 gives PLAIN back (XTS and CBC, with and without diffuser, all four ways).

Format: libyal/libbde documentation, "BitLocker Drive Encryption (BDE) format"; the diffuser: N. Ferguson, "AES-CBC + Elephant diffuser".
What a volume begins with is stored elsewhere; a sector's tweak or key comes from where it is stored. AES is libcrypto's."""
import array
import ctypes
import hashlib
import struct
import sys
import zlib

SECTOR, AREA, BATCH = 512, 65536, 1 << 21
crypto = ctypes.CDLL("libcrypto.so.3")
for name in ("EVP_CIPHER_CTX_new", *("EVP_aes_" + kind for kind in ("128_xts", "256_xts", "128_cbc", "256_cbc", "128_ecb", "256_ecb", "256_ccm"))):
    getattr(crypto, name).restype = ctypes.c_void_p


class Cipher:
    def __init__(self, kind, key):
        self.context = ctypes.c_void_p(crypto.EVP_CIPHER_CTX_new())
        self.out, self.size = ctypes.create_string_buffer(BATCH), ctypes.c_int()
        assert crypto.EVP_EncryptInit_ex(self.context, ctypes.c_void_p(getattr(crypto, "EVP_aes_" + kind)()), None, key, None) == 1
        crypto.EVP_CIPHER_CTX_set_padding(self.context, 0)

    def encrypt(self, data, iv=None):
        assert crypto.EVP_EncryptInit_ex(self.context, None, None, None, iv) == 1
        assert crypto.EVP_EncryptUpdate(self.context, self.out, ctypes.byref(self.size), data, len(data)) == 1
        return ctypes.string_at(self.out, self.size.value)


def each_sector(data):
    return (data[at:at + SECTOR] for at in range(0, len(data), SECTOR))


class Xts:
    def __init__(self, key):
        self.cipher = Cipher("128_xts" if len(key) == 32 else "256_xts", key)

    def sectors(self, data, offset):
        return b"".join(self.cipher.encrypt(sector, (offset // SECTOR + i).to_bytes(16, "little")) for i, sector in enumerate(each_sector(data)))


class Cbc:
    """AES-CBC; the vector is the sector's first byte, encrypted with the same key."""
    def __init__(self, key):
        bits = len(key) * 8
        self.data, self.plain = Cipher(f"{bits}_cbc", key), Cipher(f"{bits}_ecb", key)

    def sectors(self, data, offset):
        ivs = self.plain.encrypt(b"".join(at.to_bytes(16, "little") for at in range(offset, offset + len(data), SECTOR)))
        return b"".join(self.data.encrypt(sector, ivs[i * 16:i * 16 + 16]) for i, sector in enumerate(each_sector(data)))


class Diffused:
    """AES-CBC with diffuser: the key of the data, and that of the sectors' keys, each with 32 bytes of room."""
    def __init__(self, key, bits=256):
        self.cbc, self.tweak = Cbc(key[:bits // 8]), Cipher(f"{bits}_ecb", key[32:32 + bits // 8])

    def sectors(self, data, offset):
        numbers = [at.to_bytes(16, "little") for at in range(offset, offset + len(data), SECTOR)]
        keys = self.tweak.encrypt(b"".join(number + number[:15] + b"\x80" for number in numbers))
        keys = b"".join(keys[at:at + 32] * (SECTOR // 32) for at in range(0, len(keys), 32))
        mixed = int.from_bytes(data, "little") ^ int.from_bytes(keys, "little")
        return self.cbc.sectors(diffused(mixed.to_bytes(len(data), "little")), offset)


class Plain:
    def sectors(self, data, offset):
        return data


def diffused(data):
    """All sectors at once: a number holds the same word of each of them, 64 bits apart."""
    flat, lanes = array.array("I", data), len(data) // SECTOR
    one = int.from_bytes(b"\1\0\0\0\0\0\0\0" * lanes, "little")
    mask, borrow = one * 0xffffffff, one << 32
    words = [int.from_bytes(array.array("Q", flat[i::128]), "little") for i in range(128)]
    for cycles, near, far, turns in (5, -2, -5, (9, 0, 13, 0)), (3, 2, 5, (0, 10, 0, 25)):
        for i in [*range(127, -1, -1)] * cycles:
            word, turn = words[(i + far) % 128], turns[i % 4]
            word = (word << turn | word >> 32 - turn) & mask if turn else word
            words[i] = (words[i] | borrow) - (words[(i + near) % 128] ^ word) & mask
    for i in range(128):
        flat[i::128] = array.array("I", array.array("Q", words[i].to_bytes(lanes * 8, "little")))
    return flat.tobytes()


def layout(sample):
    """(where metadata lies, bytes that are stored elsewhere, where these are, encryption method)"""
    area = struct.unpack_from("<Q", sample, 440 if sample[3:11] == b"MSWIN4.1" else 176)[0]
    assert sample[3:11] in (b"-FVE-FS-", b"MSWIN4.1") and sample[area:area + 8] == b"-FVE-FS-"
    sectors, *areas, stored = struct.unpack_from("<I4Q", sample, area + 28)
    return areas, sectors * SECTOR, stored, struct.unpack_from("<I", sample, area + 64 + 36)[0] & 0xffff


def encrypt(plain, out, closed, moved, stored, cipher_at, chunk=BATCH):
    """All of `plain` but what lies in `closed`; its first bytes to `stored`. Each `chunk` may have a cipher of its own."""
    for start, end in closed:
        assert not any(plain[start:end]), "the plain volume has something where metadata lies"
    out[stored:stored + moved] = cipher_at(stored).sectors(plain[:moved], stored)
    begin = moved
    for start, end in closed + [(len(plain), 0)]:
        at = begin
        while at < start:
            data = plain[at:min((at // chunk + 1) * chunk, start)]
            out[at:at + len(data)] = cipher_at(at).sectors(data, at)
            at += len(data)
        begin = max(begin, end)


def from_sample(sample, key, plain, out):
    out_data = bytearray(open(sample, "rb").read())
    plain, key = open(plain, "rb").read(), open(key, "rb").read()
    areas, moved, stored, method = layout(out_data)
    cipher = Diffused(key) if method == 0x8001 else Xts(key)
    assert len(plain) == len(out_data) and len(key) == (64 if method in (0x8001, 0x8005) else 32)
    closed = sorted([(area, area + AREA) for area in areas] + [(stored, stored + moved)])
    encrypt(plain, out_data, closed, moved, stored, lambda at: cipher)
    with open(out, "wb") as file:
        file.write(out_data)


# ---- metadata of our own

METHODS = {"elephant-128": (0x8000, 64, lambda key: Diffused(key, 128)), "elephant-256": (0x8001, 64, Diffused), "cbc-128": (0x8002, 16, Cbc),
           "cbc-256": (0x8003, 32, Cbc), "xts-128": (0x8004, 32, Xts), "xts-256": (0x8005, 64, Xts)}
MOVED, CHUNK, TIME = 8192, 65536, bytes.fromhex("00c0a1b2c3d4d501")


def made(what, size):
    """Bytes that stand for random ones: the same each time."""
    return hashlib.shake_256(what.encode()).digest(size)


def entry(role, kind, data, version=1):
    return struct.pack("<4H", len(data) + 8, role, kind, version) + data


def box(role, key, plain, number):
    """AES-256-CCM of an entry; its nonce is a time and a counter."""
    nonce, mac, size = TIME + number.to_bytes(4, "little"), ctypes.create_string_buffer(16), ctypes.c_int()
    context, out = ctypes.c_void_p(crypto.EVP_CIPHER_CTX_new()), ctypes.create_string_buffer(len(plain))
    assert crypto.EVP_EncryptInit_ex(context, ctypes.c_void_p(crypto.EVP_aes_256_ccm()), None, None, None) == 1
    assert crypto.EVP_CIPHER_CTX_ctrl(context, 9, 12, None) == 1 and crypto.EVP_CIPHER_CTX_ctrl(context, 17, 16, None) == 1
    assert crypto.EVP_EncryptInit_ex(context, None, None, key, nonce) == 1
    assert crypto.EVP_EncryptUpdate(context, out, ctypes.byref(size), plain, len(plain)) == 1
    assert crypto.EVP_CIPHER_CTX_ctrl(context, 16, 16, mac) == 1
    return entry(role, 5, nonce + mac.raw + out.raw)


def stretched(secret, salt):
    last, sha256 = bytes(32), hashlib.sha256
    tail = secret + salt
    for i in range(1 << 20):
        last = sha256(last + tail + i.to_bytes(8, "little")).digest()
    return last


def sha256(data):
    return hashlib.sha256(data).digest()


def protector(way, number, master):
    """One way to the master key; the key file is written here."""
    kind, _, value = way.partition(":")
    secret, code, inside = made(way, 32), {"clear": 0, "file": 0x200, "recovery": 0x800, "password": 0x2000}[kind], b""
    identifier = made("identifier of " + way, 16)
    if kind == "clear":
        inside = entry(0, 1, struct.pack("<2H", 0x2001, 0) + secret, 3)
    elif kind == "file":
        inside = entry(0, 4, struct.pack("<2H", 0x2002, 0))
        key = entry(6, 9, identifier + TIME + entry(0, 1, struct.pack("<2H", 0x2002, 0) + secret))
        with open(value, "wb") as file:
            file.write(struct.pack("<4I", 48 + len(key), 1, 48, 48 + len(key)) + identifier + struct.pack("<IHH", 1, 0, 0) + TIME + key)
    else:
        salt = made("salt of " + way, 16)
        digits = b"".join(struct.pack("<H", int(group) // 11) for group in value.split("-")) if kind == "recovery" else b""
        secret = stretched(sha256(digits) if kind == "recovery" else sha256(sha256(value.encode("utf-16-le"))), salt)
        inside = entry(0, 3, struct.pack("<2H", 0x1000, 0) + salt)
    inside += box(0, secret, entry(0, 1, struct.pack("<2H", 0x2003, 0) + master), number)
    return entry(2, 8, identifier + TIME + struct.pack("<2H", 0, code) + inside)


def metadata(method, state, watermark, areas, stored, key, ways, size):
    master = made("master", 32)
    entries = entry(7, 2, "kvali test\0".encode("utf-16-le"))
    entries += b"".join(protector(way, i + 1, master) for i, way in enumerate(ways))
    entries += box(3, master, entry(0, 1, struct.pack("<2H", method, 0) + key), 100) + entry(15, 15, struct.pack("<2Q", stored, MOVED))
    data_set = struct.pack("<4I", 48 + len(entries), 1, 48, 48 + len(entries)) + made("volume", 16) + struct.pack("<IHH", 200, method, 0) + TIME + entries
    whole = (64 + len(data_set) + 15) // 16 * 16
    block = b"-FVE-FS-" + struct.pack("<4HQ2I", whole // 16, 2, state, 4, watermark, 0, MOVED // SECTOR) + struct.pack("<4Q", *areas, stored) + data_set
    block = block.ljust(whole, b"\0")
    return block + struct.pack("<2HI", 8, 2, zlib.crc32(block))


def summed(data, at):
    return data[:at] + struct.pack("<I", zlib.crc32(data)) + data[at + 4:]


def on_write(places, log, size):
    """The description of encrypt-on-write, and its one map with two records, of which the later counts: {place: bytes}."""
    count = -(-size // CHUNK)
    bits = sum(1 << i for i in range(0, count, 2)).to_bytes((count + 7) // 8, "little")
    records = []
    for sequence, data in (1, bytes(len(bits))), (2, bits):
        head = b"FVE-EOWBR\0" + struct.pack("<HIIQII", 36, 36 + len(data), count, sequence, 0, 0)
        records.append(summed(head + data, 32).ljust(512, b"\0"))
    head = b"FVE-EOWBM\0" + struct.pack("<HIIQQQ4I", 60, 1536, 0, 0, size, log, 512, 1024, 512, 0)
    found = {places[2]: summed(head.ljust(512, b"\0"), 56) + b"".join(records)}
    for at in places[:2]:
        head = b"FVE-EOW\0" + struct.pack("<2H7I2QQ", 56, 64, SECTOR, 0, CHUNK, CHUNK, 0, 1, 0, places[0], places[1], places[2])
        found[at] = summed(head, 36)
    return found


def new(method, plain, out, *options):
    ways = [option for option in options if option.partition(":")[0] in ("password", "recovery", "file", "clear")]
    part = [int(option[5:]) for option in options if option.startswith("part:")]
    write, decrypted = "write" in options, "decrypted" in options
    number, key_size, cipher = METHODS[method]
    plain, key = open(plain, "rb").read(), made("volume key", key_size)
    free = [at for at in range(AREA, len(plain) - 2 * AREA, AREA) if not any(plain[at:at + AREA])]
    step = max(1, len(free) // 8)
    first, second, third, stored, *maps = free[::step][:8]
    areas, watermark = (first, second, third), part[0] if part else len(plain)
    cipher = cipher(key)
    closed = sorted([(area, area + AREA) for area in areas] + [(stored, stored + MOVED)])
    extra, guid = {}, bytes.fromhex("3bd66749292ed84a8399f6a339e3d001")
    if write:
        extra, guid = on_write(maps[:3], maps[3], len(plain)), bytes.fromhex("3b4da89280dd0e4d9e4eb1e3284eaed8")
        closed = sorted(closed + [(at, at + (len(data) + 511) // 512 * 512) for at, data in extra.items()] + [(maps[3], maps[3] + CHUNK)])

    def cipher_at(at):
        return Plain() if decrypted or (at // CHUNK % 2 == 1 if write else at >= watermark) else cipher

    data = bytearray(plain)
    if not decrypted or write:
        encrypt(plain, data, closed, MOVED, stored, cipher_at, CHUNK if write else SECTOR if part else BATCH)
    else:
        data[stored:stored + MOVED] = plain[:MOVED]
    block = metadata(number, 1 if decrypted else 4 if not part else 5, watermark, areas, stored, key, ways, len(plain))
    for at in areas:
        data[at:at + AREA] = block.ljust(AREA, b"\0")
    for at, value in extra.items():
        data[at:at + len(value)] = value
    boot = bytearray(SECTOR)
    boot[:64] = b"\xeb\x58\x90-FVE-FS-" + struct.pack("<HBHBHHBHHHI", SECTOR, 8, 0, 0, 0, 0, 0xf8, 0, 63, 255, 128) + bytes(32)
    boot[160:200] = guid + struct.pack("<3Q", *areas)
    boot[200:216] = struct.pack("<2Q", *maps[:2]) if write else bytes(16)
    boot[510:] = b"\x55\xaa"
    data[:MOVED] = boot + data[SECTOR:MOVED]
    with open(out, "wb") as file:
        file.write(data)


if sys.argv[1] == "--new":
    new(*sys.argv[2:])
else:
    from_sample(*sys.argv[1:])
