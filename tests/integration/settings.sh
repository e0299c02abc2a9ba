#!/usr/bin/env bash
# settings: which settings a run goes on with; and what the profile triage leaves for later.
. "$(dirname "$0")/lib.sh"
sample || exit 1
(cd "$WORK" && sha256sum sample.raw >sample.raw.sha256)
case=$WORK/case

begun() { # OPTIONS...: killed at work, and then `run` without a word
  rm -rf "$case" "$WORK/whole"
  "$KVALI" process "$WORK/sample.raw" --case "$WORK/whole" --jobs 2 --quiet "$@" || return 1
  "$KVALI" new "$case" -q && "$KVALI" add "$case" "$WORK/sample.raw" -q || return 1
  KVALI_CRASH_AT=attempt-end:25 "$KVALI" run "$case" --jobs 2 --quiet "$@" >/dev/null 2>&1 && { echo "it was not killed"; return 1; }
  [ "$(sql "$case" 'SELECT (SELECT count(*) FROM t_stream WHERE status = 0) + (SELECT count(*) FROM t_exhibit WHERE id NOT IN (SELECT exhibit FROM t_expand WHERE status > 0))')" -gt 0 ] || { echo "nothing was pending"; return 1; }
  exits 0 "$KVALI" run "$case" --quiet && is "$("$KVALI" digest "$WORK/whole")" "$("$KVALI" digest "$case")"
}
promise "a run that was killed goes on with its plugins" begun --plugins digest,entropy
promise "with its profile" begun --profile triage
promise "with its rules and settings" begun --plugins digest,yara --no-default-rules --rules "$TOP/rules/yara/core" --set limit.depth=2

own() { # a case names no program to load
  local lab=("$HOSTILE"/twins.so)
  rm -rf "$case" && "$KVALI" new "$case" -q && "$KVALI" add "$case" "$WORK/sample.raw" -q || return 1
  KVALI_CRASH_AT=attempt-end:25 "$KVALI" run "$case" -q --plugins digest --plugin "${lab[0]}" >/dev/null 2>&1
  exits 2 "$KVALI" run "$case" -q && grep -qF "${lab[0]}" "$WORK/out" && exits 0 "$KVALI" run "$case" -q --plugin "${lab[0]}"
}
promise "a run with a plugin of the lab's own does not go on without it" own
rm -rf "$case" && "$KVALI" process "$WORK/sample.raw" --case "$case" -q --plugins digest,yara

added() { # an exhibit that comes later is examined as the others
  cp "$WORK/sample.raw" "$WORK/other.raw" && "$KVALI" add "$case" "$WORK/other.raw" -q && exits 0 "$KVALI" run "$case" -q &&
    is "digest,yara" "$(sql "$case" "SELECT DISTINCT json_extract(settings, '\$.settings.plugins') FROM t_run")"
}
promise "an exhibit that is added is examined as the others were" added

refused() {
  local runs
  runs=$(sql "$case" 'SELECT count(*) FROM t_run')
  exits 2 "$KVALI" run "$case" --profile full -q && grep -q -- --again "$WORK/out" && is "$runs" "$(sql "$case" 'SELECT count(*) FROM t_run')" &&
    exits 2 "$KVALI" run "$case" --rules "$TOP/rules/yara/malware" -q && exits 0 "$KVALI" run "$case" -q --jobs 1
}
promise "a case that is examined whole is not taken for one that was examined with other settings" refused
processed() { # the other command that goes on
  exits 2 "$KVALI" process "$WORK/sample.raw" --case "$case" --profile full -q && exits 0 "$KVALI" process "$WORK/sample.raw" --case "$case" -q &&
    is "digest,yara" "$(sql "$case" "SELECT DISTINCT json_extract(settings, '\$.settings.plugins') FROM t_run")"
}
promise "nor by process" processed

triage() {
  rm -rf "$case"
  exits 0 "$KVALI" process "$WORK/sample.raw" --case "$case" --profile triage -q || return 1
  is 0 "$(sql "$case" "SELECT count(*) FROM file WHERE kind IN ('image', 'raw', 'free', 'slack') AND sha256 IS NOT NULL")" &&
    is 0 "$(sql "$case" "SELECT count(*) FROM file WHERE kind = 'file' AND size > 0 AND status = 'done' AND sha256 IS NULL")" &&
    is "sha256|not-compared" "$(sql "$case" "SELECT algorithm, result FROM image_hash")" && exits 0 "$KVALI" verify "$case" -q
}
promise "triage hashes files; the image's stored hash is told as not compared" triage

types() { # kinds of text apart, as in full
  mkdir "$WORK/source" && printf '#include <stdio.h>\nint main(void)\n{\n    return 0;\n}\n' >"$WORK/source/one" && "$KVALI" process "$WORK/source" --case "$WORK/source.quick" --profile triage -q &&
    is "text/plain|1" "$(sql "$WORK/source.quick" "SELECT mime, description IS NULL FROM file WHERE kind = 'file' AND mime IS NOT NULL")" || return 1
  "$KVALI" process "$WORK/source" --case "$WORK/source.type" --plugins filetype --set filetype.detail=type -q &&
    is "text/x-c|1" "$(sql "$WORK/source.type" "SELECT mime, description IS NULL FROM file WHERE kind = 'file' AND mime IS NOT NULL")" || return 1
  "$KVALI" process "$WORK/sample.raw" --case "$WORK/full" --plugins filetype -q || return 1
  sqlite3 -readonly "$WORK/full/case.db" "ATTACH '$case/case.db' AS quick; SELECT f.path, f.mime, q.mime FROM file f JOIN quick.file q USING (path)
    WHERE f.mime <> q.mime AND NOT (f.mime GLOB 'text/*' AND q.mime IN ('text/plain', 'application/octet-stream'))" >"$WORK/differ" && cat "$WORK/differ" &&
    [ ! -s "$WORK/differ" ] && [ "$(sql "$case" "SELECT count(DISTINCT mime) FROM file WHERE mime NOT GLOB 'text/*'")" -ge 5 ] &&
    [ "$(sql "$case" "SELECT count(*) FROM file WHERE mime = 'text/plain'")" -gt 0 ]
}
promise "triage has the types of full, but for kinds of text" types

again() {
  "$KVALI" process "$WORK/sample.raw" --case "$WORK/all" -q && exits 0 "$KVALI" run "$case" --again --profile full -q &&
    is "$("$KVALI" digest "$WORK/all")" "$("$KVALI" digest "$case")" && is "sha256|match" "$(sql "$case" "SELECT algorithm, result FROM image_hash")"
}
promise "after triage --again with full has the findings of full" again
finish
