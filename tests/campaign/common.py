"""common: what the campaigns share: the command, evidence, a case's digest, and the last line that every campaign prints.

A campaign is a program of this folder: --count N tries, chosen by --seed N. It ends with one line of JSON, {"tried", "failed", "words"},
and with exit code 0 when nothing failed, 1 when something did, 77 when it cannot be done here. run.py has the list of them.
"""
import argparse
import json
import os
import random
import select
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KVALI = os.environ.get("KVALI", TOP + "/build/engine/cli/kvali")
SHIM = os.environ.get("KVALI_SHIM", TOP + "/build/tests/campaign/shim.so")
SERVE = os.environ.get("KVALI_SERVE_SO", os.path.join(os.path.dirname(SHIM), "serve.so"))
CORPUS = os.environ.get("KVALI_CORPUS", TOP + "/../shared/corpus")
FAST = os.environ.get("KVALI_FAST", "/dev/shm" if os.path.isdir("/dev/shm") else None)  # memory: for what need not last
SKIPPED = 77
DONE = (0, 1)  # done, with faults or without


class Campaign:
    """Its arguments, its folder (removed at the end), and what was tried. SMALL: the folder is in memory."""
    SMALL = False

    def __init__(self, words, count, more=None):
        parser = argparse.ArgumentParser(description=words)
        parser.add_argument("--count", type=int, default=count, help="tries (default: %(default)s)")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--keep", action="store_true", help="keep the folder of what failed")
        if more:
            more(parser)
        self.args = parser.parse_args()
        self.rng = random.Random(self.args.seed)
        self.work = tempfile.mkdtemp(prefix="kvali-campaign-", dir=os.environ.get("TMPDIR") or (FAST if self.SMALL else "/tmp"))
        os.chmod(self.work, 0o755)
        self.tried = self.failed = 0
        self.told = {}

    def path(self, *names):
        return os.path.join(self.work, *names)

    def fresh(self, name):
        """A path in the folder where nothing is."""
        path = self.path(name)
        shutil.rmtree(path, ignore_errors=True)
        return path

    def check(self, good, *words):
        """One try. What failed is told at once."""
        self.tried += 1
        if not good:
            self.failed += 1
            print("FAIL ", *words, flush=True)
        return good

    def tell(self, key, number=1):
        self.told[key] = self.told.get(key, 0) + number

    def end(self, words=""):
        for program in filter(None, served.values()):
            program.close()  # and its processor time is counted
        told = ", ".join(f"{number} {key}" for key, number in self.told.items())
        words = "; ".join(part for part in (words, told) if part)
        if self.failed and self.args.keep:
            print("kept:", self.work)
        else:
            shutil.rmtree(self.work, ignore_errors=True)
        print(json.dumps({"tried": self.tried, "failed": self.failed, "words": words}), flush=True)
        sys.exit(1 if self.failed or not self.tried else 0)

    def skip(self, why):
        shutil.rmtree(self.work, ignore_errors=True)
        print(json.dumps({"tried": 0, "failed": 0, "words": "skipped: " + why}))
        sys.exit(SKIPPED)


class Served:
    """kvali, loaded once: each command is a fork of it (serve.c says how). Not to be used by several threads."""

    def __init__(self, program):
        self.program = program
        mine, its = socket.socketpair()
        self.said = tempfile.NamedTemporaryFile(prefix="kvali-said-", dir=FAST)
        self.process = subprocess.Popen([program], env=dict(os.environ, LC_ALL="C.UTF-8", LD_PRELOAD=SERVE, KVALI_SERVE=str(its.fileno())),
                                        pass_fds=[its.fileno()], stdin=subprocess.DEVNULL)
        its.close()
        self.socket = mine

    def number(self):
        data = self.socket.recv(4, socket.MSG_WAITALL)
        if len(data) < 4:
            raise ConnectionError(f"{self.program} with {SERVE} does not answer")
        return struct.unpack("<I", data)[0]

    def run(self, words, env, timeout):
        """Exit code as subprocess has it, None after `timeout` seconds; and what was said."""
        texts = [self.said.name, str(len(words) + 1), self.program, *words, *(f"{name}={value}" for name, value in env.items())]
        body = b"".join(os.fsencode(text) + b"\0" for text in texts)
        self.socket.sendall(struct.pack("<I", len(body)) + body)
        pid = self.number()
        late = not select.select([self.socket], [], [], timeout)[0]
        if late:
            os.kill(pid, signal.SIGKILL)
        code = os.waitstatus_to_exitcode(self.number())
        with open(self.said.name, errors="replace") as file:
            return (None if late else code), file.read()


    def close(self):
        self.socket.close()
        self.process.wait()
        self.said.close()


served = {}  # program -> Served; None: it cannot be


