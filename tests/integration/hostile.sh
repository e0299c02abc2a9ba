#!/usr/bin/env bash
# hostile: plugins that crash, hang, take all memory, lie, flood, or try to get out: the job ends with exit 1, every other
# stream is complete, and the fault names stream, plugin and offset.
# Usage: KVALI=... HOSTILE=folder of the built plugins  hostile.sh
. "$(dirname "$0")/lib.sh"
: "${HOSTILE:?HOSTILE is the folder of the built plugins}"

mkdir -p "$WORK/evidence"
for i in $(seq 40); do
  seq "$i" $((i * 50)) >"$WORK/evidence/good-$i.txt"
done
for word in CRASHME HANGME HOGME LIEME FLOODME; do
  { echo "$word"; seq 1000; } >"$WORK/evidence/bad-$word.bin"
done
for what in open socket exec fork write kill; do
  echo "ESCAPEME $what" >"$WORK/evidence/escape-$what.bin"
done
truncate -s 16M "$WORK/disk.raw"
mke2fs -q -F -t ext4 -d "$WORK/evidence" "$WORK/disk.raw"
"$KVALI" process "$WORK/disk.raw" --case "$WORK/clean" --plugins digest,filetype,entropy --quiet >/dev/null 2>&1

# plugin NAME: a run with that plugin beside the built-in ones.
plugin() {
  local so
  so=$(ls "$HOSTILE"/*"$1".so | head -n 1)
  exits 1 "$KVALI" process "$WORK/disk.raw" --case "$WORK/$1" --plugins digest,filetype,entropy --plugin "$so" \
    --set limit.hang=5 --set limit.memory=256M --set limit.records=20000 --jobs 2 --quiet
}

# Every content has the hash that it has without the plugin, and all are done.
others_complete() {
  is 0 "$(sql "$WORK/$1" "SELECT count(*) FROM file WHERE status NOT IN ('done','partial') AND status <> ''")" || return 1
  is "$(sql "$WORK/clean" "SELECT path, sha256 FROM file WHERE path NOT LIKE '%!/%' ORDER BY path")" \
    "$(sql "$WORK/$1" "SELECT path, sha256 FROM file WHERE path NOT LIKE '%!/%' ORDER BY path")"
}

fault_names() { # plugin kind-pattern path-pattern
  local rows
  rows=$(sql "$WORK/$1" "SELECT kind, plugin, path, offset FROM fault WHERE plugin = '$1'")
  echo "$rows"
  echo "$rows" | grep -Eq "^($2)\|$1\|.*$3.*\|[0-9]+$"
}

verb() {
  case $1 in
  crash) echo crashes ;;
  hang) echo hangs ;;
  hog) echo "takes all memory" ;;
  liar) echo lies ;;
  flood) echo floods ;;
  esac
}

check() { # plugin kind-pattern path-pattern
  promise "a plugin that $(verb "$1"): the run ends with exit 1" plugin "$1"
  promise "a plugin that $(verb "$1"): the fault names plugin, stream and offset" fault_names "$1" "$2" "$3"
  promise "a plugin that $(verb "$1"): every content is complete all the same" others_complete "$1"
  promise "a plugin that $(verb "$1"): the case verifies" "$KVALI" verify "$WORK/$1" --quiet
}

check crash crash bad-CRASHME
check hang hang bad-HANGME
check hog "memory|crash" bad-HOGME
check liar "tamper|limit|damaged" bad-LIEME
check flood "limit" bad-FLOODME

promise "a plugin that tries to get out: the run ends with exit 1" plugin escape
for what in socket exec fork kill; do
  promise "a plugin that tries $what is killed and taken for tampering" fault_names escape tamper "escape-$what"
done
refused() { # action
  local rows
  rows=$(sql "$WORK/escape" "SELECT data FROM finding WHERE plugin = 'escape' AND path LIKE '%escape-$1.bin'")
  echo "$rows"
  contains "$rows" "EACCES" || contains "$rows" "EBADF"
}
promise "a plugin that tries to open a file is refused" refused open
promise "a plugin that tries to write to the evidence is refused" refused write
promise "a plugin that tries to get out: every content is complete all the same" others_complete escape
promise "the evidence is what it was" is "$(sha256sum <"$WORK/disk.raw")" \
  "$(sql "$WORK/clean" "SELECT sha256 FROM file WHERE kind = 'image'")  -"
finish
