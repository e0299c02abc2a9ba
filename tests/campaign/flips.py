#!/usr/bin/env python3
"""flips: `kvali verify` sees every single bit that changed in a sealed case (R11): ledger, seal, signature, manifest, report, database,
export. flipper.c flips them and calls what the command calls; the command itself is asked of a few. Besides: a folder put back to what it
was is found against the head on paper."""
import json
import re
import shutil
import subprocess
import sys

from common import *

FLIPPER = os.environ.get("KVALI_FLIPPER", os.path.join(os.path.dirname(SHIM), "flipper"))
TARGETS = 7  # files of a case


class Flips(Campaign):
    SMALL = True

    def sealed(self):
        image, case, keys = make_small(self.work), self.path("case"), self.path("keys")
        process(case, image, *LIGHT)
        kvali("report", case, "--quiet")
        kvali("export", case, "--type", "file", "--min-size", "1000")
        kvali("keys", "init", keys, "--no-passphrase")
        seal = ("seal", case, "--key", keys + "/examiner.p12")
        if kvali(*seal).returncode:
            sys.exit("the case cannot be sealed")
        return case, keys, seal

    def files(self, case):
        """What is flipped: {title: (file, bytes of it, 0: all)}."""
        seal = json.load(open(case + "/seals/0001.json"))
        export = sorted(os.path.relpath(os.path.join(folder, name), case) for folder, _, names in os.walk(case + "/exports") for name in names)
        report = sorted(name for name in os.listdir(case + "/reports") if os.path.isfile(f"{case}/reports/{name}"))
        return {"ledger": ("ledger.jsonl", seal["ledger_bytes"]), "seal": ("seals/0001.json", 0), "signature": ("seals/0001.p7s", 0),
                "manifest": ("seals/0001.manifest", 0), "report": ("reports/" + report[-1], 0), "case.db": ("case.db", 0), "export": (export[-1], 0)}

    def command_sees(self, case, keys, name, byte, bit):
        """The command itself: exit 4, and words."""
        path, good = f"{case}/{name}", []
        for _ in range(2):
            with open(path, "r+b") as file:
                file.seek(byte)
                value = file.read(1)[0]
                file.seek(byte)
                file.write(bytes([value ^ 1 << bit]))
            if not good:
                run = kvali("verify", case, "--ca", keys + "/lab-root.pem", "--tsa-ca", keys + "/lab-root.pem")
                good.append(run.returncode == 4 and ("BAD" in run.stdout or "kvali: " in run.stdout))
                for side in ("-wal", "-shm"):
                    if os.path.exists(case + "/case.db" + side):
                        os.unlink(case + "/case.db" + side)
        return good[0]

    def flips(self, case, keys, each):
        """Many by flipper.c; where it doubts, and of a few of each file, the command is asked."""
        files = self.files(case)
        words = [str(word) for name, size in files.values() for word in (name, size, each)]
        run = subprocess.run([FLIPPER, case, keys + "/lab-root.pem", str(self.args.seed), *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.check(run.returncode == 0, "flipper ended with", run.returncode, run.stdout[-500:])
        for name, byte, bit, words in re.findall(r"^doubt (\S+) (\d+) (\d) (.*)", run.stdout, re.M):
            self.tell("asked again of the command")
            if not self.command_sees(case, keys, name, int(byte), int(bit)):
                self.check(False, f"not seen: bit {bit} of byte {byte} of {name}: {words}")
        tried = re.findall(r"^(\S+) seen \d+$", run.stdout, re.M)
        for title, (name, size) in files.items():
            self.tried += each if name in tried else 0
            self.tell(title, each if name in tried else 0)
            for _ in range(max(1, each // 100)):
                byte, bit = self.rng.randrange(size or os.path.getsize(f"{case}/{name}")), self.rng.randrange(8)
                self.check(self.command_sees(case, keys, name, byte, bit), f"the command does not see bit {bit} of byte {byte} of {name}")
                self.tell("by the command itself")
        self.check(len(tried) == len(files), "only these were tried:", *tried, run.stdout[-300:])

    def put_back(self, case, keys, seal):
        """The folder as it was before the second seal is sound in itself; the paper knows better."""
        old = self.path("old")
        shutil.copytree(case, old)
        kvali("report", case, "--format", "json", "--quiet")
        said = kvali(*seal).stdout
        paper = re.search(r"\b([0-9a-f]{64})\b", said)
        sound = kvali("verify", old, "--quiet").returncode
        told = kvali("verify", old, "--quiet", "--expect-seal", "2:" + (paper.group(1) if paper else "?")).returncode
        right = kvali("verify", case, "--quiet", "--expect-seal", "2:" + (paper.group(1) if paper else "?")).returncode
        self.check((sound, told, right) == (0, 4, 0), "put back:", sound, told, right, said[-200:])


campaign = Flips(__doc__, 70)
case, keys, seal = campaign.sealed()
campaign.flips(case, keys, max(1, campaign.args.count // TARGETS))
campaign.put_back(case, keys, seal)
campaign.end()
