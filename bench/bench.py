#!/usr/bin/env python3
"""bench: kvali beside the tools that labs script, on one image, one after the other, in rounds. `./kv bench` installs the tools and runs it.

usage: bench.py [--kvali KVALI] [--gib N | --image PATH] [--cores 1,2] [--rounds N] [--rules PATH] [--only WORD,...]
                [--peer 'NAME=COMMAND'] [--work FOLDER] [--out FOLDER]

--gib: the image of ../shared/bench/mkimage.py (KVALI_MKIMAGE names another maker) of so many GiB, made once in --work; --image: any raw
image. --rules: a folder of .yar files or one, for kvali and yara alike (rules/yara otherwise). --cores: kvali with so many workers, on so
many cores. --only: steps whose name begins with one of these. --peer: another tool; {image}, {out} (a new folder) and {files} (what
tsk_recover extracted) are put in. What is not installed is left out and named.

Each step runs after the image was read once, so that it is in the page cache. Wall: by the clock. CPU: user and system of all processes.
Memory: the largest sum of the resident memory of its processes, looked at five times a second. KVALI_BENCH_HOLD: a program that is
called with begin and end around each run, where other work can be made to wait. Writes bench.json (everything), bench.txt (the
tables) and bench-cpu.svg, bench-wall.svg, bench-cores.svg into --out; medians of the rounds."""
import argparse, glob, html, json, os, platform, re, shlex, shutil, sqlite3, statistics, subprocess, sys, tempfile, time

from measure import COLOURS, KVALI_COLOUR, measure, svg

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--kvali", default=TOP + "/build/engine/cli/kvali")
parser.add_argument("--gib", type=float, default=4)
parser.add_argument("--image")
parser.add_argument("--cores", default="")
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--rules", default=TOP + "/rules/yara")
parser.add_argument("--only", default="")
parser.add_argument("--peer", action="append", default=[])
parser.add_argument("--work")
parser.add_argument("--out", default=".")
args = parser.parse_args()
os.makedirs(args.out, exist_ok=True)
if args.work:
    os.makedirs(args.work, exist_ok=True)
work = tempfile.mkdtemp(prefix="kvali-bench-", dir=args.work or "/var/tmp")
all_cores = os.cpu_count() or 1


# ---------------------------------------------------------------- the image


def made_image():
    image = f"{args.work or '/var/tmp'}/kvali-bench-{args.gib:g}.raw"
    maker = os.environ.get("KVALI_MKIMAGE", TOP + "/../shared/bench/mkimage.py")
    if not os.path.exists(image + ".done"):
        if not os.path.exists(maker):
            sys.exit(f"bench: there is no {maker} to make an image with: give --image PATH")
        print(f"bench: making {image}", file=sys.stderr)
        subprocess.run([sys.executable, maker, image, "--gib", f"{args.gib:g}"], check=True, stdout=subprocess.DEVNULL)
        open(image + ".done", "w").close()
    return image


image = os.path.abspath(args.image) if args.image else made_image()
size = os.path.getsize(image)


def file_systems():
    """Where each begins, in sectors; [0] when there is no table."""
    table = subprocess.run(["mmls", "-a", image], capture_output=True, text=True)
    found = [int(m[1]) for m in re.finditer(r"^\d+:\s+\S+\s+(\d+)", table.stdout, re.M)]
    known = [o for o in found if subprocess.run(["fsstat", "-t", "-o", str(o), image], capture_output=True).returncode == 0]
    return known or [0]


# ---------------------------------------------------------------- the steps

steps, missing = [], []


class Step:
    """`group`: which comparison it belongs to; `found`: what it found, after a run."""

    def __init__(self, name, group, command, found, cores=None, prepare=None):
        self.name, self.group, self.command, self.found, self.cores, self.prepare = name, group, command, found, cores, prepare
        self.runs, self.says = [], ""


def script(text, **names):
    for name, value in dict(names, image=image, work=work).items():
        text = text.replace("{" + name + "}", shlex.quote(str(value)))
    return ["bash", "-c", "set -o pipefail; " + text]


def count_files(folder, but=()):
    return sum(len([n for n in names if n not in but]) for _, _, names in os.walk(folder))


def lines(path):
    with open(path, "rb") as file:
        return sum(1 for _ in file)


