#!/usr/bin/env bash
# volumes: encrypted volumes open with the right key and only with it, virtual disks are evidence by themselves and inside of
# evidence, the findings are the same at any number of workers and after a kill, and no key is left in the case.
# Usage: KVALI=... volumes.sh
. "$(dirname "$0")/lib.sh"
for tool in qemu-img cryptsetup mke2fs; do
  command -v $tool >"$WORK/null" || { skip "there is no $tool"; finish; }
done
PASSWORD=correct-horse-battery
mkdir -p "$WORK/files/sub"
echo "hello in a volume" >"$WORK/files/a.txt"
seq 20000 >"$WORK/files/sub/numbers.txt"
head -c 200000 /dev/urandom >"$WORK/files/noise.bin"
cp "$WORK/files/noise.bin" "$WORK/files/sub/again.bin"
python3 -B -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1], "w").writestr("inner.txt", "only in the archive")' "$WORK/files/sub/some.zip"
mke2fs -q -F -t ext4 -d "$WORK/files" "$WORK/plain.raw" 6M
truth=$(cd "$WORK/files" && find . -type f -exec sha256sum {} + | sed 's| \./| |' | sort)

has() { # TEXT command...: it says so
  local text=$1
  shift
  contains "$("$@")" "$text"
}
refuses() { ! "$@"; }
process() { # case evidence option...: exit 0 or 1 is done
  local case=$1 evidence=$2 code=0
  shift 2
  "$KVALI" process "$evidence" --case "$WORK/$case" --quiet --plugins digest "$@" || code=$?
  [ $code -le 1 ]
}
hashes() { # case prefix: what lies under an address, as sha256sum writes it
  sql "$WORK/$1" "SELECT sha256 || '  ' || substr(path, length('$2') + 1) FROM file WHERE path LIKE '$2%' AND type = 'file' AND path NOT LIKE '%\$%' AND sha256 IS NOT NULL" | sort
}
same() { # case prefix
  is "$truth" "$(hashes "$1" "$2")"
}
faults() {
  sql "$WORK/$1" "SELECT kind || ': ' || detail FROM fault"
}

# LUKS1: the volume is made by qemu, an implementation of its own. LUKS2: cryptsetup's header with the same volume key, and
# the same encrypted sectors behind it, for both number them from the volume's start.
printf %s "$PASSWORD" >"$WORK/password"
printf '%s\n' "password:$PASSWORD" >"$WORK/keys"
# qemu-img measures how fast the processor is, and gives up where it cannot ("Unable to get accurate CPU usage").
for try in $(seq 50); do
  qemu-img convert -f raw -O luks --object secret,id=s,file="$WORK/password" -o key-secret=s,iter-time=10 "$WORK/plain.raw" "$WORK/luks1.raw" && break
  [ "$try" -lt 50 ] || exit 1
done
cryptsetup -q luksDump "$WORK/luks1.raw" --dump-volume-key --volume-key-file "$WORK/volume-key" --key-file "$WORK/password" >"$WORK/null" || exit 1
payload=$(cryptsetup luksDump "$WORK/luks1.raw" | sed -n 's/^Payload offset:[[:space:]]*//p')
truncate -s 24M "$WORK/luks2.raw"
cryptsetup -q luksFormat --type luks2 --volume-key-file "$WORK/volume-key" --key-size 512 --sector-size 512 --offset 32768 \
  --pbkdf argon2id --pbkdf-memory 32768 --pbkdf-force-iterations 4 --pbkdf-parallel 2 --key-file "$WORK/password" "$WORK/luks2.raw" || exit 1
dd if="$WORK/luks1.raw" of="$WORK/luks2.raw" bs=512 skip="$payload" seek=32768 conv=notrunc status=none
truncate -s 24M "$WORK/luks2.raw"
master=$(xxd -p -c 256 "$WORK/volume-key")

