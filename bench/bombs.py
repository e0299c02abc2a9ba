#!/usr/bin/env python3
"""bombs: what archives that are out to exhaust whoever opens them cost: time, memory of the worker, room in the spool.

    bombs.py KVALI [NAME… | FILE…]      names are those of tests/images/make-bombs.py; all of them when none is given

One row each: bytes of the archive, CPU seconds of all processes, the largest worker's memory (VmHWM, polled), the most that the spool
file held (blocks of files without a name that workers have open, polled), streams, bytes that came out, and the limit that ended it."""
import os
import pathlib
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

kvali = os.path.abspath(sys.argv[1])
top = pathlib.Path(__file__).resolve().parent.parent
names = sys.argv[2:] or ["zeros.gz", "levels.zip", "overlap.zip", "sparse.tar", "deep.zip", "deep.gz", "members.zip", "folders.tar", "folders.tgz"]


def workers(parent):
    for pid in pathlib.Path("/proc/%d/task/%d/children" % (parent, parent)).read_text().split():
        yield int(pid)


def look(pid):
    """(memory in KiB, bytes of files without a name)"""
    memory = spool = 0
    for line in open("/proc/%d/status" % pid):
        if line.startswith("VmHWM:"):
            memory = int(line.split()[1])
    for fd in os.listdir("/proc/%d/fd" % pid):
        path = "/proc/%d/fd/%s" % (pid, fd)
        if "(deleted)" in os.readlink(path) and not os.readlink(path).startswith(("/dev/shm", "/memfd:blackbox")):
            spool += os.stat(path).st_blocks * 512
    return memory, spool


def measure(path, folder):
    case = folder / "case"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen([kvali, "process", str(path), "--case", str(case), "--jobs", "1", "--quiet", "--plugins", "archive,digest"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    memory = spool = 0
    while process.poll() is None:
        try:
            for pid in workers(process.pid):
                more, room = look(pid)
                memory, spool = max(memory, more), max(spool, room)
        except OSError:
            pass
        time.sleep(0.02)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode not in (0, 1):
        sys.exit(process.stderr.read())
    db = sqlite3.connect("file:%s/case.db?mode=ro" % case, uri=True)
    limit = db.execute("SELECT substr(detail, 1, instr(detail || ':', ':') - 1), count(*) FROM fault WHERE kind = 'limit' GROUP BY 1 ORDER BY 2 DESC LIMIT 1").fetchone()
    streams, out = db.execute("SELECT count(*), coalesce(sum(size), 0) FROM stream WHERE parent IS NOT NULL").fetchone()
    done = db.execute("SELECT status FROM run").fetchone()[0]
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    shutil.rmtree(case)
    return cpu, memory, spool, streams, out, limit[0] if limit else "none", done


print("| bomb | bytes | CPU s | worker MiB | spool MiB | streams | MiB out | limit | run |\n|---|---|---|---|---|---|---|---|---|")
with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as temporary:
    folder = pathlib.Path(temporary)
    for name in names:
        (folder / "in").mkdir()
        if os.path.exists(name):
            shutil.copy(name, folder / "in")
        else:
            subprocess.run([sys.executable, "-B", str(top / "tests/images/make-bombs.py"), str(folder / "in"), name], check=True)
        file = next((folder / "in").iterdir())
        cpu, memory, spool, streams, out, limit, done = measure(folder / "in", folder)
        print("| %s | %d | %.1f | %d | %d | %d | %d | %s | %s |" % (file.name, file.stat().st_size, cpu, memory >> 10, spool >> 20, streams, out >> 20, limit, done), flush=True)
        shutil.rmtree(folder / "in")
