#!/bin/bash
# hashset.sh: sets made by the command, used by a run on the sample, and what report and views say of it.
. "$(dirname "$0")/lib.sh"
sample || exit 1
export KVALI_HASHSETS=$WORK/sets
raw=$WORK/sample.raw

"$KVALI" process "$raw" --case "$WORK/plain" -q >"$WORK/plain.log" 2>&1
rows() { sql "$WORK/plain" "SELECT $1 FROM file WHERE type = 'file' AND kind = 'file' AND live AND size > 0 AND sha256 IS NOT NULL ORDER BY sha256, path"; }
# Known: every second live file's SHA-1 and MD5 as an RDS; alert: the EICAR file by SHA-256 as a CSV with a category.
{
  echo '"SHA-1","MD5","CRC32","FileName","FileSize","ProductCode","OpSystemCode","SpecialCode"'
  rows "'\"' || upper(sha1) || '\",\"' || upper(md5) || '\",\"0\",\"x\",1,1,\"WIN\",\"\"'" | awk 'NR % 2'
} >"$WORK/NSRLFile.txt"
{
  echo 'sha256,category,series,tags'
  sql "$WORK/plain" "SELECT DISTINCT sha256 || ',\"1; test\",EICAR,\"a, b\"' FROM file WHERE name = 'eicar.com' AND sha256 IS NOT NULL"
} >"$WORK/alert.csv"

made() {
  exits 0 "$KVALI" hashset import nsrl "$WORK/NSRLFile.txt" && exits 0 "$KVALI" hashset import bad "$WORK/alert.csv" --kind alert &&
    exits 0 "$KVALI" hashset verify nsrl bad && exits 2 "$KVALI" hashset import nsrl "$WORK/NSRLFile.txt" &&
    is "2" "$("$KVALI" hashset list --json | grep -c '"kind"')"
}
promise "sets are imported, listed and whole; one that is there is not overwritten" made
asked() {
  rows sha1 | awk 'NR % 2' | sort -u >"$WORK/in"
  "$KVALI" hashset lookup nsrl --from "$WORK/in" -q | cut -f1 | sort -u | diff - "$WORK/in" &&
    exits 1 "$KVALI" hashset lookup nsrl ffffffffffffffffffffffffffffffff
}
promise "every hash of the source is found, and another is not" asked
again() {
  "$KVALI" hashset export bad >"$WORK/export.csv" && exits 0 "$KVALI" hashset import again "$WORK/export.csv" --kind alert &&
    contains "$("$KVALI" hashset lookup again "$(sed -n 2p "$WORK/alert.csv" | cut -c1-64)" 2>/dev/null)" "EICAR" &&
    exits 0 "$KVALI" hashset remove again
}
promise "what is exported can be imported again, with its categories" again

"$KVALI" process "$raw" --case "$WORK/one" --hashset nsrl --hashset bad --jobs 1 -q >"$WORK/one.log" 2>&1
"$KVALI" process "$raw" --case "$WORK/two" --hashset nsrl --hashset bad --jobs 2 -q >"$WORK/two.log" 2>&1
"$KVALI" process "$raw" --case "$WORK/spared" --hashset nsrl --hashset bad --skip-known --jobs 2 -q >"$WORK/spared.log" 2>&1
hits() {
  is "$(rows sha1 | awk 'NR % 2' | sort -u)" "$(sql "$WORK/one" "SELECT DISTINCT f.sha1 FROM known k JOIN file f USING (stream) WHERE k.set_name = 'nsrl' ORDER BY 1")" &&
    is "$(sql "$WORK/plain" "SELECT count(DISTINCT stream) FROM file WHERE sha256 IN (SELECT sha256 FROM file WHERE name = 'eicar.com')")" \
      "$(sql "$WORK/one" "SELECT count(DISTINCT stream) FROM known WHERE set_name = 'bad' AND category = '1; test' AND series = 'EICAR' AND tags = 'a, b' AND line = 2")" &&
    is 0 "$(sql "$WORK/one" "SELECT count(*) FROM known WHERE spared <> ''")"
}
promise "a run finds exactly what is in the sets, with category, series and tags" hits
promise "with one worker and with two the findings are the same" \
  is "$("$KVALI" digest "$WORK/one")" "$("$KVALI" digest "$WORK/two")"
