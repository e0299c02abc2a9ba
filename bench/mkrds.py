#!/usr/bin/env python3
"""Writes a synthetic NSRL RDS v2 (NSRLFile.txt): random hashes, the same for the same seed.

mkrds.py ROWS FOLDER [SEED]: FOLDER/NSRLFile.txt, 127 bytes a row; and keys.txt, 200,000 MD5s of which half are in it, in random order.
"""
import random
import sys

rows, folder, seed = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 1
rng = random.Random(seed)
asked = 200_000
every = max(1, rows // (asked // 2))
keys = []

# All rows have one width, so that a block of them is filled column by column.
template = b'"' + 40 * b"s" + b'","' + 32 * b"m" + b'","' + 8 * b"c" + b'","' + 8 * b"n" + b'.DLL",123456,12345,"362",""\r\n'
columns = [i for i, c in enumerate(template) if c in b"smcn"]
width, digits = len(template), len(columns)

with open(folder + "/NSRLFile.txt", "wb") as out:
    out.write(b'"SHA-1","MD5","CRC32","FileName","FileSize","ProductCode","OpSystemCode","SpecialCode"\r\n')
    done = 0
    while done < rows:
        count = min(20_000, rows - done)
        block = bytearray(template * count)
        text = rng.randbytes(digits // 2 * count).hex().upper().encode()
        for i, column in enumerate(columns):
            block[column::width] = text[i::digits]
        out.write(block)
        for i in range(-done % every, count, every):
            if len(keys) < asked // 2:
                keys.append(block[i * width + 44:i * width + 76].decode())
        done += count

keys += [rng.randbytes(16).hex().upper() for _ in range(asked // 2)]
rng.shuffle(keys)
with open(folder + "/keys.txt", "w") as out:
    out.write("\n".join(keys) + "\n")
