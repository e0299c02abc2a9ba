#!/usr/bin/env python3
"""rule_samples.py RULES SAMPLES: every rule below RULES has its metadata, a sample that it matches and one that it must not.

Samples are built here, when the test runs, from SAMPLES/*.txt, so that no file in the tree is what a rule looks for:

    rule NAME            the rule that the lines below are for
    head KIND [ARG…]     what the file begins with: see HEADS; for pe the names of its sections
    text TEXT            TEXT in UTF-8; \\n \\r \\t \\\\ \\xHH as in C; a seam (the character U+00A6) stands for nothing
    wide TEXT            the same in UTF-16LE
    cp1251 TEXT          the same in Windows' Cyrillic
    hex BYTES            bytes
    repeat N TEXT        TEXT in UTF-8, N times
    pad N                zeros up to N bytes of the file (K and M are 1024 and 1024²)
    name NAME            the file's name, for rules that ask for it
    miss OLD => NEW      the same sample with OLD replaced by NEW in these lines must not match; may be given again
    also RULE            another rule that matches this sample rightly

Every sample must be matched by its rule and by those that `also` names, and by no other. Prints TAP.
"""
import datetime
import os
import re
import struct
import subprocess
import sys
import tempfile

SEAM = '\u00a6'
META = ('author', 'date', 'description', 'reference', 'severity')
VARIABLES = ('filename', 'filepath', 'extension', 'filetype', 'owner', 'md5')


class Wrong(Exception):
    pass


# ---- rules

def rule_files(folder):
    found = []
    for root, _, names in os.walk(folder):
        found += [os.path.join(root, name) for name in names if name.endswith(('.yar', '.yara'))]
    return sorted(found)


def without_comments(text):
    """Comments out; what stands in strings stays. A regular expression is told by the = before it."""
    token = r'"(?:\\.|[^"\\\n])*"|=\s*/(?![*/])(?:\\.|[^/\\\n])+/|/\*.*?\*/|//[^\n]*'
    return re.sub(token, lambda m: '' if m.group().startswith('/') else m.group(), text, flags=re.S)


def read_rules(folder):
    """NAME -> (file, {meta})"""
    rules = {}
    for path in rule_files(folder):
        with open(path, encoding='utf-8') as file:
            text = without_comments(file.read())
        for match in re.finditer(r'^\s*(?:(?:private|global)\s+)*rule\s+(\w+)(.*?)^\s*condition:', text, re.S | re.M):
            name, head = match.groups()
            if name in rules:
                raise Wrong(f'{path}: there is another rule {name} in {rules[name][0]}')
            meta = re.search(r'^\s*meta:(.*?)(?:^\s*strings:|\Z)', head, re.S | re.M)
            pairs = re.findall(r'^\s*(\w+)\s*=\s*(?:"((?:\\.|[^"\\])*)"|(\S+))', meta.group(1) if meta else '', re.M)
            rules[name] = (path, {key: text or other for key, text, other in pairs})
    return rules


def meta_problems(meta):
    for key in META:
        if not meta.get(key):
            yield f'it has no {key}'
    try:
        datetime.date.fromisoformat(meta.get('date', ''))
    except ValueError:
        yield 'date is no day like 2026-01-31'
    if not re.fullmatch(r'\d{1,3}', meta.get('severity', '')) or int(meta['severity']) > 100:
        yield 'severity is no number from 0 to 100'
    if 'attack' in meta and not re.fullmatch(r'T\d{4}(\.\d{3})?(, T\d{4}(\.\d{3})?)*', meta['attack']):
        yield 'attack is no list of techniques like T1027.002, T1486'


def word_problems(path):
    """Words that a comment gives for a hex string below it are what the string says."""
    words = None
    with open(path, encoding='utf-8') as file:
        text = re.sub(r'(\{[^{}\n]*)\n\s+([0-9A-F ]+\})', r'\1 \2', file.read())
    for line in text.splitlines():
        if line.strip().startswith('//'):
            words = line
            continue
        match = re.match(r'\s*(\$\w+) = \{ ((?:[0-9A-F]{2} )+)\}', line)
        if match is None or words is None or words.isascii():
            continue
        data = bytes.fromhex(match.group(2))
        said = [data.decode(code, 'ignore') for code in ('utf-8', 'utf-16-le', 'cp1251')]
        if not any(len(word) > 1 and word in words for word in said):
            yield f'{os.path.basename(path)}: {match.group(1)} is not what the comment above it says: {words.strip()}'


# ---- samples

