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

milliseconds() { # command...
  local begin end
  begin=$(date +%s%N)
  "$@" >"$work/out" 2>&1 || { [ $? -le 1 ] || { cat "$work/out" >&2; exit 1; }; }
  end=$(date +%s%N)
  echo $(((end - begin) / 1000000))
}

without=$(milliseconds "$kvali" process "$work/evidence" --case "$work/without" --plugins digest --jobs "$jobs" --quiet)
with=$(milliseconds "$kvali" process "$work/evidence" --case "$work/with" --plugins digest --plugin "$plugin" --jobs "$jobs" --quiet)
count=$(sqlite3 -readonly "$work/with/case.db" "SELECT count(*) FROM rec_records")
size=$(stat -c %s "$work/with/case.db")
[ "$count" -eq $((records / files * files)) ] || { echo "$count records are in the case, $records were said"; exit 1; }
awk -v n="$count" -v w="$with" -v o="$without" -v s="$size" -v j="$jobs" 'BEGIN {
  printf "%d records, %d workers: %.1f s with, %.1f s without: %.0f records a second; case.db %.0f MiB\n", n, j, w / 1000, o / 1000,
    n / ((w - o > 1 ? w - o : 1) / 1000), s / 1048576 }'
