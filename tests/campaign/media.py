#!/usr/bin/env python3
"""media: a medium that does not give all its bytes (R4): single sectors, long runs, at random and in directories, MFT, FAT, tables.

shim.so answers EIO under the worker; --nbd puts nbdkit's ddrescue filter under a FUSE mount instead (root, nbdkit, nbdfuse). What
is unreadable stands in the case to the sector, with zeros for it and no more; every other content has the hash that it has on the
whole medium; a hash over zeros says so; a name that is not found is not missing in silence.
"""
import os
import subprocess
import time

from common import *

IMAGES = ["util-linux__ext3.img", "rust-fatfs__fat12.img", "grr__ntfs_img.dd", "dfvfs__hfsplus.raw", "libarchive__test_read_format_iso_rockridge.iso"]
SECTOR = 512


def union(ranges):
    """Ranges (offset, size) as sorted, disjoint ones."""
    result = []
    for offset, size in sorted(ranges):
        if result and offset <= sum(result[-1]):
            last = result[-1]
            result[-1] = (last[0], max(sum(last), offset + size) - last[0])
        else:
            result.append((offset, size))
    return result


class Media(Campaign):
    def choose(self, size, runs):
        """Bad ranges of whole sectors: anywhere, or where something lies."""
        ranges, sectors = [], size // SECTOR
        for _ in range(self.rng.choice([1, 1, 2, 5])):
            if runs and self.rng.random() < 0.6:
                offset, length = self.rng.choice(runs)
                first = (offset + self.rng.randrange(max(1, length))) // SECTOR
            else:
                first = self.rng.randrange(sectors)
            length = self.rng.choice([1, 1, 1, 8, 100, 3000])
            ranges.append((first * SECTOR, min(length, sectors - first) * SECTOR))
        return union(ranges)

    def by_shim(self, image, bad):
        words = ",".join(f"{offset}+{size}" for offset, size in bad)
        return process(self.path("case"), image, *LIGHT, env=shim("kvali-worker", self.work, bad=words))

    def by_nbd(self, image, bad):
        """The image as a file below a FUSE mount that nbdkit serves, with EIO where the map says so."""
        folder, size, at = self.path("mounted"), os.path.getsize(image), 0
        os.makedirs(folder, exist_ok=True)
        with open(self.path("map"), "w") as file:
            file.write("# Mapfile. Created by GNU ddrescue\n0x0 +\n")
            for offset, length in bad + [(size, 0)]:
                if offset > at:
                    file.write(f"0x{at:x} 0x{offset - at:x} +\n")
                if length:
                    file.write(f"0x{offset:x} 0x{length:x} -\n")
                at = offset + length
        mount = f"{folder}/{os.path.basename(image)}"
        with open(mount, "w"):
            pass
        server = subprocess.Popen(["nbdfuse", mount, "[", "nbdkit", "--exit-with-parent", "--filter=ddrescue", "file", image,
                                   "ddrescue-mapfile=" + self.path("map"), "]"], stderr=subprocess.DEVNULL)
        for _ in range(100):
            if os.path.getsize(mount):
                break
            time.sleep(0.05)
        run = process(self.path("case"), mount, *LIGHT)
        subprocess.run(["umount", mount])
        server.wait()
        return run

    @staticmethod
    def contents(case):
        return {path: (sha256, unread, whole) for path, sha256, unread, whole in rows(
            case, "SELECT path, sha256, bytes_unread, hash_complete FROM file WHERE sha256 IS NOT NULL AND kind IN ('file', 'ads')")}

    def compare(self, clean, words):
        """What is there is right, what is not right says so."""
        case, silent = self.path("case"), 0
        now = self.contents(case)
        # Of the walk, or in what the walk reads: not in the image as a whole, free space or a file.
        walk = rows(case, "SELECT count(*) FROM fault f LEFT JOIN stream s ON s.id = f.stream WHERE f.stage NOT IN ('read', 'scan') OR "
                          "s.kind = 'meta' OR f.path LIKE '%/$%'")[0][0]
        for path, (sha256, unread, whole) in now.items():
            good = unread > 0 and whole == 0 or path not in clean or sha256 == clean[path][0] or walk > 0
            self.check(good, *words, path, "has another hash and no word about it")
        lost = [path for path in clean if path not in now]
        self.check(not lost or walk > 0 or words[1][0][0] == 0, *words, len(lost), "contents are not listed, and no fault of the walk says why:", *lost[:2])
        self.tell("contents compared", len(now))
        self.tell("contents not listed, and told", len(lost))

    def folder(self):
        """A folder's block: names are lost, and the folder's fault says so."""
        image = make_small(self.work, "folder.raw")
        block = subprocess.run(["debugfs", "-R", "blocks papers", image], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                               env=dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")).stdout.split()[0]
        self.by_shim(image, [(int(block) * 1024, SECTOR)])
        told = rows(self.path("case"), "SELECT path, offset, size FROM fault WHERE stage = 'walk'")
        self.check(told == [("folder.raw/image/ext4/papers", int(block) * 1024, SECTOR)], "a folder that cannot be read:", told)

    def one(self, image, clean, runs, nbd):
        size, name = os.path.getsize(image), os.path.basename(image)
        bad = self.choose(size, runs)
        words = (name, bad)
        run = (self.by_nbd if nbd else self.by_shim)(image, bad)
        case = self.path("case")
        if not self.check(run.returncode in (1, 3), *words, "exit code", run.returncode, last_words(run)):
            return
        if run.returncode == 3:  # the first sectors, without which it is not known what it is
            self.tell("not opened, and told")
            return
        told = union(rows(case, "SELECT offset, size FROM fault WHERE kind = 'unreadable' AND path = ? AND stage = 'read'", name))
        grain = 4096 if nbd else SECTOR
        outer = union([(a // grain * grain, -(-(a + n) // grain) * grain - a // grain * grain) for a, n in bad])
        outer = [(a, min(n, size - a)) for a, n in outer]
        self.check(told in (bad, outer), *words, "the case says", told)
        unread = rows(case, "SELECT bytes_unread, verification FROM exhibit")[0]
        self.check(unread[0] == sum(n for _, n in told), *words, "bytes_unread is", unread)
        self.compare(clean, words)
        self.check(kvali("verify", case, "--quiet").returncode == 0, *words, "verify finds something")


campaign = Media(__doc__, 8, lambda parser: parser.add_argument("--nbd", action="store_true"))
if campaign.args.nbd and (os.geteuid() or not os.path.exists("/dev/fuse") or any(
        subprocess.run(["which", word], stdout=subprocess.DEVNULL).returncode for word in ("nbdkit", "nbdfuse"))):
    campaign.skip("--nbd needs root, /dev/fuse, nbdkit and nbdfuse (Debian: nbdkit, libnbd-bin)")
images = [image for image in (unpack(name, campaign.work) for name in IMAGES) if image] or [make_small(campaign.work)]
campaign.folder()
each = -(-campaign.args.count // len(images))
tries = 0
for image in images[:campaign.args.count]:
    process(campaign.path("clean"), image, *LIGHT)
    clean = campaign.contents(campaign.path("clean"))
    runs = [tuple(run) for row in rows(campaign.path("clean"), "SELECT runs FROM file WHERE runs IS NOT NULL AND kind <> 'image' AND kind <> 'free'")
            for run in json.loads(row[0])]
    for _ in range(min(each, campaign.args.count - tries)):
        tries += 1
        campaign.one(image, clean, runs, campaign.args.nbd)
checks, campaign.tried = campaign.tried, tries
campaign.end(f"{checks} checks")
