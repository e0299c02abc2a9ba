#!/usr/bin/env python3
"""yara_equal: what kvali says of YARA rules against what the yara command says, and what each of them costs.

usage: yara_equal.py KVALI RULES EVIDENCE... [--runs N] [--keep FOLDER]

1. kvali scans EVIDENCE (images or folders) with the rules of the folder RULES alone; all contents that are no free
   space are exported, each once, named by their SHA-256.
2. `yara -s -L -e -w` scans the exported contents with the same rules. Compared are the pairs (content, rule), how often
   the strings match and, of those that kvali stores, where. Differences are listed; they are a failure.
3. With --runs: the CPU time of `yara -r -p 2 -C` with compiled rules over the exported contents against that of
   kvali with the plugin yara over the same folder, less what it takes without it; N times each, one after the other.

Rules that ask for a content's name, place or state (filename, filepath, extension, filetype, owner, size, deleted) have no
answer in step 2, where every content has one value of them; they are counted and left out.
"""
import argparse
import collections
import json
import os
import re
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile

VARIABLES = ["filename", "filepath", "extension", "filetype", "owner", "md5"]
ASKS = re.compile(r"\b(" + "|".join(VARIABLES + ["size", "deleted"]) + r")\b")
RULE = re.compile(r"^[ \t]*(?:(?:private|global)[ \t]+)*rule[ \t\n]+(\w+)(.*?)(?=^[ \t]*(?:(?:private|global)[ \t]+)*rule[ \t\n]|\Z)",
                  re.S | re.M)


def defines():
    values = [f"{name}=" for name in VARIABLES] + ["size=0", "deleted=false"]
    return [word for value in values for word in ("-d", value)]


