#!/usr/bin/env python3
"""silent: what the stock libraries lose or change without a word is there, or is told (R8, R9): folders below the 128th level, an E01's
chunk with a wrong checksum, containers that open as something else, times of ext4 outside 1970 to 2106, a folder of many thousand
names. And listings of other programs, which share no code with libtsk: every name that debugfs, mdir, ntfsls or isoinfo shows is in
the case. --count: times 5,000 names in the folder; 1: a third of the listings."""
import gzip
import os
import re
import shutil
import subprocess

from common import *

PLUGINS = ("--plugins", "digest", "--jobs", "2")
LISTED = [("util-linux__ext3.img", "ext"), ("e2fsprogs__f_h_normal.img", "ext"), ("rust-fatfs__fat12.img", "fat"), ("dosfstools__check-bad_names.img", "fat"),
          ("fatcat__hello-world.img", "fat"), ("colinfinck-ntfs__testfs1.img", "ntfs"), ("rusty-backup__test_ntfs.img", "ntfs"),
          ("libarchive__test_read_format_iso_rockridge.iso", "iso"), ("libarchive__test_read_format_iso_xorriso.iso", "iso"), ("libarchive__test_read_format_iso_joliet_rockridge.iso", "joliet")]
# Names that libtsk does not list, and nobody is told of: KNOWN-LIMITS.md.
KNOWN = {"libarchive__test_read_format_iso_joliet_rockridge.iso": 1}
ENVIRONMENT = dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin", LC_ALL="C.UTF-8", MTOOLS_SKIP_CHECK="1")


def said(*words):
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=ENVIRONMENT).stdout.decode("utf-8", "surrogateescape")


