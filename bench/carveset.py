#!/usr/bin/env python3
"""carveset: a raw image full of known files, to hold carvers against.

usage: carveset.py OUT.raw [--seed N] [--per-format N] [--small] [--corpus FOLDER] [--formats a,b]

Makes real files of every major format (carvefiles.py) and lays them out without a file system, with zeros, text and
random bytes between them. Writes OUT.raw and OUT.truth.tsv, one file a line:

  format, layout, size, sha256, runs ("offset:size,..." in the file's order, what is on the medium of it), variant

  contiguous   whole, begins at a cluster of 4096 bytes
  unaligned    whole, begins at any byte
  two          two fragments, 1 to 512 clusters of other data or other files between them
  swapped      the same, the second fragment before the first
  braided      A1 B1 A2 B2 of two files of one format
  truncated    only its beginning is there
  overwritten  clusters in its middle are another's
  nested       inside another file, stored as it is: in a tar or zip, or as the thumbnail of a picture
  part         what a file of another kind consists of, and is a file itself: a film's frames, a document's pictures

The set is the same for the same seed, tools and system (programs and fonts are the system's own; half of the OLE2 files
are variants of samples under FOLDER/document, left out without it). Needs: imagemagick libjpeg-turbo-progs ghostscript
qpdf ffmpeg zip p7zip-full xz-utils openssl binutils libspreadsheet-writeexcel-perl and some fonts.
"""
import argparse
import concurrent.futures
import hashlib
import io
import os
import random
import shutil
import sys
import tarfile
import tempfile
import zipfile

import carvefiles

CLUSTER = 4096

# One entry a file of a format; repeated, "two" more often for what is put together again.
LAYOUTS = ("contiguous unaligned two contiguous truncated contiguous braided braided contiguous swapped contiguous "
           "unaligned contiguous overwritten contiguous nested contiguous two contiguous unaligned").split()
MENDED = {"jpeg", "png", "zip", "docx", "sqlite"}


class Item:
    def __init__(self, kind, made, layout):
        self.format, self.data, self.variant, self.parts = kind, made.data, made.variant, made.parts
        self.layout = layout
        self.sha256 = hashlib.sha256(made.data).hexdigest()

    def clusters(self):
        return (len(self.data) + CLUSTER - 1) // CLUSTER


