#!/usr/bin/env python3
"""features: what a case found of the features planted in the large test image, and what it found in ordinary files.

  bench/features.py recall CASE IMAGE      IMAGE is X.raw with X.features.tsv beside it (../shared/bench/mkimage.py)
  bench/features.py false CASE             a case of ordinary files: records by kind and 100 MB

A planted value counts as found when the case has it with the same normal form. Of those missed it is looked whether their bytes are
in the image at all: generated files are cut, so some values are not there whole, and some are inside what is compressed.
Planted Bitcoin addresses are random text; only those whose checksum fits are valid."""
import hashlib, mmap, re, sqlite3, sys

KINDS = {'email': 'email', 'url': 'url', 'ip': 'ipv4', 'ccn': 'card', 'iban': 'iban', 'btc': 'bitcoin'}
SOUGHT = 20
ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'


def base58check(text):
    number = 0
    for c in text:
        number = number * 58 + ALPHABET.index(c)
    data = number.to_bytes(40, 'big').lstrip(b'\0')
    data = b'\0' * (len(text) - len(text.lstrip('1'))) + data
    return len(data) == 25 and hashlib.sha256(hashlib.sha256(data[:-4]).digest()).digest()[:4] == data[-4:]


def whole_in(image, value):
    """The value's bytes, with no letter or digit beside them that would make it another value."""
    at = image.find(value)
    while at >= 0:
        if not re.match(rb'[A-Za-z0-9]', image[at - 1:at]) and not re.match(rb'[A-Za-z0-9]', image[at + len(value):at + len(value) + 1]):
            return at
        at = image.find(value, at + 1)
    return -1


def recall(case, path):
    db = sqlite3.connect('file:%s/case.db?mode=ro' % case, uri=True)
    planted, invalid = {}, 0
    for line in open(path.rsplit('.', 1)[0] + '.features.tsv'):
        kind, value, _ = line.rstrip('\n').split('\t')
        if kind == 'btc' and not base58check(value):
            invalid += 1
            continue
        planted.setdefault(kind, set()).add(value)
    file = open(path, 'rb')
    image = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
    print('| kind | planted, valid | found | missed | of these whole in the image | other values found |\n|---|--:|--:|--:|--:|--:|')
    for kind in sorted(planted):
        have = {row[0] for row in db.execute('SELECT DISTINCT normal FROM feature WHERE kind = ?', (KINDS[kind],))}
        missed = sorted(value for value in planted[kind] if value not in have)
        places = [(value, whole_in(image, value.encode())) for value in missed[:SOUGHT]]
        there = [place for place in places if place[1] >= 0]
        print('| %s | %d | %d | %d | %d%s | %d |' % (KINDS[kind], len(planted[kind]), len(planted[kind]) - len(missed), len(missed),
              len(there), ' of %d looked for' % SOUGHT if len(missed) > SOUGHT else '', len(have - planted[kind])))
        for value, at in there[:5]:
            print('  missed: %s at %d: %r' % (value, at, image[at - 20:at + len(value) + 20]), file=sys.stderr)
    print('\n%d planted Bitcoin addresses have a wrong checksum; of these the case has %d.' %
          (invalid, len({r[0] for r in db.execute("SELECT normal FROM feature WHERE kind = 'bitcoin'")} - planted.get('btc', set()))))


def false(case):
    db = sqlite3.connect('file:%s/case.db?mode=ro' % case, uri=True)
    size = db.execute("SELECT sum(bytes_read) FROM stream WHERE kind = 'file'").fetchone()[0]
    print('%.1f MB of files\n\n| kind | rank | values | places | places in 100 MB |\n|---|---|--:|--:|--:|' % (size / 1e6))
    for row in db.execute('SELECT kind, rank, count(DISTINCT normal), sum(count) FROM feature GROUP BY kind, rank ORDER BY kind, rank'):
        print('| %s | %s | %d | %d | %.1f |' % (*row, row[3] / size * 1e8))


if len(sys.argv) == 4 and sys.argv[1] == 'recall':
    recall(*sys.argv[2:])
elif len(sys.argv) == 3 and sys.argv[1] == 'false':
    false(sys.argv[2])
else:
    sys.exit(__doc__)
