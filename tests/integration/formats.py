#!/usr/bin/env python3
"""formats.py fiwalk OURS.dfxml.xml THEIRS.xml: names the same files, with the same sizes and MD5s, as fiwalk?
formats.py csv FILE...: reads as CSV, every row as long as the head, no cell a formula, no control or bidirectional character.
formats.py jsonl FILE...: every line is an object.
formats.py timesketch FILE: every line has the three mandatory fields, the two times agree.

fiwalk also lists "." and ".." and the root folder; these are no files and are left out on its side."""
import csv, datetime, json, re, sys, unicodedata
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
        "timesketch": lambda: check_timesketch(rest)}[what]()
sys.exit(0 if good else 1)
