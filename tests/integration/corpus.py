#!/usr/bin/env python3
"""corpus: every image of the public test corpus against what The Sleuth Kit's own tools say of it.

usage: corpus.py KVALI CORPUS [--only SUBSTRING] [--folder images|hostile] [--table FILE] [--keep DIR]

For each image: `kvali process`, then, from case.db: entries per file system (live and deleted) and their names against `fls -r -p`,
and MD5 and size of every content against icat, fiwalk and tsk_recover, all as stored in CORPUS/truth. A difference is either one
of the KNOWN kinds below, each with its reason, or it fails the test. Closes with `N passed, N failed, N skipped`.
"""
import argparse
import collections
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile

SECTION = re.compile(rb"^\[(listing|icat md5|fiwalk|tsk_recover -e|apfs-volume|filesystem|no-filesystem|volumes)\b([^\]]*)\](.*)$")
ENTRY = re.compile(rb"^(\S)/(\S) (\* )?([0-9][0-9-]*)(\(realloc\))?:\t(.*)$", re.S)
CLEAN_EXITS = {0, 1}
IN_ONE_CASE = 12
SEGMENT_FIRST = (".E01", ".000", ".001")


class Truth:
    """One truth file: per file system (byte offset, or apfs block) its listing and contents."""

    def __init__(self, path):
        data = subprocess.run(["zstd", "-dc", path], check=True, stdout=subprocess.PIPE).stdout if path.endswith(".zst") else open(path, "rb").read()
        self.media_bytes = None
        self.sha256 = None
        self.listing = {}      # volume -> list of entries
        self.icat = {}         # volume -> {(address, path): (md5, size)}
        self.fiwalk = []       # (md5, size, state, inode, path)
        self.incomplete = set()
        where = None
        rows = None
        for line in data.split(b"\n"):
            head = SECTION.match(line)
            if head:
                where, rows = self.section(head, line)
            elif line.startswith(b"# img_stat"):
                found = re.search(rb"media_bytes (\d+)", line)
                self.media_bytes = int(found.group(1)) if found else None
            elif line.startswith(b"# sha256\t"):
                self.sha256 = line.split(b"\t")[1].decode()
            elif where and line:
                self.row(where, rows, line)

    def section(self, head, line):
        kind = head.group(1).decode()
        text = (head.group(2) + head.group(3)).decode("utf-8", "replace")
        offset = re.search(r"offset=(\d+)", text)
        block = re.search(r"apsb_block=(\d+)", text)
        volume = ("apfs", int(block.group(1))) if block else ("fs", int(offset.group(1)) * 512) if offset else None
        if "TIMEOUT" in text and volume:
            self.incomplete.add(volume)
        if re.search(r"fls rc [^0\s]", text) and volume:
            self.incomplete.add(volume)
        if kind in ("listing", "apfs-volume"):
            self.listing.setdefault(volume, [])
            self.last = volume
            return "listing", volume
        if kind == "icat md5":
            volume = volume or getattr(self, "last", None)
            self.icat.setdefault(volume, {})
            return "icat", volume
        return ("fiwalk", None) if kind == "fiwalk" else (None, None)

    def row(self, where, volume, line):
        if where == "listing":
            found = ENTRY.match(line)
            if found:
                self.listing[volume].append((found.group(4).decode(), bool(found.group(3)), found.group(6)))
        elif where == "icat":
            parts = line.split(b"\t")
            if len(parts) == 4:
                self.icat[volume][(parts[2].decode(), parts[3])] = (parts[0].decode(), int(parts[1]))
            elif len(parts) == 3:
                self.icat[volume][("", parts[2])] = (parts[0].decode(), int(parts[1]))
        elif where == "fiwalk":
            parts = line.split(b"\t")
            if len(parts) == 6 and parts[0] != b"-":
                self.fiwalk.append((parts[0].decode(), parts[1].decode(), parts[2].decode(), parts[3].decode(), parts[5]))


def unescape(text):
    """The bytes that kvali's escaped path stands for; the suffix \\#... of a name that is there twice is cut."""
    text = re.sub(r"\\#[0-9.]+", "", text)
    out = bytearray()
    i = 0
    while i < len(text):
        c = text[i]
        if c == "\\" and i + 1 < len(text):
            if text[i + 1] == "x":
                out.append(int(text[i + 2:i + 4], 16))
                i += 4
                continue
            if text[i + 1] == "-":
                i += 2
                continue
            out += b"\\"
            i += 2
            continue
        out += c.encode()
        i += 1
    return bytes(out)


