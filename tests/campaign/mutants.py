#!/usr/bin/env python3
"""mutants: damaged and hostile evidence costs one item, never the job (R6, R7). Every image of the corpus is changed by chance: bits, bytes,
fields of structures set to extremes, blocks copied over others, ends cut off; most changes fall where structures are (superblock, MFT, FAT, catalog,
journal, E01's sections). Many mutants go into one run as exhibits. The run ends with exit 0, 1 or 3, no content or walk that a worker died at is
without its fault, nothing is left pending, the whole takes no longer than a minute a mutant, the case verifies. --count counts mutants."""
import glob
import os
import shutil
import subprocess

from common import *

LARGEST = 3 << 20     # bytes of an image: many small ones find more than a few large ones
IN_ONE_RUN = 100
HANG = 2              # seconds of limit.hang
SECONDS = 60          # of a run, for each mutant in it
EXTREMES = [b"\x00", b"\xff", b"\x7f", b"\x80", b"\x01", b"\x00\x00", b"\xff\xff", b"\x00\x80", b"\xff\x7f", b"\x00\x00\x00\x00", b"\xff\xff\xff\xff",
            b"\x00\x00\x00\x80", b"\xff\xff\xff\x7f", b"\x01\x00\x00\x00", b"\xff\xff\xff\xff\xff\xff\xff\xff", b"\x00\x00\x00\x00\x00\x00\x00\x80"]
# Where a structure begins, in its first bytes or after them.
MARKS = [b"FILE0", b"INDX", b"RCRD", b"RSTR", b"NTFS    ", b"EFI PART", b"\x53\xef", b"H+", b"HX", b"BD", b"\xc0\x3b\x39\x98", b"CD001", b"NXSB", b"APSB",
         b"EVF\x09\x0d\x0a\xff\x00", b"\x55\xaa", b"FAT12", b"FAT16", b"FAT32", b"EXFAT", b"section", b"table", b"PK\x03\x04", b"PK\x01\x02", b"\xd0\xcf\x11\xe0"]


# What looks inside of contents costs most, and has its own fuzzers (tests/fuzz): it is there in one run of four.
FEW, MANY = "archive,digest,filetype", "archive,carve,digest,entropy,filetype,mail,ole,thumbnail,unpack"
# As engine/job/blame.c has it: a plugin's death, or a medium's, leaves out one name and is one fault of no attempt; the engine's first
# death at a content is silent, and the content is looked at again; a content that is given up, or a walk that leaves something out,
# has a fault that says so.
DEAD = "('crashed', 'hung', 'memory')"
UNTOLD = f"""WITH dead AS (SELECT stream, expand, count(*) AS deaths FROM t_attempt WHERE status IN {DEAD} GROUP BY stream, expand),
  told AS (SELECT f.stream, f.attempt, a.expand FROM t_fault f LEFT JOIN t_attempt a ON a.id = f.attempt WHERE f.kind IN ('crash', 'hang', 'memory'))
SELECT s.path, d.deaths FROM dead d JOIN t_stream s ON s.id = d.stream
 WHERE d.deaths > 1 + (SELECT count(*) FROM told t WHERE t.stream = s.id)
    OR (coalesce(s.without, '') <> '') + length(coalesce(s.without, '')) - length(replace(coalesce(s.without, ''), ',', ''))
       > (SELECT count(*) FROM told t WHERE t.stream = s.id AND t.attempt IS NULL)
    OR (s.status NOT IN (1, 2) AND NOT EXISTS (SELECT 1 FROM told t WHERE t.stream = s.id))
UNION ALL SELECT e.volume, d.deaths FROM dead d JOIN t_expand e ON e.id = d.expand
 WHERE (coalesce(e.skip, '') <> '' OR e.status NOT IN (1, 2)) AND NOT EXISTS (SELECT 1 FROM told t WHERE t.expand = e.id)"""
WALKS = "SELECT count(*) FROM t_expand e JOIN t_exhibit x ON x.id = e.exhibit WHERE e.status = 0 AND x.failed IS NULL"


