# lib.sh: what the integration tests share. Sourced with KVALI set to the built command.
# Each promise is one `promise "sentence" command...`; `finish` prints the closing line and sets the exit code.
set -u
: "${KVALI:?KVALI names the built kvali}"
export KVALI
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
WORK=$(mktemp -d "${TMPDIR:-/tmp}/kvali-test-XXXXXX")
trap 'rm -rf "$WORK"' EXIT
passed=0
failed=0
skipped=0
export LC_ALL=C.UTF-8

promise() {
  local sentence=$1
  shift
  if "$@" >"$WORK/promise.log" 2>&1; then
    passed=$((passed + 1))
    echo "ok    $sentence"
  else
    failed=$((failed + 1))
    echo "FAIL  $sentence"
    sed 's/^/      /' "$WORK/promise.log" | tail -n 20
  fi
}

skip() {
  skipped=$((skipped + 1))
  echo "skip  $1"
}

finish() {
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" -eq 0 ]
  exit
}

# exits CODE command...: the command ends with exactly that code; its output is in $WORK/out.
exits() {
  local want=$1 got=0
  shift
  "$@" >"$WORK/out" 2>&1 || got=$?
  [ "$got" -eq "$want" ] && return 0
  echo "exit code $got, expected $want: $*"
  tail -n 15 "$WORK/out"
  return 1
}

# sql CASE QUERY: one value, or rows with | between columns.
sql() {
  sqlite3 -readonly "$1/case.db" "$2"
}

# is WANT GOT
is() {
  [ "$1" = "$2" ] && return 0
  echo "expected: $1"
  echo "got:      $2"
  return 1
}

contains() {
  case $1 in
  *"$2"*) return 0 ;;
  esac
  echo "not said: $2"
  echo "said: $1"
  return 1
}

sample() {
  [ -f "$WORK/sample.raw" ] || "$TOP/tests/images/make-sample.sh" "$WORK/sample.raw" >"$WORK/sample.log" 2>&1 || {
    cat "$WORK/sample.log"
    return 1
  }
}

# flip FILE OFFSET: the lowest bit of that byte. (A byte that is set to a value may have it already: once in 256 runs.)
flip() {
  local byte
  byte=$(od -An -tu1 -j "$2" -N 1 "$1") || return 1
  # shellcheck disable=SC2059
  printf "\\x$(printf %02x $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
