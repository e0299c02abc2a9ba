#!/usr/bin/env bash
# snapshots: each volume shadow copy of an NTFS volume is a volume of its own, what it shares with the live volume is linked and
# examined once, and logical volumes of LVM2 are read; the findings are the same at any number of workers and after a kill.
# Usage: KVALI=... snapshots.sh
. "$(dirname "$0")/lib.sh"
for tool in mkntfs ntfscp mke2fs python3; do
  command -v $tool >"$WORK/null" || { skip "there is no $tool"; finish; }
done
PLUGINS=digest,archive
process() { # case evidence option...: exit 0 or 1 is done
  local case=$1 evidence=$2 code=0
  shift 2
  "$KVALI" process "$evidence" --case "$WORK/$case" --quiet --plugins $PLUGINS "$@" || code=$?
  [ $code -le 1 ]
}
hash_of() { sha256sum "$1" | cut -d' ' -f1; }
says() { # case text query: the answer has the text
  contains "$(sql "$WORK/$1" "$3")" "$2"
}

# ------------------------------------------------------------------ three states of a volume
cd "$WORK" || exit 1
truncate -s 48M ntfs.raw
mkntfs -q -F -Q -c 4096 -s 512 -p 0 -S 63 -H 255 ntfs.raw >null 2>&1 || exit 1
put() { ntfscp -q -f ntfs.raw "$1" "$2" >null 2>&1; }
python3 -c 'import random; random.seed(1); open("store.bin", "wb").write(random.randbytes(6 << 20))'
python3 -c 'import random; random.seed(2); open("kept.bin", "wb").write(random.randbytes(1000001))'
for state in 1 2 3; do
  python3 -c "import random; random.seed($state + 10); open('changed.$state', 'wb').write(random.randbytes(300000))"
  echo "note of state $state" >note.$state
