#!/usr/bin/env bash
# campaign: fuzzes every carving format for so many seconds, with libFuzzer and the sanitizers.
#   tests/fuzz/campaign.sh [SECONDS [FORMAT...]]
# Seeds are what the corpus (KVALI_CORPUS) has of the format. Inputs that break something stay in $WORK/crashes, and the
# campaign then fails. Needs clang with libFuzzer (Debian: clang, libclang-rt-14-dev).
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-30}
[ $# -eq 0 ] || shift
work=${WORK:-$(mktemp -d "${TMPDIR:-/var/tmp}/kvali-fuzz-XXXXXX")}
corpus=${KVALI_CORPUS:-../shared/corpus}
mkdir -p "$work/seeds" "$work/grown" "$work/crashes"

flags='-g -O1 -std=gnu17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -I. -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined'
sources="tests/fuzz/fuzz_carve.c $(find plugins/carve -name '*.c' ! -name carve.c ! -name signatures.c | sort)"
base="engine/base/bytes.c engine/base/buf.c engine/base/text.c engine/base/hash.c engine/base/hash_blocks.c"
# shellcheck disable=SC2086
clang $flags $sources $base -o "$work/fuzz_carve" -lz -lbz2 -llzma -lzstd -lbrotlidec -lisal -lcrypto -lxxhash -lm

formats=${*:-$(grep -hoE '\{"[a-z0-9]+", *examine|\{"[a-z0-9]+", [a-z0-9_]+[,}]' plugins/carve/formats/*.c | cut -d'"' -f2 | sort -u)}
probe=build/tests/carve/probe

# What each format makes something of, at most 40 files each.
if [ -x $probe ] && [ -d "$corpus/files" ] && [ ! -e "$work/seeds/known" ]; then
  find "$corpus/files" "$corpus/hostile" -type f -size -300k ! -name '*.zst' -print0 |
    xargs -0 -n 50 timeout 60 $probe any 2>/dev/null | awk -F'\t' '$2 !~ /part/ && ++n[$2] <= 40 { print $2 "\t" $1 }' >"$work/seeds/known" || true
fi

broken=0 count=0
for format in $formats; do
  KVALI_FORMAT=$format "$work/fuzz_carve" -runs=0 </dev/null >/dev/null 2>&1 || continue # a word that is no format
  mkdir -p "$work/seeds/$format" "$work/grown/$format"
  awk -F'\t' -v f="$format" '$1 == f { print $2 }' "$work/seeds/known" 2>/dev/null |
    while read -r file; do cp -n "$file" "$work/seeds/$format/" 2>/dev/null || true; done
  count=$((count + 1))
  if KVALI_FORMAT=$format "$work/fuzz_carve" -max_total_time="$seconds" -max_len=300000 -timeout=20 -rss_limit_mb=2048 \
    -artifact_prefix="$work/crashes/$format-" -print_final_stats=1 "$work/grown/$format" "$work/seeds/$format" >"$work/log.$format" 2>&1; then
    echo "ok    $format: $(awk '/number_of_executed_units/ { print $2 }' "$work/log.$format") runs"
  else
    broken=$((broken + 1))
    echo "FAIL  $format: see $work/log.$format"
  fi
done
echo "$((count - broken)) passed, $broken failed"
[ "$broken" -eq 0 ]
