#!/usr/bin/env bash
# later_pass: plugins look once more at what a case has examined: with new rules, beside what is there; after kill -9, with
# any number of workers; equal contents once; contents inside contents; and what is refused.
# Usage: KVALI=... HOSTILE=folder of the built plugins  later_pass.sh
. "$(dirname "$0")/lib.sh"
: "${HOSTILE:?HOSTILE is the folder of the built plugins}"
sample || exit 1
image=$WORK/sample.raw
case=$WORK/case

mkdir "$WORK/new" "$WORK/other"
cat >"$WORK/new/lab.yar" <<'RULES'
rule eicar_test_file : lab { meta: severity = 10 strings: $a = "EICAR-STANDARD" condition: $a }
rule anything { meta: severity = 1 condition: filesize > 0 }
rule png { strings: $p = { 89 50 4E 47 0D 0A 1A 0A } condition: $p at 0 }
rule not_there { strings: $n = "no such text in the sample image, for sure" condition: $n }
RULES
echo 'rule another { condition: filesize == 118 }' >"$WORK/other/other.yar"

# Sooner or later done: faults are told by exit 1.
did() {
  "$@" >"$WORK/out" 2>&1
  [ $? -le 1 ] && return 0
  cat "$WORK/out"
  return 1
}
promise "process ends with exit 0 or 1" did "$KVALI" process "$image" --case "$case" --jobs 2 --quiet
cp -r "$case" "$WORK/before"
first() { "$KVALI" digest --lines "$1" | sed '/^pass\t/,$d'; }
before=$(first "$case" | sha256sum)

again() { # case option...
  local folder=$1
  shift
  did "$KVALI" run "$folder" --plugin yara --rules "$WORK/new" --quiet "$@"
}
promise "a later pass with new rules ends with exit 0 or 1" again "$case" --jobs 2
want=$("$KVALI" digest "$case")
promise "what the first pass said is the same to the byte" is "$before" "$(first "$case" | sha256sum)"
hit() { # kind rule
  test 1 -le "$(sql "$case" "SELECT count(*) FROM match m JOIN stream s ON s.id = m.stream WHERE m.pass = 2 AND m.rule = '$2' AND $1")"
}
promise "the new rules hit in live files" hit "s.kind = 'file' AND NOT s.deleted" anything
promise "… in deleted ones" hit "s.kind = 'file' AND s.deleted" anything
promise "… in free space" hit "s.kind = 'free'" anything
promise "… in what was recovered by its structure" hit "s.kind = 'carved'" anything
promise "… and in alternate data streams" hit "s.kind = 'ads'" anything
everywhere() { # what the rule says of every content with bytes that was not one repeated byte
  is "$(sql "$case" "SELECT count(*) FROM stream s WHERE s.kind <> 'image' AND s.size > 0 AND NOT EXISTS
    (SELECT 1 FROM file f WHERE f.stream = s.id AND f.repeated_byte IS NOT NULL AND s.kind IN ('free', 'raw'))
    AND (s.kind NOT IN ('free', 'raw') OR (SELECT uniform FROM t_stream t WHERE t.id = s.id) IS NULL)")" \
    "$(sql "$case" "SELECT count(DISTINCT stream) FROM match WHERE pass = 2 AND rule = 'anything'")"
}
promise "the rule that hits anything hits every content" everywhere
both() {
  is "1|test
2|lab" "$(sql "$case" "SELECT DISTINCT pass, json_extract(tags, '$[0]') FROM match WHERE rule = 'eicar_test_file' ORDER BY pass")"
  is "$(sql "$case" "SELECT count(*) FROM match WHERE pass = 1")" "$(sql "$WORK/before" "SELECT count(*) FROM match")"
}
promise "a rule that both sets have hits in both passes, each its own" both
sets() {
  is "lab.yar|$(sha256sum <"$WORK/new/lab.yar" | cut -d' ' -f1)" \
    "$(sql "$case" "SELECT name, l.sha256 FROM run_loaded l JOIN pass p ON p.run = l.run WHERE p.id = 2 AND l.plugin = 'yara' AND l.kind = 'rules'")"
}
promise "the pass names its rule set, and no other" sets
listed() { # rules, and the signatures that both passes loaded
  local text sha rule=
  text=$("$KVALI" report "$case" --format pdf --lang en --stdout | pdftotext -layout - -) || return 1
  for sha in $(sql "$case" "SELECT DISTINCT substr(l.sha256, 1, 20) FROM run_loaded l JOIN run r ON r.id = l.run WHERE r.pass > 0 AND l.kind IN ('rules', 'signatures')"); do
    is 1 "$(grep -c "$sha" <<<"$text")" || return 1
  done
  grep -E 'lab\.yar +[0-9]+ +2 ' <<<"$text" && grep -E ' 1, 2 +in use' <<<"$text" || return 1
  # What the later pass alone found stands in the PDF, and in the exports that others read.
  for rule in $(sql "$case" "SELECT DISTINCT rule FROM match WHERE pass = 2 LIMIT 1"); do
    grep -q "${rule:0:12}" <<<"$text" && grep -q "$rule" <<<"$("$KVALI" report "$case" --format case-uco --stdout)" || return 1
  done
  [ -n "$rule" ]
}
promise "the PDF lists each rule file once, with the passes that used it" listed
promise "the view pass says that all was looked at" is "done|0|0|0" \
  "$(sql "$case" "SELECT status, pending, given_up, not_in_it FROM pass WHERE id = 2")"
