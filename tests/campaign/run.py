#!/usr/bin/env python3
"""run: every promise of ARCHITECTURE.md that a campaign tries to break, by `./kv campaign`.

Goes through the list below: the column `ci` is what `meson test --suite campaign` does, `release` the long one, in parts with a seed
each. What is done is kept in build/campaign/results.jsonl: stop it when you like, the same command goes on. At the end, and after an
interruption, it prints the table and writes it into tests/README.md.

  ./kv campaign                         the release column: hours
  ./kv campaign --column ci             what CI does
  ./kv campaign --only kills,powercut   of these only
  ./kv campaign --parts 51-100          of each only these parts: several machines share a campaign
  ./kv campaign --minutes 30            ends after so long, at the end of a part
  ./kv campaign --table                 only the table
  ./kv campaign --again                 forgets what was done
"""
import argparse
import datetime
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("KVALI_BUILD", TOP + "/build")
PAGE = TOP + "/tests/README.md"
BEGIN, END = "<!-- campaign: begin -->\n", "<!-- campaign: end -->\n"

# name, promise of the plan, what is tried, CI's arguments, those of a part of the release column, parts
LIST = [
    ("kills", "R1", "kill -9 of supervisor, workers, zygote, all; then `run` goes on to the same digest", ["--count", "8"], ["--count", "50"], 20),
    ("batch", "R1 R3", "kill -9 of a batch, a disk made full and freed; every exhibit ends in its right state", ["--count", "6", "--exhibits", "6"], ["--count", "60"], 5),
    ("powercut", "R2", "power cuts: what was not synced is lost or torn", ["--count", "300", "--resume", "100"], ["--count", "2500", "--resume", "250"], 20),
    ("faults", "R3 R5", "the n-th open, read, write, sync, rename fails, for every n; in CI some of them, and of malloc", ["--count", "8"],
     ["--calls", "open,read,write,sync,name", "--every", "20"], 20),
    ("faults-memory", "R5", "the n-th malloc fails", [], ["--calls", "memory", "--count", "50"], 20),
    ("surroundings", "R3", "descriptors, memory, clocks, no right to write, two runs, evidence that is gone or another", ["--count", "11"], ["--count", "33"], 10),
    ("media", "R4", "bad sectors under the evidence", ["--count", "5"], ["--count", "30"], 10),
    ("media-nbd", "R4", "the same by nbdkit under FUSE", [], ["--nbd", "--count", "20"], 5),
    ("mutants", "R6 R7", "mutants of the corpus's images, hostile ones among them", ["--count", "4"], ["--count", "200"], 100),
    ("same", "R10", "one digest whatever the workers, blocks, time zone, language, place; subsets of plugins", ["--count", "4"], ["--count", "30"], 6),
    ("flips", "R11", "single bits of ledger, seal, signature, manifest, report, database, export", ["--count", "70"], ["--count", "7000"], 3),
    ("silent", "R8 R9", "what the stock libraries lose without a word is listed or told; listings beside independent tools", ["--count", "1"], ["--count", "4"], 1),
    ("extremes", "R7 R8 R9", "a million names in a folder, 10,000 folders deep, files and media of a petabyte, folders in themselves", ["--count", "5"],
     ["--count", "1000"], 1),
    ("taken", "S1 S3", "a parser that was taken over tries files, network, processes, messages", ["--count", "6"], ["--count", "0"], 1),
    ("inert", "R12 S6 S7 S8", "hostile strings in reports, tables, browser, terminal; exports that climb; evidence as it was; hardening", ["--count", "100"], ["--count", "1000"], 1),
    ("fuzz", "S3 S4 S5", "libFuzzer on every harness of tests/fuzz: messages, plugins, images, volumes, hash sets, parts … (runs)", [], ["--count", "60"], 20),
]


class Results:
    def __init__(self):
        self.path = BUILD + "/campaign/results.jsonl"
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        self.rows = []
        if os.path.exists(self.path):
            with open(self.path) as file:
                self.rows = [json.loads(line) for line in file if line.endswith("\n")]

    def forget(self):
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.rows = []

    def add(self, row):
        self.rows.append(row)
        with open(self.path, "a") as file:
            file.write(json.dumps(row) + "\n")

    def of(self, name, column):
        """The last row of each part."""
        return list({row["seed"]: row for row in self.rows if row["name"] == name and row["column"] == column}.values())

    def has(self, name, column, seed):
        return any(row["seed"] == seed and not row["failed"] for row in self.of(name, column))


def program(name):
    return f"{HERE}/{name.split('-')[0]}.py"


