#!/usr/bin/env python3
"""formats.py fiwalk OURS.dfxml.xml THEIRS.xml: names the same files, with the same sizes and MD5s, as fiwalk?
formats.py csv FILE...: reads as CSV, every row as long as the head, no cell a formula, no control or bidirectional character.
formats.py jsonl FILE...: every line is an object.
formats.py files FOLDER CASE: the data beside an HTML page, read as report_files.h says, are the case's files.
formats.py timesketch FILE: every line has the three mandatory fields, the two times agree.

fiwalk also lists "." and ".." and the root folder; these are no files and are left out on its side."""
import base64, collections, csv, datetime, json, os, re, sqlite3, struct, sys, unicodedata, zlib
import xml.etree.ElementTree as tree

SPACE = "{http://www.forensicswiki.org/wiki/Category:Digital_Forensics_XML}"


def objects(path, ours):
    root = tree.parse(path).getroot()
    space = root.tag[: root.tag.index("}") + 1] if "}" in root.tag else ""
    for volume in root.iter(space + "volume"):
        for o in volume.findall(space + "fileobject"):
            text = lambda name: (o.findtext(space + name) or "")
            name = text("filename")
            if ours:
                name = re.sub(rb"\\x([0-9a-f]{2})|\\\\", lambda m: bytes([int(m[1], 16)]) if m[1] else b"\\", name.encode()).decode("utf-8", "replace")
            elif name.split("/")[-1] in (".", ".."):
                continue
            digests = {d.get("type").lower(): d.text.lower() for d in o.findall(space + "hashdigest") if d.text}
            yield name, int(text("filesize") or 0), digests.get("md5"), digests.get("sha1")


def fiwalk(ours, theirs):
    a, b = sorted(objects(ours, True), key=str), sorted(objects(theirs, False), key=str)
    named = lambda rows: sorted((n, s) for n, s, _, _ in rows)
    for row in set(named(b)) - set(named(a)):
        print("fiwalk alone:", row)
    for row in set(named(a)) - set(named(b)):
        print("kvali alone:", row)
    compared = wrong = 0
    known = {}
    for n, s, m, h in a:
        known.setdefault((n, s), set()).add((m, h))
    for n, s, m, h in b:
        mine = known.get((n, s), set())
        if not s or not m or not any(x[0] for x in mine):
            continue
        compared += 1
        if (m, h) not in mine:
            wrong += 1
            print("hash values differ:", n, s, m, mine)
    print(len(a), "files,", len(b), "by fiwalk,", compared, "hash values compared")
    return named(a) == named(b) and not wrong and compared > 0


