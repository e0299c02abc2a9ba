"""measure: what a command costs, and the frame of a chart; for bench.py and growth.py."""
import html
import os
import subprocess
import threading
import time

KVALI_COLOUR = "#c2410c"
COLOURS = ["#1f4e79", "#6b9ac4", "#a3b8cc", "#8a5200", "#d9a441", "#1d6b3c", "#7fb58f", "#a1231d", "#d68b87", "#5b4a8a", "#a79cc9"]


def resident(session):
    """(bytes that all processes of the session have resident, the largest of each program's processes)"""
    total, largest = 0, {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                before, _, after = open(f"/proc/{entry}/stat").read().rpartition(")")
            except OSError:
                continue
            fields = after.split()
            if int(fields[3]) == session:
                name, size = before.partition("(")[2], int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
                total += size
                largest[name] = max(largest.get(name, 0), size)
    return total, largest


def hold(when):
    """Lets KVALI_BENCH_HOLD make other work wait (begin) and go on (end)."""
    if program := os.environ.get("KVALI_BENCH_HOLD"):
        subprocess.run([program, when], check=True)


def measure(command, log):
    """Runs it in a session of its own. wall and cpu in seconds; mib: of all its processes together, looked at five times a second;
    largest: MiB of the largest process of each program."""
    hold("begin")
    began = time.monotonic()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=open(log, "wb"), stderr=subprocess.STDOUT, start_new_session=True)
    most, largest, ended = [0], {}, threading.Event()

    def look():
        while True:
            total, each = resident(child.pid)
            most[0] = max(most[0], total)
            for name, size in each.items():
                largest[name] = max(largest.get(name, 0), size / 2**20)
            if ended.wait(0.2):
                return

    looker = threading.Thread(target=look)
    looker.start()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    ended.set()
    looker.join()
    hold("end")
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "mib": most[0] / 2**20, "largest": largest, "exit": child.returncode}


def svg(title, width, height, parts):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="Noto Sans, DejaVu Sans, sans-serif" font-size="12">\n'
            f'<rect width="{width}" height="{height}" fill="#fff"/>\n<text x="16" y="24" font-size="15" font-weight="bold">{html.escape(title)}</text>\n'
            + "\n".join(parts) + "\n</svg>\n")