class Image:
    def __init__(self, file, truth, seed, small):
        self.file, self.truth, self.small = file, truth, small
        self.rng = random.Random(f"{seed}:image")
        self.at = 0
        self.text = carvefiles.text(random.Random(f"{seed}:text"), 1 << 20).encode()

    def put(self, data):
        self.file.write(data)
        self.at += len(data)

    def fill(self, size, kind=None):
        kind = kind or self.rng.choice(["zeros", "text", "random"])
        if kind == "zeros":
            self.put(bytes(size))
        elif kind == "random":
            self.put(self.rng.randbytes(size))
        else:
            start = self.rng.randrange(len(self.text))
            self.put((self.text[start:] + self.text * (size // len(self.text) + 1))[:size])

    def align(self):  # the slack of a file's last cluster
        rest = -self.at % CLUSTER
        if rest:
            self.fill(rest, self.rng.choices(["zeros", "random", "text"], [6, 2, 2])[0])

    def space(self):
        for _ in range(self.rng.choice([0, 1, 1, 2])):
            self.fill(self.rng.choice([1, 1, 2, 3, 4 if self.small else 16]) * CLUSTER)

    def say(self, item, pieces):
        """pieces: (place on the medium, offset in the file, bytes), in the file's order."""
        runs = ",".join(f"{place}:{size}" for place, _, size in pieces)
        self.row(item.format, item.layout, len(item.data), item.sha256, runs, item.variant)
        for kind, offset, size in item.parts:
            inside = [(place + max(offset, start) - start, min(offset + size, start + length) - max(offset, start))
                      for place, start, length in pieces if max(offset, start) < min(offset + size, start + length)]
            if sum(size for _, size in inside) == size:
                digest = hashlib.sha256(item.data[offset:offset + size]).hexdigest()
                layout = "nested" if item.format == kind else "part"
                self.row(kind, layout, size, digest, ",".join(f"{a}:{b}" for a, b in inside), f"inside {item.format}")

    def row(self, *columns):
        self.truth.write("\t".join(str(column) for column in columns) + "\n")

    # ---------------------------------------------------------------- layouts

    def whole(self, item):
        self.align()
        self.say(item, [(self.at, 0, len(item.data))])
        self.put(item.data)
        self.align()

    def unaligned(self, item):
        self.fill(self.rng.randrange(1, 3 * CLUSTER))
        self.say(item, [(self.at, 0, len(item.data))])
        self.put(item.data)
        self.fill(self.rng.randrange(1, CLUSTER))
        self.align()

    def gap(self, others):
        most = 32 if self.small else 512
        left = int(most ** self.rng.random())
        while left > 0:
            if others and others[-1].clusters() <= left and self.rng.random() < .6:
                left -= others[-1].clusters()
                self.whole(others.pop())
            else:
                part = self.rng.randint(1, left)
                self.fill(part * CLUSTER, self.rng.choice(["text", "random", "random", "zeros"]))
                left -= part

    def split(self, item):
        cut = self.rng.randrange(1, item.clusters()) * CLUSTER
        return item.data[:cut], item.data[cut:]

    def two(self, item, others):
        self.align()
        head, tail = self.split(item)
        first = self.at
        self.put(head)
        self.gap(others)
        self.say(item, [(first, 0, len(head)), (self.at, len(head), len(tail))])
        self.put(tail)
        self.align()

    def swapped(self, item, others):
        self.align()
        head, tail = self.split(item)
        second = self.at
        self.put(tail)
        self.align()
        self.gap(others)
        self.say(item, [(self.at, 0, len(head)), (second, len(head), len(tail))])
        self.put(head)

    def braided(self, a, b):
        self.align()
        pieces = {}
        for key, item in ((0, a), (1, b)):
            pieces[key] = self.split(item)
        places = []
        for half in (0, 1):
            for key in (0, 1):
                self.align()
                places.append(self.at)
                self.put(pieces[key][half])
        self.align()
        for key, item in ((0, a), (1, b)):
            head, tail = pieces[key]
            self.say(item, [(places[key], 0, len(head)), (places[2 + key], len(head), len(tail))])

    def truncated(self, item):
        self.align()
        keep = self.split(item)[0]
        self.say(item, [(self.at, 0, len(keep))])
        self.put(keep)
        self.fill(self.rng.randint(1, 3) * CLUSTER)

    def overwritten(self, item):
        self.align()
        first = self.rng.randrange(1, item.clusters() - 1)
        count = self.rng.randint(1, min(4, item.clusters() - 1 - first))
        a, b = first * CLUSTER, (first + count) * CLUSTER
        self.say(item, [(self.at, 0, a), (self.at + b, b, len(item.data) - b)])
        self.put(item.data[:a])
        self.fill(b - a, self.rng.choice(["text", "random", "random"]))
        self.put(item.data[b:])
        self.align()

    def nested(self, items):
        """Some files in one tar or zip, stored."""
        container = io.BytesIO()
        kind = self.rng.choice(["tar", "zip"])
        if kind == "tar":
            with tarfile.open(fileobj=container, mode="w", format=tarfile.GNU_FORMAT) as archive:
                for k, item in enumerate(items):
                    info = tarfile.TarInfo(f"backup/{k}.{item.format}")
                    info.size, info.mtime = len(item.data), carvefiles.EPOCH
                    archive.addfile(info, io.BytesIO(item.data))
        else:
            with zipfile.ZipFile(container, "w") as archive:
                for k, item in enumerate(items):
                    archive.writestr(zipfile.ZipInfo(f"backup/{k}.{item.format}", (2021, 1, 2, 3, 4, 6)), item.data)
        data = container.getvalue()
        box = Item(kind, carvefiles.Made(data, "with whole files"), "contiguous")
        self.align()
        start = self.at
        self.whole(box)
        found = 0
        for item in items:
            found = data.index(item.data, found)
            self.say(item, [(start + found, 0, len(item.data))])
            found += len(item.data)


def make_files(args, count, folder):
    """All files, in an order that the seed decides."""
    def one(kind, number):
        place = os.path.join(folder, f"{kind}-{number}")
        os.mkdir(place)
        rng = random.Random(f"{args.seed}:{kind}:{number}")
        try:
            return carvefiles.make(carvefiles.Task(kind, number, place, rng, args.small, args.corpus))
        finally:
            shutil.rmtree(place)

    formats = args.formats.split(",") if args.formats else list(carvefiles.MAKERS)
    layouts = {kind: plan(kind, count) for kind in formats}
    items, seen = [], set()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        tasks = [(kind, pool.submit(one, kind, number)) for kind in formats for number in range(len(layouts[kind]))]
        for kind, task in tasks:
            made = task.result()
            if made is None:
                layouts[kind].pop()
                continue
            item = Item(kind, made, "")
            if item.sha256 not in seen:
                seen.add(item.sha256)
                items.append(item)
    for kind in formats:
        assign([item for item in items if item.format == kind], list(layouts[kind]))
    random.Random(f"{args.seed}:order").shuffle(items)
    return items


def plan(kind, count):
    layouts = [LAYOUTS[k % len(LAYOUTS)] for k in range(count)]
    if kind in MENDED:
        layouts += ["two"] * max(1, count // 4)
    return layouts


def assign(items, layouts):
    """What needs clusters to be cut gets a file that has them; the smallest stay whole."""
    need = {"braided": 2, "two": 2, "swapped": 2, "truncated": 2, "overwritten": 3}
    hard = [layout for layout in layouts if layout in need]
    easy = [layout for layout in layouts if layout not in need]
    large = [item for item in items if item.clusters() >= 3]
    random.Random(f"{items[0].format}:{len(items)}" if items else 0).shuffle(large)
    for item in large[:len(hard)]:
        item.layout = hard.pop()
    rest = [item for item in items if not item.layout]
    for item in rest:
        item.layout = easy.pop() if easy else "contiguous"


def lay_out(image, items):
    nested = [item for item in items if item.layout == "nested"]
    fillers = [item for item in items if item.layout == "contiguous" and item.clusters() <= 64][::2]
    taken = set(id(item) for item in fillers)
    waiting = {}
    image.fill(16 * CLUSTER, "zeros")
    for item in items:
        if item.layout == "contiguous" and id(item) not in taken:
            image.whole(item)
        elif item.layout == "braided":
            other = waiting.pop(item.format, None)
            if other is None:
                waiting[item.format] = item
                continue
            image.braided(other, item)
        elif item.layout in ("two", "swapped"):
            getattr(image, item.layout)(item, fillers)
        elif item.layout in ("unaligned", "truncated", "overwritten"):
            getattr(image, item.layout)(item)
        else:
            continue
        image.space()
    for item in waiting.values():
        item.layout = "contiguous"
    for item in list(waiting.values()) + fillers:
        image.whole(item)
        image.space()
    while nested:
        image.nested([nested.pop() for _ in range(min(len(nested), image.rng.randint(2, 4)))])
        image.space()
    image.align()
    image.fill(16 * CLUSTER, "zeros")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--per-format", type=int)
    parser.add_argument("--small", action="store_true", help="some 40 MB")
    parser.add_argument("--corpus", default=os.path.join(os.environ.get("KVALI_CORPUS", ""), "files"))
    parser.add_argument("--formats", help="only these, for a closer look")
    args = parser.parse_args()
    count = args.per_format or (20 if args.small else 60)
    with tempfile.TemporaryDirectory(prefix="carveset-") as folder:
        items = make_files(args, count, folder)
    stem = args.out[:-4] if args.out.endswith(".raw") else args.out
    with open(args.out, "wb") as file, open(stem + ".truth.tsv", "w", encoding="utf-8") as truth:
        image = Image(file, truth, args.seed, args.small)
        image.row("format", "layout", "size", "sha256", "runs", "variant")
        lay_out(image, items)
    print(f"{len(items)} files, {image.at} bytes", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
