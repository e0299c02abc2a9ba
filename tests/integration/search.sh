#!/usr/bin/env bash
# search: keywords and the index of words, end to end: lists with wrong lines, every exit code, and what a kill between the two databases leaves.
. "$(dirname "$0")/lib.sh"

samples=$TOP/tests/plugins
mkdir "$WORK/in"
for file in "$samples"/text/*.in "$samples"/keywords/*.in; do
  cp "$file" "$WORK/in/$(basename "$(dirname "$file")")-$(basename "$file" .in)"
done
mkdir "$WORK/in/many"
for i in $(seq 300); do echo "document number$i of many, with a commonword" >"$WORK/in/many/$i.txt"; done
list=$samples/keywords/list.txt
case=$WORK/case

run_all() { "$KVALI" process "$WORK/in" --case "$1" --plugins digest --keywords "$list" --index --jobs 2 --quiet "${@:2}"; }

found() { # WANT CASE WORDS: how many
  is "$1" "$("$KVALI" search "$2" "$3" --json --quiet | wc -l)"
}

promise "a list with a wrong line is checked, and says which" exits 1 "$KVALI" keywords check "$list"
promise "the wrong line is named with file, line and reason" grep -q 'list.txt:20: "wrod" is none of the flags' "$WORK/out"
promise "a list that is not there is wrong usage" exits 2 "$KVALI" keywords check "$WORK/none.txt"
promise "a run with a list that is not there is wrong usage" exits 2 "$KVALI" process "$WORK/in" --case "$WORK/no" --keywords "$WORK/none.txt"
promise "keywords and index in one run" exits 1 run_all "$case"
told() { # each to the events, the first of each name to the terminal
  "$KVALI" process "$WORK/in" --case "$WORK/told" --plugins keywords --keywords "$list" --jobs 2 --events "$WORK/told.jsonl" >"$WORK/null" 2>"$WORK/told.err"
  is "$(sql "$WORK/told" "SELECT count(*) FROM keyword")" "$(grep -c '"event":"found"' "$WORK/told.jsonl")" || return 1
  is "$(sql "$WORK/told" "SELECT DISTINCT keyword FROM keyword" | sort)" "$(sed -n 's/^found: keyword \([^:]*\):.*/\1/p' "$WORK/told.err" | sort)"
}
promise "what is found is told while the run goes on" told
promise "keywords are found in every writing" is \
  "acadnusx|acadnusx, romanised|armscii-8|cp1250|cp1251|cp1252|cp1253|cp1254|cp866|georgian-academy|georgian-ps|iso-8859-5|koi8-r|romanised|utf-16be|utf-16le|utf-8" \
  "$(sql "$case" "SELECT group_concat(writing, '|') FROM (SELECT DISTINCT writing FROM keyword ORDER BY writing)")"
promise "find lists by keyword" is "keywords-latin.txt keywords-latin16.txt" \
  "$("$KVALI" find "$case" --keyword gun --json | jq -r '.path | split("/") | last' | xargs)"
promise "find lists by a keyword's group" is "keywords-cyrillic.txt keywords-georgian.txt keywords-georgian16.txt text-utf16.txt text-utf8.txt" \
  "$("$KVALI" find "$case" --keyword Places --json | jq -r '.path | split("/") | last' | sort | xargs)"
