#!/usr/bin/env bash
# pdf: the PDF report of a case with many findings: time, size, pages, the same bytes twice.
#   bench/pdf.sh KVALI [FINDINGS]
set -eu
kvali=$(realpath "$1")
findings=${2:-1000}
work=$(mktemp -d "${TMPDIR:-/var/tmp}/kvali-bench-XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/evidence"
for n in $(seq "$findings"); do echo "SEVERE $n" >"$work/evidence/ანგარიში $n.txt"; done
echo 'rule severe { meta: severity = 90 description = "what is searched for" strings: $a = "SEVERE" condition: $a }' >"$work/rule.yar"
"$kvali" process "$work/evidence" --case "$work/case" --plugins digest,yara --rules "$work/rule.yar" --quiet
[ "$(sqlite3 -readonly "$work/case/case.db" 'SELECT count(*) FROM match WHERE rule = '"'severe'")" -eq "$findings" ]
for lang in en ka; do
  for n in 1 2 3; do
    TIMEFORMAT="$lang: %R s, CPU %U + %S s"
    time "$kvali" report "$work/case" --format pdf --lang "$lang" --stdout >"$work/$lang-$n.pdf"
  done
  cmp "$work/$lang-1.pdf" "$work/$lang-2.pdf"
  qpdf --check "$work/$lang-1.pdf" >/dev/null
  echo "$lang: $(stat -c %s "$work/$lang-1.pdf") bytes, $(pdfinfo "$work/$lang-1.pdf" | awk '/^Pages/ { print $2 }') pages, the same bytes twice"
done