found() { "$KVALI" find "$case" --rule png | tail -n +2 | wc -l | grep -qv '^0$'; }
promise "find --rule finds what only the later pass hit" found
promise "the case verifies" exits 0 "$KVALI" verify "$case"
promise "a report can be written" exits 0 "$KVALI" report "$case" --quiet

workers() {
  local jobs
  for jobs in 1 4; do
    rm -rf "$WORK/jobs" && cp -r "$WORK/before" "$WORK/jobs" && again "$WORK/jobs" --jobs "$jobs" || return 1
    is "$want" "$("$KVALI" digest "$WORK/jobs")" || return 1
  done
}
promise "the digest is the same with 1 and with 4 workers" workers

killed() { # at the Nth commit, at the Nth end of an attempt
  local at tries=0
  rm -rf "$WORK/killed" && cp -r "$WORK/before" "$WORK/killed"
  for at in attempt-end:1 commit-before:1 attempt-end:2 commit-after:1 attempt-end:1; do
    if [ "$tries" -eq 0 ]; then
      KVALI_CRASH_AT=$at "$KVALI" run "$WORK/killed" --plugin yara --rules "$WORK/new" --jobs 2 --quiet
    else
      KVALI_CRASH_AT=$at "$KVALI" run "$WORK/killed" --jobs 2 --quiet
    fi
    [ $? -eq 137 ] && tries=$((tries + 1))
    "$KVALI" verify "$WORK/killed" --quiet || return 1
  done
  [ "$tries" -ge 4 ] || { echo "only $tries kills hit"; return 1; }
  [ "$(sql "$WORK/killed" "SELECT status FROM pass WHERE id = 2")" = open ] || { echo "it is complete: nothing is shown"; return 1; }
  did "$KVALI" run "$WORK/killed" --jobs 2 --quiet || return 1
  # The same but for how often the runs began.
  is "$want" "$("$KVALI" digest "$WORK/killed")" && exits 0 "$KVALI" verify "$WORK/killed"
}
promise "kill -9 five times; run goes on with the pass; the digest is the same" killed

