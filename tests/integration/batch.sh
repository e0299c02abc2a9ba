#!/usr/bin/env bash
# A batch over exhibits of the corpus: killed, out of room, with hostile ones among them, and watched. batch.sh [EXHIBITS]
. "$(dirname "$0")/lib.sh"
COUNT=${1:-4}
CORPUS=${KVALI_CORPUS:-$TOP/../shared/corpus}
promise "the sample image is made" sample
batch() { "$KVALI" batch "$@" --folder "$WORK/queue" --tmp "$WORK"; }
# In the background: $! is then kvali's own number.
launch() { exec "$KVALI" batch "$@" --folder "$WORK/queue" --tmp "$WORK"; }
states() { jq -r '.tasks[].state' "$WORK/queue/summary.json" | sort | uniq -c | tr -s ' ' | tr '\n' ','; }

# ---- manifests
wrong() { # WORDS LINES
  printf '%b' "$2" >"$WORK/wrong.toml"
  exits 2 batch "$WORK/wrong.toml" && contains "$(cat "$WORK/out")" "$1"
}
promise "a manifest with an unknown key is refused, by exhibit and key" wrong 'exhibit 1: colour: there is no such key' \
  '[[exhibit]]\ncase = "a"\nevidence = "b"\ncolour = "red"\n'
promise "one without evidence too" wrong 'exhibit 1: evidence: it is missing' '[[exhibit]]\ncase = "a"\n'
promise "and one that is no TOML" wrong 'line 1' 'what\n'
for clear in 'keys = "password:tsisana"' 'keys = ["@keys", "EX-1=recovery:tsisana"]'; do
  promise "a key in clear is refused: ${clear%%:*}" wrong 'exhibit 1: keys: a key itself does not stand in a manifest' \
    "[[exhibit]]\ncase = \"a\"\nevidence = \"b\"\n$clear\n"
done
promise "also behind options" wrong 'exhibit 1: options: --key has a key of its own' '[[exhibit]]\ncase = "a"\nevidence = "b"\noptions = ["--key=password:tsisana"]\n'
promise "it is in no file of the queue" eval '! grep -rq tsisana "$WORK/queue" && ! grep -q tsisana "$WORK/out"'
if command -v bsdtar >/dev/null; then
  locked() {
    mkdir -p "$WORK/zips" && printf 'what is locked\n' >"$WORK/locked.txt" && printf 'password:tsisana\n' >"$WORK/keyfile" &&
      (cd "$WORK" && bsdtar --format zip --options zip:encryption=aes256 --passphrase tsisana -cf zips/aes.zip locked.txt) || return 1
    printf '[[exhibit]]\ncase = "unlocked"\nexhibit = "X/1"\nevidence = "zips"\nplugins = "archive,digest"\nkeys = "%s@keyfile"\n' "$1" >"$WORK/keys.toml"
    rm -rf "$WORK/unlocked" "$WORK/keyqueue"
    "$KVALI" batch "$WORK/keys.toml" --folder "$WORK/keyqueue" --tmp "$WORK" -q
    is "$2" "$(sql "$WORK/unlocked" "SELECT count(*) FROM file WHERE path LIKE '%aes.zip!/locked.txt' AND sha256 = '$(sha256sum <"$WORK/locked.txt" | cut -d' ' -f1)'")"
  }
  promise "a key file opens what is locked" locked '' 1
  promise "for its exhibit alone" locked 'X/2=' 0
  promise "and for this one" locked 'X/1=' 1
  promise "what the key is stands nowhere in queue, logs and summary" eval '! grep -rq tsisana "$WORK/keyqueue" && grep -rq "@$WORK/keyfile" "$WORK/keyqueue/queue.db"*'
else
  skip "a batch with keys: bsdtar is not installed"
fi

printf 'case,evidence\ncases/a,sample.raw\n' | iconv -t UTF-16 >"$WORK/wide.csv"
promise "a spreadsheet in another encoding is refused, and does not hang" eval 'exits 2 timeout 20 "$KVALI" batch "$WORK/wide.csv" --folder "$WORK/queue" && contains "$(cat "$WORK/out")" "no text in UTF-8"'
promise "one exhibit does not have more paths than a command line" wrong 'too many paths' "$(printf '[[exhibit]]\\ncase = "a"\\nevidence = ['; for n in $(seq 500); do printf '"e%s",' $n; done; printf ']\\n')"

