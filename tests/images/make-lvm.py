#!/usr/bin/env python3
"""Makes physical volumes of LVM2 with one volume group, without device-mapper.

make-lvm.py LINEAR STRIPED PV...    two or more PVs are made; LINEAR and STRIPED are files that become logical volumes

"linear" lies in two pieces, the second half before the first and on another PV; "striped" over the first two PVs in
pieces of 64 KiB; "mirrored" is of a type that is not read, and "hidden" is a part of it. Format: LVM2's
lib/format_text/layout.h and lib/label/label.h."""
import struct
import sys

EXTENT = 4096  # sectors: 2 MiB
SIZE = EXTENT * 512
START = 2048  # sectors
AREA = (4096, 1024 * 1024 - 4096)
STRIPE = 128  # sectors


def crc(data):
    value = 0xf597a6cf
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xedb88320 if value & 1 else 0)
    return value


def label(identity, size):
    body = struct.pack("<I8s", 32, b"LVM2 001") + identity.encode() + struct.pack("<Q", size)
    body += struct.pack("<QQ", START * 512, 0) + bytes(16) + struct.pack("<QQ", *AREA) + bytes(16)
    rest = body.ljust(512 - 20, b"\0")
    return b"LABELONE" + struct.pack("<QI", 1, crc(rest)) + rest


def dashed(identity):
    cuts = [0, 6, 10, 14, 18, 22, 26, 32]
    return "-".join(identity[a:b] for a, b in zip(cuts, cuts[1:]))


def extents(data):
    return -(-len(data) // SIZE)


def main():
    linear, striped = (open(path, "rb").read() for path in sys.argv[1:3])
    paths = sys.argv[3:]
    names = [(chr(ord("A") + i) * 31 + "x") for i in range(len(paths))]
    half, rows = extents(linear) // 2, -(-extents(striped) // 2)
    rest = extents(linear) - half
    linear, striped = linear.ljust((half + rest) * SIZE, b"\0"), striped.ljust(2 * rows * SIZE, b"\0")
    places = [bytearray(START * 512 + (half + rest + rows + 2) * SIZE) for _ in paths]

    def put(volume, extent, data):
        at = START * 512 + extent * SIZE
        places[volume][at:at + len(data)] = data

    put(1, 0, linear[:half * SIZE])
    put(0, 1, linear[half * SIZE:])
    for row in range(0, len(striped), STRIPE * 512):
        index = row // (STRIPE * 512)
        at = START * 512 + (rest + 1) * SIZE + index // 2 * STRIPE * 512
        places[index % 2][at:at + STRIPE * 512] = striped[row:row + STRIPE * 512]
    physical = "".join(
        f'pv{i} {{\nid = "{dashed(name)}"\ndevice = "/dev/loop{i}"\nstatus = ["ALLOCATABLE"]\nflags = []\n'
        f"dev_size = {len(places[i]) // 512}\npe_start = {START}\npe_count = {half + rest + rows + 2}\n}}\n"
        for i, name in enumerate(names))

    def logical(name, status, segments):
        text = f'{name} {{\nid = "{name[0] * 6}-1111-1111-1111-1111-1111-111111"\nstatus = [{status}]\nflags = []\n'
        return text + f"segment_count = {len(segments)}\n" + "".join(
            f"segment{i + 1} {{\n{segment}}}\n" for i, segment in enumerate(segments)) + "}\n"

    def plain(start, count, stripes, size=""):
        listed = ",\n".join(f'"pv{volume}", {extent}' for volume, extent in stripes)
        return (f'start_extent = {start}\nextent_count = {count}\ntype = "striped"\nstripe_count = {len(stripes)}'
                f"{size}\nstripes = [\n{listed}\n]\n")

    visible = '"READ", "WRITE", "VISIBLE"'
    text = ('group_of_test {\nid = "Group0-1111-1111-1111-1111-1111-111111"\nseqno = 3 # a comment with { and "\n'
            f'format = "lvm2"\nstatus = ["RESIZEABLE", "READ", "WRITE"]\nflags = []\nextent_size = {EXTENT}\nmax_lv = 0\n'
            f"physical_volumes {{\n{physical}}}\nlogical_volumes {{\n")
    text += logical("linear", visible, [plain(0, half, [(1, 0)]), plain(half, rest, [(0, 1)])])
    text += logical("hidden", '"READ", "WRITE"', [plain(0, 1, [(0, 0)])])
    text += logical("mirrored", visible, ['start_extent = 0\nextent_count = 1\ntype = "raid1"\ndevice_count = 1\n'])
    text += logical("striped", visible,
                    [plain(0, rows * 2, [(0, rest + 1), (1, rest + 1)], f"\nstripe_size = {STRIPE}")])
    text += '}\n}\ncontents = "Text Format Volume Group"\nversion = 1\ndescription = "with \\"quotes\\""\n'
    data = text.encode() + b"\0"
    ring = AREA[1] - 700  # the text begins near the area's end and goes on behind its header
    body = b" LVM2 x[5A%r0N*>" + struct.pack("<IQQ", 1, *AREA) + struct.pack("<QQII", ring, len(data), crc(data), 0)
    body = body.ljust(508, b"\0")
    for path, name, place in zip(paths, names, places):
        place[512:1024] = label(name, len(place))
        place[AREA[0]:AREA[0] + 512] = struct.pack("<I", crc(body)) + body
        place[AREA[0] + ring:AREA[0] + AREA[1]] = data[:700]
        place[AREA[0] + 512:AREA[0] + 512 + len(data) - 700] = data[700:]
        with open(path, "wb") as file:
            file.write(place)


main()
