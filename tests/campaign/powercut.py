#!/usr/bin/env python3
"""powercut: a power cut at any moment leaves a case that goes on (R2).

A case's life (new, add, a run that is killed, a run to its end, a report) is recorded once by shim.so: every write, sync, rename.
Then cuts are played back. At each, what was synced is there; what was not is there, is gone, or is torn: some of its sectors of
512 bytes, names of files likewise. Each cut: the database opens, is sound and has every commit that was acknowledged; the ledger's
chain holds to its last whole line, and has every record that was acknowledged: by a sync, or by the command, which has ended and
said that it is done. Every --resume'th cut is given back to kvali:
`run` goes on, `verify` finds nothing, the digest is that of a case without a cut.
"""
import bisect
import hashlib
import json
import os
import shutil
import sqlite3
import struct
import sys

from common import *

OP = struct.Struct("<IIIIQQ")
CREATE, WRITE, TRUNCATE, SYNC, RENAME, UNLINK, MKDIR = range(1, 8)
SECTOR = 512
WORDS = ("--plugins", "archive,digest,filetype", "--jobs", "2", "--quiet")


def read_log(path):
    with open(path, "rb") as file:
        data = file.read()
    ops, ends, at = [], [], 0
    while at + OP.size <= len(data):
        kind, path_size, other_size, _, offset, size = OP.unpack_from(data, at)
        at += OP.size
        name = data[at:at + path_size].decode()
        at += path_size
        other = data[at:at + other_size].decode()
        at += other_size
        body = b""
        if kind == WRITE:
            body = data[at:at + size]
            at += size
        if not name.endswith("-shm"):  # not on the medium: SQLite makes it anew
            ops.append((kind, name, other, offset, body))
            ends.append(at)
    return ops, ends


class File:
    def __init__(self):
        self.safe = bytearray()    # what is on the medium for certain
        self.pending = []          # writes and truncations since
        self.named = False         # its name is on the medium for certain

    def copy(self):
        twin = File()
        twin.safe, twin.pending, twin.named = bytearray(self.safe), list(self.pending), self.named
        return twin


def apply(data, op, sectors=None):
    """One write or truncation; `sectors`: a chance for each of its sectors to arrive."""
    kind, _, _, offset, body = op
    if kind == TRUNCATE:
        del data[offset:]
        data.extend(bytes(offset - len(data)))
        return
    if sectors is None:
        pieces = [(0, len(body))]
    else:
        edges = sorted({0, len(body)} | set(range(-offset % SECTOR, len(body), SECTOR)))
        pieces = [(a, b) for a, b in zip(edges, edges[1:]) if sectors()]
    for begin, end in pieces:
        data.extend(bytes(max(0, offset + begin - len(data))))
        data[offset + begin:offset + end] = body[begin:end]


class Disk:
    """The case's folder as it is in memory, and what of it is on the medium for certain."""

    def __init__(self):
        self.files, self.folders = {}, set()
        self.ghosts = {}  # names that were renamed or removed, and may still be there: name -> File

    def do(self, op):
        kind, name, other, _, _ = op
        if kind == MKDIR:
            self.folders.add(name)
        elif kind == CREATE:
            self.files[name] = File()
        elif kind in (WRITE, TRUNCATE):
            self.files.setdefault(name, File()).pending.append(op)
        elif kind == SYNC:
            self.sync(name)
        elif kind == RENAME:
            self.ghosts[name] = self.files[name]
            if other in self.files and self.files[other].named:
                self.ghosts[other] = self.files[other]
            self.files[other] = self.files.pop(name)
            self.files[other].was = name
            self.files[other].named = False
        elif kind == UNLINK and name in self.files:
            self.ghosts[name] = self.files.pop(name)

    def sync(self, name):
        if name in self.files:  # the content; a file that was just made keeps its name with it, as ext4 and XFS have it
            file = self.files[name]
            for op in file.pending:
                apply(file.safe, op)
            file.pending = []
            file.named = file.named or not hasattr(file, "was")
            return
        for path, file in self.files.items():  # a folder
            if os.path.dirname(path) == name:
                file.named = True
        self.ghosts = {path: file for path, file in self.ghosts.items() if os.path.dirname(path) != name}

    def cut(self, rng):
        """One state that the medium may have: {name: bytes}."""
        way = rng.choice(["all", "none", "some", "torn"])
        result = {}
        for name, file in list(self.ghosts.items()) + list(self.files.items()):
            gone = not file.named and way != "all" and rng.random() < 0.5
            if name in self.ghosts and (way == "all" or gone):
                result.pop(name, None)
                continue
            if gone:
                if getattr(file, "was", None) in self.ghosts:
                    result[file.was] = self.content(file, way, rng)
                continue
            if getattr(file, "was", None):
                result.pop(file.was, None)
            result[name] = self.content(file, way, rng)
        return way, result

    @staticmethod
    def content(file, way, rng):
        data = bytearray(file.safe)
        for op in file.pending:
            if way == "all":
                apply(data, op)
            elif way in ("some", "torn") and rng.random() < 0.6:
                apply(data, op, (lambda: rng.random() < 0.6) if way == "torn" and op[0] == WRITE else None)
        return data

    def whole(self):
        class Always:
            choice = staticmethod(lambda ways: "all")
            random = staticmethod(lambda: 0.0)
        return self.cut(Always)[1]


