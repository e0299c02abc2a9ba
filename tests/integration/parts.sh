#!/usr/bin/env bash
# A case cut into parts, worked on apart and merged: the same digest as one process, whatever happens on the way.
. "$(dirname "$0")/lib.sh"
promise "the sample image is made" sample

OPTIONS=(--plugins archive,carve,digest,filetype --index)
planned() {
  rm -rf "${WORK:?}/$1" && "$KVALI" new "$WORK/$1" -q && "$KVALI" add "$WORK/$1" "${2:-$WORK/sample.raw}" -q &&
    "$KVALI" plan "$WORK/$1" --parts "${3:-6}" -q "${OPTIONS[@]}"
}
works() { local case=$1; shift; "$KVALI" work "$WORK/$case" "$@" -q; }
work_into() { "$KVALI" work "$WORK/$1" "$2" -q --jobs "$3"; }
merges() { exits "${2:-0}" "$KVALI" merge "$WORK/$1"; }
same_digest() { is "$want" "$("$KVALI" digest "$WORK/$1")"; }

"$KVALI" process "$WORK/sample.raw" --case "$WORK/whole" -q "${OPTIONS[@]}" >/dev/null 2>&1
want=$("$KVALI" digest "$WORK/whole")

# ---- the cut
promise "a plan is made" planned one
promise "a second case of the same evidence is planned" planned two
cut_of() { sqlite3 -readonly "$WORK/$1/plan.db" 'SELECT number, streams, bytes, sha256 FROM part ORDER BY number'; }
locators_of() { sqlite3 -readonly "$WORK/$1/plan.db" 'SELECT part, locator FROM stream ORDER BY part, locator'; }
promise "the same evidence is cut the same" is "$(locators_of one)" "$(locators_of two)"
promise "the parts are six" is 6 "$(sqlite3 -readonly "$WORK/one/plan.db" 'SELECT count(*) FROM part')"
promise "each pending content is in one part" is "$(sql "$WORK/one" 'SELECT count(*) FROM t_stream WHERE parent IS NULL')" \
  "$(sqlite3 -readonly "$WORK/one/plan.db" 'SELECT count(DISTINCT id) FROM stream')"
promise "the whole image is a part by itself, the first" is 1 \
  "$(sqlite3 -readonly "$WORK/one/plan.db" 'SELECT p.streams FROM part p JOIN stream s ON s.part = p.number WHERE s.kind = 0 AND p.number = 1')"
costs() { is "$(sqlite3 -readonly "$WORK/one/plan.db" 'SELECT cost FROM part ORDER BY cost DESC')" \
  "$(sqlite3 -readonly "$WORK/one/plan.db" 'SELECT cost FROM part ORDER BY number')"; }
promise "what costs most comes first" costs

# ---- how it stands, without Slurm and with one whose answers are known
stands() { # CASE: done, running, waiting, failed, not done
  "$KVALI" status "$WORK/$1" --json | jq -c '.plan | [.done, .running, .waiting, .failed, .not_done]'
}
mkdir "$WORK/bin" && printf '#!/bin/sh\ncat "%s/queue" 2>/dev/null\n' "$WORK" >"$WORK/bin/squeue" && chmod +x "$WORK/bin/squeue"
# Six parts as three tasks; the first task runs, the second waits, the third has ended and gave nothing back. Another's job is another's.
queued() {
  printf '2026-11-26T09:00:00Z\t71\t72\t1-3\t2\t0\t%s\t--comment=x\n' "$(sqlite3 -readonly "$WORK/one/plan.db" "SELECT value FROM meta WHERE key = 'id'")" >"$WORK/one/parts/jobs.tsv"
  printf '71_1|RUNNING|None|n1\n71_2|PENDING|Resources|\n72|PENDING|Dependency|\n8_3|RUNNING|None|n1\n' >"$WORK/queue"
  is '[0,2,2,2,6]' "$(PATH=$WORK/bin:$PATH stands one)"
}
promise "nothing is done at first" is '[0,0,0,0,6]' "$(stands one)"
promise "status counts parts of tasks that run, wait and have failed apart" queued
# What was submitted for another plan, or by a kvali that did not note the plan, says nothing of this one's parts.
planned_again() {
  local line
  "$KVALI" plan "$WORK/one" --parts 5 --again -q "${OPTIONS[@]}" && is '[0,0,0,0,5]' "$(PATH=$WORK/bin:$PATH stands one)" &&
    contains "$(PATH=$WORK/bin:$PATH "$KVALI" status "$WORK/one")" "3 tasks and merges of another plan of this case are still queued" || return 1
  line=$(cut -f1-6 "$WORK/one/parts/jobs.tsv") && printf '%s\n' "$line" >"$WORK/one/parts/jobs.tsv" && is '[0,0,0,0,5]' "$(PATH=$WORK/bin:$PATH stands one)" &&
    "$KVALI" plan "$WORK/one" --parts 6 --again -q "${OPTIONS[@]}" && queued
}
promise "status takes no submission for one of another plan" planned_again
promise "it says which have failed" contains "$(PATH=$WORK/bin:$PATH "$KVALI" status "$WORK/one")" 'parts 5, 6; parts/log/'
unheard() { printf '#!/bin/sh\nexit 1\n' >"$WORK/bin/squeue" && is '[0,0,0,0,6]' "$(PATH=$WORK/bin:$PATH stands one)" && rm "$WORK/one/parts/jobs.tsv"; }
promise "a Slurm that does not answer says nothing of what failed" unheard