class Mutants(Campaign):
    SMALL = True
    runs = 0
    def names(self):
        """Images of the corpus that may be small enough."""
        found = []
        for folder in ("images", "hostile", "hostile/made"):
            for path in sorted(glob.glob(f"{CORPUS}/{folder}/*")):
                if os.path.isfile(path) and not path.endswith((".md", ".txt", ".gz")) and os.path.getsize(path) <= LARGEST:
                    found.append(path)
        return found or [make_small(self.work)]

    def seed(self, path):
        """(name, bytes, places), unpacked when it is wanted first; None: too large or too small after all."""
        if path not in self.unpacked:
            if path.endswith(".zst"):
                zstd = subprocess.Popen(["zstd", "-dqc", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
                data = zstd.stdout.read(LARGEST + 1)
                zstd.kill()
                zstd.stdout.close()
                zstd.wait()
            else:
                with open(path, "rb") as file:
                    data = file.read()
            fits = 512 <= len(data) <= LARGEST
            self.unpacked[path] = (os.path.basename(path).removesuffix(".zst"), data, self.places(data)) if fits else None
        return self.unpacked[path]

    def places(self, data):
        """Offsets near structures."""
        found = [0, 512, 1024, 1024 + 56, len(data) - 512]
        for mark in MARKS:
            at = data.find(mark)
            for _ in range(40):
                if at < 0:
                    break
                found.append(at)
                at = data.find(mark, at + 1)
        return found

    def place(self, data, places):
        way = self.rng.random()
        if way < 0.6:
            return min(len(data) - 1, max(0, self.rng.choice(places) + self.rng.randrange(512)))
        return self.rng.randrange(min(len(data), 64 * 1024)) if way < 0.8 else self.rng.randrange(len(data))

    def mutate(self, data, places):
        data = bytearray(data)
        for _ in range(self.rng.choice([1, 1, 2, 4, 16])):
            at, way = self.place(data, places), self.rng.random()
            if way < 0.4:
                data[at] ^= 1 << self.rng.randrange(8)
            elif way < 0.75:
                value = self.rng.choice(EXTREMES)
                at = at // len(value) * len(value)
                data[at:at + len(value)] = value[:len(data) - at]
            elif way < 0.85:
                data[at] = self.rng.randrange(256)
            elif way < 0.95:
                size, source = self.rng.choice([16, 64, 512, 1024, 4096]), self.place(data, places)
                piece = data[source:source + size]
                data[at:at + len(piece)] = piece[:len(data) - at]
            else:
                del data[max(512, at):]
        return bytes(data)

    def batch(self, paths, count):
        """So many mutants in one run; their names tell seed and number."""
        folder, images = self.fresh("mutants"), []
        self.runs += 1
        for number in range(count):
            while (seed := self.seed(self.rng.choice(paths))) is None:
                pass
            name, data, places = seed
            place = f"{folder}/{number}"
            os.makedirs(place)
            images.append(f"{place}/{name}")
            with open(images[-1], "wb") as file:
                file.write(self.mutate(data, places))
        case = self.path("case")
        plugins = MANY if self.runs % 4 == 1 else FEW
        run = process(case, *images, "--plugins", plugins, "--jobs", "2", "--set", f"limit.hang={HANG}",
                      "--set", "limit.stream_seconds=20", "--set", "limit.memory=512M", "--set", "limit.child_bytes=64M", "--set", "limit.children=2000", timeout=max(600, SECONDS * count))
        words = (f"batch of seed {self.args.seed} at {self.tried}:",)
        self.tried += count - 1
        if not self.check(run.returncode in (0, 1, 3), *words, "exit", run.returncode, last_words(run)):
            self.save(folder)
            return
        self.look(case, words, folder)

    def look(self, case, words, folder):
        opened = rows(case, "SELECT count(*) FROM exhibit WHERE failed IS NOT NULL")[0][0]
        with open(case + "/ledger.jsonl") as file:
            told = [json.loads(line) for line in file if '"type":"run-end"' in line][-1]
        deaths = sum(told[key] for key in ("workers_crashed", "workers_hung"))
        faults = rows(case, "SELECT kind, count(*) FROM fault WHERE kind IN ('crash', 'hang', 'memory') GROUP BY kind")
        tampered = rows(case, "SELECT path, detail FROM fault WHERE kind = 'tamper'")
        pending = rows(case, "SELECT count(*) FROM stream s JOIN exhibit x ON x.exhibit = s.exhibit WHERE s.status = 'pending' AND x.failed IS NULL")[0][0]
        untold, walks = rows(case, UNTOLD), rows(case, WALKS)[0][0]
        good = pending == 0 and walks == 0 and not tampered and not told["workers_tampered"] and not untold
        if not good:
            self.failed += 1
            print("FAIL ", *words, "pending", pending, walks, "tamper", tampered[:3], told["workers_tampered"], "deaths", deaths, untold, "faults", faults, flush=True)
            self.save(folder)
        verify = kvali("verify", case, "--quiet")
        if verify.returncode:
            self.failed += 1
            print("FAIL ", *words, last_words(verify), flush=True)
            self.save(folder)
        self.tell("not opened, and told", opened)
        self.tell("deaths of workers", deaths)
        for kind, number in faults:
            self.tell(kind + " faults", number)
        self.tell("faults", told["faults"])

    def save(self, folder):
        """What broke something stays, for a test of its own."""
        kept = f"{TOP}/build/campaign/mutants-{self.args.seed}-{self.tried}"
        shutil.copytree(folder, kept, dirs_exist_ok=True)
        print("      kept in", kept, flush=True)


campaign = Mutants(__doc__, 60)
campaign.unpacked, paths = {}, campaign.names()
while campaign.tried < campaign.args.count:
    campaign.batch(paths, min(IN_ONE_RUN, campaign.args.count - campaign.tried))
campaign.end(f"of {len(paths)} images")