for version in 1 2; do
  promise "LUKS$version without a key is named" process none$version "$WORK/luks$version.raw"
  promise "… in a fault that says so" has "encrypted: encrypted: LUKS$version: no key was given" faults none$version
  promise "… with a wrong key" process wrong$version "$WORK/luks$version.raw" --key password:nonsense-words
  promise "… the fault says that it is wrong" has "wrong key: none of the 1 given opens it" faults wrong$version
  promise "… with the right one after a wrong one" process right$version "$WORK/luks$version.raw" --key password:nonsense-words --key "@$WORK/keys"
  promise "… the files are those of the plain volume" same right$version "luks$version.raw/image!/image/ext4/"
  promise "… with the volume's own key" process master$version "$WORK/luks$version.raw" --key "master:$master"
  promise "… too" same master$version "luks$version.raw/image!/image/ext4/"
done
promise "with a key file" process keyfile "$WORK/luks1.raw" --key "file:$WORK/password"
promise "… the files are the same" same keyfile "luks1.raw/image!/image/ext4/"
promise "show gives a file back with its key" is "$(sha256sum <"$WORK/files/noise.bin")" \
  "$("$KVALI" show "$WORK/right2" "luks2.raw/image!/image/ext4/noise.bin" --bytes --key "@$WORK/keys" | sha256sum)"
promise "… and not without" refuses "$KVALI" show "$WORK/right2" "luks2.raw/image!/image/ext4/noise.bin" --bytes
promise "verify reads files in the volume again with its key" "$KVALI" verify "$WORK/right2" --evidence "$WORK/luks2.raw" --key "@$WORK/keys" --quiet
promise "… and cannot without: exit 3" exits 3 "$KVALI" verify "$WORK/right2" --evidence "$WORK/luks2.raw" --quiet

# A header may hold anything.
cp "$WORK/luks1.raw" "$WORK/odd.raw"
printf '\1\2\3\4\5\6\7\1\2\3\4\5\6\7\1\2\3\4\5\6\7' | dd of="$WORK/odd.raw" bs=1 seek=168 conv=notrunc status=none
promise "a UUID of control characters" process odd "$WORK/odd.raw"
promise "… is told as damaged" has "no key was given (LUKS1, aes-xts-plain64, UUID damaged)" faults odd
promise "… and alarms nobody" is 0 "$(sql "$WORK/odd" "SELECT count(*) FROM fault WHERE kind = 'tamper'")"

exported() { # in two rounds: what lies in the volume, and what lies in an archive there
  "$KVALI" process "$WORK/luks1.raw" --case "$WORK/packed" --quiet --plugins archive,digest --key "@$WORK/keys"
  "$KVALI" export "$WORK/packed" --all --quiet --key "password:$PASSWORD" &&
    find "$WORK/packed/exports" -type f | contains "$(cat)" "$(printf %s "only in the archive" | sha256sum | cut -d' ' -f1)"
}
promise "export has the key for all that it reads" exported