class Silent(Campaign):
    def made(self, name):
        """One of hostile/made, unpacked; None: there is no corpus."""
        source = corpus(name + ".gz", "hostile/made")
        if source is None:
            return unpack(name, self.work, "hostile/made")
        with gzip.open(source) as packed, open(self.path(name), "wb") as file:
            shutil.copyfileobj(packed, file)
        return self.path(name)

    # ---- listings

    def ext(self, image, folder="/"):
        names = []
        for line in said("debugfs", "-R", f'ls -p "{folder}"', image).split("\n"):
            words = line.split("/")
            if len(words) < 7 or words[5] in (".", "..") or words[1] == "0":
                continue
            names.append(folder + words[5])
            if words[2].startswith("04"):
                names += self.ext(image, folder + words[5] + "/")
        return names

    def fat(self, image):
        return [line[2:].rstrip("/") for line in said("mdir", "-/", "-a", "-b", "-i", image, "::/").split("\n") if line.startswith("::/")]

    def iso(self, image, tree="-R"):
        return [line for line in said("isoinfo", "-f", tree, "-i", image).split("\n") if line.startswith("/")]

    def joliet(self, image):
        """Where both trees are there libtsk reads this one, but for its symbolic links: KNOWN-LIMITS.md."""
        return self.iso(image, "-J")

    def ntfs(self, image):
        """ntfsls shows each folder's names; files of the system are left out of both."""
        names, folder = [], ""
        for line in said("ntfsls", "-R", image).split("\n"):
            if line.endswith(":") and line.startswith("/"):
                folder = line[:-1].rstrip("/")
            elif line and line not in (".", ".."):
                names.append(f"{folder}/{line}")
        return names

    def listing(self, name, kind):
        image = unpack(name, self.work) or unpack(name, self.work, "hostile")
        if image is None:
            self.tell("not tried: no corpus")
            return
        theirs = [path for path in getattr(self, kind)(image) if path.isascii() and path.isprintable() and "\\" not in path]
        process(self.path("case"), image, *PLUGINS)
        mine = [re.sub(r"^[^/]*/(image|p[0-9]+)/[^/]+", "", row[0]) for row in rows(self.path("case"), "SELECT path FROM file WHERE type <> ''")]
        mine = {path.lower() for path in mine}
        missing = [path for path in theirs if path.lower() not in mine]
        faults = rows(self.path("case"), "SELECT count(*) FROM fault WHERE stage = 'walk'")[0][0]
        known = KNOWN.get(name, 0)
        self.check(theirs, name, "the other program shows no name at all")
        self.check(faults or len(missing) <= known, name, len(missing), "names of", len(theirs), "are not listed:", *missing[:5])
        self.tell("names of other programs", len(theirs))
        self.tell("of these, not listed, in KNOWN-LIMITS.md" if known else "of these, not listed and told", len(missing))
        os.unlink(image)

    # ---- what was measured in the libraries

    def container(self, name, want, query, words):
        image = self.made(name)
        if image is None:
            self.tell("not tried: no corpus")
            return
        run = process(self.path("case"), image, *PLUGINS)
        got = rows(self.path("case"), query) if os.path.exists(self.path("case", "case.db")) else []
        self.check(run.returncode in want and (got and got[0][0] or run.returncode == 3), name, words, run.returncode, last_words(run), got)

    def containers(self):
        raw = "SELECT NOT EXISTS (SELECT 1 FROM exhibit WHERE type = 'raw')"
        self.container("s.E01", (0, 1), "SELECT count(*) > 0 FROM file WHERE sha256 IS NOT NULL", "a sound E01")
        self.container("badchunk.E01", (1,), "SELECT count(*) FROM fault WHERE kind IN ('unreadable', 'damaged') AND size > 0", "a chunk that is not what it was")
        self.container("bps0.E01", (1, 3), raw, "opens as raw in libtsk")
        self.container("loop_first.E01", (1, 3), "SELECT size > 0 FROM exhibit", "opens with no size in libewf")
        self.container("deep.img", (0, 1), "SELECT count(*) >= 300 FROM file WHERE type = 'file'", "300 levels")
        self.container("loop.img", (0, 1), "SELECT 1 FROM exhibit WHERE failed IS NULL", "a folder in itself")

    def times(self):
        image = self.made("ts.img")
        if image is None:
            self.tell("not tried: no corpus")
            return
        process(self.path("case"), image, *PLUGINS)
        years = {row[0][:4] for row in rows(self.path("case"), "SELECT modified FROM file WHERE modified IS NOT NULL")}
        told = rows(self.path("case"), "SELECT count(*) FROM file WHERE time_out_of_range OR raw_times <> ''")[0][0]
        self.check({"1969", "2378"} <= years or told > 0 and "2106" not in years, "times of ext4:", sorted(years), told)

    def large_folder(self, count):
        folder = self.path("large")
        os.makedirs(folder)
        for i in range(count):
            os.close(os.open(f"{folder}/name-{i:07}", os.O_CREAT | os.O_WRONLY))
        image = make_ext4(self.path("large.raw"), folder, 16 + count // 1500, "-N", str(count + 1000))
        run = process(self.path("case"), image, *PLUGINS, "--set", "limit.hang=10", timeout=3600)
        listed = rows(self.path("case"), "SELECT count(*) FROM file WHERE name LIKE 'name-%'")[0][0]
        hung = rows(self.path("case"), "SELECT count(*) FROM fault WHERE kind IN ('hang', 'crash')")[0][0]
        self.check(run.returncode in DONE and listed == count and not hung, "a folder of", count, "names:", listed, "listed,", hung, "faults", last_words(run))
        self.tell("names in one folder", count)


campaign = Silent(__doc__, 1)
campaign.containers()
campaign.times()
missing = [word for word in ("debugfs", "mdir", "ntfsls", "isoinfo") if not shutil.which(word, path=ENVIRONMENT["PATH"])]
for name, kind in LISTED[::3] if campaign.args.count == 1 else LISTED:
    if {"ext": "debugfs", "fat": "mdir", "ntfs": "ntfsls", "iso": "isoinfo", "joliet": "isoinfo"}[kind] not in missing:
        campaign.listing(name, kind)
campaign.large_folder(campaign.args.count * 5000)
campaign.end("not there: " + ", ".join(missing) if missing else "")
