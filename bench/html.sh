#!/usr/bin/env bash
# html: the HTML report of a case with many files: time, size, the same bytes twice, how fast a browser opens and filters it.
#   bench/html.sh KVALI [FILES] [SHOTS]
# Needs chromium and node (NODE="chrt -r 5 node": on a machine that other work shares). The rows are made (html_case.py). SHOTS: a folder for pictures of both languages. Fails when the page
# is not ready within 3 s, a filter takes 200 ms, or a repeated report differs.
set -eu
kvali=$(realpath "$1")
files=${2:-500000}
shots=${3:-}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d "${TMPDIR:-/var/tmp}/kvali-bench-XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/evidence"
echo one >"$work/evidence/one.txt"
"$kvali" process "$work/evidence" --case "$work/case" --plugins digest,filetype --quiet
rm -rf "$work"/case/reports/*
python3 "$here/html_case.py" "$work/case" "$files"
for n in 1 2; do
  TIMEFORMAT="report $n: %R s, CPU %U + %S s"
  time "$kvali" report "$work/case" --format html --quiet
done
cd "$work/case/reports"
cmp report-0001.html report-0002.html
diff -r report-0001-files report-0002-files
echo "the same bytes twice"
du -cb report-0001.html report-0001-files | tail -n 1 | awk '{ printf "on disk: %.1f MiB\n", $1 / 1048576 }'
du -b report-0001.html report-0001-files/files-0001.js | sed 's/^/  bytes: /'
find report-0001-files -name 'files-*' -printf '%s\n' | awk '{ s += $1 } END { printf "  read when it opens: %.1f MiB in %d files\n", s / 1048576, NR }'
rm -rf report-0002*
ask() { # the filters, each measured in the page, with the rows that it shows
  cat <<'J'
(() => {
  const root = document.getElementById('explorer'), box = document.getElementById('x-text'), out = {}
  const set = (id, value, name) => { const e = document.getElementById(id); e.value = value; e.oninput(); out[name] = [Number(root.dataset.filter), document.getElementById('x-shown').textContent] }
  for (const text of ['a', 'ფოტო', 'invoice-1234', 'person03/documents', 'year2015/letter', '.pdf', 'nothing like it']) set('x-text', text, text)
  set('x-text', '', 'all'); set('x-from', '2015-03-01', 'from 2015-03-01'); set('x-from', '', 'all again')
  set('x-type', '1', 'one type'); set('x-type', '', 'every type')
  const deleted = document.getElementById('x-live'); deleted.checked = false; deleted.oninput(); out['deleted only'] = [Number(root.dataset.filter), document.getElementById('x-shown').textContent]
  deleted.checked = true; deleted.oninput(); box.oninput()
  return out })()
J
}
for n in 1 2 3; do
  ${NODE:-node} "$here/../tests/integration/browser.mjs" report-0001.html --run "$(ask)" >"$work/browser.json"
  jq -r '"painted after \(.paint_ms) ms, first rows \(.first_ms) ms, all rows and filters \(.ready_ms) ms (load event \(.load_ms) ms, until seen \(.wall_ms) ms; CPU of the page \(.cpu_s) s); slowest filter \([.run[0][][0]] | max) ms"' "$work/browser.json"
done
jq -c '.run[0]' "$work/browser.json"
if [ -n "$shots" ]; then
  mkdir -p "$shots"
  show='document.getElementById("explorer").scrollIntoView(); document.querySelector(".x-open").click(); document.querySelectorAll(".x-open")[1].click(); new Promise(done => setTimeout(done, 300))'
  ${NODE:-node} "$here/../tests/integration/browser.mjs" report-0001.html --run "$show" --shot "$shots/en.png" >/dev/null
  ${NODE:-node} "$here/../tests/integration/browser.mjs" report-0001.html --run 'document.getElementById("lang-ka").click()' --run "$show" --run 'document.getElementById("x-view").scrollTop = 100000; document.querySelectorAll(".x-row")[5].click(); new Promise(done => setTimeout(done, 300))' --shot "$shots/ka.png" >/dev/null
fi
jq -e '.ready_ms < 3000 and ([.run[0][][0]] | max) < 200 and .outside == [] and .errors == []' "$work/browser.json" >/dev/null
