#!/usr/bin/env bash
# pipeline: kvali beside what labs script with The Sleuth Kit and hashdeep, on one image, one after the other, repeatedly.
#   bench/pipeline.sh KVALI IMAGE [ROUNDS]
# Prints wall seconds, CPU seconds (user + system) and peak memory of the largest process for each, medians last.
# Needs: sleuthkit, hashdeep, GNU time.
set -eu
kvali=$1
image=$2
rounds=${3:-3}
work=$(mktemp -d "${TMPDIR:-/var/tmp}/kvali-bench-XXXXXX")
trap 'rm -rf "$work"' EXIT

measure() { # name command...
  local name=$1
  shift
  sync
  /usr/bin/time -f '%e %U %S %M' -o "$work/time" "$@" >"$work/out" 2>&1 || [ $? -eq 1 ]
  tail -n 1 "$work/time" | awk -v n="$name" '{ printf "%s\t%.2f\t%.2f\t%.0f\n", n, $1, $2 + $3, $4 / 1024 }' | tee -a "$work/table"
}

tsk() { # every file system of the image: extract, then hash what came out
  rm -rf "$work/files"
  mkdir "$work/files"
  mmls -a "$image" 2>/dev/null | awk '$1 ~ /:$/ { print $3 }' | while read -r start; do
    mkdir "$work/files/$start"
    tsk_recover -e -o "$start" "$image" "$work/files/$start"
  done
  [ -n "$(ls "$work/files")" ] || tsk_recover -e "$image" "$work/files"
  hashdeep -c md5,sha1,sha256 -r -s "$work/files" >"$work/hashes"
}
export -f tsk
export work image

cat "$image" >/dev/null
printf 'what\twall s\tCPU s\tpeak MiB\n'
for _ in $(seq "$rounds"); do
  rm -rf "$work/case"
  measure 'kvali --plugins digest' "$kvali" process "$image" --case "$work/case" --plugins digest --quiet
  rm -rf "$work/case"
  measure 'kvali, all plugins' "$kvali" process "$image" --case "$work/case" --quiet
  measure 'tsk_recover -e + hashdeep -r' bash -c tsk
  measure 'hashdeep of the image' hashdeep -c md5,sha1,sha256 "$image"
done
echo
echo 'medians:'
cut -f1 "$work/table" | sort -u | while read -r name; do
  for column in 2 3 4; do
    awk -F'\t' -v n="$name" -v c="$column" '$1 == n { print $c }' "$work/table" | sort -n |
      awk '{ v[NR] = $1 } END { printf "%s\t", v[int((NR + 1) / 2)] }'
  done
  echo "$name"
done