other_settings() {
  rm -rf "$WORK/open" && cp -r "$WORK/before" "$WORK/open"
  KVALI_CRASH_AT=attempt-end:6 "$KVALI" run "$WORK/open" --plugin yara --rules "$WORK/new" --quiet
  exits 2 "$KVALI" run "$WORK/open" --rules "$WORK/other" && contains "$(cat "$WORK/out")" "pass 2" || return 1
  exits 2 "$KVALI" run "$WORK/open" --plugin yara --rules "$WORK/other" && contains "$(cat "$WORK/out")" "not complete" || return 1
  cp -r "$WORK/new" "$WORK/kept" && echo 'rule more { condition: true }' >>"$WORK/new/lab.yar"
  exits 2 "$KVALI" run "$WORK/open" && contains "$(cat "$WORK/out")" "rules" || return 1
  cp "$WORK/kept/lab.yar" "$WORK/new/lab.yar"
}
promise "an open pass goes on with its own rules only; changed ones are refused" other_settings
ended() {
  exits 0 "$KVALI" run "$WORK/open" --end-pass || return 1
  exits 2 "$KVALI" run "$WORK/open" --end-pass || return 1
  is "given-up" "$(sql "$WORK/open" "SELECT status FROM pass WHERE id = 2")" || return 1
  [ "$(sql "$WORK/open" "SELECT given_up FROM pass WHERE id = 2")" -gt 0 ] || return 1
  [ "$(sql "$WORK/open" "SELECT count(*) FROM fault WHERE pass = 2 AND detail LIKE '%--end-pass%'")" -gt 0 ] || return 1
  exits 0 "$KVALI" verify "$WORK/open" || return 1
  did "$KVALI" run "$WORK/open" --plugin yara --rules "$WORK/other" --quiet || return 1
  is "done" "$(sql "$WORK/open" "SELECT status FROM pass WHERE id = 3")"
}
promise "--end-pass ends it, says what was not looked at, and lets another begin" ended
twice() {
  again "$case" --jobs 2 && is "$want" "$("$KVALI" digest "$case")" && is 2 "$(sql "$case" "SELECT max(id) FROM pass")"
}
promise "the same rules once more: nothing is left to do, and nothing is there twice" twice

refused() {
  exits 2 "$KVALI" new "$WORK/empty" --number "" 2>/dev/null
  rm -rf "$WORK/empty" && "$KVALI" new "$WORK/empty" >/dev/null && "$KVALI" add "$WORK/empty" "$image" >/dev/null || return 1
  exits 2 "$KVALI" run "$WORK/empty" --plugin yara && contains "$(cat "$WORK/out")" "comes first" || return 1
  KVALI_CRASH_AT=attempt-end:6 "$KVALI" run "$WORK/empty" --quiet
  exits 2 "$KVALI" run "$WORK/empty" --plugin yara && contains "$(cat "$WORK/out")" "comes first" || return 1
  exits 2 "$KVALI" run "$case" --plugin nosuch && contains "$(cat "$WORK/out")" "nosuch" || return 1
  exits 2 "$KVALI" run "$case" --plugin yara --profile triage && contains "$(cat "$WORK/out")" "profile"
}
promise "before the first pass is complete, without such a plugin, with a profile: refused with a sentence" refused
changed() {
  rm -rf "$WORK/changed" && cp -r "$WORK/before" "$WORK/changed"
  cp "$image" "$WORK/image.kept" && truncate -s +1M "$image"
  exits 3 "$KVALI" run "$WORK/changed" --plugin yara --rules "$WORK/new"
  code=$?
  mv "$WORK/image.kept" "$image"
  [ $code -eq 0 ] && contains "$(cat "$WORK/out")" "not what was examined"
}
promise "an image of another size is refused with a sentence" changed

