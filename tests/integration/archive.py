#!/usr/bin/env python3
"""archive: what kvali opens, held against what other programs say is in it.

    archive.py KVALI FOLDER [LIST [all | any]]

Processes FOLDER (files, archives among them) and unpacks each archive once more with bsdtar, unzip or 7z: every content that they
give must be a stream of the case right inside of that archive, with the same SHA-256 and, where it is plain ASCII, the same name.
LIST names archives that do not open or not whole, one a line with the reason (KNOWN-LIMITS.md): there kvali must not have more
than it says, and one that opens after all is an error, so that the list stays true.
With `all` every file is an archive, a message, a document or encrypted: each is told with what became of it, opened as others open it,
encrypted and named with the method, or standing in LIST; one that is neither is an error. Attachments of messages are those that
Python's email finds, those of PDF files what pdfdetach finds; of a mailbox there are as many messages as Python's mailbox counts.
With `any` the files may be of all kinds: those count that another program opens."""
import collections
import email
import email.policy
import hashlib
import mailbox
import os
import pathlib
import re
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile

kvali, folder = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
every, anything = sys.argv[4:] == ["all"], sys.argv[4:] == ["any"]
exceptions, limits = {}, ""
if len(sys.argv) > 3:
    limits = open(sys.argv[3], encoding="utf-8").read()
    for line in limits.splitlines():
        if line.startswith("| `") and line.count("|") >= 3:
            name, reason = [part.strip() for part in line.split("|")[1:3]]
            exceptions[name.strip("`")] = reason


def unpack(path, into):
    """The contents that other programs find, as {name: sha256}; None when none of them opens it."""
    tools = [["unzip", "-qq", "-o", "-P", "", path, "-d", into]] if zip_like(path) else []
    tools += [["bsdtar", "-x", "--passphrase", "no-such-word", "-f", path, "-C", into]]  # else it asks without end
    if is_of(path):
        tools += [["7z", "x", "-y", "-p", "-bd", "-o" + into, path]]
    for tool in tools:
        shutil.rmtree(into, ignore_errors=True)
        os.mkdir(into)
        if runs(tool):
            return contents(into)
    return None


def runs(tool):
    """Bombs are stopped: by time, by memory, and by the size of one file."""
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 28, 1 << 28))
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))

    try:
        return subprocess.run(tool, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=20, preexec_fn=limit).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def is_of(path):
    """7z opens a lot that is no archive: programs, documents."""
    with open(path, "rb") as file:
        head = file.read(8)
    return head[:2] == b"PK" or head[:4] in (b"7z\xbc\xaf", b"Rar!", b"MSCF") or head[:2] == b"\x1f\x8b"


def sha(data):
    return hashlib.sha256(data).hexdigest()


def attached(path):
    """What lies in a message or in a PDF file, as {name: sha256}; None: it is neither, or has none."""
    data = path.read_bytes()
    if data[:5] == b"%PDF-":
        with tempfile.TemporaryDirectory() as into:
            if subprocess.run(["pdfdetach", "-saveall", "-o", into, str(path)], capture_output=True).returncode != 0:
                return None
            return contents(into) or None
    if path.suffix == ".mbox":
        return None
    if path.suffix in (".eml", ".emlx"):
        parts = [p for p in email.message_from_bytes(data, policy=email.policy.default).walk() if p.get_filename()]
        return {p.get_filename(): sha(p.get_payload(decode=True) or b"") for p in parts} or None
    return None


def messages(path):
    """How many messages a mailbox holds."""
    return len(mailbox.mbox(path, create=False)) if path.suffix == ".mbox" else None


def outcome(db, name):
    """How a file stands that no other program opens, or that holds nothing: a word, or None."""
    start = folder.name + "/" + name.replace("\\", "\\\\")
    row = db.execute("SELECT count(*), max(coalesce(method, '')) FROM encrypted WHERE path = ? OR substr(path, 1, ?) = ?",
                     (start, len(start) + 2, start + "!/")).fetchone()
    if row[0] > 0:
        return "encrypted: %s" % (row[1] or "the method is not said")
    row = db.execute("SELECT count(*) FROM stream WHERE substr(path, 1, ?) = ?", (len(start) + 2, start + "!/")).fetchone()
    if row[0] > 0:
        return "opened: %d contents, which no other program here gives" % row[0]
    for table in ("message", "member"):
        if db.execute("SELECT count(*) FROM %s WHERE path = ? OR substr(path, 1, ?) = ?" % table, (start, len(start) + 2, start + "!/")).fetchone()[0]:
            return "read: records, and no content in it"
    if db.execute("SELECT count(*) FROM finding_types WHERE path = ?", (start,)).fetchone()[0]:
        return "read: records, and no content in it"
    return None