done
python3 -B -c 'import sys, zipfile; zipfile.ZipFile("kept.zip", "w").writestr("inner.txt", "only in the archive" * 100)'
echo small >small.txt
put store.bin store.bin && put kept.bin kept.bin && put kept.zip kept.zip && put small.txt small.txt && put changed.1 changed.bin && put note.1 note.txt || exit 1
cp ntfs.raw then1.raw
put changed.2 changed.bin && put note.2 note.txt && put kept.zip second.zip || exit 1
cp ntfs.raw then2.raw
put changed.3 changed.bin && put note.3 note.txt && put note.3 new.txt || exit 1
read -r at size <<<"$(python3 -c '
image, store = open("ntfs.raw", "rb").read(), open("store.bin", "rb").read()
start = image.index(store[:4096])
begin = -(-start // 16384) * 16384
end = start
while end < start + len(store) and image[end:end + 4096] == store[end - start:end - start + 4096]:
    end += 4096
print(begin, (end - begin) // 16384 * 16384)')"
python3 -B "$TOP/tests/images/make-snapshots.py" ntfs.raw "$at" "$size" then1.raw then2.raw || exit 1
cd "$TOP" || exit 1

promise "a volume with two snapshots" process one "$WORK/ntfs.raw" --jobs 1
promise "… has them as volumes, oldest first" is "image.vss1|opened: volume shadow copy of 2013-12-03T06:35:09.736378700Z, $(python3 -c 'import uuid; print(uuid.uuid5(uuid.NAMESPACE_OID, "snapshot 0"))')
image.vss2|opened: volume shadow copy of 2013-12-03T07:35:09.736378700Z, $(python3 -c 'import uuid; print(uuid.uuid5(uuid.NAMESPACE_OID, "snapshot 1"))')" \
  "$(sql "$WORK/one" "SELECT key, content FROM volume WHERE type = 'volume shadow copy' ORDER BY key")"
file_is() { # file, address
  is "$(hash_of "$WORK/$1")" "$(sql "$WORK/one" "SELECT sha256 FROM file WHERE path = 'ntfs.raw/$2'")"
}
for state in 1 2; do
  promise "snapshot $state has a changed file as it was" file_is changed.$state "image.vss$state!/image/ntfs/changed.bin"
  promise "… a small one, too" file_is note.$state "image.vss$state!/image/ntfs/note.txt"
  promise "… and what did not change" file_is kept.bin "image.vss$state!/image/ntfs/kept.bin"
  promise "… but not what came later" is 0 "$(sql "$WORK/one" "SELECT count(*) FROM file WHERE path = 'ntfs.raw/image.vss$state!/image/ntfs/new.txt'")"
done
promise "the volume has them as they are" file_is changed.3 "image/ntfs/changed.bin"
streams() { # sha256, how many contents have it, of the names that end so
  is "$2" "$(sql "$WORK/one" "SELECT count(DISTINCT stream) FROM file WHERE sha256 = '$1' AND path LIKE '%$3'")"
}
promise "what three states have is one content" streams "$(hash_of "$WORK/kept.bin")" 1 kept.bin
promise "… so it is in the file's own record" streams "$(hash_of "$WORK/small.txt")" 1 small.txt
promise "… and what lies in an archive is found once for each name of it" is "ntfs.raw/image/ntfs/kept.zip!/inner.txt
ntfs.raw/image/ntfs/second.zip!/inner.txt" \
  "$(sql "$WORK/one" "SELECT path FROM t_stream WHERE path LIKE '%inner.txt' ORDER BY path")"
promise "the free space of a snapshot is what it keeps of it" is 1 "$(sql "$WORK/one" "SELECT coalesce(sum(size), 0) < 2000000 FROM t_stream WHERE path LIKE '%vss1!%/free@%'")"
promise "show gives a file of a snapshot back" is "$(hash_of "$WORK/changed.1")" \
  "$("$KVALI" show "$WORK/one" "ntfs.raw/image.vss1!/image/ntfs/changed.bin" --bytes | sha256sum | cut -d' ' -f1)"
promise "… and one that it shares" is "$(hash_of "$WORK/kept.bin")" \
  "$("$KVALI" show "$WORK/one" "ntfs.raw/image.vss2!/image/ntfs/kept.bin" --bytes | sha256sum | cut -d' ' -f1)"
promise "every byte of the medium is accounted for once" contains "$("$KVALI" report "$WORK/one" --format html --stdout)" "Every byte of EX-1 is accounted for"
promise "two workers" process two "$WORK/ntfs.raw" --jobs 2
promise "… give the same digest" is "$("$KVALI" digest "$WORK/one")" "$("$KVALI" digest "$WORK/two")"
killed() {
  local pid code=0
  "$KVALI" new "$WORK/three" -q && "$KVALI" add "$WORK/three" "$WORK/ntfs.raw" -q || return 1
  for pause in 0.1 0.2 0.3; do
    "$KVALI" run "$WORK/three" --jobs 2 --quiet --plugins $PLUGINS >"$WORK/null" 2>&1 &
    pid=$!
    sleep $pause
    kill -9 $pid 2>"$WORK/null"
    wait $pid 2>"$WORK/null"
  done
  "$KVALI" run "$WORK/three" --quiet --plugins $PLUGINS || code=$?
  [ $code -le 1 ] && is "$("$KVALI" digest "$WORK/one")" "$("$KVALI" digest "$WORK/three")"
}
promise "… and so it is after kill -9" killed

# A catalog of nonsense: told once, and the volume is read.
cp "$WORK/ntfs.raw" "$WORK/odd.raw"
printf '\377\377\377\377\377\377\377\177' | dd of="$WORK/odd.raw" bs=1 seek=$((0x1e00 + 48)) conv=notrunc status=none
promise "a catalog that lies nowhere" process odd "$WORK/odd.raw"
promise "… is a fault" says odd "catalog of snapshots does not open" "SELECT detail FROM fault"
promise "… and the volume is read" is "$(hash_of "$WORK/kept.bin")" "$(sql "$WORK/odd" "SELECT sha256 FROM file WHERE path = 'odd.raw/image/ntfs/kept.bin'")"

# A real one (the volume of the dfvfs project's tests, 1 GiB as QCOW2).
sample=${KVALI_VSS:-}
if [ -r "$sample" ]; then
  promise "a sample made by Windows" process real "$sample"
  promise "… has its snapshots" is "2" "$(sql "$WORK/real" "SELECT count(*) FROM volume WHERE type = 'volume shadow copy' AND content LIKE 'opened: %2013-12-03T%'")"
else
  skip "KVALI_VSS names no volume with snapshots made by Windows"
fi

# ------------------------------------------------------------------ LVM2
mkdir "$WORK/files"
cp "$WORK/kept.bin" "$WORK/changed.1" "$WORK/files"
mke2fs -q -F -t ext4 -d "$WORK/files" "$WORK/linear.raw" 7M 2>"$WORK/null"
mke2fs -q -F -t ext4 -d "$WORK/files" "$WORK/striped.raw" 6M
python3 -B "$TOP/tests/images/make-lvm.py" "$WORK/linear.raw" "$WORK/striped.raw" "$WORK/pv0" "$WORK/pv1" || exit 1
size0=$(stat -c %s "$WORK/pv0") size1=$(stat -c %s "$WORK/pv1")
truncate -s $((1048576 + size0 + size1 + 1048576)) "$WORK/group.raw"
python3 - "$WORK/group.raw" $((size0 / 512)) $((size1 / 512)) <<'PY'
import struct, sys
first, second = int(sys.argv[2]), int(sys.argv[3])
part = lambda start, size: struct.pack("<B3sB3sII", 0, b"\xff" * 3, 0x8e, b"\xff" * 3, start, size)
with open(sys.argv[1], "r+b") as disk:
    disk.seek(446)
    disk.write(part(2048, first) + part(2048 + first, second) + bytes(32) + b"\x55\xaa")
PY
dd if="$WORK/pv0" of="$WORK/group.raw" bs=512 seek=2048 conv=notrunc status=none
dd if="$WORK/pv1" of="$WORK/group.raw" bs=512 seek=$((2048 + size0 / 512)) conv=notrunc status=none
promise "a group on two physical volumes" process group "$WORK/group.raw"
promise "… has its visible logical volumes" is "p1.lv1|opened: LVM2 logical volume group_of_test/linear
p1.lv3|opened: LVM2 logical volume group_of_test/striped" "$(sql "$WORK/group" "SELECT key, content FROM volume WHERE type = 'LVM2 logical volume' ORDER BY key")"
for volume in 1 3; do
  promise "… volume $volume has its files" is "$(hash_of "$WORK/kept.bin")
$(hash_of "$WORK/changed.1")" "$(sql "$WORK/group" "SELECT sha256 FROM file WHERE path LIKE 'group.raw/p1.lv$volume!/image/ext4/%' AND name IN ('kept.bin', 'changed.1') ORDER BY name DESC")"
done
promise "… what is of a type that is not read is told" says group "logical volume group_of_test/mirrored: its segments are of type raid1, which is not read" "SELECT detail FROM fault"
promise "… and nothing else is wrong" is 1 "$(sql "$WORK/group" "SELECT count(*) FROM fault WHERE stage = 'volumes'")"
promise "half of a group" process half "$WORK/pv0"
promise "… has what is wrong with it told" says half "logical volume group_of_test/linear: a physical volume of its group is not at hand" "SELECT detail FROM fault"
cp "$WORK/pv0" "$WORK/broken.raw"
flip "$WORK/broken.raw" $((4096 + 600))
promise "metadata that was damaged" process broken "$WORK/broken.raw"
promise "… is told" says broken "its metadata does not have its checksum" "SELECT detail FROM fault"
finish
