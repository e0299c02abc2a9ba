#!/usr/bin/env python3
"""Makes the samples of this folder: PDF files by hand, and with qpdf those that are encrypted.

    make-samples.py FOLDER

Each is small: the conformance test scans every beginning of every one of them."""
import pathlib
import subprocess
import sys
import zlib

out = pathlib.Path(sys.argv[1])


def stream(data, more=b"", flate=True):
    packed = zlib.compress(data, 9) if flate else data
    return b"<</Length %d%s%s>>stream\n" % (len(packed), b"/Filter/FlateDecode" if flate else b"", more) + packed + b"\nendstream"


def pdf(objects, trailer=b"", version=b"1.7"):
    data, places = b"%%PDF-%s\n" % version, []
    for number, body in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    at = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + b"".join(b"%010d 00000 n \n" % p for p in places)
    return data + b"trailer<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, at)


jpeg = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffd9")
page = [b"<</Type/Catalog/Pages 2 0 R/Names<</EmbeddedFiles<</Names[(a)4 0 R(b)<</Type/Filespec/F(b.txt)/EF<</F 6 0 R>>>>]>>>>"
        b"/OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 7 0 R/Resources<</XObject<</I 8 0 R>>>>>>",
        b"<</Type/Filespec/F(x)/UF<FEFF10E410D010D810DA10D8002E007400780074>/Desc(the first)/EF<</F 5 0 R>>>>",
        stream(b"the attached text\n", b"/Type/EmbeddedFile/Subtype/text#2Fplain/Params<</ModDate(D:20240102030405+04'00')/Size 18>>"),
        stream(b"the second, not packed\n", b"/Type/EmbeddedFile", False),
        stream(b"BT (words on a page) Tj ET"),
        stream(jpeg, b"/Type/XObject/Subtype/Image/Width 1/Height 1/Filter/DCTDecode", False),
        b"<</Title(A title)/Author(Ana)/Creator(By hand)/CreationDate(D:20240102)>>",
        stream(b"61736369692068657820696e7369646520>", b"/Filter[/ASCIIHexDecode]", False),
        stream(bytes(64), b"/Type/XObject/Subtype/Image/Width 8/Height 8/BitsPerComponent 8/ColorSpace/DeviceGray"),
        b"<</S/JavaScript/JS 13 0 R>>",
        stream(b"var hidden = 1;")]
(out / "files.pdf.in").write_bytes(pdf(page, b"/Info 9 0 R"))
# Without cross references, as what a broken file has: qpdf searches for the objects.
data = pdf(page[:8])
(out / "broken.pdf.in").write_bytes(data[:data.index(b"xref\n")])
# What is odd, and opens: it only speaks of being encrypted; a stream that is not packed as it says; more filters than anybody
# needs; a script of a mouse that comes by; an empty stream.
odd = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
       b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Annots[<</AA<</E<</S/JavaScript/JS(enter\\(\\))>>>>>>]>>",
       stream(b"say /Encrypt<</Filter/Standard/V 1>>", b"", False),
       b"<</Length 9/Filter/FlateDecode>>stream\nno deflate\nendstream",
       stream(b"20>", b"/Filter[%s]" % (b"/AHx" * 17), False),
       stream(b"")]
(out / "odd.pdf.in").write_bytes(pdf(odd))
# The first part of a large file: numbers are larger than there is room for.
(out / "part.pdf.in").write_bytes(b"%PDF-1.7\n900 0 obj\n" + stream(b"BT (words of a large file) Tj ET") + b"\nendobj\n901 0 obj\n<</Type")
# Streams that overlap: the first is stored, not packed, and an object that the cross references name stands whole in its bytes. A third
# is longer, by its own account, than what is left of it.
inner = b"5 0 obj\n" + stream(b"BT (words of both) Tj ET") + b"\nendobj\n"
outer = zlib.compress(b"BT (words of the first) Tj ET\n" + inner + b"behind it", 0)
overlap = pdf([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
               b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents[4 0 R 5 0 R 6 0 R]>>",
               b"<</Length %d/Filter/FlateDecode>>stream\n" % len(outer) + outer + b"\nendstream", b"null",
               stream(b"BT (words of the third) Tj ET").replace(b"/Length ", b"/Length 9")])
first, fifth = overlap.index(b"5 0 obj\n<</Length"), overlap.index(b"5 0 obj\nnull")
(out / "overlap.pdf.in").write_bytes(overlap.replace(b"%010d 00000 n" % fifth, b"%010d 00000 n" % first))
# A stream of which 1,000 times as much comes out, twice over: what qpdf would unpack by itself is not.
twice = zlib.compress(zlib.compress(bytes(1 << 20), 9), 9)
(out / "twice.pdf.in").write_bytes(pdf(page[:2] + [b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>",
                                                   b"<</Length %d/Filter[/FlateDecode/FlateDecode]>>stream\n" % len(twice) + twice + b"\nendstream"]))
plain = out / "plain"
plain.write_bytes(pdf([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
                       b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>", stream(b"BT (secret words) Tj ET")]))
for name, user, how in (("closed.pdf", "user", ["256"]), ("open.pdf", "", ["128", "--use-aes=y"]), ("old.pdf", "user", ["40"])):
    subprocess.run(["qpdf", "--static-id", "--static-aes-iv", "--allow-weak-crypto", "--encrypt", user, "owner", *how, "--", str(plain), str(out / (name + ".in"))],
                   check=True)
plain.unlink()
