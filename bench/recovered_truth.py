#!/usr/bin/env python3
"""recovered_truth: holds what a case recovered against the truth table of the large test image (mkimage.py).

usage: recovered_truth.py CASE TRUTH.tsv

For the files that the table calls deleted, or residue of a file system before this one: how many of those that are intact
on the medium the case has by SHA-256, by type; and how many of the recovered objects are a file of the table, by grade.
"""
import collections
import os
import sqlite3
import sys


def main():
    if len(sys.argv) != 3:
        print(__doc__)
        return 2
    db = sqlite3.connect(f"file:{os.path.join(sys.argv[1], 'case.db')}?mode=ro", uri=True)
    named = {row[0] for row in db.execute("SELECT sha256 FROM file WHERE kind <> 'carved' AND sha256 IS NOT NULL")}
    carved = {row[0] for row in db.execute("SELECT sha256 FROM carved WHERE sha256 IS NOT NULL")}
    table = collections.Counter()
    known = set()
    with open(sys.argv[2], encoding="utf-8") as truth:
        next(truth)
        for line in truth:
            part, state, kind, size, md5, sha1, sha256, runs, intact, path = line.rstrip("\n").split("\t")
            known.add(sha256)
            if state == "live" or intact != "yes":
                continue
            how = "by name" if sha256 in named else "carved" if sha256 in carved else "no"
            table[state, kind, how] += 1
    print("intact on the medium\ttype\tby name\tcarved\tnot recovered")
    for state, kind in sorted({key[:2] for key in table}):
        print(state, kind, *(table[state, kind, how] for how in ("by name", "carved", "no")), sep="\t")
    print("\nrecovered objects\tof these a file of the table")
    for grade, total, right in db.execute(
            "SELECT grade, count(*), group_concat(sha256, ' ') FROM carved GROUP BY grade ORDER BY 1"):
        print(grade, total, sum(word in known for word in (right or "").split()), sep="\t")
    return 0


if __name__ == "__main__":
    sys.exit(main())
