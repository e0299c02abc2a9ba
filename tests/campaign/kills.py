#!/usr/bin/env python3
"""kills: kill -9 never changes the result (R1). Supervisor, workers, zygote, all of them, at random instants, at the n-th call to the
file system, at named crash points; then `kvali run` goes on. Same digest, no row twice, verify finds nothing."""
import os
import signal
import subprocess
import sys
import time

from common import *

PLUGINS = ("--plugins", "archive,carve,digest,entropy,filetype,mail,ole", "--jobs", "2")
IMAGES = ["rust-fatfs__fat12.img", "bulk_extractor__nps-2010-emails.E01", "dfvfs__ext2.E01", "dfvfs__hfsplus.raw", "colinfinck-ntfs__testfs1.img"]
# Passages of each point that a run of a small image has, at most.
POINTS = {"commit-before": 4, "commit-between": 4, "commit-after": 4, "attempt-end": 60, "ledger-before-write": 3, "ledger-written": 3}
CREATING = ("create-ledger", "create-database", "create-written")
CALLS = ("open", "read", "write", "sync", "name")
KILLS_A_CASE = 4


def kin(pid):
    """Workers and zygote of a supervisor: [(pid, is a worker)]."""
    found = []
    for child in subprocess.run(["pgrep", "-P", str(pid)], stdout=subprocess.PIPE, text=True).stdout.split():
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
    def start(self, case, env=None):
        return subprocess.Popen([KVALI, "run", case, "--quiet", *PLUGINS], env=dict(os.environ, **(env or {})), stdin=subprocess.DEVNULL,
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
        if whom in ("worker", "zygote"):
            self.check(code in DONE, "the run does not survive the death of a", whom, code)
        return hit and working

    def at_a_call(self, case, reference):
        counts = reference["counts"]
        call = self.rng.choice([name for name in CALLS if counts.get(name)])
        number = self.rng.randint(1, counts[call])
        code = self.start(case, shim("kvali", case, fail=f"{call}:{number}:-9")).wait()
        return code == -signal.SIGKILL

    def at_a_point(self, case):
        point = self.rng.choice(list(POINTS))
        code = self.start(case, {"KVALI_CRASH_AT": f"{point}:{self.rng.randint(1, POINTS[point])}"}).wait()
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
            verify = kvali("verify", case, "--quiet")
            cut = " is cut off" in verify.stdout  # of a ledger's last line: the next run takes it away, and says so
            self.check(verify.returncode == 0 or cut, case, "after a kill of", whom, "verify says", last_words(verify))
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
        """A case that is killed a few times and comes to its end."""
        case, hits = self.path("case"), 0
        new_case(case, reference["image"])
        for _ in range(KILLS_A_CASE * 4):
            if hits == KILLS_A_CASE or self.tried >= self.args.count:
                break
            hits += self.kill_once(case, reference)
        run = kvali("run", case, "--quiet", *PLUGINS)
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
for turn in range(10**6):
    reference = campaign.reference(images[turn % len(images)])
    if turn == 0:
        campaign.sealing()
        reference = campaign.reference(images[0])
    for _ in range(max(1, campaign.args.count // len(images) // KILLS_A_CASE)):
        if campaign.tried < campaign.args.count:
            campaign.one_case(reference)
    if campaign.tried >= campaign.args.count:
        break
campaign.end(f"{len(images)} images")
