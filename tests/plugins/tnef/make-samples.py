#!/usr/bin/env python3
"""Makes the samples of this folder: packages of Outlook by the book [MS-OXTNEF].

    make-samples.py FOLDER"""
import pathlib
import struct
import sys

out = pathlib.Path(sys.argv[1])


def attribute(level, number, data):
    return struct.pack("<BII", level, number, len(data)) + data + struct.pack("<H", sum(data) & 0xffff)


def pad(data):
    return data + bytes(-len(data) % 4)


def prop(number, kind, value):
    head = struct.pack("<HH", kind, number)
    if kind in (0x1e, 0x1f, 0x0d, 0x102):
        return head + struct.pack("<II", 1, len(value)) + pad(value)
    return head + value


def props(*items):
    return struct.pack("<I", len(items)) + b"".join(items)


def text(value):
    return (value + "\0").encode("utf-16-le")


def when(seconds):
    return struct.pack("<Q", (seconds + 11644473600) * 10000000)


def named(kind, name, value):
    """A property with a name of its own: its number means nothing."""
    wide = text(name)
    return struct.pack("<HH", kind, 0x8001) + bytes(16) + struct.pack("<II", 1, len(wide)) + pad(wide) + struct.pack("<II", 1, len(value)) + pad(value)


def crc(data):
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xedb88320 if value & 1 else 0)
    return value


def rtf(raw):
    """Compressed text without any reference but the last, which ends it. [MS-OXRTFCP]"""
    at, body = 207, b""
    for i in range(0, len(raw), 8):
        part = raw[i:i + 8]
        at = (at + len(part)) % 4096
        if len(part) < 8:
            body += bytes([1 << len(part)]) + part + struct.pack(">H", at << 4)
        else:
            body += b"\0" + part
    if len(raw) % 8 == 0:
        body += b"\1" + struct.pack(">H", at << 4)
    return struct.pack("<III", len(body) + 12, len(raw), 0x75465a4c) + struct.pack("<I", crc(body)) + body


HEAD = struct.pack("<IH", 0x223e9f78, 1)
WHEN = 1704164645  # 2024-01-02T03:04:05Z
date = struct.pack("<7H", 2024, 1, 2, 3, 4, 5, 2)
rtf_text = b"{\\rtf1\\ansi Words in RTF}"
recipients = struct.pack("<I", 2) + props(prop(0x0c15, 3, struct.pack("<I", 1)), prop(0x3001, 0x1f, text("ბექა")), prop(0x3003, 0x1e, b"beka@example.ge\0")) \
    + props(prop(0x0c15, 3, struct.pack("<I", 2)), prop(0x3001, 0x1e, b"c@example.com\0"), prop(0x39fe, 0x1e, b"c@example.com\0"))
message = props(prop(0x0037, 0x1f, text("წერილი")), prop(0x0c1a, 0x1f, text("Ana")), prop(0x0c1f, 0x1e, b"ana@example.ge\0"),
                prop(0x0039, 0x40, when(WHEN)), prop(0x1035, 0x1e, b"<1@example.ge>\0"), prop(0x1013, 0x102, b"<html>Words in HTML</html>"),
                prop(0x1009, 0x102, rtf(rtf_text)), named(0x1f, "Keywords", text("x")))
letter = HEAD + attribute(1, 0x00089006, struct.pack("<I", 0x10000)) + attribute(1, 0x00078008, b"IPM.Note\0") + attribute(1, 0x00038006, date) \
    + attribute(1, 0x0002800c, b"Words in plain text\0") + attribute(1, 0x00069004, recipients) + attribute(1, 0x00069003, message) \
    + attribute(2, 0x00069002, bytes(14)) + attribute(2, 0x00018010, b"SHORT~1.TXT\0") + attribute(2, 0x0006800f, b"attached\n") + attribute(2, 0x00038013, date) \
    + attribute(2, 0x00069005, props(prop(0x3707, 0x1f, text("ფაილი გრძელი.txt")), prop(0x370e, 0x1e, b"text/plain\0"))) \
    + attribute(2, 0x00069002, bytes(14)) + attribute(2, 0x00018010, b"inner\0")
inner = HEAD + attribute(1, 0x00018004, b"inside\0") + attribute(2, 0x00069002, bytes(14)) + attribute(2, 0x00018010, b"deep.txt\0") + attribute(2, 0x0006800f, b"deep\n")
letter += attribute(2, 0x00069005, props(prop(0x3701, 0x0d, bytes(16) + inner)))
letter += attribute(2, 0x00069002, bytes(14)) + attribute(2, 0x00018010, b"empty.txt\0") + attribute(2, 0x0006800f, b"")
(out / "winmail.dat.in").write_bytes(letter)
# An attribute that claims more than there is, after one whose checksum is wrong.
(out / "cut.dat.in").write_bytes(HEAD + attribute(1, 0x00018004, b"cut\0")[:-2] + b"\0\0" + struct.pack("<BII", 2, 0x0006800f, 0x7fffffff) + b"what is left")


def claim(number, kind, size, value):
    """A property that claims `size` bytes and has these."""
    return struct.pack("<HHII", kind, number, 1, size) + value


# Attributes that are damaged each in its own way; what stands behind them is read all the same, up to what is no attribute.
damaged_rtf = bytearray(rtf(rtf_text))
damaged_rtf[20] ^= 1
damaged = HEAD + attribute(1, 0x00038005, date[:5]) + attribute(1, 0x00008000, struct.pack("<4H", 4, 0, 400, 3) + b"Ana\0")
damaged += attribute(1, 0x00018004, b"kept\0") + attribute(1, 0x00069004, struct.pack("<I", 3) + props(
    prop(0x0c15, 3, struct.pack("<I", 1)), prop(0x3001, 0x1e, b"the only one\0")) + struct.pack("<I", 0xffffffff))
damaged += attribute(1, 0x00069003, struct.pack("<I", 3) + prop(0x1035, 0x1e, b"<2@example.ge>\0") + prop(0x1009, 0x102, bytes(damaged_rtf))
                     + claim(0x1013, 0x102, 0x7fffffff, b"<html>"))
damaged += attribute(2, 0x00069002, bytes(14)) + attribute(2, 0x00018010, b"nothing in it.txt\0")
damaged += attribute(2, 0x00069002, bytes(14)) + attribute(2, 0x0006800f, b"without a name") + attribute(2, 0x00069005, struct.pack("<I", 2) + claim(0x3707, 0x1f, 40, text("cut")))
damaged += attribute(2, 0x0006800f, b"of another whose beginning is lost") + b"\7no attribute at all"
(out / "damaged.dat.in").write_bytes(damaged)
