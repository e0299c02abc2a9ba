#!/usr/bin/env bash
# determinism: the findings of five real images are the same to the byte with 1, 2 and 4 workers. KVALI_CORPUS names the corpus;
# ../shared/corpus beside the project is looked for otherwise; where neither is there the test is skipped, and says so.
# Usage: KVALI=... determinism.sh [NAME OF AN IMAGE IN THE CORPUS...]
. "$(dirname "$0")/lib.sh"
corpus=${KVALI_CORPUS:-$TOP/../shared/corpus}
if [ ! -d "$corpus/images" ]; then
  echo "no corpus in $corpus (KVALI_CORPUS): skipped"
  exit 77
fi
[ $# -gt 0 ] || set -- bulk_extractor__nps-2010-emails.E01 colinfinck-ntfs__testfs1.img util-linux__ext3.img \
  sleuthkit_test_data__6-fat-undel.dd dfvfs__hfsplus.raw

unpack() {
  local name=$1
  if [ -f "$corpus/images/$name" ]; then
    cp "$corpus/images/$name" "$WORK/$name"
  else
    zstd -dqf --sparse "$corpus/images/$name.zst" -o "$WORK/$name"
  fi
}

same() {
  local name=$1 jobs want= got
  unpack "$name" || return 1
  for jobs in 1 2 4; do
    rm -rf "$WORK/case"
    "$KVALI" process "$WORK/$name" --case "$WORK/case" --jobs "$jobs" --quiet
    [ $? -le 1 ] || return 1
    [ "$(sql "$WORK/case" "SELECT count(*) > 0 FROM file WHERE sha256 IS NOT NULL")" = 1 ] || { echo "nothing was hashed"; return 1; }
    got=$("$KVALI" digest "$WORK/case") || return 1
    is "${want:=$got}" "$got" || return 1
  done
  echo "# $name: $want" >&3
}

exec 3>&1
for image in "$@"; do
  promise "$image: the findings are the same with 1, 2 and 4 workers" same "$image"
done
finish
