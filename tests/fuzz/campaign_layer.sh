#!/usr/bin/env bash
# campaign_layer: fuzzes encrypted volumes, virtual disks, LVM2 and snapshots for so many seconds each, with libFuzzer and the
# sanitizers; libyal's libraries are those of the system, and are not instrumented.
#   tests/fuzz/campaign_layer.sh [SECONDS [KIND...]]     kinds: luks bitlocker filevault qcow vhd vmdk lvm vshadow
# Seeds are made with qemu-img, cryptsetup and tests/images; BitLocker's are the corpus's (KVALI_CORPUS). Inputs that break something
# stay in $WORK/crashes, and the campaign then fails. LEAKS=1 tells leaks, too.
# Needs clang with libFuzzer (Debian: clang, libclang-rt-14-dev).
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-30}
[ $# -eq 0 ] || shift
kinds=${*:-luks bitlocker filevault qcow vhd vmdk lvm vshadow}
work=${WORK:-$(mktemp -d "${TMPDIR:-/var/tmp}/kvali-fuzz-XXXXXX")}
corpus=${KVALI_CORPUS:-../shared/corpus}
made=$work/made
mkdir -p "$work/crashes" "$made"

flags='-g -O1 -std=gnu17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -I. -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined'
# shellcheck disable=SC2086
clang $flags tests/fuzz/fuzz_layer.c engine/evidence/layer/*.c engine/evidence/key.c engine/base/*.c -o "$work/fuzz_layer" \
  -lqcow -lvhdi -lvmdk -lbfio -lcrypto -largon2 -ljansson -lxxhash -lisal -lz -ldl -lm

# Seeds: the pieces of a medium that are not zeros, as fuzz_layer.c takes them.
seed() { # KIND IMAGE
  mkdir -p "$work/seeds/$1"
  python3 -B - "$2" "$work/seeds/$1/$(basename "$2")" <<'PY'
import struct, sys
data, out, room = open(sys.argv[1], "rb").read(), [], 200000
for at in range(0, len(data), 512):
    part = data[at:at + 512]
    if not part.strip(b"\0"):
        continue
    if out and out[-1][0] + len(out[-1][1]) == at and len(out[-1][1]) < 65536:
        out[-1][1] += part
    elif len(out) < 60 and room > 0:
        out.append([at, bytearray(part)])
    room -= len(part)
    if room <= 0:
        break
open(sys.argv[2], "wb").write(b"SPARSE" + struct.pack("<Q", len(data)) + b"".join(struct.pack("<QI", at, len(part)) + part for at, part in out))
PY
}
truncate -s 4M "$made/plain"
mke2fs -q -F -t ext4 "$made/plain"
printf password >"$made/word"
qemu-img convert -f raw -O luks --object secret,id=s,file="$made/word" -o key-secret=s,iter-time=10 "$made/plain" "$made/luks1" || true
truncate -s 20M "$made/luks2"
cryptsetup -q luksFormat --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file "$made/word" "$made/luks2"
for form in qcow2 qcow vhdx vmdk; do
  qemu-img convert -f raw -O $form "$made/plain" "$made/$form"
done
qemu-img convert -f raw -O vpc "$made/plain" "$made/vhd"
python3 -B tests/images/make-lvm.py "$made/plain" "$made/plain" "$made/lvm0" "$made/lvm1"
[ ! -e "$made/luks1" ] || seed luks "$made/luks1"
seed luks "$made/luks2"
seed qcow "$made/qcow" && seed qcow "$made/qcow2" && seed vhd "$made/vhd" && seed vhd "$made/vhdx" && seed vmdk "$made/vmdk"
truncate -s 64K "$made/hfs"
printf 'H+' | dd of="$made/hfs" bs=1 seek=1024 conv=notrunc status=none
python3 -B tests/images/make-filevault.py --password password "$made/hfs" "$made/filevault" && python3 -B tests/images/make-filevault.py --clear "$made/hfs" "$made/clear"
seed filevault "$made/filevault" && seed filevault "$made/clear"
seed lvm "$made/lvm0" && seed lvm "$made/lvm1"
truncate -s 16M "$made/ntfs"
mkntfs -q -F -Q -c 4096 -s 512 -p 0 -S 63 -H 255 "$made/ntfs" 2>/dev/null
python3 -B tests/images/make-snapshots.py "$made/ntfs" 4194304 2097152 "$made/ntfs" "$made/ntfs" || true
seed vshadow "$made/ntfs"
for image in "$corpus"/images/*bitl*.img.zst; do
  [ ! -r "$image" ] || { zstd -dqf --sparse "$image" -o "$made/$(basename "$image")" && seed bitlocker "$made/$(basename "$image")"; }
done
made_count=0
for options in "xts-128 clear" "cbc-256 clear write" "elephant-128 clear part:2097152" "xts-256 decrypted" "cbc-128 file:$made/key.bek recovery:114367-110407-011000-022000-033000-044000-055000-066000"; do
  # shellcheck disable=SC2086
  python3 -B tests/images/make-bitlocker.py --new ${options%% *} "$made/plain" "$made/bitlocker-$((++made_count))" ${options#* }
  seed bitlocker "$made/bitlocker-$made_count"
done
rm -rf "$made"

broken=0 count=0
for kind in $kinds; do
  count=$((count + 1))
  mkdir -p "$work/grown/$kind" "$work/seeds/$kind"
  if KVALI_LAYER=$kind ASAN_OPTIONS=detect_leaks=${LEAKS:-0} nice -n "${NICE:-0}" "$work/fuzz_layer" -max_total_time="$seconds" -max_len=300000 -timeout="${TIMEOUT:-60}" -rss_limit_mb=3000 \
    -detect_leaks="${LEAKS:-0}" -artifact_prefix="$work/crashes/$kind-" -print_final_stats=1 "$work/grown/$kind" "$work/seeds/$kind" >"$work/log.$kind" 2>&1; then
    echo "ok    $kind: $(awk '/number_of_executed_units/ { print $2 }' "$work/log.$kind") runs"
  else
    broken=$((broken + 1))
    echo "FAIL  $kind: see $work/log.$kind"
  fi
done
echo "$((count - broken)) passed, $broken failed"
[ "$broken" -eq 0 ]
