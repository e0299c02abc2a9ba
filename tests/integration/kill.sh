#!/usr/bin/env bash
# kill: kill -9 of the supervisor, or of a worker, at random moments; `kvali run` goes on; the findings are the same to the byte.
# Usage: KVALI=... [WHOM=supervisor|workers] kill.sh [ROUNDS] [IMAGE...]
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
  [ $? -le 1 ] || { cat "$WORK/reference.log" >&2; return 1; }
  end=$(date +%s%N)
  echo $(((end - begin) / 1000000))
}

pause() { # a random part of $1 milliseconds
  local ms=$((RANDOM * ($1 + 1) / 32768))
  sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
}

# The workers of a supervisor. Its zygote has the same name, but only the first stage of the sandbox.
workers_of() {
  local pid
  for pid in $(pgrep -P "$1" -x kvali-worker); do
    grep -q '^Seccomp_filters:[[:space:]]*2$' "/proc/$pid/status" 2>/dev/null && echo "$pid"
  done
}

new_case() {
  rm -rf "$1"
  "$KVALI" new "$1" >/dev/null && "$KVALI" add "$1" "$2" >/dev/null
}

# kill -9 of the supervisor at random moments until $rounds of them hit it with workers at work. Each is followed by a run that goes
# on, and is killed again; one that comes to its end must have the reference's findings, and another case is begun.
supervisor_killed() {
  local image=$1 case=$2 span=$3 want=$4 kills=0 early=0 tries=0 ended=0 pid working
  new_case "$case" "$image" || return 1
  while [ "$kills" -lt "$rounds" ]; do
    [ "$((tries += 1))" -le $((rounds * 20)) ] || { echo "only $kills of $tries kills hit a run at work: the test shows nothing"; return 1; }
    "$KVALI" run "$case" --jobs 2 --quiet >"$WORK/run.log" 2>&1 &
    pid=$!
    pause "$span"
    working=$(workers_of "$pid")
    if kill -9 "$pid" 2>/dev/null; then
      [ -n "$working" ] && kills=$((kills + 1)) || early=$((early + 1))
    fi
    wait "$pid" 2>/dev/null
    code=$?
    "$KVALI" verify "$case" --quiet >"$WORK/verify.log" 2>&1 || { cat "$WORK/verify.log"; return 1; }
    [ "$code" -le 1 ] || continue
    ended=$((ended + 1))
    is "$want" "$(digest_of "$case")" || return 1
    new_case "$case" "$image" || return 1
  done
  "$KVALI" run "$case" --jobs 2 --quiet >"$WORK/run.log" 2>&1
  [ $? -le 1 ] || { cat "$WORK/run.log"; return 1; }
  is "$want" "$(digest_of "$case")" || return 1
  echo "# supervisor killed with workers at work: $kills times, before or after that: $early; cases that came to their end: $((ended + 1))" >&3
}

# kill -9 of one random worker, now and then the zygote, three times at random in each run, until $rounds workers were killed.
workers_killed() {
  local image=$1 case=$2 span=$3 want=$4 kills=0 zygotes=0 runs=0 tried pid victim
  while [ "$kills" -lt "$rounds" ]; do
    [ "$((runs += 1))" -le $((rounds * 20)) ] || { echo "only $kills kills hit a worker: the test shows nothing"; return 1; }
    rm -rf "$case"
    "$KVALI" process "$image" --case "$case" --jobs 2 --quiet >"$WORK/run.log" 2>&1 &
    pid=$!
    tried=0
    while [ "$tried" -lt 3 ] && kill -0 "$pid" 2>/dev/null; do
      pause $((span / 3))
      victim=$(pgrep -P "$pid" -x kvali-worker | shuf -n 1)
      [ -n "$victim" ] || continue # not yet begun, or at the report
      if workers_of "$pid" | grep -q -x "$victim"; then
        kill -9 "$victim" 2>/dev/null && kills=$((kills + 1)) && tried=$((tried + 1))
      elif [ "$((RANDOM % 4))" -eq 0 ]; then
        kill -9 "$victim" 2>/dev/null && zygotes=$((zygotes + 1)) && tried=$((tried + 1))
      fi
    done
    wait "$pid"
    [ $? -le 1 ] || { cat "$WORK/run.log"; return 1; }
    is "$want" "$(digest_of "$case")" || return 1
  done
  echo "# workers killed: $kills, zygotes killed: $zygotes, in $runs runs" >&3
}

one_image() {
  local image=$1 name span want
  name=$(basename "$image")
  span=$(reference "$image" "$WORK/reference") || { echo "$name: the run that the others are compared with failed"; exit 1; }
  want=$(digest_of "$WORK/reference")
  echo "# $name: a run takes $span ms, digest $want"
  [ "${WHOM:-supervisor}" != supervisor ] || promise "$name: the supervisor is killed $rounds times, and the findings are the same" \
    supervisor_killed "$image" "$WORK/killed" "$span" "$want"
  [ "${WHOM:-supervisor}" != supervisor ] || promise "$name: no row is there twice, and nothing of an unfinished attempt is left" \
    "$KVALI" verify "$WORK/killed"
  [ "${WHOM:-workers}" != workers ] || promise "$name: workers are killed $rounds times, and the findings are the same" \
    workers_killed "$image" "$WORK/workers" "$span" "$want"
  rm -rf "$WORK/reference" "$WORK/killed" "$WORK/workers"
}

exec 3>&1
if [ $# -eq 0 ]; then
  sample || exit 1
  set -- "$WORK/sample.raw"
fi
# What status says of a run that was killed and could not say so itself.
killed_at_a_point() {
  new_case "$WORK/told" "$1" && KVALI_CRASH_AT=attempt-end:20 "$KVALI" run "$WORK/told" --quiet >/dev/null 2>&1
  is running "$(sql "$WORK/told" 'SELECT status FROM t_run ORDER BY id DESC LIMIT 1')"
}
told() { # STATUS WORDS
  is "$1" "$("$KVALI" status "$WORK/told" --json | jq -r '.runs[0].status')" && contains "$("$KVALI" status "$WORK/told")" "$2"
}
at_work() { # while somebody holds the case
  local code
  flock -x "$WORK/told/lock" sleep 3 &
  sleep 1
  told running "At work now: pid"
  code=$?
  wait $!
  return $code
}
if [ "${WHOM:-supervisor}" = supervisor ]; then
  promise "a run is killed at a named point" killed_at_a_point "$1"
  promise "status says that it was interrupted, and how to go on" eval 'told interrupted "was interrupted" && contains "$("$KVALI" status "$WORK/told")" "Next: kvali run"'
  promise "while the case is held it says who is at work" at_work
  sed -i 's/ on .*/ on another-host/' "$WORK/told/lock"
  promise "of a run on another host it says what cannot be seen from here" told interrupted "on another-host holds no lock here"
  promise "the run goes on" eval '"$KVALI" run "$WORK/told" --quiet >/dev/null 2>&1; [ $? -le 1 ]'
  promise "and status says so" eval 'told done "Nothing is pending" && is "killed" "$("$KVALI" status "$WORK/told" --json | jq -r ".runs[1].status")"'
fi
for image in "$@"; do
  one_image "$image"
done
finish
