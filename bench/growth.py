#!/usr/bin/env python3
"""growth: how kvali's cost grows with the number of files and with the size of the image: two tables and two charts.

usage: growth.py [--kvali KVALI] [--files 10000,100000,1000000] [--gib 1,4,16] [--plugins digest] [--work FOLDER] [--out FOLDER]

--files: images of mkfat.py. --gib: those of ../shared/bench/mkimage.py (KVALI_MKIMAGE names another maker), which are made once in --work
and kept. Wall and CPU seconds, memory of the largest supervisor and worker, size of the case; writes growth.txt, growth-files.svg and
growth-gib.svg into --out. KVALI_BENCH_HOLD as for bench.py."""
import argparse
import html
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile

from measure import KVALI_COLOUR, measure, svg

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--kvali", default=TOP + "/build/engine/cli/kvali")
parser.add_argument("--files", default="10000,100000,1000000")
parser.add_argument("--gib", default="1,4,16")
parser.add_argument("--plugins", default="digest")
parser.add_argument("--work", default="/var/tmp")
parser.add_argument("--out", default=".")
args = parser.parse_args()
os.makedirs(args.out, exist_ok=True)
work = tempfile.mkdtemp(prefix="kvali-growth-", dir=args.work)


def made(name, command):
    path = f"{args.work}/{name}"
    if not os.path.exists(path + ".done"):
        print("growth: making", path, file=sys.stderr)
        subprocess.run([sys.executable, *[word.replace("{}", path) for word in command]], check=True, stdout=subprocess.DEVNULL)
        open(path + ".done", "w").close()
    return path


def processed(image):
    case = work + "/case"
    shutil.rmtree(case, ignore_errors=True)
    subprocess.run(["cat", image], stdout=subprocess.DEVNULL)
    run = measure([args.kvali, "process", image, "--type", "raw", "--case", case, "--plugins", args.plugins, "--quiet"], work + "/log")
    if run["exit"] not in (0, 1):
        sys.exit(f"growth: {image}: exit {run['exit']}: {open(work + '/log', errors='replace').read()[-300:]}")
    db = sqlite3.connect(f"file:{case}/case.db?mode=ro", uri=True)
    run["entries"], run["contents"] = db.execute("SELECT (SELECT count(*) FROM t_entry), (SELECT count(*) FROM t_stream)").fetchone()
    run["case_mib"] = os.path.getsize(case + "/case.db") / 2**20
    return run


def row(what, run, unit):
    return (what, f"{run['wall']:.1f}", f"{run['cpu']:.1f}", f"{run['largest'].get('kvali', 0):.0f}", f"{run['largest'].get('kvali-worker', 0):.0f}",
            f"{run['case_mib']:.1f}", f"{run['entries']:,}", f"{run['contents']:,}", f"{run['cpu'] / unit:.3g}")


def table(first, last, rows):
    rows = [(first, "wall s", "CPU s", "supervisor MiB", "worker MiB", "case.db MiB", "entries", "streams", last), *rows]
    width = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(cell.rjust(width[i]) for i, cell in enumerate(r)) for r in rows) + "\n"


def chart(title, points):
    """CPU seconds, both axes linear; the dashed line goes from nothing through the largest."""
    left, top, wide, high = 70, 50, 560, 300
    most_x, most_y = max(x for x, _, _ in points), max(y for _, y, _ in points)
    place = lambda x, y: (left + wide * x / most_x, top + high - high * y / most_y)
    at = [place(x, y) for x, y, _ in points]
    parts = [f'<line x1="{left}" x2="{left + wide}" y1="{top + high}" y2="{top + high}" stroke="#9aa5b1"/>',
             f'<line x1="{left}" x2="{left}" y1="{top}" y2="{top + high}" stroke="#9aa5b1"/>',
             f'<line x1="{left}" y1="{top + high}" x2="{at[-1][0]:.1f}" y2="{at[-1][1]:.1f}" stroke="#9aa5b1" stroke-dasharray="4 4"/>',
             f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in at)}" fill="none" stroke="{KVALI_COLOUR}" stroke-width="2"/>']
    for (x, y), (_, seconds, name) in zip(at, points):
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{KVALI_COLOUR}"/>'
                     f'<text x="{max(x - 8, left + 10):.1f}" y="{y - 8:.1f}" text-anchor="{"end" if x > left + 120 else "start"}">{html.escape(name)}: {seconds:.1f} s</text>')
    return svg(title, 680, 380, parts)


def series(text, unit, make, word):
    runs = []
    for number in [int(n) for n in text.split(",") if n]:
        runs.append((number, processed(make(number))))
        print(f"growth: {number:,} {word}: {runs[-1][1]['cpu']:.1f} s of CPU", file=sys.stderr, flush=True)
    return runs, [row(f"{n:,}", run, n / unit) for n, run in runs]


try:
    said = ""
    files, rows = series(args.files, 1000, lambda n: made(f"kvali-files-{n}.raw", [TOP + "/bench/mkfat.py", "{}", str(n)]), "files")
    if files:
        said += table("files", "CPU s a 1,000", rows) + "\n"
        with open(args.out + "/growth-files.svg", "w") as file:
            file.write(chart("CPU seconds by the number of files", [(n, run["cpu"], f"{n:,}") for n, run in files]))
    maker = os.environ.get("KVALI_MKIMAGE", TOP + "/../shared/bench/mkimage.py")
    sizes, rows = series(args.gib, 1, lambda n: made(f"kvali-bench-{n}.raw", [maker, "{}", "--gib", str(n)]), "GiB")
    if sizes:
        said += table("GiB", "CPU s a GiB", rows)
        with open(args.out + "/growth-gib.svg", "w") as file:
            file.write(chart("CPU seconds by the size of the image", [(n, run["cpu"], f"{n} GiB") for n, run in sizes]))
    with open(args.out + "/growth.txt", "w") as file:
        file.write(said)
    print(said, end="")
finally:
    shutil.rmtree(work, ignore_errors=True)
