#!/usr/bin/env python3
"""Makes a FileVault 2 volume (CoreStorage) of a plain one. The same arguments give the same bytes.

    make-filevault.py [OPTION...] PLAIN OUT

    --password WORDS, --recovery KEY   a user who opens it by that; each may be given again
    --cloud          a user without a password, in front of the others
    --wipekey FILE   the users' keys go there, as on a system volume (EncryptedRoot.plist.wipekey), and not into the volume
    --packed         the volume's plist of keys is packed, in two blocks
    --master FILE    writes the volume's master key
    --clear          nothing is encrypted
    --disks N, --volumes N, --pieces N   the group says that it has so many disks or volumes, or its volume so many pieces
    --iterations N   of PBKDF2 (41000)
    --status WORD    how far the encryption has come (Complete)

PLAIN has the mark of HFS+ at byte 1024: libfvde 20190104 takes that for the sign that the key is right.

Format: libyal/libfvde documentation, "FileVault Drive Encryption (FVDE)"; the number of iterations is at byte 168 of PassphraseWrappedKEKStruct,
as in the example there. Keys are wrapped by RFC 3394. AES is libcrypto's."""
import argparse
import base64
import ctypes
import hashlib
import struct
import uuid
import zlib

SECTOR, BLOCK, UNIT, METADATA, ENCRYPTED = 512, 4096, 8192, 65536, 64 * 4096
crypto = ctypes.CDLL("libcrypto.so.3")
for function in ("EVP_CIPHER_CTX_new", "EVP_aes_128_xts", "EVP_aes_128_ecb"):
    getattr(crypto, function).restype = ctypes.c_void_p


def secret(label, size=16):
    return hashlib.sha256(label.encode()).digest()[:size]


def identifier(label):
    return uuid.UUID(bytes=secret(label))


class Cipher:
    def __init__(self, kind, key):
        self.context = ctypes.c_void_p(crypto.EVP_CIPHER_CTX_new())
        assert crypto.EVP_EncryptInit_ex(self.context, ctypes.c_void_p(getattr(crypto, "EVP_aes_128_" + kind)()), None, key, None) == 1
        crypto.EVP_CIPHER_CTX_set_padding(self.context, 0)

    def encrypt(self, data, number=0):
        out, size = ctypes.create_string_buffer(len(data)), ctypes.c_int()
        assert crypto.EVP_EncryptInit_ex(self.context, None, None, None, number.to_bytes(16, "little")) == 1
        assert crypto.EVP_EncryptUpdate(self.context, out, ctypes.byref(size), data, len(data)) == 1 and size.value == len(data)
        return out.raw


def wrapped(key, data):
    """RFC 3394."""
    cipher, check, parts = Cipher("ecb", key), b"\xa6" * 8, [data[:8], data[8:]]
    for step in range(12):
        block = cipher.encrypt(check + parts[step % 2])
        check = (int.from_bytes(block[:8], "big") ^ step + 1).to_bytes(8, "big")
        parts[step % 2] = block[8:]
    return check + b"".join(parts)


def table():
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82f63b78 if value & 1 else 0)
        yield value


TABLE = list(table())


def summed(data):
    """CRC-32C without the last inversion stands in front of what it is of, with what it begins with."""
    crc = 0xffffffff
    for byte in data:
        crc = TABLE[(crc ^ byte) & 255] ^ crc >> 8
    return struct.pack("<II", crc, 0xffffffff) + data


def unit(kind, transaction, item, number, body):
    head = struct.pack("<HHIQQQQIIQ", 1, kind, 0x4b56, transaction, item, number, item, UNIT, 0, 0)
    return summed((head + body).ljust(UNIT - 8, b"\0"))


def user(number, words, kek, iterations):
    salt = secret("salt %d" % number)
    key = hashlib.pbkdf2_hmac("sha256", words.encode(), salt, iterations, 16)
    data = struct.pack("<II", 3, 16) + salt + struct.pack("<II", 16, 24) + wrapped(key, kek)
    data = data.ljust(144, b"\0") + struct.pack("<3I", 1, 3, 10) + secret("a %d" % number, 12)
    data += struct.pack("<5I", iterations, 1, 1, 3, 10) + secret("b %d" % number, 32) * 3
    assert len(data) == 284
    return data


