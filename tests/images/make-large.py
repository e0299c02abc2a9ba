#!/usr/bin/env python3
"""Makes ext4 images with more names than mke2fs -d would fill in a day (it looks through a folder for each name): the image comes
from mke2fs, empty; inodes, folders and contents are written straight into its groups; e2fsck then sets bitmaps and sums, and finds
nothing the second time.

    make-large.py IMAGE --files 1000000                                    one folder, /many, with all of them
    make-large.py IMAGE --files 2000000 --folders 2000 --size 64G --contents 1
    make-large.py IMAGE --deep 10000                                       folders inside each other, a file in every one
    make-large.py IMAGE --sparse 1P                                        a file of that size, of which 12 bytes are no hole
    make-large.py IMAGE --loops                                            folders that are in themselves and in each other

--contents N: every N'th file has a block with a line that nobody else has; the others are empty. The image is the same every time."""
import argparse
import os
import re
import struct
import subprocess
import sys

BLOCK, INODE = 4096, 256
GROUP_INODES, GROUP_SIZE = 8 * BLOCK, 8 * BLOCK * BLOCK  # at most, for a group's bitmaps have a block each
TIME = 1768471200
EXTENTS, FOLDER, FILE = 0x80000, 0o040755, 0o100644
ENVIRONMENT = dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin", E2FSPROGS_FAKE_TIME=str(TIME))
FEATURES = "^has_journal,^resize_inode,^metadata_csum,^uninit_bg,^dir_index,^64bit,^flex_bg,extent,huge_file,dir_nlink"


