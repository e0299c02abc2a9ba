#!/usr/bin/env python3
"""Writes a synthetic NSRL RDS v2 (NSRLFile.txt): random hashes, the same for the same seed.

mkrds.py ROWS FOLDER [SEED]: FOLDER/NSRLFile.txt; and keys.txt, 200,000 MD5s of which half are in it, in random order.
"""
import random
import sys

rows, folder, seed = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 1
rng = random.Random(seed)
names = ["kernel32.dll", "readme.txt", "index.html", "libc.so.6", "setup.exe", "image0001.png", "a_longer_name_of_a_file.cab"]
asked = 200_000
every = max(1, rows // (asked // 2))
keys = []

with open(folder + "/NSRLFile.txt", "w", newline="") as out:
    out.write('"SHA-1","MD5","CRC32","FileName","FileSize","ProductCode","OpSystemCode","SpecialCode"\r\n')
    done = 0
    while done < rows:
        count = min(100_000, rows - done)
        block = rng.randbytes(40 * count).hex().upper()
        lines = []
        for i in range(count):
            d = block[80 * i:80 * i + 80]
            lines.append('"%s","%s","%s","%s",%d,%d,"362",""\r\n' % (d[:40], d[40:72], d[72:], names[i % 7], i * 37, i % 20000))
            if (done + i) % every == 0 and len(keys) < asked // 2:
                keys.append(d[40:72])
        out.write("".join(lines))
        done += count

keys += [rng.randbytes(16).hex().upper() for _ in range(asked // 2)]
rng.shuffle(keys)
with open(folder + "/keys.txt", "w") as out:
    out.write("\n".join(keys) + "\n")
