#!/usr/bin/env python3
"""extremes: what is large beyond measure or has no end (R7, R8, R9): --names in one folder, --deep folders inside each other, files and media of a
petabyte that are nearly all hole, folders that are in themselves. Nothing is lost, no worker that is at work is taken for hung, time
has its limit, memory too; what was not looked at is told, and where. tests/images/make-large.py makes the images."""
import os
import re
import shutil
import signal
import subprocess
import time

from common import *

PLUGINS = ("--plugins", "digest", "--jobs", "2")
LEVELS = 4096            # EXPAND_DEPTH_MAX
SUPERVISOR_MIB = 256     # far more than it needs; a list of all names would not fit
WORKER_MIB = 1536 + 256  # limit.memory, and what a worker begins with
MAKER = TOP + "/tests/images/make-large.py"


class Extremes(Campaign):
    SMALL = True
    told_of = ()

    def make(self, name, *words):
        path = self.path(name)
        run = subprocess.run(["python3", MAKER, path, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if run.returncode:
            self.check(False, "make-large.py", *words, run.stdout[-500:])
            self.end()
        return path

    @staticmethod
    def peak(pid):
        try:
            with open(f"/proc/{pid}/status") as file:
                return int(re.search(r"VmHWM:\s+(\d+)", file.read())[1]) >> 10
        except (OSError, TypeError):
            return 0

    def run(self, what, image, *more, seconds=3600):
        """kvali process; memory of both sides is looked at meanwhile. Exit code, seconds."""
        case, begun = self.path("case"), time.monotonic()
        shutil.rmtree(case, ignore_errors=True)
        run = subprocess.Popen([KVALI, "process", image, "--case", case, "--quiet", *PLUGINS, *more], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        mine = theirs = 0
        while run.poll() is None and time.monotonic() - begun < seconds:
            mine = max(mine, self.peak(run.pid))
            try:
                with open(f"/proc/{run.pid}/task/{run.pid}/children") as file:
                    theirs = max([theirs] + [self.peak(int(child)) for child in file.read().split()])
            except OSError:
                pass
            time.sleep(0.1)
        late = run.poll() is None
        if late:
            run.kill()
        code, spent = run.wait(), time.monotonic() - begun
        self.check(not late and code in DONE, what, "ended with", code, f"after {spent:.0f} s")
        self.check(mine < SUPERVISOR_MIB and theirs < WORKER_MIB, what, "memory:", mine, "MiB of the supervisor,", theirs, "of a worker")
        self.check(kvali("verify", case, "--quiet").returncode == 0, what, "verify finds something")
        self.told_of += (f"{what}: {spent:.0f} s, supervisor {mine} MiB, workers {theirs} MiB, case.db {os.path.getsize(case + '/case.db') >> 20} MiB",)
        return code

    def ask(self, query):
        return rows(self.path("case"), query)

    def names(self, count):
        image, what = self.make("names.raw", "--files", str(count), "--contents", "100"), f"{count:,} names in a folder"
        self.run(what, image, "--set", "limit.hang=10")
        listed, whole = self.ask("SELECT count(*), count(sha256) FROM file WHERE path LIKE '%/ext4/many/name-%'")[0]
        faults = self.ask("SELECT kind, path, detail FROM fault LIMIT 3")
        self.check((listed, whole) == (count, count) and not faults, what, listed, "listed,", whole, "hashes", faults)
        self.tell("names in one folder", count)
        os.unlink(image)

    def deep(self, levels):
        image, what = self.make("deep.raw", "--deep", str(levels)), f"{levels:,} folders inside each other"
        code = self.run(what, image)
        named = self.ask("SELECT count(*) FROM file WHERE name LIKE 'file-%' AND path LIKE '%/ext4/d/%'")[0][0]
        contents = self.ask("SELECT count(DISTINCT sha256) FROM file WHERE kind = 'file' AND type = 'file' AND sha256 IS NOT NULL AND size BETWEEN 8 AND 11")[0][0]
        faults = self.ask("SELECT kind, detail, length(path) FROM fault")
        want = min(levels, LEVELS)
        self.check(named >= want - 1 and (named == levels or code == 1 and any(kind == "limit" for kind, _, _ in faults)), what, named, "named", faults[:3])
        self.check(contents == levels, what, contents, "contents examined")
        self.tell("levels", levels)
        os.unlink(image)

    def sparse(self):
        what, seconds = "a file of a petabyte in ext4", 10
        image = self.make("sparse.raw", "--sparse", "1P")
        self.run(what, image, "--set", f"limit.stream_seconds={seconds}", seconds=300)
        told = self.ask("SELECT kind, size, effect FROM fault WHERE path LIKE '%/sparse'")
        self.check(told, what, "is not told of", self.ask("SELECT path, size, status, sha256 FROM file WHERE path LIKE '%/sparse'"))
        what = "a medium of a petabyte"  # it is read for days, as it must: what lies on it is examined meanwhile
        with open(image, "r+b") as file:
            file.truncate(1 << 50)
        case = self.path("case")
        shutil.rmtree(case, ignore_errors=True)
        run = subprocess.Popen([KVALI, "process", image, "--case", case, "--quiet", *PLUGINS], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        begun, seen = time.monotonic(), []
        while not seen and run.poll() is None and time.monotonic() - begun < 300:
            time.sleep(1)
            seen = self.ask("SELECT path FROM file WHERE path LIKE '%/ext4/sparse'") if os.path.exists(case + "/case.db") else []
        run.send_signal(signal.SIGTERM)
        self.check(seen, what, "its file system is not listed after", f"{time.monotonic() - begun:.0f} s")
        self.check(run.wait() in (0, 1, 2, 130, 143, -signal.SIGTERM), what, "ended with", run.returncode)
        self.check(kvali("verify", case, "--quiet").returncode == 0, what, "verify finds something")
        self.tell("sparse", 2)
        os.unlink(image)

    def loops(self):
        image, what, digests = self.make("loops.raw", "--loops"), "folders in themselves", set()
        for jobs in ("1", "2", "4"):
            self.run(what, image, "--jobs", jobs, seconds=300)
            digests.add(digest(self.path("case")))
        listed = self.ask("SELECT count(*) FROM file WHERE path LIKE '%/ext4/%'")[0][0]
        self.check(11 <= listed < 100 and len(digests) == 1, what, listed, "names", len(digests), "digests")
        self.tell("loops", 3)


def more(parser):
    parser.add_argument("--only", default="names,deep,sparse,loops")


campaign = Extremes(__doc__, 20, more)  # thousands of names, tens of levels
only = campaign.args.only.split(",")
if "names" in only:
    campaign.names(campaign.args.count * 1000)
if "deep" in only:
    campaign.deep(max(300, campaign.args.count * 10))
if "sparse" in only:
    campaign.sparse()
if "loops" in only:
    campaign.loops()
for words in campaign.told_of:
    print(words)
campaign.end()
