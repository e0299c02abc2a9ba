#!/usr/bin/env bash
# formats: every report format against its validator, on the sample image, on a folder with hostile names, and on three images of
# the public corpus where that is.
#
# KVALI_VALIDATORS: CASE and DFXML validators (../shared/validators otherwise). KVALI_NODE_MODULES: a node_modules folder with
# jsonld, n3, @zazuko/env, rdf-validate-shacl, ajv, ajv-formats. KVALI_VNU: vnu.jar, the Nu HTML checker. KVALI_STIX_SCHEMAS: `schemas` of oasis-open/cti-stix2-json-schemas.
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
validators=${KVALI_VALIDATORS:-$TOP/../shared/validators}
corpus=${KVALI_CORPUS:-$TOP/../shared/corpus}
formats="html json pdf csv jsonl case-uco dfxml bodyfile timesketch stix hashdeep"

write() { # CASE [LANGUAGE]: all formats, under the next number
  local f arguments=(--lang "${2:-en}")
  for f in $formats; do arguments+=(--format "$f"); done
  "$KVALI" report "$1" "${arguments[@]}" --quiet
}

same() { # CASE: all reports of the last two numbers are the same to the byte
  local last before file count=0
  last=$(ls "$1/reports" | sed -n 's/^report-\([0-9]*\).*/\1/p' | sort -n | tail -n 1)
  before=$(printf '%04d' $((10#$last - 1)))
  for file in "$1"/reports/report-"$last"*; do
    if [ -d "$file" ]; then
      diff -r "$file" "$(sed "s/report-$last/report-$before/" <<<"$file")" || return 1
      continue
    fi
    cmp "$file" "$(sed "s/report-$last/report-$before/" <<<"$file")" || return 1
    count=$((count + 1))
  done
  [ "$count" -ge 30 ]
}

rows() { # CASE: of the table of files
  sql "$1" "SELECT count(*) FROM file WHERE kind NOT IN ('image', 'raw', 'slack', 'free')"
}

# The page in a browser: nothing from outside, nothing runs but its own script, no character that hides, all rows are there.
in_browser() { # CASE
  local page rows
  page=$(one "$1" html)
  rows=$(rows "$1")
  node "$here/browser.mjs" "$page" --run 'document.getElementById("x-total").textContent.replace(/\D/g, "")' \
    --run '[...document.querySelectorAll(".x-row bdi")].length > 0' \
    --run '/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/.test(document.body.innerText)' \
    --run '(() => { document.querySelectorAll(".x-row")[1].click(); return new Promise(done => setTimeout(() => done(document.querySelectorAll("#x-detail dd").length > 2), 500)) })()' \
    --run '(() => { const s = document.createElement("script"); s.textContent = "window.bad = 1"; const d = document.createElement("div"); d.innerHTML = "<img src=x onerror=\"window.bad = 1\">"; document.body.append(d); return new Promise(done => setTimeout(() => done(window.bad === undefined), 300)) })()' \
    >"$WORK/browser.json" || return 1
  cat "$WORK/browser.json"
  jq -e --arg rows "$rows" '.ready_ms != null and .outside == [] and .dialogs == [] and .errors == [] and .run == [$rows, true, false, true, true]' "$WORK/browser.json" || return 1
  node "$here/browser.mjs" "$page" --noscript >"$WORK/browser.json" && jq -e '.requests | map(select(startswith("file:"))) | length == 1' "$WORK/browser.json"
}

# The data beside the page, read by their description: the case's files, and nothing but calls.
chunks() { # CASE
  local page
  page=$(one "$1" html)
  python3 "$here/formats.py" files "${page%.html}-files" "$1"
}

# What a text in the filter leaves over, of names in one alphabet and in more letters than that has, in capitals and small.
filtered() { # CASE PATTERN COUNT...
  local case=$1 run=() want=()
  shift
  while [ $# -gt 0 ]; do
    run+=(--run "(() => { const box = document.getElementById('x-text'); box.value = '$1'; box.oninput(); return Number(document.getElementById('x-shown').textContent.replace(/\\D/g, '')) })()")
    want+=("$2")
    shift 2
  done
  node "$here/browser.mjs" "$(one "$case" html)" "${run[@]}" >"$WORK/browser.json" && jq -c .run "$WORK/browser.json"
  jq -e --argjson want "[$(IFS=,; echo "${want[*]}")]" '.run == $want' "$WORK/browser.json"
}

in_page() { # PAGE VALUES ARGUMENTS...: what the expressions say there
  local page=$1 want=$2
  shift 2
  node "$here/browser.mjs" "$page" "$@" >"$WORK/browser.json" && jq -c '.run, .errors' "$WORK/browser.json"
  jq -e --argjson want "$want" '.run == $want' "$WORK/browser.json"
}

one() { # CASE EXTENSION: the newest report
  ls "$1"/reports/report-*."$2" | sort | tail -n 1
}

with_node() { # SCRIPT ARGUMENTS...
  mkdir -p "$WORK/node"
  cp "$validators"/*.mjs "$WORK/node"
  ln -sfn "$KVALI_NODE_MODULES" "$WORK/node/node_modules"
  (cd "$WORK/node" && node "$@")
}

check_pdf() { # PDF LANG
  local pages page text
  qpdf --check "$1" || return 1
  [ "$(pdffonts "$1" | awk 'NR > 2' | wc -l)" -gt 0 ] && ! pdffonts "$1" | awk 'NR > 2 { print $(NF - 4) }' | grep -qv yes || return 1
  pages=$(pdfinfo "$1" | awk '/^Pages:/ { print $2 }')
  for page in $(seq "$pages"); do
    text=$(pdftotext -f "$page" -l "$page" -layout "$1" - | tr -d '\n')
    contains "$text" "$page / $pages" && contains "$text" "$3" || return 1
  done
  text=$(pdftotext -f "$pages" -l "$pages" "$1" -)
  if [ "$2" = ka ]; then
    contains "$text" "ანგარიშის დასასრული" && contains "$(pdftotext -l 1 "$1" -)" "არ წარმოადგენს ექსპერტის დასკვნას"
  else
    contains "$text" "End of report" && contains "$(pdftotext -l 1 "$1" -)" "not an expert opinion"
  fi
}

# On paper: no table is wider than it (what is, a browser cuts off), and on each page are the seal and the ledger's head.
printed() { # CASE: in both languages
  local lang head page pages text unsealed
  head=$(pdftotext -l 1 "$(one "$1" pdf)" - | grep -oE '[0-9a-f]{64}' | head -n 1)
  [ -n "$head" ] || return 1
  for lang in en ka; do
    unsealed=$([ $lang = ka ] && echo 'შტამპის გარეშე' || echo 'not sealed')
    "$KVALI" report "$1" --format html --lang "$lang" --stdout >"$WORK/print.html"
    node "$here/browser.mjs" "$WORK/print.html" --width 688 --media print --pdf "$WORK/print.pdf" \
      --run '[...document.querySelectorAll("table")].filter(t => t.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map(t => t.closest("section").id).join()' \
      >"$WORK/browser.json" && jq -e '.run == [""]' "$WORK/browser.json" || { jq -c .run "$WORK/browser.json"; return 1; }
    pages=$(pdfinfo "$WORK/print.pdf" | awk '/^Pages:/ { print $2 }')
    [ "${pages:-0}" -ge 3 ] || return 1
    for page in $(seq "$pages"); do
      text=$(pdftotext -f "$page" -l "$page" -layout "$WORK/print.pdf" - | tail -n 4)
      contains "$text" "${head:0:16}" && contains "$text" " $page / " && contains "$text" "$unsealed" || return 1
    done
  done
}

html_checker() { # CASE
  "$KVALI" report "$1" --format html --lang ka --stdout >"$WORK/ka.html"
  java -jar "$KVALI_VNU" --errors-only "$(one "$1" html)" "$WORK/ka.html"
}

both_languages() { # CASE: the head on every page is one that verify finds
  local lang head
  head=$("$KVALI" report "$1" --format json --stdout | jq -r '.. | objects | .ledger_head? // .head? // empty' | head -n 1)
  [ "${#head}" -eq 64 ] && "$KVALI" verify "$1" --head "$head" || return 1
  for lang in en ka; do
    "$KVALI" report "$1" --format pdf --lang "$lang" --stdout >"$WORK/$lang.pdf" || return 1
    check_pdf "$WORK/$lang.pdf" "$lang" "$head" || return 1
  done
}

check() { # CASE WORDS
  promise "$2: twice the same bytes in every format" same "$1"
  promise "$2: CSV is CSV, without formulas and hidden characters" python3 "$here/formats.py" csv "$1"/reports/*.csv
  promise "$2: JSON lines are objects, without hidden characters" python3 "$here/formats.py" jsonl "$1"/reports/*.jsonl
  promise "$2: Timesketch's three fields, and its times agree" python3 "$here/formats.py" timesketch "$(one "$1" timesketch.jsonl)"
  promise "$2: mactime reads the body file" sh -c '[ "$(mactime -d -y -b "$1" | grep -c .)" -gt 1 ]' - "$(one "$1" body)"
  promise "$2: the PDF is sound in both languages: fonts inside, page of pages and ledger head on each, end mark" both_languages "$1"
  promise "$2: the data beside the page, read by their description, are the case's files" chunks "$1"
  if command -v node >/dev/null && command -v chromium >/dev/null; then
    promise "$2: the page in Chromium: all rows, nothing from outside, no foreign script, no hidden character; one file without scripts" in_browser "$1"
  else
    skip "$2: the page in a browser, for node or chromium is not there"
  fi
  if command -v java >/dev/null && [ -f "${KVALI_VNU:-}" ]; then
    promise "$2: the page passes the Nu HTML checker in both languages" html_checker "$1"
  else
    skip "$2: the Nu HTML checker, for java or KVALI_VNU is not there"
  fi
  if [ -d "$validators/dfxml_schema" ]; then
    promise "$2: DFXML is valid" xmllint --noout --nonet --schema "$validators/dfxml_schema/dfxml.xsd" "$(one "$1" dfxml.xml)"
  else
    skip "$2: DFXML, for there is no $validators/dfxml_schema"
  fi
  if command -v node >/dev/null && [ -d "${KVALI_NODE_MODULES:-}" ] && [ -f "$validators/case_validate_light.mjs" ]; then
    promise "$2: CASE/UCO is valid, knows every term, and has no blank node" \
      with_node case_validate_light.mjs "$(realpath "$validators")/case-1.4.0.ttl" "$(one "$1" case.jsonld)"
  else
    skip "$2: CASE/UCO, for node, KVALI_NODE_MODULES or the validator is not there"
  fi
  if command -v node >/dev/null && [ -d "${KVALI_NODE_MODULES:-}" ] && [ -d "${KVALI_STIX_SCHEMAS:-}" ]; then
    promise "$2: STIX is valid" stix "$(one "$1" stix.json)"
  else
    skip "$2: STIX, for node, KVALI_NODE_MODULES or KVALI_STIX_SCHEMAS is not there"
  fi
}

stix() {
  with_node stix_validate.mjs "$KVALI_STIX_SCHEMAS" "$1" >"$WORK/stix.log" 2>&1
  cat "$WORK/stix.log"
  grep -q ' valid ' "$WORK/stix.log"
}

# ---- the sample
sample || exit 1
case=$WORK/case
"$KVALI" process "$WORK/sample.raw" --case "$case" --quiet
write "$case" ka && write "$case" ka || exit 1
georgian() {
  same "$case" && contains "$(pdftotext "$(one "$case" pdf)" -)" "ანგარიშის დასასრული" && grep -q '<html lang="ka">' "$(one "$case" html)"
}
promise "the sample: twice the same bytes in every format in Georgian, and PDF and page are Georgian" georgian
write "$case" && write "$case" || exit 1
check "$case" "the sample"
promise "a report on the case verifies, as an artifact of the ledger" "$KVALI" verify "$case"
# A library that has been taken over, in front of pango: it may end the PDF, and nothing else.
shaper() { # WHAT [WORDS [PATH]]: what kvali says; without words the PDF is made
  local code=0
  LD_PRELOAD=${HOSTILE:?}/shaper.so KVALI_SHAPER=$1 KVALI_SHAPER_PATH=${3:-$case/case.db} "$KVALI" report "$case" --format pdf --stdout >"$WORK/shaped.pdf" 2>"$WORK/shaped" || code=$?
  cat "$WORK/shaped"
  ! grep -aq REACHED "$WORK/shaped" "$WORK/shaped.pdf" && "$KVALI" verify "$case" --quiet || return 1
  if [ -n "${2:-}" ]; then [ "$code" -ne 0 ] && contains "$(cat "$WORK/shaped")" "$2"; else [ "$code" -eq 0 ] && qpdf --check "$WORK/shaped.pdf" >/dev/null; fi
}
if [ -e "${HOSTILE:-}/shaper.so" ]; then
  promise "what shapes the PDF's text is in a process of its own: when it dies, kvali says so" shaper crash "ended by signal 11"
  promise "… it cannot open the case for writing" shaper write
  promise "… nor for reading" shaper read
  promise "… nor remove a file of it" shaper remove
  promise "… nor run a program" shaper exec "ended by signal 31"
  promise "… nor become another process" shaper fork "ended by signal 31"
  promise "… nor reach the network" shaper connect "ended by signal 31"
  promise "… nor send a signal" shaper signal "ended by signal 31"
  promise "… and it has no descriptor of the case" shaper descriptors "" "$(stat -c %i "$case/case.db")"
  promise "… nor of its ledger" shaper descriptors "" "$(stat -c %i "$case/ledger.jsonl")"
else
  skip "the process that makes PDFs, for there is no HOSTILE/shaper.so"
fi
if command -v node >/dev/null && command -v chromium >/dev/null; then
  promise "the page printed in both languages: no table is cut off, seal and ledger's head on each page" printed "$case"
else
  skip "the page printed, for node or chromium is not there"
fi
bag() {
  local bag="$case/exports/bag-0001" oxum
  "$KVALI" export "$case" --name '*.txt' --bagit --quiet || return 1
  (cd "$bag" && sha256sum -c --strict --quiet manifest-sha256.txt tagmanifest-sha256.txt) || return 1
  oxum=$(find "$bag/data" -type f -printf '%s\n' | awk '{ s += $1 } END { print s "." NR }')
  contains "$(cat "$bag/bag-info.txt")" "Payload-Oxum: $oxum" || return 1
  is "$(cd "$bag" && find data -type f | LC_ALL=C sort)" "$(cut -c67- "$bag/manifest-sha256.txt" | LC_ALL=C sort)" || return 1
  is "$(printf 'BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8')" "$(cat "$bag/bagit.txt")" || return 1
  "$KVALI" verify "$case"
}
promise "the parcel is a BagIt bag: manifests, oxum and nothing beside them" bag

# ---- hostile names
evidence=$WORK/names
mkdir -p "$evidence/"$'=1+1,"x"\n<b>' "$evidence/plain"
for name in $'new\nline' $'quote"and\'quote' "=cmd|'calc'!A1" '+1' '-2+3' '@SUM(A1)' 'semi;colon,comma' $'tab\tbed' $'bi\xe2\x80\xaedi' \
  $'bad\xff\xfe' $'zero\xe2\x80\x8bwidth' '<script>alert(1)' 'a|b|c' ']]>&amp;' '%s%n' 'back\slash' 'საქართველო' 'ΟΔΟΣ' '文書' \
  $'\xef\xbc\x9dfull' ' =blank'; do
  printf 'SEVERE %s' "$name" >"$evidence/$name"
done
printf 'plain' >"$evidence/"$'=1+1,"x"\n<b>'/'inner "x".txt'
printf 'rule severe { meta: severity = 90 strings: $a = "SEVERE" condition: $a }\n' >"$WORK/severe.yar"
hostile=$WORK/hostile
"$KVALI" process "$evidence" --case "$hostile" --rules "$WORK/severe.yar" --quiet
write "$hostile" && write "$hostile" || exit 1
check "$hostile" "hostile names"
promise "hostile names: every severe content is an indicator" is 21 \
  "$(jq '[.objects[] | select(.type == "indicator")] | length' "$(one "$hostile" stix.json)")"
# Names in more letters than an alphabet of one byte has.
many=$WORK/many
mkdir -p "$many/letters"
for n in 0 1 2 3; do
  : >"$many/letters/$(python3 -c "print('Ж' + ''.join(chr(0x4e00 + $n * 50 + i) for i in range(50)))")"
done
echo one >"$many/letters/ГОСТ-საქართველო.txt"
touch -d '1601-02-03 04:05:06' "$many/letters/ГОСТ-საქართველო.txt" # far from 32 bits of seconds
touch -d @-2147483648 "$many/letters/$(ls "$many/letters" | grep '^Ж' | head -n 1)" # which the data have another meaning for
"$KVALI" process "$many" --case "$WORK/many-case" --quiet
write "$WORK/many-case"
promise "names in hundreds of letters: the data beside the page are the case's files" chunks "$WORK/many-case"
if command -v node >/dev/null && command -v chromium >/dev/null; then
  promise "filters find names in capitals and small letters, Georgian and Chinese, in one alphabet" filtered "$hostile" \
    SCRIPT 1 საქართ 1 Საქართ 1 文 1 'inner "x' 1 plain 1 'names/a' 1 'nothing like it' 0 semi 1 ΟΔΟΣ 1 οδοσ 1 οδος 1
  promise "… and in more letters than that has" filtered "$WORK/many-case" ж 4 Ж 4 გოსტ 0 госТ 1 საქართველო 1 '\u4e00' 1 letters 6 'letters/г' 1
  promise "a time that the data have another meaning for is shown" in_page "$(one "$WORK/many-case" html)" '["1901-12-13 20:45:52"]' \
    --run "(() => { const box = document.getElementById('x-to'); box.value = '1902-01-01'; box.oninput(); const from = document.getElementById('x-from'); from.value = '1900-01-01'; from.oninput(); return [...new Set([...document.querySelectorAll('.x-row:not(.x-head) .n:nth-child(3)')].map(n => n.textContent))].join() })()"
  cp -r "$WORK/many-case/reports" "$WORK/cut"
  cut=$(ls "$WORK"/cut/report-*.html | tail -n 1)
  told="[!document.getElementById('x-missing').hidden, document.getElementById('explorer').hidden, document.querySelector('.plain').offsetHeight > 0].join()"
  promise "a browser that cannot read the data shows the first rows" in_page "$cut" '["false,true,true"]' --first 'delete window.DecompressionStream' --run "$told"
  promise "… and says how many there are, and what shows the rest" in_page "$(one "$case" html)" "[\"200/$(rows "$case")/true\"]" --first 'delete window.DecompressionStream' \
    --run "(() => { const more = document.querySelector('.plain .more'), said = more.querySelector('.en'); return (said.innerText || '').replace(/\\D+/g, ' ').trim().replace(' ', '/') + '/' + more.innerText.includes('FROM file') })()"
  truncate -s -40 "${cut%.html}-files/files-0001.js"
  promise "data that are cut are told, and the first rows are shown" in_page "$cut" '["true,false,true"]' --run "$told"
  cp "$(one "$hostile" html | sed 's/[.]html$/-files/')/files-0001.js" "${cut%.html}-files/files-0001.js"
  promise "… and those of another page" in_page "$cut" '["true,false,true"]' --run "$told"
fi
audit() { # a folder that is not hostile: hashdeep reads names as they are
  "$KVALI" process "$TOP/rules/yara" --case "$WORK/rules" --quiet
  "$KVALI" report "$WORK/rules" --format hashdeep --stdout >"$WORK/list.txt" || return 1
  (cd "$TOP/rules" && hashdeep -r -l -a -k "$WORK/list.txt" yara) || return 1
  sed '/secrets.yar$/s/[0-9a-f]/0/g' "$WORK/list.txt" >"$WORK/wrong.txt"
  ! (cd "$TOP/rules" && hashdeep -r -l -a -k "$WORK/wrong.txt" yara)
}
promise "hashdeep audits a folder with our list, and fails with a wrong one" audit

# ---- the corpus
compare() { # IMAGE NAME
  local case=$WORK/corpus-$2
  rm -f "$WORK/fiwalk.xml" # which fiwalk does not write over
  fiwalk -f -X "$WORK/fiwalk.xml" "$1" >/dev/null 2>&1
  "$KVALI" process "$1" --case "$case" --quiet
  write "$case" && write "$case" || return 1
  python3 "$here/formats.py" fiwalk "$(one "$case" dfxml.xml)" "$WORK/fiwalk.xml"
}
if [ -d "$corpus/images" ]; then
  for name in sleuthkit_test_data__7-ntfs-undel.dd sleuthkit_test_data__6-fat-undel.dd dfvfs__ext2.vhd; do
    zstd -dqf "$corpus/images/$name.zst" -o "$WORK/$name" && chmod u+w "$WORK/$name"
    promise "$name: the files and hash values of DFXML are fiwalk's" compare "$WORK/$name" "$name"
    check "$WORK/corpus-$name" "$name"
    rm -f "$WORK/$name"
  done
else
  skip "three images of the corpus, for there is none in $corpus"
fi
finish
