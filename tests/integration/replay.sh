#!/usr/bin/env bash
# replay: what lies inside another content is given back by scanning that again: show and export, nested, cut by a limit,
# with twins of a name, after a change, and without the plugin that found it.
# Usage: KVALI=... HOSTILE=folder of the built plugins  replay.sh
. "$(dirname "$0")/lib.sh"
: "${HOSTILE:?HOSTILE is the folder of the built plugins}"
nest=$HOSTILE/nest.so
twins=$HOSTILE/twins.so

mkdir -p "$WORK/evidence"
printf 'NESTNESTNESThello' >"$WORK/evidence/three.bin"
printf 'NESTone' >"$WORK/evidence/one.bin"
printf 'NEST' >"$WORK/evidence/empty.bin"
{ printf NEST; seq 1 700000; } >"$WORK/evidence/big.bin"
# Both plugins find an "inner" in these: which one is the second depends on both.
{ printf NESTTWIN; seq 1 50; } >"$WORK/evidence/both.bin"
{ printf NESTTWINNEST; seq 1 40; } >"$WORK/evidence/deep-both.bin"
seq 3 >"$WORK/evidence/plain.txt"
truncate -s 24M "$WORK/disk.raw"
mke2fs -q -F -t ext4 -d "$WORK/evidence" "$WORK/disk.raw"

process() { # case option...
  local case=$1
  shift
  "$KVALI" process "$WORK/disk.raw" --case "$WORK/$case" --plugin "$nest" --plugin "$twins" --jobs 2 --quiet "$@"
}
is_fault() { # what a run ends with when it recorded faults
  "$@"
  is 1 $?
}
promise "a run finds streams in streams" process case --plugins digest,filetype,yara
inner() { sql "$WORK/$1" "SELECT path, sha256 FROM file WHERE kind IN ('child', 'carved') AND sha256 IS NOT NULL ORDER BY path"; }
promise "at three levels, and twins of a name" sh -c 'echo "$1"; echo "$1" | grep -q "three.bin!/inner!/inner!/inner|" &&
  echo "$1" | grep -q "/both.bin!/inner\\\\#2|" && [ "$(echo "$1" | wc -l)" -ge 11 ]' - "$(inner case)"

shown() { # case
  local path sha got
  inner "$1" | while IFS='|' read -r path sha; do
    got=$("$KVALI" show "$WORK/$1" "$path" --bytes --plugin "$nest" --plugin "$twins" | sha256sum | cut -d' ' -f1) || exit 1
    is "$sha" "$got" || { echo "$path"; exit 1; }
    exits 0 "$KVALI" show "$WORK/$1" "$path" --bytes --plugin "$nest" --plugin "$twins" || exit 1
  done
}
promise "show gives back each of them, with the SHA-256 that the run took" shown case
part() {
  local path
  path=$(sql "$WORK/case" "SELECT path FROM file WHERE path LIKE '%/three.bin!/inner!/inner'")
  is "STh" "$("$KVALI" show "$WORK/case" "$path" --bytes --offset 2 --length 3 --plugin "$nest")" || return 1
  path=$(sql "$WORK/case" "SELECT path FROM file WHERE path LIKE '%/big.bin!/inner'")
  is "$(seq 1 700000 | tail -c +3000001 | head -c 100000 | sha256sum)" \
    "$("$KVALI" show "$WORK/case" "$path" --bytes --offset 3000000 --length 100000 --plugin "$nest" | sha256sum)"
}
promise "… and a part of one" part

exported() { # case
  local path sha
  inner "$1" | while IFS='|' read -r path sha; do
    is "$sha" "$(sha256sum <"$WORK/$1/exports/${sha:0:2}/$sha" | cut -d' ' -f1)" || exit 1
    grep -qF "\"path\":\"$(printf %s "$path" | sed 's/\\/\\\\/g')\"" "$WORK/$1"/exports/index-*.jsonl || { echo "not in the index: $path"; exit 1; }
  done
}
promise "export of everything ends with exit 0" exits 0 "$KVALI" export "$WORK/case" --all --plugin "$nest" --plugin "$twins" --quiet
promise "… and each of them is there, with an address in the index" exported case
promise "… and the case verifies" exits 0 "$KVALI" verify "$WORK/case" --quiet