def serve(program):
    if program not in served:
        served[program] = Served(program) if os.path.exists(SERVE) and "LD_PRELOAD" not in os.environ else None
    return served[program]


def kvali(*words, env=None, timeout=600, **more):
    """The command, with its output kept as text; -9 and the like when a signal ended it, None as code after `timeout` seconds."""
    if not more and "LD_PRELOAD" not in (env or {}) and serve(KVALI):
        code, text = serve(KVALI).run(words, env or {}, timeout)
        return subprocess.CompletedProcess([KVALI, *words], code, text if code is not None else f"not ended after {timeout} s")
    environment = dict(os.environ, LC_ALL="C.UTF-8", **(env or {}))
    try:
        return subprocess.run([KVALI, *words], env=environment, timeout=timeout, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", **more)
    except subprocess.TimeoutExpired as late:
        return subprocess.CompletedProcess(late.cmd, None, f"not ended after {timeout} s")


def last_words(run):
    return " / ".join(run.stdout.strip().split("\n")[-3:])


def sound_or_cut(verify):
    """What `verify` may say of a case whose writer was stopped: nothing, or that the ledger's last line is cut off, which the next
    run takes away and says so. Anything else that is bad beside it is bad."""
    bad = [line for line in verify.stdout.split("\n") if line.startswith("BAD")]
    return verify.returncode == 0 and not bad or verify.returncode == 4 and len(bad) == 1 and bad[0].endswith(" is cut off")


def digest(case):
    return kvali("digest", case).stdout.strip()


def new_case(case, *images):
    """kvali new and kvali add: nothing is read yet."""
    shutil.rmtree(case, ignore_errors=True)
    for words in (("new", case), *(("add", case, image) for image in images)):
        run = kvali(*words)
        if run.returncode:
            sys.exit(f"{' '.join(words)}: {last_words(run)}")


def process(case, *words, **more):
    shutil.rmtree(case, ignore_errors=True)
    return kvali("process", *words, "--case", case, "--quiet", **more)


def rows(case, query, *values):
    database = sqlite3.connect(f"file:{case}/case.db?mode=ro", uri=True)
    try:
        return database.execute(query, values).fetchall()
    finally:
        database.close()


def shim(program, under, **words):
    """The environment that puts shim.so in front of `program` for files below `under`."""
    if not os.path.exists(SHIM):
        sys.exit(f"{SHIM} is not built (meson setup -Dtests=true)")
    environment = {"LD_PRELOAD": SHIM, "KVALI_SHIM_IN": program, "KVALI_SHIM_UNDER": os.path.realpath(under)}
    environment.update({"KVALI_SHIM_" + key.upper(): str(value) for key, value in words.items()})
    return environment


# ---- evidence

def corpus(name, folder="images"):
    """Where the corpus has it, packed or not; None: nowhere."""
    for path in (f"{CORPUS}/{folder}/{name}", f"{CORPUS}/{folder}/{name}.zst"):
        if os.path.exists(path):
            return path
    return None


def unpack(name, to, folder="images"):
    """The corpus's file as `to`/name, writable. None: there is no corpus."""
    source, target = corpus(name, folder), os.path.join(to, name)
    if source is None:
        return None
    if source.endswith(".zst"):
        subprocess.run(["zstd", "-dqf", "--sparse", source, "-o", target], check=True)
    else:
        shutil.copyfile(source, target)
    os.chmod(target, 0o644)
    return target


def make_ext4(path, folder, mib, *options):
    """`folder` as an ext4 image, without root."""
    with open(path, "wb") as file:
        file.truncate(mib << 20)
    subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-O", "^has_journal", "-d", folder, *options, path], check=True,
                   env=dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin", E2FSPROGS_FAKE_TIME="1768471200"))
    return path


def make_small(work, name="small.raw"):
    """1 MiB of ext4: a few texts, a picture's beginning, a gzip in it; enough that a run has files, children and records."""
    import gzip
    folder = os.path.join(work, name + ".files")
    os.makedirs(folder + "/papers/old", exist_ok=True)
    for i in range(12):
        with open(f"{folder}/papers/{i}.txt", "w") as file:
            file.write(f"paper {i}\n" * (i * 40 + 1))
    with open(folder + "/papers/old/all.gz", "wb") as file:
        file.write(gzip.compress(b"what lies inside\n" * 500, mtime=0))
    with open(folder + "/empty", "w"):
        pass
    return make_ext4(os.path.join(work, name), folder, 1, "-U", "6b76616c-6900-4000-8000-00000000000b", "-E",
                     "hash_seed=6b76616c-6900-4000-8000-0000000000ff")


# What the sandboxed half does costs time that says nothing about how the case is kept.
LIGHT = ("--plugins", "archive,digest,filetype", "--jobs", "2")
