#!/usr/bin/env python3
"""batch: a backlog of 20 exhibits, hostile ones and a missing one among them, ends by itself (R1 R3). kill -9 of the batch, of it and its
tasks, a disk made full and freed, at random instants; the same command goes on. Then: each task in its right state, each digest and number
of faults as of `kvali process` alone, the summary true, and whole at every kill, no process and no temporary file left."""
import csv
import signal
import time

from common import *

OPTIONS = ["--plugins", "archive,carve,digest,entropy,filetype,mail,ole", "--set", "limit.hang=20"]
COLUMNS = {"plugins": OPTIONS[1], "settings": OPTIONS[3]}
IMAGES = ["rust-fatfs__fat12.img", "bulk_extractor__nps-2010-emails.E01", "dfvfs__ext2.E01", "dfvfs__hfsplus.raw", "colinfinck-ntfs__testfs1.img",
          "bulk_extractor__1mb_fat32.dmg", "go-exfat__test.exfat", "sleuthkit_test_data__7-ntfs-undel.dd", "sleuthkit_test_data__6-fat-undel.dd",
          "util-linux__iso-joliet.img", "dfvfs__apfs.raw", "dfvfs__ext2.qcow2", "dfvfs__ext2.vhd", "bulk_extractor__kml_samples.E01",
          "grr__ntfs_img.dd", "rusty-backup__test_hfs.img", "sleuthkit__image.vmdk"]
HOSTILE = [("hostile/made", "badchunk.E01"), ("hostile/made", "mutated__apfs_fls_SIGSEGV_3f3516e7631a.img"), ("hostile", "e2fsprogs__f_baddotdir.img")]
ENDS = {0: "done", 1: "faults", 3: "failed"}
DISK = 400 << 20


def more(parser):
    parser.add_argument("--exhibits", type=int, default=20, help="of the list (default: %(default)s)")


def family(pid):
    """All processes below one."""
    children = subprocess.run(["pgrep", "-P", str(pid)], stdout=subprocess.PIPE, text=True).stdout.split()
    return [int(child) for child in children] + [below for child in children for below in family(child)]


