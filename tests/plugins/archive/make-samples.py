#!/usr/bin/env python3
"""Makes the samples of this folder with the stock tools: zip, 7z, tar, bsdtar, gcab, genisoimage, xz, zstd, lz4, ar.

    make-samples.py FOLDER

What tools write of the machine (owners, times) is fixed, so that the samples come out the same again, but for what 7z and
gcab put in of their own. Each is small: the conformance test scans every beginning of every one of them."""
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import zipfile
import zlib

out = pathlib.Path(sys.argv[1]).resolve()
WHEN = 1704164645  # 2024-01-02T03:04:05Z
os.environ.update(TZ="UTC0", LC_ALL="C.UTF-8")


def run(*command, **more):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **more)


def local(name, data, method=8, flags=0, crc=None, extra=b"", packed=None, size=None, descriptor=False):
    if packed is None:
        packed = zlib.compress(data, 9)[2:-4] if method == 8 else data
    crc = zlib.crc32(data) if crc is None else crc
    size = len(data) if size is None else size
    sizes = (0, 0, 0) if descriptor else (crc, len(packed), size)
    header = struct.pack("<4s5H3I2H", b"PK\3\4", 20, flags | (8 if descriptor else 0), method, 0x1883, 0x5822, *sizes, len(name), len(extra))
    end = struct.pack("<4s3I", b"PK\7\10", crc, len(packed), size) if descriptor else b""
    return header + name + extra + packed + end, (crc, len(packed), size)


def central(name, sizes, offset, method=8, flags=0, extra=b"", made=20, attributes=0):
    return struct.pack("<4s6H3I5H2I", b"PK\1\2", made, 20, flags, method, 0x1883, 0x5822, *sizes, len(name), len(extra), 0, 0, 0, attributes, offset) + name + extra


def end(count, size, offset):
    return struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count, count, size, offset, 0)


def write_zip(path, members, hidden=(), directory=True):
    """members: (name, data, keywords for local, keywords for central)."""
    body, index = b"", b""
    for name, data, l, c in members:
        one, sizes = local(name, data, **l)
        if name not in hidden:
            index += central(name, sizes, len(body), **c)
        body += one
    if directory:
        body += index + end(len(members) - len(hidden), len(index), len(body))
    path.write_bytes(body)


def tree(folder):
    (folder / "docs").mkdir(parents=True)
    (folder / "docs/letter.txt").write_bytes(b"Dear reader, this is a letter.\n" * 3)
    (folder / "plain.txt").write_bytes(b"plain\n")
    (folder / "empty").write_bytes(b"")
    (folder / "წერილი.txt").write_bytes("გამარჯობა\n".encode())
    for path in sorted(folder.rglob("*"), reverse=True):
        os.utime(path, (WHEN, WHEN))
        path.chmod(0o755 if path.is_dir() else 0o644)


def zips():
    letter = b"A letter in an archive.\n" * 4
    utf8 = {"flags": 0x800}
    write_zip(out / "names.zip.in", [
        ("утро.txt".encode("cp866"), b"cp866", {"method": 0}, {"method": 0}),
        ("вечер.txt".encode("cp1251"), b"cp1251", {"method": 0}, {"method": 0}),
        ("Müller.txt".encode("cp437"), b"cp437", {"method": 0}, {"method": 0}),
        ("и\u0306.txt".encode(), b"decomposed", {"method": 0, **utf8}, {"method": 0, **utf8}),
        ("დილა.txt".encode(), b"no mark", {"method": 0}, {"method": 0}),
        (b"../../up\x1b.txt", b"up", {"method": 0}, {"method": 0}),
    ])
    times = struct.pack("<HHBIII", 0x5455, 13, 7, WHEN, WHEN + 1, WHEN + 2)
    filetime = (WHEN + 11644473600) * 10**7
    ntfs = struct.pack("<HHIHHQQQ", 10, 32, 0, 1, 24, filetime + 1234567, filetime + 1, filetime + 2)
    write_zip(out / "times.zip.in", [
        (b"unix.txt", letter, {"extra": times}, {"extra": struct.pack("<HHBI", 0x5455, 5, 1, WHEN), "made": 0x314, "attributes": 0o100640 << 16}),
        (b"ntfs.txt", letter, {}, {"extra": ntfs, "made": 0xb14}),
        (b"dos.txt", letter, {}, {}),
        (b"folder/", b"", {"method": 0}, {"method": 0}),
    ])
    write_zip(out / "hidden.zip.in", [(b"shown.txt", letter, {}, {}), (b"deleted.txt", letter[::-1], {}, {}), (b"last.txt", b"last", {"method": 0}, {"method": 0})],
              hidden=[b"deleted.txt"])
    write_zip(out / "nodirectory.zip.in", [(b"one.txt", letter, {"descriptor": True}, {}), (b"two.txt", b"stored", {"method": 0, "descriptor": True}, {"method": 0}),
                                           (b"three.txt", letter, {}, {})], directory=False)
    write_zip(out / "damaged.zip.in", [(b"crc.txt", letter, {"crc": 1}, {}), (b"bad.txt", letter, {"packed": b"\xff" * 20}, {}), (b"good.txt", letter, {}, {})])
    # One stored member, larger than what is there, and a directory of no members behind the end of the file.
    local = struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 0, 0x1883, 0x5822, 0, 1 << 25, 1 << 25, 7, 0) + b"far.txt" + letter
    (out / "faraway.zip.in").write_bytes(local + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 1, 0, 1 << 25, 1 << 25, 0))
    write_zip(out / "closed.zip.in", [
        (b"crypto.txt", b"?" * 30, {"method": 8, "flags": 1, "packed": b"?" * 30}, {"flags": 1}),
        (b"aes.txt", b"?" * 30, {"method": 99, "flags": 1, "extra": struct.pack("<HHH2sBH", 0x9901, 7, 2, b"AE", 3, 8)},
         {"method": 99, "flags": 1, "extra": struct.pack("<HHH2sBH", 0x9901, 7, 2, b"AE", 3, 8)}),
        (b"old.txt", b"?" * 30, {"method": 6, "packed": b"?" * 30}, {"method": 6}),
        (b"open.txt", b"open", {"method": 0}, {"method": 0}),
    ])
    with zipfile.ZipFile(out / "methods.zip.in", "w") as archive:
        for name, method in ("stored", 0), ("deflate", 8), ("bzip2", 12), ("lzma", 14):
            archive.writestr(zipfile.ZipInfo(name, (2024, 1, 2, 3, 4, 6)), letter, method)
    inner = (out / "hidden.zip.in").read_bytes()
    write_zip(out / "nested.zip.in", [(b"inner.zip", inner, {}, {}), (b"again.zip", inner, {"method": 0}, {"method": 0})])
    (out / "program.exe.in").write_bytes(b"MZ" + b"\0" * 60 + (out / "methods.zip.in").read_bytes())