def volume_key(kek, master):
    data = struct.pack("<II", 2, 24) + wrapped(kek, master) + struct.pack("<III", 8, 0, 0) + struct.pack("<IIII", 1, 0, 1, 8)
    data = data.ljust(144, b"\0") + struct.pack("<3I", 1, 3, 10) + secret("c", 32) * 3 + struct.pack("<I", 1)
    assert len(data) == 256
    return data


def lines(data):
    text = base64.b64encode(data).decode()
    return "\n" + "\n".join(text[at:at + 52] for at in range(0, len(text), 52)) + "\n"


def clear_context():
    return ("<dict><key>CryptoUsers</key><array></array><key>LastUpdateTime</key><integer>0x500ba053</integer><key>WrappedVolumeKeys</key><array>"
            "<dict><key>BlockAlgorithm</key><string>None</string><key>KEKWrappedVolumeKeyStruct</key><data></data></dict></array>"
            "<key>ConversionInfo</key><dict><key>ConversionStatus</key><string>NoConversion</string></dict></dict>")


def context(options, master):
    """CryptoUsers, WrappedVolumeKeys, ConversionInfo."""
    kek, users, keys = secret("key encryption key"), "", ""
    if options.cloud:
        users = "<dict><key>ExternalKeyProps</key><dict><key>EncryptionAlgorithm</key><string>iCloud PCS</string></dict></dict>"
    for number, words in enumerate(options.password + options.recovery):
        users += ("<dict><key>PassphraseWrappedKEKStruct</key><data>%s</data><key>WrapVersion</key><integer>1</integer>"
                  "<key>UserIdent</key><string>%s</string></dict>") % (lines(user(number, words, kek, options.iterations)), identifier("user %d" % number))
    for number, (algorithm, data) in enumerate((("None", ""), ("AES-XTS", lines(volume_key(kek, master))))):
        keys += ("<dict><key>VolumeKeyIndex</key><integer>%d</integer><key>BlockAlgorithm</key><string>%s</string>"
                 "<key>KEKWrappedVolumeKeyStruct</key><data>%s</data></dict>") % (number, algorithm, data)
    return ("<dict><key>ConversionInfo</key><dict><key>ConversionStatus</key><string>%s</string></dict><key>CryptoUsers</key><array>%s</array>"
            "<key>LastUpdateTime</key><integer>1323243315</integer><key>WrappedVolumeKeys</key><array>%s</array></dict>") % (options.status, users, keys)


def dictionary(prefix, **values):
    text = "".join("<key>com.apple.corestorage.%s.%s</key>%s" % (prefix, key, value if isinstance(value, str) and value.startswith("<") else
                   "<integer size=\"64\">0x%x</integer>" % value if isinstance(value, int) else "<string>%s</string>" % value) for key, value in values.items())
    return "<dict>%s</dict>" % text


