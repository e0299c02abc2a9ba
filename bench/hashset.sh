#!/bin/bash
# hashset.sh KVALI LOOKUP ROWS FOLDER: a synthetic RDS of so many rows imported by kvali, by hfind and by sqlite3, in one run;
# look-ups in each; a cold open; keys that are not in; flipped bits. Prints a table; needs about 500 bytes a row in FOLDER.
set -eu
kvali=$(realpath "$1") lookup=$(realpath "$2") rows=$3 folder=$4
here=$(realpath "$(dirname "$0")")
mkdir -p "$folder" && cd "$folder"
export KVALI_HASHSETS=$PWD/sets
[ -s NSRLFile.txt ] || python3 "$here/mkrds.py" "$rows" .
bytes=$(stat -c %s NSRLFile.txt)

# timed NAME COMMAND...: wall seconds, CPU seconds, peak KiB of the largest process and its children.
timed() {
  local name=$1; shift
  cat NSRLFile.txt >/dev/null   # every one begins with the file as far in the page cache as it fits
  /usr/bin/time -f "%e %U %S %M" -o time.txt "$@" >/dev/null 2>err.txt || { [ $? -le 1 ] || { cat err.txt; exit 1; }; }
  tail -1 time.txt | awk -v n="$name" -v r="$rows" '{ printf "import\t%s\t%.1f s wall\t%.1f s CPU\t%.0f rows/s\t%d MiB peak\n", n, $1, $2 + $3, r / $1, $4 / 1024 }'
}

echo "rows	$rows	NSRLFile.txt $bytes bytes"
rm -rf sets; timed kvali "$kvali" hashset import rds NSRLFile.txt -q
rm -rf sets; timed "kvali --memory 64M" "$kvali" hashset import rds NSRLFile.txt -q --memory 64M
rm -f NSRLFile.txt-*; timed "hfind -i nsrl-md5" hfind -i nsrl-md5 NSRLFile.txt
rm -f rds.db; cat >load.sql <<SQL
PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-1000000;
CREATE TABLE file(sha1 TEXT, md5 TEXT, crc32 TEXT, name TEXT, size INTEGER, product INTEGER, system TEXT, special TEXT);
.mode csv
.import --skip 1 NSRLFile.txt file
CREATE INDEX i_md5 ON file(md5);
CREATE INDEX i_sha1 ON file(sha1);
SQL
timed "sqlite3 .import, two indices" sqlite3 rds.db ".read load.sql"
ls -l sets/rds.kvset NSRLFile.txt-md5.idx rds.db | awk '{ printf "size\t%s\t%d bytes\n", $NF, $5 }'

"$lookup" find sets/rds.kvset keys.txt 25
"$lookup" sqlite rds.db keys.txt
asked=$(wc -l <keys.txt)
hfind -f keys.txt NSRLFile.txt >hfind.txt 2>/dev/null || true   # once, for the page cache
/usr/bin/time -f "%e %U %S" -o time.txt hfind -f keys.txt NSRLFile.txt >hfind.txt || true
found=$(grep -vc 'Hash Not Found' hfind.txt || true)
tail -1 time.txt | awk -v n="$asked" -v f="$found" '{ printf "hfind -f\t%d asked\t%d found\t%.3f s wall\t%.3f s CPU\t%.0f /s CPU\n", n, f, $1, $2 + $3, n / ($2 + $3) }'
begun=$(date +%s.%N); "$kvali" hashset lookup rds --from keys.txt -q >/dev/null || true; ended=$(date +%s.%N)
awk -v n="$asked" -v a="$begun" -v b="$ended" 'BEGIN { printf "kvali hashset lookup --from\t%d asked\t\t%.3f s\t%.0f /s\n", n, b - a, n / (b - a) }'

for i in 1 2 3 4 5; do
  sync sets/rds.kvset   # and out of the page cache, the set alone: programs and libraries stay warm
  python3 -c 'import os, sys; os.posix_fadvise(os.open(sys.argv[1], os.O_RDONLY), 0, 0, os.POSIX_FADV_DONTNEED)' sets/rds.kvset
  "$lookup" cold sets/rds.kvset "$(sed -n "$((i * 1000))p" keys.txt)"
done
cat sets/rds.kvset >/dev/null
"$lookup" absent sets/rds.kvset 10000000
head -20001 NSRLFile.txt >small.txt
"$kvali" hashset import small small.txt -q --replace
"$lookup" flips sets/small.kvset 1000
