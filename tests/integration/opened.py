#!/usr/bin/env python3
"""opened: virtual disks of the public corpus hold what qemu-img finds in them, and each encrypted image opens or is named.

    opened.py KVALI CORPUS LIMITS

A disk that qemu-img knows as such (QCOW, VHD, VHDX, VMDK, VDI, Apple's DMG) is made a raw image by it; kvali must find the same names with
the same SHA-256 in both. An encrypted image must leave a fault `encrypted`, a row in the view `encrypted`, or open with the password that
its makers tell. What does neither has to stand in LIMITS (KNOWN-LIMITS.md); what stands there as a disk that does not open must not open.
Closes with how many there are of each sort."""
import collections
import json
import pathlib
import re
import sqlite3
import struct
import subprocess
import sys
import tempfile

kvali, corpus = sys.argv[1], pathlib.Path(sys.argv[2])
limits = set(re.findall("`([^`]*)`", open(sys.argv[3], encoding="utf-8").read()))
DISKS = {"qcow", "qcow2", "vpc", "vhdx", "vmdk", "vdi", "dmg"}
ENCRYPTED = re.compile(r"bitlk|bitlocker|luks|evil_hdr|vc_1")
PASSWORDS = {"bitlk": "anaconda"}
# A disk that holds what differs from another: the name that it has among its makers, its parent, and the parent's name.
PARENTS = {"dfvfs__image-differential.vhd": ("image-differential.vhd", "dfvfs__image.vhd", "image.vhd")}
counts, failed = collections.Counter(), 0


def process(path, case, *options):
    run = subprocess.run([kvali, "process", path, "--case", case, "--quiet", "--plugins", "digest,encrypted", *options], capture_output=True, text=True)
    if run.returncode not in (0, 1):
        return None, run.stderr.strip().splitlines()[-1] if run.stderr.strip() else "exit code %d" % run.returncode
    return sqlite3.connect("file:%s/case.db?mode=ro" % case, uri=True), None


def contents(db, name):
    rows = db.execute("SELECT substr(path, ?), sha256 FROM file WHERE type = 'file' AND kind = 'file' AND sha256 IS NOT NULL", (len(name) + 1,))
    return sorted(rows.fetchall())


def format_of(path):
    """As qemu-img calls it, which does not look at the end, where a fixed VHD says what it is."""
    with open(path, "rb") as file:
        file.seek(-512, 2)
        if file.read(8) == b"conectix":
            return "vpc"
    info = subprocess.run(["qemu-img", "info", "--output=json", str(path)], capture_output=True, text=True)
    return json.loads(info.stdout)["format"] if info.returncode == 0 and info.stdout else ""


def unpacked(stored, path):
    if stored.suffix == ".zst":
        subprocess.run(["zstd", "-dqf", "--sparse", str(stored), "-o", str(path)], check=True)
    else:
        path.symlink_to(stored)


def over(disk, raw):
    """Puts what a dynamic or differencing VHD has over the bytes of its parent (Virtual Hard Disk Image Format Specification 1.0)."""
    data = disk.read_bytes()
    with open(raw, "ab") as file:
        file.truncate(struct.unpack_from(">Q", data, 48)[0])
    header = struct.unpack_from(">Q", data, 16)[0]
    table, _, blocks, size = struct.unpack_from(">QIII", data, header + 16)
    with open(raw, "r+b") as file:
        for block in range(blocks):
            at = struct.unpack_from(">I", data, table + 4 * block)[0]
            bitmap = data[at * 512:at * 512 + size // 4096]
            for sector in range(size // 512 if at != 0xffffffff else 0):
                if bitmap[sector // 8] >> (7 - sector % 8) & 1:
                    start = at * 512 + max(size // 4096, 512) + sector * 512
                    file.seek(block * size + sector * 512)
                    file.write(data[start:start + 512])


def differencing(path, folder):
    name, stored, parent = PARENTS[path.name]
    stored = next(file for file in (corpus / "images").iterdir() if file.name.removesuffix(".zst") == stored)
    child = path.rename(folder / name)
    unpacked(stored, folder / parent)
    over(folder / parent, folder / "raw")
    over(child, folder / "raw")
    own, problem = process(str(child), str(folder / "own"))
    if own is None:
        return "refused: " + problem, False
    there, wanted = contents(own, name), contents(process(str(folder / "raw"), str(folder / "plain"))[0], "raw")
    well = there == wanted and len(there) > 0
    return ("opened: with its parent, %d contents as in both put together" if well else "with its parent: %d contents, not as in both together") % len(there), well


def disk(path, folder):
    """A word for what became of it, and whether that is well."""
    raw, form = folder / "raw", format_of(path)
    if subprocess.run(["qemu-img", "convert", "-f", form, "-O", "raw", str(path), str(raw)], capture_output=True).returncode != 0:
        if form != "vpc": # qemu-img refuses a VHD whose header has not its checksum
            return "qemu-img does not open it", path.name in limits
        over(path, raw)
    own, problem = process(str(path), str(folder / "own"))
    if own is None:
        return "known: KNOWN-LIMITS.md (%s)" % problem if path.name in limits else "refused: " + problem, path.name in limits
    there, wanted = contents(own, path.name), contents(process(str(raw), str(folder / "plain"))[0], "raw")
    if path.name in limits and there != wanted:
        return "known: KNOWN-LIMITS.md", True
    if path.name in limits:
        return "opens: it is to be taken from KNOWN-LIMITS.md", False
    return "opened: %d contents as in what qemu-img makes of it" % len(there) if there == wanted else "%d contents, where qemu-img's has %d" % (len(there), len(wanted)), \
        there == wanted and len(there) > 0


def encrypted(path, folder):
    word = next((word for part, word in PASSWORDS.items() if part in path.name), None)
    db, problem = process(str(path), str(folder / "own"), *(["--key", "password:" + word] if word else []))
    if db is None:
        return "refused: " + problem, path.name in limits
    note = db.execute("SELECT content FROM volume WHERE content LIKE 'opened:%with password%'").fetchone()
    if note:
        return note[0], True
    row = db.execute("SELECT detail FROM fault WHERE kind = 'encrypted' OR detail LIKE '%LUKS%' UNION ALL "
                     "SELECT kind || ', ' || coalesce(method, '') || ': ' || coalesce(reason, certainty) FROM encrypted").fetchone()
    if row is None and path.name in limits:
        return "known: KNOWN-LIMITS.md", True
    return "named: " + row[0] if row else "neither opened nor named", row is not None


def look(stored, folder):
    global failed
    path = folder / stored.name.removesuffix(".zst")
    unpacked(stored, path)
    sort = "encrypted" if ENCRYPTED.search(path.name) else "disk" if path.stat().st_size >= 512 and format_of(path) in DISKS else None
    if sort is None:
        return
    word, well = (encrypted if sort == "encrypted" else differencing if path.name in PARENTS else disk)(path, folder)
    print("%s %s: %s" % ("ok   " if well else "FAIL ", path.name, word), flush=True)
    counts["%s images: %s" % (sort, word.partition(":")[0])] += 1
    failed += not well


for stored in sorted([*(corpus / "images").iterdir(), *(path for path in (corpus / "hostile").iterdir() if ENCRYPTED.search(path.name))]):
    if stored.is_file() and not re.search(r"\.(E0[2-9]|00[1-9])(\.zst)?$", stored.name):
        with tempfile.TemporaryDirectory() as folder:
            look(stored, pathlib.Path(folder))
for word, count in sorted(counts.items()):
    print("%4d %s" % (count, word))
sys.exit(failed > 0 or not counts)
