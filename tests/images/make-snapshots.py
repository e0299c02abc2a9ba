#!/usr/bin/env python3
"""Turns states of an NTFS volume into volume shadow copies of the last of them.

make-snapshots.py NOW STORE SIZE THEN...    THEN: the older states, oldest first; NOW gets the snapshots

STORE and SIZE are a range of NOW (bytes, from a multiple of 16 KiB on) that holds a file for the snapshots' own data,
and the same one in all states. Format: libyal/libvshadow documentation, "Volume Shadow Snapshot (VSS) format"."""
import struct
import sys
import uuid

BLOCK = 16384
MARK = uuid.UUID("3808876b-c176-4e48-b7ae-04046e6cc752").bytes_le
VOLUME, CATALOG, BLOCKS, STORE, RANGES, BITMAP = range(1, 7)
SINCE = 130305261097363787  # FILETIME of the first snapshot; one each hour


def header(kind, relative, current, following=0):
    return (MARK + struct.pack("<IIQQQ", 1, kind, relative, current, following)).ljust(128, b"\0")


def changed(then, now, skip):
    """Offsets of blocks that the older state has otherwise."""
    return [at for at in range(0, len(then), BLOCK) if then[at:at + BLOCK] != now[at:at + BLOCK] and at not in skip]


def main():
    now_path, store, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    states = [open(path, "rb").read() for path in sys.argv[4:]] + [open(now_path, "rb").read()]
    now = bytearray(states[-1])
    skip = range(store, store + size, BLOCK)
    free = store

    def take(count=1):
        nonlocal free
        at, free = free, free + count * BLOCK
        assert free <= store + size, "the store is too small"
        return at

    def put(at, data):
        now[at:at + len(data)] = data

    catalog = take()
    entries = b""
    for number, (then, later) in enumerate(zip(states, states[1:])):
        identity = uuid.uuid5(uuid.NAMESPACE_OID, f"snapshot {number}").bytes_le
        first = take()
        listed, ranges, bitmap = take(), take(), take()
        kept = changed(then, later, skip)
        assert len(kept) <= (BLOCK - 128) // 32, len(kept)
        rows = b""
        for at in kept:
            place = take()
            put(place, then[at:at + BLOCK])
            rows += struct.pack("<QQQII", at, place - first, place, 0, 0)
        name = "test".encode("utf-16-le")
        put(first, (header(STORE, 0, first) + uuid.uuid5(uuid.NAMESPACE_OID, "set").bytes_le + identity * 2 +
            struct.pack("<IIII", 0x09, 1, 0x420009, 0) + (struct.pack("<H", len(name)) + name) * 2).ljust(BLOCK, b"\0"))
        put(listed, (header(BLOCKS, listed - first, listed) + rows).ljust(BLOCK, b"\0"))
        put(ranges, (header(RANGES, ranges - first, ranges) + struct.pack("<QQQ", first, 0, free - first)).ljust(BLOCK, b"\0"))
        put(bitmap, (header(BITMAP, bitmap - first, bitmap) + bytes(len(now) // BLOCK // 8)).ljust(BLOCK, b"\xff"))
        entries += (struct.pack("<QQ", 2, len(now)) + identity +
                    struct.pack("<QQQ", number + 1, 0x40, SINCE + number * 36000000000)).ljust(128, b"\0")
        entries += (struct.pack("<QQ", 3, listed) + identity +
                    struct.pack("<QQQQQQ", first, ranges, bitmap, 0, free - first, 0)).ljust(128, b"\0")
    put(catalog, (header(CATALOG, 0, catalog) + entries).ljust(BLOCK, b"\0"))
    put(0x1e00, (MARK + struct.pack("<IIQQQQQ", 1, VOLUME, 0x1e00, 0x1e00, 0, catalog, 0) + bytes(32)).ljust(128, b"\0"))
    with open(now_path, "wb") as file:
        file.write(now)


main()
