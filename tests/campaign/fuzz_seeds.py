"""fuzz_seeds: what fuzzing begins with, for each harness of tests/fuzz: samples of tests/plugins, what of the corpus a harness makes most of, and
what is made for it here. A tool that is not there is done without."""
import glob
import os
import sqlite3
import struct
import subprocess
import sys

from common import CORPUS, KVALI, TOP

LARGEST, MOST = 200_000, 300  # bytes of a seed; seeds that are taken by chance
MD5, SHA1 = "900150983cd24fb0d6963f7d28e17f72", "a9993e364706816aba3e25717850c26c9cd0d89d"
SHA256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

OF_CORPUS = {"ewf": ["images/*.E01", "hostile/made/*.E01"], "thumbnail": ["files/*/*jp*g", "files/*/*png"], "text": ["files/*/*"],
             "inside": ["files/*/*", "hostile/*"], "carve": ["files/*/*", "hostile/*"], "features": ["files/*/*txt", "files/*/*eml"],
             "keywords": ["files/*/*txt", "files/*/*eml"], "import": ["files/*/*csv", "files/*/*json"], "plugins": ["files/*/*", "hostile/*"], "magic_sieve": ["files/*/*", "hostile/*"],
             "rules": ["files/yara/*"]}

# Hash sets of other programs, by the format's name.
SETS = {
    "nsrl2": f'"SHA-1","MD5","CRC32","FileName","FileSize","ProductCode","OpSystemCode","SpecialCode"\r\n"{SHA1}","{MD5}","00000000","a",0,1,"WIN",""\r\n"no hash"\r\n',
    "hashdeep": f"%%%% HASHDEEP-1.0\n%%%% size,md5,sha256,filename\n## x\n##\n3,{MD5},{SHA256},/x/a,b\n",
    "list": f"# a\n{MD5}  a\n\\{SHA256}  c\\nd\nMD5 (a) = {MD5}\r\nSHA1 (x) = {SHA1}\n{SHA1} *b",
    "similar": "ssdeep,1.1--blocksize:hash:hash,filename\n96:aU1XfMkpcDbD5yJfMkZcDbD5yJ:xyz,\"name\"\nT1" + 35 * "0A" + "\tname\n",
    "csv0": f'Name;MD5;Sha-256;Category\n"a\nb";{MD5};;"one ""two"""\n',
    "csv1": f"md5\tseries\ttags\n{MD5}\ts\tt\n",
    "csv2": f"MD5;SHA1;PhotoDNA;Is distributed;Victim identified\n{MD5};{SHA1};x;Yes;No\n",
    "json0": '{"value":[{"Category":1,"VictimIdentified":true,"Series":"\\u10d0","MD5":"%s","Tags":["a","b"],'
             '"AlternativeHashes":[{"HashName":"SHA-256","HashValue":"%s"}]},null]}' % (MD5, SHA256),
    "json1": '[{"MD5":"%s"}]' % MD5,
}
MANIFESTS = {
    "toml": 'profile = "triage" # all\npriority = 3\n[[exhibit]]\ncase = "a"\nevidence = ["b.E01", "/c"]\nkeywords = "k"\ndeadline = 2026-01-31\n[[exhibit]]\n'
            'case = "d"\nevidence = "e"\ntriage = true\noptions = ["--features"]\nformats = ["pdf"]\n',
    "csv": '\ufeffcase,evidence,priority,settings,deadline\r\na,"b;c",2,limit.hang=3,2026-01-31T12:00:00Z\r\n"d ""x""",/e,-1,,\n',
}
PART = ('{"plan":"plan","part":7,"sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":0,"configuration_sha256":"c",'
        '"kvali":"0","node":"n","actor":"a","finished":"f"}\n')
# Records of the kinds there are; their chain is the harness's to mend.
RECORDS = {"case": '"number":"1"', "artifact": '"path":"reports/r.html","sha256":"' + "a" * 64 + '","size":5', "run-end": '"run":1',
           "export": '"files":[{"path":"exports/x","sha256":"' + "b" * 64 + '","size":7}]'}


def write(folder, name, data):
    with open(f"{folder}/made-{name}", "wb") as file:
        file.write(data.encode() if isinstance(data, str) else data)


def run(*command, **more):
    """Whether it was done."""
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more).returncode == 0
    except OSError:
        return False


def pieces(path):
    """A medium as fuzz_layer.c takes it: what of it is not zeros."""
    with open(path, "rb") as file:
        data = file.read()
    found, room = [], LARGEST
    for at in range(0, len(data), 512):
        part = data[at:at + 512]
        if not part.strip(b"\0"):
            continue
        if found and found[-1][0] + len(found[-1][1]) == at and len(found[-1][1]) < 65536:
            found[-1][1].extend(part)
        elif len(found) < 60:
            found.append((at, bytearray(part)))
        room -= len(part)
        if room <= 0:
            break
    return b"SPARSE" + struct.pack("<Q", len(data)) + b"".join(struct.pack("<QI", at, len(part)) + part for at, part in found)


