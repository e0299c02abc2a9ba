#!/usr/bin/env python3
"""features_truth: what a case found of the features planted in the large test image, and why the others were not.

usage: features_truth.py CASE IMAGE       IMAGE is X.raw with X.features.tsv and X.truth.tsv beside it (mkimage.py)

The planted list has every value that was generated, also those that were cut off with the end of a text, or overwritten since. So the
image is searched for them without kvali: grep over its bytes; zlib over every gzip member, deflated zip member and PDF stream that
begins anywhere in it or in a file in several runs; and the joints of the runs. What turns up nowhere is not on the medium. Of
each place that turned up it is asked whether the case has the value there: in the file that the truth table names, or in a
content whose runs hold the place. A record has the first nine offsets; where there are more, its content is enough.
Planted Bitcoin addresses are random text; only those whose checksum fits are valid."""
import bisect, collections, hashlib, json, mmap, os, re, sqlite3, subprocess, sys, tempfile, zlib

KINDS = {'email': 'email', 'url': 'url', 'ip': 'ipv4', 'ccn': 'card', 'iban': 'iban', 'btc': 'bitcoin'}
FORMS = {'url': rb'https?://www\.[a-z0-9.-]+/[a-z]+/[a-z]+\?id=[0-9]+', 'email': rb'[a-z]+\.[a-z]+[0-9]+@[a-z0-9-]+\.[a-z]+',
         'iban': rb'DE[0-9]{20}', 'ccn': rb'4[0-9]{15}', 'ip': rb'[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}',
         'btc': rb'1[1-9A-HJ-NP-Za-km-z]{33}'}
ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
STATES = ('live', 'deleted', 'free')
JOINT = 256


def base58check(text):
    number = 0
    for c in text:
        number = number * 58 + ALPHABET.index(c)
    data = number.to_bytes(40, 'big').lstrip(b'\0')
    data = b'\0' * (len(text) - len(text.lstrip('1'))) + data
    return len(data) == 25 and hashlib.sha256(hashlib.sha256(data[:-4]).digest()).digest()[:4] == data[-4:]


def planted_values(path):
    planted, invalid = collections.defaultdict(set), 0
    for line in open(path):
        kind, value, _ = line.rstrip('\n').split('\t')
        if kind == 'btc' and not base58check(value):
            invalid += 1
        else:
            planted[kind].add(value.encode())
    return planted, invalid


def grep(path, planted):
    """(offset, kind, value) of every planted value in a file that has no letter or digit beside it."""
    sought = b'|'.join(FORMS[kind] for kind in planted)
    run = subprocess.Popen([b'grep', b'-aobE', sought, path.encode()], stdout=subprocess.PIPE, env={'LC_ALL': 'C', 'PATH': os.environ['PATH']})
    for line in run.stdout:
        at, _, value = line.rstrip(b'\n').partition(b':')
        for kind in planted:
            if value in planted[kind]:
                yield int(at), kind, value


def inflated(data, at, bits):
    engine = zlib.decompressobj(bits)
    out = []
    try:
        for begin in range(at, min(at + (64 << 20), len(data)), 1 << 16):
            out.append(engine.decompress(data[begin:begin + (1 << 16)]))
            if engine.eof:
                break
    except zlib.error:
        pass
    return b''.join(out)


def members(data):
    """(offset of the header, what comes out) of everything compressed in it."""
    for match in re.finditer(rb'\x1f\x8b\x08[\0-\x1f]|PK\x03\x04|stream\r?\n', data):
        at = match.start()
        if match.group()[:2] == b'\x1f\x8b':
            out = inflated(data, at, 31)
        elif match.group()[:2] == b'PK':
            head = data[at:at + 30]
            if len(head) < 30 or head[8:10] != b'\x08\0':
                continue
            out = inflated(data, at + 30 + int.from_bytes(head[26:28], 'little') + int.from_bytes(head[28:30], 'little'), -15)
        else:
            out = inflated(data, match.end(), 15)
        if out:
            yield at, out


class Places:
    """Which of many ranges an offset lies in."""

    def __init__(self, ranges):
        self.ranges = sorted(ranges)
        self.begins = [r[0] for r in self.ranges]

    def of(self, at):
        i = bisect.bisect_right(self.begins, at) - 1
        return self.ranges[i][2] if i >= 0 and at < self.ranges[i][1] else None


def truth_files(path):
    """Ranges of live files and of deleted ones that are intact; and those in several runs."""
    ranges, split = [], []
    for line in open(path).readlines()[1:]:
        part, state, kind, size, _, _, _, runs, intact, name = line.rstrip('\n').split('\t')
        if not runs or (state == 'deleted' and intact != 'yes') or state == 'residue':
            continue
        runs = [tuple(map(int, run.split('+'))) for run in runs.split(',')]
        ranges += [(at, at + size_, (state, name)) for at, size_ in runs]
        if len(runs) > 1:
            split.append((state, name, runs, int(size)))
    return Places(ranges), split


