#!/usr/bin/env bash
# apfs: an encrypted volume of APFS opens with its password, its recovery key and its own key, and only with these; what it
# holds is what the plain volume holds.
# Usage: KVALI=... apfs.sh
. "$(dirname "$0")/lib.sh"
image=${KVALI_CORPUS:-$TOP/../shared/corpus}/images/dfvfs__apfs.raw.zst
[ -r "$image" ] || { skip "no APFS sample: $image"; finish; }
PASSWORD=correct-horse-battery RECOVERY=A1B2-C3D4-E5F6-G7H8-J9K0-LMNP
VOLUME=458ed10d-8ac3-4af1-8dfd-3954d151a3f3
LARGE=.fseventsd/000000001714941b
zstd -dqf "$image" -o "$WORK/sample.raw"
make() { # plain, encrypted, option...: prints the volume's key, and where the container's key bag is
  python3 -B "$TOP/tests/images/make-apfs.py" "$WORK/sample.raw" "$WORK/$1" "$WORK/$2" "$PASSWORD" "$RECOVERY" "${@:3}"
}
read -r master bag < <(make plain.raw locked.raw) || exit 1
make again.raw hardware.raw --hardware >"$WORK/null" || exit 1

has() { # TEXT command...: it says so
  local text=$1
  shift
  contains "$("$@")" "$text"
}
process() { # case evidence option...: exit 0 or 1 is done
  local case=$1 evidence=$2 code=0
  shift 2
  "$KVALI" process "$WORK/$evidence" --case "$WORK/$case" --quiet --plugins digest "$@" || code=$?
  [ $code -le 1 ]
}
faults() { sql "$WORK/$1" "SELECT kind || ': ' || detail FROM fault"; }
content() { sql "$WORK/$1" "SELECT content FROM volume WHERE key = 'image.v1'"; }
everything() { # case: all but the image itself, with its hash; `runs`, `slack`: of a decrypted content no place is told
  sql "$WORK/$1" "SELECT substr(path, instr(path, '/')), type, kind, live, content_size, modified, sha256 FROM file WHERE path LIKE '%/%' ORDER BY 1, 2, 3"
}

promise "the plain volume" process plain plain.raw
truth=$(everything plain)
large=$(sql "$WORK/plain" "SELECT sha256 FROM file WHERE path LIKE '%/$LARGE'")
promise "… has one file of many blocks" is 162840 "$(sql "$WORK/plain" "SELECT content_size FROM file WHERE path LIKE '%/$LARGE'")"

promise "without a key it is named" process none locked.raw
promise "… in a fault that says which volume it is" has "encrypted: encrypted: APFS/FileVault: no key was given (APFS, volume $VOLUME, hint of its password: the usual one)" faults none
promise "… and nothing of it is listed" is 0 "$(sql "$WORK/none" "SELECT count(*) FROM file WHERE path LIKE '%/apfs%'")"
promise "with wrong keys" process wrong locked.raw --key password:nonsense-words --key "master:$(tr 0-9a-f 1-9a-f0 <<<"$master")"
promise "… the fault says that they are wrong" has "wrong key: none of the 2 given opens it (APFS, volume $VOLUME" faults wrong
opens() { # case, kind of key, option...
  process "$1" locked.raw --key password:nonsense-words "${@:3}" && is "$truth" "$(everything "$1")" &&
    contains "$(content "$1")" "opened: APFS, AES-128-XTS, volume $VOLUME, opened with $2 " && is "" "$(faults "$1")"
}
promise "with its password all is what the plain volume has" opens right password --key "password:$PASSWORD" --jobs 1
promise "… at any number of workers" opens two password --key "password:$PASSWORD" --jobs 2
promise "… with one digest" is "$("$KVALI" digest "$WORK/right")" "$("$KVALI" digest "$WORK/two")"
promise "with its recovery key" opens recovery "recovery key" --key "recovery:$RECOVERY"
promise "… given as a password" opens worded password --key "password:$RECOVERY"
promise "with its own key" opens master "master key" --key "master:$master"
recovery_alone() { # it is no password, and the password is no recovery key
  process other locked.raw --key "recovery:${RECOVERY/A1B2/A1B3}" && contains "$(faults other)" "wrong key: none of the 1"
}
promise "another recovery key does not open it" recovery_alone

promise "show gives a file back with the key" is "$large" "$("$KVALI" show "$WORK/right" "locked.raw/image.v1/apfs/$LARGE" --bytes --key "password:$PASSWORD" | sha256sum | cut -d' ' -f1)"
promise "… and not without: exit 3" exits 3 "$KVALI" show "$WORK/right" "locked.raw/image.v1/apfs/$LARGE" --bytes
promise "verify reads files in the volume again with the key" "$KVALI" verify "$WORK/right" --evidence "$WORK/locked.raw" --key "password:$PASSWORD" --quiet
promise "… and cannot without: exit 3" exits 3 "$KVALI" verify "$WORK/right" --evidence "$WORK/locked.raw" --quiet
exported() {
  "$KVALI" export "$WORK/two" --all --quiet --key "password:$PASSWORD" && find "$WORK/two/exports" -type f -exec sha256sum {} + | contains "$(cat)" "$large"
}
promise "export has the key" exported

# What reads the volume once more without the keys that it was opened with ends, and counts nothing as unreadable.
once_more() {
  process later locked.raw --key "password:$PASSWORD" || return 1
  exits 2 "$KVALI" run "$WORK/later" --plugin filetype --quiet || return 1
  contains "$(cat "$WORK/out")" "APFS, volume $VOLUME" && contains "$(cat "$WORK/out")" "the case goes on with the keys that it was begun with" &&
    is "" "$(faults later)" && is 0 "$(sql "$WORK/later" "SELECT count(*) FROM stream WHERE status <> 'done'")" || return 1
  "$KVALI" run "$WORK/later" --plugin filetype --quiet --key "password:$PASSWORD" && is "" "$(faults later)" &&
    is 9 "$(sql "$WORK/later" "SELECT count(DISTINCT path) FROM finding WHERE plugin = 'filetype' AND path LIKE '%/apfs/%'")"
}
promise "a later pass without the key ends, and goes on with it" once_more

promise "a container whose keys are in a machine" process hardware hardware.raw --key "password:$PASSWORD"
promise "… is told as that" has "its keys are in the hardware of the Mac that it comes from" faults hardware
make again.raw decrypted.raw --hardware --decrypted >"$WORK/null" || exit 1
machine() {
  process decrypted decrypted.raw && is "$truth" "$(everything decrypted)" && is "" "$(faults decrypted)" &&
    contains "$(content decrypted)" "opened: APFS, volume $VOLUME, decrypted by the hardware of its Mac before it was imaged"
}
promise "… and when the machine has decrypted what was imaged, it is read" machine
damaged() {
  cp "$WORK/locked.raw" "$WORK/damaged.raw"
  printf 'x' | dd of="$WORK/damaged.raw" bs=1 seek=$((bag * 4096 + 99)) conv=notrunc status=none
  process damaged damaged.raw --key "password:$PASSWORD" && contains "$(faults damaged)" "does not open: the key bag of the container is damaged"
}
promise "a damaged key bag is told" damaged

cases=()
for database in "$WORK"/*/case.db; do
  cases+=("${database%/case.db}")
done
promise "no key is left in any of ${#cases[@]} cases, in whatever writing" python3 -B "$TOP/tests/integration/keys.py" "$PASSWORD" "$RECOVERY" nonsense-words \
  "@"<(xxd -r -p <<<"$master") -- "${cases[@]}"
finish
