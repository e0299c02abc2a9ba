#!/usr/bin/env python3
"""Makes the sample of this folder: a store of Outlook by the book [MS-PST], as small as it can be.

    make-samples.py FOLDER

In it: a folder "Inbox" with a letter (headers, text, HTML, two recipients, an attached file and an attached letter), an item that
Outlook hides, and the table of what is in it. Nothing is veiled (bCryptMethod 0), there are no allocation maps."""
import pathlib
import struct
import sys
import zlib

out = pathlib.Path(sys.argv[1])
WHEN = (1704164645 + 11644473600) * 10000000  # 2024-01-02T03:04:05Z


def crc(data):
    """CRC-32 without the inversions at its ends [5.3]."""
    return zlib.crc32(data, 0xffffffff) ^ 0xffffffff


def signature(offset, number):
    value = (offset ^ number) & 0xffffffff
    return (value >> 16 ^ value) & 0xffff


class Store:
    def __init__(self):
        self.data, self.blocks, self.nodes, self.number, self.same = bytearray(0x400), [], [], 4, {}

    def block(self, data, internal=False):
        """Equal ones are one: an index is one page of at most 20 entries."""
        if (data, internal) not in self.same:
            self.same[data, internal] = self.new_block(data, internal)
        return self.same[data, internal]

    def new_block(self, data, internal):
        number, self.number = self.number | (2 if internal else 0), self.number + 4
        offset = len(self.data)
        padded = data + bytes(-(len(data) + 16) % 64)
        self.data += padded + struct.pack("<HHIQ", len(data), signature(offset, number), crc(data), number)
        self.blocks.append((number, offset, len(data)))
        return number

    def subnodes(self, entries):
        body = b"".join(struct.pack("<QQQ", *entry) for entry in sorted(entries))
        return self.block(struct.pack("<BBHI", 2, 0, len(entries), 0) + body, True)

    def node(self, number, data, sub=0, parent=0):
        self.nodes.append((number, data, sub, parent))

    def page(self, kind, entries, size):
        offset, number = len(self.data), self.number | 2
        self.number += 4
        assert len(entries) <= 488 // size, len(entries)
        body = b"".join(entries).ljust(488, b"\0") + struct.pack("<4BI", len(entries), 488 // size, size, 0, 0)
        self.data += body + struct.pack("<BBHIQ", kind, kind, signature(offset, number), crc(body), number)
        return number, offset

    def write(self):
        self.data += bytes(-len(self.data) % 512)
        bbt = self.page(0x80, [struct.pack("<QQHHI", n, o, s, 2, 0) for n, o, s in sorted(self.blocks)], 24)
        nbt = self.page(0x81, [struct.pack("<QQQII", n, d, s, p, 0) for n, d, s, p in sorted(self.nodes)], 32)
        root = struct.pack("<IQQQQ", 0, len(self.data), 0, 0, 0) + struct.pack("<4Q", *nbt, *bbt) + struct.pack("<BBHI", 2, 0, 0, 0)
        head = struct.pack("<HHHBBII", 0x4d53, 23, 19, 1, 1, 0, 0) + struct.pack("<QQI", 0, self.number, 1) + bytes(128 + 8) + root
        head += b"\xff" * 256 + struct.pack("<BBHQ", 0x80, 0, 0, self.number)
        assert len(head) == 516, len(head)
        partial = crc(head[:471])
        head += struct.pack("<I", crc(head)) + bytes(36)
        self.data[:564] = b"!BDN" + struct.pack("<I", partial) + head
        return bytes(self.data)


class Heap:
    """What a block is cut into [2.3.1]."""

    def __init__(self, client):
        self.client, self.items = client, []

    def add(self, data):
        self.items.append(data)
        return len(self.items) << 5

    def write(self, root):
        body, places = b"", [12]
        for item in self.items:
            body += item
            places.append(12 + len(body))
        body += bytes(len(body) % 2)
        head = struct.pack("<HBBII", 12 + len(body), 0xec, self.client, root, 0)
        return head + body + struct.pack("<HH", len(self.items), 0) + b"".join(struct.pack("<H", p) for p in places)


def tree(heap, records, key, size):
    return heap.add(struct.pack("<BBBBI", 0xb5, key, size, 0, heap.add(b"".join(sorted(records))) if records else 0))


def properties(**values):
    """Of one item [2.3.3]: p0037="text", with bytes binary, with int a number; t0039 a time."""
    heap, records = Heap(0xbc), []
    root = None
    heap.add(b"")  # the tree comes first in no particular place; an empty one keeps numbers apart
    for name, value in sorted(values.items(), key=lambda item: int(item[0][1:], 16)):
        number = int(name[1:], 16)
        if name[0] == "t":
            records.append(struct.pack("<HHI", number, 0x40, heap.add(struct.pack("<Q", value))))
        elif name[0] in "nw":  # lies in a node of its own, w as text
            records.append(struct.pack("<HHI", number, 0x1f if name[0] == "w" else 0x102, value))
        elif isinstance(value, int):
            records.append(struct.pack("<HHI", number, 3, value))
        elif isinstance(value, bytes):
            records.append(struct.pack("<HHI", number, 0x102, heap.add(value)))
        elif isinstance(value, tuple):
            records.append(struct.pack("<HHI", number, 0x0d, heap.add(struct.pack("<II", *value))))
        else:
            records.append(struct.pack("<HHI", number, 0x1f, heap.add(value.encode("utf-16-le"))))
    root = tree(heap, records, 2, 6)
    return heap.write(root)


def table(rows, columns):
    """[2.3.4] rows: (number, {property: value}); columns: (property, type). All of it in one heap."""
    heap = Heap(0x7c)
    columns = sorted([(0x67f2, 3), (0x67f3, 3)] + columns)
    order = [(0x67f2, 3), (0x67f3, 3)] + [c for c in columns if c[0] not in (0x67f2, 0x67f3)]
    places = {c[0]: (i * 4, i) for i, c in enumerate(order)}
    width = 4 * len(order)
    bits = (len(order) + 7) // 8
    matrix = b""
    for number, values in rows:
        row, there = b"", 0
        for i, (prop, kind) in enumerate(order):
            value = number if prop == 0x67f2 else 1 if prop == 0x67f3 else values.get(prop)
            there |= (value is not None) << (7 - i % 8) << (8 * (i // 8))
            row += struct.pack("<I", heap.add(value.encode("utf-16-le")) if isinstance(value, str) else value or 0)
        matrix += row + struct.pack("<Q", there)[:bits]
    index = tree(heap, [struct.pack("<II", number, i) for i, (number, _) in enumerate(rows)], 4, 4)
    where = heap.add(matrix) if rows else 0
    head = struct.pack("<BB4HIII", 0x7c, len(columns), width, width, width, width + bits, index, where, 0)
    head += b"".join(struct.pack("<HHHBB", kind, prop, places[prop][0], 4, places[prop][1]) for prop, kind in columns)
    return heap.write(heap.add(head))


HEADERS = "Received: from b.example by c.example;\r\n\tTue, 2 Jan 2024 03:04:06 +0000\r\nReceived: from a.example by b.example\r\n" \
    "Date: Tue, 2 Jan 2024 07:04:05 +0400\r\nMessage-ID: <1@example.ge>\r\nX-Mailer: By hand\r\n\r\n"
store = Store()


def folder(number, name, parent, folders, messages, hidden=()):
    store.node(number, store.block(properties(p3001=name, p3602=len(messages), p3603=0)), 0, parent)
    names = [(0x3001, 0x1f)]
    store.node(number - 2 + 13, store.block(table([(n, {0x3001: text}) for n, text in folders], names)))
    store.node(number - 2 + 14, store.block(table([(n, {0x0037: text}) for n, text in messages], [(0x0037, 0x1f)])))
    store.node(number - 2 + 15, store.block(table([(n, {0x0037: text}) for n, text in hidden], [(0x0037, 0x1f)])))


store.node(0x21, store.block(properties(p3001="Store")))
store.node(0x61, store.block(properties(p0001=1, p0002=bytes(16), p0003=struct.pack("<IHH", 0x8001, 2, 0), p0004=bytes(4))))
folder(0x122, "", 0x122, [(0x8022, "Inbox")], [])
folder(0x8022, "Inbox", 0x122, [], [(0x200024, "წერილი")], [(0x200048, "rule")])
people = table([(1, {0x0c15: 1, 0x3001: "ბექა", 0x3003: "beka@example.ge"}), (2, {0x0c15: 2, 0x3001: "c@example.com", 0x3003: "c@example.com"})],
               [(0x0c15, 3), (0x3001, 0x1f), (0x3003, 0x1f)])
inner = store.block(properties(p001A="IPM.Note", p0037="inside", p1000="inner words", t3007=WHEN))
file_sub = store.subnodes([(0x9f, store.block(b"attached\n"), 0)])
file = properties(p3704="SHORT~1.TXT", p3707="ფაილი გრძელი.txt", p3705=1, n3701=0x9f, p370E="text/plain", t3008=WHEN, p0E20=9)
item = properties(p3707="inside", p3705=5, p3701=(0x200064, 0), p0E20=9)
attachments = table([(0x8025, {0x3704: "SHORT~1.TXT", 0x3705: 1}), (0x8045, {0x3704: "inside", 0x3705: 5})], [(0x3704, 0x1f), (0x3705, 3)])
letter = properties(p001A="IPM.Note", p0037="\x01\x01წერილი", t0039=WHEN, p007D=HEADERS, p0C1A="Ana", p0C1F="ana@example.ge", p0E04="ბექა",
                    t0E06=WHEN + 10000000, p0E07=1, p0E08=1234, p1000="Words in plain text", p1013=b"<html>Words in HTML</html>", t3007=WHEN, t3008=WHEN)
store.node(0x200024, store.block(letter), store.subnodes([
    (0x671, store.block(attachments), 0), (0x692, store.block(people), 0), (0x8025, store.block(file), file_sub),
    (0x8045, store.block(item), store.subnodes([(0x200064, inner, 0)]))]), 0x8022)
store.node(0x200048, store.block(properties(p001A="IPM.Rule.Version2.Message", p0037="rule", p3001="hidden words")), 0, 0x8022)
(out / "mail.pst.in").write_bytes(store.write())

# What no record has room for, as each character that shows nothing is told by its bytes; and an attached item that is not there.
store = Store()
hidden = "\u200b" * 1365
store.node(0x21, store.block(properties(p3001="Store")))
store.node(0x61, store.block(properties(p0001=1, p0002=bytes(16), p0003=struct.pack("<IHH", 0x8001, 2, 0), p0004=bytes(4))))
folder(0x122, "", 0x122, [(0x8022, "Inbox")], [])
folder(0x8022, "Inbox", 0x122, [], [(0x200024, "long"), (0x200044, "next")])
headers = store.block(("Received: %s\r\nReceived: %s\r\nX-Mailer: %s\r\n" % ((hidden,) * 3)).encode("utf-16-le")[:8176])
long = properties(p001A="IPM.Note", p0037=hidden, p0C1A=hidden, w007D=0x9f)
store.node(0x200024, store.block(long), store.subnodes([(0x671, store.block(table([(0x8045, {0x3704: "gone", 0x3705: 5})], [(0x3704, 0x1f), (0x3705, 3)])), 0),
                                                        (0x8045, store.block(properties(p3707="gone", p3705=5, p3701=(0x200064, 0))), 0), (0x9f, headers, 0)]), 0x8022)
store.node(0x200044, store.block(properties(p001A="IPM.Note", p0037="next", p1000="what stands behind")), 0, 0x8022)
(out / "long.pst.in").write_bytes(store.write())
