#!/bin/bash
# CPU seconds (user and sys, workers included) of one run, and of plan, N parts and merge: parts.sh KVALI IMAGE N
set -eu
K=$(realpath "$1") I=$(realpath "$2") N=$3
WORK=$(mktemp -d /var/tmp/kvali-parts-XXXX)
trap 'rm -rf "$WORK"' EXIT
PLUGINS=archive,carve,digest,entropy,filetype,mail,ole,thumbnail,yara
cpu() {
  local TIMEFORMAT='%U %S'
  { time "$@" >/dev/null 2>"$WORK/err" || true; } 2>&1 | awk '{printf "%.2f", $1 + $2}'
}
sum() { awk "BEGIN { printf \"%.2f\", $1 }"; }
for case in one parts; do
  "$K" new "$WORK/$case" -q
  "$K" add "$WORK/$case" "$I" -q
done
one=$(cpu "$K" run "$WORK/one" -q --jobs 2 --plugins $PLUGINS)
plan=$(cpu "$K" plan "$WORK/parts" --parts "$N" -q --jobs 2 --plugins $PLUGINS)
count=$(sqlite3 -readonly "$WORK/parts/plan.db" 'SELECT count(*) FROM part')
work=0
for part in $(seq "$count"); do
  work=$(sum "$work + $(cpu "$K" work "$WORK/parts" "$part" -q --jobs 2)")
done
merge=$(cpu "$K" merge "$WORK/parts" -q)
echo "one run $one; $count parts: plan $plan, work $work, merge $merge; together $(sum "($plan + $work + $merge) / $one") of one run"
[ "$("$K" digest "$WORK/one")" = "$("$K" digest "$WORK/parts")" ] && echo "the digest is the same"