promise "the wrong line is in the case" is 1 "$(sql "$case" "SELECT count(*) FROM run_loaded WHERE plugin = 'keywords' AND problem LIKE 'list.txt:20:%'")"
promise "the report has hits with their context" grep -q '<mark><bdi class="code">saqarTvelo</bdi></mark>' "$case"/reports/*.html
promise "a word is found in DOCX, cut DOCX and mail, whatever its case" is "text-cut.docx text-letter.docx text-letter.eml" \
  "$("$KVALI" search "$case" 'ᲮᲔᲚᲨᲔᲙᲠᲣᲚᲔᲑᲐ' --json | jq -r '.path | split("/") | last' | sort | xargs)"
promise "every numbered document is found once" found 1 "$case" number217
promise "a prefix finds them all" found 300 "$case" 'number*'
promise "the text of the hit comes with it" is ხელშეკრულება "$("$KVALI" search "$case" 'ხელშეკ*' --limit 1 --json | jq -r .text)"
promise "a search that is none is wrong usage" exits 2 "$KVALI" search "$case" '"open'
promise "nothing found is no failure" exits 0 "$KVALI" search "$case" nosuchwordanywhere

"$KVALI" process "$WORK/in/many" --case "$WORK/without" --plugins digest --quiet >/dev/null
promise "a case without an index says so" exits 4 "$KVALI" search "$WORK/without" x

# Kills at every moment around a commit, each into a case of its own: the same findings, each document once.
want=$("$KVALI" digest "$case")
killed() {
  local point round kills code
  for point in commit-before commit-between commit-after attempt-end; do
    rm -rf "$WORK/killed"
    kills=0
    for round in 1 2 3; do
      code=0
      KVALI_CRASH_AT="$point:$round" run_all "$WORK/killed" >/dev/null 2>&1 || code=$?
      [ $code -eq 137 ] && kills=$((kills + 1))
    done
    [ "$kills" -ge 1 ] || { echo "no kill at $point"; return 1; }
    run_all "$WORK/killed" >/dev/null 2>&1
    is "$want" "$("$KVALI" digest "$WORK/killed")" || return 1
    found 300 "$WORK/killed" 'number*' && found 300 "$WORK/killed" commonword && found 1 "$WORK/killed" number1 || return 1
  done
}
promise "killed around commits and gone on with: the same findings, no document lost or doubled" killed

again() {
  "$KVALI" run "$case" --plugins digest --keywords "$list" --index --again --jobs 1 --quiet >/dev/null 2>&1
  found 300 "$case" commonword && is "$want" "$("$KVALI" digest "$case")"
}
promise "done once more: each document is found once, and the findings are the same" again

# An image: where a hit lies on the medium, and what a later pass finds that the first did not look for.
printf 'gun and heroin in 4556737586899855, mail anna.adams1@example.com\n' >"$WORK/one.txt"
head -c 70000 /dev/zero | tr '\0' ' ' | cat - "$WORK/one.txt" | gzip -c >"$WORK/two.gz"
mformat -C -f 1440 -i "$WORK/floppy.img" ::
mcopy -i "$WORK/floppy.img" "$WORK/one.txt" "$WORK/two.gz" ::
printf 'gun\n' >"$WORK/gun.txt"
printf 'heroin\n' >"$WORK/heroin.txt"
echo 'rule drug { strings: $a = "heroin" $b = "example.com" condition: all of them }' >"$WORK/drug.yar"
floppy=$WORK/floppy
"$KVALI" process "$WORK/floppy.img" --type raw --case "$floppy" --plugins keywords,features,unpack,yara --keywords "$WORK/gun.txt" \
  --no-default-rules --rules "$WORK/drug.yar" --quiet >/dev/null 2>&1
physical() { # QUERY: value and place, one a line
  local text at
  [ -n "$(sql "$floppy" "$1")" ] || return 1
  sql "$floppy" "$1" | while IFS='|' read -r text at; do
    is "$text" "$(tail -c "+$((at + 1))" "$WORK/floppy.img" | head -c "${#text}")" || exit 1
  done
}
promise "a keyword stands where its record says on the medium" physical "SELECT text, physical FROM keyword WHERE path LIKE '%ONE.TXT' OR path LIKE '%one.txt'"
promise "a feature stands where its record says on the medium" physical "SELECT value, physical FROM feature WHERE physical IS NOT NULL"
promise "the strings of a YARA rule stand where its record says on the medium" physical \
  "SELECT CASE p.key WHEN 0 THEN 'heroin' ELSE 'example.com' END, p.value FROM match m, json_each(m.physical) p WHERE m.path LIKE '%one.txt'"
promise "those in what was unpacked stand nowhere on it" is "[null,null]" "$(sql "$floppy" "SELECT physical FROM match WHERE path LIKE '%gzip@%'")"
promise "what was unpacked lies nowhere on the medium" is "0|1" \
  "$(sql "$floppy" "SELECT count(physical), count(*) FROM keyword WHERE path LIKE '%gzip@%'")"
paper() { # LANGUAGE WORD-FOR-THE-KIND WORDS: the PDF's tables
  local text
  text=$("$KVALI" report "$WORK/paper" --format pdf --lang "$1" --stdout | pdftotext -layout - -) || return 1
  grep -E '^ *gun +3 +2$' <<<"$text" && grep -E "$2 +2 +2 +3\$" <<<"$text" && grep -E "$2 +GE29NB0000000101904917 +2 +2 " <<<"$text" && contains "$text" "$3" && return 0
  grep -n -E 'gun|GE29|IBAN' <<<"$text"
  return 1
}
mkdir "$WORK/papers"
printf 'gun, gun; IBAN GE29NB0000000101904917\n' >"$WORK/papers/one.txt"
printf 'gun; IBAN GE29NB0000000101904917, DE89370400440532013000; someone@example.com\n' >"$WORK/papers/two.txt"
"$KVALI" process "$WORK/papers" --case "$WORK/paper" --plugins digest,keywords,features --keywords "$WORK/gun.txt" --quiet >/dev/null 2>&1
promise "the PDF counts keywords, and features by kind with the values that a checksum bears out" paper en iban "are in the CSV file “keyword”"
promise "… in Georgian too" paper ka '\(IBAN\)' "„histogram“"
promise "a later pass with another list" exits 0 "$KVALI" run "$floppy" --plugin keywords --keywords "$WORK/heroin.txt" --quiet
promise "the view has the keywords of both passes" is "1|gun 2|heroin" \
  "$(sql "$floppy" "SELECT DISTINCT pass, keyword FROM keyword ORDER BY pass" | xargs)"
uncounted() { # what was counted at the end of the run is what the views count by themselves
  local view
  cp -r "$floppy" "$WORK/uncounted"
  [ "$(sql "$floppy" 'SELECT count(*) FROM t_value')" -ge 3 ] && sqlite3 "$WORK/uncounted/case.db" 'DELETE FROM t_value' || return 1
  for view in histogram histogram_exhibit; do
    is "$(sql "$floppy" "SELECT * FROM $view ORDER BY kind, value")" "$(sql "$WORK/uncounted" "SELECT * FROM $view ORDER BY kind, value")" || return 1
  done
  rm -r "$WORK/uncounted"
}
promise "what was counted at the end of a run is what the views count by themselves" uncounted
before=$(sql "$floppy" "SELECT kind, value, rank, count, contents FROM histogram ORDER BY kind, value")
promise "a later pass of the features" exits 0 "$KVALI" run "$floppy" --plugin features --quiet
promise "the view has the features of both passes" is "1 3" "$(sql "$floppy" "SELECT DISTINCT pass FROM feature ORDER BY pass" | xargs)"
promise "the histogram counts a place once, however many passes found it" is "$before" \
  "$(sql "$floppy" "SELECT kind, value, rank, count, contents FROM histogram ORDER BY kind, value")"
promise "… and so do the views by themselves" uncounted

rm "$case/index.db"
promise "an index that is gone is told" exits 4 "$KVALI" search "$case" commonword
finish
