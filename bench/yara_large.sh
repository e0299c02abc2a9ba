#!/usr/bin/env bash
# yara_large: strings at the start, at the end and across every 16 MiB of one file of 6 GiB without holes, in a raw image
# and in an E01: are all of them found, where they stand, and within how much memory?
# Usage: yara_large.sh KVALI FOLDER [GIB]     needs three times as much room in FOLDER; mke2fs, ewfacquirestream
set -euo pipefail
kvali=$1 folder=$2 gib=${3:-6}
work=$folder/yara_large
rm -rf "$work"
mkdir -p "$work/files"

python3 - "$work/files/large.bin" "$gib" <<'PYTHON'
import hashlib
import sys

path, gib = sys.argv[1], int(sys.argv[2])
step = 16 << 20
size = gib << 30
noise = b"".join(hashlib.sha256(str(i).encode()).digest() for i in range(1 << 15))  # a MiB that is the same nowhere within
with open(path, "wb") as out:
    for at in range(0, size, len(noise)):
        out.write(bytes(b ^ (at >> 20 & 0xff) for b in noise[:4096]) + noise[4096:])
    for at in range(0, size + 1, step):
        mark = b"KVALI-MARK-%06d" % (at // step)
        out.seek(0 if at == 0 else size - len(mark) if at == size else at - len(mark) // 2)
        out.write(mark)
PYTHON

echo 'rule marks { strings: $m = /KVALI-MARK-[0-9]{6}/ condition: #m == '$((gib * 64 + 1))' }' >"$work/marks.yar"
echo 'rule last { strings: $m = "KVALI-MARK-'"$(printf %06d $((gib * 64)))"'" condition: $m at filesize - 17 }' >>"$work/marks.yar"
mke2fs -q -t ext4 -m 0 -O ^has_journal -d "$work/files" "$work/image.raw" $((gib * 1024 + 256))M
rm -r "$work/files"

look() { # IMAGE
  rm -rf "$work/case"
  "$kvali" process "$1" --case "$work/case" --plugins yara --no-default-rules --rules "$work/marks.yar" --quiet >/dev/null || true
  sqlite3 "$work/case/case.db" "SELECT rule, string_count, path FROM match WHERE path LIKE '%large.bin' ORDER BY rule"
  sqlite3 "$work/case/case.db" "SELECT kind, detail FROM fault"
  sqlite3 "$work/case/case.db" "SELECT json_extract(p.value, '\$.offset'), json_extract(m.physical, '\$[' || p.key || ']') FROM match m, json_each(m.strings) p WHERE rule = 'marks'" |
    while IFS='|' read -r offset physical; do
      text=$(tail -c "+$((physical + 1))" "$work/image.raw" | head -c 11)
      [ "$text" = KVALI-MARK- ] || echo "at $offset of the file, $physical of the image there is no mark"
    done
}
for image in raw E01; do
  [ $image = raw ] || ewfacquirestream -q -c none -S 4294967296 -t "$work/image" <"$work/image.raw" >/dev/null 2>"$work/ewf.txt" || { cat "$work/ewf.txt"; exit 1; }
  echo "== $image"
  look "$work/image.$image" &
  peak=0
  while kill -0 $! 2>/dev/null; do
    for status in /proc/[0-9]*/status; do
      own=$(awk '/^Name:/ { name = $2 } /^RssAnon:/ { print name, $2 }' "$status" 2>/dev/null | awk '$1 == "kvali-worker" { print $2 }') || true
      [ "${own:-0}" -le "$peak" ] || peak=$own
    done
    sleep 0.2
  done
  wait || true
  echo "largest worker: $((peak / 1024)) MiB of its own (RssAnon)"
done
rm -rf "$work"
