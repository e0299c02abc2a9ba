#!/usr/bin/env bash
# records: records a second from a plugin, over the wire, checked, into case.db on the disk.
#   bench/records.sh KVALI RECORDS.so [RECORDS] [JOBS]
# A folder of files with zeros is the evidence; the plugin (bench/records.c) says one record of an offset and 30 letters for every
# 16 bytes. The same run without that plugin is taken off. Fails when a record is missing.
set -eu
kvali=$1
plugin=$2
records=${3:-2000000}
jobs=${4:-2}
files=8
work=$(mktemp -d "${TMPDIR:-/var/tmp}/kvali-bench-XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/evidence"
for n in $(seq "$files"); do
  truncate -s $((records / files * 16)) "$work/evidence/$n"
done

seconds() { # command...: wall and CPU seconds (all its processes)
  local TIMEFORMAT='%R %U %S' code=0
  { time "$@" >"$work/out" 2>&1 || code=$?; } 2>"$work/time"
  [ "$code" -le 1 ] || { cat "$work/out" >&2; exit 1; }
  awk '{ print $1, $2 + $3 }' "$work/time"
}

without=$(seconds "$kvali" process "$work/evidence" --case "$work/without" --plugins digest --jobs "$jobs" --quiet)
with=$(seconds "$kvali" process "$work/evidence" --case "$work/with" --plugins digest --plugin "$plugin" --jobs "$jobs" --quiet)
count=$(sqlite3 -readonly "$work/with/case.db" "SELECT count(*) FROM rec_records")
size=$(stat -c %s "$work/with/case.db")
[ "$count" -eq $((records / files * files)) ] || { echo "$count records are in the case, $records were said"; exit 1; }
echo "$with $without $count $size $jobs" | awk '{
  wall = $1 - $3 > 0.01 ? $1 - $3 : 0.01; cpu = $2 - $4 > 0.01 ? $2 - $4 : 0.01
  printf "%d records, %d workers: %.1f s with, %.1f s without: %.0f records a second\n", $5, $7, $1, $3, $5 / wall
  printf "CPU: %.1f s with, %.1f s without: %.0f records a CPU second; case.db %.0f MiB\n", $2, $4, $5 / cpu, $6 / 1048576 }'
