#!/usr/bin/env bash
# campaign_inside: fuzzes the plugins that open files for so many seconds each, with libFuzzer and the sanitizers; the
# libraries that they use are those of the system, and are not instrumented.
#   tests/fuzz/campaign_inside.sh [SECONDS [PLUGIN...]]     plugins: archive encrypted mail ole pdf pst tnef
# Seeds are the samples of tests/plugins and what the corpus (KVALI_CORPUS) and the folders in KVALI_SEEDS have. Inputs that
# break something stay in $WORK/crashes, and the campaign then fails. Needs clang with libFuzzer (Debian: clang,
# libclang-rt-14-dev).
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-30}
[ $# -eq 0 ] || shift
work=${WORK:-$(mktemp -d "${TMPDIR:-/var/tmp}/kvali-fuzz-XXXXXX")}
corpus=${KVALI_CORPUS:-../shared/corpus}
mkdir -p "$work/seeds" "$work/grown" "$work/crashes"

flags='-g -O1 -std=gnu17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -I. -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined'
libraries="libarchive zlib liblzma libzstd gmime-3.0 libgsf-1 libqpdf libpff libbfio libcrypto libxxhash libmagic"
sources="tests/fuzz/fuzz_inside.c tests/plugins/trace.c $(ls plugins/archive/*.c plugins/encrypted/*.c plugins/mail/*.c plugins/ole/*.c plugins/pdf/*.c plugins/pst/*.c plugins/tnef/*.c)"
engine=$(ls engine/scan/*.c engine/base/*.c)
# shellcheck disable=SC2046,SC2086
clang $flags $(pkg-config --cflags $libraries) $sources $engine -o "$work/fuzz_inside" $(pkg-config --libs $libraries) -lbz2 -lm -ldl

# Which of all files a plugin makes something of is left to the fuzzer: what it does not take adds no coverage.
for plugin in ${*:-archive encrypted mail ole pdf pst tnef}; do
  mkdir -p "$work/seeds/$plugin" "$work/grown/$plugin"
  cp -n tests/plugins/"$plugin"/*.in "$work/seeds/$plugin/" 2>/dev/null || true
  find "$corpus/files" "$corpus/hostile" ${KVALI_SEEDS:-} -type f -size -600k ! -name '*.zst' ! -name '*.gz' 2>/dev/null | while read -r file; do
    case $plugin in
    pst) head -c 4 "$file" | grep -aqx '!BDN' ;;
    tnef) [ "$(head -c 4 "$file" | xxd -p)" = 789f3e22 ] ;;
    pdf) head -c 1024 "$file" | grep -aq '%PDF-' ;;
    ole) [ "$(head -c 4 "$file" | xxd -p)" = d0cf11e0 ] ;;
    mail) case $file in *.eml | *.mbox | *.emlx) ;; *) false ;; esac ;;
    archive) case $file in */archive/* | */mini/* | */hostile/*) ;; *) false ;; esac ;;
    *) false ;;
    esac && cp -n "$file" "$work/seeds/$plugin/" || true
  done
done

broken=0 count=0
for plugin in ${*:-archive encrypted mail ole pdf pst tnef}; do
  count=$((count + 1))
  if KVALI_INSIDE=$plugin nice -n "${NICE:-0}" "$work/fuzz_inside" -max_total_time="$seconds" -max_len=600000 -timeout=60 -rss_limit_mb=3000 \
    -detect_leaks="${LEAKS:-0}" -artifact_prefix="$work/crashes/$plugin-" -print_final_stats=1 "$work/grown/$plugin" "$work/seeds/$plugin" >"$work/log.$plugin" 2>&1; then
    echo "ok    $plugin: $(awk '/number_of_executed_units/ { print $2 }' "$work/log.$plugin") runs"
  else
    broken=$((broken + 1))
    echo "FAIL  $plugin: see $work/log.$plugin"
  fi
done
echo "$((count - broken)) passed, $broken failed"
[ "$broken" -eq 0 ]