def peer(tool, name, group, command, found, prepare=None):
    if shutil.which(tool):
        steps.append(Step(name, group, command, found, prepare=prepare))
    else:
        missing.append(tool)


def fresh(*names):
    def clear():
        for name in names:
            shutil.rmtree(f"{work}/{name}", ignore_errors=True)
            if os.path.isfile(f"{work}/{name}"):
                os.unlink(f"{work}/{name}")

    return clear


def peers():
    offsets = file_systems() if shutil.which("mmls") else [0]
    rules = sorted(glob.glob(args.rules + "/**/*.yar", recursive=True)) if os.path.isdir(args.rules) else [args.rules]
    each = "; ".join(f"mkdir {{work}}/files/{o}; tsk_recover -e -o {o} {{image}} {{work}}/files/{o}" for o in offsets)
    unallocated = " && ".join(f"blkls -o {o} {{image}} >>{{work}}/free.raw" for o in offsets)
    peer("hashdeep", "hashdeep of the image", "list", script("hashdeep -c md5,sha1,sha256 {image}"), lambda: "1 image")
    peer("tsk_recover", "tsk_recover -e", "list", script("mkdir {work}/files; " + each), lambda: f"{count_files(work + '/files'):,} files", fresh("files"))
    peer("hashdeep", "hashdeep -r", "list", script("hashdeep -c md5,sha1,sha256 -r -s {work}/files >{work}/hashes"),
         lambda: f"{lines(work + '/hashes') - 5:,} files")
    if shutil.which("yarac"):
        names = [f"{os.path.relpath(r, args.rules) if os.path.isdir(args.rules) else os.path.basename(r)}:{r}" for r in rules]
        variables = [x for n in ("filename", "filepath", "extension", "filetype", "owner") for x in ("-d", n + "=")]
        made = subprocess.run(["yarac", "-w", *variables, *names, work + "/rules.yarc"], capture_output=True, text=True)
        if made.returncode:
            print("bench: yarac:", made.stderr[:300], file=sys.stderr)
    if os.path.exists(work + "/rules.yarc"):
        peer("yara", f"yara -r -p {all_cores}", "all", script(f"yara -w -r -p {all_cores} -C {{work}}/rules.yarc {{work}}/files >{{work}}/matches"),
             lambda: f"{lines(work + '/matches'):,} matches")
    peer("file", "file", "all", script("find {work}/files -type f -print0 | xargs -0 file --brief --mime-type >{work}/types"),
         lambda: f"{lines(work + '/types'):,} types")
    peer("blkls", "blkls", "all", script(unallocated), lambda: f"{os.path.getsize(work + '/free.raw') >> 20:,} MiB", fresh("free.raw"))
    peer("foremost", "foremost", "all", script("foremost -Q -t all -i {work}/free.raw -o {work}/foremost"),
         lambda: f"{count_files(work + '/foremost', ('audit.txt',)):,} objects", fresh("foremost"))
    if os.path.exists("/etc/scalpel/scalpel.conf"):
        rows = re.sub(r"(?m)^#([ \t]+[A-Za-z0-9]+[ \t]+[yn][ \t]+[0-9])", r"\1", open("/etc/scalpel/scalpel.conf").read())
        open(work + "/scalpel.conf", "w").write(rows)
    peer("scalpel", "scalpel -p", "all", script("scalpel -p -c {work}/scalpel.conf -o {work}/scalpel {work}/free.raw"),
         lambda: f"{sum(1 for l in open(work + '/scalpel/audit.txt') if re.match(r'[0-9]+[.]', l)):,} would-be objects", fresh("scalpel"))
    peer("photorec", "photorec", "all", script("photorec /d {work}/photorec /cmd {work}/free.raw partition_none,options,fileopt,everything,enable,search"),
         lambda: f"{sum(count_files(f, ('report.xml',)) for f in glob.glob(work + '/photorec*')):,} objects",
         lambda: [shutil.rmtree(f) for f in glob.glob(work + "/photorec*")])
    peer("bulk_extractor", "bulk_extractor", "features", script(f"bulk_extractor -j {all_cores} -o {{work}}/be {{image}}"),
         lambda: f"{sum(lines(f) for f in glob.glob(work + '/be/*.txt')):,} lines", fresh("be"))
    peer("fiwalk", "fiwalk", "other", script("fiwalk -X {work}/fiwalk.xml {image}"),
         lambda: f"{open(work + '/fiwalk.xml', errors='replace').read().count('<fileobject'):,} entries", fresh("fiwalk.xml"))
    peer("tsk_loaddb", "tsk_loaddb -h", "other", script("tsk_loaddb -h -d {work}/tsk.db {image}"), loaded, fresh("tsk.db"))
    for text in args.peer:
        name, _, command = text.partition("=")
        steps.append(Step(name, "other", script(command, out=work + "/peer", files=work + "/files"), lambda: f"{count_files(work + '/peer'):,} files",
                          prepare=lambda: (fresh("peer")(), os.mkdir(work + "/peer"))))


