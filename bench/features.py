#!/usr/bin/env python3
"""features: what a case found in ordinary files: places of each kind in 100 MB. (Planted features: features_truth.py.)

usage: features.py CASE"""
import sqlite3, sys


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    db = sqlite3.connect('file:%s/case.db?mode=ro' % sys.argv[1], uri=True)
    size = db.execute("SELECT sum(bytes_read) FROM stream WHERE kind = 'file'").fetchone()[0]
    print('%.1f MB of files\n\n| kind | rank | values | places | places in 100 MB |\n|---|---|--:|--:|--:|' % (size / 1e6))
    for row in db.execute('SELECT kind, rank, count(DISTINCT normal), sum(count) FROM feature GROUP BY kind, rank ORDER BY kind, rank'):
        print('| %s | %s | %d | %d | %.1f |' % (*row, row[3] / size * 1e8))


if __name__ == '__main__':
    main()