without() {
  local path
  path=$(sql "$WORK/case" "SELECT path FROM file WHERE path LIKE '%/one.bin!/inner'")
  exits 2 "$KVALI" show "$WORK/case" "$path" --bytes && contains "$(cat "$WORK/out")" "plugin nest" &&
    contains "$(cat "$WORK/out")" "$nest" && exits 2 "$KVALI" show "$WORK/case" "$path" --bytes --plugin "$twins"
}
promise "without the lab's plugin show says which one to give" without
export_without() {
  rm -rf "$WORK/case/exports"/??
  exits 1 "$KVALI" export "$WORK/case" --all || return 1
  contains "$(cat "$WORK/out")" "plugin nest" && contains "$(cat "$WORK/out")" "$nest" &&
    is "$(sql "$WORK/case" "SELECT count(DISTINCT sha256) FROM file WHERE sha256 IS NOT NULL AND kind NOT IN ('child', 'carved', 'image')")" \
      "$(find "$WORK/case/exports" -type f -name '????????????????????????????????????????????????????????????????' | wc -l)"
}
promise "… and export leaves those out, tells, and exports all others" export_without

dies() {
  local path
  path=$(sql "$WORK/case" "SELECT path FROM file WHERE path LIKE '%/three.bin!/inner!/inner!/inner'")
  exits 3 "$KVALI" show "$WORK/case" "$path" --bytes --plugin "$HOSTILE/nest_crash.so" &&
    contains "$(cat "$WORK/out")" "the parser died" || return 1
  rm -rf "$WORK/case/exports"/??
  exits 1 "$KVALI" export "$WORK/case" --all --plugin "$HOSTILE/nest_crash.so" --plugin "$twins" || return 1
  contains "$(cat "$WORK/out")" "$path: the parser died" || return 1
  [ -f "$WORK/case/exports/76/7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed" ] &&
    [ -f "$WORK/case/exports/d3/d381e70e4d92525463bbd64f63b7601d7fba38c10aaecce3fc80311d2b7452de" ]
}
promise "a plugin that crashes now costs what only it would have found" dies
promise "a run with limits of its own" is_fault process cut --plugins digest --set limit.child_bytes=3000000 --set block=100K
is_cut() { is 3000000 "$(sql "$WORK/cut" "SELECT size FROM file WHERE path LIKE '%/big.bin!/inner'")"; }
promise "… cuts what it finds" is_cut
cut_again() {
  local path
  path=$(sql "$WORK/cut" "SELECT path FROM file WHERE path LIKE '%/big.bin!/inner'")
  is "$(seq 1 700000 | head -c 3000000 | sha256sum)" "$("$KVALI" show "$WORK/cut" "$path" --bytes --plugin "$nest" 2>"$WORK/said" | sha256sum)" &&
    contains "$(cat "$WORK/said")" "not whole"
}
promise "… and the same is given back, cut as it was, and told to be" cut_again
promise "… as is all else" shown cut

changed() {
  python3 - "$WORK/disk.raw" <<'END'
import sys
data = bytearray(open(sys.argv[1], 'rb').read())
for old, new in ((b'NESTNESTNESThello', b'NESTNESTNESThallo'), (b'NESTone', b'PESTone')):
    at = data.index(old)
    data[at:at + len(old)] = new
open(sys.argv[1], 'wb').write(data)
END
}
promise "the evidence changes" changed
differs() {
  local path
  path=$(sql "$WORK/case" "SELECT path FROM file WHERE path LIKE '%/three.bin!/inner!/inner'")
  exits 3 "$KVALI" show "$WORK/case" "$path" --bytes --plugin "$nest" && contains "$(cat "$WORK/out")" "not those whose SHA-256 is in the case"
}
promise "other bytes than those that were hashed are told, with exit 3" differs
gone() {
  local path
  path=$(sql "$WORK/case" "SELECT path FROM file WHERE path LIKE '%/one.bin!/inner'")
  exits 3 "$KVALI" show "$WORK/case" "$path" --bytes --plugin "$nest" && contains "$(cat "$WORK/out")" "not found again"
}
promise "what is not found again is told, with exit 3" gone
export_changed() {
  exits 1 "$KVALI" export "$WORK/cut" --all --plugin "$nest" --plugin "$twins" &&
    contains "$(cat "$WORK/out")" "not found again" && contains "$(cat "$WORK/out")" "not those whose SHA-256 is in the case"
}
promise "… by export too, with exit 1" export_changed
rules_gone() {
  local path
  mkdir "$WORK/rules" && printf 'rule x { condition: false }\n' >"$WORK/rules/x.yar"
  "$KVALI" process "$WORK/disk.raw" --case "$WORK/rules-case" --plugins digest,yara --rules "$WORK/rules" --plugin "$nest" --quiet
  rm -r "$WORK/rules"
  path=$(sql "$WORK/rules-case" "SELECT path FROM file WHERE path LIKE '%/three.bin!/inner!/inner'")
  is "NESThallo" "$("$KVALI" show "$WORK/rules-case" "$path" --bytes --plugin "$nest")"
}
promise "rules that are gone are not missed where they found no stream" rules_gone
finish