def rule_files(folder):
    """(namespace, path), as kvali names them."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        for name in sorted(names):
            if name.lower().endswith((".yar", ".yara", ".rule")) and not name.startswith("."):
                path = os.path.join(place, name)
                yield os.path.splitext(os.path.relpath(path, folder))[0], path


def asking(files):
    """Rules whose condition may ask for more than the content: by text, with some to spare."""
    found = set()
    for space, path in files:
        with open(path, encoding="utf-8", errors="replace") as stream:
            text = stream.read()
        for name, body in RULE.findall(text):
            condition = body.rpartition("condition")[2]
            if ASKS.search(re.sub(r'"(\\.|[^"\\])*"', '""', condition)):
                found.add((space, name))
    return found


def cpu(command, **more):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, **more)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def process(kvali, evidence, case, rules, plugins):
    shutil.rmtree(case, ignore_errors=True)
    done, seconds = cpu([kvali, "process", *evidence, "--case", case, "--plugins", plugins, "--rules", rules,
                         "--no-default-rules", "--quiet"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode not in (0, 1):
        sys.exit(f"kvali ended with {done.returncode}: {done.stdout.decode('utf-8', 'replace')}")
    return seconds


def from_case(case, skip):
    """{(sha256, "namespace:rule"): (count, [(string, offset, length)])} of contents that were exported."""
    db = sqlite3.connect(f"file:{case}/case.db?mode=ro", uri=True)
    out = db.execute("SELECT count(*) FROM run_loaded WHERE kind = 'left out' OR problem IS NOT NULL").fetchone()[0]
    if out:
        sys.exit(f"{out} rules or files are left out: the yara command would not take them; choose others")
    found = {}
    rows = db.execute("SELECT DISTINCT f.sha256, m.namespace, m.rule, m.string_count, m.strings FROM match m JOIN file f "
                      "USING (stream) WHERE f.kind <> 'free' AND f.sha256 IS NOT NULL")
    for sha256, space, rule, count, strings in rows:
        if (space, rule) not in skip:
            found[sha256, f"{space}:{rule}"] = (count, [(s["id"], s["offset"], s["length"]) for s in json.loads(strings)])
    limited = db.execute("SELECT count(*) FROM fault WHERE plugin = 'yara'").fetchone()[0]
    return found, limited


def from_yara(files, folder, skip):
    found = {}
    command = ["yara", "-r", "-s", "-L", "-e", "-w", *defines(), *(f"{space}:{path}" for space, path in files), folder]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    strings = None
    for line in done.stdout.splitlines():
        hit = re.match(rb"0x([0-9a-f]+):([0-9]+):(\$\w*): ", line)
        head = None if hit else re.match(rb"(\S+) (\S+/([0-9a-f]{64}))$", line)
        if hit and strings is not None:
            strings.append((hit[3].decode(), int(hit[1], 16), int(hit[2])))
        elif head:
            space, _, rule = head[1].decode().rpartition(":")
            strings = None if (space, rule) in skip else []
            if strings is not None:
                found[head[3].decode(), f"{space}:{rule}"] = strings
    return found


def compare(ours, theirs):
    wrong = collections.Counter()
    for key in sorted(set(ours) | set(theirs)):
        if key not in theirs:
            problem = "kvali alone"
        elif key not in ours:
            problem = "yara alone"
        elif ours[key][0] != len(theirs[key]):
            problem = "number of strings"
        elif not set(ours[key][1]) <= set(theirs[key]):
            problem = "place of strings"
        else:
            continue
        wrong[problem] += 1
        if sum(wrong.values()) <= 20:
            print("differs:", problem, *key)
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("kvali")
    parser.add_argument("rules")
    parser.add_argument("evidence", nargs="+")
    parser.add_argument("--runs", type=int, default=0)
    parser.add_argument("--keep")
    arguments = parser.parse_args()
    kvali, rules = os.path.realpath(arguments.kvali), os.path.realpath(arguments.rules)
    work = arguments.keep or tempfile.mkdtemp(prefix="kvali-yara-", dir="/var/tmp")
    os.makedirs(work, exist_ok=True)
    case, contents = os.path.join(work, "case"), os.path.join(work, "contents")
    files = list(rule_files(rules))
    skip = asking(files)
    process(kvali, arguments.evidence, case, rules, "digest,yara")
    if not os.path.isdir(contents):
        for kind in ("file", "ads", "meta", "slack", "raw"):
            subprocess.run([kvali, "export", case, "--kind", kind, "--quiet"], stdout=subprocess.DEVNULL)
        os.rename(os.path.join(case, "exports"), contents)
    for name in os.listdir(contents):
        if name.startswith("index-"):
            os.unlink(os.path.join(contents, name))
    ours, limited = from_case(case, skip)
    there = {name for _, _, names in os.walk(contents) for name in names}
    ours = {key: value for key, value in ours.items() if key[0] in there}
    theirs = from_yara(files, contents, skip)
    wrong = compare(ours, theirs)
    print(f"{len(there)} contents, {len(files)} rule files, {len(skip)} rules left out; pairs: kvali {len(ours)}, yara "
          f"{len(theirs)}; differences: {sum(wrong.values())} {dict(wrong) or ''}; faults of yara's: {limited}")
    if arguments.runs:
        compiled = os.path.join(work, "compiled")
        subprocess.run(["yarac", "-w", *defines(), *(f"{space}:{path}" for space, path in files), compiled], check=True,
                       stdout=subprocess.DEVNULL)
    for n in range(arguments.runs):
        base = process(kvali, [contents], case, rules, "digest")
        full = process(kvali, [contents], case, rules, "digest,yara")
        peer = cpu(["yara", "-r", "-p", "2", "-w", "-C", compiled, contents], stdout=subprocess.DEVNULL)[1]
        print(f"run {n + 1}: yara -r -p 2 -C {peer:.1f} s of CPU; kvali with digest and yara {full:.1f}, with digest alone "
              f"{base:.1f}, so {full - base:.1f}: {(full - base) / peer:.2f}, the whole job {full / peer:.2f}")
    if not arguments.keep:
        shutil.rmtree(work)
    return 1 if wrong or limited else 0


sys.exit(main())
