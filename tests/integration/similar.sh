#!/bin/bash
# similar.sh SSDEEP.so: similarity hashes equal the ssdeep command's, and a changed file's nearest is what it was made of.
. "$(dirname "$0")/lib.sh"
plugin=$1
command -v ssdeep >/dev/null || { skip "ssdeep is not installed"; finish; }
mkdir "$WORK/files"
python3 - "$WORK/files" <<'PY'
import random, sys
r = random.Random(5)
for name in "one", "two":
    data = r.randbytes(60000)
    open(f"{sys.argv[1]}/{name}", "wb").write(data)
    open(f"{sys.argv[1]}/{name}.changed", "wb").write(data[:20000] + b"changed" + data[20000:])
PY
(cd "$WORK/files" && ssdeep -b one two) >"$WORK/known.txt"
"$KVALI" process "$WORK/files" --case "$WORK/case" --plugin "$plugin" --set plugin.ssdeep.list="$WORK/known.txt" -q >"$WORK/log" 2>&1
equal() {
  (cd "$WORK/files" && ssdeep -b * | tail -n +2 | cut -d, -f1 | sort) >"$WORK/theirs"
  sql "$WORK/case" "SELECT json_extract(data, '$.ssdeep') FROM finding WHERE plugin = 'ssdeep' ORDER BY 1" | sort >"$WORK/ours"
  diff "$WORK/theirs" "$WORK/ours" && [ -s "$WORK/ours" ]
}
promise "the hashes equal the ssdeep command's" equal
near() {
  is '"one"' "$(sql "$WORK/case" "SELECT json_extract(data, '$.nearest') FROM finding WHERE plugin = 'ssdeep' AND path LIKE '%one.changed'")" &&
    [ "$(sql "$WORK/case" "SELECT json_extract(data, '$.score') FROM finding WHERE plugin = 'ssdeep' AND path LIKE '%two.changed'")" -gt 60 ]
}
promise "the nearest known of a changed file is what it was made of" near
finish
