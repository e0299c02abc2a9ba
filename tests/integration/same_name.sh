#!/usr/bin/env bash
# same_name: two exhibits whose images have one name, and so the same addresses; and contents that are equal.
# Usage: KVALI=... HOSTILE=folder of the built plugins  same_name.sh
. "$(dirname "$0")/lib.sh"
: "${HOSTILE:?HOSTILE is the folder of the built plugins}"
export PATH=$PATH:/sbin:/usr/sbin
case=$WORK/case
for n in 1 2; do
  mkdir -p "$WORK/in$n" "$WORK/$n"
  printf 'NESTin %s' "$n" >"$WORK/in$n/nest.bin"
  seq 1 5000 >"$WORK/in$n/a.txt"
  cp "$WORK/in$n/a.txt" "$WORK/in$n/b.txt"
  truncate -s 4M "$WORK/$n/disk.raw"
  mke2fs -q -F -t ext4 -d "$WORK/in$n" "$WORK/$n/disk.raw"
done
"$KVALI" process "$WORK/1/disk.raw" "$WORK/2/disk.raw" --case "$case" --plugin "$HOSTILE/nest.so" --plugins digest --quiet
inner=$(sql "$case" "SELECT DISTINCT path FROM file WHERE path LIKE '%/nest.bin!/inner'")
outer=${inner%!*}

asks() { # option...
  exits 2 "$KVALI" show "$case" "$outer" "$@" && contains "$(cat "$WORK/out")" "EX-1,EX-2" && contains "$(cat "$WORK/out")" "--exhibit"
}
promise "show asks which exhibit is meant" asks
promise "… for the bytes too" asks --bytes
bytes() { # path exhibit
  "$KVALI" show "$case" "$1" --exhibit "$2" --bytes --plugin "$HOSTILE/nest.so"
}
promise "show --exhibit gives the first one's bytes" is "NESTin 1" "$(bytes "$outer" EX-1)"
promise "… and the second one's" is "NESTin 2" "$(bytes "$outer" EX-2)"
promise "… and of what lies inside each" is "in 1in 2" "$(bytes "$inner" EX-1)$(bytes "$inner" EX-2)"
known() { # what is known is of that exhibit, and of it alone
  local sum
  sum=$(sha256sum <"$WORK/in2/nest.bin" | cut -d' ' -f1)
  is "EX-2 $sum 1" "$("$KVALI" show "$case" "$outer" --exhibit EX-2 --json |
    jq -r '.exhibit + " " + .sha256 + " " + ([.findings[] | select(.type == "digest")] | length | tostring)')"
}
promise "what is known is that exhibit's" known
promise "an exhibit that has no such address is told" exits 2 "$KVALI" show "$case" "$outer" --exhibit EX-3

exported() {
  local path n sum
  exits 0 "$KVALI" export "$case" --all --plugin "$HOSTILE/nest.so" --quiet || return 1
  for path in "$outer" "$inner"; do
    for n in 1 2; do
      sum=$(jq -r --arg p "$path" --arg x "EX-$n" 'select(.path == $p and .exhibit == $x) | .file' "$case"/exports/index-0001.jsonl)
      is "in $n" "$(tail -c 4 "$case/exports/$sum")" || return 1
    done
  done
}
promise "both are exported, and the index says of which exhibit each is" exported

change_block() { # image file: one byte of its content, where it lies on the medium
  local block size
  block=$(debugfs -R "blocks /$2" "$1" 2>/dev/null | tr -s ' \n' '\n' | grep -m1 .)
  size=$(dumpe2fs -h "$1" 2>/dev/null | sed -n 's/^Block size: *//p')
  printf x | dd of="$1" bs=1 seek=$((block * size)) conv=notrunc status=none
}
promise "a content changes that another one equals" change_block "$WORK/1/disk.raw" a.txt
twin() {
  local sum
  sum=$(sha256sum <"$WORK/in1/a.txt" | cut -d' ' -f1)
  rm -rf "$case/exports"/?? "$case/exports"/index-*
  exits 1 "$KVALI" export "$case" --exhibit EX-1 --name '?.txt' || return 1
  is "$sum" "$(sha256sum <"$case/exports/${sum:0:2}/$sum" | cut -d' ' -f1)" || return 1
  jq -r .file "$case"/exports/index-*.jsonl | while read -r file; do
    [ -f "$case/exports/$file" ] || { echo "in the index, and not there: $file"; exit 1; }
  done
}
promise "the other one is read itself, and all that the index names is there" twin
finish