def others(folder):
    paths = ["docs", "empty", "plain.txt", "წერილი.txt"]
    tar = ["tar", "--blocking-factor=1", "-C", folder, "--sort=name", "--owner=ana:1000", "--group=staff:50", "--mtime=@%d" % WHEN]
    run(*tar, "--format=gnu", "-cf", out / "gnu.tar.in", "docs/letter.txt", "plain.txt")
    run(*tar, "--format=pax", "--pax-option=delete=atime,delete=ctime,exthdr.name=%f", "-cf", out / "pax.tar.in", "წერილი.txt")
    sparse = folder / "sparse"
    with open(sparse, "wb") as file:
        file.truncate(30000)
        file.seek(15000)
        file.write(b"middle")
    run(*tar, "--format=gnu", "--sparse", "--hole-detection=raw", "-cf", out / "sparse.tar.in", "sparse")
    sparse.unlink()
    data = (folder / "docs/letter.txt").read_bytes()
    for name, command in {"letter.txt.gz": ["gzip", "-9nc"], "letter.txt.bz2": ["bzip2", "-c"], "letter.txt.xz": ["xz", "-c"], "letter.txt.zst": ["zstd", "-qc"],
                          "letter.txt.lz4": ["lz4", "-qc"], "letter.lzma": ["xz", "-c", "--format=lzma"]}.items():
        (out / (name + ".in")).write_bytes(subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout)
    inner = (out / "gnu.tar.in").read_bytes()
    (out / "gnu.tgz.in").write_bytes(subprocess.run(["gzip", "-9nc"], input=inner, stdout=subprocess.PIPE, check=True).stdout)
    (out / "cut.gz.in").write_bytes((out / "gnu.tgz.in").read_bytes()[:150])
    two = (out / "letter.txt.gz.in").read_bytes()
    (out / "two.txt.gz.in").write_bytes(two + two + b"garbage behind")
    for form in "newc", "odc", "bin":
        run("bsdtar", "-C", folder, "--uid", "0", "--gid", "0", "--uname", "", "--gname", "", "--format", form, "-cf", out / (form + ".cpio.in"), "plain.txt")
    run("bsdtar", "-C", folder, "--uid", "0", "--gid", "0", "--uname", "", "--gname", "", "--format", "ar", "-cf", out / "plain.ar.in", "plain.txt")
    run("bsdtar", "-C", folder, "--uid", "0", "--gid", "0", "--uname", "ana", "--gname", "", "--format", "xar", "-cf", out / "plain.xar.in", "plain.txt")
    run("bsdtar", "-C", folder, "--format", "warc", "-cf", out / "plain.warc.in", "plain.txt")
    for name, more in ("tree.7z", []), ("closed.7z", ["-psecret"]), ("closednames.7z", ["-psecret", "-mhe"]):
        (out / (name + ".in")).unlink(missing_ok=True)
        run("7z", "a", "-bd", "-mtm=on", *more, out / (name + ".7z"), *paths, cwd=folder)
        (out / (name + ".7z")).rename(out / (name + ".in"))
    # Two that "secret" opens, and one that it does not (trace.h).
    (out / "closed-secret.zip.in").unlink(missing_ok=True)
    for method, word, path in ("ZipCrypto", "secret", "docs/letter.txt"), ("AES256", "secret", "plain.txt"), ("AES256", "another", "წერილი.txt"):
        run("7z", "a", "-bd", "-tzip", "-mtc=off", "-mem=" + method, "-p" + word, out / "closed-secret.zip", path, cwd=folder)
    (out / "closed-secret.zip").rename(out / "closed-secret.zip.in")
    run("gcab", "-cz", out / "plain.cab", "plain.txt", "docs/letter.txt", cwd=folder)
    (out / "plain.cab").rename(out / "plain.cab.in")


with tempfile.TemporaryDirectory() as temporary:
    out.mkdir(exist_ok=True)
    tree(pathlib.Path(temporary) / "tree")
    zips()
    others(pathlib.Path(temporary) / "tree")
