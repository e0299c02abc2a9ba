#!/bin/bash
# make-bad.sh OUTDIR: evidence and rules with something wrong, for tests/integration/bad_input.sh. No root, no mounts.
#
#   empty.raw               no bytes
#   text.raw                a text, not a disk
#   zeros.raw               8 MiB of zeros
#   truncated.E01           the first half of a good E01
#   missing-segment.E01     three segments, of which .E02 is not there
#   looping-extended.raw    DOS partitions: the chain of extended ones comes back to where it was
#   overlapping.raw         GPT, checksums right, whose second partition begins inside the first
#   deep.raw                ext4: 300 folders one in another, a file f<level> in each
#   hole.raw                ext4: hole.bin with a hole larger than the file system, and its last bytes
#   damaged-ext4.raw        ext4 whose superblock keeps its magic number and little else
#   split.001, .003         split raw without its .002
#   broken.yar              two good rules and, in line 8, one that does not compile
set -euo pipefail
export LC_ALL=C TZ=UTC0 PATH="$PATH:/usr/sbin:/sbin"
export E2FSPROGS_FAKE_TIME=1768471200

out=${1:?usage: make-bad.sh OUTDIR}
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

le32() { # N: four bytes, little endian, as printf escapes
    printf '\\x%02x\\x%02x\\x%02x\\x%02x' $(($1 & 255)) $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24 & 255))
}

poke() { # FILE OFFSET ESCAPED-BYTES
    # shellcheck disable=SC2059
    printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

make_ext4() { # FILE MiB [mke2fs options]
    local file=$1 size=$2
    shift 2
    truncate -s "${size}M" "$file"
    mke2fs -q -F -t ext4 -O ^has_journal -U 6b76616c-6900-4000-8000-00000000000b \
        -E hash_seed=6b76616c-6900-4000-8000-0000000000ff "$@" "$file"
}

# ---- files that are no disks

: >"$out/empty.raw"
printf 'This is a letter, not a disk.\n%.0s' {1..300} >"$out/text.raw"
truncate -s 8M "$out/zeros.raw"

# ---- containers

# 2.5 MiB of no pattern: three segments of 1 MiB.
seq 1 2000000 | gzip -n1 >"$work/noise.gz"
head -c 2560K "$work/noise.gz" >"$work/noise.raw"

acquire() { # TARGET [options]: noise.raw as an E01
    local target=$1
    shift
    ewfacquire -q -u -t "$target" -f encase6 -d sha1 -D noise -C bad -E bad -e test -N test "$@" "$work/noise.raw" \
        </dev/null >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
}

acquire "$work/whole" -c none
head -c $(($(stat -c %s "$work/whole.E01") / 2)) "$work/whole.E01" >"$out/truncated.E01"

acquire "$work/segments" -c none -S 1MiB
[ -f "$work/segments.E03" ] && [ ! -f "$work/segments.E04" ]
for number in 1 3; do
    cp "$work/segments.E0$number" "$out/missing-segment.E0$number"
done

head -c 1M "$work/noise.raw" >"$out/split.001"
tail -c 1M "$work/noise.raw" >"$out/split.003"

# ---- partition tables

partition() { # FILE TABLE-SECTOR SLOT TYPE START SECTORS
    poke "$1" $(($2 * 512 + 446 + $3 * 16)) "\\0\\0\\0\\0\\x$4\\0\\0\\0$(le32 "$5")$(le32 "$6")"
    poke "$1" $(($2 * 512 + 510)) '\x55\xaa'
}

# A primary, and an extended one with two logical: the second table's link leads back to the first.
loop=$out/looping-extended.raw
truncate -s 8M "$loop"
partition "$loop" 0 0 83 64 2048
partition "$loop" 0 1 05 4096 8192
partition "$loop" 4096 0 83 64 512
partition "$loop" 4096 1 05 2048 2048
partition "$loop" 6144 0 83 64 512
partition "$loop" 6144 1 05 0 2048

crc32() { # stdin: its CRC-32 as printf escapes, in gzip's trailer already little endian
    gzip -c | tail -c 8 | head -c 4 | od -An -tx1 -v | tr -d '\n' | sed 's/ /\\x/g'
}

overlap=$out/overlapping.raw
truncate -s 16M "$overlap"
sgdisk -U 6B76616C-6900-4000-8000-000000000010 \
    -n 1:1M:+8M -t 1:8300 -u 1:6B76616C-6900-4000-8000-000000000011 -c 1:first \
    -n 2:10M:+4M -t 2:8300 -u 2:6B76616C-6900-4000-8000-000000000012 -c 2:second "$overlap" >/dev/null
make_ext4 "$work/first" 8
dd if="$work/first" of="$overlap" bs=1M seek=1 conv=notrunc,sparse status=none
# Header in sector 1 with the table in sector 2, and their copies at the end.
sectors=$((16 * 2048))
for place in "1 2" "$((sectors - 1)) $((sectors - 33))"; do
    read -r header table <<<"$place"
    poke "$overlap" $((table * 512 + 128 + 32)) "$(le32 $((5 * 2048)))"
    poke "$overlap" $((header * 512 + 88)) "$(dd if="$overlap" bs=512 skip="$table" count=32 status=none | crc32)"
    poke "$overlap" $((header * 512 + 16)) '\0\0\0\0'
    poke "$overlap" $((header * 512 + 16)) "$(dd if="$overlap" bs=512 skip="$header" count=1 status=none | head -c 92 | crc32)"
done

# ---- file systems

path=$work/deep
for level in {1..300}; do
    path=$path/$((level % 10))
    mkdir -p "$path"
    echo "level $level" >"$path/f$level"
done
make_ext4 "$out/deep.raw" 16 -d "$work/deep"

mkdir "$work/hole"
truncate -s 64M "$work/hole/hole.bin"
echo 'the end of a long hole' >>"$work/hole/hole.bin"
make_ext4 "$out/hole.raw" 16 -d "$work/hole"

make_ext4 "$out/damaged-ext4.raw" 16 -d "$work/hole"
super=1024
poke "$out/damaged-ext4.raw" $((super + 0)) "$(le32 0)$(le32 4294967295)"   # inodes, blocks
poke "$out/damaged-ext4.raw" $((super + 24)) "$(le32 200)"                  # block size: 2^(10 + 200)
poke "$out/damaged-ext4.raw" $((super + 32)) "$(le32 0)$(le32 0)$(le32 0)"  # per group: blocks, clusters, inodes

# ---- rules

cat >"$out/broken.yar" <<'END'
rule good_one
{
    condition: filesize > 0
}

rule broken
{
    condition: $nothing and
}

rule good_two
{
    condition: filesize > 1
}
END
