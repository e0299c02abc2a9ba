#!/usr/bin/env python3
"""surroundings: what a run stands in goes wrong (R3): few descriptors, little memory, a small disk, clocks that jump, a job that is stopped, a case that may not be
written, two runs on one case, evidence that is gone, cut or exchanged while it is read. A clear word, the right exit code, a case
that verifies; when the cause is gone `run` goes on to the same digest."""
import os
import shutil
import signal
import subprocess
import time

from common import *

RUN = ("--quiet", *LIGHT)
EVIDENCE, CASE, ENVIRONMENT = 3, 4, 5


class Surroundings(Campaign):
    SMALL = True

    def prepare(self):
        self.image = make_small(self.work)
        new_case(self.path("clean"), self.image)
        begun = time.monotonic()
        kvali("run", self.path("clean"), *RUN)
        self.span = time.monotonic() - begun
        self.want = digest(self.path("clean"))

    def started(self):
        case = self.path("case")
        new_case(case, self.image)
        return case

    def goes_on(self, case, *words):
        run, verify = kvali("run", case, *RUN), kvali("verify", case, "--quiet")
        good = run.returncode in DONE and verify.returncode == 0 and digest(case) == self.want
        self.check(good, *words, "and then:", run.returncode, last_words(run), last_words(verify))

    def ended(self, run, codes, words, *said):
        good = run.returncode in codes and (run.returncode in DONE or all(word in run.stdout for word in said))
        self.check(good, *words, "ended with", run.returncode, last_words(run))

    def limited(self, option, value):
        """Under a limit of the shell: -n descriptors, -v address space in KiB, -f size of files in blocks."""
        case, words = self.started(), (f"ulimit -{option} {value}:",)
        command = f'trap "" XFSZ; ulimit -{option} {value}; exec "$0" run "$1" {" ".join(RUN)}'
        try:
            run = subprocess.run(["sh", "-c", command, KVALI, case], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
        except subprocess.TimeoutExpired:
            self.check(False, *words, "not ended after 120 s")
            return
        # 126, 127: the program itself could not be loaded.
        self.ended(run, (0, 1, 3, 4, 5, 126, 127), words, "" if run.returncode > 5 else "kvali")
        self.goes_on(case, *words)

    def descriptors(self):
        self.limited("n", self.rng.randint(4, 40))

    def memory(self):
        self.limited("v", self.rng.randint(60, 900) * 1024)

    def file_size(self):
        self.limited("f", self.rng.randint(1, 1500))

    def clocks(self):
        jump = self.rng.choice([-40 * 365 * 86400, -86400, -3600, 3600, 10 * 365 * 86400])
        case, words = self.started(), ("clock jumps by", jump)
        self.ended(kvali("run", case, *RUN, env=shim("kvali", case, clock=jump)), DONE, words)
        self.goes_on(case, *words)

    def not_writable(self):
        """As somebody who may only read: reading works, a run says why it does not."""
        case, words = self.fresh("case"), ("a case that may not be written:",)
        shutil.copytree(self.path("clean"), case)
        if os.geteuid() == 0:
            run = lambda *args: subprocess.run(["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups", KVALI, *args],
                                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            for folder, _, names in os.walk(case):
                os.chmod(folder, 0o555)
                for name in names:
                    os.chmod(os.path.join(folder, name), 0o444)
            if run("--version").returncode:
                self.tell("skipped: the build is where others may not read")
                return
        else:
            run = kvali
            subprocess.run(["chmod", "-R", "a-w", case])
        self.ended(run("run", case, "--again"), (CASE, ENVIRONMENT), words, "case")
        said = run("digest", case)
        self.check(said.stdout.strip() == self.want, *words, "digest says", last_words(said))
        self.check(run("verify", case, "--quiet").returncode == 0, *words, "verify finds something")
        subprocess.run(["chmod", "-R", "u+w", case])
        self.goes_on(case, *words)

    def two_runs(self):
        """The second is told who holds the case; both is never done."""
        case, words = self.started(), ("two runs:",)
        first = subprocess.Popen([KVALI, "run", case, *RUN], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        second, busy = None, False
        for _ in range(20):
            second = kvali("run", case, *RUN)
            busy = busy or second.returncode == CASE and "another run holds" in second.stdout
            if second.returncode in DONE:
                break
            self.ended(second, (CASE,), words, "another run holds", str(first.pid))
            time.sleep(self.span / 4)
        self.check(first.wait() in DONE + (CASE,), *words, "the first ended with", first.returncode)
        self.tell("second runs refused", int(busy))
        self.goes_on(case, *words)

    @staticmethod
    def at_work(pid):
        """Workers of this supervisor of which one has used its processor a while."""
        kin, busy = [], False
        try:
            with open(f"/proc/{pid}/task/{pid}/children") as file:
                kin = [int(child) for child in file.read().split()]
            for child in kin:
                with open(f"/proc/{child}/status") as status, open(f"/proc/{child}/stat") as stat:
                    words = stat.read().rsplit(")", 1)[1].split()
                    busy = busy or "Seccomp_filters:\t2\n" in status.read() and words[0] == "R" and int(words[11]) > 3
        except OSError:
            pass
        return kin if busy else []

    def stopped(self):
        """All of a job is stopped for longer than a worker may be silent, as when a machine is paused: no worker hangs for that."""
        image, case, words = self.path("busy.raw"), self.path("case"), ("all of a job is stopped for a while:",)
        if not os.path.exists(image):
            with open(image, "wb") as file:
                for _ in range(200):
                    file.write(" ".join(f"{self.rng.getrandbits(40)}" for _ in range(20000)).encode())
        options = ("--quiet", "--plugins", "digest,entropy,features", "--jobs", "1", "--set", "limit.hang=3")
        new_case(case, image)
        if not hasattr(self, "busy_digest"):
            kvali("run", case, *options)
            self.busy_digest = digest(case)
            new_case(case, image)
        run = subprocess.Popen([KVALI, "run", case, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        kin = []
        while run.poll() is None and not kin:
            kin = self.at_work(run.pid)
        if not self.check(kin, *words, "no worker was seen at work"):
            run.wait()
            return
        for pid in [run.pid] + kin:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(6)
        for pid in [run.pid] + kin:  # the one that judges first
            if os.path.exists(f"/proc/{pid}"):
                os.kill(pid, signal.SIGCONT)
            time.sleep(0.2)
        code = run.wait()
        hangs = rows(case, "SELECT count(*) FROM fault WHERE kind = 'hang'")[0][0]
        self.check(code in DONE and not hangs and digest(case) == self.busy_digest, *words, "ended with", code, hangs, "hangs", digest(case))
        self.tell("stopped at work")

    def evidence_gone(self):
        """A run is killed, the image is not where it was, and then it is again."""
        case, words = self.started(), ("evidence that is gone:",)
        kvali("run", case, *RUN, env={"KVALI_CRASH_AT": f"attempt-end:{self.rng.randint(1, 15)}"})
        os.rename(self.image, self.image + ".away")
        run = kvali("run", case, *RUN)
        self.ended(run, (EVIDENCE,), words, "small.raw", "No such file")
        self.check(kvali("verify", case, "--quiet").returncode == 0, *words, "verify finds something")
        os.rename(self.image + ".away", self.image)
        self.goes_on(case, *words)

    def one_of_two_gone(self):
        """The other exhibit is examined all the same."""
        case, words = self.started(), ("one of two images is gone:",)
        other = shutil.copyfile(self.image, self.path("other.raw"))
        kvali("add", case, other)
        os.unlink(other)
        self.ended(kvali("run", case, *RUN), (EVIDENCE,), words, "other.raw", "No such file")
        done = rows(case, "SELECT count(*) FROM file WHERE exhibit = 'EX-1' AND kind = 'file' AND sha256 IS NOT NULL")[0][0]
        self.check(done > 10, *words, done, "contents of the other were examined")

    def evidence_cut(self):
        """The image loses its second half while it is read: what is not there any more is told."""
        copy = self.path("cut.raw")
        shutil.copyfile(self.image, copy)
        case, words = self.path("case"), ("evidence that is cut while it is read:",)
        new_case(case, copy)
        first = subprocess.Popen([KVALI, "run", case, *RUN], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        time.sleep(self.rng.random() * self.span)
        os.truncate(copy, os.path.getsize(copy) // 2)
        said = first.communicate()[0]
        size = rows(case, "SELECT size FROM exhibit")[0][0]
        unread = rows(case, "SELECT sum(size) FROM fault WHERE kind = 'unreadable' AND path = 'cut.raw'")[0][0]
        whole = rows(case, "SELECT count(*) FROM image_hash")[0][0]
        good = first.returncode in (0, 1, EVIDENCE) and (unread or first.returncode != 1 or size == 512 << 10)
        self.check(good, *words, "ended with", first.returncode, said[-200:], "size", size, "unread", unread, whole)
        self.check(kvali("verify", case, "--quiet").returncode == 0, *words, "verify finds something")
        self.tell("cut while read", int(bool(unread)))

    def evidence_other(self):
        """Between two runs the image becomes another one: a case does not mix two."""
        case, words = self.started(), ("evidence that became another one:",)
        for point in ("commit-after:2", "commit-after:1"):  # opened, and not yet examined to the end
            kvali("run", case, *RUN, env={"KVALI_CRASH_AT": point})
            if rows(case, "SELECT size FROM exhibit")[0][0]:
                break
        shutil.copyfile(self.image, self.image + ".good")
        os.truncate(self.image, os.path.getsize(self.image) + 4096)
        run = kvali("run", case, *RUN)
        self.check(run.returncode == EVIDENCE and "is not what was examined" in run.stdout, *words, "ended with", run.returncode, last_words(run))
        self.check(kvali("verify", case, "--quiet").returncode == 0, *words, "verify finds something")
        os.rename(self.image + ".good", self.image)
        self.goes_on(case, *words)


WAYS = ("descriptors", "memory", "clocks", "two_runs", "evidence_gone", "one_of_two_gone", "file_size", "not_writable", "evidence_cut", "evidence_other", "stopped")
campaign = Surroundings(__doc__, len(WAYS), lambda parser: parser.add_argument("--only", default=",".join(WAYS)))
campaign.prepare()
for turn in range(campaign.args.count):
    way = campaign.args.only.split(",")[turn % len(campaign.args.only.split(","))]
    getattr(campaign, way)()
    campaign.tell(way)
checks, campaign.tried = campaign.tried, campaign.args.count
campaign.end(f"{checks} checks")
