#!/usr/bin/env bash
# kill: kill -9 of the supervisor, or of a worker, at random moments; `kvali run` goes on; the findings are the same to the byte.
# Usage: KVALI=... kill.sh [ROUNDS] [IMAGE...]
. "$(dirname "$0")/lib.sh"
rounds=${1:-20}
shift || true

digest_of() {
  "$KVALI" digest "$1"
}

# A run from start to end, and how long it takes in milliseconds.
reference() {
  local begin end
  begin=$(date +%s%N)
  "$KVALI" process "$1" --case "$2" --jobs 2 --quiet >"$WORK/reference.log" 2>&1
  end=$(date +%s%N)
  echo $(((end - begin) / 1000000))
}

pause() { # a random part of $1 milliseconds
  local ms=$((RANDOM * ($1 + 1) / 32768))
  sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
}

# kill -9 of the supervisor at $rounds random moments, each followed by a run that goes on (and is killed again).
supervisor_killed() {
  local image=$1 case=$2 span=$3 kills=0 pid
  rm -rf "$case"
  "$KVALI" new "$case" >/dev/null || return 1
  "$KVALI" add "$case" "$image" >/dev/null || return 1
  for _ in $(seq "$rounds"); do
    "$KVALI" run "$case" --jobs 2 --quiet >"$WORK/run.log" 2>&1 &
    pid=$!
    pause "$span"
    kill -9 "$pid" 2>/dev/null && kills=$((kills + 1))
    wait "$pid" 2>/dev/null
    "$KVALI" verify "$case" --quiet >"$WORK/verify.log" 2>&1 || { cat "$WORK/verify.log"; return 1; }
  done
  "$KVALI" run "$case" --jobs 2 --quiet >"$WORK/run.log" 2>&1
  [ $? -le 1 ] || { cat "$WORK/run.log"; return 1; }
  echo "$kills"
}

# kill -9 of one random worker at each of $rounds random moments of runs from the start.
workers_killed() {
  local image=$1 case=$2 span=$3 want=$4 kills=0 pid victims victim got
  while [ "$kills" -lt "$rounds" ]; do
    rm -rf "$case"
    "$KVALI" process "$image" --case "$case" --jobs 2 --quiet >"$WORK/run.log" 2>&1 &
    pid=$!
    for _ in 1 2 3; do
      pause $((span / 3))
      victims=$(pgrep -P "$pid" -x kvali-worker) || continue
      victim=$(echo "$victims" | shuf -n 1)
      kill -9 "$victim" 2>/dev/null && kills=$((kills + 1))
    done
    wait "$pid"
    [ $? -le 1 ] || { cat "$WORK/run.log"; return 1; }
    got=$(digest_of "$case")
    is "$want" "$got" || return 1
  done
  echo "workers killed: $kills"
}

one_image() {
  local image=$1 name span want
  name=$(basename "$image")
  span=$(reference "$image" "$WORK/reference")
  want=$(digest_of "$WORK/reference")
  echo "# $name: a run takes $span ms, digest $want"
  promise "$name: the supervisor is killed $rounds times, and the findings are the same" \
    same_after_supervisor_kills "$image" "$span" "$want"
  promise "$name: no row is there twice, and nothing of an unfinished attempt is left" \
    "$KVALI" verify "$WORK/killed"
  promise "$name: workers are killed $rounds times, and the findings are the same" \
    workers_killed "$image" "$WORK/workers" "$span" "$want"
  rm -rf "$WORK/reference" "$WORK/killed" "$WORK/workers"
}

same_after_supervisor_kills() {
  local kills
  kills=$(supervisor_killed "$1" "$WORK/killed" "$2") || { echo "$kills"; return 1; }
  echo "supervisor killed while at work: $kills"
  [ "$kills" -ge $((rounds / 4)) ] || { echo "too few kills hit a run: the test shows nothing"; return 1; }
  is "$3" "$(digest_of "$WORK/killed")"
}

if [ $# -eq 0 ]; then
  sample || exit 1
  set -- "$WORK/sample.raw"
fi
for image in "$@"; do
  one_image "$image"
done
finish