def processor():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def one_part(name, arguments, seed):
    """A part of a campaign: its last line says what came out; then seconds, and those of a processor."""
    begun, used = time.monotonic(), processor()
    run = subprocess.Popen([sys.executable, program(name), *arguments, "--seed", str(seed)], stdout=subprocess.PIPE, text=True,
                           env=dict(os.environ, KVALI=os.environ.get("KVALI", BUILD + "/engine/cli/kvali"),
                                    KVALI_SHIM=os.environ.get("KVALI_SHIM", BUILD + "/tests/campaign/shim.so"),
                                    HOSTILE=BUILD + "/tests/hostile"))
    last = ""
    for line in run.stdout:
        if line.startswith("FAIL") or line.startswith("      kept"):
            print("   ", line.rstrip()[:300], flush=True)
        last = line if line.strip() else last
    code = run.wait()
    try:
        said = json.loads(last)
    except ValueError:
        said = {"tried": 0, "failed": 1, "words": "it ended with " + str(code)}
    return code, said, time.monotonic() - begun, processor() - used


def version():
    said = subprocess.run(["git", "-C", TOP, "describe", "--always", "--dirty"], stdout=subprocess.PIPE, text=True).stdout.strip()
    return said or "unknown"


def work(results, column, only, some, deadline):
    commit = version()
    for name, _, _, ci, release, parts in LIST:
        arguments, count = (ci, 1) if column == "ci" else (release, parts)
        if (only and name not in only) or not arguments:
            continue
        for seed in range(1, count + 1):
            if results.has(name, column, seed) or not some[0] <= seed <= some[1]:
                continue
            if time.monotonic() > deadline:
                return
            print(f"{name} {' '.join(arguments)} --seed {seed}", flush=True)
            code, said, seconds, cpu = one_part(name, arguments, seed)
            if code == 77:
                print("   ", said["words"])
                break
            results.add({"name": name, "column": column, "seed": seed, "arguments": arguments, "commit": commit, "seconds": round(seconds), "cpu": round(cpu),
                         "date": datetime.date.today().isoformat(), **said})
            print(f"    {said['tried']} tried, {said['failed']} failed: {said['words']}", flush=True)


def cell(rows, arguments, parts):
    if not arguments:
        return "–"
    if not rows:
        return "not run"
    tried, failed = sum(row["tried"] for row in rows), sum(row["failed"] for row in rows)
    words = f"{tried:,}, {failed} failed" if failed else f"{tried:,}"
    done = len({row["seed"] for row in rows})
    return words if done >= parts else f"{words} ({done} of {parts} parts)"


def add_up(rows):
    """The counts that the parts told, together."""
    sums, order = {}, []
    for row in rows:
        for part in re.split(r", (?=\d)", row["words"].split("; ")[-1]):
            number, _, key = part.partition(" ")
            if number.isdigit() and key:
                order += [key] if key not in sums else []
                sums[key] = sums.get(key, 0) + int(number)
    return ", ".join(f"{sums[key]:,} {key}" for key in order)


def rows_of_page():
    """What the page says already, of runs whose results lie elsewhere: {name: line}."""
    with open(PAGE) as file:
        return {match[1]: match[0] for match in re.finditer(r"^\| `([a-z-]+)` \|.*$", file.read().partition(BEGIN)[2].partition(END)[0], re.M)}


def table(results):
    known = rows_of_page()
    lines = ["| campaign | plan | what is tried | CI | release: tried | of these | date, commit |", "|---|---|---|--:|--:|---|---|"]
    for name, plan, what, ci, release, parts in LIST:
        done = results.of(name, "release")
        if not done and not results.of(name, "ci") and name in known:
            lines.append(known[name])
            continue
        when = "; ".join(dict.fromkeys(f"{row['date']}, {row['commit']}" for row in done))
        lines.append(f"| `{name}` | {plan} | {what} | {cell(results.of(name, 'ci'), ci, 1)} | {cell(done, release, parts)} | {add_up(done)} | {when} |")
    return "\n".join(lines) + "\n"


def write_page(text):
    with open(PAGE) as file:
        page = file.read()
    begin, end = page.index(BEGIN) + len(BEGIN), page.index(END)
    with open(PAGE, "w") as file:
        file.write(page[:begin] + text + page[end:])


def span(text):
    first, _, last = text.partition("-")
    return int(first), int(last or first)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, prog="kv campaign")
    parser.add_argument("--column", choices=("ci", "release"), default="release")
    parser.add_argument("--only", type=lambda text: text.split(","), help="campaigns of the list, ',' between")
    parser.add_argument("--parts", type=span, default=(1, sys.maxsize), metavar="A-B", help="these parts of each")
    parser.add_argument("--minutes", type=float, default=1e6)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--table", action="store_true")
    args = parser.parse_args()
    unknown = set(args.only or []) - {row[0] for row in LIST}
    if unknown:
        parser.error(f"there is no campaign {', '.join(sorted(unknown))}; there are {', '.join(row[0] for row in LIST)}")
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    results = Results()
    if args.again:
        results.forget()
    try:
        if not args.table:
            work(results, args.column, args.only, args.parts, time.monotonic() + args.minutes * 60)
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on")
    text = table(results)
    print(text)
    write_page(text)
    bad = [row for name, *_ in LIST for row in results.of(name, args.column) if row["failed"]]
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