# ---- work, in whatever order
promise "parts are done in any order, by one worker and by four" eval \
  'work_into one 4 1 && work_into one 1 4 && work_into one 6 4 && work_into one 2 1'
promise "status counts what was given back as done" is '[4,0,0,0,2]' "$(stands one)"
promise "a merge that lacks parts says which, with 75" eval 'merges one 75 && contains "$(cat "$WORK/out")" "parts 3, 5 are missing"'
promise "the rest is done as a range" works one 1-6
promise "the merge is complete" merges one
promise "the digest is that of one process" same_digest one
promise "merging again changes nothing" eval 'cp "$WORK/one/ledger.jsonl" "$WORK/before" && merges one && cmp "$WORK/before" "$WORK/one/ledger.jsonl" && same_digest one'
promise "the case verifies" "$KVALI" verify "$WORK/one" -q
changed() {
  cp -r "$WORK/one" "$WORK/changed" && sqlite3 "$WORK/changed/case.db" 'UPDATE t_stream SET read = read + 1 WHERE id = (SELECT min(id) FROM t_stream WHERE kind = 2)'
  ! "$KVALI" verify "$WORK/changed" >"$WORK/out" 2>&1 && contains "$(cat "$WORK/out")" "by something else than kvali"
}
promise "what was changed in it after the merge is seen" changed
found_words() { "$KVALI" search "$WORK/$1" the 2>/dev/null | wc -l; }
promise "the words of documents are found as in one process" is "$(found_words whole)" "$(found_words one)"
lines() { jq -r 'select(.type == "part") | .ledger[] | fromjson | .type' "$WORK/one/ledger.jsonl" | sort | uniq -c | tr -s ' '; }
promise "each part's ledger lines are in the case's" is "$(printf ' 6 case\n 6 run-begin\n 6 run-end\n 6 work')" "$(lines)"
chains() {
  jq -c 'select(.type == "part") | .ledger' "$WORK/one/ledger.jsonl" | while read -r list; do
    prev=$(printf '%064d' 0)
    printf '%s' "$list" | jq -r '.[]' | while IFS= read -r line; do
      [ "$(printf '%s' "$line" | jq -r .prev)" = "$prev" ] || echo broken
      prev=$(printf '%s\n' "$line" | sha256sum | cut -d' ' -f1)
    done
  done | grep -q broken && return 1
  return 0
}
promise "their chains hold" chains
sandboxed() { jq -r 'select(.type == "part") | .ledger[] | fromjson | select(.type == "run-end") | .sandbox_worker' "$WORK/one/ledger.jsonl" | grep -vq seccomp && return 1; return 0; }
promise "what the sandbox was on each host is in them" sandboxed

