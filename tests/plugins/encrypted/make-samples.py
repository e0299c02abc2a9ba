#!/usr/bin/env python3
"""Makes the samples of this folder: beginnings of encrypted contents, by the layouts that plugins/encrypted names.

    make-samples.py FOLDER"""
import base64
import pathlib
import struct
import sys

out = pathlib.Path(sys.argv[1])


def put(name, data):
    (out / (name + ".in")).write_bytes(data)


noise = bytes((i * 197 + (i * i >> 3)) & 255 for i in range(200))
aes, argon = bytes.fromhex("31c1f2e6bf714350be5805216afc5aff"), bytes.fromhex("9e298b1956db4773b23dfc3ec6f0a1e6")
field = lambda number, data: struct.pack("<BI", number, len(data)) + data
put("vault.kdbx", struct.pack("<3I", 0x9aa2d903, 0xb54bfb67, 0x00040001) + field(2, aes) + field(11, b"\0\1B\5\0\0\0$UUID\x10\0\0\0" + argon + b"\0") + field(0, b"\r\n\r\n") + noise)
put("old.kdb", struct.pack("<4I", 0x9aa2d903, 0xb54bfb65, 3, 0x00030002) + noise)
put("ecryptfs.txt", struct.pack(">QIIIIH", 12345, 0x11223344, 0x11223344 ^ 0x3c81b7f5, 0x03000002, 4096, 2) + noise)
put("not-ecryptfs.txt", struct.pack(">QIIIIH", 12345, 0x11223344, 0x11223345 ^ 0x3c81b7f5, 0x03000002, 4096, 2) + noise)
session = struct.pack(">BQBH", 3, 0x1122334455667788, 1, 256) + noise[:32]
password = bytes([4, 9, 3, 8]) + noise[:8] + b"\x60"
sealed = bytes([0xd2, 100]) + b"\1" + noise[:99]
message = bytes([0x84, len(session)]) + session + bytes([0x8c, len(password)]) + password + sealed
put("letter.gpg", message)
put("letter.asc", b"-----BEGIN PGP MESSAGE-----\nVersion: x\n\n" + base64.encodebytes(message) + b"=abcd\n-----END PGP MESSAGE-----\n")
put("signed.gpg", bytes([0xc2, 10]) + noise[:10])  # a signature is none
put("secret.age", b"age-encryption.org/v1\n-> scrypt abc 18\nxyz\n--- mac\n" + noise)
put("backup.ab", b"ANDROID BACKUP\n5\n1\nAES-256\n" + noise.hex().encode())
put("open.ab", b"ANDROID BACKUP\n5\n1\nnone\n" + noise)
put("file.enc", b"Salted__" + noise)
put("file.b64", base64.encodebytes(b"Salted__" + noise))
put("file.aes", b"AES\2\0\0\0" + noise)
put("luks1.img", b"LUKS\xba\xbe\0\1" + b"aes".ljust(32, b"\0") + b"xts-plain64".ljust(32, b"\0") + b"sha256".ljust(32, b"\0") + bytes(600))
luks2 = b"LUKS\xba\xbe\0\2" + bytes(4088)
put("luks2.img", luks2 + b'{"keyslots":{"0":{"type":"luks2","area":{"type":"raw","encryption":"aes-cbc-plain"}}},"segments":{"0":{"type":"crypt","encryption":"aes-xts-plain64","sector_size":512}}}\0')
put("luks2-cut.img", luks2[:600])  # its text is not there
key = b"openssh-key-v1\0" + struct.pack(">I", 10) + b"aes256-ctr" + struct.pack(">I", 6) + b"bcrypt" + noise
put("id_rsa", b"-----BEGIN OPENSSH PRIVATE KEY-----\n" + base64.encodebytes(key) + b"-----END OPENSSH PRIVATE KEY-----\n")
plain = b"openssh-key-v1\0" + struct.pack(">I", 4) + b"none" + struct.pack(">I", 4) + b"none" + noise
put("id_open", b"-----BEGIN OPENSSH PRIVATE KEY-----\n" + base64.encodebytes(plain) + b"-----END OPENSSH PRIVATE KEY-----\n")
put("key.pem", b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0011\n\nabcd\n-----END RSA PRIVATE KEY-----\n")
put("bare.pem", b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nabcd\n-----END RSA PRIVATE KEY-----\n")
put("mail.p7m", bytes.fromhex("308204d206092a864886f70d010703a08204c3") + noise)
put("store.p12", bytes.fromhex("308209d10201033082099706092a864886f70d010701") + noise)
