#!/usr/bin/env python3
"""memory: the largest memory of the supervisor, the zygote and a worker, apart.

usage: memory.py KVALI IMAGE [arguments of kvali process...]

Reads /proc/PID/status of the run's processes every 20 ms: VmHWM is the largest resident size that a process ever had, pages shared
with others (program, libraries, rules that the zygote compiled) in each of them; RssAnon what it held of its own when it was seen.
"""
import os
import subprocess
import sys
import tempfile
import time


def status(pid):
    try:
        with open(f"/proc/{pid}/status") as lines:
            return dict(line.rstrip("\n").split(":\t", 1) for line in lines if ":\t" in line)
    except OSError:
        return {}


def kib(fields, key):
    return int(fields.get(key, "0").split()[0])


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as line:
            return line.read().split()
    except OSError:
        return []


def role(pid, supervisor, fields):
    if pid == supervisor:
        return "supervisor"
    return "worker" if fields.get("Seccomp_filters", "").strip() == "2" else "zygote"


def main():
    if len(sys.argv) < 3:
        print(__doc__)
        return 2
    peak = {}
    seen = {}
    with tempfile.TemporaryDirectory(prefix="kvali-bench-", dir=os.environ.get("TMPDIR", "/var/tmp")) as work:
        begin = time.monotonic()
        run = subprocess.Popen([sys.argv[1], "process", sys.argv[2], "--case", os.path.join(work, "case"), "--quiet", *sys.argv[3:]])
        while run.poll() is None:
            for pid in [run.pid, *map(int, children(run.pid))]:
                fields = status(pid)
                if "VmHWM" not in fields or fields.get("Name") not in ("kvali", "kvali-worker"):
                    continue
                name = role(pid, run.pid, fields)
                old = peak.get(name, (0, 0))
                peak[name] = (max(old[0], kib(fields, "VmHWM")), max(old[1], kib(fields, "RssAnon")))
                seen.setdefault(name, set()).add(pid)
            time.sleep(0.02)
        seconds = time.monotonic() - begin
        size = os.path.getsize(os.path.join(work, "case", "case.db"))
    print(f"{os.path.basename(sys.argv[2])}: exit {run.returncode}, {seconds:.1f} s, case.db {size / 1048576:.1f} MiB")
    print("process\tseen\tVmHWM MiB\tRssAnon MiB")
    for name, (hwm, anon) in sorted(peak.items()):
        print(f"{name}\t{len(seen[name])}\t{hwm / 1024:.1f}\t{anon / 1024:.1f}")
    return 0 if run.returncode in (0, 1) else 1


sys.exit(main())