class PowerCut(Campaign):
    SMALL = True

    def lay(self, state, folders):
        case = self.fresh("cut")
        os.makedirs(case)
        for folder in folders:
            os.makedirs(os.path.join(case, folder), exist_ok=True)
        for name, data in state.items():
            os.makedirs(os.path.dirname(os.path.join(case, name)), exist_ok=True)
            with open(os.path.join(case, name), "wb") as file:
                file.write(data)
        return case

    @staticmethod
    def done_in(case):
        """Chosen attempts in a database, or why it is not sound; None: there is none."""
        if not os.path.exists(case + "/case.db"):
            return None
        database = sqlite3.connect(case + "/case.db")
        try:
            words = database.execute("PRAGMA quick_check").fetchone()[0]
            return database.execute("SELECT count(attempt) FROM t_stream").fetchone()[0] if words == "ok" else words
        except sqlite3.Error as error:
            return str(error)
        finally:
            database.close()

    @staticmethod
    def lines_of(data):
        """Whole lines of a ledger, or where its chain breaks."""
        prev, lines = "0" * 64, bytes(data).split(b"\n")[:-1]
        for number, line in enumerate(lines):
            if number + 1 == len(lines) and b"\0" in line:
                return number  # torn: later sectors of it arrived, earlier ones did not
            try:
                record = json.loads(line)
            except ValueError:
                return f"line {number + 1} is not JSON"
            if record["prev"] != prev or record["seq"] != number:
                return f"line {number + 1} does not follow"
            prev = hashlib.sha256(line + b"\n").hexdigest()
        return len(lines)

    def record(self, image):
        case, log = self.path("recorded"), self.path("log")
        environment, said = shim("kvali", case, log=log), []
        shutil.rmtree(case, ignore_errors=True)
        for words, more in ((("new", case), {}), (("add", case, image), {}), (("run", case, *WORDS), {"KVALI_CRASH_AT": "commit-after:2"}),
                            (("run", case, *WORDS), {}), (("report", case, "--format", "json", "--quiet"), {})):
            run = kvali(*words, env={**environment, **more})
            if run.returncode not in (0, 1, -9):
                sys.exit(f"recording: {words[0]} ended with {run.returncode}: {last_words(run)}")
            if run.returncode in DONE:
                with open(case + "/ledger.jsonl", "rb") as ledger:
                    said.append((os.path.getsize(log), rows(case, "SELECT count(attempt) FROM t_stream")[0][0], self.lines_of(ledger.read())))
        self.want = digest(case)
        ops, ends = read_log(log)
        self.said = [(bisect.bisect_right(ends, size), done, lines) for size, done, lines in said]
        os.unlink(log)
        return ops

    def resume(self, case, image, words):
        """kvali goes on from what the cut left."""
        if not os.path.exists(case + "/case.db"):
            made = kvali("new", case)
            if not self.check(made.returncode == 0, words, "no case yet, and none can be made:", last_words(made)):
                return
        elif os.path.exists(case + "/ledger.jsonl"):
            verify = kvali("verify", case, "--quiet")
            self.check(sound_or_cut(verify), words, "before it goes on:", last_words(verify))
        if rows(case, "SELECT count(*) FROM t_exhibit")[0][0] == 0:
            kvali("add", case, image)
        run, verify = kvali("run", case, *WORDS), kvali("verify", case, "--quiet")
        good = run.returncode in DONE and verify.returncode == 0 and digest(case) == self.want
        self.check(good, words, "resumed:", run.returncode, last_words(run), last_words(verify), digest(case))
        self.tell("resumed")

    def one_cut(self, disk, at, rng, acknowledged, image, resume):
        way, state = disk.cut(rng)
        words = f"cut after operation {at} ({way}, seed {self.args.seed}):"
        case = self.lay(state, disk.folders)
        if resume:
            self.resume(self.lay(state, disk.folders), image, words)
            case = self.lay(state, disk.folders)
        done, lines = self.done_in(case), self.lines_of(state.get("ledger.jsonl", b""))
        self.check(done is None and acknowledged[0] is None or isinstance(done, int) and done >= (acknowledged[0] or 0), words,
                   "database:", done, "acknowledged:", acknowledged[0])
        self.check(isinstance(lines, int) and lines >= acknowledged[1], words, "ledger:", lines, "acknowledged:", acknowledged[1])
        self.tell(way)

    def play(self, ops, count, image, every):
        disk, acknowledged, number = Disk(), [None, 0], 0
        cuts = sorted(self.rng.randint(1, len(ops)) for _ in range(count))
        for at, op in enumerate(ops, 1):
            disk.do(op)
            if op[0] == SYNC and op[1].startswith("case.db") and "case.db" in disk.files:
                done = self.done_in(self.lay(disk.whole(), disk.folders))
                if not isinstance(done, int):
                    sys.exit(f"operation {at}: without any loss the database is not sound: {done}")
                acknowledged[0] = done
            if op[0] == SYNC and op[1] == "ledger.jsonl":
                acknowledged[1] = self.lines_of(disk.whole()["ledger.jsonl"])
            while self.said and self.said[0][0] <= at:
                _, done, lines = self.said.pop(0)
                acknowledged = [max(acknowledged[0] or 0, done), max(acknowledged[1], lines)]
            while number < count and cuts[number] == at:
                number += 1
                self.one_cut(disk, at, self.rng, acknowledged, image, number % every == 0)


campaign = PowerCut(__doc__, 300, lambda parser: parser.add_argument("--resume", type=int, default=50, help="every so many (default: 50)"))
image = make_small(campaign.work)
ops = campaign.record(image)
campaign.play(ops, campaign.args.count, image, campaign.args.resume)
checks, campaign.tried = campaign.tried, campaign.args.count
campaign.end(f"{len(ops)} operations recorded, {checks} checks")