def loaded():
    return f"{sqlite3.connect(work + '/tsk.db').execute('SELECT count(*) FROM tsk_files').fetchone()[0]:,} entries"


def case_found():
    db = sqlite3.connect(f"file:{work}/case/case.db?mode=ro", uri=True)
    one = lambda sql: db.execute(sql).fetchone()[0]
    says = [f"{one('SELECT count(*) FROM t_entry'):,} entries"]
    for words, sql in (("hashed", "SELECT count(*) FROM file WHERE sha256 IS NOT NULL"), ("matches", "SELECT count(*) FROM match"),
                       ("types", "SELECT count(*) FROM file WHERE mime IS NOT NULL"), ("recovered", "SELECT count(*) FROM carved"),
                       ("features", "SELECT count(*) FROM feature"), ("faults", "SELECT count(*) FROM fault")):
        try:
            if count := one(sql):
                says.append(f"{count:,} {words}")
        except sqlite3.Error:
            pass # a plugin that never ran
    return ", ".join(says)


def kvali(name, group, *options, cores=None):
    command = [args.kvali, "process", image, "--type", "raw", "--case", work + "/case", "--quiet", *options]
    if cores:
        command = ["taskset", "-c", f"0-{cores - 1}", *command, "--jobs", str(cores)]
    steps.append(Step(name, group, command, case_found, cores, fresh("case")))


def ours():
    rules = [] if os.path.samefile(args.rules, TOP + "/rules/yara") else ["--no-default-rules", "--rules", args.rules]
    plugins = "digest,filetype,yara,carve"  # what the pipeline does
    kvali("kvali: list and hash", "kvali list", "--plugins", "digest")
    plugins_all = ["--plugins", plugins, "--set", "filetype.detail=type", *rules]
    kvali("kvali: all but features", "kvali all", *plugins_all)
    kvali("kvali: with features", "kvali features", "--plugins", plugins + ",features,keywords,unpack", *plugins_all[2:])
    kvali("kvali: triage", "kvali other", "--profile", "triage")
    for cores in [int(c) for c in args.cores.split(",") if c]:
        if cores > all_cores:
            print(f"bench: --cores {cores}: this machine has {all_cores}", file=sys.stderr)
            continue
        kvali(f"kvali: list and hash, {cores} cores", "cores", "--plugins", "digest", cores=cores)
        kvali(f"kvali: all but features, {cores} cores", "cores", *plugins_all, cores=cores)


def run_all():
    for number in range(args.rounds):
        for step in steps:
            if step.prepare:
                step.prepare()
            subprocess.run(["cat", image], stdout=subprocess.DEVNULL)
            run = measure(step.command, work + "/log")
            code = run["exit"]
            step.runs.append(run)
            try:
                step.says = step.found()
            except (OSError, sqlite3.Error) as error:
                step.says = f"failed: {error}"
            if code not in (0, 1):
                step.says += f" (exit {code}: {open(work + '/log', errors='replace').read()[-160:].strip()})"
            print(f"round {number + 1}: {step.name}: {run['wall']:.1f} s, CPU {run['cpu']:.1f} s, {step.says}", file=sys.stderr, flush=True)


# ---------------------------------------------------------------- what came out


def median(step, what):
    return statistics.median(run[what] for run in step.runs)


def total(groups, what):
    return sum(median(s, what) for s in steps if s.group in groups)


def version(command):
    try:
        out = subprocess.run(command, capture_output=True, text=True, timeout=20)
        return (out.stdout + out.stderr).strip().split("\n")[0]
    except (OSError, subprocess.TimeoutExpired):
        return "?"


