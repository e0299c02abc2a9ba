#!/usr/bin/env python3
"""featureset: texts with features that are valid and with near-misses, and what a case found of both.

usage: featureset.py make FOLDER [SEED]     200 of each, in UTF-8, UTF-16LE and UTF-16BE, and FOLDER.truth beside it
       featureset.py score CASE FOLDER

Check digits are computed here, not by kvali. Precision counts what a case found of these kinds in the folder: right, or not."""
import hashlib, os, random, sqlite3, sys

B58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
EACH = 200


def luhn(digits):
    total = 0
    for i, c in enumerate(reversed(digits)):
        n = int(c) * (2 if i % 2 == 0 else 1)
        total += n - 9 if n > 9 else n
    return digits + str(-total % 10)


def other_last(text, alphabet):
    return text[:-1] + alphabet[(alphabet.index(text[-1]) + 1) % len(alphabet)]


def digits(r, n):
    return ''.join(r.choice('0123456789') for _ in range(n))


def card(r):
    good = luhn(r.choice(('4', '51', '53')).ljust(2, '7') + digits(r, 13))
    return good, other_last(good, '0123456789')


def iban(r):
    body = ''.join(r.choice('ABCDEFGHKLMNPRSTUVWXYZ') for _ in range(2)) + digits(r, 16)
    check = 98 - int(''.join(str(int(c, 36)) for c in body + 'GE00')) % 97
    good = 'GE%02d%s' % (check, body)
    return good, other_last(good, '0123456789')


def bitcoin(r):
    data = b'\0' + r.randbytes(20)
    data += hashlib.sha256(hashlib.sha256(data).digest()).digest()[:4]
    number, out = int.from_bytes(data, 'big'), ''
    while number:
        number, rest = divmod(number, 58)
        out = B58[rest] + out
    good = '1' * (len(data) - len(data.lstrip(b'\0'))) + out
    return good, other_last(good, B58)


def email(r):
    name = 'user%d' % r.randrange(10 ** 6)
    return name + '@mail%d.com' % r.randrange(99), r.choice((name + '@localhost', name + '@@mail.com', name + '@mail.notatld', name + '@3.14'))


def url(r):
    path = '/p/%d' % r.randrange(10 ** 6)
    return 'https://site%d.org%s' % (r.randrange(99), path), r.choice(('htp://site.org' + path, 'https:/site.org' + path, 'nosuch://x.org' + path))


def ipv4(r):
    good = '.'.join(str(r.randrange(20, 250)) for _ in range(4))
    return good, r.choice((good + '.7', '3%02d.%s' % (r.randrange(100), good.split('.', 1)[1]), good.rsplit('.', 1)[0], 'v' + good))


def mac(r):
    pairs = ['%02x' % r.randrange(1, 255) for _ in range(6)]
    return ':'.join(pairs), r.choice((':'.join(pairs + ['7f']), ':'.join(pairs[:5]), ':'.join(pairs[:5] + ['g7'])))


def imei(r):
    good = luhn('35' + digits(r, 12))
    return 'IMEI: ' + good, 'IMEI: ' + other_last(good, '0123456789')


MAKERS = {'card': card, 'iban': iban, 'bitcoin': bitcoin, 'email': email, 'url': url, 'ipv4': ipv4, 'mac': mac, 'imei': imei}


def make(folder, seed):
    r = random.Random(seed)
    os.makedirs(folder)
    with open(folder + '.truth', 'w') as truth:
        for kind, maker in MAKERS.items():
            lines = []
            for _ in range(EACH):
                good, bad = maker(r)
                lines += ['noted %s then,' % good, 'noted %s then,' % bad]
                truth.write('%s\t%s\n' % (kind, good.split()[-1]))
            r.shuffle(lines)
            for code in ('utf-8', 'utf-16-le', 'utf-16-be'):
                with open('%s/%s.%s.txt' % (folder, kind, code), 'wb') as file:
                    file.write('\n'.join(lines).encode(code))


def score(case, folder):
    wanted = {}
    for line in open(folder + '.truth'):
        kind, value = line.rstrip('\n').split('\t')
        wanted.setdefault(kind, set()).add(value)
    db = sqlite3.connect('file:%s/case.db?mode=ro' % case, uri=True)
    print('| kind | encoding | planted | found | other values of the kind found |\n|---|---|--:|--:|--:|')
    for kind, values in wanted.items():
        for code in ('utf-8', 'utf-16-le', 'utf-16-be'):
            have = {row[0] for row in db.execute('SELECT normal FROM feature WHERE kind = ? AND path LIKE ?', (kind, '%%%s.%s.txt' % (kind, code)))}
            others = sorted(have - values)
            print('| %s | %s | %d | %d | %d |' % (kind, code, len(values), len(have & values), len(others)))
            if others or values - have:
                print(kind, code, 'others', others[:4], 'missed', sorted(values - have)[:4], file=sys.stderr)


if __name__ == '__main__':
    if len(sys.argv) in (3, 4) and sys.argv[1] == 'make':
        make(sys.argv[2], int((sys.argv + ['1'])[3]))
    elif len(sys.argv) == 4 and sys.argv[1] == 'score':
        score(*sys.argv[2:])
    else:
        sys.exit(__doc__)