# Encrypted members of a ZIP, by the same keys.
if command -v zip >"$WORK/null" && command -v bsdtar >"$WORK/null"; then
  mkdir "$WORK/zips"
  (cd "$WORK/files" && zip -q -P "$PASSWORD" "$WORK/zips/trad.zip" a.txt sub/numbers.txt &&
    bsdtar --format zip --options zip:encryption=aes256 --passphrase "$PASSWORD" -cf "$WORK/zips/aes.zip" a.txt sub/numbers.txt) || exit 1
  locked() { "$KVALI" process "$WORK/zips" --case "$WORK/$1" --quiet --plugins archive,digest "${@:2}" || [ $? -eq 1 ]; }
  reasons() { sql "$WORK/$1" "SELECT DISTINCT substr(coalesce(reason, 'no key'), 1, 20) FROM encrypted"; }
  promise "encrypted ZIPs without a key" locked right-not
  promise "… are named" is "no key" "$(reasons right-not)"
  promise "… with a wrong key" locked right-wrong --key password:nonsense-words
  promise "… it is told" is "wrong key: none of t" "$(reasons right-wrong)"
  promise "… with the right one after a wrong one" locked right-zip --key password:nonsense-words --key "@$WORK/keys"
  promise "… it is told which" is "opened with password" "$(reasons right-zip)"
  unlocked() {
    is "$(cd "$WORK/files" && sha256sum a.txt a.txt sub/numbers.txt sub/numbers.txt | cut -d' ' -f1)" \
      "$(sql "$WORK/right-zip" "SELECT sha256 FROM file WHERE path LIKE 'zips/%.zip!/%' ORDER BY path LIKE '%numbers%'")"
  }
  promise "… and the members are those that were packed" unlocked
  promise "… show wants the key, too" is "hello in a volume" "$("$KVALI" show "$WORK/right-zip" "zips/aes.zip!/a.txt" --bytes --key "@$WORK/keys")"
  promise "… and gives nothing without" refuses "$KVALI" show "$WORK/right-zip" "zips/aes.zip!/a.txt" --bytes
  # Trying costs the archive nothing: what is not encrypted is found behind what no key opens.
  mkdir "$WORK/many" "$WORK/tried"
  for n in $(seq 40); do head -c 262144 /dev/urandom >"$WORK/many/$n"; echo "password:wrong-$n"; done >"$WORK/tried.keys"
  (cd "$WORK/many" && zip -q -0 -P "$PASSWORD" "$WORK/tried/many.zip" [0-9]* && echo plain >zz && zip -q -0 "$WORK/tried/many.zip" zz) || exit 1
  for n in $(seq 41 110); do echo "password:wrong-$n"; done >>"$WORK/tried.keys"
  tried() {
    "$KVALI" process "$WORK/tried" --case "$WORK/tried-case" --quiet --plugins archive,digest --key "@$WORK/tried.keys"
    is "$(sha256sum <"$WORK/many/zz" | cut -d' ' -f1)" "$(sql "$WORK/tried-case" "SELECT sha256 FROM file WHERE path LIKE '%!/zz'")" &&
      is 40 "$(sql "$WORK/tried-case" "SELECT count(*) FROM encrypted WHERE path LIKE '%many.zip!/%' AND (reason LIKE 'wrong key%' OR reason LIKE 'not opened%')")" &&
      is 1 "$(sql "$WORK/tried-case" "SELECT count(*) FROM fault WHERE kind = 'limit' AND detail LIKE '4096 wrong passwords%'")"
  }
  promise "… many wrong keys cost no other member, and their limit is told once" tried
else
  skip "there is no zip or bsdtar"
fi


# Virtual disks, by themselves and in a file system.
mkdir "$WORK/disks"
qemu-img convert -O qcow2 "$WORK/plain.raw" "$WORK/disks/plain.qcow2"
qemu-img convert -O qcow2 -c "$WORK/plain.raw" "$WORK/disks/packed.qcow2"
qemu-img convert -O vhdx "$WORK/plain.raw" "$WORK/disks/plain.vhdx"
qemu-img convert -O vpc -o force_size=on "$WORK/plain.raw" "$WORK/disks/plain.vhd"
qemu-img convert -O vmdk "$WORK/plain.raw" "$WORK/disks/plain.vmdk"
cp "$WORK/luks1.raw" "$WORK/disks/container"
for disk in plain.qcow2 packed.qcow2 plain.vhdx plain.vhd; do
  promise "$disk is evidence by itself" process "self-$disk" "$WORK/disks/$disk"
  promise "… with the files of the plain volume" same "self-$disk" "$disk/image/ext4/"
done
mkdir "$WORK/chain"
cp "$WORK/disks/plain.qcow2" "$WORK/chain/parent.qcow2"
(cd "$WORK/chain" && qemu-img create -q -f qcow2 -F qcow2 -b parent.qcow2 child.qcow2)
promise "a QCOW2 over a backing file" process chain "$WORK/chain/child.qcow2"
promise "… is read through it" same chain "child.qcow2/image/ext4/"
mv "$WORK/chain/parent.qcow2" "$WORK/chain/away"
promise "… and refused without it" refuses "$KVALI" process "$WORK/chain/child.qcow2" --case "$WORK/orphan" --quiet --plugins digest
cp "$WORK/chain/child.qcow2" "$WORK/disks/child.qcow2"

