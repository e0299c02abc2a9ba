#!/usr/bin/env python3
"""flips: `kvali verify` sees every single bit that changed in a sealed case (R11): ledger, seal, signature, manifest, report, database,
export; tests/integration/tamper.py flips them. Besides: a folder put back to what it was is found against the head on paper."""
import re
import shutil
import subprocess
import sys

from common import *

TARGETS = ("ledger", "seal", "signature", "manifest", "report", "case.db", "export")


class Flips(Campaign):
    def sealed(self):
        image, case, keys = make_small(self.work), self.path("case"), self.path("keys")
        process(case, image, *LIGHT)
        kvali("export", case, "--type", "file", "--min-size", "1000")
        kvali("keys", "init", keys, "--no-passphrase")
        seal = ("seal", case, "--key", keys + "/examiner.p12")
        if kvali(*seal).returncode:
            sys.exit("the case cannot be sealed")
        return case, keys, seal

    def flips(self, case, keys, each):
        run = subprocess.run([sys.executable, TOP + "/tests/integration/tamper.py", case, keys + "/lab-root.pem", "--flips", str(each), "--third", "0",
                              "--seed", str(self.args.seed), "--only", ",".join(TARGETS)], stdout=subprocess.PIPE, text=True, env=dict(os.environ, KVALI=KVALI))
        for title, seen, flips in re.findall(r"^(\S+): verify saw (\d+) of (\d+) flips", run.stdout, re.M):
            self.tried += int(flips)
            self.failed += int(flips) - int(seen)
            self.tell(title, int(flips))
        for line in run.stdout.split("\n"):
            if line.startswith("NOT SEEN"):
                print("FAIL ", line)
        self.check(len(self.told) == len(TARGETS), "only these were tried:", *self.told, run.stdout[-300:])

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
campaign.flips(case, keys, max(1, campaign.args.count // len(TARGETS)))
campaign.put_back(case, keys, seal)
campaign.end()
