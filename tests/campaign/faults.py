#!/usr/bin/env python3
"""faults: the n-th open, read, write, sync or rename of the case's files fails, for every n (R3), or the n-th malloc (R5).

ENOSPC, EIO, EACCES, EMFILE, a short write; once, or from there on. Whatever command meets it: no signal, no hang, an exit code that is
right and words that name the case; a listing is right or it is an error. Then the cause is gone: `run` goes on, `verify` finds nothing, the digest is the one
of a case without faults. --every P: all calls of all commands (of `run` with every errno), each P'th of them, beginning with the --seed'th:
P parts are all.
"""
import errno
import os
import re
import shutil

from common import *

ERRNOS = {"open": [errno.EIO, errno.EACCES, errno.EMFILE, errno.ENOSPC], "read": [errno.EIO, 0], "write": [errno.ENOSPC, errno.EIO, 0],
          "sync": [errno.EIO, errno.ENOSPC], "name": [errno.EIO, errno.ENOSPC, errno.EACCES], "memory": [errno.ENOMEM]}
RUN = ("run", "CASE", "--quiet", *LIGHT)
# The other commands of a case, by what they may do: change it, or only say something.
CHANGING = {"run": RUN, "report": ("report", "CASE", "--format", "json", "--quiet"), "html": ("report", "CASE", "--quiet"),
            "seal": ("seal", "CASE", "--key", "KEY"), "add": ("add", "CASE", "IMAGE", "--exhibit", "EX-9")}
SAYING = {"digest": ("digest", "CASE"), "verify": ("verify", "CASE"), "find": ("find", "CASE"), "status": ("status", "CASE", "--json")}
ENVIRONMENT, CASE = 5, 4
FAULTS = "open,read,write,sync,name,memory"


class Faults(Campaign):
    SMALL = True

    def prepare(self):
        self.image, self.key = make_small(self.work), self.path("keys") + "/examiner.p12"
        kvali("keys", "init", self.path("keys"), "--no-passphrase")
        new_case(self.path("added"), self.image)
        shutil.copytree(self.path("added"), self.path("done"))
        kvali(*self.words(RUN, self.path("done")))
        self.want = digest(self.path("done"))
        shutil.copytree(self.path("done"), self.path("more"))
        for words in (CHANGING["add"], RUN):
            kvali(*self.words(words, self.path("more")))
        self.want_added = digest(self.path("more"))
        self.answers = {name: self.said(kvali(*self.words(words, self.path("done"))), self.path("done")) for name, words in SAYING.items()}
        self.counts = {name: self.count(name, words) for name, words in {**CHANGING, **SAYING}.items()}

    def words(self, words, case):
        return [{"CASE": case, "KEY": self.key, "IMAGE": self.image}.get(word, word) for word in words]

    @staticmethod
    def said(run, case):
        return run.stdout.replace(case, "CASE")

    def base(self, name):
        return self.path("added" if name == "run" else "done")

    def count(self, name, words):
        """How often this command makes each call: what there is to fail."""
        case, out = self.fresh("counted"), self.path("counts")
        shutil.copytree(self.base(name), case)
        kvali(*self.words(words, case), env=shim("kvali", case, count=out))
        with open(out) as file:
            counts = {call: int(number) for call, number in (line.split() for line in file)}
        os.unlink(out)
        return counts

    def judge(self, name, case, error, run, words):
        """Is this the right way for a command to meet it?"""
        code = run.returncode
        if code is None or code < 0:
            return self.check(False, *words, "ended by signal or not at all:", code, last_words(run))
        if name in SAYING and code in DONE:
            said, answer = self.said(run, case), self.answers[name]
            if '"lock":"not known"' in said:  # it could not be looked at, and that is what is said
                said, answer = (re.sub(r'"lock":"[^"]*","lock_taken_last_by":"[^"]*"', "", text) for text in (said, answer))
            same = said == answer
            return self.check(same, *words, "ended with", code, "and said something else than without a fault:", last_words(run))
        good = code in DONE or code in (ENVIRONMENT, CASE) and (error not in (errno.ENOSPC, errno.ENOMEM) or code == ENVIRONMENT)
        told = code in DONE or "kvali: " in run.stdout or "BAD" in run.stdout or words[1] == "memory" and words[4] == "on"
        return self.check(good and told, *words, "ended with", code, last_words(run) or "without a word")

    def go_on(self, name, case, code, words):
        verify = kvali("verify", case, "--quiet")
        self.check(sound_or_cut(verify), *words, "the case it leaves:", last_words(verify))
        if name == "run" and code in DONE:  # who says that it is done, and is not, is not heard of again
            self.check(digest(case) == self.want, *words, "ended with", code, "and is not done")
            return
        run = kvali(*self.words(RUN, case))
        verify = kvali("verify", case, "--quiet")
        wants = [self.want_added] + [self.want] * (code not in DONE) if name == "add" else [self.want]
        good = run.returncode in DONE and verify.returncode == 0 and digest(case) in wants
        self.check(good, *words, "and then:", run.returncode, last_words(run), last_words(verify), digest(case))

    def one(self, name, call, number, error, on):
        case = self.fresh("case")
        shutil.copytree(self.base(name), case)
        words = {**CHANGING, **SAYING}[name]
        told = [name, call, number, errno.errorcode.get(error, "short"), "on" if on else "once"]
        fail = f"{call}:{number}:{error}{':on' if on else ''}"
        run = kvali(*self.words(words, case), env=shim("kvali", case, fail=fail), timeout=120)
        self.judge(name, case, error, run, told)
        if name in CHANGING:
            self.go_on(name, case, run.returncode, told)
        self.tell(call)

    def random(self):
        name = self.rng.choice(["run"] * 6 + list(CHANGING) + list(SAYING))
        call = self.rng.choice([call for call in self.args.calls.split(",") if self.counts[name][call]])
        self.one(name, call, self.rng.randint(1, self.counts[name][call]), self.rng.choice(ERRNOS[call]), self.rng.random() < 0.5)

    def all(self):
        """Every call of each command with each errno: (name, call, number, errno)."""
        found = []
        for name in {**CHANGING, **SAYING}:
            for call in self.args.calls.split(","):
                for number in range(1, self.counts[name][call] + 1):
                    errors = ERRNOS[call] if name == "run" else [ERRNOS[call][number % len(ERRNOS[call])]]
                    found += [(name, call, number, error) for error in errors]
        return found

    def records(self):
        """The last writes of a report are its records in the ledger, one for each file: whichever fails, none tells of a file that is gone."""
        last = self.counts["html"]["write"]
        for number in range(max(1, last - 15), last + 1):
            self.one("html", "write", number, errno.ENOSPC, False)

    def opening(self):
        """What `run` opens first is the case: whichever fails, it is not a case that is not there."""
        for number in range(1, 7):
            self.one("run", "open", number, errno.ENOSPC, False)

    def every(self, parts):
        for name, call, number, error in self.all()[(self.args.seed - 1) % parts::parts]:
            self.one(name, call, number, error, number % 2 == 0)


def more(parser):
    parser.add_argument("--calls", default=FAULTS)
    parser.add_argument("--every", type=int, default=0, metavar="P")


campaign = Faults(__doc__, 12, more)
campaign.prepare()
if campaign.args.every:
    campaign.every(campaign.args.every)
elif campaign.args.calls == FAULTS:
    campaign.records()
    campaign.opening()
for _ in range(0 if campaign.args.every else campaign.args.count):
    campaign.random()
checks, campaign.tried = campaign.tried, sum(campaign.told.values())
campaign.end(f"{checks} checks")
