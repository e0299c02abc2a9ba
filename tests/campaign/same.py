#!/usr/bin/env python3
"""same: the findings do not depend on anything but evidence, settings and versions (R10). Workers, block sizes, time zone,
language, umask, home, where the evidence lies and what the case is called, how busy the machine is: one digest. Fewer plugins: the same
records of those that are left. --other PROGRAM: another build (gcc, clang)."""
import os
import shutil
import subprocess

from common import *

IMAGES = ["grr__ntfs_img.dd", "dfvfs__ext2.E01", "rust-fatfs__fat12.img", "dfvfs__hfsplus.raw", "libarchive__test_read_format_iso_rockridge.iso",
          "bulk_extractor__nps-2010-emails.E01", "colinfinck-ntfs__testfs1.img", "sleuthkit__image.dd", "dfvfs__apfs.raw", "go-exfat__test.exfat"]
PLUGINS = "archive,carve,digest,entropy,filetype,mail,ole,unpack,features"
PLACES = [{"TZ": "Asia/Tbilisi"}, {"TZ": "America/New_York", "LC_ALL": "C"}, {"LC_ALL": "ka_GE.UTF-8", "LANG": "ka_GE.UTF-8"}, {"TZ": "UTC0", "HOME": "/nowhere"},
          {"TZ": ":/etc/nothing", "LANGUAGE": "ka"}]


class Same(Campaign):
    def one_way(self, image, program):
        """A run with everything that may not count chosen by chance; its words, and the case."""
        place = self.path(f"place-{self.rng.randrange(10**6)}", "ევიდენცია 1" if self.rng.random() < 0.5 else "x")
        os.makedirs(place)
        there = shutil.copyfile(image, os.path.join(place, os.path.basename(image)))
        case = os.path.join(place, "case with a name")
        jobs, block = self.rng.randint(1, 8), self.rng.choice([4096, 65536, 1 << 20])
        surroundings, mask = self.rng.choice(PLACES), self.rng.choice([0o22, 0o77, 0])
        words = [program, "process", there, "--case", case, "--quiet", "--plugins", PLUGINS, "--jobs", str(jobs), "--set", f"block={block}"]
        run = subprocess.run(words, env={**os.environ, **surroundings}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, umask=mask)
        return run, case, (os.path.basename(image), f"jobs {jobs}, block {block}", surroundings, f"umask {mask:o}", program if program != KVALI else "")

    def lines(self, case, plugins):
        """The findings' records of these plugins, without their numbers among those of others."""
        split = [line.split("\t") for line in kvali("digest", "--lines", case).stdout.split("\n")]
        return {tuple(words[:5] + words[6:]) for words in split if words[0] == "record" and words[1].split(".")[0] in plugins}

    def fewer(self, image, whole):
        """A part of the plugins: their records are the same."""
        case = self.path("fewer")
        chosen = self.rng.choice([{"digest"}, {"digest", "filetype"}, {"entropy"}])
        run = process(case, image, "--plugins", ",".join(sorted(chosen)), "--jobs", "2")
        mine = self.lines(case, chosen)
        theirs = self.lines(whole, chosen)
        # What the others found inside is not there to be looked at.
        missing = mine - theirs
        self.check(run.returncode in DONE and mine and not missing, os.path.basename(image), "with", chosen, "only:", len(missing), list(missing)[:2])
        self.tell("subsets of plugins")

    def image(self, image, ways):
        want = whole = None
        for _ in range(ways):
            program = self.rng.choice([KVALI, self.args.other]) if self.args.other else KVALI
            run, case, words = self.one_way(image, program)
            got = digest(case)
            want, whole = want or got, whole or case
            self.check(run.returncode in DONE and got == want, *words, "exit", run.returncode, "digest", got, "first", want)
            if case != whole:
                shutil.rmtree(os.path.dirname(case))
        self.fewer(image, whole)
        shutil.rmtree(os.path.dirname(whole))


campaign = Same(__doc__, 6, lambda parser: parser.add_argument("--other"))
images = [image for image in (unpack(name, campaign.work) for name in IMAGES) if image] or [make_small(campaign.work)]
used = images[:max(1, campaign.args.count // 3)]
for number, image in enumerate(used):
    campaign.image(image, -(-campaign.args.count // len(used)))
campaign.end(f"{len(used)} images")