def plain(path):
    """A path as the truth files have it: fls prints a control character as ^, and they hold its bytes that are no UTF-8 as \\xNN."""
    path = re.sub(rb"[\x00-\x1f\x7f]|\xc2[\x80-\x9f]", b"^", path)
    return path.decode("utf-8", "backslashreplace").encode()


def address(row):
    return f"{row['inode']}-{row['attribute']}" if row["attribute"] else str(row["inode"])


def volume_of(locator):
    found = re.match(r"fs@(\d+):", locator)
    if found:
        return ("fs", int(found.group(1)))
    found = re.match(r"apfs@\d+/(\d+)", locator)
    return ("apfs", int(found.group(1))) if found else None


class Result:
    def __init__(self, name):
        self.name = name
        self.entries = self.deleted = self.contents = 0
        self.extra = collections.Counter()
        self.problems = []

    def fail(self, text):
        if len(self.problems) < 12:
            self.problems.append(text)


def rows_of(db):
    """Entries by file system."""
    volumes = collections.defaultdict(list)
    for row in db.execute("SELECT f.*, v.expand AS volume_expand, v.filesystem AS volume_filesystem FROM file f "
                          "JOIN volume v ON v.exhibit = f.exhibit AND v.key = f.volume"):
        where = volume_of(row["volume_expand"] or "")
        if where and row["kind"] not in ("raw", "image", "free") and not (row["locator"] or "").startswith("runs@"):
            volumes[where].append(row)
    return volumes


def compare_accounts(result, db, size):
    """Every byte of the medium has one owner, and every byte of a volume too; but where the walk did not survive, what it would
    have divided is not divided, and a fault says so. A medium within (its volumes' keys have a '!') is accounted for by itself."""
    died = {key for (key,) in db.execute(
        "SELECT volume FROM fault WHERE stage = 'walk' AND kind IN ('crash', 'hang', 'memory') AND path = ''")}
    shares = db.execute("SELECT sum(bytes) FROM account WHERE what = 'share' AND instr(volume, '!') = 0").fetchone()[0]
    if shares is not None and shares != size:
        result.fail(f"accounts: volumes, gaps and tables share {shares} of {size} bytes")
    for key, present, division in db.execute(
            "SELECT v.key, min(v.size, ? - v.offset), (SELECT sum(bytes) FROM account a WHERE a.volume = v.key AND a.what <> "
            "'share') FROM volume v JOIN account s ON s.volume = v.key AND s.what = 'share' AND s.bytes > 0 WHERE v.use = "
            "'allocated' AND instr(v.key, '!') = 0", (size,)):
        if key in died and (division or 0) < present:
            result.extra["volume not divided: its walk did not survive, a fault says so"] += 1
        elif division != present:
            result.fail(f"accounts: {key}: {division} of {present} bytes are divided")


def medium_of(image, truth):
    """What the medium's size must be. The Sleuth Kit takes QCOW for a raw image; then qemu-img's word counts (None: it is not there)."""
    with open(image, "rb") as file:
        if file.read(4) != b"QFI\xfb":
            return truth.media_bytes
    if shutil.which("qemu-img") is None:
        return None
    told = subprocess.run(["qemu-img", "info", "--output=json", image], stdout=subprocess.PIPE, check=True).stdout
    return json.loads(told)["virtual-size"]


