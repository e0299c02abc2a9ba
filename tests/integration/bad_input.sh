#!/usr/bin/env bash
# bad_input: what is not as it should be gets a message that names file and cause, the right exit code, and a case that can be read.
. "$(dirname "$0")/lib.sh"

mkdir "$WORK/bad"
"$TOP/tests/images/make-bad.sh" "$WORK/bad" >"$WORK/make.log" 2>&1 || { cat "$WORK/make.log"; exit 1; }
bad=$WORK/bad

# run CODE NAME PATH words...: process ends with CODE, says all the words, and the case it leaves verifies.
run() {
  local code=$1 name=$2 path=$3
  shift 3
  exits "$code" "$KVALI" process "$path" --case "$WORK/case-$name" --jobs 2 || return 1
  local said word
  said=$(cat "$WORK/out")
  for word in "$@"; do
    contains "$said" "$word" || return 1
  done
  if [ -d "$WORK/case-$name" ]; then
    exits 0 "$KVALI" verify "$WORK/case-$name" --quiet || return 1
  fi
}

has_fault() { # case kind [SQL condition]
  local n
  n=$(sql "$WORK/case-$1" "SELECT count(*) FROM fault WHERE kind = '$2' AND ${3:-1}")
  sql "$WORK/case-$1" "SELECT kind, path, volume, detail FROM fault LIMIT 10"
  [ "$n" -gt 0 ]
}

promise "an empty file: exit 3, and it is named" run 3 empty "$bad/empty.raw" empty.raw empty
promise "a file that is not there: exit 3, and it is named" run 3 absent "$bad/absent.raw" absent.raw
promise "a text file: exit 1, and a fault says that no file system was recognised" run 1 text "$bad/text.raw"
promise "… and its bytes were examined all the same" has_fault text unsupported
promise "an image of zeros: done, and its volume is said to be zeros" run 0 zeros "$bad/zeros.raw"
promise "a truncated E01: exit 1, what stands before the cut is examined, and where that is, is told" run 1 truncated "$bad/truncated.E01" truncated.E01 "cut or broken at"
# The last line of a run and the ledger count what the view `fault` shows.
counted() {
  contains "$("$KVALI" run "$WORK/case-truncated" 2>&1)" "4 faults recorded" &&
    is 4 "$(tail -n 1 "$WORK/case-truncated/ledger.jsonl" | jq .faults)" && is 4 "$(sql "$WORK/case-truncated" "SELECT count(*) FROM fault")"
}
promise "… and its fault is counted in what the run says and in the ledger" counted
promise "a missing E01 segment: exit 1, and what is there is examined" run 1 segment "$bad/missing-segment.E01"
promise "… and a fault names the segment" has_fault segment damaged "detail LIKE '%segment 2%missing%'"
promise "… and the bytes that are not there are unreadable, to the byte" has_fault segment unreadable "size > 0"
promise "partitions that loop: the run ends, and the fault names it" run 1 loop "$bad/looping-extended.raw"
promise "… as damage of the table" has_fault loop damaged "detail LIKE '%comes back%'"
promise "partitions that overlap: a fault names it" run 1 overlap "$bad/overlapping.raw"
promise "… as damage" has_fault overlap damaged
promise "a tree of 300 levels is listed to its end" run 0 deep "$bad/deep.raw"
deep() {
  is 300 "$(sql "$WORK/case-deep" "SELECT count(*) FROM file WHERE type = 'file' AND unnamed = 0 AND name LIKE 'f%'")"
}
promise "… with all its 300 files" deep
promise "a damaged superblock: exit 1, and the fault says what was recognised" run 1 super "$bad/damaged-ext4.raw"
promise "a split image with a part missing: exit 1" run 1 split "$bad/split.001"
promise "… and a fault names the part" has_fault split damaged "detail LIKE 'part 2 of 3 is missing%'"

rules() {
  exits 0 "$KVALI" process "$WORK/sample-file" --type file --case "$WORK/case-rules" --rules "$bad/broken.yar" --plugins digest,yara || return 1
  contains "$(cat "$WORK/out")" "broken.yar" || return 1
  contains "$(sql "$WORK/case-rules" "SELECT problem FROM run_loaded WHERE problem IS NOT NULL")" "broken.yar:8:"
}
printf 'X5O!P%%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS' >"$WORK/sample-file"
printf -- '-TEST-FILE!$H+H*' >>"$WORK/sample-file"
promise "a rule file that does not compile is named with its line" rules
promise "… and the other rules ran" test 1 -le "$(sql "$WORK/case-rules" "SELECT count(*) FROM match" 2>/dev/null || echo 0)"