def pe(*sections):
    """A Windows program that libyara's pe module accepts, with nothing in it."""
    names = sections or ('.text', '.data')
    optional = struct.pack('<HBBIIIII', 0x10b, 14, 0, 512, 0, 0, 4096, 4096) + struct.pack('<II', 4096, 0x400000)
    optional += struct.pack('<IIHHHHHHIIIIHHIIIIII', 4096, 512, 6, 0, 0, 0, 6, 0, 0, 4096 * (len(names) + 1), 1024, 0, 3, 0,
                            1 << 20, 4096, 1 << 20, 4096, 0, 16) + bytes(128)
    head = b'MZ' + bytes(58) + struct.pack('<I', 64) + b'PE\0\0'
    head += struct.pack('<HHIIIHH', 0x14c, len(names), 0, 0, 0, len(optional), 0x102) + optional
    for i, name in enumerate(names):
        head += name.encode().ljust(8, b'\0') + struct.pack('<IIIIIIHHI', 512, 4096 * (i + 1), 512, 1024, 0, 0, 0, 0, 0x60000020)
    return head.ljust(1536, b'\0')


def elf(kind='executable'):
    number = {'relocatable': 1, 'executable': 2, 'shared': 3}[kind]
    return b'\x7fELF\x02\x01\x01' + bytes(9) + struct.pack('<HHIQQQIHHHHHH', number, 62, 1, 0x400000, 64, 0, 0, 64, 56, 0, 64, 0, 0)


def png():
    return b'\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0:~\x9bU'


HEADS = {
    'none': lambda: b'',
    'pe': pe,
    'elf': elf,
    'png': png,
    'jpeg': lambda: b'\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0',
    'gif': lambda: b'GIF89a\x01\0\x01\0\0\0\0',
    'tiff': lambda: b'II*\0\x08\0\0\0',
    'psd': lambda: b'8BPS\0\x01' + bytes(6) + b'\0\x03\0\0\0\x10\0\0\0\x10\0\x08\0\x03',
    'pdf': lambda: b'%PDF-1.7\n',
    'zip': lambda: b'PK\x03\x04\x14\0\0\0\0\0\0\0\0\0' + bytes(16),
    'ole': lambda: bytes.fromhex('d0cf11e0a1b11ae1') + bytes(504),
    'lnk': lambda: bytes.fromhex('4c0000000114020000000000c000000000000046') + bytes(56),
    'dex': lambda: b'dex\n035\0' + bytes(104),
    'minidump': lambda: b'MDMP\x93\xa7\0\0' + bytes(24),
    'sqlite': lambda: b'SQLite format 3\0' + bytes(84),
    'onenote': lambda: bytes.fromhex('e4525c7b8cd8a74daeb15378d02996d3') + bytes(48),
}


def plain(text):
    def one(match):
        code = match.group(1)
        return chr(int(code[1:], 16)) if code[0] == 'x' else {'n': '\n', 'r': '\r', 't': '\t', '\\': '\\'}[code]
    return re.sub(r'\\(x[0-9A-Fa-f]{2}|[nrt\\])', one, text)


def octets(text, code='utf-8'):
    """A \\xHH is that byte in UTF-8 text; everything else is encoded."""
    parts = re.split(r'((?:\\x[0-9A-Fa-f]{2})+)', text) if code == 'utf-8' else [text]
    return b''.join(bytes.fromhex(part.replace('\\x', '')) if i % 2 else plain(part).encode(code) for i, part in enumerate(parts))


def number(text):
    return int(text.rstrip('KM')) * {'K': 1024, 'M': 1 << 20}.get(text[-1], 1)


def build(lines):
    data, name = b'', 'sample'
    for line in lines:
        kind, _, rest = line.partition(' ')
        if kind == 'head':
            words = rest.split()
            data += HEADS[words[0]](*words[1:])
        elif kind == 'text':
            data += octets(rest)
        elif kind in ('wide', 'cp1251'):
            data += octets(rest, {'wide': 'utf-16-le'}.get(kind, kind))
        elif kind == 'hex':
            data += bytes.fromhex(rest)
        elif kind == 'repeat':
            count, _, what = rest.partition(' ')
            data += int(count) * octets(what)
        elif kind == 'pad':
            data = data.ljust(number(rest), b'\0')
        elif kind == 'name':
            name = rest
        else:
            raise Wrong(f'a sample has the line: {line}')
    return data, name


class Sample:
    def __init__(self, name):
        self.name, self.lines, self.misses, self.also = name, [], [], set()

    def add(self, line):
        kind, _, rest = line.partition(' ')
        if kind == 'miss':
            old, arrow, new = rest.partition(' =>')
            if not arrow:
                raise Wrong(f'{self.name}: a miss is OLD => NEW: {line}')
            self.misses.append((old, new[1:]))
        elif kind == 'also':
            self.also.add(rest)
        else:
            self.lines.append(line)

    def without(self, old, new):
        changed = [line.replace(old, new) for line in self.lines]
        if changed == self.lines:
            raise Wrong(f'{self.name}: no line of its sample holds what a miss replaces: {old}')
        return [line for line in changed if line.strip()]