def compare_free(result, image, db):
    """Free space is what blkls gives of the same file system."""
    for offset, total in db.execute(
            "SELECT v.offset, (SELECT sum(size) FROM stream s WHERE s.kind = 'free' AND s.locator LIKE 'free@' || v.offset || ':%') "
            "FROM volume v WHERE v.expand LIKE 'fs@%' AND v.parent = ''"):
        if offset % 512 or total is None:
            continue
        run = subprocess.run(["blkls", "-o", str(offset // 512), image], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if run.returncode == 0 and len(run.stdout) != total:
            result.fail(f"free space at {offset}: {total} bytes, blkls gives {len(run.stdout)}")


def inner_path(path):
    # image/volume/filesystem/...
    parts = path.split("/", 3)
    return plain(unescape(parts[3])) if len(parts) == 4 else b""


def folders_in_part(db):
    """By volume: folders at which libtsk broke off, and of which kvali kept what had been read, and says so in a fault. fls shows
    nothing at all of such a folder. That of the orphans is one as soon as the search for them meets one damaged inode."""
    folders = collections.defaultdict(set)
    for row in db.execute("SELECT f.path, v.expand FROM fault f JOIN volume v ON v.exhibit = f.exhibit AND v.key = f.volume "
                          "WHERE f.stage = 'walk' AND f.kind = 'damaged' AND f.effect = 'only a part of this folder is listed'"):
        folders[volume_of(row["expand"] or "")].add(inner_path(row["path"]))
    return folders


def is_below(path, folders):
    return any(path.startswith(folder + b"/" if folder else b"") for folder in folders)


def compare_listing(result, where, rows, truth, in_part):
    want = collections.Counter((a, d, plain(p)) for a, d, p in truth)
    have = collections.Counter()
    for row in rows:
        if row["unnamed"]:
            result.extra["allocated inode that no name reaches"] += 1
            continue
        have[(address(row), bool(row["deleted"]), inner_path(row["path"]))] += 1
    result.entries += sum(have.values())
    result.deleted += sum(n for (a, d, p), n in have.items() if d)
    addresses = {a for a, d, p in have}
    for (a, d, p), n in (want - have).items():
        if b"/.:" in p and a in addresses:
            result.extra["alternate stream of a folder that fls lists under its '.' as well"] += n
            continue
        result.fail(f"{where}: fls has {n} x {a} {'deleted ' if d else ''}{p!r}, kvali has not")
    attributes = {(address(row), bool(row["deleted"]), inner_path(row["path"])) for row in rows
                  if row["kind"] == "ads" and row["volume_filesystem"] in ("hfs+", "apfs")}
    fls_knows = {folder for folder in in_part for a, d, p in want if is_below(p, {folder})}
    for (a, d, p), n in (have - want).items():
        if (a, d, p) in attributes:
            result.extra["extended attribute or resource fork, which fls does not list"] += n
        elif is_below(p, in_part - fls_knows):
            result.extra["entry of a folder of which fls shows nothing, because libtsk could read only a part of it"] += n
        elif p.count(b"/") >= 127:
            result.extra["deeper than libtsk's 128 levels"] += n
        else:
            result.fail(f"{where}: kvali has {n} x {a} {'deleted ' if d else ''}{p!r}, fls has not")


def compare_contents(result, where, rows, truth):
    by_address = {}
    for row in rows:
        if row["md5"]:
            by_address.setdefault(address(row), row)
    by_path = {inner_path(row["path"]): row for row in rows if row["md5"]}
    for (addr, path), (md5, size) in truth.items():
        row = by_address.get(addr) if addr else by_path.get(plain(path))
        if row is None and addr:
            row = by_path.get(plain(path))
        if row is None:
            result.fail(f"{where}: content {addr} {path!r} ({size} bytes) is in the truth, not in the case")
        elif row["md5"] != md5 or row["content_size"] != size:
            result.fail(f"{where}: content {addr} {path!r}: truth {md5} {size}, case {row['md5']} {row['content_size']}")
        else:
            result.contents += 1


def compare_fiwalk(result, volumes, truth):
    """fiwalk's hashes, by inode, in images with one file system; those of folders and alternates are not contents of ours."""
    if len(volumes) != 1 or not truth:
        return
    (rows,) = volumes.values()
    ours = collections.defaultdict(set)
    for row in rows:
        if row["md5"]:
            ours[str(row["inode"])].add((row["md5"], str(row["content_size"])))
    folders = {str(row["inode"]) for row in rows if row["type"] == "folder"}
    for md5, size, state, inode, path in truth:
        if inode in ours and inode not in folders and (md5, size) not in ours[inode]:
            result.extra["fiwalk reads another length or a realloc'ed inode"] += 1
        elif inode in ours:
            result.contents += 1


def unpack(source, folder, group):
    """The image and, for segments, its companions, unpacked beside each other; the path of the first."""
    first = None
    for name in group:
        path = os.path.join(source, name)
        bare = name[:-4] if name.endswith(".zst") else name[:-3] if name.endswith(".gz") else name
        target = os.path.join(folder, bare)
        if name.endswith(".zst"):
            subprocess.run(["zstd", "-dqf", "--sparse", path, "-o", target], check=True)
        elif name.endswith(".gz"):
            with open(target, "wb") as out:
                subprocess.run(["gzip", "-dc", path], check=True, stdout=out)
        else:
            shutil.copy(path, target)
        first = first or target
    return first


def groups(source):
    """Files that belong together: dfvfs__ext2.split.E01 with .E02, splitraw.000 with .001."""
    names = sorted(os.listdir(source))
    bare = {n: (n[:-4] if n.endswith(".zst") else n[:-3] if n.endswith(".gz") else n) for n in names}
    taken = set()
    for name in names:
        if name in taken or not os.path.isfile(os.path.join(source, name)) or bare[name].endswith((".md", ".txt")):
            continue
        group = [name]
        stem, ext = os.path.splitext(bare[name])
        if ext in SEGMENT_FIRST:
            group += [n for n in names if n != name and os.path.splitext(bare[n])[0] == stem
                      and re.fullmatch(r"\.(E\d\d|\d\d\d)", os.path.splitext(bare[n])[1])]
        taken.update(group)
        yield bare[name], group


def in_case(result, run, kvali, case):
    """Ended and verified as it should; False: there is nothing to look at."""
    if run.returncode not in CLEAN_EXITS:
        result.fail(f"kvali process ended with {run.returncode}: {run.stdout.decode('utf-8', 'replace')[-300:]}")
        return False
    with open(os.path.join(case, "ledger.jsonl"), encoding="utf-8") as ledger:
        died = sum(json.loads(line).get("workers_crashed", 0) for line in ledger)
    if died and 3 not in CLEAN_EXITS:  # evidence that is not hostile
        result.fail(f"{died} workers crashed")
    verify = subprocess.run([kvali, "verify", case], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if verify.returncode:
        result.fail(f"kvali verify ended with {verify.returncode}: {verify.stdout.decode('utf-8', 'replace')[-300:]}")
    return True


def compare(result, image, truth_path, db):
    """The case of one exhibit, or what `one_exhibit` leaves of it, with the truth."""
    if db.execute("SELECT count(*) FROM fault WHERE kind IN ('crash','hang','memory','tamper')").fetchone()[0]:
        result.extra["parser died, contained"] += 1
    size = db.execute("SELECT size FROM exhibit").fetchone()[0]
    compare_accounts(result, db, size)
    if truth_path is None:
        return
    compare_free(result, image, db)
    truth = Truth(truth_path)
    wanted = medium_of(image, truth)
    if wanted and size != wanted:
        result.fail(f"medium: {size} bytes, {wanted} wanted")
    volumes = rows_of(db)
    in_part = folders_in_part(db)
    for where, rows in truth.listing.items():
        if where in truth.incomplete:
            result.extra["no whole listing in the truth (its tool did not end)"] += 1
        else:
            compare_listing(result, where, volumes.get(where, []), rows, in_part.get(where, set()))
    for where, contents in truth.icat.items():
        compare_contents(result, where, volumes.get(where, []), contents)
    if not truth.icat:
        compare_fiwalk(result, volumes, truth.fiwalk)


def process(kvali, images, case, arguments):
    return subprocess.run([kvali, "process", *images, "--case", case, "--plugins", "digest", "--quiet", *arguments],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=900)


def open_case(case):
    db = sqlite3.connect(os.path.join(case, "case.db"))
    db.row_factory = sqlite3.Row
    return db


def one_exhibit(db, number):
    """The views show this exhibit alone from here on: those of the connection hide the case's."""
    for name in ("exhibit", "volume", "file", "stream", "fault", "account"):
        db.execute(f"DROP VIEW IF EXISTS temp.{name}")
        db.execute(f"CREATE TEMP VIEW {name} AS SELECT * FROM main.{name} WHERE exhibit = (SELECT label FROM main.t_exhibit WHERE id = {number})")


def check(kvali, image, name, truth_path, folder, arguments):
    """An image in a case of its own."""
    result, case = Result(name), os.path.join(folder, "case")
    shutil.rmtree(case, ignore_errors=True)
    run = process(kvali, [image], case, arguments)
    if run.returncode == 3 and (b"differencing image" in run.stdout or b"holds only what differs" in run.stdout):
        result.extra["refused: a differencing image without its parent"] += 1
        return result
    if not in_case(result, run, kvali, case):
        return result
    if run.returncode == 3:
        result.extra["refused, with the reason"] += 1
        return result
    db = open_case(case)
    compare(result, image, truth_path, db)
    db.close()
    return result


def check_many(kvali, images, folder, arguments):
    """The images [(name, path, truth)] in one case, which saves the setting up. Where it ends otherwise than it should nobody knows
    which image that is about: None."""
    whole, case = Result(""), os.path.join(folder, "case")
    try:
        run = process(kvali, [path for _, path, _ in images], case, arguments)
    except subprocess.TimeoutExpired:
        return None
    if not in_case(whole, run, kvali, case) or whole.problems:
        return None
    db, results = open_case(case), []
    failed = [row[0] is not None for row in db.execute("SELECT failed FROM t_exhibit ORDER BY id")]
    for number, (name, path, truth_path) in enumerate(images):
        result = Result(name)
        if failed[number]:
            result = check(kvali, path, name, truth_path, os.path.dirname(path), arguments)
        else:
            one_exhibit(db, number + 1)
            compare(result, path, truth_path, db)
        results.append(result)
    db.close()
    return results


def check_batch(kvali, source, batch, keep, arguments):
    with tempfile.TemporaryDirectory(prefix="kvali-corpus-", dir=keep) as folder:
        images = []
        for number, (name, group, truth_path) in enumerate(batch):
            place = os.path.join(folder, str(number))
            os.mkdir(place)
            images.append((name, unpack(source, place, group), truth_path))
        results = check_many(kvali, images, folder, arguments) if len(images) > 1 else None
        if results is not None:
            return results
        results = []
        for name, path, truth_path in images:
            try:
                results.append(check(kvali, path, name, truth_path, os.path.dirname(path), arguments))
            except subprocess.TimeoutExpired:
                results.append(Result(name))
                results[-1].fail("kvali process did not end within its time")
        return results


def results_of(options, source):
    wanted = [(name, group) for name, group in groups(source) if options.only in name]
    for first in range(0, len(wanted), IN_ONE_CASE):
        batch = []
        for name, group in wanted[first:first + IN_ONE_CASE]:
            base = os.path.join(options.corpus, "truth", name + ".txt")
            batch.append((name, group, base if os.path.exists(base) else base + ".zst" if os.path.exists(base + ".zst") else None))
        yield from check_batch(options.kvali, source, batch, options.keep, options.arguments.split())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kvali")
    parser.add_argument("corpus")
    parser.add_argument("--only", default="")
    parser.add_argument("--folder", default="images")
    parser.add_argument("--table")
    parser.add_argument("--keep", default=None)
    parser.add_argument("--arguments", default="", help="further arguments for kvali process, as one word")
    parser.add_argument("--hostile", action="store_true", help="exit 3 is right too: the evidence may be beyond opening")
    options = parser.parse_args()
    source = os.path.join(options.corpus, options.folder)
    if not os.path.isdir(source):
        print(f"{source} is not there: the corpus tests are skipped")
        print("0 passed, 0 failed, 1 skipped")
        return 77
    passed = failed = 0
    lines = ["image\tentries\tdeleted\tcontents equal\tbeyond the truth"]
    CLEAN_EXITS.update({3} if options.hostile else ())
    for result in results_of(options, source):
        passed, failed = (passed, failed + 1) if result.problems else (passed + 1, failed)
        extra = ", ".join(f"{n} x {what}" for what, n in result.extra.items())
        lines.append(f"{result.name}\t{result.entries}\t{result.deleted}\t{result.contents}\t{extra}")
        print(("FAIL " if result.problems else "ok   ") + lines[-1].replace("\t", "  "), flush=True)
        for problem in result.problems:
            print("     " + problem)
    if options.table:
        with open(options.table, "w") as out:
            out.write("\n".join(lines) + "\n")
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
