#!/usr/bin/env python3
"""keys: no key in what kvali has written, in whatever writing.

    keys.py KEY… -- PATH…        KEY: text, or @FILE for the bytes of a file

Looks through every file below each PATH for each key as UTF-8, UTF-16 of both byte orders, hex and base64, and halves of keys in files
as bytes and hex (a volume key is two keys in one). SQLite's values are looked at one by one, also unpacked (the index), so are a part's
database behind its two lines, and what is deflated and in base64 in the HTML report's data. Names each place; exit 1 when there is one."""
import base64
import os
import re
import sqlite3
import sys
import tempfile
import zlib


def in_base64(data):
    """What base64 has of these bytes wherever they begin in a group of three."""
    for shift in range(3):
        text = base64.b64encode(bytes(shift) + data)[4 if shift else 0:-4]
        if len(text) >= 8:
            yield text


def writings(key):
    if key.startswith("@"):
        data = open(key[1:], "rb").read()
        forms = [data, data[:len(data) // 2], data[len(data) // 2:]]
    else:
        forms = [key.encode(), key.encode("utf-16-le"), key.encode("utf-16-be")]
    for form in forms:
        yield from (form, form.hex().encode(), form.hex().upper().encode(), *in_base64(form))


def unpacked(data):
    for form in 15, -15, 31:
        try:
            yield zlib.decompressobj(form).decompress(data, 1 << 28)
        except zlib.error:
            pass


def in_database(path):
    database = sqlite3.connect("file:%s?mode=ro&immutable=1" % path, uri=True)
    database.text_factory = bytes
    for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'").fetchall():
        for row in database.execute('SELECT * FROM "%s"' % table.decode()):
            for value in row:
                if isinstance(value, bytes):
                    yield value
                    if len(value) > 8:
                        yield from unpacked(value)


def parts(path):
    data = open(path, "rb").read()
    yield data
    at = data.find(b"SQLite format 3\0")
    if at == 0 or (at > 0 and path.endswith(".part")):
        with tempfile.NamedTemporaryFile() as file:
            file.write(data[at:])
            file.flush()
            yield from in_database(file.name)
    if path.endswith((".js", ".html")):
        for run in re.findall(rb"[A-Za-z0-9+/]{64,}={0,2}", data):
            packed = base64.b64decode(run[:len(run) // 4 * 4])
            yield packed
            yield from unpacked(packed)


cut = sys.argv.index("--")
wanted = [(key, form) for key in sys.argv[1:cut] for form in writings(key)]
files = found = 0
for top in sys.argv[cut + 1:]:
    for folder, _, names in os.walk(top):
        for path in (os.path.join(folder, name) for name in names):
            files += 1
            there = {key for part in parts(path) for key, form in wanted if form in part}
            found += len(there)
            for key in sorted(there):
                print("%s holds %s" % (path, key))
print("%d files looked through, %d hold a key" % (files, found))
sys.exit(found > 0 or files == 0)
