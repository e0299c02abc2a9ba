#!/usr/bin/env bash
# campaign_hashsets: fuzzes the reader of hash sets and every importer for so many seconds each, with libFuzzer and the
# sanitizers.
#   tests/fuzz/campaign_hashsets.sh [SECONDS [TARGET...]]     targets: set nsrl2 hashdeep list csv json encase sqlite similar
# Inputs that break something stay in $WORK/crashes, and the campaign then fails. Needs clang with libFuzzer (Debian: clang,
# libclang-rt-14-dev), sqlite3 and, for the seed of a set, a built kvali.
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-30}
[ $# -eq 0 ] || shift
all="nsrl2 hashdeep list csv json encase sqlite similar set"
work=${WORK:-$(mktemp -d "${TMPDIR:-/var/tmp}/kvali-fuzz-XXXXXX")}
mkdir -p "$work/grown" "$work/crashes"

flags='-g -O1 -std=gnu17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -I. -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined'
base="engine/base/bytes.c engine/base/buf.c engine/base/text.c engine/base/hash.c engine/base/hash_blocks.c engine/base/why.c engine/base/log.c"
sets="engine/hashset/hashset.c engine/hashset/format.c engine/hashset/similar.c"
build="engine/hashset/build.c engine/hashset/front.c engine/hashset/labels.c engine/hashset/order.c engine/hashset/scratch.c engine/hashset/sort.c"
imports=$(ls cases/hashsets/import_*.c)
# shellcheck disable=SC2086
clang $flags tests/fuzz/fuzz_hashset.c $sets $base -o "$work/fuzz_hashset" -lcrypto -lxxhash -lm
# shellcheck disable=SC2086
clang $flags tests/fuzz/fuzz_import.c $imports $sets $build cases/db.c $base -o "$work/fuzz_import" -lsqlite3 -lcrypto -lxxhash -lm -lpthread

python3 - "$work/seeds" <<'PY'
import os, sqlite3, struct, sys
md5, sha1, sha256 = "900150983cd24fb0d6963f7d28e17f72", "a9993e364706816aba3e25717850c26c9cd0d89d", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
head = '"SHA-1","MD5","CRC32","FileName","FileSize","ProductCode","OpSystemCode","SpecialCode"\r\n'
seeds = {
    "nsrl2": [head + f'"{sha1}","{md5}","00000000","a",0,1,"WIN",""\r\n"no hash"\r\n'],
    "hashdeep": [f"%%%% HASHDEEP-1.0\n%%%% size,md5,sha256,filename\n## x\n##\n3,{md5},{sha256},/x/a,b\n"],
    "list": [f"# a\n{md5}  a\n\\{sha256}  c\\nd\nMD5 (a) = {md5}\r\nSHA1 (x) = {sha1}\n{sha1} *b"],
    "similar": ["ssdeep,1.1--blocksize:hash:hash,filename\n96:aU1XfMkpcDbD5yJfMkZcDbD5yJ:xyz,\"name\"\nT1" + 35 * "0A" + "\tname\n"],
    "csv": [f'Name;MD5;Sha-256;Category\n"a\nb";{md5};;"one ""two"""\n', f"md5\tseries\ttags\n{md5}\ts\tt\n",
            f'MD5;SHA1;PhotoDNA;Is distributed;Victim identified\n{md5};{sha1};x;Yes;No\n'],
    "json": ['{"value":[{"Category":1,"VictimIdentified":true,"Series":"\\u10d0","MD5":"%s","Tags":["a","b"],'
             '"AlternativeHashes":[{"HashName":"SHA-256","HashValue":"%s"}]},null]}' % (md5, sha256), '[{"MD5":"%s"}]' % md5],
}
for name, texts in seeds.items():
    os.makedirs(f"{sys.argv[1]}/{name}", exist_ok=True)
    for i, text in enumerate(texts):
        open(f"{sys.argv[1]}/{name}/{i}", "w", newline="").write(text)
for name in "encase", "sqlite", "set":
    os.makedirs(f"{sys.argv[1]}/{name}", exist_ok=True)
open(f"{sys.argv[1]}/encase/0", "wb").write((b"HASH\r\n\xff\0" + 8 * b"\0" + struct.pack("<I", 2)).ljust(1152, b"\0") + 2 * (bytes.fromhex(md5) + b"\0\0"))
for name, table in ("0", "FILE(sha256, sha1, md5)"), ("1", "hashes(id INTEGER PRIMARY KEY, md5, sha1, sha2_256)"):
    path = f"{sys.argv[1]}/sqlite/{name}"
    if os.path.exists(path):
        os.remove(path)
    db = sqlite3.connect(path)
    db.execute("PRAGMA page_size=512")
    db.execute("CREATE TABLE " + table)
    db.execute(f"INSERT INTO {table.split('(')[0]}(md5, sha1) VALUES('{md5}', x'{sha1}')")
    db.commit()
PY
if [ -x build/engine/cli/kvali ]; then
  for seed in csv/0 csv/1 list/0 similar/0; do
    KVALI_HASHSETS=$work/sets build/engine/cli/kvali hashset import seed "$work/seeds/$seed" -q --replace >/dev/null 2>&1 || continue
    cp "$work/sets/seed.kvset" "$work/seeds/set/${seed%/*}${seed#*/}"
  done
fi

broken=0 count=0
for target in ${*:-$all}; do
  format=0 program=fuzz_import
  for name in $all; do [ "$name" = "$target" ] && break; format=$((format + 1)); done
  [ "$target" = set ] && program=fuzz_hashset
  mkdir -p "$work/grown/$target"
  count=$((count + 1))
  if KVALI_FORMAT=$format "$work/$program" -max_total_time="$seconds" -max_len=65536 -timeout=20 -rss_limit_mb=2048 \
    -artifact_prefix="$work/crashes/$target-" -print_final_stats=1 "$work/grown/$target" "$work/seeds/$target" >"$work/log.$target" 2>&1; then
    echo "ok    $target: $(awk '/number_of_executed_units/ { print $2 }' "$work/log.$target") runs"
  else
    broken=$((broken + 1))
    echo "FAIL  $target: see $work/log.$target"
  fi
done
echo "$((count - broken)) passed, $broken failed"
[ "$broken" -eq 0 ]