def layers(folder, work):
    """Encrypted volumes, virtual disks, a physical volume of LVM2, NTFS with snapshots."""
    def make(script, *arguments):
        return run(sys.executable, "-B", f"{TOP}/tests/images/{script}", *arguments, cwd=work)

    def blank(name, size):
        with open(f"{work}/{name}", "wb") as file:
            file.truncate(size)

    for name, size in ("plain", 4 << 20), ("luks2", 20 << 20), ("hfs", 65536), ("ntfs", 16 << 20):
        blank(name, size)
    with open(work + "/word", "w") as file:
        file.write("password")
    with open(work + "/hfs", "r+b") as file:
        file.seek(1024)
        file.write(b"H+")
    run("mke2fs", "-q", "-F", "-t", "ext4", work + "/plain")
    for _ in range(20): # it measures the processor, and gives up where others are at work
        if run("qemu-img", "convert", "-f", "raw", "-O", "luks", "--object", "secret,id=s,file=word", "-o", "key-secret=s,iter-time=10", "plain", "luks1", cwd=work):
            break
    run("cryptsetup", "-q", "luksFormat", "--type", "luks2", "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000", "--key-file", "word", "luks2", cwd=work)
    for form in "qcow2", "qcow", "vhdx", "vmdk", "vpc":
        run("qemu-img", "convert", "-f", "raw", "-O", form, "plain", "disk-" + form, cwd=work)
    make("make-lvm.py", "plain", "plain", "lvm0", "lvm1")
    make("make-filevault.py", "--password", "password", "hfs", "filevault")
    make("make-filevault.py", "--clear", "hfs", "filevault-clear")
    if run("mkntfs", "-q", "-F", "-Q", "-c", "4096", "-s", "512", "-p", "0", "-S", "63", "-H", "255", work + "/ntfs"):
        make("make-snapshots.py", "ntfs", "4194304", "2097152", "ntfs", "ntfs")
    for number, (method, *ways) in enumerate((("xts-128", "clear"), ("cbc-256", "clear", "write"), ("elephant-128", "clear", "part:2097152"),
                                              ("xts-256", "decrypted"), ("cbc-128", "file:key.bek"))):
        make("make-bitlocker.py", "--new", method, "plain", f"bitlocker-{number}", *ways)
    for name in os.listdir(work):
        if name not in ("plain", "word", "hfs", "key.bek") and os.path.getsize(f"{work}/{name}"):
            write(folder, name, pieces(f"{work}/{name}"))


def databases(folder, work):
    write(folder, "encase", (b"HASH\r\n\xff\0" + 8 * b"\0" + struct.pack("<I", 2)).ljust(1152, b"\0") + 2 * (bytes.fromhex(MD5) + b"\0\0"))
    for name, table in ("nsrl3", "FILE(sha256, sha1, md5)"), ("autopsy", "hashes(id INTEGER PRIMARY KEY, md5, sha1, sha2_256)"):
        database = sqlite3.connect(f"{work}/{name}")
        database.execute("PRAGMA page_size=512")
        database.execute("CREATE TABLE " + table)
        database.execute(f"INSERT INTO {table.split('(')[0]}(md5, sha1) VALUES('{MD5}', x'{SHA1}')")
        database.commit()
        database.close()
        os.rename(f"{work}/{name}", f"{folder}/made-{name}")


def sets(folder, work):
    for name in "csv0", "csv1", "list", "similar":
        write(work, name, SETS[name])
        if run(KVALI, "hashset", "import", "seed", f"{work}/made-{name}", "-q", "--replace", env=dict(os.environ, KVALI_HASHSETS=work)):
            os.rename(work + "/seed.kvset", f"{folder}/made-{name}")


def make(name, folder, work):
    """Files for one harness into `folder`; `work` is an empty one for what is needed meanwhile."""
    texts = {"import": SETS, "manifest": MANIFESTS, "part": {"head": PART}}.get(name, {})
    for key, text in texts.items():
        write(folder, key, text)
    if name == "import":
        databases(folder, work)
    elif name == "hashset":
        sets(folder, work)
    elif name == "layer":
        layers(folder, work)
    elif name == "ledger":
        write(folder, "ledger", "".join(f'{{"actor":"a@b",{more},"prev":"{"0" * 64}","seq":{number},"time":"2026-11-26T00:00:00Z","type":"{kind}","v":1}}\n'
                                        for number, (kind, more) in enumerate(RECORDS.items())))


def lay(name, folder, work, rng):
    os.mkdir(folder)
    os.mkdir(work)
    make(name, folder, work)
    found = [path for pattern in OF_CORPUS.get(name, []) for path in sorted(glob.glob(f"{CORPUS}/{pattern}"))]
    if name == "rules":
        found += sorted(glob.glob(TOP + "/rules/yara/**/*.yar", recursive=True))
    elif not os.listdir(folder):
        found += sorted(glob.glob(TOP + "/tests/plugins/*/*.in"))
    few = [path for path in found if os.path.isfile(path) and not path.endswith(".zst") and os.path.getsize(path) <= LARGEST]
    for number, path in enumerate(rng.sample(few, min(MOST, len(few)))):
        os.symlink(os.path.abspath(path), f"{folder}/{number}")
    return folder