# ---- the exhibits: of the corpus where it is, and a hostile one; else the sample under several numbers
mkdir "$WORK/evidence"
list_exhibits() {
  local n=0 path
  for path in "$CORPUS"/images/*.zst "$CORPUS"/images/*.E01; do
    [ -f "$path" ] && [ $n -lt "$COUNT" ] || continue
    case $path in *.zst) zstd -qdf "$path" -o "$WORK/evidence/$n.img" ;; *) cp "$path" "$WORK/evidence/$n.E01" ;; esac
    n=$((n + 1))
  done
  [ $n -gt 0 ] || cp "$WORK/sample.raw" "$WORK/evidence/0.img"
  [ ! -f "$CORPUS/hostile/made/badchunk.E01" ] || cp "$CORPUS/hostile/made/badchunk.E01" "$WORK/evidence/hostile.E01"
  ls "$WORK/evidence"
}
[ -d "$CORPUS/images" ] || skip "exhibits of the corpus: it is not there"
promise "exhibits are laid out" list_exhibits
mkdir "$WORK/cases" "$WORK/alone"
{
  echo 'case,evidence,profile,priority,settings,rules'
  for path in "$WORK"/evidence/*; do
    name=$(basename "$path")
    echo "cases/$name,\"evidence/$name\",triage,$((RANDOM % 5)),limit.hang=3"
  done
  echo 'cases/missing,evidence/missing.raw,triage'
} >"$WORK/backlog.csv"
exhibits=$(ls "$WORK/evidence" | wc -l)
for path in "$WORK"/evidence/*; do
  "$KVALI" process "$path" --case "$WORK/alone/$(basename "$path")" --profile triage --set limit.hang=3 -q >/dev/null 2>&1
done

# ---- kill -9 at random moments; what it left behind goes on
killed_batch() {
  local i pid code
  launch "$WORK/backlog.csv" --max-jobs 2 --tries 2 --wait 1 -q &
  pid=$!
  for i in 1 2 3; do
    sleep "1.$((RANDOM % 10))"
    kill -9 $pid 2>/dev/null
    wait $pid 2>/dev/null
    launch --max-jobs 2 --tries 2 --wait 1 -q &
    pid=$!
  done
  wait $pid
  code=$?
  is 3 $code
}
promise "a batch that is killed three times ends by itself, and says that one exhibit failed" killed_batch
right_states() {
  local name state
  jq -r '.tasks[] | [.case, .state] | @tsv' "$WORK/queue/summary.json" | while read -r name state; do
    case $name-$state in
    *missing-failed | *-done | *-faults) ;;
    *) echo "$name: $state" && return 1 ;;
    esac
  done
}
promise "every exhibit is in its right state" right_states
promise "there is one task for each" is $((exhibits + 1)) "$(jq '.tasks | length' "$WORK/queue/summary.json")"
same_digests() {
  local path name
  for path in "$WORK"/evidence/*; do
    name=$(basename "$path")
    is "$("$KVALI" digest "$WORK/alone/$name")" "$(jq -r ".tasks[] | select(.case | endswith(\"/$name\")) | .digest" "$WORK/queue/summary.json")" || return 1
    is "$(sql "$WORK/cases/$name" 'SELECT count(*) FROM fault')" "$(jq -r ".tasks[] | select(.case | endswith(\"/$name\")) | .faults" "$WORK/queue/summary.json")" || return 1
  done
}
promise "the summary's digests and faults are those of each case by itself" same_digests
promise "why one failed is in the summary" grep -q 'missing.raw: No such file' "$WORK/queue/summary.json"
promise "the page is there, and names the one that failed" grep -q 'class=wrong.*missing' "$WORK/queue/summary.html"
mended() {
  sed 's|^cases/missing,.*|cases/missing,evidence/missing.raw,triage,9|' "$WORK/backlog.csv" >"$WORK/mended.csv" &&
    contains "$(batch "$WORK/mended.csv" --tries 1 2>&1)" "1 tasks are new or changed
$WORK/cases/missing: $WORK/evidence/missing.raw: No such file"
}
promise "what failed is queued again when its manifest was mended, and evidence that is not there is told at once" mended
sed -i 's|^cases/missing,.*|cases/missing,evidence/missing.raw,triage,9|' "$WORK/backlog.csv"
promise "queueing the same again queues nothing" contains "$(batch "$WORK/backlog.csv" 2>&1)" "0 tasks are new"

# ---- words to a running batch
rm -rf "$WORK/queue"
printf '[[exhibit]]\ncase = "cases/one"\nexhibit = "X/1"\nevidence = "sample.raw"\n' >"$WORK/one.toml"
wait_state() { # STATE
  local i
  for i in $(seq 300); do
    [ "$(jq -r '.tasks[0].state' "$WORK/queue/summary.json" 2>/dev/null)" = "$1" ] && return 0
    sleep 0.1
  done
  cat "$WORK/queue/summary.json"
  return 1
}
# Room that runs short while an exhibit is at work: it stops cleanly and goes on when there is room again.
room() { printf '%s 99999999999\n' "$1" >"$WORK/room.new" && mv "$WORK/room.new" "$WORK/room"; }
cat >"$WORK/tell" <<END
#!/bin/sh
echo "\$@" >>"$WORK/told"
END
chmod +x "$WORK/tell"
short_of_room() {
  room 999999999999
  KVALI_TEST_ROOM=$WORK/room launch "$WORK/one.toml" --notify "$WORK/tell" -q &
  batch_pid=$!
  wait_state running && room 1000 && wait_state waiting && sleep 1 && wait_state waiting && room 999999999999 && wait_state done && wait $batch_pid
}
promise "an exhibit waits while the disk is short of room, and goes on by itself" short_of_room
"$KVALI" process "$WORK/sample.raw" --exhibit X/1 --case "$WORK/alone/one" -q >/dev/null 2>&1
promise "with the digest of one that never stopped" is "$("$KVALI" digest "$WORK/alone/one")" "$(jq -r '.tasks[0].digest' "$WORK/queue/summary.json")"
promise "who wants to know was told" eval 'grep -q ^short-of-room "$WORK/told" && grep -q "^task-done .*cases/one X/1 done" "$WORK/told" && grep -q ^batch-done "$WORK/told"'

# kill -9 while the report is written: the exhibit is examined then, and is not done.
killed_report() {
  local i
  rm -rf "$WORK/queue" "$WORK/cases"/*
  printf '[[exhibit]]\ncase = "cases/one/"\nexhibit = "X/1"\nevidence = "sample.raw"\nprofile = "triage"\nformats = ["pdf", "dfxml"]\n' >"$WORK/formats.toml"
  launch "$WORK/formats.toml" -q &
  batch_pid=$!
  for i in $(seq 3000); do
    cat /proc/$batch_pid/task/*/children 2>/dev/null | tr ' ' '\n' | grep . | while read -r child; do tr '\0' ' ' <"/proc/$child/cmdline" 2>/dev/null; done | grep -q ' report ' && break
    sleep 0.01
  done
  kill -9 $batch_pid
  wait $batch_pid 2>/dev/null
  [ "$i" -lt 3000 ]
}
promise "a batch is killed while a report is written" killed_report
again() { batch -q; is 'done 64' "$(jq -r '.tasks[0] | "\(.state) \(.digest | length)"' "$WORK/queue/summary.json")" && ls "$WORK"/cases/one/reports/*.pdf; }
promise "the next one writes it" again

# A disk that is really full.
full_disk() {
  mkdir "$WORK/small" && mount -t tmpfs -o size=48m tmpfs "$WORK/small" 2>/dev/null || return 77
  rm -rf "$WORK/queue"
  printf '[[exhibit]]\ncase = "small/case"\nexhibit = "X/1"\nevidence = "sample.raw"\n' >"$WORK/small.toml"
  dd if=/dev/zero of="$WORK/small/filler" bs=1M count=47 status=none
  launch "$WORK/small.toml" --disk-free 1 --wait 1 -q 2>/dev/null &
  batch_pid=$!
  wait_state waiting && grep -q 'disk was full\|short of room' "$WORK/queue/summary.json" && rm "$WORK/small/filler" && wait_state done
  local code=$?
  wait $batch_pid
  digest=$("$KVALI" digest "$WORK/small/case")
  umount "$WORK/small"
  return $code
}
if [ "$(id -u)" = 0 ] && mkdir "$WORK/try" && mount -t tmpfs tmpfs "$WORK/try" 2>/dev/null && umount "$WORK/try"; then
  promise "a disk that is full makes it wait, and room makes it go on" full_disk
  promise "with the same digest" is "$("$KVALI" digest "$WORK/alone/one")" "${digest:-}"
else
  skip "a disk that is really full: no right to mount one"
fi

# Pause, resume, cancel; a folder that is watched. The machine may be fast: a plugin that does not come back keeps an exhibit at work
# until it has been looked at.
mkdir "$WORK/slow" "$WORK/packed" && printf 'HANGME' >"$WORK/slow/file"
slow='options = ["--plugin", "'$HOSTILE'/hang.so"]\nsettings = ["limit.hang=4", "spool.memory=1M"]\n'
rm -rf "$WORK/queue" "$WORK/cases"/*
mkdir "$WORK/drop"
watched() {
  launch --watch "$WORK/drop" --triage -q 2>/dev/null &
  batch_pid=$!
  # shellcheck disable=SC2059
  printf '[[exhibit]]\ncase = "../cases/one"\nevidence = "../slow"\n'"$slow" >"$WORK/drop/one.toml"
  printf 'nonsense\n' >"$WORK/drop/bad.toml"
  wait_state running && batch pause && wait_state waiting && is '["one.triage","one"]' "$(jq -c '[.tasks[].case | split("/")[-1]]' "$WORK/queue/summary.json")"
}
promise "a manifest that appears is taken, triage first, and pause stops it" watched
promise "one that is no manifest is told in the summary" eval 'sleep 3; grep -q "bad.toml" "$WORK/queue/summary.json"'
promise "resume goes on" eval 'batch resume && wait_state faults'
promise "what was done in triage stands beside" test -f "$WORK/cases/one.triage/case.db"
cancelled() { batch cancel all; local i; for i in $(seq 100); do [ "$(jq -r '.tasks[1].state' "$WORK/queue/summary.json")" = cancelled ] && return 0; sleep 0.1; done; batch status; return 1; }
promise "cancel ends what is left" cancelled
promise "only one works a queue off" exits 2 batch -q
promise "the batch stops when it is told to" eval 'kill -TERM $batch_pid; wait $batch_pid; [ $? = 130 ]'

# ---- what the batch itself may use
uses() { # FOLDER LIMIT SIZE CODE, then what its first task's state and message are
  rm -rf "$WORK/queue" "$WORK/cases"/*
  exits "$4" batch "$WORK/$1" "$2" "$3" --jobs 4 --wait 1 -q && is "$5" "$(jq -r '.tasks[0] | .state + ": " + .message' "$WORK/queue/summary.json")"
}
# shellcheck disable=SC2059
printf '[[exhibit]]\ncase = "cases/slow"\nevidence = "slow"\nplugins = "digest"\n'"$slow" >"$WORK/slow.toml"
promise "what needs more memory than it may have, with one worker even, has failed" uses slow.toml --memory-max 8M 3 \
  'failed: with one worker it needs more memory than --memory-max'
promise "what needs less is done" uses one.toml --memory-max 4G 0 'done: '
python3 -B -c 'import gzip, os, sys
block = b"HANGME" + os.urandom(1 << 20)
with gzip.GzipFile(sys.argv[1], "wb", 0) as file:
    for _ in range(8): file.write(block)' "$WORK/packed/a.gz"
# shellcheck disable=SC2059
printf '[[exhibit]]\ncase = "cases/packed"\nevidence = "packed"\nplugins = "archive,digest"\n'"$slow" >"$WORK/packed.toml"
promise "so does what needs more room for temporary files" uses packed.toml --tmp-max 2M 3 \
  'failed: with one worker it needs more room for temporary files than --tmp-max'
promise "retry queues it again, and with more room it is done" eval \
  'contains "$(batch retry all)" "1 tasks are queued again" && batch --tmp-max 1G -q; is faults "$(jq -r ".tasks[0].state" "$WORK/queue/summary.json")"'
promise "there is nothing to try again then" contains "$(batch retry 1)" "0 tasks are queued again"
# The first case, and what somebody put there, is above three quarters of what the cases may have: the second waits until it was moved away.
two_cases() {
  rm -rf "$WORK/queue" "$WORK/cases"/* "$WORK/moved"
  mkdir -p "$WORK/folder0" && printf 'a letter\n' >"$WORK/folder0/letter.txt"
  printf '[[exhibit]]\ncase = "cases/first"\nevidence = "folder0"\n' >"$WORK/two.toml"
  batch "$WORK/two.toml" -q || return 1
  head -c 60000000 /dev/zero >"$WORK/cases/first/exports/ballast"
  printf '[[exhibit]]\ncase = "cases/second"\nevidence = "folder0"\n' >>"$WORK/two.toml"
  launch "$WORK/two.toml" --disk-max 70M --wait 1 -q &
  batch_pid=$!
  sleep 3
  is 'done queued' "$(jq -r '[.tasks[].state] | join(" ")' "$WORK/queue/summary.json")" &&
    contains "$(jq -r .state "$WORK/queue/summary.json")" 'use as much disk as --disk-max allows; it goes on by itself' && mv "$WORK/cases/first" "$WORK/moved" && wait $batch_pid &&
    is 'done done' "$(jq -r '[.tasks[].state] | join(" ")' "$WORK/queue/summary.json")"
}
promise "cases that take all the disk that they may make the next one wait, and room makes it go on" two_cases

# ---- the page in Georgian
georgian() {
  batch report --lang ka && grep -q '<html lang=ka>' "$WORK/queue/summary.html" && grep -q 'დასრულებულია' "$WORK/queue/summary.html" && grep -q 'დარჩენილი დრო' "$WORK/queue/summary.html" &&
    ! grep -q 'Alerts\|>done<' "$WORK/queue/summary.html"
}
promise "the page is in Georgian when that is wanted" georgian
promise "and stays so, until it is wanted in English" eval 'batch report && grep -q "<html lang=ka>" "$WORK/queue/summary.html" && batch report --lang en && grep -q "Alerts" "$WORK/queue/summary.html"'
promise "another language is refused" exits 2 batch report --lang xx

# ---- several cases of a lab
printf 'call +995 571 951 951 or write to nino.beridze@example.ge about this and that\n%1000s\n' x >"$WORK/letter.txt"
for n in 1 2; do
  mkdir "$WORK/folder$n" && cp "$WORK/letter.txt" "$WORK/folder$n/name$n.txt"
  "$KVALI" process "$WORK/folder$n" --case "$WORK/lab$n" --features -q >/dev/null 2>&1
done
promise "two cases go into the lab's index" "$KVALI" cross "$WORK/lab.cross" "$WORK/lab1" "$WORK/lab2"
promise "again, and it is the same" "$KVALI" cross "$WORK/lab.cross" "$WORK/lab2"
kinds() { "$KVALI" cross "$WORK/lab.cross" --json | jq -r '[.kind, .case] | @tsv' | tr '\t' ' ' | sort; }
sqlite3 "$WORK/other.db" 'CREATE TABLE theirs(x)' && before=$(sha256sum <"$WORK/other.db")
promise "another program's database is left as it is" eval '! "$KVALI" cross "$WORK/other.db" "$WORK/lab1" && is "$before" "$(sha256sum <"$WORK/other.db")"'
promise "content, address and number are found in both" is "$(printf '%s\n' 'content lab1' 'content lab2' 'email lab1' 'email lab2' 'phone lab1' 'phone lab2')" "$(kinds)"
finish