# ---- several parts in one process
promise "a case for a range of parts is planned" planned range
range() { "$KVALI" work "$WORK/range" 1-6 -v --jobs 2 >"$WORK/range.log" 2>&1 && is "1 5" "$(grep -c 'kvali-worker is started' "$WORK/range.log") $(grep -c 'kvali-worker goes on' "$WORK/range.log")"; }
promise "kvali-worker is set up once for all parts of a range" range
promise "the digest of a range is that of one process" eval 'merges range && same_digest range'
# After a crash the next part has a kvali-worker of its own.
if [ -n "${HOSTILE:-}" ]; then
  mkdir "$WORK/texts" && for n in 1 2 3 4; do printf '%s %5000s\n' "$([ $n = 2 ] && echo CRASHME)" "$n" >"$WORK/texts/$n.txt"; done
  crashed() {
    local OPTIONS=(--plugins digest --plugin "$HOSTILE/crash.so")
    planned bad "$WORK/texts" 4 && "$KVALI" work "$WORK/bad" 1-4 -v --jobs 1 >"$WORK/bad.log" 2>&1 && merges bad 1 &&
      is 0 "$("$KVALI" process "$WORK/texts" --case "$WORK/bad-whole" -q "${OPTIONS[@]}" >/dev/null 2>&1; echo $(($? - 1)))" &&
      is "$("$KVALI" digest "$WORK/bad-whole")" "$("$KVALI" digest "$WORK/bad")" && [ "$(grep -c 'kvali-worker is started' "$WORK/bad.log")" -ge 2 ]
  }
  promise "a crash in one part of a range leaves the others as they are" crashed
fi

# A folder with a disk in which another disk lies, and nothing of it is known before it is scanned.
nested() {
  command -v qemu-img >/dev/null && command -v mke2fs >/dev/null || return 1
  mkdir -p "$WORK/inner" "$WORK/outer" "$WORK/folder"
  printf 'the innermost text\n' >"$WORK/inner/letter.txt"
  mke2fs -q -t ext4 -d "$WORK/inner" "$WORK/inner.raw" 4M && qemu-img convert -O qcow2 "$WORK/inner.raw" "$WORK/outer/inner.qcow2" &&
    mke2fs -q -t ext4 -d "$WORK/outer" "$WORK/outer.raw" 8M && qemu-img convert -O qcow2 "$WORK/outer.raw" "$WORK/folder/outer.qcow2" || return 1
  cp "$WORK/inner/letter.txt" "$WORK/folder/letter.txt" && head -c 3000000 /dev/urandom >"$WORK/folder/noise"
  "$KVALI" process "$WORK/folder" --case "$WORK/nested-whole" -q "${OPTIONS[@]}" >/dev/null 2>&1
  echo $? >"$WORK/nested-code"
  [ "$(sql "$WORK/nested-whole" "SELECT count(*) FROM t_entry WHERE path LIKE '%outer.qcow2!%inner.qcow2!%letter.txt'")" = 1 ] && planned nested "$WORK/folder" 3
}

