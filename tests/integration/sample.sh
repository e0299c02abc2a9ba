#!/usr/bin/env bash
# sample: the shipped sample image from end to end: list, hash, match, report, show, find, export, verify, digest.
. "$(dirname "$0")/lib.sh"
sample || exit 1
image=$WORK/sample.raw
truth=$WORK/sample.raw.truth.tsv
case=$WORK/case

promise "process ends with exit 0 or 1" sh -c '"$KVALI" process "$1" --case "$2" --jobs 2 --quiet; [ $? -le 1 ]' - "$image" "$case"

live() {
  local part state path size md5 missing=0
  while IFS=$'\t' read -r part state path size md5; do
    [ "$state" = live ] || [ "$state" = ads ] || continue
    n=$(sqlite3 -readonly "$case/case.db" ".param set @p '%/$(printf %s "$path" | sed "s/'/''/g")'" \
      "SELECT count(*) FROM file WHERE path LIKE @p AND md5 = '$md5' AND live = 1")
    [ "$n" -ge 1 ] || { echo "not in the case: $part $state $path $md5"; missing=$((missing + 1)); }
  done <"$truth"
  [ "$missing" -eq 0 ]
}
promise "every live file and alternate stream of the truth table has its MD5" live
deleted() {
  local n
  n=$(sql "$case" "SELECT count(*) FROM file WHERE deleted = 1")
  [ "$n" -ge "$(awk -F'\t' '$2 == "deleted"' "$truth" | wc -l)" ]
}
promise "deleted files are listed" deleted
promise "Georgian names are there as text" test 1 -le "$(sql "$case" "SELECT count(*) FROM file WHERE name LIKE '%საქართველო%' OR path LIKE '%საქართველო%'")"
promise "the shipped rule for the EICAR file hits" test 1 -le "$(sql "$case" "SELECT count(*) FROM match WHERE rule LIKE '%eicar%'")"
promise "an extension that does not fit the content is told" test 1 -le "$(sql "$case" "SELECT count(*) FROM file WHERE mismatch = 1")"
promise "the image's SHA-256 is what sha256sum says" is "$(sha256sum <"$image" | cut -d' ' -f1)" "$(sql "$case" "SELECT sha256 FROM file WHERE kind = 'image'")"
promise "the case verifies" "$KVALI" verify "$case"
ledger() {
  local prev=0000000000000000000000000000000000000000000000000000000000000000 line
  while IFS= read -r line; do
    contains "$line" "\"prev\":\"$prev\"" || return 1
    prev=$(printf '%s\n' "$line" | sha256sum | cut -d' ' -f1)
  done <"$case/ledger.jsonl"
}
promise "the ledger's chain holds by sha256sum alone" ledger
tampered() {
  cp -r "$case" "$WORK/tampered"
  sed -i '2s/"run":1/"run":2/; 3s/EX-1/EX-9/; 2s/EX-1/EX-9/' "$WORK/tampered/ledger.jsonl"
  exits 4 "$KVALI" verify "$WORK/tampered"
}
promise "a changed ledger does not verify" tampered
changed() {
  rm -rf "$WORK/changed" && cp -r "$case" "$WORK/changed"
  sqlite3 "$WORK/changed/case.db" "UPDATE rec_digest SET md5 = zeroblob(16) WHERE rowid IS NOT NULL OR 1" 2>/dev/null ||
    sqlite3 "$WORK/changed/case.db" "UPDATE rec_digest SET md5 = zeroblob(16)"
  exits 4 "$KVALI" verify "$WORK/changed"
}
promise "findings changed behind kvali's back do not verify" changed

digests() {
  local want jobs
  want=$("$KVALI" digest "$case")
  for jobs in 1 4; do # $case has two
    "$KVALI" process "$image" --case "$WORK/jobs-$jobs" --jobs "$jobs" --quiet
    is "$want" "$("$KVALI" digest "$WORK/jobs-$jobs")" || return 1
  done
}
promise "the findings are the same to the byte with 1, 2 and 4 workers" digests
places() {
  mkdir -p "$WORK/else/where"
  cp --sparse=always "$image" "$image".* "$WORK/else/where/"
  (cd "$WORK/else" && umask 077 && TZ=Asia/Tbilisi LC_ALL=C HOME=/nonexistent "$KVALI" process where/sample.raw --case there --quiet)
  is "$("$KVALI" digest "$case")" "$("$KVALI" digest "$WORK/else/there")"
}
promise "… and in another folder, time zone, locale and umask" places
again() {
  local want
  want=$("$KVALI" digest "$case")
  "$KVALI" process "$image" --case "$case" --quiet
  is "$want" "$("$KVALI" digest "$case")" || return 1
  "$KVALI" run "$case" --again --quiet
  is "$want" "$("$KVALI" digest "$case")"
}
promise "… and when the same case is processed again" again
nobody_died() {
  is 0 "$(jq -s 'map(.workers_crashed // 0) | add' "$case/ledger.jsonl")"
}
promise "… and no worker crashed on the way: what is sound evidence costs no second try" nobody_died

yara_equal() {
  mkdir -p "$WORK/extracted"
  "$KVALI" export "$case" --all --quiet || return 1
  local file name sha rules=()
  declare -A stored
  while IFS= read -r file; do
    name=${file##*/}
    stored[${name:0:64}]=$file
  done < <(find "$case/exports" -type f)
  while IFS= read -r sha; do
    echo "${stored[$sha]:-}"
  done < <(sql "$case" "SELECT DISTINCT f.sha256 FROM file f WHERE f.sha256 IS NOT NULL AND f.size > 0 AND f.kind <> 'image'") | grep . | sort -u >"$WORK/files"
  [ -s "$WORK/files" ] || { echo "nothing was exported"; return 1; }
  while IFS= read -r file; do # each in a namespace of its own
    rules+=("n${#rules[@]}:$file")
  done < <(find "$TOP/rules/yara" -name '*.yar')
  yara -w -d filename= -d filepath= -d extension= -d filetype= -d owner= -d size=0 -d deleted=false --scan-list "${rules[@]}" "$WORK/files" |
    sed 's|^\([^ ]*\) .*/\([0-9a-f]\{64\}\)[^/]*$|\1 \2|' | sort -u >"$WORK/theirs"
  sql "$case" "SELECT DISTINCT m.rule || ' ' || f.sha256 FROM match m JOIN file f ON f.exhibit = m.exhibit AND f.path = m.path WHERE f.size > 0" |
    sort -u >"$WORK/ours"
  diff "$WORK/theirs" "$WORK/ours" && [ -s "$WORK/ours" ]
}
promise "YARA matches equal the yara command's on the exported files" yara_equal

show() {
  local path sha
  path=$(sql "$case" "SELECT path FROM file WHERE type = 'file' AND live = 1 AND size BETWEEN 10 AND 100000 ORDER BY path LIMIT 1")
  sha=$(sql "$case" "SELECT sha256 FROM file WHERE path = '$path'")
  is "$sha" "$("$KVALI" show "$case" "$path" --bytes | sha256sum | cut -d' ' -f1)" || return 1
  contains "$("$KVALI" show "$case" "$path")" "$sha"
}
promise "show gives back a content's bytes and what is known of it" show
find_deleted() {
  is "$(sql "$case" "SELECT count(*) FROM file WHERE deleted = 1")" "$("$KVALI" find "$case" --deleted --json | grep -c .)"
}
promise "find lists what its filters say" find_deleted
exported() {
  local file bad=0
  find "$case/exports" -type f -regextype posix-extended -regex '.*/[0-9a-f]{64}[^/]*' | head -n 50 | while read -r file; do
    is "$(basename "$file" | cut -c1-64)" "$(sha256sum <"$file" | cut -d' ' -f1)" || exit 1
  done
}
promise "exports are stored under their SHA-256" exported
report() {
  local html
  html=$(ls "$case"/reports/*.html | tail -n 1)
  grep -q 'Content-Security-Policy' "$html" && [ "$(grep -ci '<script' "$html")" -eq 1 ] && grep -q "$(tr '\n' '\001' <"$html" | sed 's/.*<script>//; s/<\/script>.*//' | tr '\001' '\n' | openssl dgst -sha256 -binary | base64)" "$html" && grep -q "$(sql "$case" "SELECT sha256 FROM file WHERE kind='image'")" "$html"
}
promise "the report names the image's SHA-256, has a policy, and one script, whose hash is in it" report
libraries() { # of the workers, in the run's row and in the report
  local text
  text=$("$KVALI" report "$case" --format html --stdout)
  sql "$case" "SELECT json_extract(versions, '$.worker.libtsk') FROM run" | grep -q '^[0-9]' && for name in libtsk libewf libyara libmagic libcrypto; do contains "$text" "$name" || return 1; done
}
promise "the report names the workers' libraries with their versions" libraries
promise "every command's --help teaches with an example" sh -c 'for c in process new add run status show find export report verify digest plugins; do "$KVALI" $c --help | grep -q Example || { echo $c; exit 1; }; done'
promise "the version names its libraries" sh -c '"$KVALI" --version | tr "\n" " " | grep -q "libtsk.*libewf.*yara.*magic.*libcrypto.*xxHash"'
untouched() { is "$(stat -c '%Y %s' "$image")" "$(cat "$WORK/before")"; }
stat -c '%Y %s' "$image" >"$WORK/before"
promise "the evidence is not touched" untouched
finish
