#!/bin/bash
# CPU seconds (user and sys, workers included) of one run, and of plan, parts and merge in turn:
#   parts.sh KVALI IMAGE ROUNDS N...     N parts, each by a process of its own; Nr: by one `kvali work CASE 1-N`; 0: parts of the default size
# KVALI_BENCH_HOLD names a program that is called with begin and end around each command, where other work can be made to wait.
set -eu
K=$(realpath "$1") I=$(realpath "$2") ROUNDS=$3
shift 3
WORK=$(mktemp -d "${TMPDIR:-/var/tmp}/kvali-parts-XXXX")
trap 'rm -rf "$WORK"' EXIT
PLUGINS=${PLUGINS:-archive,carve,digest,entropy,filetype,mail,ole,thumbnail,yara}
HOLD=${KVALI_BENCH_HOLD:-true}
cpu() {
  local TIMEFORMAT='%U %S' seconds
  $HOLD begin
  seconds=$({ time "$@" >/dev/null 2>"$WORK/err" || true; } 2>&1 | awk '{printf "%.2f", $1 + $2}')
  $HOLD end
  echo "$seconds"
}
sum() { awk "BEGIN { printf \"%.3f\", $1 }"; }
new() { rm -rf "$WORK/$1" && "$K" new "$WORK/$1" -q && "$K" add "$WORK/$1" "$I" -q; }
one_run() {
  new one
  one=$(cpu "$K" run "$WORK/one" -q --jobs 2 --plugins "$PLUGINS")
  digest=$("$K" digest "$WORK/one")
}
in_parts() { # N or Nr
  new parts
  local plan count work=0 merge part
  local size=(--parts "${1%r}")
  [ "${1%r}" != 0 ] || size=()
  plan=$(cpu "$K" plan "$WORK/parts" "${size[@]}" -q --jobs 2 --plugins "$PLUGINS")
  count=$(sqlite3 -readonly "$WORK/parts/plan.db" 'SELECT count(*) FROM part')
  if [ "${1%r}" != "$1" ]; then
    work=$(cpu "$K" work "$WORK/parts" "1-$count" -q --jobs 2)
  else
    for part in $(seq "$count"); do work=$(sum "$work + $(cpu "$K" work "$WORK/parts" "$part" -q --jobs 2)"); done
  fi
  merge=$(cpu "$K" merge "$WORK/parts" -q)
  [ "$("$K" digest "$WORK/parts")" = "$digest" ] || { echo "another digest: $WORK" && trap - EXIT && exit 1; }
  echo "$1: one run $one; $count parts: plan $plan, work $work, merge $merge; $(sum "$plan + $work + $merge"), $(sum "($plan + $work + $merge) / $one") of one run"
}
for _ in $(seq "$ROUNDS"); do
  one_run
  for n in "$@"; do in_parts "$n"; done
done
