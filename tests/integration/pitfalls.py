#!/usr/bin/env python3
"""pitfalls: what goes wrong in programs that fork workers, looked at from outside while a run is at work: what is open in zygote and
workers, what they were left by whoever started kvali, whose offset they read at, what standard error is, and what stays when
the supervisor is killed. Some of it needs root, and says so.

usage: KVALI=... HOSTILE=folder of the built plugins  pitfalls.py
"""
import ctypes
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../campaign"))
import common

KVALI, HOSTILE = os.environ["KVALI"], os.environ["HOSTILE"]
SYS_KCMP, KCMP_FILE = 312, 0  # x86-64
work = tempfile.mkdtemp(prefix="kvali-test-", dir=os.environ.get("TMPDIR", "/tmp"))
count = {"passed": 0, "failed": 0, "skipped": 0}


def promise(sentence, good, *words):
    count["passed" if good else "failed"] += 1
    print("ok   " if good else "FAIL ", sentence, *(() if good else words), flush=True)


def skip(sentence):
    count["skipped"] += 1
    print("skip ", sentence)


def word_of(pid, name):
    """A line of /proc/PID/status; "" when the process is gone."""
    try:
        with open(f"/proc/{pid}/status") as file:
            return next((line.split(":\t", 1)[1].strip() for line in file if line.startswith(name + ":")), "")
    except OSError:
        return ""


def kin(pid):
    """The zygotes and the workers of a supervisor: a zygote has one filter, a worker two."""
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        children = [int(child) for child in file.read().split()]
    filters = {child: word_of(child, "Seccomp_filters") for child in children}
    return [child for child in children if filters[child] == "1"], [child for child in children if filters[child] == "2"]


def opened(pid):
    """{descriptor: what it leads to}; None: it may not be seen."""
    try:
        return {int(fd): os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
    except PermissionError:
        return None


def evidence():
    """Contents at which both workers hang at once, and some at which nobody does."""
    folder = os.path.join(work, "files")
    os.makedirs(folder)
    for i in range(6):
        with open(f"{folder}/bad-{i}", "w") as file:
            file.write("HANGME\n" + f"{i}\n" * 100_000)
        with open(f"{folder}/good-{i}", "w") as file:
            file.write(f"{i}\n" * 2000)
    return common.make_ext4(os.path.join(work, "disk.raw"), folder, 8)


def start(case, image, **more):
    """A run whose workers hang until somebody ends them."""
    common.new_case(case, image)
    return subprocess.Popen([KVALI, "run", case, "--quiet", "--jobs", "2", "--plugins", "digest", "--plugin", f"{HOSTILE}/hang.so",
                             "--set", "limit.hang=60"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **more)


def at_work(run):
    """Zygotes and workers, when both workers hang."""
    for _ in range(600):
        zygotes, workers = kin(run.pid)
        if zygotes and len(workers) == 2 and all(word_of(pid, "State").startswith("R") for pid in workers):
            time.sleep(0.3)
            if kin(run.pid) == (zygotes, workers):
                return zygotes, workers
        time.sleep(0.05)
    return [], []


def look_at_descriptors(case, image, left, zygotes, workers):
    everything = {pid: opened(pid) for pid in zygotes + workers}
    if None in everything.values():
        skip("who is not root does not see what is open in workers")
        return
    of_case = [(pid, fd, link) for pid, links in everything.items() for fd, link in links.items() if link.startswith(case)]
    promise("neither zygote nor worker has anything of the case open", not of_case, of_case)
    inherited = [(pid, fd, link) for pid, links in everything.items() for fd, link in links.items() if link in left]
    promise("… nor what whoever started kvali had left open", not inherited, inherited)
    errors = [links.get(2, "") for links in everything.values()]
    promise("standard error is a pipe in all of them, though kvali's is a file", all(link.startswith("pipe:") for link in errors), errors)
    mine = {pid: [fd for fd, link in everything[pid].items() if link == image] for pid in zygotes + workers}
    promise("each has the evidence open", all(mine.values()), everything)
    libc = ctypes.CDLL(None, use_errno=True)
    pairs = [(a, b) for n, a in enumerate(mine) for b in list(mine)[n + 1:]]
    same = [(a, b) for a, b in pairs for x in mine[a] for y in mine[b] if libc.syscall(SYS_KCMP, a, b, KCMP_FILE, x, y) == 0]
    promise("… by an open file of its own, so that none moves another's offset", pairs and not same, same)


def none_left(pids):
    """All are gone within two seconds. A zombie is gone; it waits for its new parent."""
    for _ in range(40):
        if all(word_of(pid, "State")[:1] in ("", "Z") for pid in pids):
            return True
        time.sleep(0.05)
    return False


def go():
    image, case = evidence(), os.path.join(work, "case")
    secret, errors = os.path.join(work, "left-open"), open(os.path.join(work, "errors"), "w")
    with open(secret, "w") as file:
        file.write("not for workers\n")
    fds = [os.open(secret, os.O_RDWR), os.open(work, os.O_RDONLY | os.O_DIRECTORY)]
    run = start(case, image, pass_fds=fds, stderr=errors)
    zygotes, workers = at_work(run)
    promise("a zygote and two workers are at work", zygotes and workers)
    look_at_descriptors(case, image, (secret, work), zygotes, workers)

    os.kill(workers[0], signal.SIGKILL)
    time.sleep(1)
    with open(f"/proc/{run.pid}/task/{run.pid}/children") as file:
        states = [word_of(child, "State")[:1] for child in file.read().split()]
    promise("the supervisor leaves no zombie of a worker that was killed", "Z" not in states and len(states) >= 3, states)

    zygotes, workers = at_work(run)
    run.kill()
    run.wait()
    promise("workers that hang end with their supervisor", none_left(zygotes + workers), [(pid, word_of(pid, "State")) for pid in zygotes + workers])

    # A file as standard error, and a limit on files: what a worker says must not kill it.
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4 << 20, 4 << 20))
    full = os.path.join(work, "full")
    common.new_case(full, image)
    plain = subprocess.run([KVALI, "run", full, "--quiet", "--plugins", "digest"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=open(os.path.join(work, "errors"), "a"), preexec_fn=limit)
    faults = common.rows(full, "SELECT kind, detail FROM fault")
    promise("with a file as standard error and small files only, no worker dies", plain.returncode == 0 and not faults, plain.returncode, faults)


try:
    go()
finally:
    shutil.rmtree(work, ignore_errors=True)
print(f"{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped")
sys.exit(1 if count["failed"] else 0)
