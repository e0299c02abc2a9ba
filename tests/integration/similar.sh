#!/bin/bash
# similar.sh PLUGIN.so...: similarity hashes equal the ssdeep command's, and known contents of lists and hash sets that are near are
# found, all of them and no others.
. "$(dirname "$0")/lib.sh"
export KVALI_HASHSETS=$WORK/sets
mkdir "$WORK/files" "$WORK/known"
python3 - "$WORK" <<'PY'
import random, sys
r = random.Random(5)
def text(size):
    words = [bytes(r.choices(range(97, 123), k=r.randint(2, 9))) for _ in range(400)]
    return b" ".join(r.choices(words, k=size // 6))
for i in range(12):
    data = r.randbytes(60000 + i * 9000) if i % 2 else text(30000 + i * 9000)
    open(f"{sys.argv[1]}/known/k{i:02}", "wb").write(data)
    for k in range(4):  # more and more of it is replaced
        parts = [data[j:j + 1500] for j in range(0, len(data), 1500)]
        for j in r.sample(range(len(parts)), len(parts) * k // 5):
            parts[j] = r.randbytes(1500) if i % 2 else text(1500)
        open(f"{sys.argv[1]}/files/f{i:02}.{k}", "wb").write(b"".join(parts))
open(f"{sys.argv[1]}/files/zeros", "wb").write(bytes(50000))
PY
near() { sql "$WORK/$1" "SELECT path, json_extract(data, '$.name'), json_extract(data, '$.$2') FROM finding WHERE plugin = '$3' AND type = 'near' ORDER BY 1, 2" | sed 's|^[^/]*/||; s|"||g; s|files/||'; }
hash_of() { sql "$WORK/$1" "SELECT json_extract(data, '$.$2') || char(9) || path FROM finding WHERE plugin = '$2' AND type = '$2'" | sed 's|\t.*/|\t|'; }

ssdeep_plugin() {
  command -v ssdeep >/dev/null || { skip "ssdeep is not installed"; return; }
  (cd "$WORK/known" && ssdeep -b *) >"$WORK/known.txt"
  exits 0 "$KVALI" hashset import near "$WORK/known.txt" --kind notable && exits 0 "$KVALI" hashset verify near || return 1
  "$KVALI" process "$WORK/files" --case "$WORK/list" --plugin "$1" --set plugin.ssdeep.list="$WORK/known.txt" -q >"$WORK/log" 2>&1
  "$KVALI" process "$WORK/files" --case "$WORK/set" --plugin "$1" --hashset near -q >"$WORK/log" 2>&1
  equal() {
    (cd "$WORK/files" && ssdeep -b * | tail -n +2 | cut -d, -f1 | sort) >"$WORK/theirs"
    hash_of set ssdeep | cut -f1 | sort >"$WORK/ours"
    diff "$WORK/theirs" "$WORK/ours" && [ -s "$WORK/ours" ]
  }
  promise "the hashes equal the ssdeep command's" equal
  matches() {
    (cd "$WORK/files" && ssdeep -b -m "$WORK/known.txt" *) | sed -nE 's/^([^ ]+) matches [^:]*:([^ ]+) \(([0-9]+)\)$/\1|\2|\3/p' | sort >"$WORK/theirs"
    near set score ssdeep | sort | diff "$WORK/theirs" - && [ "$(grep -c . <"$WORK/theirs")" -gt 20 ]
  }
  promise "what is near, and how near, is what ssdeep -m says" matches
  promise "a list says the same as a set" is "$(near set score ssdeep)" "$(near list score ssdeep)"
  promise "the set is named with its kind, file and line" is 'near|notable|known.txt|2' \
    "$(sql "$WORK/set" "SELECT DISTINCT json_extract(data, '$.set_name'), json_extract(data, '$.set_kind'), json_extract(data, '$.source'), json_extract(data, '$.line') FROM finding WHERE plugin = 'ssdeep' AND json_extract(data, '$.name') LIKE '%k00%'")"
}

tlsh_plugin() {
  "$KVALI" process "$WORK/known" --case "$WORK/tlsh-known" --plugin "$1" -q >"$WORK/log" 2>&1
  hash_of tlsh-known tlsh | sed '1~2s/^/T1/' >"$WORK/tlsh.txt"
  exits 0 "$KVALI" hashset import tnear "$WORK/tlsh.txt" --kind alert || return 1
  is 12 "$("$KVALI" hashset info tnear | awk '$1 == "tlsh" { print $2 }')" || return 1
  "$KVALI" process "$WORK/files" --case "$WORK/tset" --plugin "$1" --hashset tnear -q >"$WORK/log" 2>&1
  "$KVALI" process "$WORK/files" --case "$WORK/tall" --plugin "$1" --hashset tnear --set plugin.tlsh.most=100000 -q >"$WORK/log" 2>&1
  same_is_zero() { for i in 00 05 11; do near tset distance tlsh | grep -qx "f$i.0|k$i|0" || return 1; done; }
  promise "an equal content has the distance 0" same_is_zero
  none_lost() {
    near tall distance tlsh | awk -F'|' '$3 <= 50' >"$WORK/want"
    near tset distance tlsh | diff "$WORK/want" - && [ "$(grep -c . <"$WORK/want")" -gt 12 ] && [ "$(near tall distance tlsh | grep -c .)" -gt 300 ]
  }
  theirs() {
    (cd "$WORK/files" && tlsh -r . | sed 's|\./||' | sort -k 2) >"$WORK/theirs"
    hash_of tall tlsh | sort -k 2 | diff "$WORK/theirs" - &&
      (cd "$WORK/files" && for f in f*; do tlsh -c "$f" -r ../known | awk -F'\t' '{ sub(".*/", "", $2); print $1 "|" $2 "|" $3 }'; done | sort) >"$WORK/theirs" &&
      near tall distance tlsh | sort | diff "$WORK/theirs" - && [ "$(grep -c . <"$WORK/theirs")" -gt 300 ]
  }
  if command -v tlsh >/dev/null; then
    promise "hashes and distances are those of the tlsh command" theirs
  else
    skip "tlsh is not installed"
  fi
  promise "what is passed over by length and quartiles alone is farther than asked for" none_lost
}

for plugin in "$@"; do
  case $plugin in
    *ssdeep.so) ssdeep_plugin "$plugin" ;;
    *tlsh.so) tlsh_plugin "$plugin" ;;
  esac
done
finish