def control(image_path, planted, ranges, split):
    """Every place: (kind, value, state, name of the file or None, offset in the image, compressed?)"""
    file = open(image_path, 'rb')
    image = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
    for at, kind, value in grep(image_path, planted):
        state, name = ranges.of(at) or ('free', None)
        yield kind, value, state, name, at, False
    with tempfile.NamedTemporaryFile(dir=os.environ.get('TMPDIR', '/tmp')) as texts:
        begins, about = [], []

        def put(data, what):
            begins.append(texts.tell())
            about.append(what)
            texts.write(data + b'\n')

        for at, out in members(image):
            put(out, ((ranges.of(at) or ('free', None)) + (at, True)))
        for state, name, runs, size in split:
            data = b''.join(image[at:at + length] for at, length in runs)[:size]
            edge = 0
            for _, length in runs[:-1]:
                edge += length
                put(data[max(0, edge - JOINT):edge + JOINT], (state, name, None, False))
            if name.endswith(('gz', 'zip', 'docx', 'pdf')):
                for at, out in members(data):
                    put(out, (state, name, None, True))
        texts.flush()
        for at, kind, value in grep(texts.name, planted):
            what = about[bisect.bisect_right(begins, at) - 1]
            yield (kind, value) + what


def case_rows(case, planted):
    """(kind, value): its rows (path of the content on the medium, unpacked?, offsets, count, place of the first)"""
    db = sqlite3.connect('file:%s/case.db?mode=ro' % case, uri=True)
    rows, kinds = collections.defaultdict(list), {KINDS[kind]: kind for kind in planted}
    paths = {}
    for path, kind, normal, offset, more, count, physical in db.execute('SELECT path, kind, normal, offset, more, count, physical FROM feature'):
        kind = kinds.get(kind)
        value = normal.encode()
        if kind and value in planted[kind]:
            path = paths.setdefault(path, path)
            outer = path.split('!/')[0]
            rows[kind, value].append((paths.setdefault(outer, outer), physical is None and outer != path, [offset] + json.loads(more or '[]'), count, physical))
    runs = {path: json.loads(runs) for path, runs in db.execute("SELECT path, runs FROM stream WHERE runs IS NOT NULL AND path NOT LIKE '%!/%'")}
    return rows, runs


def covers(runs, offsets, count, inside, at):
    """Does a content with these runs have the place, and the record the offset?"""
    base = 0
    for begin, size in runs:
        if begin is not None and begin <= at < begin + size:
            return inside or count > len(offsets) or base + at - begin in offsets
        base += size
    return False


def is_found(rows, runs, name, at, inside):
    for path, child, offsets, count, physical in rows:
        if child != inside:
            continue
        if None not in (at, physical) and offsets[0] + at - physical in offsets: # slack, which has no runs of its own
            return True
        if name is not None and path.split('/', 3)[-1] == name:
            return True
        if at is not None and covers(runs.get(path, ()), offsets, count, inside, at):
            return True
    return False


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    case, image = sys.argv[1:]
    planted, invalid = planted_values(image.rsplit('.', 1)[0] + '.features.tsv')
    ranges, split = truth_files(image.rsplit('.', 1)[0] + '.truth.tsv')
    rows, runs = case_rows(case, planted)
    there, have, places, shown = collections.defaultdict(set), collections.defaultdict(set), collections.Counter(), collections.Counter()
    for kind, value, state, name, at, inside in control(image, planted, ranges, split):
        found = is_found(rows.get((kind, value), ()), runs, name, at, inside)
        there[kind].add(value)
        places[kind, state, inside, found] += 1
        if found:
            have[kind].add(value)
        elif shown[kind, state, inside] < 10:
            shown[kind, state, inside] += 1
            print('missed:', kind, value.decode(), state, 'compressed' if inside else 'plain', name, at,
                  sorted({row[0] for row in rows.get((kind, value), ())})[:3], file=sys.stderr)
    print('| kind | planted, valid | nowhere on the medium | on the medium | of these found at a right place | found, but not by the control |')
    print('|---|--:|--:|--:|--:|--:|')
    for kind in sorted(planted):
        known = {value for k, value in rows if k == kind}
        print('| %s | %d | %d | %d | %d | %d |' % (KINDS[kind], len(planted[kind]), len(planted[kind] - there[kind]), len(there[kind]),
                                                    len(have[kind]), len(known - there[kind])))
    print('\n| kind | %s |\n|---|%s' % (' | '.join('%s, %s: found of places' % (state, how) for state in STATES for how in ('plain', 'compressed')),
                                       '--:|' * 6))
    for kind in sorted(planted):
        cells = []
        for state in STATES:
            for inside in (False, True):
                good = places[kind, state, inside, True]
                cells.append('%d of %d' % (good, good + places[kind, state, inside, False]))
        print('| %s | %s |' % (KINDS[kind], ' | '.join(cells)))
    print('\n%d planted Bitcoin addresses have a wrong checksum.' % invalid)


if __name__ == '__main__':
    main()
