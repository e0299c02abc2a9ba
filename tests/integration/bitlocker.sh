#!/usr/bin/env bash
# bitlocker: volumes of every method open by every kind of key, also those that are suspended, encrypted in part, or decrypted again,
# and give what the plain volume has. tests/images/make-bitlocker.py makes them; volumes.sh has volumes that Windows made.
# Usage: KVALI=... bitlocker.sh
. "$(dirname "$0")/lib.sh"
for tool in mkfs.fat mcopy; do
  command -v $tool >"$WORK/null" || { skip "there is no $tool"; finish; }
done
PASSWORD="სწორი ცხენი 𝄞"
RECOVERY=284867-596541-514998-422114-660297-261613-215424-199408
truncate -s 6M "$WORK/plain"
mkfs.fat -i 12345678 "$WORK/plain" >"$WORK/null"
seq 20000 >"$WORK/numbers.txt"
head -c 300000 /dev/urandom >"$WORK/noise.bin"
mcopy -i "$WORK/plain" "$WORK/numbers.txt" "$WORK/noise.bin" ::/ || exit 1

make() { # NAME METHOD option...
  python3 -B "$TOP/tests/images/make-bitlocker.py" --new "$2" "$WORK/plain" "$WORK/$1" "${@:3}"
}
process() { # case evidence option...: exit 0 or 1 is done
  local case=$1 evidence=$2 code=0
  shift 2
  "$KVALI" process "$WORK/$evidence" --case "$WORK/case-$case" --quiet --plugins digest "$@" || code=$?
  [ $code -le 1 ]
}
everything() { # case prefix: all that lies under an address, with its hash; places as they are
  sql "$WORK/case-$1" "SELECT substr(path, length('$2') + 1), type, kind, live, content_size, modified, runs, sha256 FROM file WHERE path LIKE '$2%' ORDER BY 1, 2, 3"
}
faults() { sql "$WORK/case-$1" "SELECT kind || ': ' || detail FROM fault"; }
process plain plain || exit 1
plain=$(everything plain plain/image/)
opens() { # case evidence option...: it gives all that the plain volume has
  process "$@" && is "$plain" "$(everything "$1" "$2/image!/image/")"
}
says() { # case words: what the volume is said to be
  contains "$(sql "$WORK/case-$1" "SELECT content FROM volume")" "$2"
}
locked() { # case words evidence option...
  process "$1" "${@:3}" && contains "$(faults "$1")" "$2"
}

promise "AES-256-XTS, with four ways to open it, is made" make xts-256 xts-256 "password:$PASSWORD" "recovery:$RECOVERY" "file:$WORK/key.bek"
promise "… by its password" opens password xts-256 --key password:other --key "password:$PASSWORD"
promise "… it is told by what" says password "opened: BitLocker, AES-256-XTS, volume"
promise "… by its recovery key" opens recovery xts-256 --key "recovery:$RECOVERY"
promise "… by its startup key's file" opens file xts-256 --key "file:$WORK/key.bek"
promise "… at two workers the findings are the same" opens two xts-256 --jobs 2 --key "file:$WORK/key.bek"
promise "… by the digest, too" is "$("$KVALI" digest "$WORK/case-file")" "$("$KVALI" digest "$WORK/case-two")"
promise "… by its own key" opens master xts-256 --key "master:$(python3 -c 'import hashlib; print(hashlib.shake_256(b"volume key").hexdigest(64))')"
promise "… and not by another" locked other "wrong key: none of the 3 given opens it" xts-256 --key "master:$(printf '%0128d' 7)" --key password:other \
  --key recovery:114367-110407-011000-022000-033000-044000-055000-066000
promise "without a key it is told what opens it" locked none "no key was given (BitLocker, AES-256-XTS, volume" xts-256
promise "… with the identifier by which a recovery key is kept" contains "$(faults none)" "opens with: password, recovery key $(python3 -c '
import hashlib, sys, uuid
print(uuid.UUID(bytes_le=hashlib.shake_256(("identifier of recovery:" + sys.argv[1]).encode()).digest(16)))' $RECOVERY), key file"

