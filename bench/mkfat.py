#!/usr/bin/env python3
"""mkfat: a FAT32 image of so many small files, each with content of its own, a thousand a folder; clusters of one sector.

    mkfat.py IMAGE FILES

Names are short (8.3), times fixed, a file has 24 to 480 bytes: what grows is the number of files, not of bytes. One million makes
590 MB and takes some seconds. Layout: Microsoft, FAT32 File System Specification 1.03."""
import array
import struct
import sys

SECTOR, FOLDER, RESERVED = 512, 1000, 32
END = 0x0FFFFFFF
DATE, TIME = (2020 - 1980) << 9 | 6 << 5 | 15, 12 << 11


def entry(name, extension, attributes, cluster, size):
    return struct.pack("<8s3sBBBHHHHHHHI", name.encode().ljust(8), extension.encode().ljust(3), attributes, 0, 0, TIME, DATE, DATE,
                       cluster >> 16, TIME, DATE, cluster & 0xFFFF, size)


def clusters_of(entries):
    return -(-entries * 32 // SECTOR)


def main(path, files):
    folders = -(-files // FOLDER)
    root, folder = clusters_of(folders + 1), clusters_of(FOLDER + 2)
    first = 2 + root                                       # of the folders; each is followed by its files
    data = root + folders * folder + files
    total = max(data + 2, 65525 + 2)                       # fewer clusters would be FAT16
    fat = array.array("I", [0]) * total
    fat_sectors = -(-total * 4 // SECTOR)

    def chain(begin, count):
        for at in range(begin, begin + count - 1):
            fat[at] = at + 1
        fat[begin + count - 1] = END

    fat[0], fat[1] = 0x0FFFFFF8, END
    chain(2, root)
    with open(path, "wb") as image:
        sectors = RESERVED + 2 * fat_sectors + total - 2
        boot = struct.pack("<3s8sHBHBHHBHHHII", b"\xeb\x58\x90", b"KVALI   ", SECTOR, 1, RESERVED, 2, 0, 0, 0xF8, 0, 63, 255, 0, sectors)
        boot += struct.pack("<IHHIHH12sBBBI11s8s", fat_sectors, 0, 0, 2, 1, 6, b"", 0x80, 0, 0x29, files & 0xFFFFFFFF, b"MANY FILES ", b"FAT32   ")
        image.write(boot.ljust(510, b"\0") + b"\x55\xaa")
        image.seek((RESERVED + 2 * fat_sectors) * SECTOR)
        names = [entry("MANY FILES"[:8], "ES", 8, 0, 0)]
        names += [entry(f"D{n:07d}", "", 16, first + n * (folder + FOLDER), 0) for n in range(folders)]
        image.write(b"".join(names).ljust(root * SECTOR, b"\0"))
        for n in range(folders):
            here, count = first + n * (folder + FOLDER), min(FOLDER, files - n * FOLDER)
            chain(here, folder)
            rows, contents = [entry(".", "", 16, here, 0), entry("..", "", 16, 0, 0)], []
            for i in range(count):
                number = n * FOLDER + i
                text = f"file {number:018d}\n".encode() * (1 + number * 7919 % 20)
                fat[here + folder + i] = END
                rows.append(entry(f"F{number:07d}", "TXT", 32, here + folder + i, len(text)))
                contents.append(text.ljust(SECTOR, b"\0"))
            image.write(b"".join(rows).ljust(folder * SECTOR, b"\0") + b"".join(contents))
        image.truncate(sectors * SECTOR)
        for copy in range(2):
            image.seek((RESERVED + copy * fat_sectors) * SECTOR)
            image.write(fat.tobytes())


if len(sys.argv) != 3 or not sys.argv[2].isdigit() or not 0 < int(sys.argv[2]) <= 10_000_000:
    sys.exit(__doc__)
main(sys.argv[1], int(sys.argv[2]))