def read_samples(folder):
    """In order; a rule that comes again has another sample."""
    samples = []
    for file in sorted(os.listdir(folder)):
        if not file.endswith('.txt'):
            continue
        with open(os.path.join(folder, file), encoding='utf-8') as stream:
            for line in stream.read().replace(SEAM, '').split('\n'):
                if line.startswith('rule '):
                    samples.append(Sample(line[5:]))
                elif line.strip() and not line.startswith('#'):
                    samples[-1].add(line)
    return samples


# ---- the command

def scan(files, target, name=''):
    """{path: {rules}}, and what the command said beside it: errors, and warnings of slow rules."""
    extension = os.path.splitext(name)[1].lower()
    values = dict.fromkeys(VARIABLES, '') | {'filename': name, 'filepath': name, 'extension': extension}
    command = ['yara', '-r', '-N', '-p', '2', '-d', 'size=0', '-d', 'deleted=false']
    command += [part for key, value in values.items() for part in ('-d', f'{key}={value}')]
    result = subprocess.run(command + files + [target], capture_output=True, text=True, check=False)
    hits = {}
    for line in result.stdout.splitlines():
        rule, _, path = line.partition(' ')
        hits.setdefault(path, set()).add(rule)
    said = result.stderr.strip()
    return hits, said or ('' if result.returncode == 0 else f'yara ends with {result.returncode}')


def write_samples(samples, folder):
    """{name of a file: {path: (sample, what was replaced, or None)}}"""
    groups = {}
    for i, sample in enumerate(samples):
        versions = [(sample.lines, None)] + [(sample.without(*miss), miss) for miss in sample.misses]
        for j, (lines, miss) in enumerate(versions):
            data, name = build(lines)
            place = os.path.join(folder, re.sub(r'\W', '_', name))
            os.makedirs(place, exist_ok=True)
            path = os.path.join(place, f'{i}.{j}')
            with open(path, 'wb') as file:
                file.write(data)
            groups.setdefault(name, {})[path] = (sample, miss)
    return groups


def judge(sample, miss, hits):
    if miss is not None:
        if sample.name in hits:
            yield f'{sample.name}: its sample without "{miss[0]}" is matched too'
        return
    if sample.name not in hits:
        yield f'{sample.name}: does not match its sample'
    for other in sorted(hits - sample.also - {sample.name}):
        yield f'{sample.name}: its sample is matched by {other} too'
    for other in sorted(sample.also - hits):
        yield f'{sample.name}: its sample is not matched by {other}'


def sample_problems(rules, samples):
    hit, miss = {s.name for s in samples}, {s.name for s in samples if s.misses}
    for name in sorted(rules):
        if name not in hit:
            yield f'{name}: there is no sample of it'
        elif name not in miss:
            yield f'{name}: there is no sample that it must not match'
    for name in sorted(hit - set(rules)):
        yield f'{name}: there is a sample, and no such rule'


def match_problems(files, samples):
    with tempfile.TemporaryDirectory(prefix='kvali-rules-') as folder:
        for name, group in write_samples(samples, folder).items():
            hits, said = scan(files, os.path.dirname(next(iter(group))), '' if name == 'sample' else name)
            if said:
                yield said
                return
            for path, (sample, miss) in group.items():
                yield from judge(sample, miss, hits.get(path, set()))


def compile_problems(files):
    """Each alone: an error in one hides those of the next."""
    for path in files:
        said = scan([path], '/dev/null')[1]
        if said:
            yield said


def main(rule_folder, sample_folder):
    failed = 0

    def report(count, sentence, problems):
        nonlocal failed
        problems = sorted(set(problems))
        failed += bool(problems)
        print(f'{"not ok" if problems else "ok"} {count} - {sentence}')
        print('\n'.join(problems), file=sys.stderr, end='\n' if problems else '')

    files = rule_files(rule_folder)
    try:
        rules, samples = read_rules(rule_folder), read_samples(sample_folder)
        report(1, 'every rule file compiles, and libyara warns of no slow string', compile_problems(files))
        report(2, f'every rule has its metadata ({len(rules)} rules)',
               (f'{name}: {what}' for name, (_, meta) in rules.items() for what in meta_problems(meta)))
        report(3, 'words in comments are what the hex below them says', (p for file in files for p in word_problems(file)))
        report(4, 'every rule has a sample that it matches and one that it must not', sample_problems(rules, samples))
        report(5, f'every sample is matched as it says ({sum(1 + len(s.misses) for s in samples)} samples)',
               match_problems(files, samples))
        print('1..5')
    except (Wrong, ValueError, KeyError, OSError) as error:
        print(f'Bail out! {error}')
        return 1
    return failed > 0


if __name__ == '__main__':
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
