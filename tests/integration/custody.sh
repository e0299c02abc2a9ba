#!/usr/bin/env bash
# custody: what people know goes into the ledger, from options, files and questions; gaps are told; nothing is ever changed.
. "$(dirname "$0")/lib.sh"
export XDG_CONFIG_HOME=$WORK/config
mkdir -p "$WORK/config/kvali" "$WORK/folder"
echo something >"$WORK/folder/a.txt"
case=$WORK/case
"$KVALI" process "$WORK/folder" --case "$case" --quiet >"$WORK/log" 2>&1 || { cat "$WORK/log"; exit 1; }

person() { "$KVALI" person add "$case" --id "$1" --given-name "$2" --family-name "$3" --agency MIA --position "$4" --quiet; }
event() { # exhibit from to at seal-before seal-after event [more...]
  "$KVALI" custody add "$case" --exhibit "$1" --from "$2" --to "$3" --at "$4" --seal-before "$5" --seal-after "$6" --event "$7" --place Lab \
    --purpose examination --condition-before whole --condition-after whole --quiet --no-input "${@:8}"
}
gaps() { "$KVALI" custody check "$case" --json | jq -r '[.about, (.records | map(tostring) | join(",")), .gap] | join("|")'; }
said() { contains "$(cat "$WORK/out")" "$1"; }
lines() { wc -l <"$case/ledger.jsonl"; }

promise "a case of which nobody said anything has gaps: exit 1" exits 1 "$KVALI" custody check "$case"
for words in "nothing is said of the case" "nothing is said of the thing itself" "how it was seized" "in whose hands" "how its image was acquired"; do
  promise "… one of them: $words" contains "$(gaps)" "$words"
done

promise "persons from options" person gk Giorgi Kapanadze investigator
person nb Nino Beridze examiner
before=$(lines)
missing() { exits 2 "$KVALI" custody add "$case" --event received --exhibit EX-1 --no-input && said "place, from, to, purpose"; }
promise "what is missing is an error that names all of it" missing
blank() { exits 2 "$KVALI" person add "$case" --id x --given-name ' ' --no-input && said blank; }
promise "a blank is no value" blank
nobody() { ! event EX-1 gk somebody 2026-01-31T10:00:00+04:00 A-1 A-1 received 2>"$WORK/out" && said "nobody is known as"; }
promise "nobody can be named who is not known" nobody
zone() { ! event EX-1 gk nb 2026-01-31T10:00:00 A-1 A-1 received 2>"$WORK/out" && said "with its offset"; }
promise "a time without its offset is refused" zone
word() { ! event EX-1 gk nb 2026-01-31T10:00:00Z A-1 A-1 taken 2>"$WORK/out" && said "one of received transferred"; }
promise "a word that is none of the choices is refused, and the choices are told" word
other() { ! event EX-9 gk nb 2026-01-31T10:00:00Z A-1 A-1 received 2>"$WORK/out" && said 'no exhibit "EX-9"'; }
promise "an exhibit that is not there is refused" other
promise "… and none of these wrote anything" is "$before" "$(lines)"

cat >"$WORK/records.toml" <<'END'
[case]                              # comments are read
title = "Theft of \"data\""
agency = 'MIA'
lab = "Laboratory, Tbilisi"
national_number = "not readable"
legal_basis = [
  "ruling 5/12, City Court, 2026-01-30",
]
requester = "G. Kapanadze"
question = ["What was copied?", "By whom?"]
request_received = 2026-01-31
time_zone = "Asia/Tbilisi"

[[exhibit]]
exhibit = "EX-1"
kind = "USB"
quantity = 1
make = "Kingston"
model = "-"
serial = ["none"]
marks = "none"
condition = "working"
package = "paper bag"
seal_number = "A-1"

[[seizure]]
exhibit = ["EX-1"]
record_number = "77"
date = 2026-01-30
start = 2026-01-30T10:00:00+04:00
end = 2026-01-30T11:00:00+04:00
place = "Office"
conditions = "daylight"
performer = "gk"
participant = ["none"]
legal_basis = "ruling 5/12"
END
promise "a file of several kinds of records" exits 0 "$KVALI" custody add "$case" --file "$WORK/records.toml"
fields() { jq -c 'select(.type == "case-data") | [.title, .national_number, (.question | length)]' "$case/ledger.jsonl"; }
promise "… they are in the ledger as they were written" is '["Theft of \"data\"","not readable",2]' "$(fields)"
before=$(lines)
printf '[[person]]\nid = "x"\ngiven_name = "X"\nfamily_name = "Y"\nagency = "Z"\nposition = "none"\n[[event]]\nevent = "received"\nexhibit = "EX-1"\n' >"$WORK/half.toml"
half() { exits 2 "$KVALI" custody add "$case" --file "$WORK/half.toml" --no-input && said "missing: place" && is "$before" "$(lines)"; }
promise "a file with one bad record writes none of them" half
printf 'title = "a"\ntitle = "b"\n' >"$WORK/twice.toml"
twice() { exits 2 "$KVALI" case set "$case" --file "$WORK/twice.toml" && said "twice.toml: line 2"; }
promise "a broken file is told with its line" twice
echo '{"id": "jo", "given_name": "Jo", "family_name": "ჯოხაძე", "agency": "MIA", "position": "clerk"}' >"$WORK/jo.json"
json() { exits 0 "$KVALI" person add "$case" --file "$WORK/jo.json" && contains "$("$KVALI" custody list "$case" --kind person)" "ჯოხაძე"; }
promise "JSON does as well" json

