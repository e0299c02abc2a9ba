#!/usr/bin/env python3
"""Makes the samples of this folder that are made by hand: make-samples.py FOLDER"""
import pathlib
import sys
import zlib

out = pathlib.Path(sys.argv[1])
HEAD = b"%PDF-1.7\n1 0 obj\n<</Filter/FlateDecode/Length 400>>stream\n"
words = b"".join(b"word %03d " % i for i in range(40))

# A stream of PDF that is stored, not packed, so that another one stands in it as it is: their bytes overlap. Both are children, the
# inner one of each that it lies in. Behind them a stream that breaks off so early, in the beginning of
# the next one, that it may be chance: no child.
inner = b"2 0 obj\n<</Filter/FlateDecode>>stream\n" + zlib.compress(words, 9) + b"\nendstream\n"
outer = zlib.compress(b"before " + inner + b"behind " * 20, 0)
cut = zlib.compress(words[::-1], 9)
(out / "overlap.pdf.in").write_bytes(HEAD + outer + b"\nendstream\n" + HEAD[9:] + cut[:-9] + HEAD[9:] + zlib.compress(words, 9) + b"\nendstream\n")
