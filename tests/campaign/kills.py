#!/usr/bin/env python3
"""kills: kill -9 never changes the result (R1). Supervisor, workers, zygote, all of them, at random instants, at the n-th call to the
file system, at named crash points; then `kvali run` goes on. A case is killed until it comes to its end, and each time `verify` looks; then:
same digest, no row twice. --count counts kills that hit a run at work."""
import os
import signal
import subprocess
import sys
import time

from common import *

# What a start costs is the setting up of plugins: one case in five has many of them.
FEW, MANY = "archive,digest,entropy,filetype", "archive,carve,digest,entropy,filetype,mail,ole"
IMAGES = ["rust-fatfs__fat12.img", "bulk_extractor__nps-2010-emails.E01", "dfvfs__ext2.E01", "dfvfs__hfsplus.raw", "colinfinck-ntfs__testfs1.img"]
# Passages of each point that a run of a small image has, at most.
POINTS = {"commit-before": 4, "commit-between": 4, "commit-after": 4, "attempt-end": 60, "ledger-before-write": 3, "ledger-written": 3}
CREATING = ("create-ledger", "create-database", "create-written")
CALLS = ("open", "read", "write", "sync", "name")
KILLS_A_CASE = 12


def kin(pid):
    """Workers and zygote of a supervisor: [(pid, is a worker)]."""
    found = []
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            children = file.read().split()
    except OSError:
        return found
    for child in children:
        try:
            with open(f"/proc/{child}/status") as file:
                found.append((int(child), "Seccomp_filters:\t2\n" in file.read()))
        except OSError:
            pass
    return found


def end(pid):
    try:
        os.kill(pid, signal.SIGKILL)
        return True
    except ProcessLookupError:
        return False


class Kills(Campaign):
    SMALL = True
    plugins, kills, finished = FEW, 0, False

    def words(self, case):
        return ["run", case, "--quiet", "--plugins", self.plugins, "--jobs", "2"]

    def start(self, case, env=None):
        return subprocess.Popen([KVALI, *self.words(case)], env=dict(os.environ, **(env or {})), stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def at_an_instant(self, case, span, whom):
        """True when something was killed while workers were at work."""
        run = self.start(case)
        time.sleep(self.rng.random() * span)
        family = kin(run.pid)
        working = any(worker for _, worker in family)
        if whom == "worker":
            victims = [pid for pid, worker in family if worker][:1]
        elif whom == "zygote":
            victims = [pid for pid, worker in family if not worker]
        else:
            victims = [run.pid] if whom == "supervisor" else [run.pid] + [pid for pid, _ in family]
        hit = any([end(pid) for pid in victims if run.poll() is None])
        code = run.wait()
        self.finished = code in DONE
        if whom in ("worker", "zygote"):
            self.check(code in DONE, "the run does not survive the death of a", whom, code)
        return hit and working

    def at_a_call(self, case, reference):
        counts = reference["counts"]
        call = self.rng.choice([name for name in CALLS if counts.get(name)])
        number = self.rng.randint(1, counts[call])
        code = self.start(case, shim("kvali", case, fail=f"{call}:{number}:-9")).wait()
        self.finished = code in DONE
        return code == -signal.SIGKILL

    def at_a_point(self, case):
        point = self.rng.choice(list(POINTS))
        code = self.start(case, {"KVALI_CRASH_AT": f"{point}:{self.rng.randint(1, POINTS[point])}"}).wait()
        self.finished = code in DONE
        return code == -signal.SIGKILL

    def kill_once(self, case, reference):
        whom = self.rng.choice(["supervisor", "worker", "zygote", "everybody", "call", "call", "point", "point"])
        if whom == "call":
            hit = self.at_a_call(case, reference)
        elif whom == "point":
            hit = self.at_a_point(case)
        else:
            hit = self.at_an_instant(case, reference["span"], whom)
        if hit:
            self.tell(whom)
            self.kills += 1
            verify = kvali("verify", case, "--quiet")
            self.check(sound_or_cut(verify), case, "after a kill of", whom, "verify says", last_words(verify))
        return hit

    def reference(self, image):
        case, counts = self.path("reference"), self.path("counts")
        new_case(case, image)
        begun = time.monotonic()
        code = self.start(case, shim("kvali", case, count=counts)).wait()
        if code not in DONE:
            sys.exit(f"{image}: the run that the others are compared with ended with {code}")
        with open(counts) as file:
            numbers = {name: int(number) for name, number in (line.split() for line in file)}
        os.unlink(counts)
        return {"image": image, "span": time.monotonic() - begun, "digest": digest(case), "counts": numbers}

    def one_case(self, reference):
        """A case that is killed again and again until it comes to its end."""
        case, hits = self.path("case"), 0
        new_case(case, reference["image"])
        self.finished = False
        while not self.finished and hits < KILLS_A_CASE and self.kills < self.args.count:
            hits += self.kill_once(case, reference)
        run = kvali(*self.words(case))
        verify = kvali("verify", case, "--quiet")
        name = os.path.basename(reference["image"])
        good = run.returncode in DONE and verify.returncode == 0 and digest(case) == reference["digest"]
        self.check(good, name, "after", hits, "kills:", run.returncode, last_words(run), last_words(verify), digest(case))
        twice = rows(case, "SELECT count(*) FROM (SELECT 1 FROM finding GROUP BY exhibit, path, plugin, type, ordinal, pass HAVING count(*) > 1)")
        self.check(twice[0][0] == 0, name, twice[0][0], "records are there twice")

    def creating(self):
        """A kill while the case is made: the same command makes it."""
        for point in CREATING:
            case = self.fresh("made")
            code = kvali("new", case, env={"KVALI_CRASH_AT": point + ":1"}).returncode
            again = kvali("new", case)
            good = again.returncode == 0 and kvali("verify", case, "--quiet").returncode == 0
            self.check(code == -signal.SIGKILL and good, "killed at", point, code, "and made again:", last_words(again))
            self.tell("creating")

    def sealing(self):
        """A kill while the case is sealed: the same command seals it."""
        case, keys = self.path("reference"), self.path("keys")
        made = kvali("keys", "init", keys, "--no-passphrase")
        words = ("seal", case, "--key", keys + "/examiner.p12")
        code = kvali(*words, env={"KVALI_CRASH_AT": "seal-signed:1"}).returncode
        again = kvali(*words)
        verify = kvali("verify", case, "--ca", keys + "/lab-root.pem", "--quiet")
        self.check(code == -signal.SIGKILL and again.returncode == 0 and verify.returncode == 0, "killed at seal-signed", code,
                   last_words(made), last_words(again), last_words(verify))
        self.tell("sealing")


campaign = Kills(__doc__, 40)
images = [unpack(name, campaign.work) for name in IMAGES]
images = [image for image in images if image] or [make_small(campaign.work)]
campaign.creating()
turn = campaign.args.seed
while campaign.kills < campaign.args.count:
    campaign.plugins = MANY if turn % 5 == 0 else FEW
    reference = campaign.reference(images[turn // 5 % len(images) if campaign.plugins == MANY else turn % len(images)])
    if turn == campaign.args.seed:
        campaign.sealing()
        reference = campaign.reference(reference["image"])
    until = min(campaign.args.count, campaign.kills + max(4, campaign.args.count // len(images)))
    cases = 0
    while campaign.kills < until and cases < 40:
        campaign.one_case(reference)
        cases += 1
    campaign.tell("cases", cases)
    turn += 1
checks, campaign.tried = campaign.tried, campaign.kills
campaign.end(f"{len(images)} images, {checks} checks")