def tool(*words, good=(0,)):
    run = subprocess.run(words, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if run.returncode not in good:
        sys.exit(f"{' '.join(words[:4])}: {run.returncode}: {run.stdout[-500:]}")
    return run.stdout


def mke2fs(path, size, inodes):
    with open(path, "wb") as file:
        file.truncate(size)
    tool("mke2fs", "-q", "-F", "-t", "ext4", "-b", str(BLOCK), "-I", str(INODE), "-N", str(inodes), "-O", FEATURES,
         "-U", "6b76616c-6900-4000-8000-00000000000c", "-E", "hash_seed=6b76616c-6900-4000-8000-0000000000ff,lazy_itable_init=1,nodiscard", path)


def inode(mode, size, links, extent):
    """256 bytes: `extent` (first block, blocks), or None."""
    body = struct.pack("<4H", 0xF30A, bool(extent), 4, 0) + bytes(4)
    blocks = 0
    if extent:
        body += struct.pack("<IHHI", 0, extent[1], 0, extent[0])
        blocks = extent[1] * (BLOCK // 512)
    head = struct.pack("<HHIIIIIHHIII", mode, 0, size & 0xFFFFFFFF, TIME, TIME, TIME, 0, 0, links, blocks, EXTENTS, 0)
    return (head + body.ljust(60, b"\0") + struct.pack("<III", 0, 0, size >> 32)).ljust(128, b"\0") + struct.pack("<H", 32) + bytes(126)


class Entries:
    """Blocks of a linear folder."""

    def __init__(self, own, parent):
        self.full, self.block, self.last = [], bytearray(), 0
        self.add(own, b".", 2)
        self.add(parent, b"..", 2)

    def add(self, number, name, kind):
        size = (8 + len(name) + 3) & ~3
        if len(self.block) + size > BLOCK:
            self.close()
        self.last = len(self.block)
        self.block += struct.pack("<IHBB", number, size, len(name), kind) + name.ljust(size - 8, b"\0")

    def close(self):
        struct.pack_into("<H", self.block, self.last + 4, BLOCK - self.last)
        self.full.append(bytes(self.block.ljust(BLOCK, b"\0")))
        self.block = bytearray()

    def bytes(self):
        self.close()
        return b"".join(self.full)


class Filler:
    """What is free in an image that mke2fs has just made, handed out in order."""

    def __init__(self, path):
        self.file = open(path, "r+b")
        self.file.seek(1024)
        sb = self.file.read(1024)
        blocks, self.per_group, self.inodes = struct.unpack_from("<I", sb, 4)[0], struct.unpack_from("<I", sb, 32)[0], struct.unpack_from("<I", sb, 40)[0]
        self.groups = -(-blocks // self.per_group)
        self.file.seek(BLOCK)
        table = self.file.read(self.groups * 32)
        self.tables = [struct.unpack_from("<I", table, group * 32 + 8)[0] for group in range(self.groups)]
        self.ends = [min(blocks, (group + 1) * self.per_group) for group in range(self.groups)]
        self.next = [table + -(-self.inodes * INODE // BLOCK) for table in self.tables]
        self.next[0] += 16  # root and lost+found
        self.group, self.number = 0, 12  # 11 is lost+found

    def number_of(self):
        self.number += 1
        return self.number - 1

    def blocks(self, count):
        """So many in a row; the first."""
        while self.next[self.group] + count > self.ends[self.group]:
            self.group += 1
        first = self.next[self.group]
        self.next[self.group] += count
        return first

    def write(self, first, data):
        self.file.seek(first * BLOCK)
        self.file.write(data)

    def put(self, number, *inodes):
        """Inodes from this number on; they may go over groups."""
        for n, body in enumerate(inodes):
            group, at = divmod(number + n - 1, self.inodes)
            if n == 0 or at == 0:
                self.file.seek(self.tables[group] * BLOCK + at * INODE)
            self.file.write(body)

    def folder(self, number, entries, links):
        data = entries.bytes()
        count = len(data) // BLOCK
        first = self.blocks(count)
        self.write(first, data)
        self.put(number, inode(FOLDER, len(data), links, (first, count)))


def fill_folder(filler, number, name, first, count, every):
    """A folder with so many files, which are numbered from `first` on."""
    entries, empty, bodies, start = Entries(number, 2), inode(FILE, 0, 1, None), [], filler.number
    contents = [n for n in range(first, first + count) if every and n % every == 0]
    blocks, texts = iter(()), []
    if contents:
        at = []
        for begin in range(0, len(contents), 1000):
            some = len(contents[begin:begin + 1000])
            one = filler.blocks(some)
            at += range(one, one + some)
            filler.write(one, b"".join((b"file %d of folder %s\n" % (n, name)).ljust(BLOCK, b"\0") for n in contents[begin:begin + some]))
        blocks = iter(at)
    for n in range(first, first + count):
        entries.add(filler.number_of(), b"name-%07d" % n, 1)
        has = every and n % every == 0
        bodies.append(inode(FILE, len(b"file %d of folder %s\n" % (n, name)), 1, (next(blocks), 1)) if has else empty)
    filler.put(start, *bodies)
    filler.folder(number, entries, 2)


def many(path, files, folders, size, every):
    inodes = files + folders + 100
    inodes += inodes // 50
    need = (files // every if every else 0) * BLOCK + files * 24 * 2 + inodes * INODE
    least = -(-inodes // GROUP_INODES) * GROUP_SIZE if inodes > GROUP_INODES else 0
    mke2fs(path, size or max(least, (need * 5 // 4 + (64 << 20)) // (1 << 20) * (1 << 20)), inodes)
    filler = Filler(path)
    numbers = [filler.number_of() for _ in range(folders)]
    root = Entries(2, 2)
    root.add(11, b"lost+found", 2)
    for n, number in enumerate(numbers):
        name = b"many" if folders == 1 else b"folder-%05d" % n
        root.add(number, name, 2)
        fill_folder(filler, number, name, files * n // folders, files * (n + 1) // folders - files * n // folders, every)
    filler.folder(2, root, 3 + folders)
    filler.file.close()


def deep(path, levels):
    """Each in the one before, and a file beside it."""
    mke2fs(path, levels * BLOCK * 2 + (levels * 2 + 100) * INODE + (16 << 20), levels * 2 + 100)
    filler = Filler(path)
    numbers = [filler.number_of() for _ in range(levels)]
    for n, number in enumerate(numbers):
        entries, file = Entries(number, numbers[n - 1] if n else 2), filler.number_of()
        if n + 1 < levels:
            entries.add(numbers[n + 1], b"d", 2)
        entries.add(file, b"file-%d" % n, 1)
        text = b"level %d\n" % n
        first = filler.blocks(1)
        filler.write(first, text.ljust(BLOCK, b"\0"))
        filler.put(file, inode(FILE, len(text), 1, (first, 1)))
        filler.folder(number, entries, 3 if n + 1 < levels else 2)
    root = Entries(2, 2)
    root.add(11, b"lost+found", 2)
    root.add(numbers[0], b"d", 2)
    filler.folder(2, root, 4)
    filler.file.close()


def debugfs(path, *commands):
    run = subprocess.run(["debugfs", "-w", "-f", "-", path], input="\n".join(commands) + "\n", env=ENVIRONMENT, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True)
    if run.returncode:
        sys.exit(run.stdout)


def sparse(path, size):
    """No program writes such a file; an inode may say it all the same."""
    mke2fs(path, 16 << 20, 100)
    filler = Filler(path)
    number, first = filler.number_of(), filler.blocks(1)
    filler.write(first, b"not a hole\n\n".ljust(BLOCK, b"\0"))
    filler.put(number, inode(FILE, size, 1, (first, 1)))
    root = Entries(2, 2)
    root.add(11, b"lost+found", 2)
    root.add(number, b"sparse", 1)
    filler.folder(2, root, 3)
    filler.file.close()


def loops(path):
    mke2fs(path, 16 << 20, 100)
    debugfs(path, "mkdir /a", "mkdir /a/b", "mkdir /a/b/c", "ln /a /a/itself", "ln /a /a/b/c/up", "mkdir /x", "mkdir /y", "ln /x /y/x",
            "ln /y /x/y", "ln / /x/root", "ln /y /x/y-again")


def number(text):
    """1G and the like."""
    found = re.fullmatch(r"(\d+)([KMGTP]?)", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text} is no size")
    return int(found[1]) << 10 * " KMGTP".index(found[2] or " ")


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("image")
parser.add_argument("--files", type=int, default=0)
parser.add_argument("--folders", type=int, default=1)
parser.add_argument("--size", type=number, default=0)
parser.add_argument("--contents", type=int, default=0, metavar="N")
parser.add_argument("--deep", type=int, default=0)
parser.add_argument("--sparse", type=number, default=0)
parser.add_argument("--loops", action="store_true")
args = parser.parse_args()
if args.files:
    many(args.image, args.files, args.folders, args.size, args.contents)
elif args.deep:
    deep(args.image, args.deep)
elif args.sparse:
    sparse(args.image, args.sparse)
elif args.loops:
    loops(args.image)
else:
    parser.error("what is wanted in it? --files, --deep, --sparse or --loops")
if args.files or args.deep:
    tool("e2fsck", "-fy", args.image, good=(0, 1))
    tool("e2fsck", "-fn", args.image)
