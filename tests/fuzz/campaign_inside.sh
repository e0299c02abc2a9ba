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

# Seeds: what a plugin makes something of, by the first bytes or the folder.
python3 - "$work/seeds" "$corpus" ${KVALI_SEEDS:-} <<'PY'
import pathlib, shutil, sys
marks = {"pst": b"!BDN", "tnef": b"\x78\x9f\x3e\x22", "ole": b"\xd0\xcf\x11\xe0", "pdf": b"%PDF-"}
seeds, corpus, *more = map(pathlib.Path, sys.argv[1:])
for plugin in ("archive", "encrypted", "mail", "ole", "pdf", "pst", "tnef"):
    (seeds / plugin).mkdir(parents=True, exist_ok=True)
    for sample in pathlib.Path("tests/plugins", plugin).glob("*.in"):
        shutil.copy(sample, seeds / plugin)
for folder in (corpus / "files", corpus / "hostile", *more):
    for file in folder.rglob("*"):
        if not file.is_file() or file.stat().st_size > 600000 or file.suffix in (".zst", ".img"):
            continue
        head = file.read_bytes()[:1024]
        for plugin, mark in marks.items():
            if mark in head if plugin == "pdf" else head.startswith(mark):
                shutil.copy(file, seeds / plugin)
        if file.suffix in (".eml", ".mbox"):
            shutil.copy(file, seeds / "mail")
        if file.parent.name in ("archive", "mini", "hostile"):
            shutil.copy(file, seeds / "archive")
PY
for plugin in ${*:-archive encrypted mail ole pdf pst tnef}; do
  mkdir -p "$work/grown/$plugin"
done

broken=0 count=0
for plugin in ${*:-archive encrypted mail ole pdf pst tnef}; do
  count=$((count + 1))
  if KVALI_INSIDE=$plugin nice -n "${NICE:-0}" "$work/fuzz_inside" -max_total_time="$seconds" -max_len=600000 -timeout="${TIMEOUT:-60}" -rss_limit_mb=3000 \
    -detect_leaks="${LEAKS:-0}" -artifact_prefix="$work/crashes/$plugin-" -print_final_stats=1 "$work/grown/$plugin" "$work/seeds/$plugin" >"$work/log.$plugin" 2>&1; then
    echo "ok    $plugin: $(awk '/number_of_executed_units/ { print $2 }' "$work/log.$plugin") runs"
  else
    broken=$((broken + 1))
    echo "FAIL  $plugin: see $work/log.$plugin"
  fi
done
echo "$((count - broken)) passed, $broken failed"
[ "$broken" -eq 0 ]
