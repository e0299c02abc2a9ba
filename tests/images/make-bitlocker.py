#!/usr/bin/env python3
"""Makes a BitLocker volume whose content is known: a sample's metadata, and a plain volume encrypted with the sample's own key.

    make-bitlocker.py SAMPLE KEY PLAIN OUT

SAMPLE: a BitLocker volume (Windows 7 or later), also To Go. KEY: a file with its volume key, as `cryptsetup bitlkDump --dump-volume-key` writes
it: 32 or 64 bytes; AES-XTS, or with 64 bytes and the method 0x8001 AES-256-CBC with diffuser. PLAIN: as large as SAMPLE, with zeros
where SAMPLE has metadata (else this ends with an error). OUT opens with all that opens SAMPLE.

Format: libyal/libbde documentation, "BitLocker Drive Encryption (BDE) format"; the diffuser: N. Ferguson, "AES-CBC + Elephant diffuser".
What a volume begins with is stored elsewhere; a sector's tweak or key comes from where it is stored. AES is libcrypto's."""
import array
import ctypes
import struct
import sys

SECTOR, AREA, BATCH = 512, 65536, 1 << 21
crypto = ctypes.CDLL("libcrypto.so.3")
for name in ("EVP_CIPHER_CTX_new", "EVP_aes_128_xts", "EVP_aes_256_xts", "EVP_aes_256_cbc", "EVP_aes_256_ecb"):
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


class Diffused:
    """AES-256-CBC with diffuser: the key of the data, and that of the sectors' keys."""
    def __init__(self, key):
        self.data, self.plain, self.tweak = Cipher("256_cbc", key[:32]), Cipher("256_ecb", key[:32]), Cipher("256_ecb", key[32:])

    def sectors(self, data, offset):
        numbers = [at.to_bytes(16, "little") for at in range(offset, offset + len(data), SECTOR)]
        keys = self.tweak.encrypt(b"".join(number + number[:15] + b"\x80" for number in numbers))
        keys = b"".join(keys[at:at + 32] * (SECTOR // 32) for at in range(0, len(keys), 32))
        mixed = int.from_bytes(data, "little") ^ int.from_bytes(keys, "little")
        data = diffused(mixed.to_bytes(len(data), "little"))
        ivs = self.plain.encrypt(b"".join(numbers))
        return b"".join(self.data.encrypt(sector, ivs[i * 16:i * 16 + 16]) for i, sector in enumerate(each_sector(data)))


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


def main(sample, key, plain, out):
    out_data = bytearray(open(sample, "rb").read())
    plain, key = open(plain, "rb").read(), open(key, "rb").read()
    areas, moved, stored, method = layout(out_data)
    cipher = Diffused(key) if method == 0x8001 else Xts(key)
    assert len(plain) == len(out_data) and len(key) == (64 if method in (0x8001, 0x8005) else 32)
    closed = sorted([(area, area + AREA) for area in areas] + [(stored, stored + moved)])
    for start, end in closed:
        assert not any(plain[start:end]), "the plain volume has something where metadata lies"
    out_data[stored:stored + moved] = cipher.sectors(plain[:moved], stored)
    begin = moved
    for start, end in closed + [(len(plain), 0)]:
        for at in range(begin, start, BATCH):
            data = plain[at:min(at + BATCH, start)]
            out_data[at:at + len(data)] = cipher.sectors(data, at)
        begin = end
    with open(out, "wb") as file:
        file.write(out_data)


main(*sys.argv[1:])
