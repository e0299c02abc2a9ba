#!/usr/bin/env python3
"""taken: a parser that was taken over gets nowhere (S1, S3). tests/hostile/taken.c tries, from inside a worker, files, /proc, the network
of all families, programs, other processes, namespaces, the kernel's odder doors, executable memory, what is open, forged and
cut and huge messages, floods. Each is refused and recorded; all other contents are complete; the case verifies. By turns as root
and as an ordinary user. Meanwhile every worker's /proc entry is read: the sandbox is on, and nothing of the case is open in it."""
import os
import re
import shutil
import subprocess
import time

from common import *

MODULE = os.environ.get("HOSTILE", TOP + "/build/tests/hostile") + "/taken.so"
REFUSED = {"EACCES", "EPERM", "EBADF"}
# Of two kinds: as a record of its own it says what the kernel answered; a worker that was killed for it left a fault.
SOURCE = open(TOP + "/tests/hostile/taken.c").read()
WORDS = re.findall(r'^    X\("([a-z0-9-]+)"', SOURCE, re.M) + re.findall(r'^    \{"([a-z-]+)",\s+(?:WIRE_|\d)', SOURCE, re.M) + re.findall(r'strcmp\(word, "([a-z-]+)"\)', SOURCE)


class Taken(Campaign):
    def evidence(self, words, name):
        folder = self.path(name + ".files")
        os.makedirs(folder)
        for word in words:
            with open(f"{folder}/{word}", "w") as file:
                file.write(f"TAKEN {word}\n")
        for i in range(20):
            with open(f"{folder}/good-{i}", "w") as file:
                file.write(f"{i}\n" * 200)
        return make_ext4(self.path(name + ".raw"), folder, 2)

    def user(self):
        """What to put before a command so that an ordinary user runs it; None: it cannot be done here."""
        if os.geteuid():
            return []
        user = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]
        able = subprocess.run([*user, "test", "-x", KVALI, "-a", "-r", MODULE, "-a", "-r", os.path.join(TOP, "rules")]).returncode == 0
        return user if able else None

    def look_at(self, pid, case):
        """A worker from outside. Its zygote has one filter, a worker two."""
        try:
            with open(f"/proc/{pid}/status") as file:
                status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
            links = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
        except OSError:
            return
        if status.get("Seccomp_filters") != "2":
            return
        # 2: a filter; 3: dead by it
        good = status["Seccomp"] in "23" and status["NoNewPrivs"] == "1" and int(status["CapEff"], 16) == 0
        good = good and status["Uid"].split()[0] != "0" and not any(link.startswith(case + "/") for link in links)
        self.check(good, "worker", pid, "from outside:", status["Seccomp"], status["NoNewPrivs"], status["CapEff"], status["Uid"], links)
        self.tell("looks at workers from outside")

    def run(self, image, case, before):
        command = [*before, KVALI, "run", case, "--quiet", "--plugins", "digest", "--plugin", MODULE, "--jobs", "2", "--set", "limit.hang=20",
                   "--set", "limit.records=1000", "--tmp", self.work]
        subprocess.run([*before, KVALI, "new", case], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([*before, KVALI, "add", case, image], check=True, stdout=subprocess.DEVNULL)
        run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        while run.poll() is None:
            for pid in subprocess.run(["pgrep", "-P", str(run.pid), "-x", "kvali-worker"], stdout=subprocess.PIPE, text=True).stdout.split():
                self.look_at(pid, case)
            time.sleep(0.1)
        return run.returncode, run.stdout.read()

    def refused(self, case, word, who):
        answers = [json.loads(row[0])["answer"] for row in rows(case, "SELECT data FROM finding WHERE plugin = 'taken' AND path LIKE ?", "%/" + word)]
        faults = rows(case, "SELECT kind, plugin, detail FROM fault WHERE path LIKE ?", "%/" + word)
        recorded = bool(answers) and set(answers) <= REFUSED or any(kind == "tamper" and plugin == "taken" for kind, plugin, _ in faults)
        self.check(recorded, who, word, "answers:", answers, "faults:", faults)
        self.tell("refused" if answers else "taken for tampering", int(recorded))

    def turn(self, words, before, who):
        home, name = self.fresh(who), f"{who}-evidence"
        os.makedirs(home)
        if before:
            shutil.chown(home, "nobody")
            os.chmod(self.work, 0o777)
        image, case = self.evidence(words, name), home + "/case"
        code, said = self.run(image, case, before)
        self.check(code == 1, who, "the run ended with", code, said[-300:])
        for word in words:
            self.refused(case, word, who)
        left = rows(case, "SELECT count(*) FROM file WHERE kind = 'file' AND type = 'file' AND size > 0 AND sha256 IS NULL")[0][0]
        self.check(left == 0, who, left, "contents have no hash")
        self.check(kvali("verify", case, "--quiet").returncode == 0, who, "verify finds something")
        sandbox = rows(case, "SELECT sandbox FROM run")[0][0]
        self.check("seccomp" in sandbox and "Landlock" in sandbox, who, "the case says of the sandbox:", sandbox)
        self.check(not os.path.exists("/tmp/kvali-escaped"), who, "a file was made")


campaign = Taken(__doc__, 16)
count = min(campaign.args.count, len(WORDS)) or len(WORDS)
words = campaign.rng.sample(WORDS, count)
user = campaign.user()
turns = [("user", user, words)] if user is not None else []
if os.geteuid() == 0:
    turns.append(("root", [], words))
if count < len(WORDS) and len(turns) == 2:  # a few: half for each
    turns = [("user", user, words[::2]), ("root", [], words[1::2])]
for who, before, chosen in turns:
    campaign.turn(chosen, before, who)
checks, campaign.tried = campaign.tried, sum(len(chosen) for _, _, chosen in turns)
campaign.end(f"{checks} checks, {len(turns)} kinds of user")