# ---- strangers and damage
promise "the second case's parts are done" works two 1-6
cp -r "$WORK/two/parts" "$WORK/good"
refused() { # CASE WORDS
  merges "$1" 75 && contains "$(cat "$WORK/out")" "$2" && [ -e "$WORK/$1/parts/000003.part.refused" ] && named "$1" && rm "$WORK/$1/parts/000003.part.refused"
}
named() {
  is '[5,0,0,1,1]' "$(stands "$1")" && is '["000003.part.refused"]' "$("$KVALI" status "$WORK/$1" --json | jq -c .plan.refused)" &&
    contains "$("$KVALI" status "$WORK/$1")" "000003.part.refused"
}
cp "$WORK/one/parts/000003.part" "$WORK/two/parts/000003.part"
promise "another case's part is refused by name, the rest merges" refused two "000003.part: it is a stranger"
damage() { cp "$WORK/good/000003.part" "$WORK/two/parts/" && flip "$WORK/two/parts/000003.part" 150000; }
damage
promise "a damaged part is refused" refused two "it is damaged"
head -c 100000 "$WORK/good/000003.part" >"$WORK/two/parts/000003.part"
promise "a truncated part is refused" refused two "it is cut short"
sed '1s/.*/kvali-part 0/' "$WORK/good/000003.part" >"$WORK/two/parts/000003.part"
promise "a part of another kvali's form is refused" refused two "it is of another kvali"
sed '2s/"configuration_sha256":"[0-9a-f]*/"configuration_sha256":"00/' "$WORK/good/000003.part" >"$WORK/two/parts/000003.part"
promise "a part of another configuration is refused" refused two "made with another configuration"
sed '2s/"part":3/"part":77/' "$WORK/good/000003.part" >"$WORK/two/parts/000003.part"
promise "a part that the plan does not have is refused" refused two "no part of that number"
sed '2s/"part":3/"part":6/' "$WORK/good/000003.part" >"$WORK/two/parts/000003.part"
promise "one that calls itself another is not taken for that" eval '"$KVALI" merge "$WORK/two" >"$WORK/out" 2>&1; [ $? = 75 ]'
# A page of the case's own database is damaged, which is first looked at when rows go there: no part is to blame.
own_damage() {
  cp -r "$WORK/two" "$WORK/own" && cp "$WORK/good"/*.part "$WORK/own/parts/" || return 1
  local page size
  page=$(sql "$WORK/own" "SELECT rootpage FROM sqlite_schema WHERE name = 'rec_digest'") && size=$(sql "$WORK/own" "PRAGMA page_size")
  printf '\377' | dd of="$WORK/own/case.db" bs=1 seek=$(((page - 1) * size)) conv=notrunc status=none
  ! "$KVALI" merge "$WORK/own" >"$WORK/out" 2>&1 && contains "$(cat "$WORK/out")" "own/case.db: the database is damaged" &&
    is 0 "$(find "$WORK/own/parts" -name '*.refused' | wc -l)"
}
promise "damage of the case's own database is told of the case, and no part is refused for it" own_damage
rm -f "$WORK/two/parts/000003.part"
promise "files are taken from anywhere, one twice" exits 0 "$KVALI" merge "$WORK/two" "$WORK/good/000003.part" "$WORK/good/000003.part"
promise "the digest is that of one process" same_digest two

# ---- media inside of files: found while a part is worked on
promise "disks inside of a disk are planned" nested
promise "they are listed, and seen, by who has them in a part" eval 'works nested "1-$(sqlite3 -readonly "$WORK/nested/plan.db" "SELECT max(number) FROM part")" && merges nested "$(cat "$WORK/nested-code")"'
promise "the digest is that of one process, media inside of files and all" is "$("$KVALI" digest "$WORK/nested-whole")" "$("$KVALI" digest "$WORK/nested")"
promise "the case with media inside of files verifies" "$KVALI" verify "$WORK/nested" -q

# ---- parts that somebody made
promise "a case for forged parts is planned and worked on" eval 'planned forged && works forged 1-6 && cp -r "$WORK/forged/parts" "$WORK/forge"'
forged() { # SQL WORDS
  local part=$WORK/forged/parts/000003.part
  tail -n +3 "$WORK/forge/000003.part" >"$WORK/forged.db" && sqlite3 "$WORK/forged.db" "$1" || return 1
  { head -1 "$WORK/forge/000003.part"
    sed -n 2p "$WORK/forge/000003.part" | jq -c --arg sha "$(sha256sum "$WORK/forged.db" | cut -d' ' -f1)" --argjson size "$(stat -c %s "$WORK/forged.db")" '.sha256 = $sha | .size = $size'
    cat "$WORK/forged.db"; } >"$part"
  refused forged "$2" && is 0 "$(grep -c '"part":3,' "$WORK/forged/ledger.jsonl")"
}
promise "one with tables of another version is refused" forged "PRAGMA user_version = 3" "its tables are of another kvali"
promise "one with a trigger is refused" forged "CREATE TRIGGER x AFTER INSERT ON t_note BEGIN DELETE FROM t_note; END" "that no part has"
promise "one with a view for a table is refused" forged \
  "DROP TABLE t_part_page; CREATE VIEW t_part_page AS WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i FROM n) SELECT i AS id, i AS stream, i AS attempt, i AS number, i AS size, i AS packed FROM n" "that no part has"
promise "one whose ledger was written anew is refused, and not told of" forged \
  "UPDATE t_part_ledger SET line = replace(line, '\"kvali\"', '\"other\"') WHERE rowid = 1" "the chain of its ledger is broken"
promise "one with rows that no case takes is refused, and not told of" forged \
  "INSERT INTO t_fault SELECT NULL, 99, id, attempt, 'limit', '', '', '', '', NULL, 0, '', '', 1 FROM t_stream LIMIT 1" "does not fit"
promise "one with a content that is pending is refused" forged "UPDATE t_stream SET status = 0 WHERE id = (SELECT max(id) FROM t_stream)" "it is not complete"
promise "the true one is taken after that" eval 'cp "$WORK/forge/000003.part" "$WORK/forged/parts/" && : >"$WORK/forged/parts/000001.part.host-1.partial" && merges forged && same_digest forged'
promise "what a killed host left half written is gone" eval '[ ! -e "$WORK/forged/parts/000001.part.host-1.partial" ]'

# ---- kills
promise "a third case is planned" planned three
killed_work() {
  "$KVALI" work "$WORK/three" 2 -q --scratch "$WORK/scratch" &
  local pid=$! i
  for i in $(seq 100); do ls "$WORK"/scratch/kvali-part-*/case.db >/dev/null 2>&1 && break; sleep 0.05; done
  kill -9 $pid
  wait $pid 2>/dev/null
  [ ! -e "$WORK/three/parts/000002.part" ] && ls -d "$WORK"/scratch/kvali-part-* >/dev/null
}
mkdir "$WORK/scratch"
promise "work is killed on the way, and gives nothing back" killed_work
swept() { "$KVALI" work "$WORK/three" 2 -q --scratch "$WORK/scratch" && is "" "$(ls "$WORK/scratch")"; }
promise "the next one sweeps the scratch of the killed" swept
promise "work that is killed before it gives back leaves no part" eval \
  'KVALI_CRASH_AT=part-publish:1 "$KVALI" work "$WORK/three" 1 -q; [ ! -e "$WORK/three/parts/000001.part" ]'
