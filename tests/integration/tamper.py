#!/usr/bin/env python3
"""tamper: changes a sealed case in every way that a person or a disk would, one change at a time, and asks `kvali verify` and
the commands of the case's own VERIFY.txt whether they see it.

usage: tamper.py CASE CA [--flips N] [--third N] [--records N] [--seed N] [--only WORD,...]

CASE is sealed and has not gone on since; CA are the roots (PEM). --flips: so many random single-bit flips in each of the
ledger (what the newest seal covers of it), the seal, its signature, the manifest, a report and case.db. --third: of these,
so many are shown to VERIFY.txt too, and the changes of one record (all of them by default). Then records of the ledger (--records: so many of them, by chance) are edited, deleted, swapped and cut off,
with the chain left broken and with the chain made anew. --only: of ledger, seal, signature, manifest, lists (the
revocation lists that the seal keeps, where there are any), report, case.db, export, records these, so that several can run beside each other. Prints a line a target; exit 1 when anything was not seen.
"""
import argparse, hashlib, json, os, random, shutil, subprocess, sys, tempfile

parser = argparse.ArgumentParser()
parser.add_argument("case")
parser.add_argument("ca")
parser.add_argument("--flips", type=int, default=1000)
parser.add_argument("--third", type=int, default=None)
parser.add_argument("--records", type=int, default=None)
parser.add_argument("--seed", type=int, default=7)
parser.add_argument("--only", default="ledger,seal,signature,manifest,lists,report,case.db,export,records")
args = parser.parse_args()
only = args.only.split(",")
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../campaign"))
import common # its kvali() loads the program once
rng = random.Random(args.seed)
work = tempfile.mkdtemp(dir=os.environ.get("TMPDIR", "/tmp"))
case = os.path.join(work, "case")
shutil.copytree(args.case, case)
ca = os.path.abspath(args.ca)
seals = sorted(f for f in os.listdir(case + "/seals") if f.endswith(".json"))
newest = seals[-1][:-5]
seal = json.load(open(f"{case}/seals/{newest}.json"))
environment = dict(os.environ, CA=ca, TSA=ca)
page = open(case + "/VERIFY.txt").read()
commands = "\n".join(line[4:] for line in page.split("\n") if line.startswith("    "))
unseen = 0


def verify():
    """Did kvali verify see something? Its words have to say what."""
    run = common.kvali("verify", case, "--ca", ca, "--tsa-ca", ca)
    if run.returncode not in (0, 4):
        print("verify ended with", run.returncode, run.stdout[-300:])
        return False
    return run.returncode == 4 and ("BAD" in run.stdout or run.stdout.startswith("kvali: "))


def third_party():
    run = subprocess.run(["sh"], input=commands.encode(), cwd=case, env=environment, capture_output=True)
    return run.returncode != 0 and b"BAD " in run.stdout


def read(name):
    with open(os.path.join(case, name), "rb") as file:
        return file.read()


def write(name, data):
    with open(os.path.join(case, name), "wb") as file:
        file.write(data)


def restore_side_files():
    for name in ("case.db-wal", "case.db-shm"):
        if os.path.exists(os.path.join(case, name)):
            os.unlink(os.path.join(case, name))


def attempt(name, good, bad, words, with_third=True):
    """Writes `bad`, looks, writes `good` back."""
    global unseen
    write(name, bad)
    seen = verify()
    third = third_party() if with_third else None
    write(name, good)
    restore_side_files()
    if not seen or third is False:
        unseen += 1
        print(f"NOT SEEN by {'VERIFY.txt' if seen else 'verify'}: {name}: {words}")
    return seen, third


def flips(title, name, limit=None):
    good = read(name)
    size = limit if limit is not None else len(good)
    seen = third_seen = third_asked = 0
    for i in range(args.flips):
        bit = rng.randrange(size * 8)
        bad = bytearray(good)
        bad[bit // 8] ^= 1 << bit % 8
        ask = args.third is None or i < args.third
        a, b = attempt(name, good, bytes(bad), f"bit {bit % 8} of byte {bit // 8}", ask)
        seen += a
        third_asked += ask
        third_seen += b is True
    print(f"{title}: verify saw {seen} of {args.flips} flips, VERIFY.txt {third_seen} of {third_asked}", flush=True)


def chained(lines):
    """The ledger with its chain made anew, as an attacker who knows the format would."""
    prev, out = "0" * 64, []
    for number, line in enumerate(lines):
        record = json.loads(line)
        record["prev"], record["seq"] = prev, number
        text = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
        prev = hashlib.sha256(text).hexdigest()
        out.append(text)
    return b"".join(out)


def records():
    good = read("ledger.jsonl")
    lines = good.splitlines(keepends=True)
    sealed = seal["ledger_records"]
    tried = seen = asked = third_seen = 0
    for i in sorted(rng.sample(range(sealed), min(sealed, args.records or sealed))):
        edited = json.loads(lines[i])
        edited["actor"] = "somebody@else"
        edit = json.dumps(edited, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
        ways = {"edited": lines[:i] + [edit] + lines[i + 1:], "deleted": lines[:i] + lines[i + 1:], "cut off from here": lines[:i]}
        if i + 1 < sealed:
            ways["swapped with the next"] = lines[:i] + [lines[i + 1], lines[i]] + lines[i + 2:]
        for way, changed in ways.items():
            for how, bad in (("", b"".join(changed)), (", chain made anew", chained(changed))):
                tried += 1
                ask = args.third is None or asked < 8 * args.third
                a, b = attempt("ledger.jsonl", good, bad, f"record {i + 1} {way}{how}", ask)
                seen += a
                asked += ask
                third_seen += b is True
    print(f"records edited, deleted, swapped, cut off: verify saw {seen} of {tried}, VERIFY.txt {third_seen} of {asked}", flush=True)


try:
    if verify() or third_party():
        sys.exit("the case is not sound before anything was changed")
    restore_side_files()
    targets = {"ledger": ("ledger.jsonl", seal["ledger_bytes"]), "seal": (f"seals/{newest}.json",), "signature": (f"seals/{newest}.p7s",),
               "manifest": (f"seals/{newest}.manifest",),
               "lists": (f"seals/{newest}.crl",),
               "report": ("reports/" + sorted(f for f in os.listdir(case + "/reports") if os.path.isfile(case + "/reports/" + f))[-1],),
               "case.db": ("case.db",)}
    exports = sorted(os.path.relpath(os.path.join(folder, name), case) for folder, _, names in os.walk(case + "/exports") for name in names)
    if exports:
        targets["export"] = (exports[-1],)
    for title, target in targets.items():
        if title in only and os.path.exists(os.path.join(case, target[0])):
            flips(title, *target)
    if "records" in only:
        records()
    if verify() or third_party():
        sys.exit("the case is not sound after everything was put back")
finally:
    shutil.rmtree(work)
print(f"{unseen} changes were not seen")
sys.exit(1 if unseen else 0)
