#!/usr/bin/env bash
# campaign_batch: fuzzes the readers of batch manifests and of parts for so many seconds each, with libFuzzer and the sanitizers.
#   tests/fuzz/campaign_batch.sh [SECONDS [TARGET...]]     targets: manifest part
# Inputs that break something stay in $WORK/crashes, and the campaign then fails. Needs clang with libFuzzer (Debian: clang,
# libclang-rt-14-dev).
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-30}
[ $# -eq 0 ] || shift
work=${WORK:-$(mktemp -d "${TMPDIR:-/var/tmp}/kvali-fuzz-XXXXXX")}
mkdir -p "$work/grown" "$work/crashes" "$work/seeds/manifest" "$work/seeds/part"

flags='-g -O1 -ffunction-sections -Wl,--gc-sections -Wl,--defsym=seal_path=0 -std=gnu17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -I. -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined'
base="engine/base/bytes.c engine/base/buf.c engine/base/text.c engine/base/hash.c engine/base/hash_blocks.c engine/base/why.c engine/base/log.c engine/base/json.c engine/base/when.c"
cases="cases/batch.c cases/batch_manifest.c cases/part.c cases/toml.c cases/copy.c cases/crashpoint.c cases/custody.c cases/custody_kinds.c cases/db.c cases/ledger.c cases/manifest.c cases/trouble.c"
sed 's/@[A-Za-z_]*@/0/g' engine/base/version.c.in >"$work/version.c"
for target in manifest part; do
  # shellcheck disable=SC2086
  clang $flags "tests/fuzz/fuzz_$target.c" $cases $base "$work/version.c" -o "$work/fuzz_$target" -lsqlite3 -ljansson -lcrypto -lxxhash -lm -lpthread
done

printf 'profile = "triage" # all\npriority = 3\n[[exhibit]]\ncase = "a"\nevidence = ["b.E01", "/c"]\nkeywords = "k"\ndeadline = 2026-01-31\n[[exhibit]]\ncase = "d"\nevidence = "e"\ntriage = true\noptions = ["--features"]\nformats = ["pdf"]\n' >"$work/seeds/manifest/toml"
printf '\xef\xbb\xbfcase,evidence,priority,settings,deadline\r\na,"b;c",2,limit.hang=3,2026-01-31T12:00:00Z\r\n"d ""x""",/e,-1,,\n' >"$work/seeds/manifest/csv"
printf '{"plan":"plan","part":7,"sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":0,"configuration_sha256":"c","kvali":"0","node":"n","actor":"a","finished":"f"}\n' >"$work/seeds/part/head"

broken=0 count=0
for target in ${*:-manifest part}; do
  mkdir -p "$work/grown/$target"
  count=$((count + 1))
  if "$work/fuzz_$target" -max_total_time="$seconds" -max_len=65536 -timeout=20 -rss_limit_mb=2048 \
    -artifact_prefix="$work/crashes/$target-" -print_final_stats=1 "$work/grown/$target" "$work/seeds/$target" >"$work/log.$target" 2>&1; then
    echo "ok    $target: $(awk '/number_of_executed_units/ { print $2 }' "$work/log.$target") runs"
  else
    broken=$((broken + 1))
    echo "FAIL  $target: see $work/log.$target"
  fi
done
echo "$((count - broken)) passed, $broken failed"
[ "$broken" -eq 0 ]