# ------------------------------------------------------------------ contents inside contents, equal ones, faults
nest=$HOSTILE/nest.so twins=$HOSTILE/twins.so echo=$HOSTILE/echo.so
mkdir "$WORK/evidence"
printf 'NESTNESTNESThello' >"$WORK/evidence/three.bin"
printf 'hello' >"$WORK/evidence/hello.bin"
printf 'hello' >"$WORK/evidence/hello-again.bin"
printf 'same here' >"$WORK/evidence/same-1.bin"
printf 'same here' >"$WORK/evidence/same-2.bin"
printf 'NESTLIMIT and so on' >"$WORK/evidence/limit-in.bin"
printf 'LIMIT and so on' >"$WORK/evidence/limit.bin"
printf 'LIMIT and so on' >"$WORK/evidence/limit-2.bin"
{ printf NESTTWIN; seq 1 50; } >"$WORK/evidence/both.bin"
{ printf NESTTWIN; seq 1 50; } >"$WORK/evidence/both-again.bin"
{ printf NEST; seq 1 900000; } >"$WORK/evidence/big.bin"
seq 1 900000 >"$WORK/evidence/big-plain.bin"
printf 'CRASH here' >"$WORK/evidence/crash.bin"
printf 'CRASH here' >"$WORK/evidence/crash-2.bin"
printf 'ESCAPEME kill' >"$WORK/evidence/evil.bin"
truncate -s 32M "$WORK/nested.raw"
mke2fs -q -F -t ext4 -b 1024 -d "$WORK/evidence" "$WORK/nested.raw"
# Behind two files' ends.
for name in hello.bin both.bin; do
  block=$(debugfs -R "blocks /$name" "$WORK/nested.raw" 2>/dev/null | tr -s ' \n' '\n' | grep -m1 .)
  printf 'left behind in slack' | dd of="$WORK/nested.raw" bs=1 seek=$((block * 1024 + 500)) conv=notrunc status=none
done
nested() {
  did "$KVALI" process "$WORK/nested.raw" --case "$WORK/nested" --plugin "$nest" --plugin "$twins" --plugins digest,filetype,carve --jobs 2 --quiet
}
promise "a case with contents inside contents is made" nested
look() { # case option...
  rm -rf "$1" && cp -r "$WORK/nested" "$1"
  local folder=$1
  shift
  did "$KVALI" run "$folder" --plugin echo --plugin "$echo" --plugin "$nest" --plugin "$twins" --jobs 2 --quiet "$@"
}
promise "a lab's own plugin looks at all of it" look "$WORK/each"
inside() {
  is "$(sql "$WORK/each" "SELECT path, sha256 FROM file WHERE kind <> 'image' AND sha256 IS NOT NULL GROUP BY path ORDER BY path" | cut -d'|' -f1)" \
    "$(sql "$WORK/each" "SELECT DISTINCT path FROM finding WHERE plugin = 'echo' AND pass = 2 AND stream IN (SELECT stream FROM file WHERE sha256 IS NOT NULL) ORDER BY path")" || return 1
  is 5 "$(sql "$WORK/each" "SELECT json_extract(data, '$.size') FROM finding WHERE plugin = 'echo' AND path LIKE '%/three.bin!/inner!/inner!/inner'")"
}
promise "each content inside others has its record, under its address" inside
promise "… and nothing else of the plugins that found them came again" is "0" \
  "$(sql "$WORK/each" "SELECT count(*) FROM finding WHERE pass = 2 AND plugin <> 'echo'")"