def machine():
    info = open("/proc/cpuinfo").read()
    model = re.search(r"model name\s*:\s*(.*)", info)
    memory = re.search(r"MemTotal:\s*(\d+)", open("/proc/meminfo").read())
    packages = version(["dpkg-query", "-W", "-f", "${Package} ${Version}, ", "hashdeep", "sleuthkit", "yara", "file", "foremost", "scalpel", "testdisk"])
    return {"processor": model[1] if model else platform.machine(), "cores": all_cores, "memory_gib": round(int(memory[1]) / 2**20, 1) if memory else None,
            "kernel": platform.release(), "kvali": version([args.kvali, "--version"]), "peers": packages.rstrip(", "), "not_installed": sorted(set(missing)),
            "image": os.path.basename(image), "image_bytes": size, "rules": os.path.relpath(args.rules, TOP) if args.rules.startswith(TOP) else os.path.basename(args.rules),
            "rounds": args.rounds, "date": time.strftime("%Y-%m-%d", time.gmtime())}


def ratios():
    goals = [("list and hash", "kvali list", ("list",), 0.40, 0.35), ("all but features", "kvali all", ("list", "all"), 0.45, 0.35)]
    if any(s.group == "features" for s in steps):
        goals.append(("with features", "kvali features", ("list", "all", "features"), 0.15, None))
    out = []
    for name, mine, theirs, cpu, wall in goals:
        failed = [s.name for s in steps if s.group in (mine, *theirs) and any(run["exit"] not in (0, 1) for run in s.runs)]
        if failed:
            out.append({"what": name, "failed": failed})
        elif total((mine,), "cpu") and total(theirs, "cpu"):
            out.append({"what": name, "cpu": total((mine,), "cpu") / total(theirs, "cpu"), "cpu_goal": cpu,
                        "wall": total((mine,), "wall") / total(theirs, "wall"), "wall_goal": wall,
                        "against": [s.name for s in steps if s.group in theirs]})
    return out


def table(facts, compared, load):
    rows = [("", "wall s", "CPU s", "MiB", "MB/s", "found")]
    for s in steps:
        rows.append((s.name, f"{median(s, 'wall'):.1f}", f"{median(s, 'cpu'):.1f}", f"{median(s, 'mib'):.0f}",
                     f"{size / 1e6 / median(s, 'wall'):.0f}", s.says))
    width = [max(len(r[i]) for r in rows) for i in range(5)]
    text = [f"{k}: {', '.join(v) if isinstance(v, list) else v}" for k, v in facts.items() if v not in ([], None)]
    text += [f"load when it began and ended: {load[0]:.1f}, {load[1]:.1f}", "",
             *("  ".join([r[0].ljust(width[0]), *(r[i].rjust(width[i]) for i in range(1, 5)), r[5]]) for r in rows), ""]
    for r in compared:
        if "failed" in r:
            text.append(f"{r['what']}: not compared, for there failed: {', '.join(r['failed'])}")
            continue
        goal = f" (goal {r['cpu_goal']:.2f})", f" (goal {r['wall_goal']:.2f})" if r["wall_goal"] else ""
        text.append(f"{r['what']}: CPU {r['cpu']:.2f}{goal[0]}, wall {r['wall']:.2f}{goal[1]} of {' + '.join(r['against'])}")
    for name in ("list and hash", "all but features"):
        walls = {s.cores: median(s, "wall") for s in steps if s.cores and name in s.name}
        if len(walls) > 1:
            few = min(walls)
            text.append(f"{name}: " + ", ".join(f"{few} to {n} cores {walls[few] / w:.2f} times" for n, w in sorted(walls.items()) if n != few))
    return "\n".join(text) + "\n"


