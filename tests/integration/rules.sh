#!/usr/bin/env bash
# rules: a broken rule never stops the others, and is named; what rules ask for; rules without end; every boundary.
# Usage: KVALI=... rules.sh
. "$(dirname "$0")/lib.sh"
rules=$WORK/rules
mkdir -p "$rules/lab" "$WORK/files"

cat >"$rules/lab/syntax.yar" <<'END'
rule before { condition: filesize > 3 }
rule broken { strings: $a = "x" condition: $a and }
rule uses_broken { condition: broken }
rule behind { strings: $needle = "needle" condition: $needle }
END
cat >"$rules/lab/module.yar" <<'END'
import "androguard"
import "pe"
rule phone { condition: androguard.package_name("x") }
rule program { condition: pe.is_pe or filesize > 3 }
END
cat >"$rules/include.yar" <<'END'
include "no_such_file.yar"
rule beside_include { condition: filesize > 3 }
END
{
  echo 'rule many { strings:'
  seq 1 100000 | sed 's/.*/  $s& = "string number &"/'
  echo 'condition: any of them }'
  echo 'rule after_many { condition: filesize > 3 }'
} >"$rules/many.yar"
cat >"$rules/doubles.yar" <<'END'
rule same_one { condition: filesize > 3 }
rule twice { condition: filesize > 3 }
rule twice { condition: true }
rule infinite { strings: $a = /((a{1,1000}){1,1000}){1,1000}/ condition: $a }
END
printf 'YARA\1\2\3' >"$rules/compiled.yar"
printf 'rule nul { condition: true }\0' >"$rules/nul.yar"
echo 'a needle in a file' >"$WORK/files/needle.txt"

check() { exits 1 "$KVALI" rules check "$rules"; }
promise "rules check tells by its exit code that something is left out" check
said=$("$KVALI" rules check "$rules")
named() { # text
  contains "$said" "$1"
}
promise "… a rule with an error, by file and line" named "left out: lab/syntax.yar:2: syntax error"
promise "… a rule that uses it" named 'left out: lab/syntax.yar:3: undefined identifier "broken"'
promise "… a module that is not there, and the rule that uses it" named 'left out: lab/module.yar:3: undefined identifier "androguard"'
promise "… an include" named "left out: include.yar:1: includes are not followed"
promise "… too many strings" named 'left out: many.yar:100002: too many strings in rule "many"'
promise "… a name twice" named 'left out: doubles.yar:3: duplicated identifier "twice"'
promise "… compiled rules" named "left out: compiled.yar: compiled rules are not accepted"
promise "… what is no text" named "left out: nul.yar: it holds a NUL byte"
promise "… and that rules say the same, or are slow" named "remark: doubles.yar:2: says the same as the rule at doubles.yar:1"
promise "… with the number of rules in use and their SHA-256" named "lab: 3 rules in use, SHA-256 "
promise "rules without any problem give no word and exit code 0" exits 0 "$KVALI" rules check

case=$WORK/case
"$KVALI" process "$WORK/files" --case "$case" --plugins digest,yara --no-default-rules --rules "$rules" --quiet
promise "all other rules are asked in a run" is \
  "after_many,before,behind,beside_include,infinite,program,same_one,twice" \
  "$(sql "$case" "SELECT group_concat(rule) FROM (SELECT DISTINCT rule FROM match ORDER BY rule)")"
promise "a match says its set, its lines and what is around it" is "lab|4|4|2|6120|2069" \
  "$(sql "$case" "SELECT ruleset, line, last_line, json_extract(strings, '\$[0].offset'), substr(json_extract(strings, '\$[0].before'), 1, 4),
    substr(json_extract(strings, '\$[0].after'), 1, 4) FROM match WHERE rule = 'behind'")"
promise "the case names what was left out" is 1 \
  "$(sql "$case" "SELECT count(*) FROM run_loaded WHERE kind = 'left out' AND problem LIKE 'lab/syntax.yar:2:%'")"
promise "… and each set with its hash" is 64 "$(sql "$case" "SELECT length(sha256) FROM run_loaded WHERE kind = 'set' AND name = 'lab'")"

# ---- a rule without end
mkdir "$WORK/endless"
cat >"$WORK/endless/endless.yar" <<'END'
rule quick { strings: $a = "needle" condition: $a }
rule endless { condition: uint8(0) == 0x61 and for all i in (1..filesize * 1000) : (for all j in (1..filesize * 1000) : (i * j != -1)) }
rule late { condition: filesize > 3 }
END
"$KVALI" process "$WORK/files" --case "$WORK/case2" --plugins yara --no-default-rules --quiet --rules "$WORK/endless" --set yara.timeout=1
promise "a rule without end is stopped for that content, and named" is 1 \
  "$(sql "$WORK/case2" "SELECT count(*) FROM fault WHERE plugin = 'yara' AND detail LIKE '%rule endless is not done in time%'")"
