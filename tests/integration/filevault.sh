#!/usr/bin/env bash
# filevault: a FileVault 2 volume opens with each kind of key that it has, gives all that the plain volume has, and nothing of a key is
# left in a case; what libfvde would read wrongly is refused with the reason.
# Usage: KVALI=... filevault.sh
. "$(dirname "$0")/lib.sh"
for tool in mkfs.fat mcopy mke2fs; do
  command -v $tool >"$WORK/null" || { skip "there is no $tool"; finish; }
done
PASSWORD=correct-horse-battery
RECOVERY=35AJ-AC98-TI1H-N4M3-HDUQ-UQFG
mkdir -p "$WORK/files/sub"
echo "hello in a volume" >"$WORK/files/a.txt"
seq 20000 >"$WORK/files/sub/numbers.txt"
head -c 200000 /dev/urandom >"$WORK/files/noise.bin"
truncate -s 4M "$WORK/plain.raw"
mkfs.fat -R 8 -F 16 -s 1 "$WORK/plain.raw" >"$WORK/null" && mcopy -s -i "$WORK/plain.raw" "$WORK/files"/* :: || exit 1
# libfvde opens what has the mark of HFS+, and here it stands between FAT's boot sector and its tables.
printf 'H+' | dd of="$WORK/plain.raw" bs=1 seek=1024 conv=notrunc status=none

make() { python3 -B "$TOP/tests/images/make-filevault.py" --password other-words --password "$PASSWORD" --recovery $RECOVERY --iterations 3000 "$@"; }
process() { # case evidence option...: exit 0 or 1 is done
  local case=$1 evidence=$2 code=0
  shift 2
  "$KVALI" process "$evidence" --case "$WORK/$case" --quiet --plugins digest "$@" || code=$?
  [ $code -le 1 ]
}
everything() { # case prefix: what lies under an address
  sql "$WORK/$1" "SELECT substr(path, length('$2') + 1), type, kind, live, content_size, modified, runs, sha256 FROM file WHERE path LIKE '$2%' ORDER BY 1, 2, 3"
}
faults() { sql "$WORK/$1" "SELECT kind || ': ' || detail FROM fault"; }
content() { sql "$WORK/$1" "SELECT content FROM volume"; }
same() { # case prefix: as much as in the plain volume, and what was put there
  local all file
  all=$(everything "$1" "$2")
  is "$(everything plain plain.raw/image/)" "$all" || return 1
  for file in a.txt sub/numbers.txt noise.bin; do
    contains "$all" "$(sha256sum <"$WORK/files/$file" | cut -d' ' -f1)" || return 1
  done
}
opens() { # case evidence words option...: with the files of the plain volume, and says so
  local case=$1 evidence=$2 words=$3
  shift 3
  process "$case" "$WORK/$evidence" "$@" && same "$case" "$evidence/image!/image/" && contains "$(content "$case")" "$words"
}
stays() { # case evidence words option...: closed, with the reason
  local case=$1 evidence=$2 words=$3
  shift 3
  process "$case" "$WORK/$evidence" "$@" && contains "$(faults "$case")" "encrypted: encrypted: FileVault (CoreStorage): $words" &&
    is 0 "$(sql "$WORK/$case" "SELECT count(*) FROM file WHERE path LIKE '%!%'")"
}
both() { is "$("$KVALI" digest "$WORK/$1")" "$("$KVALI" digest "$WORK/$2")"; }
refuses() { ! "$@"; }

make --master "$WORK/master-key" "$WORK/plain.raw" "$WORK/fv.raw" && make --wipekey "$WORK/wipekey" "$WORK/plain.raw" "$WORK/system.raw" &&
  make --packed --cloud "$WORK/plain.raw" "$WORK/packed.raw" && make --clear "$WORK/plain.raw" "$WORK/clear.raw" || exit 1
master=$(xxd -p "$WORK/master-key")
promise "the plain volume is read" process plain "$WORK/plain.raw"
promise "without a key it is named" stays none fv.raw "no key was given (FileVault 2, AES-128-XTS, volume 1F8BB7D5-66B9-69A6-480D-A8A485DAE1FD)"
promise "a wrong key is told" stays wrong fv.raw "wrong key: none of the 3 given opens it" --key password:nonsense-words --key "recovery:${RECOVERY/35AJ/35AK}" \
  --key "master:$(tr 0123456789 1234567890 <<<"$master")"
promise "the password opens it after a wrong one, and all is there" opens password fv.raw "opened with password" --jobs 1 --key password:nonsense-words --key "password:$PASSWORD"
promise "the same with two workers" opens two fv.raw "opened with password" --jobs 2 --key password:nonsense-words --key "password:$PASSWORD"
promise "… to the digest" both password two
promise "the recovery key opens it" opens recovery fv.raw "opened with recovery key" --key recovery:$RECOVERY
promise "the volume's own key opens it" opens master fv.raw "opened with master key" --key "master:$master"
head -c 3000 /dev/urandom >"$WORK/noise"
promise "a system volume wants its file of keys" stays nofile system.raw "wrong key: none of the 1 given opens it (FileVault 2" --key "password:$PASSWORD"
promise "… and says which" contains "$(faults nofile)" "EncryptedRoot.plist.wipekey"
promise "… and opens with both, also when another file is tried first" opens system system.raw "opened with password" --key "file:$WORK/noise" --key "password:$PASSWORD" \
  --key "file:$WORK/wipekey"
promise "… and with the recovery key" opens system2 system.raw "opened with recovery key" --key "file:$WORK/wipekey" --key recovery:$RECOVERY
promise "packed keys open behind a user who has no password" opens packed packed.raw "opened with password" --key "password:$PASSWORD"
promise "a volume that is not encrypted opens without a key" opens clear clear.raw "CoreStorage, not encrypted"
if [ -r "${KVALI_CORPUS:-$TOP/../shared/corpus}/images/dfvfs__hfsplus.raw.zst" ]; then
  zstd -dqf "${KVALI_CORPUS:-$TOP/../shared/corpus}/images/dfvfs__hfsplus.raw.zst" -o "$WORK/hfs.raw" && make "$WORK/hfs.raw" "$WORK/hfsv.raw"
  hfs() {
    process hfs "$WORK/hfs.raw" && process hfsv "$WORK/hfsv.raw" --key "password:$PASSWORD" &&
      is "$(everything hfs hfs.raw/image/)" "$(everything hfsv 'hfsv.raw/image!/image/')" && contains "$(everything hfsv hfsv.raw)" "|file|"
  }
  promise "HFS+ in it has all that it has in plain" hfs
else
  skip "no sample of HFS+"
fi
make --volumes 0 "$WORK/plain.raw" "$WORK/odd.raw"
promise "a group without a volume is told" stays empty odd.raw "does not open: its group has no logical volume" --key "password:$PASSWORD"
python3 -B -c 'import sys
with open(sys.argv[1], "r+b") as file: file.seek(int(sys.argv[2])); file.write(b"damaged")' "$WORK/odd.raw" $((40 * 4096 + 3000)) # in the encrypted metadata
promise "… and damaged metadata are told as damaged" stays damaged odd.raw "does not open: its metadata do not open: libfvde_metadata_block_read_data: mismatch in checksum"
for odd in "disks:its group spans several disks (Fusion Drive)" "volumes:its group has 2 logical volumes" "pieces:its logical volume lies in several pieces"; do
  make "--${odd%%:*}" 2 "$WORK/plain.raw" "$WORK/odd.raw"
  promise "2 ${odd%%:*} are refused" stays "odd-${odd%%:*}" odd.raw "does not open: ${odd#*:}" --key "password:$PASSWORD"
done
make --status Converting "$WORK/plain.raw" "$WORK/half.raw"
promise "a volume of which half is encrypted is refused" stays half half.raw "does not open: it is in the middle of being encrypted or decrypted (Converting)" --key "password:$PASSWORD"
truncate -s 1M "$WORK/zeros" && make "$WORK/zeros" "$WORK/other.raw"
promise "what does not look like HFS+ to libfvde stays closed, and the key is not blamed" stays other other.raw "does not open: FileVault 2, volume 1F8BB7D5-66B9-69A6-480D-A8A485DAE1FD: the key is right" \
  --key "password:$PASSWORD"
mkdir "$WORK/holder" && cp "$WORK/fv.raw" "$WORK/holder/disk.img" && truncate -s 16M "$WORK/outer.raw" && mke2fs -q -F -t ext4 -d "$WORK/holder" "$WORK/outer.raw"
inside() { process outer "$WORK/outer.raw" --key "password:$PASSWORD" && same outer "outer.raw/image/ext4/disk.img!/image/"; }
promise "a volume in a file opens, too" inside
promise "show gives a file back with its key" is "$(sha256sum <"$WORK/files/noise.bin")" \
  "$("$KVALI" show "$WORK/password" "fv.raw/image!/image/fat16/noise.bin" --bytes --key "password:$PASSWORD" | sha256sum)"
promise "… and not without" refuses "$KVALI" show "$WORK/password" "fv.raw/image!/image/fat16/noise.bin" --bytes
promise "a recovery key of another form is refused: exit 2" exits 2 "$KVALI" process "$WORK/fv.raw" --case "$WORK/form" --key "recovery:35AJ-AC98"
promise "… and not repeated" refuses grep -q 35AJ "$WORK/out"

cases=()
for database in "$WORK"/*/case.db; do
  cases+=("${database%/case.db}")
done
no_keys() { python3 -B "$TOP/tests/integration/keys.py" "$PASSWORD" nonsense-words $RECOVERY "@$WORK/master-key" -- "${cases[@]}"; }
promise "no key is left in any of ${#cases[@]} cases" no_keys
finish