def bars(title, what):
    """Peers stacked beside kvali, one bar a comparison."""
    sets = [("list and hash: peers", ("list",)), ("list and hash: kvali", ("kvali list",)), ("all but features: peers", ("list", "all")),
            ("all but features: kvali", ("kvali all",))]
    if any(s.group == "features" for s in steps):
        sets.append(("with features: peers", ("list", "all", "features")))
    sets.append(("with features: kvali", ("kvali features",)))
    sets = [(n, [s for s in steps if s.group in g]) for n, g in sets]
    sets = [(n, group) for n, group in sets if group]
    most = max((sum(median(s, what) for s in group) for _, group in sets), default=0) or 1
    colours, parts, y = {}, [], 44
    for name, group in sets:
        x, all_of_it = 200, sum(median(s, what) for s in group)
        parts.append(f'<text x="190" y="{y + 17}" text-anchor="end">{html.escape(name)}</text>')
        for s in group:
            wide = 480 * median(s, what) / most
            colour = KVALI_COLOUR if s.group.startswith("kvali") else colours.setdefault(s.name, COLOURS[len(colours) % len(COLOURS)])
            parts.append(f'<rect x="{x:.1f}" y="{y}" width="{max(wide, 0.5):.1f}" height="24" fill="{colour}"><title>{html.escape(s.name)}: {median(s, what):.1f} s</title></rect>')
            x += wide
        parts.append(f'<text x="{x + 6:.1f}" y="{y + 17}">{all_of_it:.1f} s</text>')
        y += 34
    y += 12
    for i, (name, colour) in enumerate([*colours.items(), ("kvali", KVALI_COLOUR)]):
        parts.append(f'<rect x="{200 + i % 3 * 190}" y="{y + i // 3 * 20}" width="12" height="12" fill="{colour}"/>'
                     f'<text x="{218 + i % 3 * 190}" y="{y + 11 + i // 3 * 20}">{html.escape(name)}</text>')
    return svg(title, 780, y + (len(colours) // 3 + 1) * 20 + 12, parts)


def scaling():
    parts, left, top, wide, high = [], 60, 50, 560, 300
    lines_of = {name: sorted((s.cores, median(s, "wall")) for s in steps if s.cores and name in s.name) for name in ("list and hash", "all but features")}
    lines_of = {n: points for n, points in lines_of.items() if len(points) > 1}
    if not lines_of:
        return None
    most = max(c for points in lines_of.values() for c, _ in points)
    place = lambda cores, speed: (left + wide * cores / most, top + high - high * speed / most)
    for n in range(0, most + 1, max(1, most // 8)):
        x, y = place(n, n)
        parts.append(f'<line x1="{left}" x2="{left + wide}" y1="{y:.0f}" y2="{y:.0f}" stroke="#e2e6ea"/><text x="{left - 8}" y="{y + 4:.0f}" text-anchor="end">{n}</text>'
                     f'<text x="{x:.0f}" y="{top + high + 18}" text-anchor="middle">{n}</text>')
    parts.append(f'<line x1="{left}" y1="{top + high}" x2="{left + wide}" y2="{top}" stroke="#9aa5b1" stroke-dasharray="4 4"/>')
    for i, (name, points) in enumerate(lines_of.items()):
        few, base = points[0]
        at = [place(c, few * base / w) for c, w in points]
        colour = [KVALI_COLOUR, "#1f4e79"][i]
        parts.append(f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in at)}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/><text x="{x - 8:.1f}" y="{y - 8:.1f}" text-anchor="end">{few * base / w:.2f}</text>'
                  for (x, y), (_, w) in zip(at, points)]
        parts.append(f'<rect x="{left + 20}" y="{top + 6 + i * 20}" width="12" height="12" fill="{colour}"/><text x="{left + 38}" y="{top + 17 + i * 20}">{name}</text>')
    parts.append(f'<text x="{left + wide / 2}" y="{top + high + 38}" text-anchor="middle">cores (dashed: as many times as fast)</text>')
    return svg("kvali: how many times as fast with more cores", 680, 400, parts)


def write(name, text):
    with open(os.path.join(args.out, name), "w") as file:
        file.write(text)


try:
    peers()
    ours()
    if args.only:
        steps = [s for s in steps if s.name.startswith(tuple(args.only.split(",")))]
    began = os.getloadavg()[0]
    run_all()
    facts, compared, load = machine(), ratios(), (began, os.getloadavg()[0])
    write("bench.json", json.dumps({"machine": facts, "load": load, "ratios": compared, "steps": [
        {"name": s.name, "group": s.group, "cores": s.cores, "found": s.says, "runs": s.runs} for s in steps]}, indent=1) + "\n")
    write("bench.txt", table(facts, compared, load))
    write("bench-cpu.svg", bars(f"CPU seconds, image of {size / 2**30:.1f} GiB", "cpu"))
    write("bench-wall.svg", bars(f"Wall seconds, image of {size / 2**30:.1f} GiB, {all_cores} cores", "wall"))
    if chart := scaling():
        write("bench-cores.svg", chart)
    print(table(facts, compared, load), end="")
finally:
    shutil.rmtree(work, ignore_errors=True)
