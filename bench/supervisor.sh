#!/bin/bash
# supervisor.sh KVALI IMAGE [OPTION...]: which share of a run's CPU time the supervisor has, while workers work and afterwards (digest, what
# follows from findings, report), by perf's samples: `supervisor.sh build/engine/cli/kvali img.raw --type raw --plugins digest --jobs 2`.
# KVALI_BENCH_HOLD as for bench.py.
set -euo pipefail
[ $# -ge 2 ] || { sed -n '2,4s/^# //p' "$0" >&2; exit 2; }
kvali=$1 image=$2
shift 2
work=$(mktemp -d "${TMPDIR:-/var/tmp}/kvali-bench-XXXXXX")
trap 'rm -rf "$work"' EXIT
cat "$image" >/dev/null # in the page cache
[ -z "${KVALI_BENCH_HOLD:-}" ] || "$KVALI_BENCH_HOLD" begin
code=0
perf record -q -F 999 -e cpu-clock -o "$work/perf.data" -- "$kvali" process "$image" --case "$work/case" --quiet "$@" >/dev/null || code=$?
[ -z "${KVALI_BENCH_HOLD:-}" ] || "$KVALI_BENCH_HOLD" end
[ $code -le 1 ] || exit $code
perf script -i "$work/perf.data" -F comm,time,period 2>/dev/null | awk '
  { count++; is_worker[count] = $1 == "kvali-worker"; period[count] = $(NF); if (is_worker[count]) last = count }
  END {
    for (i = 1; i <= count; i++)
      if (is_worker[i]) workers += period[i]; else if (i <= last) meanwhile += period[i]; else after += period[i]
    all = workers + meanwhile + after
    printf "workers %.2f s of CPU; supervisor meanwhile %.2f s (%.1f %%), afterwards %.2f s (%.1f %%): %.1f %% of all\n",
      workers / 1e9, meanwhile / 1e9, 100 * meanwhile / all, after / 1e9, 100 * after / all, 100 * (meanwhile + after) / all
  }'
