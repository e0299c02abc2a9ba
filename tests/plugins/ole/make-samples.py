#!/usr/bin/env python3
"""Makes the samples of this folder: make-samples.py FOLDER

Compound files as small as they can be [MS-CFB]: one sector of FAT, everything in the mini stream, siblings in one chain."""
import pathlib
import struct
import sys

out = pathlib.Path(sys.argv[1])
FREE, END, FAT, NONE = 0xffffffff, 0xfffffffe, 0xfffffffd, 0xffffffff
WHEN = (1704164645 + 11644473600) * 10**7


def compound(tree):
    """tree: {name: bytes or another tree}."""
    entries, mini, mini_fat = [], b"", []

    def add(name, kind):
        entries.append({"name": name, "kind": kind, "left": NONE, "right": NONE, "child": NONE, "start": 0 if kind != 5 else END, "size": 0})
        return len(entries) - 1

    def fill(index, branch):
        nonlocal mini
        previous = None
        for name in sorted(branch, key=lambda n: (len(n), n.upper())):
            value = branch[name]
            one = add(name, 2 if isinstance(value, bytes) else 1)
            if previous is None:
                entries[index]["child"] = one
            else:
                entries[previous]["right"] = one
            previous = one
            if not isinstance(value, bytes):
                fill(one, value)
                continue
            entries[one]["start"] = len(mini) // 64 if value else END
            entries[one]["size"] = len(value)
            count = (len(value) + 63) // 64
            mini_fat.extend(len(mini) // 64 + i + 1 for i in range(count - 1))
            mini_fat.extend([END] if count else [])
            mini += value + bytes(-len(value) % 64)

    fill(add("Root Entry", 5), tree)
    directory = b""
    mini_at = (len(entries) + 3) // 4 + 2
    entries[0].update(start=mini_at, size=len(mini))
    for entry in entries:
        name = entry["name"].encode("utf-16-le") + b"\0\0"
        directory += name.ljust(64, b"\0") + struct.pack("<HBBIII16sIQQIQ", len(name), entry["kind"], 1, entry["left"], entry["right"], entry["child"],
                                                        bytes(16), 0, 0, 0, entry["start"], entry["size"])
    directory += bytes(-len(directory) % 512)
    sectors = len(directory) // 512
    mini += bytes(-len(mini) % 512)
    fat = [FAT] + list(range(2, sectors + 1)) + [END] + [END]
    fat += list(range(len(fat) + 1, len(fat) + len(mini) // 512)) + [END]
    assert len(fat) <= 128 and len(mini_fat) <= 128
    pack = lambda numbers: struct.pack("<128I", *(numbers + [FREE] * (128 - len(numbers))))
    header = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<5H6x9I", 0x3e, 3, 0xfffe, 9, 6, 0, 1, 1, 0, 4096, sectors + 1, 1, END, 0)
    header += struct.pack("<109I", 0, *[FREE] * 108)
    return header + pack(fat) + directory + pack(mini_fat) + mini


def text(value):
    return value.encode("utf-16-le")


def native(label, path, data):
    body = struct.pack("<H", 2) + label + b"\0" + path + b"\0" + struct.pack("<II", 3, len(path) + 1) + path + b"\0" + struct.pack("<I", len(data)) + data
    return struct.pack("<I", len(body)) + body


properties = bytes(32) + struct.pack("<IIQ", 0x00390040, 6, WHEN) + struct.pack("<IIQ", 0x0e060040, 6, WHEN + 10**7)
(out / "letter.msg.in").write_bytes(compound({
    "__properties_version1.0": properties, "__substg1.0_0037001F": text("წერილი"), "__substg1.0_0C1A001F": text("Ana"), "__substg1.0_0C1F001E": b"ana@example.ge",
    "__substg1.0_0E04001F": text("b@example.com"),
    "__attach_version1.0_#00000000": {"__properties_version1.0": bytes(8), "__substg1.0_37010102": b"attached", "__substg1.0_3707001F": text("ფაილი.txt")}}))
(out / "object.doc.in").write_bytes(compound({
    "WordDocument": bytes(64), "\1CompObj": bytes(8),
    "ObjectPool": {"_1": {"\1Ole10Native": native(b"tool.exe", b"C:\\Users\\x\\tool.exe", b"MZ packed")}, "_2": {"Package": b"PK\3\4 no more"}}}))
(out / "closed.xlsx.in").write_bytes(compound({"EncryptedPackage": bytes(16), "EncryptionInfo": bytes(16)}))