slack() {
  echo 'rule in_slack { strings: $s = "left behind in slack" condition: $s }' >"$WORK/other/slack.yar"
  rm -rf "$WORK/slack" && cp -r "$WORK/nested" "$WORK/slack"
  is 0 "$(sql "$WORK/slack" "SELECT count(*) FROM match")" || return 1
  did "$KVALI" run "$WORK/slack" --plugin yara --rules "$WORK/other/slack.yar" --plugin "$nest" --plugin "$twins" --jobs 2 --quiet || return 1
  is "both.bin!/slack
hello.bin!/slack" "$(sql "$WORK/slack" "SELECT path FROM match WHERE pass = 2 AND path LIKE '%slack' ORDER BY path" | sed 's|.*/\([^/]*!/slack\)|\1|')" || return 1
  is "$(first "$WORK/nested" | sha256sum)" "$(first "$WORK/slack" | sha256sum)"
}
promise "a plugin that was not in the first pass finds what is in slack" slack
tampered() {
  local jobs
  for jobs in 1 2; do
    rm -rf "$WORK/evil-$jobs" && cp -r "$WORK/nested" "$WORK/evil-$jobs" || return 1
    did "$KVALI" run "$WORK/evil-$jobs" --plugin escape --plugin echo --plugin "$echo" --plugin "$HOSTILE/escape.so" --plugin "$nest" \
      --plugin "$twins" --jobs "$jobs" --quiet || return 1
  done
  mv "$WORK/evil-2" "$WORK/evil"
  is "2|tamper|escape" "$(sql "$WORK/evil" "SELECT pass, kind, plugin FROM fault WHERE pass = 2 AND kind = 'tamper'")" || return 1
  is 0 "$(sql "$WORK/evil" "SELECT count(*) FROM fault WHERE pass = 1 AND kind = 'tamper'")" || return 1
  is "$(sql "$WORK/evil" "SELECT count(DISTINCT stream) FROM finding WHERE plugin = 'digest' AND stream NOT IN (SELECT id FROM stream WHERE kind = 'image')")" \
    "$(sql "$WORK/evil" "SELECT count(DISTINCT stream) FROM finding WHERE plugin = 'echo' AND stream IN (SELECT stream FROM finding WHERE plugin = 'digest')")" || return 1
  is "$("$KVALI" digest "$WORK/evil")" "$("$KVALI" digest "$WORK/evil-1")" && exits 0 "$KVALI" verify "$WORK/evil"
}
promise "a plugin that tries to get out in a later pass: what its worker said is void and done again" tampered
promise "… and nobody is missing one" is "0" "$(sql "$WORK/each" "SELECT count(*) FROM fault WHERE pass = 2 AND plugin = 'echo' AND kind = 'damaged'")"
once() {
  look "$WORK/once" --set plugin.echo.once=true || return 1
  [ "$(sql "$WORK/once" "SELECT equal FROM pass WHERE id = 2")" -ge 4 ] || { echo "nothing is equal"; return 1; }
  is "$("$KVALI" digest --lines "$WORK/each")" "$("$KVALI" digest --lines "$WORK/once")" && exits 0 "$KVALI" verify "$WORK/once"
}
promise "where only bytes count equal contents are looked at once, and the digest is the same" once
spared() {
  is "1" "$(sql "$WORK/once" "SELECT count(*) FROM t_scan c JOIN t_stream s ON s.id = c.stream WHERE c.pass = 2 AND c.attempt IS NOT NULL AND s.path LIKE '%/same-%.bin'")" &&
    is "2" "$(sql "$WORK/once" "SELECT count(*) FROM finding WHERE plugin = 'echo' AND path LIKE '%/same-%.bin'")"
}
promise "… one of two files was not opened at all" spared
promise "… and what was not looked at whole was looked at everywhere" is "3" \
  "$(sql "$WORK/once" "SELECT count(*) FROM fault WHERE pass = 2 AND kind = 'limit'")"
