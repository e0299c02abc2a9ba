#!/usr/bin/env python3
"""Makes the samples of this folder, with Python's own mail library: make-samples.py FOLDER"""
import pathlib
import sys
from email import policy
from email.message import EmailMessage, Message
from email.mime.base import MIMEBase
from email.encoders import encode_base64

out = pathlib.Path(sys.argv[1])


def letter(subject, number):
    message = EmailMessage(policy=policy.SMTP.clone(max_line_length=78))
    message["Received"] = "from relay.example (relay.example [192.0.2.7]) by mail.example; Tue, 2 Jan 2024 07:04:06 +0400"
    message["Received"] = "from home.example by relay.example; Tue, 2 Jan 2024 07:04:05 +0400"
    message["From"] = "ანა <ana@example.ge>"
    message["To"] = "b@example.com, c@example.com"
    message["Subject"] = subject
    message["Date"] = "Tue, 02 Jan 2024 07:04:05 +0400"
    message["Message-ID"] = "<%d@example.ge>" % number
    message["User-Agent"] = "sample"
    message.set_content("გამარჯობა\n", cte="base64")
    message.set_boundary("=outer") if message.is_multipart() else None
    return message


with_files = letter("Привет — a letter with files", 1)
with_files.add_attachment(b"%PDF-1.4 no more of it", maintype="application", subtype="pdf", filename="დოკუმენტი.pdf")
with_files.add_attachment(letter("inside", 2))
with_files.set_boundary("=outer")
(out / "files.eml.in").write_bytes(bytes(with_files))

plain = b"From: a@example.com\r\nTo: b@example.com\r\nSubject: =?koi8-r?B?8NLJ18XU?=\r\nDate: Mon, 1 Jan 2024 00:00:00 +0000\r\n\r\nnothing but text\r\n"
(out / "plain.eml.in").write_bytes(plain)
(out / "box.mbox.in").write_bytes(
    b"From ana@example.ge Tue Jan  2 03:04:05 2024\n" + plain.replace(b"\r\n", b"\n") + b">From here on it is text\nFrom there, too\n\n"
    b"From b@example.com Tue Jan  2 04:04:05 2024\n" + bytes(letter("second", 3)).replace(b"\r\n", b"\n"))
(out / "apple.emlx.in").write_bytes(b"%-10d\n" % len(plain) + plain + b"<?xml version=\"1.0\"?><plist></plist>\n")
closed = b"""From: a@example.com\r\nTo: b@example.com\r\nSubject: closed\r\nMIME-Version: 1.0\r
Content-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary="b"\r\n\r\n--b\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r
--b\r\nContent-Type: application/octet-stream; name="encrypted.asc"\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n--b--\r\n"""
(out / "closed.eml.in").write_bytes(closed)
(out / "cut.eml.in").write_bytes(bytes(with_files)[:900])
(out / "table.txt.in").write_bytes(b"Date: 2024\nFrom: here\nthis is no letter\n")
# Headers of which a record cannot hold all: each zero-width space is shown as twelve bytes. The short ones stay whole.
hidden = "\u200b" * 3000
(out / "long.eml.in").write_bytes(
    ("Received: by mail.example; Tue, 2 Jan 2024 07:04:06 +0400\r\nFrom: ana@example.ge\r\nTo: %s b@example.com\r\nSubject: %s\r\n"
     "Message-ID: <4@example.ge>\r\n\r\ntext\r\n" % (hidden, hidden)).encode())