def family_units(options, plist):
    """The plist of keys: 0x0019, and for what has no room in it 0x0024."""
    data = zlib.compress(plist) if options.packed else plist
    first, rest = (data[:len(data) // 2], data[len(data) // 2:]) if options.packed else (data, b"")
    body = struct.pack("<5QIIII", 0, 0, 0, 0, 7 if rest else 0, len(data), len(plist), 64 + 80, len(first)).ljust(80, b"\0") + first
    assert len(body) <= UNIT - 64, "too many users for one block"
    yield 0x0019, 6, body
    if rest:
        yield 0x0024, 7, struct.pack("<QII", 0, len(rest), 0) + rest


def encrypted_metadata(options, family, group, plist, start, blocks):
    units = [(0x0013, 1, b"\0" * 8 + group.bytes + struct.pack("<QQ", 0x13, 1))]
    units += family_units(options, plist)
    for number in range(options.volumes):
        text = dictionary("lv", familyUUID=str(family).upper(), groupUUID=str(group).upper(), sequence=1, name="Made %d" % number, size=blocks * BLOCK,
                          uuid=str(identifier("volume %d" % number)).upper()).encode()
        units.append((0x001a, 10 + number, struct.pack("<7Q4I", 10 + number, 12, 0, 0, 0, 0, 0, len(text), len(text), 64 + 72, len(text)) + text))
    pieces = [(blocks * n // options.pieces, blocks * (n + 1) // options.pieces) for n in range(options.pieces)]
    units.append((0x0305, 12, struct.pack("<II", len(pieces), 0) + b"".join(
        struct.pack("<QQIIIIQ", 0, at, end - at, 0, 0, 0, (0 if options.wipekey else start) + at) for at, end in pieces)))
    if options.wipekey:
        units.append((0x0505, 13, struct.pack("<IIQQ", 1, 0, blocks, start)))
    return [(kind, unit(kind, 3, item, number, body)) for number, (kind, item, body) in enumerate(units)]


def metadata(options, group, physical, places):
    text = dictionary("lvg", uuid=str(group).upper(), name="Made", physicalVolumes="<array>%s</array>" % "".join(
        "<string>%s</string>" % str(physical if n == 0 else identifier("disk %d" % n)).upper() for n in range(options.disks))).encode()
    body = struct.pack("<I", METADATA).ljust(156, b"\0") + struct.pack("<4I", UNIT, UNIT + 48, len(text), len(text))
    return (unit(0x0011, 3, 0, 0, body) + struct.pack("<QQQQQQ", 1, ENCRYPTED // BLOCK, 0, 0, *places) + text).ljust(METADATA, b"\0")


def header(size, places, key, physical, group):
    data = struct.pack("<HHIQ", 1, 0x10, 0x4b56, 1).ljust(40, b"\0") + struct.pack("<IIQQ", SECTOR, 0, 0, size)
    data = data.ljust(80, b"\0") + b"CS" + struct.pack("<IHII", 1, 4, BLOCK, METADATA) + struct.pack("<4Q", *places)
    data = data.ljust(160, b"\0") + struct.pack("<II", 16, 2) + key
    return summed((data.ljust(296, b"\0") + physical.bytes + group.bytes).ljust(504, b"\0"))


def main(options):
    plain = open(options.plain, "rb").read()
    plain += bytes(-len(plain) % BLOCK)
    physical, group, family = identifier("physical volume"), identifier("group"), identifier("family")
    master, key, blocks = secret("volume master key"), secret("key data"), len(plain) // BLOCK
    # Block numbers: header, two copies of the metadata, the encrypted metadata, the volume, and the same again.
    area, secrets = METADATA // BLOCK, ENCRYPTED // BLOCK
    front = [8, 8 + area, 8 + 2 * area]
    start = front[2] + secrets
    back = [start + blocks, start + blocks + area, start + blocks + 2 * area]
    size = (back[2] + secrets + 8) * BLOCK
    keys = clear_context() if options.clear else context(options, master)
    out = bytearray(size)

    def put(block, data):
        out[block * BLOCK:block * BLOCK + len(data)] = data

    plist = dictionary("lvf", **({} if options.wipekey else {"encryption.context": keys}), groupUUID=str(group).upper(), uuid=str(family).upper()).encode() + b"\0"
    units = encrypted_metadata(options, family, group, plist, start, blocks)
    cipher = Cipher("xts", key + physical.bytes)
    for number, (kind, data) in enumerate(units):
        data = b"LVFwiped" + data[8:] if kind in (0x0019, 0x0024) and options.wipekey else data
        for place in front[2], back[2]:
            out[place * BLOCK + number * UNIT:place * BLOCK + (number + 1) * UNIT] = cipher.encrypt(data, number)
    for place in front[:2] + back[:2]:
        put(place, metadata(options, group, physical, (front[2], back[2])))
    if not options.clear:
        cipher = Cipher("xts", master + hashlib.sha256(master + family.bytes).digest()[:16])
        plain = b"".join(cipher.encrypt(plain[at:at + SECTOR], at // SECTOR) for at in range(0, len(plain), SECTOR))
    put(start, plain)
    head = header(size, front[:2] + back[:2], key, physical, group)
    out[:SECTOR] = out[-SECTOR:] = head
    open(options.out, "wb").write(out)
    if options.wipekey:
        text = '<?xml version="1.0" encoding="UTF-8"?>\n<plist version="1.0">\n%s\n</plist>\n' % keys
        open(options.wipekey, "wb").write(Cipher("xts", key + bytes(16)).encrypt(text.encode()))
    if options.master:
        open(options.master, "wb").write(master)


parser = argparse.ArgumentParser(usage=__doc__)
for name in "password", "recovery":
    parser.add_argument("--" + name, action="append", default=[])
for name in "cloud", "packed", "clear":
    parser.add_argument("--" + name, action="store_true")
for name in "wipekey", "master":
    parser.add_argument("--" + name)
for name, usual in ("disks", 1), ("volumes", 1), ("pieces", 1), ("iterations", 41000):
    parser.add_argument("--" + name, type=int, default=usual)
parser.add_argument("--status", default="Complete")
parser.add_argument("plain")
parser.add_argument("out")
main(parser.parse_args())