mistyped() {
  exits 2 "$KVALI" process "$WORK/xts-256" --case "$WORK/case-mistyped" --key "recovery:${RECOVERY%?}9" && contains "$(cat "$WORK/out")" "group 8 of the 8 is mistyped"
}
promise "a recovery key with a wrong digit is not tried: it is told which group" mistyped
promise "… and the terminal tells of a volume that stays closed" contains "$("$KVALI" process "$WORK/xts-256" --case "$WORK/case-terminal" --plugins digest 2>&1)" \
  "found: encrypted BitLocker: no key was given (BitLocker, AES-256-XTS, volume"

head -c 1000000 /dev/urandom >"$WORK/even"
promise "… and of one that may be encrypted, for nothing else is known of it" contains "$("$KVALI" process "$WORK/even" --type raw --case "$WORK/case-even" --plugins digest 2>&1)" \
  "found: encrypted volume, suspected: no structure"

for method in cbc-128 cbc-256 elephant-128 elephant-256 xts-128; do
  promise "$method is made" make $method $method "file:$WORK/$method.bek"
  promise "… and gives what the plain volume has" opens $method $method --key "file:$WORK/key.bek" --key "file:$WORK/$method.bek"
done
promise "a volume with its key in clear is made" make suspended xts-128 clear
promise "… and opens without any" opens suspended suspended
promise "… which is told" says suspended "opened with the clear key in it"
promise "a volume of which the first 2 MiB are encrypted" make part xts-128 clear part:2097152
promise "… gives what the plain volume has" opens part part
promise "… and tells it" says part ", encrypted in part, opened"
promise "a volume that is encrypted as it is written to" make written xts-128 clear write
promise "… gives what the plain volume has" opens written written
promise "… and tells it" says written ", encrypted in part, opened"
promise "a volume that is decrypted but for its metadata" make decrypted xts-128 decrypted
promise "… gives what the plain volume has" opens decrypted decrypted
promise "… and tells it" says decrypted "BitLocker, decrypted already"

# Metadata are there three times, each with a checksum.
place() { # FILE number of the copy
  od -An -tu8 -j $((176 + 8 * $2)) -N 8 "$WORK/$1" | tr -d ' '
}
spoil() { # FILE number of the copy, byte in it
  flip "$WORK/$1" $(($(place "$1" "$2") + $3))
}
cp "$WORK/suspended" "$WORK/spoilt"
spoil spoilt 0 200
spoil spoilt 1 0
promise "two damaged copies of three do no harm" opens spoilt spoilt
spoil spoilt 2 0
promise "with three the one is read that is still some; that it may be anything is told" locked doubtful "no copy of its metadata has its checksum" spoilt
spoil spoilt 0 0
promise "… and when none is, it is told, and the job goes on" locked lost "BitLocker: does not open: its metadata is not there, or damaged" spoilt
cp "$WORK/written" "$WORK/unmapped"
for at in 200 208; do
  flip "$WORK/unmapped" $(($(od -An -tu8 -j $at -N 8 "$WORK/unmapped" | tr -d ' ') + 20))
done
cp "$WORK/suspended" "$WORK/described"
for copy in 0 1 2; do spoil described $copy 122; done # in the volume's description, which opens nothing
promise "when all three are damaged where it does not matter it opens" opens described described
promise "… and says that its metadata may be anything" says described "; no copy of its metadata has its checksum, opened"
promise "without its map what is encrypted cannot be told: it is not guessed" locked unmapped "its map of what is encrypted already is damaged" unmapped

promise "no case has a key" is "" "$(grep -rl -e "$PASSWORD" -e "$RECOVERY" "$WORK"/case-*)"
finish
