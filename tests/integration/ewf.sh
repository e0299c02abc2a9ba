#!/usr/bin/env bash
# ewf: E01 images of every kind that ewfacquire makes read as what went into them, and damage in one is told to the chunk.
. "$(dirname "$0")/lib.sh"
command -v ewfacquire >/dev/null || { skip "no ewfacquire (package ewf-tools)"; finish; }

# Zeros, noise and text in turn, and an end that fills no chunk.
python3 - "$WORK/medium.raw" <<'END'
import random, sys
rng = random.Random(3)
with open(sys.argv[1], "wb") as file:
    for i in range(420):
        file.write(rng.choice([bytes(4096), rng.randbytes(4096), (b"chunk %d " % i * 600)[:4096]]))
    file.write(rng.randbytes(3 * 512))
END
MD5=$(md5sum <"$WORK/medium.raw" | cut -c1-32)
SIZE=$(stat -c %s "$WORK/medium.raw")

acquire() { # NAME ARGUMENTS...
  local name=$1
  shift
  rm -f "$WORK/$name".*
  ewfacquire -q -u -t "$WORK/$name" -D medium -C c -e e -E e -N n "$@" "$WORK/medium.raw" >"$WORK/acquire.log" 2>&1 || { cat "$WORK/acquire.log"; return 1; }
  image=$(ls "$WORK/$name".[EeSs]01)
}

examine() { # EXIT
  rm -rf "$WORK/case"
  exits "$1" "$KVALI" process "$image" --case "$WORK/case" --plugins digest --jobs 1 --quiet
}

same() { # FORMAT COMPRESSION SECTORS [SEGMENT SIZE]
  acquire "$1-$2-$3" -f "$1" -c "$2" -b "$3" ${4:+-S $4} && examine 1 || return 1 # no file system in it: a fault
  is "match|$MD5|$SIZE" "$(sql "$WORK/case" 'SELECT verification, md5, size FROM exhibit')"
}
for format in encase1 encase6 smart; do
  for compression in none best; do
    promise "$format, compression $compression, chunks of 64 sectors" same $format $compression 64
  done
done
for format in encase4 ftk linen7 ewfx; do
  promise "$format" same $format fast 64
done
promise "chunks of 16 sectors, in segments" same encase6 fast 16 1MiB
promise "chunks of 4096 sectors" same encase6 fast 4096
promise "chunks of 4096 sectors that are not compressed" same encase6 none 4096

damage() { # SECTION OFFSET: flips a bit behind the descriptor of each section of that name
  python3 - "$image" "$1" "$2" <<'END'
import sys
path, name, at = sys.argv[1], sys.argv[2].split(","), int(sys.argv[3])
data, offset, found = bytearray(open(path, "rb").read()), 13, 0
while True:
    kind, following = data[offset:offset + 16].split(b"\0")[0].decode(), int.from_bytes(data[offset + 16:offset + 24], "little")
    if kind in name:
        data[offset + 76 + at] ^= 1
        found += 1
    if following <= offset:
        break
    offset = following
open(path, "wb").write(data)
sys.exit(0 if found else "no section " + sys.argv[2])
END
}

table() { # the copy is as good, and that it was needed is told
  acquire table -f encase6 -c fast -b 64 && damage table 40 && examine 1 && sql "$WORK/case" 'SELECT damage FROM exhibit' | grep -q 'damaged tables: 1' && is "match|$MD5" "$(sql "$WORK/case" 'SELECT verification, md5 FROM exhibit')"
}
promise "a damaged table: its copy is read" table

tables() { # nothing that is wrong is taken for the medium
  acquire tables -f encase6 -c fast -b 64 && damage table,table2 40 || return 1
  rm -rf "$WORK/case"
  "$KVALI" process "$image" --case "$WORK/case" --plugins digest --jobs 1 --quiet >"$WORK/out" 2>&1
  local code=$?
  [ $code = 1 ] || [ $code = 3 ] || { echo "exit $code"; return 1; }
  case $(sql "$WORK/case" "SELECT verification || '|' || md5 FROM exhibit") in "match|$MD5" | mismatch* | partial* | "") ;; *) return 1 ;; esac
}
promise "both copies damaged: right, or told" tables

chunk() { # COMPRESSION: bytes 8192 to 8200 of the data, which are in the first chunk
  acquire chunk -f encase6 -c "$1" -b 64 && damage sectors 8192 && examine 1 || return 1
  is "partial" "$(sql "$WORK/case" 'SELECT verification FROM exhibit')" &&
    is "32768" "$(sql "$WORK/case" "SELECT bytes_unread FROM stream WHERE kind = 'image'")"
}
promise "a damaged chunk that is not compressed: that chunk alone is told as unreadable" chunk none
promise "a damaged chunk that is compressed: the same" chunk fast

cut_off() { # COMPRESSION BYTES: the table is gone, and what stands before the cut is read all the same
  acquire cut -f encase6 -c "$1" -b 64 && truncate -s "$2" "$image" && examine 1 || return 1
  local unread read
  unread=$(sql "$WORK/case" "SELECT bytes_unread FROM stream WHERE kind = 'image'")
  read=$((SIZE - unread))
  [ "$read" -ge "$3" ] || { echo "$read bytes were read"; return 1; }
  { head -c "$read" "$WORK/medium.raw"; head -c "$unread" /dev/zero; } | md5sum >"$WORK/cut.md5"
  is "$(cut -c1-32 "$WORK/cut.md5")" "$(sql "$WORK/case" 'SELECT md5 FROM exhibit')" &&
    sql "$WORK/case" 'SELECT damage FROM exhibit' | grep -q 'chunks behind the last table were found without one'
}
promise "cut off before its table, not compressed: every whole chunk before the cut is read" cut_off none 1000000 950000
promise "cut off before its table, compressed: the same" cut_off best 300000 600000
truncated() { acquire truncated -f encase6 -c fast -b 64 && truncate -s 1500 "$image" && examine 3; }
promise "cut off before its first chunk: refused" truncated
finish
