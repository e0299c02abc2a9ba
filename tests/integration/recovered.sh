#!/usr/bin/env bash
# recovered: pictures in a medium without any file system, from carving to the gallery, the filters and the export.
. "$(dirname "$0")/lib.sh"
samples=$TOP/tests/plugins/thumbnail
image=$WORK/pictures.raw
case=$WORK/case
put() { dd if="$1" of="$image" bs=4096 seek="$2" conv=notrunc status=none; }
truncate -s 4M "$image"
put "$samples/halves.png.in" 16
put "$samples/progressive.jpg.in" 32
put "$samples/halves.jpg.in" 64
put "$samples/cut.jpg.in" 128
"$KVALI" process "$image" --case "$case" --quiet
html=$(cat "$case/reports/report-0001.html")

found() { "$KVALI" find "$case" "$@" --json | jq -r .path | sed 's/.*!.//' | sort | xargs; }
promise "the pictures are recovered at their places" is "0x00010000.png 0x00020000.jpg 0x00040000.jpg 0x00080000.jpg" "$(found --carved)"
promise "--grade chooses by grade" is "0x00080000.jpg" "$(found --grade partial)"
promise "--grade goes with the other filters" is "0x00020000.jpg 0x00040000.jpg" "$(found --carved --grade validated --mime image/jpeg)"
promise "a grade that there is not is refused" exits 2 "$KVALI" find "$case" --grade good
promise "what is recovered is not of another kind" exits 2 "$KVALI" find "$case" --carved --kind file

exported() {
  "$KVALI" export "$case" --carved --grade validated --quiet || return 1
  for name in halves.png progressive.jpg halves.jpg; do
    sum=$(sha256sum <"$samples/$name.in" | cut -d' ' -f1)
    cmp "$samples/$name.in" "$case/exports/${sum%"${sum#??}"}/$sum" || return 1
  done
  is 3 "$(cat "$case"/exports/index-*.jsonl | wc -l)"
}
promise "export --carved gives their very bytes, and only those of the grade" exported

promise "each has a small picture of its own" is "12x6 24x12 344x88 344x88" \
  "$(sql "$case" "SELECT width || 'x' || height FROM picture ORDER BY width" | xargs)"
promise "what is cut is said to be" is 1 "$(sql "$case" "SELECT count(*) FROM picture WHERE damaged")"
promise "the report shows them, as data of its own" is 4 "$(printf %s "$html" | grep -o '<img alt="" src="data:image/jpeg;base64,/9j/' | wc -l)"
bytes() { # nothing of the original's is in the small one but its picture
  ! sql "$case" "SELECT hex(jpeg) FROM picture" | grep -qE 'FFFE|FFE1|FFED'
}
promise "no small picture has metadata" bytes
promise "every byte of the medium is accounted for" contains "$html" "Every byte of EX-1 is accounted for"
promise "the division adds up" is "$(sql "$case" "SELECT size FROM exhibit")" "$(sql "$case" "SELECT sum(bytes) FROM account WHERE what <> 'share'")"

overwritten() { # a deleted file whose blocks another one has
  export PATH=$PATH:/sbin:/usr/sbin MTOOLS_SKIP_CHECK=1
  truncate -s 4M "$WORK/fat.raw"
  mkfs.fat -n DISK "$WORK/fat.raw" >/dev/null || return 1
  seq 1 30000 >"$WORK/old.txt"
  seq 1 50000 >"$WORK/new.txt"
  seq 1 10 >"$WORK/slot.txt" # whose place in the folder the new file takes
  mcopy -i "$WORK/fat.raw" "$WORK/slot.txt" "$WORK/old.txt" :: && mdel -i "$WORK/fat.raw" ::/slot.txt ::/old.txt &&
    mcopy -i "$WORK/fat.raw" "$WORK/new.txt" :: || return 1
  "$KVALI" process "$WORK/fat.raw" --case "$WORK/fat" --quiet
  contains "$(sql "$WORK/fat" "SELECT blocks FROM file WHERE deleted AND blocks IS NOT NULL")" overwritten &&
    contains "$(sql "$WORK/fat" "SELECT owner FROM overwritten")" new.txt &&
    contains "$(cat "$WORK/fat/reports/report-0001.html")" "new.txt</bdi>" && "$KVALI" verify "$WORK/fat"
}
promise "who has a deleted file's blocks is told, and such a case verifies" overwritten

inside() { # a picture inside of a live file is found when it is asked for, and not otherwise
  mkdir "$WORK/folder"
  { head -c 4096 /dev/zero | tr '\0' x; cat "$samples/halves.png.in"; head -c 4096 /dev/zero | tr '\0' y; } >"$WORK/folder/hull.bin"
  "$KVALI" process "$WORK/folder" --case "$WORK/not" --quiet && is 0 "$("$KVALI" find "$WORK/not" --carved --json | grep -c .)" &&
    "$KVALI" process "$WORK/folder" --case "$WORK/yes" --carve-files --quiet && is 1 "$("$KVALI" find "$WORK/yes" --carved --json | grep -c .)"
}
promise "--carve-files looks inside of live files" inside
slack_alone() { # slack is found by no plugin: its content is read again all the same
  export PATH=$PATH:/sbin:/usr/sbin MTOOLS_SKIP_CHECK=1
  local image=$WORK/slack.raw case=$WORK/slack
  truncate -s 8M "$image"
  mkfs.vfat -s 8 "$image" >/dev/null
  seq 1 3000 >"$WORK/long.txt"
  seq 7 20 >"$WORK/short.txt"
  mcopy -i "$image" "$WORK/long.txt" ::A.TXT && mdel -i "$image" ::A.TXT && mcopy -i "$image" "$WORK/short.txt" ::B.TXT
  "$KVALI" process "$image" --case "$case" --plugins digest --quiet
  local path
  path=$(sql "$case" "SELECT path FROM file WHERE kind = 'slack' AND path LIKE '%B.TXT%'")
  is "$(sql "$case" "SELECT sha256 FROM file WHERE path = '$path'")" \
    "$("$KVALI" show "$case" "$path" --bytes | sha256sum | cut -d' ' -f1)" &&
    "$KVALI" export "$case" --kind slack --quiet
}
promise "slack is shown and exported where no plugin found any other content inside" slack_alone
finish
