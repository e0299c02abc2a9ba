#!/usr/bin/env bash
# A plan on a throw-away Slurm of this host's own: 2 nodes, one of them killed in mid-work, and 4 nodes. Needs the packages
# munge slurmctld slurmd slurm-client, and the folder that starts such a cluster (KVALI_SLURM, default ../shared/slurm).
. "$(dirname "$0")/lib.sh"
TOOLS=${KVALI_SLURM:-$TOP/../shared/slurm}
export PATH=$PATH:/usr/sbin:/sbin
ulimit -c 0 # a Slurm daemon that is killed leaves one where it stands

for program in munged slurmctld slurmd sbatch; do
  command -v "$program" >/dev/null || { skip "a cluster: $program is not installed"; finish; }
done
[ -x "$TOOLS/start.sh" ] || { skip "a cluster: $TOOLS/start.sh is not there (KVALI_SLURM names the folder)"; finish; }
promise "the sample image is made" sample
OPTIONS=(--plugins carve,digest,filetype,yara)

CLUSTER=
stop_cluster() { [ -z "$CLUSTER" ] || "$TOOLS/stop.sh" "$CLUSTER" >/dev/null 2>&1; CLUSTER=; }
trap 'stop_cluster; rm -rf "$WORK"' EXIT
start_cluster() {
  CLUSTER=$(mktemp -d /tmp/kvali-slurm-XXXX)
  SLURMD_TIMEOUT=10 MSG_TIMEOUT=8 "$TOOLS/start.sh" "$CLUSTER" "$1" 1 && . "$CLUSTER/env.sh"
}

# All jobs of a case have ended.
ended() {
  local i
  for i in $(seq 600); do
    [ -z "$(squeue -h 2>/dev/null)" ] && return 0
    sleep 0.2
  done
  squeue
  return 1
}
planned() {
  rm -rf "$WORK/$1" && "$KVALI" new "$WORK/$1" -q && "$KVALI" add "$WORK/$1" "$WORK/sample.raw" -q &&
    "$KVALI" plan "$WORK/$1" --parts 6 -q "${OPTIONS[@]}"
}
# --sbatch: a task of this test is content with what a test node has.
submitted() { "$KVALI" submit "$WORK/$1" --slurm --cpus 1 --mem 500M --sbatch=--comment=kvali-test; }
logs() { cat "$WORK/$1"/parts/log/* 2>/dev/null; }
same_digest() {
  is "$want" "$("$KVALI" digest "$WORK/$1")" || { "$KVALI" status "$WORK/$1"; logs "$1"; return 1; }
}

"$KVALI" process "$WORK/sample.raw" --case "$WORK/whole" -q "${OPTIONS[@]}" >/dev/null 2>&1
want=$("$KVALI" digest "$WORK/whole")

# Without a cluster.
promise "a plan is made" planned two
promise "what would be submitted is shown" grep -q 'afterany:ID' <("$KVALI" submit "$WORK/two" --dry-run)
promise "without Slurm it says so" exits 78 /usr/bin/env PATH=/nonexistent "$KVALI" submit "$WORK/two" --slurm

# Two nodes, of which one dies with all that runs on it.
promise "a cluster of two nodes starts" start_cluster 2
promise "the plan is submitted" submitted two
promise "the same is not submitted twice" exits 2 submitted two
on_n2() { grep -lzFx "SLURM_CONF=$SLURM_CONF" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3 | while read -r p; do
  grep -qzFx SLURMD_NODENAME=n2 "/proc/$p/environ" 2>/dev/null && echo "$p"; done; }
# As soon as something runs there.
lose_n2() {
  local i p step
  for i in $(seq 300); do
    [ -n "$(squeue -h -t R -w n2 -o %i)" ] && [ -n "$(on_n2)" ] && break
    sleep 0.1
  done
  for p in $(on_n2); do
    # Its slurmstepd first, or the task would be reported as failed.
    step=$(awk '/^PPid/{print $2}' "/proc/$p/status" 2>/dev/null)
    case $(tr '\0' ' ' <"/proc/$step/cmdline" 2>/dev/null) in slurmstepd*) kill -KILL "$step" 2>/dev/null ;; esac
    kill -KILL "$p" 2>/dev/null
  done
  kill -KILL "$(cat "$CLUSTER/run/slurmd.n2.pid")"
  [ $i -lt 300 ]
}
promise "a node is killed while it works" lose_n2
promise "status tells of parts and tasks" grep -q 'Tasks in the queue' <("$KVALI" status "$WORK/two")
promise "all of it ends without a hand" ended
promise "the digest is that of one process, though a node was lost" same_digest two
requeued() { grep -q 'requeue job' "$CLUSTER/log/slurmctld.log"; }
promise "the lost node's task was queued again" requeued
hosts() { is 6 "$(jq -r 'select(.type == "part") | .ledger[] | fromjson | select(.type == "run-begin") | .host.node' "$WORK/two/ledger.jsonl" | wc -l)"; }
promise "the ledger has host and node of every part" hosts
stop_cluster

# Four nodes; then a part that is lost is all that is done again.
promise "a plan for four nodes is made" planned four
promise "a cluster of four nodes starts" start_cluster 4
promise "the plan is submitted to four" submitted four
promise "cancel takes it off again" "$KVALI" cancel "$WORK/four"
promise "nothing is queued after that" ended
promise "status counts what was cancelled as failed, and nothing else as missing" is '[6,0,0]' \
  "$("$KVALI" status "$WORK/four" --json | jq -c '.plan | [.done + .failed, .running, .waiting]')"
promise "resubmit does what is missing" "$KVALI" resubmit "$WORK/four" --slurm --cpus 1 --mem 500M
promise "it ends" ended
promise "the digest of four nodes is that of one process" same_digest four
promise "there is nothing to submit then" grep -q 'nothing to submit' <("$KVALI" resubmit "$WORK/four" --slurm)
stop_cluster
finish