printf '[default]\nplace = "Room 4"\n[event]\npurpose = "storage"\n' >"$WORK/config/kvali/lab.toml"
defaults() {
  exits 0 "$KVALI" custody add "$case" --event received --exhibit EX-1 --from gk --to nb --at 2026-01-31T10:00:00+04:00 --seal-before A-1 \
    --seal-after A-1 --condition-before whole --condition-after whole --no-input &&
    is '["Room 4","storage",1]' "$(tail -n 1 "$case/ledger.jsonl" | jq -c '[.place, .purpose, .number]')"
}
promise "the lab's defaults fill in, and kvali numbers the events" defaults
rm "$WORK/config/kvali/lab.toml"

"$KVALI" custody add "$case" acquisition --exhibit EX-1 --start 2026-01-31T11:00:00+04:00 --end 2026-01-31T12:00:00+04:00 --performer nb --place Lab \
  --method file --tool cp --write-blocker none --source-bytes - --sector-size - --hidden-areas not_checked --image-format folder --hash none \
  --read-error none --no-input --quiet || echo "no acquisition"
"$KVALI" custody add "$case" verification --exhibit EX-1 --performer nb --tool sha256sum --stored-hash none --computed-hash "sha256:$(printf %064d 1)" \
  --result not_checkable --format-check none --bytes 10 --no-input --quiet || echo "no verification"
promise "with all of it custody is complete: exit 0" exits 0 "$KVALI" custody check "$case"

# Every kind of gap, with its records' numbers.
event EX-1 nb jo 2026-02-01T10:00:00+04:00 A-1 A-1 transferred
event EX-1 gk nb 2026-02-02T10:00:00+04:00 A-1 A-1 transferred
n=$(lines)
promise "a to that is not the next from is a gap between its two records" contains "$(gaps)" "EX-1|$((n - 1)),$n|it went to jo, and comes from gk"
event EX-1 nb nb 2026-01-15T10:00:00+04:00 A-1 A-1 examined
promise "a time that goes back is a gap" contains "$(gaps)" "EX-1|$n,$((n + 1))|the later record is of an earlier time"
event EX-1 nb nb 2026-02-03T10:00:00+04:00 A-2 A-2 examined
promise "a seal that changed without an event is a gap" contains "$(gaps)" "EX-1|$((n + 1)),$((n + 2))|it was under seal A-1, and is found under seal A-2"
event EX-1 nb nb 2026-02-04T10:00:00+04:00 A-2 A-3 examined
promise "… and so is one that an event of another kind changed" contains "$(gaps)" "EX-1|$((n + 3))|its seal changes"
event EX-1 nb nb 2026-02-05T10:00:00+04:00 A-3 none seal_opened
promise "a seal that was opened and not closed is a gap" contains "$(gaps)" "EX-1|$((n + 4))|its seal was opened"
event EX-1 nb gk 2026-02-06T10:00:00+04:00 none none returned
promise "leaving the laboratory without an authority is a gap" contains "$(gaps)" "EX-1|$((n + 5))|it leaves the laboratory"
event EX-1 gk gk 2999-02-06T10:00:00+04:00 none none stored
promise "what was written before it happened is a gap" contains "$(gaps)" "|$((n + 6))|it was written down before it happened"

copy=$(sha256sum <"$case/ledger.jsonl" | cut -c1-64) size=$(stat -c %s "$case/ledger.jsonl")
correct() { exits 0 "$KVALI" custody add "$case" correction --of-record "$n" --field from --value jo --reason "slip of the pen" --by nb --no-input; }
promise "a mistake is put right by a correction" correct
promise "… what was written stays as it was, to the byte" is "$copy" "$(head -c "$size" "$case/ledger.jsonl" | sha256sum | cut -c1-64)"
gone() { ! gaps | grep -F "EX-1|$((n - 1)),$n|"; }
promise "… and the gap is gone" gone
promise "… the list says by which record" contains "$("$KVALI" custody list "$case")" "as corrected by record $(lines)"
promise "a correction cannot give a field what it does not take" exits 2 "$KVALI" custody add "$case" correction --of-record "$n" --field at --value soon --reason r --by nb --no-input
promise "… nor name a record that is not there" exits 2 "$KVALI" custody add "$case" correction --of-record 9999 --reason r --by nb --no-input
"$KVALI" custody add "$case" correction --of-record "$((n + 6))" --reason "never happened" --by nb --no-input --quiet
withdrawn() { ! gaps | grep "written down before" && contains "$("$KVALI" custody list "$case")" WITHDRAWN; }
promise "a correction without a field withdraws the record" withdrawn