def in_limits(name):
    """Named in the list, whole or with the part before its double underline left out ("…")."""
    words = re.findall("`([^`]*)`", limits)
    return any(word == name or (word.startswith("…") and name.endswith(word[1:])) for word in words)


def zip_like(path):
    with open(path, "rb") as file:
        return file.read(2) == b"PK"


def contents(into):
    found = {}
    for root, _, names in os.walk(into):
        for name in names:
            path = os.path.join(root, name)
            if not os.path.islink(path):
                found[os.path.relpath(path, into)] = hashlib.sha256(open(path, "rb").read()).hexdigest()
    return found


def inside(db, name):
    """The streams right inside of the archive, as {name: sha256}."""
    start = folder.name + "/" + name.replace("\\", "\\\\") + "!/"
    rows = db.execute("SELECT f.path, f.sha256 FROM file f JOIN stream s ON s.id = f.stream WHERE substr(f.path, 1, ?) = ? AND s.plugin = 'archive'",
                      (len(start), start)).fetchall()
    streams = {path[len(start):]: sha for path, sha in rows}
    direct = {path: sha for path, sha in streams.items() if "!/" not in path}
    # bsdtar takes a compressed tar for one archive, kvali for two.
    below = {path.partition("!/")[2]: sha for path, sha in streams.items() if path.count("!/") == 1}
    return {**below, **direct} if len(direct) == 1 else direct


def check(name, wanted, got):
    problems = []
    left = collections.Counter(got.values())
    for member, sha in sorted(wanted.items()):
        if left[sha] == 0:
            problems.append("%s is not there with SHA-256 %s" % (member, sha))
        left[sha] -= 1
        named = [other for path, other in got.items() if path.partition("\\#")[0] == member]  # names may be there twice
        if member.isascii() and "\\" not in member and named and sha not in named:
            problems.append("%s has another SHA-256" % member)
    return problems


with tempfile.TemporaryDirectory() as temporary:
    case = temporary + "/case"
    run = subprocess.run([kvali, "process", folder, "--case", case, "--quiet", "--jobs", "2", "--plugins", "archive,digest,encrypted,mail,ole,pdf,tnef" if every or anything else "archive,digest"], capture_output=True, text=True)
    if run.returncode not in (0, 1):
        sys.exit(run.stdout + run.stderr)
    db = sqlite3.connect("file:%s/case.db?mode=ro" % case, uri=True)
    tables = [name for name, in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'rec\\_%' ESCAPE '\\' AND name NOT IN ('rec_digest')")]
    db.execute("CREATE TEMP VIEW finding_types AS " + " UNION ALL ".join("SELECT s.path AS path FROM t_stream s JOIN %s r ON r.stream = s.id" % t for t in tables))
    opened = failed = members = 0
    for path in sorted(folder.iterdir()):
        wanted = unpack(str(path), temporary + "/out")
        got = inside(db, path.name)
        if not wanted and (every or anything) and (wanted := attached(path)):
            start = folder.name + "/" + path.name + "!/"
            got = {name[len(start):]: value for name, value in db.execute("SELECT path, sha256 FROM file WHERE substr(path, 1, ?) = ?", (len(start), start))}
        if count := messages(path) if every else None:
            start = folder.name + "/" + path.name
            got = db.execute("SELECT count(*) FROM message WHERE path = ? OR substr(path, 1, ?) = ?", (start, len(start) + 2, start + "!/")).fetchone()[0]
            print("%s %s: %d messages, %d of them read" % ("ok   " if got == count else "FAIL ", path.name, count, got))
            failed += got != count
            continue
        if not wanted:
            if path.name in exceptions:
                print("known %s: %s" % (path.name, exceptions[path.name]))
            elif every:
                word = outcome(db, path.name) or ("known: KNOWN-LIMITS.md" if in_limits(path.name) else None)
                print("%s %s: %s" % ("ok   " if word else "FAIL ", path.name, word or "neither opened nor in KNOWN-LIMITS.md"))
                failed += word is None
            continue
        problems = check(path.name, wanted, got)
        if path.name in exceptions:
            print("known %s: %s" % (path.name, exceptions[path.name]))
            if not problems:
                print("FAIL  %s opens: it is to be taken from the list" % path.name)
                failed += 1
            continue
        opened += not problems
        if (every or anything) and not problems:
            print("ok    %s: opened, %d contents as other programs give them" % (path.name, len(wanted)))
        members += len(wanted)
        for problem in problems[:5]:
            print("FAIL  %s: %s" % (path.name, problem))
        failed += bool(problems)
    print("%d archives open, with %d contents as other programs give them; %d do not" % (opened, members, failed))
    sys.exit(failed > 0 or opened == 0)