ledger() {
  local want
  want=$("$KVALI" hashset info nsrl --json | sed 's/.*"sha256":"\([0-9a-f]*\)","sources".*/\1/')
  is "$want" "$(head -c 4096 "$KVALI_HASHSETS/nsrl.kvset" | sha256sum | cut -d' ' -f1)" &&
    is "$want" "$(sql "$WORK/one" "SELECT sha256 FROM run_loaded WHERE plugin = 'hashset' AND name = 'nsrl' AND kind = 'known'")" &&
    contains "$(cat "$WORK/one/ledger.jsonl")" "$want"
}
promise "the set's SHA-256 is in case and ledger" ledger
spared() {
  local known
  known=$(sql "$WORK/spared" "SELECT count(DISTINCT stream) FROM known WHERE spared <> ''")
  [ "$known" -gt 0 ] && is 0 "$(sql "$WORK/spared" "SELECT count(*) FROM match m WHERE stream IN (SELECT stream FROM known WHERE spared LIKE '%yara%')")" &&
    is 0 "$(sql "$WORK/spared" "SELECT count(*) FROM known WHERE set_kind = 'alert' AND spared <> ''")" &&
    is 0 "$(sql "$WORK/spared" "SELECT count(*) FROM known WHERE stream IN (SELECT stream FROM known WHERE set_kind = 'alert') AND spared <> ''")" &&
    is "$(sql "$WORK/one" "SELECT count(*) FROM match WHERE stream NOT IN (SELECT stream FROM known WHERE set_kind = 'known') OR stream IN (SELECT stream FROM known WHERE set_kind = 'alert')")" \
      "$(sql "$WORK/spared" "SELECT count(*) FROM match")" &&
    grep -q "Of these, .*$known.* were not given to costly plugins" "$WORK"/spared/reports/*.html &&
    contains "$(cat "$WORK"/spared/reports/*.json | tr -d ' \n')" "\"spared_contents\":$known"
}
promise "known contents are spared YARA when asked, those in an alert set never, and each is counted and a row" spared
first_screen() {
  local html
  html=$(ls "$WORK"/one/reports/*.html | tail -n 1)
  [ "$(grep -n 'contents are in hash sets of alert' "$html" | head -n 1 | cut -d: -f1)" -lt "$(grep -n 'id="completeness"' "$html" | cut -d: -f1)" ] &&
    grep -q 'EICAR' "$html" && ! grep -q 'contents are in hash sets of alert' "$WORK"/plain/reports/*.html
}
promise "alerts stand on the report's first screen, and only where there are some" first_screen
from_case() {
  exits 0 "$KVALI" hashset from-case seen "$WORK/one" --rule '*' --kind notable --category seen &&
    is "$(sql "$WORK/one" "SELECT count(DISTINCT sha256) FROM file WHERE stream IN (SELECT stream FROM match) AND content_size > 0 AND sha256 IS NOT NULL")" \
      "$("$KVALI" hashset info seen | awk '$1 == "sha256" { print $2 }')" &&
    is "$("$KVALI" find "$WORK/one" --in-set bad --json | grep -c .)" "$(sql "$WORK/one" "SELECT count(*) FROM file WHERE stream IN (SELECT stream FROM known WHERE set_name = 'bad')")"
}
promise "a set is made of what filters choose in a case" from_case
tagged() {
  local path
  path=$(sql "$WORK/one" "SELECT path FROM file WHERE name = 'eicar.com' AND kind = 'file' AND live AND sha256 IS NOT NULL ORDER BY path LIMIT 1")
  exits 0 "$KVALI" person add "$WORK/one" --id nb --given-name Nino --family-name Beridze --agency MIA --position examiner --no-input &&
    exits 0 "$KVALI" custody add "$WORK/one" review --finding "$path yara eicar" --status confirmed --reviewer nb --no-input &&
    exits 0 "$KVALI" custody add "$WORK/one" review --finding "${path}x" --status confirmed --reviewer nb --no-input &&
    exits 0 "$KVALI" hashset from-case reviewed "$WORK/one" --tag confirmed --kind alert &&
    is 1 "$("$KVALI" hashset info reviewed | awk '$1 == "sha256" { print $2 }')" &&
    is 1 "$("$KVALI" hashset lookup reviewed "$(sql "$WORK/one" "SELECT sha256 FROM file WHERE path = '$path'")" 2>/dev/null | grep -c alert)" &&
    exits 2 "$KVALI" hashset from-case never "$WORK/one" --tag rejected && contains "$(cat "$WORK/out")" "nothing fits" &&
    exits 0 "$KVALI" hashset from-case by-tag "$WORK/one" --tag 'a' &&
    is "$(sql "$WORK/one" "SELECT count(DISTINCT sha256) FROM file WHERE stream IN (SELECT stream FROM known WHERE set_name = 'bad')")" \
      "$("$KVALI" hashset info by-tag | awk '$1 == "sha256" { print $2 }')"
}
promise "a set is made of what reviews confirmed, and of what has a tag" tagged
same() {
  is "$(sql "$WORK/one" "SELECT count(*) FROM (SELECT sha256 FROM file WHERE sha256 IS NOT NULL AND content_size > 0 AND kind IN ('file', 'ads', 'child', 'carved') GROUP BY sha256 HAVING count(DISTINCT stream) > 1)")" \
    "$(sql "$WORK/one" "SELECT count(DISTINCT sha256) FROM same_content")" &&
    is "$(sql "$WORK/one" "SELECT count(DISTINCT sha256) FROM same_content")" "$("$KVALI" hashset same "$WORK/one" -q | tail -n +2 | cut -f1 | sort -u | grep -c .)" &&
    is "$(sql "$WORK/one" "SELECT count(DISTINCT sha256) FROM file WHERE sha256 IS NOT NULL AND content_size > 0 AND kind IN ('file', 'ads', 'child', 'carved')")" \
      "$("$KVALI" hashset same "$WORK/one" "$WORK/two" -q | tail -n +2 | cut -f1 | sort -u | grep -c .)"
}
promise "contents at several places are linked, in a case and across cases" same

damaged() {
  cp "$KVALI_HASHSETS/nsrl.kvset" "$WORK/sets/cut.kvset" && truncate -s -1 "$WORK/sets/cut.kvset" &&
    exits 4 "$KVALI" hashset verify cut && contains "$(cat "$WORK/out")" "cut short" &&
    exits 2 "$KVALI" process "$raw" --case "$WORK/never" --hashset cut && contains "$(cat "$WORK/out")" "cut short" &&
    exits 2 "$KVALI" process "$raw" --case "$WORK/never" --hashset nowhere && contains "$(cat "$WORK/out")" "nowhere" &&
    rm "$WORK/sets/cut.kvset"
}
inside() {
  cp "$KVALI_HASHSETS/nsrl.kvset" "$WORK/sets/torn.kvset" && # the first bytes after the header: entries
    python3 -c 'import sys; f = open(sys.argv[1], "r+b"); f.seek(5000); b = f.read(1); f.seek(5000); f.write(bytes([b[0] ^ 1]))' "$WORK/sets/torn.kvset" &&
    exits 4 "$KVALI" hashset verify torn && contains "$(cat "$WORK/out")" "damaged" || return 1
  exits 4 "$KVALI" hashset lookup torn ffffffffffffffffffffffffffffffff && contains "$(cat "$WORK/out")" "damaged" &&
    exits 2 "$KVALI" process "$raw" --case "$WORK/torn" --hashset torn -q && contains "$(cat "$WORK/out")" "damaged"
  rm "$WORK/sets/torn.kvset"
}
promise "a set that is damaged inside gives no answer" inside
torn() {
  mkdir -p "$WORK/many" && python3 "$TOP/bench/mkrds.py" 30000 "$WORK/many" && tail -n +2 "$WORK/NSRLFile.txt" >>"$WORK/many/NSRLFile.txt" &&
    exits 0 "$KVALI" hashset import torn "$WORK/many/NSRLFile.txt" || return 1
  "$KVALI" process "$raw" --case "$WORK/untorn" --hashset torn --skip-known --hashset bad -q >"$WORK/log" 2>&1
  python3 - "$KVALI_HASHSETS/torn.kvset" <<'PY'
import os, sys
f = open(sys.argv[1], "r+b")
for at in range(4096 + 5000, os.path.getsize(sys.argv[1]) - 300000, 2 * 262144): # every second chunk, not those with the list of sources
    f.seek(at); b = f.read(1); f.seek(at); f.write(bytes([b[0] ^ 4]))
PY
  exits 4 "$KVALI" hashset verify torn || return 1
  "$KVALI" process "$raw" --case "$WORK/torn" --hashset torn --skip-known --hashset bad --jobs 1 -q >"$WORK/log" 2>&1
  "$KVALI" process "$raw" --case "$WORK/torn2" --hashset torn --skip-known --hashset bad --jobs 2 -q >"$WORK/log" 2>&1
  is "$("$KVALI" digest "$WORK/torn")" "$("$KVALI" digest "$WORK/torn2")" &&
    [ "$(sql "$WORK/torn" "SELECT count(*) FROM fault WHERE plugin = 'hashset' AND detail LIKE '%torn%damaged%not looked up%'")" -gt 5 ] &&
    known untorn >"$WORK/want" && known torn >"$WORK/got" && is "" "$(comm -13 "$WORK/want" "$WORK/got")" &&
    is "" "$(comm -23 "$WORK/want" "$WORK/got" | cut -d'|' -f1 | sort -u | comm -23 - <(sql "$WORK/torn" "SELECT path FROM fault WHERE plugin = 'hashset'" | sort -u))"
}
known() { sql "$WORK/$1" "SELECT path, set_name, line FROM known" | sort; }
promise "a run with a set that is damaged inside says nothing wrong, and where it could not look" torn
promise "a damaged set, and one that is not there, stop a run with the reason" damaged
killed() {
  local signal pid
  python3 "$TOP/bench/mkrds.py" 300000 "$WORK" >/dev/null || return 1
  ls -A "$KVALI_HASHSETS" >"$WORK/sets-before"
  for signal in INT TERM KILL; do
    "$KVALI" hashset import dead "$WORK/NSRLFile.txt" -q --memory 64M >/dev/null 2>&1 &
    pid=$!
    sleep 0.2
    kill -$signal $pid 2>/dev/null
    wait $pid && { [ -f "$KVALI_HASHSETS/dead.kvset" ] && rm "$KVALI_HASHSETS/dead.kvset"; }
    ls -A "$KVALI_HASHSETS" | diff "$WORK/sets-before" - || return 1
  done
}
promise "an import that is killed leaves nothing" killed
full() {
  ls -A "$KVALI_HASHSETS" >"$WORK/sets-before"
  (ulimit -f 4096; trap '' XFSZ; exits 5 "$KVALI" hashset import full "$WORK/NSRLFile.txt" -q) || return 1
  ls -A "$KVALI_HASHSETS" | diff "$WORK/sets-before" -
}
promise "an import that cannot write leaves nothing" full
finish