mke2fs -q -F -t ext4 -d "$WORK/disks" "$WORK/outer.raw" 64M
promise "disks in a file system are opened where they lie" process nested "$WORK/outer.raw" --jobs 1 --key "@$WORK/keys"
for disk in plain.qcow2 packed.qcow2 plain.vhdx plain.vhd plain.vmdk; do
  promise "… $disk" same nested "outer.raw/image/ext4/$disk!/image/ext4/"
done
promise "… and an encrypted container" same nested "outer.raw/image/ext4/container!/image/ext4/"
promise "… but not what has its parent elsewhere, and it is told" has "backing file, which is not at hand" faults nested
promise "two workers" process two "$WORK/outer.raw" --jobs 2 --key "@$WORK/keys"
promise "… give the same digest" is "$("$KVALI" digest "$WORK/nested")" "$("$KVALI" digest "$WORK/two")"

# What lies in a medium inside is no more of the exhibit's, and its offsets are not the image's.
html=$("$KVALI" report "$WORK/nested" --format html --stdout)
"$KVALI" report "$WORK/nested" --format dfxml --stdout >"$WORK/nested.dfxml"
promise "every byte of the medium is accounted for once" contains "$html" "Every byte of EX-1 is accounted for"
placed() {
  python3 -B - "$WORK/nested.dfxml" <<'PY'
import re, sys
inside, outside = 0, 0
for file in re.findall(r'<fileobject.*?</fileobject>', open(sys.argv[1]).read(), re.S):
    path = re.search(r'<kvali:path>(.*?)</kvali:path>', file)
    if not path or '/image/ext4/' not in path[1]:
        continue
    if '!/' in path[1]:
        inside += 'file_offset' in file
        assert 'img_offset' not in file, path[1]
    else:
        outside += 'img_offset' in file
assert inside > 5 and outside > 3, (inside, outside)
PY
}
promise "DFXML gives no offset in the image for what lies in a medium inside" placed

# Several hosts: a medium is opened by who has it in a part.
parted() {
  "$KVALI" new "$WORK/parted" -q && "$KVALI" add "$WORK/parted" "$WORK/outer.raw" -q &&
    "$KVALI" plan "$WORK/parted" --parts 3 -q --plugins digest && "$KVALI" work "$WORK/parted" 1-3 -q || return 1
  "$KVALI" merge "$WORK/parted" -q
  [ $? -le 1 ] && is "$("$KVALI" digest "$WORK/unkeyed")" "$("$KVALI" digest "$WORK/parted")"
}
promise "without keys" process unkeyed "$WORK/outer.raw"
promise "… several hosts give the same digest" parted

killed() { # before anything of a medium inside was written, and when all that lies in them is known and pending
  local code again
  for again in "" --again; do
    code=0
    if [ -z "$again" ]; then "$KVALI" new "$WORK/killed" --quiet && "$KVALI" add "$WORK/killed" "$WORK/outer.raw" --quiet || return 1; fi
    KVALI_CRASH_AT=attempt-end:12 "$KVALI" run "$WORK/killed" $again --quiet --plugins digest --jobs 1 --key "@$WORK/keys" || code=$?
    is 137 $code || return 1
    [ -z "$again" ] || [ "$(sql "$WORK/killed" "SELECT count(*) FROM t_stream WHERE locator LIKE '%>%' AND status = 0")" -gt 9 ] || return 1
    code=0
    "$KVALI" run "$WORK/killed" --quiet --plugins digest --key "@$WORK/keys" || code=$?
    [ $code -le 1 ] && is "$("$KVALI" digest "$WORK/nested")" "$("$KVALI" digest "$WORK/killed")" || return 1
  done
}
promise "after kill -9 the run goes on to the same digest" killed

