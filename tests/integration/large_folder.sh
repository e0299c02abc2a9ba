#!/usr/bin/env bash
# large_folder: a folder for which libtsk needs longer than a worker may be silent is listed whole all the same.
# Usage: KVALI=... large_folder.sh [NAMES]
. "$(dirname "$0")/lib.sh"
names=${1:-50000}
case=$WORK/case

image() {
  local size=$((names * 1500 + (16 << 20))) # a file record of 1 KiB each, and its name in the folder's index
  : >"$WORK/empty"
  "${CC:-cc}" -O1 -o "$WORK/ntfsfill" "$TOP/tests/images/ntfsfill.c" $(pkg-config --cflags --libs libntfs-3g) || return 1
  truncate -s $((size / 4096 * 4096)) "$WORK/large.raw"
  mkntfs -q -F -f -s 512 -p 0 -H 0 -S 0 "$WORK/large.raw" || return 1
  { printf 'mkdir\t/many\n'; seq -f "file	/many/name-%07.0f	$WORK/empty" "$names"; } | "$WORK/ntfsfill" "$WORK/large.raw"
}
image >"$WORK/image.log" 2>&1 || { cat "$WORK/image.log"; exit 1; }

whole() {
  local begin end code
  begin=$(date +%s%N)
  exits 0 "$KVALI" process "$WORK/large.raw" --case "$case" --plugins digest --set limit.hang=2 --jobs 1 --quiet
  code=$?
  end=$(date +%s%N)
  echo "# $names names: $(((end - begin) / 1000000)) ms" >&3
  return $code
}
exec 3>&1
promise "the job ends without a fault although a worker may be silent for two seconds only" whole
promise "no worker was taken for hung" is "" "$(sql "$case" "SELECT kind || ' ' || path || ' ' || effect FROM fault")"
promise "every name of the folder is listed where it is" \
  is "$names" "$(sql "$case" "SELECT count(*) FROM file WHERE path LIKE '%/ntfs/many/name-%' AND live = 1")"
finish