locked() {
  exec 9>"$WORK/hold"
  flock "$WORK/case-zeros/lock" sleep 5 &
  local holder=$!
  sleep 0.3
  exits 4 "$KVALI" run "$WORK/case-zeros"
  local result=$?
  kill "$holder" 2>/dev/null
  wait "$holder" 2>/dev/null
  [ "$result" -eq 0 ] && contains "$(cat "$WORK/out")" "case-zeros" && "$KVALI" status "$WORK/case-zeros" >/dev/null
}
promise "a case that another run holds: exit 4, and it can be read meanwhile" locked

no_case() { exits 4 "$KVALI" status "$WORK/nothing-here" && contains "$(cat "$WORK/out")" nothing-here; }
promise "a folder that is no case: exit 4" no_case
usage() { exits 2 "$KVALI" process && exits 2 "$KVALI" frobnicate && exits 2 "$KVALI" find "$WORK/case-zeros" --min-size many; }
promise "a wrong command line: exit 2" usage

denied() {
  mkdir -p "$WORK/folder/closed"
  echo open >"$WORK/folder/open.txt"
  echo closed >"$WORK/folder/closed/secret.txt"
  chmod 000 "$WORK/folder/closed"
  chmod 755 "$WORK"
  install -d -o nobody "$WORK/nobody" || return 1
  exits 1 setpriv --reuid nobody --regid nogroup --clear-groups "$KVALI" process "$WORK/folder" --case "$WORK/nobody/case" --tmp "$WORK/nobody" || return 1
  local rows
  rows=$(sql "$WORK/nobody/case" "SELECT kind, path FROM fault")
  contains "$rows" denied && contains "$rows" closed || return 1
  is 1 "$(sql "$WORK/nobody/case" "SELECT count(*) FROM file WHERE name = 'open.txt' AND sha256 IS NOT NULL")"
}
if [ "$(id -u)" -eq 0 ] && setpriv --reuid nobody --regid nogroup --clear-groups test -x "$KVALI"; then
  promise "a folder without permission: a fault names it, the rest is examined" denied
else
  skip "a folder without permission: needs root, and the build where everybody may read it"
fi

done_well() { # with faults or without
  "$KVALI" "$@" --quiet
  [ $? -le 1 ]
}

disk_full() {
  mkdir -p "$WORK/small"
  mount -t tmpfs -o size=1500k tmpfs "$WORK/small" || return 1
  exits 5 "$KVALI" process "$bad/deep.raw" "$WORK/many.raw" --case "$WORK/small/case" --tmp "$WORK" --jobs 2
  local result=$?
  cp "$WORK/out" "$WORK/full.out"
  if [ "$result" -eq 0 ]; then
    mount -o remount,size=64m "$WORK/small"
    "$KVALI" verify "$WORK/small/case" --quiet && done_well run "$WORK/small/case" &&
      done_well process "$bad/deep.raw" "$WORK/many.raw" --case "$WORK/roomy" &&
      is "$("$KVALI" digest "$WORK/roomy")" "$("$KVALI" digest "$WORK/small/case")"
    result=$?
  fi
  umount "$WORK/small"
  [ "$result" -eq 0 ] && contains "$(cat "$WORK/full.out")" "full"
}
# However little room there is when a case is made: what is left then is a case, or nothing that stands in the way of one.
made_in_little_room() {
  local size result=0
  printf 'some bytes' >"$WORK/some.raw"
  for size in 100 300 500 600 700 800 900 1000 1100 1200 1400; do
    mkdir -p "$WORK/small"
    mount -t tmpfs -o size=${size}k tmpfs "$WORK/small" || return 1
    "$KVALI" process "$WORK/some.raw" --type raw --case "$WORK/small/case" --tmp "$WORK" >"$WORK/out" 2>&1
    [ $? -le 1 ] || contains "$(cat "$WORK/out")" "full" || contains "$(cat "$WORK/out")" "room" || result=1
    mount -o remount,size=64m "$WORK/small"
    done_well process "$WORK/some.raw" --type raw --case "$WORK/small/case" && "$KVALI" verify "$WORK/small/case" --quiet || result=1
    [ "$result" -eq 0 ] || echo "with $size KiB"
    umount "$WORK/small"
  done
  return $result
}
mkdir "$WORK/many"
for i in $(seq 3000); do echo "$i" >"$WORK/many/a-file-with-a-name-of-some-length-$i.txt"; done
truncate -s 24M "$WORK/many.raw"
mke2fs -q -F -t ext4 -N 4000 -d "$WORK/many" "$WORK/many.raw"
if [ "$(id -u)" -eq 0 ] && mkdir -p "$WORK/try" && mount -t tmpfs tmpfs "$WORK/try" 2>/dev/null; then
  umount "$WORK/try"
  promise "a full disk: exit 5, the case is readable, and run goes on when there is room" disk_full
  promise "a disk that gets full while the case is made: the next try makes it" made_in_little_room
else
  skip "a full disk: needs the right to mount a tmpfs"
fi
finish
