#!/usr/bin/env python3
"""live_truth: holds a case of the large test image against the image's own truth table.

usage: live_truth.py CASE TRUTH.tsv

Counts the truth's live files that the case has with the right size, MD5, SHA-1 and SHA-256, and names those that it has not.
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
    have = collections.defaultdict(set)
    for path, size, md5, sha1, sha256 in db.execute(
            "SELECT path, size, md5, sha1, sha256 FROM file WHERE live = 1 AND type = 'file' AND sha256 IS NOT NULL"):
        have[path.split("/", 3)[3]].add((size, md5, sha1, sha256))
    right = wrong = 0
    with open(sys.argv[2], encoding="utf-8") as table:
        next(table)
        for line in table:
            part, state, kind, size, md5, sha1, sha256, runs, intact, path = line.rstrip("\n").split("\t")
            if state != "live":
                continue
            if (int(size), md5, sha1, sha256) in have.get(path, ()):
                right += 1
            else:
                wrong += 1
                if wrong <= 10:
                    print(f"not as in the truth: {part} {path} {size} {have.get(path)}")
    print(f"live files of the truth table with the right hashes: {right} of {right + wrong}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