crash() {
  look "$WORK/crash" --set plugin.echo.crash=true && look "$WORK/crash-once" --set plugin.echo.crash=true --set plugin.echo.once=true || return 1
  is 2 "$(sql "$WORK/crash" "SELECT count(*) FROM fault WHERE pass = 2 AND kind = 'crash' AND plugin = 'echo'")" || return 1
  is 0 "$(sql "$WORK/crash" "SELECT count(*) FROM fault WHERE pass = 1 AND kind = 'crash'")" || return 1
  is "$(first "$WORK/nested" | sha256sum)" "$(first "$WORK/crash" | sha256sum)" || return 1
  is "$("$KVALI" digest --lines "$WORK/crash")" "$("$KVALI" digest --lines "$WORK/crash-once")" && exits 0 "$KVALI" verify "$WORK/crash-once"
}
promise "a plugin that crashes in a later pass costs that content, a fault, and nothing of the first pass" crash
kept_open() {
  local at hits=0
  rm -rf "$WORK/cut" && cp -r "$WORK/nested" "$WORK/cut"
  set -- --plugin "$echo" --plugin "$nest" --plugin "$twins"
  KVALI_CRASH_AT=attempt-end:4 "$KVALI" run "$WORK/cut" --plugin echo "$@" --set plugin.echo.once=true --quiet
  for at in attempt-end:3 commit-after:2 attempt-end:2; do
    KVALI_CRASH_AT=$at "$KVALI" run "$WORK/cut" "$@" --quiet
    [ $? -eq 137 ] && hits=$((hits + 1))
  done
  [ $hits -ge 2 ] || { echo "only $hits kills hit"; return 1; }
  did "$KVALI" run "$WORK/cut" "$@" --quiet || return 1
  is "$("$KVALI" digest "$WORK/once")" "$("$KVALI" digest "$WORK/cut")" && exits 0 "$KVALI" verify "$WORK/cut"
}
promise "kill -9 where equal contents are looked at once: the digest is the same" kept_open
finder_gone() {
  rm -rf "$WORK/gone" && cp -r "$WORK/nested" "$WORK/gone"
  exits 2 "$KVALI" run "$WORK/gone" --plugin echo --plugin "$echo" --plugin "$nest" && contains "$(cat "$WORK/out")" "twins"
}
promise "without the plugin that found contents it is said which one to give" finder_gone
not_again() { # the finder crashes where it did not
  rm -rf "$WORK/lost" && cp -r "$WORK/nested" "$WORK/lost"
  did "$KVALI" run "$WORK/lost" --plugin echo --plugin "$echo" --plugin "$HOSTILE/nest_crash.so" --plugin "$twins" --jobs 2 --quiet || return 1
  [ "$(sql "$WORK/lost" "SELECT count(*) FROM fault WHERE pass = 2 AND plugin = 'echo' AND path LIKE '%three.bin!/inner!/inner!/inner' AND effect LIKE '%did not look%'")" -eq 1 ] ||
    { sql "$WORK/lost" "SELECT * FROM fault WHERE pass = 2"; return 1; }
  is "$(first "$WORK/nested" | sha256sum)" "$(first "$WORK/lost" | sha256sum)"
}
promise "a content that is not found again is a fault" not_again
added() {
  cp "$WORK/evidence/hello.bin" "$WORK/late.bin"
  did "$KVALI" add "$WORK/once" "$WORK/late.bin" --exhibit EX-2 --type file || return 1
  did "$KVALI" run "$WORK/once" --plugin "$nest" --plugin "$twins" --plugins digest,filetype,carve --quiet || return 1
  is 1 "$(sql "$WORK/once" "SELECT not_in_it FROM pass WHERE id = 2")" || return 1
  did "$KVALI" run "$WORK/once" --plugin echo --plugin "$echo" --plugin "$nest" --plugin "$twins" --set plugin.echo.once=true --quiet || return 1
  is "2|0|done" "$(sql "$WORK/once" "SELECT max(id), not_in_it, status FROM pass WHERE id > 1")" || return 1
  is 1 "$(sql "$WORK/once" "SELECT count(*) FROM finding WHERE exhibit = 'EX-2' AND pass = 2")" && exits 0 "$KVALI" verify "$WORK/once"
}
promise "what was added to the case since is taken in by the same command" added
anew() {
  did "$KVALI" run "$WORK/once" --again --plugin "$nest" --plugin "$twins" --plugins digest,filetype,carve --quiet || return 1
  is "1|0" "$(sql "$WORK/once" "SELECT max(id), (SELECT count(*) FROM finding WHERE pass > 1) FROM pass")" && exits 0 "$KVALI" verify "$WORK/once"
}
promise "run --again discards later passes too" anew
finish
