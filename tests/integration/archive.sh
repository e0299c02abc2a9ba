#!/usr/bin/env bash
# archive: archives open to what other programs find in them, their members can be had again, bombs end at a limit, and the
# findings are the same at any number of workers.
# Usage: KVALI=... archive.sh
. "$(dirname "$0")/lib.sh"
for tool in 7z zip bsdtar gcab; do
  command -v $tool >"$WORK/null" || { skip "there is no $tool"; finish; }
done

mkdir "$WORK/samples" "$WORK/evidence"
python3 -B "$TOP/tests/plugins/archive/make-samples.py" "$WORK/samples" || exit 1
for file in "$WORK"/samples/*.in; do
  base=${file##*/}
  case $base in # that other programs open differently, or not at all
  closed*|names*|cut*|damaged*|hidden*|nodirectory*|two*|program*) mkdir -p "$WORK/odd" && cp "$file" "$WORK/odd/${base%.in}" ;;
  *) cp "$file" "$WORK/evidence/${base%.in}" ;;
  esac
done
mkdir "$WORK/more"
head -c 300000 /dev/urandom >"$WORK/more/noise.bin"
seq 100000 >"$WORK/more/numbers.txt"
(cd "$WORK/more" && zip -q "$WORK/evidence/zip.zip" ./* && zip -q -Z bzip2 "$WORK/evidence/bzip2.zip" ./* && 7z a -bd -mm=LZMA "$WORK/evidence/lzma.zip" ./* >"$WORK/null" &&
  7z a -bd -mm=PPMd "$WORK/evidence/ppmd.zip" ./* >"$WORK/null" && 7z a -bd "$WORK/evidence/solid.7z" ./* >"$WORK/null" &&
  7z a -bd -m0=PPMd "$WORK/evidence/ppmd.7z" ./* >"$WORK/null" && 7z a -bd -m0=BCJ -m1=BZip2 "$WORK/evidence/bcj.7z" ./* >"$WORK/null" &&
  tar --zstd -cf "$WORK/evidence/numbers.tar.zst" ./* && bsdtar -czf "$WORK/evidence/numbers.tgz" ./* && bsdtar --format iso9660 -cf "$WORK/evidence/numbers.iso" ./* &&
  zip -q - ./* | cat >"$WORK/evidence/stream.zip") || exit 1
promise "what bsdtar, unzip and 7z find in archives is what kvali finds" python3 -B "$TOP/tests/integration/archive.py" "$KVALI" "$WORK/evidence"

cp -r "$WORK/odd" "$WORK/evidence/odd"
truncate -s 64M "$WORK/disk.raw"
mke2fs -q -F -t ext4 -d "$WORK/evidence" "$WORK/disk.raw"
process() { # case option...
  local case=$1 code=0
  shift
  "$KVALI" process "$WORK/disk.raw" --case "$WORK/$case" --quiet "$@" || code=$?
  [ $code -le 1 ]
}
promise "archives in a file system" process one --jobs 1 --plugins archive,digest,filetype,unpack
promise "… and by two workers" process two --jobs 2 --plugins archive,digest,filetype,unpack
promise "… give the same findings" is "$("$KVALI" digest "$WORK/one")" "$("$KVALI" digest "$WORK/two")"
promise "members that are not in the directory are there" is 1 "$(sql "$WORK/one" "SELECT count(*) FROM file WHERE path LIKE '%/hidden.zip!/deleted.txt' AND deleted")"
promise "encrypted ones are named with the method" is "AES-256 (7zAES)|AES-256 (WinZip)|ZipCrypto" \
  "$(sql "$WORK/one" "SELECT group_concat(e, '|') FROM (SELECT DISTINCT encryption AS e FROM rec_archive_member WHERE encryption IS NOT NULL ORDER BY 1)")"
promise "what archive opens is not unpacked once more" is 0 "$(sql "$WORK/one" "SELECT count(*) FROM stream WHERE plugin = 'unpack' AND path LIKE '%.zip!/zip@%'")"

shown() {
  local path sha count=0
  while IFS='|' read -r path sha; do
    is "$sha" "$("$KVALI" show "$WORK/one" "$path" --bytes | sha256sum | cut -d' ' -f1)" || { echo "$path"; return 1; }
    count=$((count + 1))
  done < <(sql "$WORK/one" "SELECT f.path, f.sha256 FROM file f JOIN stream s ON s.id = f.stream WHERE s.plugin = 'archive' AND f.sha256 IS NOT NULL ORDER BY f.path LIMIT 25 OFFSET 20")
  [ $count -eq 25 ]
}
promise "show gives members back with the SHA-256 that the run took" shown

# Bombs: each ends within the time, leaves the row of its limit, and little is unpacked of it.
mkdir "$WORK/bombs"
bomb() { # name limit
  python3 -B "$TOP/tests/images/make-bombs.py" "$WORK/bombs" "$1" || return 1
  exits 1 timeout 120 "$KVALI" process "$WORK/bombs" --case "$WORK/bomb" --jobs 1 --quiet --plugins archive,digest || return 1
  is 1 "$(sql "$WORK/bomb" "SELECT count(*) > 0 FROM fault WHERE plugin = 'archive' AND kind = 'limit' AND detail LIKE '$2%'")" &&
    is 0 "$(sql "$WORK/bomb" "SELECT count(*) FROM fault WHERE kind <> 'limit'")" &&
    is 1 "$(sql "$WORK/bomb" "SELECT coalesce(sum(size), 0) < 3000000000 FROM stream WHERE parent IS NOT NULL")" &&
    is done "$(sql "$WORK/bomb" "SELECT status FROM run")"
  local code=$?
  rm -rf "$WORK/bomb" "$WORK/bombs/$1"
  return $code
}
promise "10 GiB of zeros in 10 MiB end at the ratio" bomb zeros.gz archive.ratio
promise "six levels of sixteen archives end at the ratio" bomb levels.zip archive.ratio
promise "names for one and the same content end at the ratio" bomb overlap.zip archive.ratio
promise "a hole of 1 TiB ends at the ratio" bomb sparse.tar archive.ratio
promise "1,000 archives inside each other end at the depth" bomb deep.zip limit.depth
promise "1,000 times compressed ends at the depth" bomb deep.gz limit.depth
promise "1,000,000 members end at the number of children" bomb members.zip limit.children
promise "1,200,000 folders end at the number of records" bomb folders.tgz limit.records

# What came out of a content is counted in the worker until archive begins the next one. So a content from which archive was left
# out, as after a crash, must be left out with all that is inside: it would be held against what came before.
left_out() {
  mkdir "$WORK/family"
  for i in 1 2 3 4 5; do head -c 3000000 /dev/zero | gzip -n >"$WORK/family/$i.gz"; done
  {
    printf 'From: a@example.org\nSubject: b\nMIME-Version: 1.0\nContent-Type: application/gzip; name="b.gz"\nContent-Transfer-Encoding: base64\n\n'
    yes 'a line of text' | head -c 4000 | gzip -n | base64
  } >"$WORK/family/$1.eml"
  truncate -s 4M "$WORK/family.raw"
  mke2fs -q -F -t ext4 -O ^has_journal -d "$WORK/family" "$WORK/family.raw"
  "$KVALI" new "$WORK/families" --quiet && "$KVALI" add "$WORK/families" "$WORK/family.raw" --quiet
  sqlite3 "$WORK/families/case.db" "CREATE TRIGGER leave_out AFTER INSERT ON t_stream WHEN NEW.path LIKE '%/closed.eml'
    BEGIN UPDATE t_stream SET without = 'archive' WHERE id = NEW.id; END"
  "$KVALI" run "$WORK/families" --jobs 1 --plugins archive,digest,mail --set archive.ratio_from=10000 --quiet
  local inside
  inside=$(sql "$WORK/families" "SELECT count(*) FROM stream WHERE path LIKE '%/$1.eml!/%!/%'")
  sql "$WORK/families" "SELECT path, detail FROM fault"
  is "5 0" "$(sql "$WORK/families" "SELECT count(*) || ' ' || sum(path LIKE '%.eml%') FROM fault")" && is "$2" "$inside"
  local code=$?
  rm -rf "$WORK/family" "$WORK/families"
  return $code
}
promise "what came out of one content is not held against the next" left_out open 1
promise "… nor when archive is left out of it: then of what is inside, too" left_out closed 0

corpus=${KVALI_CORPUS:-$TOP/../shared/corpus}
if [ -d "$corpus/files" ]; then
  mkdir "$WORK/corpus"
  for file in "$corpus"/files/{archive,mail}/* "$corpus"/files/artefact/*.zip "$corpus"/hostile/*.{zip,rar,7z,cab,tar,lzh,Z} \
    "$corpus"/files/mini/*.{7z,ar,cpio,cab,rar,xz,zip} "$corpus"/files/mock/corkami__arj.bin \
    "$corpus"/files/document/*.{pdf,doc,docx,xls,xlsx,ppt,pptx,vsdx,odt,ods,odp,epub,key,pages,xps,hwp,CHM,one}; do
    case $file in
    *.zst | *WordPerfect*) ;; # what is none
    *) cp "$file" "$WORK/corpus/" ;;
    esac
  done
  promise "every archive, message and encrypted file of the public corpus opens as elsewhere, or is named, or stands in KNOWN-LIMITS.md" \
    python3 -B "$TOP/tests/integration/archive.py" "$KVALI" "$WORK/corpus" "$TOP/KNOWN-LIMITS.md" all
  # All other files: what another program opens there opens.
  mkdir "$WORK/others"
  for file in "$corpus"/files/*/* "$corpus"/hostile/*; do
    base=${file##*/}
    case $base in
    *.img | *.img.zst | *.raw.zst | *.dd.zst) ;; # disks: corpus.sh, opened.sh
    *.zst) [ -e "$WORK/corpus/${base%.zst}" ] || zstd -dqf --sparse "$file" -o "$WORK/others/${base%.zst}" ;;
    *) [ ! -f "$file" ] || [ -e "$WORK/corpus/$base" ] || cp "$file" "$WORK/others/" ;;
    esac
  done
  promise "… and so does what another program opens among its other files" \
    python3 -B "$TOP/tests/integration/archive.py" "$KVALI" "$WORK/others" "$TOP/KNOWN-LIMITS.md" any
else
  skip "no corpus in $corpus (KVALI_CORPUS)"
fi
finish