# BitLocker: nothing makes it but Windows. Samples of the corpus (their password is the cryptsetup project's) have no file system
# left that opens, so a plain NTFS is encrypted into them with their own keys.
everything() { # case prefix: all that lies under an address, with its hash; places as they are
  sql "$WORK/$1" "SELECT substr(path, length('$2') + 1), type, kind, live, content_size, modified, runs, sha256 FROM file WHERE path LIKE '$2%' ORDER BY 1, 2, 3"
}
plain() { # FILE, how large, and what is put in: NTFS, or FAT for BitLocker To Go
  if [ "$3" = fat ]; then
    truncate -s "$2" "$1" && mkfs.fat -F 16 -i 12345678 "$1" >"$WORK/null" && mcopy -i "$1" "${from[@]}" ::/
    return
  fi
  truncate -s 100M "$1"
  mkntfs -q -F -Q -c 4096 -s 512 -p 0 -S 63 -H 255 "$1" >"$WORK/null" 2>&1 || return 1
  for file in "${from[@]}"; do
    ntfscp -q -f "$1" "$file" "${file##*/}" || return 1
  done
  truncate -s "$2" "$1"
}
from=("$WORK/files/a.txt" "$WORK/files/noise.bin" "$WORK/files/sub/numbers.txt" "$WORK/files/sub/some.zip")
bitlocker() { # sample, name of its method, its volume's key, what is in it, and what of that is compared
  local case=$1 method=$2 inner=$3! size plain opened jobs
  size=$(stat -c %s "$WORK/$case.sample")
  printf anaconda | cryptsetup -q bitlkDump --dump-volume-key --volume-key-file "$WORK/$case.key" --key-file - "$WORK/$case.sample" >"$WORK/null" || return 1
  plain "$WORK/$case.plain" "$size" "$4" || return 1
  python3 -B "$TOP/tests/images/make-bitlocker.py" "$WORK/$case.sample" "$WORK/$case.key" "$WORK/$case.plain" "$WORK/$case.raw" || return 1
  process "plain-$case" "$WORK/$case.plain" && process "right-$case" "$WORK/$case.raw" --jobs 1 --key password:nonsense-words --key password:anaconda || return 1
  plain=$(everything "plain-$case" "$case.plain/image/$5") opened=$(everything "right-$case" "$case.raw/$inner/image/$5")
  is "$plain" "$opened" || return 1
  for file in "${from[@]}"; do
    contains "$opened" "$(sha256sum <"$file" | cut -d' ' -f1)" || return 1
  done
  contains "$(sql "$WORK/right-$case" "SELECT content FROM volume")" "opened: BitLocker, $method, volume" || return 1
  for jobs in 1 2; do # a password costs each worker a million rounds of SHA-256, the key itself nothing
    process "master-$jobs-$case" "$WORK/$case.raw" --jobs $jobs --key "master:$(xxd -p -c 256 "$WORK/$case.key")" &&
      is "$plain" "$(everything "master-$jobs-$case" "$case.raw/$inner/image/$5")" || return 1
  done
  is "$("$KVALI" digest "$WORK/master-1-$case")" "$("$KVALI" digest "$WORK/master-2-$case")" || return 1
  process "wrong-$case" "$WORK/$case.raw" --key "master:$(xxd -p -c 256 "$WORK/$case.key" | tr 0123456789 1234567890)" &&
    contains "$(faults "wrong-$case")" "wrong key: none of the 1 given opens it"
}
images=${KVALI_CORPUS:-$TOP/../shared/corpus}/images
for sample in aes-xts-128 aes-cbc-elephant-256 togo-aes-xts-128; do
  image=$images/cryptsetup__bitlk-$sample.img.zst
  if [ ! -r "$image" ] || ! which mkntfs ntfscp mkfs.fat mcopy >"$WORK/null"; then
    skip "no BitLocker sample, or no mkntfs, ntfscp, mkfs.fat, mcopy: $image"
    continue
  fi
  zstd -dqf --sparse "$image" -o "$WORK/$sample.sample"
  case $sample in
  aes-xts*) promise "BitLocker (AES-XTS) gives all that the plain volume has, by password and by the volume's key" bitlocker $sample AES-128-XTS image ntfs "" ;;
  aes-cbc*) promise "BitLocker (AES-CBC with diffuser) does, too" bitlocker $sample "AES-256-CBC with diffuser" image ntfs "" ;;
  *) promise "BitLocker To Go does, too" bitlocker $sample AES-128-XTS image.bitlocker fat "" ;;
  esac