def end(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


class Batch(Campaign):
    def lay_out(self):
        os.mkdir(self.path("evidence"))
        wanted = self.args.exhibits
        made = [unpack(name, self.path("evidence"), folder) for folder, name in HOSTILE[:max(1, wanted // 6)]]
        made += [unpack(name, self.path("evidence")) for name in IMAGES]
        made = [path for path in made if path][:wanted]
        if not made:
            made = [make_small(self.path("evidence"), f"small{n}.raw") for n in range(wanted)]
        return made

    def references(self):
        """What each is by itself: {path: (state, digest, faults)}."""
        self.alone = {}
        for path in self.exhibits:
            case = self.path("alone")
            run = process(case, path, *OPTIONS, "--jobs", "2")
            code = run.returncode
            if code not in ENDS:
                self.check(False, os.path.basename(path), "by itself ends with", code, run.stdout[-300:] if run.stdout else "")
                self.end("no reference")
            faults = rows(case, "SELECT count(*) FROM fault")[0][0]
            self.alone[path] = (ENDS.get(code, f"code {code}"), digest(case), faults)

    def backlog(self):
        with open(self.path("backlog.csv"), "w", newline="") as file:
            table = csv.DictWriter(file, ["case", "evidence", "priority", *COLUMNS])
            table.writeheader()
            for path in [*self.exhibits, self.path("evidence", "missing.raw")]:
                table.writerow({"case": self.path("disk", os.path.basename(path)), "evidence": path, "priority": self.rng.randint(0, 3), **COLUMNS})

    def launch(self):
        return subprocess.Popen([KVALI, "batch", self.path("backlog.csv"), "--folder", self.path("queue"), "--tmp", self.path("tmp"), "--max-jobs", "3",
                                 "--jobs", "2", "--tries", "2", "--wait", "1", "--disk-free", "2M", "--memory-free", "64M", "--quiet"],
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def summary(self):
        try:
            with open(self.path("queue", "summary.json")) as file:
                return json.load(file)
        except FileNotFoundError:
            return None

    def fill(self):
        """The disk of the cases, to the last byte or nearly. The cases may have filled it themselves."""
        try:
            with open(self.path("disk", "filler"), "wb") as file:
                while file.write(bytes(1 << 20)):
                    file.flush()
        except OSError:
            pass
        if self.rng.random() < 0.5 and os.path.exists(self.path("disk", "filler")):
            size = os.path.getsize(self.path("disk", "filler"))
            os.truncate(self.path("disk", "filler"), max(0, size - self.rng.randint(1, 4 << 20)))

    def empty(self):
        if os.path.exists(self.path("disk", "filler")):
            os.unlink(self.path("disk", "filler"))

    def fresh_round(self):
        shutil.rmtree(self.path("queue"), ignore_errors=True)
        shutil.rmtree(self.path("tmp"), ignore_errors=True)
        os.mkdir(self.path("tmp"))
        for name in os.listdir(self.path("disk")):
            shutil.rmtree(self.path("disk", name))
        self.backlog()

    def disturb(self, batch):
        """One kill or one full disk; the batch that is at work then, and whether anything was disturbed."""
        time.sleep(self.rng.random() * 2.5)
        full = self.mounted and self.rng.random() < 0.3
        if full:
            if batch.poll() is None:
                self.tell("times a full disk")
            self.fill()
            time.sleep(self.rng.random() * 4)
        killed = not full or self.rng.random() < 0.5
        if killed and batch.poll() is None:
            everybody = self.rng.random() < 0.3
            kin = family(batch.pid) if everybody else []
            for pid in [batch.pid, *kin]:
                end(pid)
            batch.wait()
            told = self.summary()
            self.check(told is None or len(told["tasks"]) == len(self.exhibits) + 1, "the summary after a kill has", told and len(told["tasks"]), "tasks")
            self.tell("kills of batch and tasks" if everybody else "kills of the batch")
            batch = self.launch()
        if full:
            time.sleep(self.rng.random() * 2)
            self.empty()
        return batch

    def right(self):
        """Every task's state, digest and faults."""
        told = self.summary()
        for task in told["tasks"]:
            path = self.path("evidence", os.path.basename(task["case"]))
            state, want, faults = self.alone.get(path, ("failed", None, 0))
            got = (task["state"], task["digest"], task["faults"])
            if not self.check(got == (state, want, faults), os.path.basename(path), got, "instead of", (state, want, faults), task["message"]) and \
               os.path.isdir(task["case"]):  # the disk goes with the campaign
                shutil.copytree(task["case"], self.path("wrong", os.path.basename(path)), dirs_exist_ok=True)
            if want:
                case = task["case"]
                self.check(digest(case) == want and kvali("verify", case, "--quiet").returncode == 0, case, "is not what the summary says")
        states = [task["state"] for task in told["tasks"]]
        self.check(all(told[state] == states.count(state) for state in ("done", "faults", "failed", "running", "queued", "waiting")), "the sums are wrong")
        self.check(len(states) == len(self.exhibits) + 1 and told["state"] == "all done", len(states), told["state"])

    def disturbed(self):
        return sum(number for key, number in self.told.items() if key != "rounds")

    def one_round(self):
        self.fresh_round()
        batch = self.launch()
        for _ in range(60):
            if batch.poll() is not None or self.disturbed() >= self.args.count:
                break
            batch = self.disturb(batch)
        try:
            code = batch.wait(timeout=900)
        except subprocess.TimeoutExpired:
            code = None
            end(batch.pid)
        if self.check(code == 3, "the batch ended with", code):
            self.right()
        left = subprocess.run(["pgrep", "-f", self.path("queue") + "|" + self.path("disk")], stdout=subprocess.PIPE, text=True).stdout.split()
        self.check(not left, "processes are left:", left)
        self.check(not os.listdir(self.path("tmp")), "temporary files are left:", os.listdir(self.path("tmp")))
        self.tell("rounds")

    def go(self):
        os.mkdir(self.path("disk"))
        self.exhibits = self.lay_out()
        self.references()
        self.mounted = os.geteuid() == 0 and subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", self.path("disk")],
                                                            stderr=subprocess.DEVNULL).returncode == 0
        try:
            while self.disturbed() < self.args.count:
                self.one_round()
        finally:
            if self.mounted:
                subprocess.run(["umount", "-l", self.path("disk")])
        self.end(f"{len(self.exhibits)} exhibits" + ("" if self.mounted else "; no right to mount a disk that can be full"))


Batch(__doc__, 20, more).go()