class Packed:
    def __init__(self, path, kind, number):
        with open(path, encoding="ascii") as file:
            call = re.fullmatch(r"kvali\('(\w+)',(\d+),'([A-Za-z0-9+/=]*)'\);\n", file.read())
        assert call and (call[1], int(call[2])) == (kind, number), path
        self.data, self.at = zlib.decompress(base64.b64decode(call[3], validate=True)), 0

    def take(self, size):
        self.at += size
        assert self.at <= len(self.data)
        return self.data[self.at - size : self.at]

    def number(self):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def text(self):
        return self.take(self.number()).decode()

    def when(self, last):
        n = self.number() - 1
        return None if n < 0 else last + (-(n + 1) // 2 if n % 2 else n // 2)

    def runs(self):
        pairs = [(self.number(), self.number()) for _ in range(self.number())]
        return [value for value, count in pairs for _ in range(count)]

    def column(self, count):
        width = self.take(1)[0]
        numbers = struct.unpack(f"<{count}{'i' if width == 4 else 'd'}", self.take(width * count))
        return [None if n != n or (width == 4 and n == -(2**31)) else int(n) for n in numbers]

    def names(self, count):
        letters = self.text()
        heads, name, names = [(self.number(), self.number()) for _ in range(count)], b"", []
        for same, more in heads:
            name = name[:same] + self.take(more)
            names.append(name)
        if letters == "/":
            return [n.decode() for n in names]
        code = {(0xA0 + i if i < 96 else i - 95): letter for i, letter in enumerate(letters)}
        return ["".join(chr(b) if 31 < b < 127 else code[b] for b in n) for n in names]


def packed_rows(folder):
    folders, types, rows, details = [], [], [], []
    count = lambda kind: len([n for n in os.listdir(folder) if n.startswith(kind)])
    for part in range(1, count("files-") + 1):
        p = Packed(f"{folder}/files-{part:04}.js", "files", part)
        size = p.number()
        for _ in range(p.number()):
            around, name = p.number(), p.text()
            folders.append((folders[around - 1] + "/" if around else "") + name)
        types += [p.text() for _ in range(p.number())]
        of, kind, states = p.runs(), p.runs(), p.take(size).decode()
        sizes, modified, names = p.column(size), p.column(size), p.names(size)
        assert p.at == len(p.data) and len(of) == len(kind) == size
        rows += [(folders[of[i]] + "/" + names[i], sizes[i], modified[i], types[kind[i]], states[i]) for i in range(size)]
    for part in range(1, count("details-") + 1):
        p = Packed(f"{folder}/details-{part:04}.js", "details", part)
        for _ in range(p.number()):
            sha256, last, times = p.take(32).hex() if p.take(1)[0] else None, 0, []
            for _ in range(3):
                times.append(p.when(last))
                last = last if times[-1] is None else times[-1]
            details.append((sha256, *times, p.text()))
    assert len(rows) == len(details)
    return [row + more for row, more in zip(rows, details)]


def check_files(folder, case):
    db = sqlite3.connect(f"file:{case}/case.db?mode=ro", uri=True)
    seconds = lambda ns: None if ns is None else ns // 10**9
    want = collections.Counter()
    for row in db.execute("SELECT exhibit, path, coalesce(content_size, size, 0), modified_ns, sha256, accessed_ns, changed_ns, born_ns FROM file "
                          "WHERE kind IS NULL OR kind NOT IN ('image', 'raw', 'slack', 'free')"):
        want[(row[0] + "/" + row[1], row[2], seconds(row[3]), row[4], *map(seconds, row[5:]))] += 1
    have = collections.Counter((r[0], r[1], r[2], *r[5:9]) for r in packed_rows(folder))
    for row in list(want - have)[:5]:
        print("in the case alone:", row)
    for row in list(have - want)[:5]:
        print("in the page alone:", row)
    print(sum(have.values()), "rows")
    return bool(have) and have == want


def visible(text):
    return not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in text)


def check_csv(paths):
    for path in paths:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file, strict=True))
        for row in rows:
            if len(row) != len(rows[0]):
                return print(path, "a row of", len(row), "cells") or False
            for cell in row:
                if cell.lstrip(" ")[:1] in "=+-@＝＋－＠" and cell and not re.fullmatch(r"-?[0-9.]+", cell) or not visible(cell):
                    return print(path, "a formula or something hidden:", repr(cell)) or False
    return bool(paths)


def check_jsonl(paths):
    for path in paths:
        with open(path, encoding="utf-8", newline="\n") as file:
            for line in file:
                if not isinstance(json.loads(line), dict) or not visible(line.rstrip("\n")):
                    return print(path, "no object, or something hidden:", line[:80]) or False
    return bool(paths)


def check_timesketch(paths):
    count = 0
    with open(paths[0], encoding="utf-8") as file:
        for line in file:
            event = json.loads(line)
            when = datetime.datetime.fromisoformat(re.sub(r"(\.\d{6})\d*", r"\1", event["datetime"].replace("Z", "+00:00")))
            micro = (when - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) // datetime.timedelta(microseconds=1)
            if not event["message"] or not event["timestamp_desc"] or abs(micro - event["timestamp"]) > 1000000:
                return print(line) or False
            count += 1
    return count > 0


what, rest = sys.argv[1], sys.argv[2:]
good = {"fiwalk": lambda: fiwalk(*rest), "csv": lambda: check_csv(rest), "jsonl": lambda: check_jsonl(rest),
        "files": lambda: check_files(*rest), "timesketch": lambda: check_timesketch(rest)}[what]()
sys.exit(0 if good else 1)