ask() { # answers from a terminal
  python3 - "$KVALI" "$case" >"$WORK/asked" 2>&1 <<'END'
import os, pty, sys, time
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], "person", "add", sys.argv[2], "--id", "tt"])
answers = [b"Tamar", b"", b"Tsereteli", b"-", b"expert"]
said = b""
for answer in answers:
    while not said.rstrip().endswith(b":"):
        said += os.read(fd, 4096)
    os.write(fd, answer + b"\n")
    time.sleep(0.05)
    print(said.decode(), flush=True)
    said = b""
try:
    while True:
        said = os.read(fd, 4096)
        if not said: break
        print(said.decode())
except OSError:
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
END
  local code=$?
  [ "$code" -eq 0 ] || { cat "$WORK/asked"; return 1; }
  is '["Tamar","Tsereteli","not readable","expert"]' "$(tail -n 1 "$case/ledger.jsonl" | jq -c '[.given_name, .family_name, .agency, .position]')"
}
promise "on a terminal it asks for what is missing, again for a blank, and - says not readable" ask
again() { # the next event of the exhibit, on a terminal: what is likely is offered, and Enter takes it
  exits 0 python3 - "$KVALI" "$case" <<'END'
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], "custody", "add", sys.argv[2], "--event", "examined", "--exhibit", "EX-1", "--at", "2026-03-01T10:00:00+04:00"])
answers = {b"Purpose": b"examination"}
said, now = b"", b""
try:
    while True:
        got = os.read(fd, 4096)
        if not got: break
        said += got
        now += got
        if now.rstrip().endswith(b":"):
            line = now.rsplit(b"\n", 1)[-1]
            os.write(fd, next((a for q, a in answers.items() if line.startswith(q)), b"") + b"\n")
            now = b""
except OSError:
    pass
print(said.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
END
}
offered() { said "From whom (the same as --to when it changed no hands) (" && said "[gk]" && said "[Lab]"; }
promise "the next event on a terminal needs the purpose alone" again
promise "… the last to is offered as from, and the place" offered
taken() { is '["gk","gk","Lab","none","none","whole","whole"]' "$(tail -n 1 "$case/ledger.jsonl" | jq -c '[.from, .to, .place, .seal_before, .seal_after, .condition_before, .condition_after]')"; }
promise "… and what was taken is in the record" taken
georgian() { # what people chose, and times, in a Georgian report
  local text
  text=$("$KVALI" report "$case" --format pdf --lang ka --stdout | pdftotext -layout - -)
  for words in "not readable" "not checkable" "not checked" "none" "2026-01-31T" " file " "match"; do
    ! grep -F -- "$words" <<<"$text" || return 1
  done
  for words in "არ იკითხება" "შემოწმება შეუძლებელია" "31.01.2026 11:00:00 UTC+04:00" "USB ფლეშმეხსიერება"; do
    contains "$text" "$words" || return 1
  done
}
promise "a report in Georgian says what was chosen, and when, in Georgian" georgian
english() { contains "$("$KVALI" report "$case" --format html --stdout)" "2026-01-31 11:00:00 UTC+04:00"; }
promise "… and in English in the form of English" english
"$KVALI" custody add "$case" limitation --code HPA --severity medium --stage acquisition --about EX-1 --text "Hidden areas were not looked at" \
  --text-ka "დამალული არეები არ შემოწმებულა" --effect "may be incomplete" --no-input --quiet
"$KVALI" custody add "$case" review --finding "folder/a.txt" --status confirmed --reviewer nb --fact "there it is" --no-input --quiet
both() { # LANG WORDS...
  local lang=$1 format text
  shift
  for format in pdf html; do
    text=$("$KVALI" report "$case" --format $format --lang "$lang" --stdout | if [ $format = pdf ]; then pdftotext - - | tr '\n' ' '; else cat; fi)
    for words in "$@"; do contains "$text" "$words" || return 1; done
  done
}
promise "limitations and reviews that people recorded are in the reports" both en "Hidden areas were not looked at" "may be incomplete" "there it is" confirmed
promise "… in Georgian too" both ka "დამალული არეები არ შემოწმებულა" "საშუალო" "დადასტურებულია" "there it is"
promise "the case is sound after all that" exits 0 "$KVALI" verify "$case" --quiet
help() {
  local command
  for command in case person exhibit custody seal keys compare verify digest; do
    exits 0 "$KVALI" "$command" --help && said "Usage: kvali $command" && said "Example:" || return 1
  done
  exits 0 "$KVALI" custody add seizure --help && said "--record-number"
}
promise "every command teaches" help
finish