done
if [ -e "$WORK/aes-xts-128.raw" ]; then
  promise "BitLocker without a key is named" process none-bitlocker "$WORK/aes-xts-128.raw"
  promise "… with method and volume" has "BitLocker, AES-128-XTS, volume 8f595209-f5b9-49a0-85d4-cb8f80258c27" faults none-bitlocker
  promise "… with a wrong key" process wrong-bitlocker "$WORK/aes-xts-128.raw" --key password:anaconda1
  promise "… it is told" has "wrong key: none of the 1 given opens it" faults wrong-bitlocker
  promise "BitLocker To Go without a key is named" process none-togo "$WORK/togo-aes-xts-128.raw"
  promise "… too" has "BitLocker To Go: no key was given (BitLocker, AES-128-XTS, volume dca1850a-0ef6-4ece-8acb-9f42ca63bdd1" faults none-togo
fi

# Nothing that kvali wrote may hold a key: cases with all that can be asked for, reports of all kinds, exports, events, what was printed.
wrote() {
  local case="$WORK/all-written" code=0 formats
  mkdir "$WORK/printed"
  "$KVALI" process "$WORK/outer.raw" --case "$case" --index --features --verbose --events "$WORK/printed/events" --key password:nonsense-words \
    --key "@$WORK/keys" >"$WORK/printed/out" 2>&1 || code=$?
  [ $code -le 1 ] || return 1
  formats=$("$KVALI" report --help | sed -n 's/^ \{30\}\([a-z-]*\): .*/--format \1/p')
  [ "$(wc -l <<<"$formats")" -ge 11 ] || return 1
  # shellcheck disable=SC2086
  "$KVALI" report "$case" $formats >>"$WORK/printed/out" 2>&1 && "$KVALI" export "$case" --all --key "@$WORK/keys" >>"$WORK/printed/out" 2>&1 &&
    "$KVALI" verify "$case" --evidence "$WORK/outer.raw" --key "@$WORK/keys" >>"$WORK/printed/out" 2>&1
}
promise "a case with reports of all kinds, exports, events and what was printed" wrote
key_words=("$PASSWORD" nonsense-words anaconda "@$WORK/volume-key")
for sample in aes-xts-128 aes-cbc-elephant-256 togo-aes-xts-128; do
  [ -e "$WORK/$sample.key" ] && key_words+=("@$WORK/$sample.key")
done
cases=()
for database in "$WORK"/*/case.db; do
  cases+=("${database%/case.db}")
done
no_keys() { python3 -B "$TOP/tests/integration/keys.py" "${key_words[@]}" -- "${cases[@]}" "$WORK/printed"; }
promise "no key is left in any of ${#cases[@]} cases, in whatever writing" no_keys
planted() { # in the index, packed; in a report, as hex; in the ledger
  local way
  for way in 1 2 3; do
    rm -rf "$WORK/planted" && mkdir "$WORK/planted" && cp "$WORK/all-written"/{index.db,ledger.jsonl} "$WORK/planted" || return 1
    case $way in
    1) python3 -B -c 'import sqlite3, sys, zlib
with sqlite3.connect(sys.argv[1]) as index: index.execute("UPDATE page SET packed = ? WHERE id = (SELECT max(id) FROM page)", (zlib.compress(("x" * 99 + sys.argv[2]).encode()),))' \
      "$WORK/planted/index.db" "$PASSWORD" || return 1 ;;
    2) printf 'x%s' "$(xxd -u -p -c 256 "$WORK/volume-key")" >"$WORK/planted/report" ;;
    3) printf %s "ab$PASSWORD" | base64 >>"$WORK/planted/ledger.jsonl" ;;
    esac
    exits 1 python3 -B "$TOP/tests/integration/keys.py" "${key_words[@]}" -- "$WORK/planted" && contains "$(cat "$WORK/out")" " holds " || return 1
  done
}
promise "… and one that was planted is found" planted
promise "… but which one was used is told" has "opened with password" sql "$WORK/right1" "SELECT content FROM volume"
finish