promise "all parts are done" works three 1-6
for at in merge-told:1 merge-taken:1 merge-committed:1 merge-told:2 merge-taken:2 commit-before:1 merge-summed:1; do
  promise "merge killed at $at" eval 'KVALI_CRASH_AT=$at "$KVALI" merge "$WORK/three" >/dev/null 2>&1; true'
done
promise "the merge is repeated" merges three
promise "the digest is that of one process, after all kills" same_digest three
promise "no part is told twice" is 6 "$(jq -r 'select(.type == "part") | .part' "$WORK/three/ledger.jsonl" | sort | uniq | wc -l)"
promise "nor taken twice" is 6 "$(jq -c 'select(.type == "part")' "$WORK/three/ledger.jsonl" | wc -l)"

# ---- hosts that are not set up
printf 'rule a { strings: $a = "kvali" condition: $a }\n' >"$WORK/lab.yar"
OPTIONS=(--plugins digest,yara --no-default-rules --rules "$WORK/lab.yar")
promise "a plan with the lab's rules is made" planned four "$WORK/sample.raw" 3
printf 'rule b { strings: $a = "other" condition: $a }\n' >"$WORK/lab.yar"
promise "a host with other rules refuses, with 78" eval 'exits 78 works four 2 && contains "$(cat "$WORK/out")" "not set up as the plan"'
printf 'rule a { strings: $a = "kvali" condition: $a }\n' >"$WORK/lab.yar"
mv "$WORK/sample.raw" "$WORK/elsewhere.raw"
promise "a host without the evidence refuses, with 78" exits 78 works four 2
head -c 1000000 "$WORK/elsewhere.raw" >"$WORK/sample.raw"
promise "a host with other evidence refuses, with 78" exits 78 works four 2
mv "$WORK/elsewhere.raw" "$WORK/sample.raw"
promise "a part that is not planned is permanent, 65" exits 65 works four 9
promise "work takes it up when all is right" works four 2
promise "no new plan while parts wait to be merged" exits 2 "$KVALI" plan "$WORK/four" --parts 2 -q
promise "run does what is not merged" exits 0 "$KVALI" run "$WORK/four" -q "${OPTIONS[@]}"
late() { "$KVALI" merge "$WORK/four" >/dev/null && "$KVALI" process "$WORK/sample.raw" --case "$WORK/whole4" -q "${OPTIONS[@]}" && is "$("$KVALI" digest "$WORK/whole4")" "$("$KVALI" digest "$WORK/four")"; }
promise "a part that comes late counts for nothing" late
finish