promise "… and the others have their answer" is "late,quick" \
  "$(sql "$WORK/case2" "SELECT group_concat(rule) FROM (SELECT DISTINCT rule FROM match ORDER BY rule)")"

# ---- rules that are not tried where they cannot match
mkdir "$WORK/gates" "$WORK/contents"
cat >"$WORK/gates/gates.yar" <<'END'
rule helper { condition: uint16(0) == 0x5A4D }
rule mz { strings: $a = "word" condition: uint16(0) == 0x5A4D and $a }
rule not_mz { strings: $a = "word" condition: not helper and $a }
rule small { strings: $a = "word" condition: filesize < 1MB and $a }
rule any_size { strings: $a = "word" condition: $a }
rule by_name { strings: $a = "word" condition: filename matches /^large/ and mz and $a }
rule whole_file { condition: filesize == 1048576 }
END
printf 'MZ word' >"$WORK/contents/small.exe"
printf 'A word' >"$WORK/contents/small.txt"
{ printf 'MZ' && head -c 3000000 /dev/zero | tr '\0' '.' && printf 'word'; } >"$WORK/contents/large.exe"
{ printf 'A word' && head -c 1048570 /dev/zero | tr '\0' '.'; } >"$WORK/contents/mebibyte.txt"
"$KVALI" process "$WORK/contents" --case "$WORK/case3" --plugins yara --no-default-rules --quiet --rules "$WORK/gates"
"$KVALI" process "$WORK/contents" --case "$WORK/case4" --plugins yara --no-default-rules --quiet --rules "$WORK/gates" --jobs 2
found() { # case
  sql "$1" "SELECT replace(path, 'contents/', '') || ' ' || group_concat(rule) FROM (SELECT DISTINCT path, rule FROM match
    WHERE path LIKE '%/%' ORDER BY path, rule) GROUP BY path"
}
promise "what a rule demands of a content first changes nothing about what matches" is \
  "large.exe any_size,by_name,helper,mz
mebibyte.txt any_size,not_mz,whole_file
small.exe any_size,helper,mz,small
small.txt any_size,not_mz,small" "$(found "$WORK/case3")"
promise "… at any number of workers" is "$("$KVALI" digest "$WORK/case3")" "$("$KVALI" digest "$WORK/case4")"

# Whether a rule is asked alone, with others, or by its name only because an equal content is known: nobody must see that.
mkdir "$WORK/equal" "$WORK/order"
printf 'zebra and giraffe\n' | tee "$WORK/equal/a.txt" "$WORK/equal/b.txt" "$WORK/equal/c.txt" >/dev/null
cat >"$WORK/order/order.yar" <<'END'
rule n1 { strings: $a = "zebra" condition: $a and filename contains "txt" }
rule n2 { condition: filename contains "txt" }
rule n3 { strings: $a = "giraffe" condition: $a and extension == ".txt" }
END
ordered() {
  "$KVALI" process "$WORK/equal" --case "$WORK/case5" --plugins digest,yara --no-default-rules --rules "$WORK/order" --jobs 1 --quiet || return 1
  is "n1,n2,n3 n1,n2,n3 n1,n2,n3" "$(sql "$WORK/case5" "SELECT group_concat(rule) FROM (SELECT stream, rule FROM rec_yara_match ORDER BY stream, ordinal) GROUP BY stream" | xargs)"
}
promise "matches come in the order of the rules, whichever way these are asked" ordered

# owner: whom the file system names; on NTFS a SID's name.
mkdir "$WORK/owned"
for name in mine yours; do echo "belongs to somebody, $name" >"$WORK/owned/$name.txt"; done
mke2fs -q -t ext4 -d "$WORK/owned" "$WORK/owned.raw" 4M
for change in "mine.txt uid 0" "yours.txt uid 1234"; do debugfs -w -R "sif $change" "$WORK/owned.raw" >/dev/null 2>&1; done
mkdir "$WORK/owners"
cat >"$WORK/owners/owners.yar" <<'END'
rule root { strings: $a = "somebody" condition: $a and owner == "root" }
rule number { strings: $a = "somebody" condition: owner matches /^12/ and $a }
rule nobody { strings: $a = "somebody" condition: $a and owner == "" }
rule administrators { condition: owner == "BUILTIN\\Administrators" }
rule system { condition: owner contains "SYSTEM" and filename == "$Secure" }
END
owned() { # IMAGE CASE
  "$KVALI" process "$1" --case "$2" --plugins digest,yara --no-default-rules --rules "$WORK/owners" --quiet
  sql "$2" "SELECT DISTINCT rule || ' ' || replace(path, rtrim(path, replace(path, '/', '')), '') FROM match WHERE path NOT LIKE '%!/%' ORDER BY 1" | xargs
}
promise "a rule may ask whom a file belongs to" is "number yours.txt root mine.txt" "$(owned "$WORK/owned.raw" "$WORK/case6")"

profile() {
  "$KVALI" rules profile "$WORK/gates" --evidence "$WORK/contents" >"$WORK/out" 2>&1
}
promise "rules profile measures and leaves nothing behind" profile
finish
