#!/bin/sh
# make-sample.sh OUT: writes a small disk image with files made up for it: GPT; NTFS, ext4, FAT32; live, deleted,
# alternate-stream, nested and Georgian-named files. Needs no root, no mount, no loop device. The same bytes every time.
#
# Beside it: OUT.sha256, and OUT.truth.tsv with what is in it: part, state (live, deleted, ads), path, size, md5.
# <image name>/<part>/<path> is the file's address in a case.
#
# Packages: the "sample" list in tools/packages.txt, and a C compiler.
set -eu
export LC_ALL=C.UTF-8 TZ=UTC0 PATH="$PATH:/usr/sbin:/sbin"
umask 022

out=${1:?usage: make-sample.sh OUT}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
src=$work/src
truth=$work/truth.tsv
mkdir "$src"

MiB=1048576
now=1768471200 # 2026-01-15T10:00:00Z, when everything here was made
export SOURCE_DATE_EPOCH=$now E2FSPROGS_FAKE_TIME=$now

# Runs a tool that says more than we want to hear, unless it fails.
quiet() {
    "$@" >"$work/log" 2>&1 && return
    cat "$work/log" >&2
    echo "make-sample.sh: failed: $*" >&2
    exit 1
}

# ---- contents

text() { printf 'კვალი / kvali, a sample file made for tests.\n%s\n' "$1"; }

jpeg() {
    base64 -d <<'END'
/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDACgcHiMeGSgjISMtKygwPGRBPDc3PHtYXUlkkYCZlo+AjIqgtObDoKrarYqMyP/L2u71
////m8H////6/+b9//j/wAALCAAgADABAREA/8QAGAAAAwEBAAAAAAAAAAAAAAAAAAIEAwX/xAAnEAACAQMCAwkAAAAAAAAAAAAB
AgMABCEREgUVQTRRUnKRobHR8P/aAAgBAQAAPwDrTSrDEZGBIHdUVvf7p2V9xDsAmBjPX2p+K9mXzj4NHCuzN5z8CkuL/bOqpuAR
iHwM56e9WwyrNEJFBAPfUvNIPDJ6D7rKK8tonkdVlJkOp1A/daS9vI7iEIisCG1yKLK8jt4SjqxJbXAp5by2leN2WUGM6jQD90rX
mkHhk9B90crg8UnqPqsorO2leRFaUGM6HUj90pL2zjt4Q6MxJbTJosrOO4hLuzAhtMGnls7aJ40ZpSZDoNCP3WteVweKT1H1VU0S
zRGNiQD3VFb2G2dmfcAjApkZz19qfivZl84+DRwrszec/ApLiw3TqybiHYl8jGenvVsMSwxCNSSB31//2Q==
END
}

png() {
    base64 -d <<'END'
iVBORw0KGgoAAAANSUhEUgAAADAAAAAgAQMAAABuGmlfAAAABlBMVEX////gECCNjDFHAAAAK0lEQVR42mNgYGB/wAACEKqA/QEf
OsX8j/1B/QE0CqtKVMP+gwExFO0cAQBpgU67xfU02wAAAABJRU5ErkJggg==
END
}

make_contents() {
    text 'ეს არის ქართული დოკუმენტი. ვეფხისტყაოსანი, შოთა რუსთაველი.' >"$src/georgian.txt"
    { printf '\377\376'; iconv -f UTF-8 -t UTF-16LE "$src/georgian.txt"; } >"$src/georgian-utf16.txt"
    text 'Meeting at the Rike park at noon. Call +995 555 010 203 or write to nino@example.ge.' >"$src/notes.txt"
    text 'The second page of the notes, kept where nobody looks.' >"$src/hidden.txt"
    printf '[ZoneTransfer]\r\nZoneId=3\r\nHostUrl=https://files.example.ge/eicar.com\r\n' >"$src/zone.txt"
    seq -f 'INV-2025-%05g;2025-11-03;Tbilisi;125.00;GEL' 6000 >"$src/ledger.csv"
    seq -f 'Nov  3 11:25:00 tbilisi sshd[812]: Failed password for root from 192.0.2.17 port %g' 40000 44000 >"$src/auth.log"
    seq 1 40000 | gzip -n9 >"$src/archive.gz"
    text 'This plan was deleted.' >"$src/plan.txt"
    jpeg >"$src/photo.jpg"
    png >"$src/flag.png"
    : >"$src/empty"
    # shellcheck disable=SC2016
    # The EICAR anti-virus test file, put together here so that no scanner takes this script for it.
    printf '%s%s' 'X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD' '-ANTIVIRUS-TEST-FILE!$H+H*' >"$src/eicar.com"
    # 20 MiB and 24 MiB that take a few blocks on the disk.
    text 'The end of a sparse file.' >"$src/tail.txt"
    for size in 20 24; do
        truncate -s "${size}M" "$src/sparse$size"
        dd if="$src/tail.txt" of="$src/sparse$size" bs=4096 seek=$((size * MiB / 4096 - 1)) conv=notrunc status=none
    done
    tail -c 4096 "$src/sparse20" >"$src/tail20"
    touch -d "@$((now - 7200))" "$src"/*
}

# know PART STATE PATH SOURCE: one line of the truth.
know() {
    printf '%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$(stat -c %s "$src/$4")" "$(md5sum <"$src/$4" | cut -d' ' -f1)" >>"$truth"
}

# ---- NTFS: through libntfs-3g (ntfsfill.c)

say() { (IFS='	'; printf '%s\n' "$*") >>"$work/ntfs.script"; }

ntfs_file() { # PATH SOURCE [STATE]
    say file "/$1" "$src/$2"
    know p1/ntfs "${3:-live}" "$1" "$2"
}

ntfs_stream() { # PATH NAME SOURCE
    say stream "/$1" "$2" "$src/$3"
    know p1/ntfs ads "$1:$2" "$3"
}

make_ntfs() { # IMAGE MiB
    truncate -s "$2M" "$1"
    quiet mkntfs -F -Q -T -L KVALI-NTFS -s 512 -c 4096 -p 2048 -H 255 -S 63 "$1"
    # shellcheck disable=SC2046
    quiet "${CC:-cc}" -O1 -o "$work/ntfsfill" "$here/ntfsfill.c" $(pkg-config --cflags --libs libntfs-3g)

    say clock $((now - 86400 * 30))
    for folder in Users Users/nino Users/nino/Documents Users/nino/Documents/საქართველო Users/nino/Downloads \
        Users/nino/Pictures Logs; do
        say mkdir "/$folder"
    done
    say compress /Logs
    say clock $((now - 86400))
    ntfs_file Users/nino/Documents/notes.txt notes.txt
    ntfs_stream Users/nino/Documents/notes.txt page2 hidden.txt
    ntfs_stream Users/nino/Documents/notes.txt archive.gz archive.gz
    ntfs_file Users/nino/Documents/საქართველო/დოკუმენტი.txt georgian.txt
    ntfs_file 'Users/nino/Documents/საქართველო/დოკუმენტი UTF-16.txt' georgian-utf16.txt
    ntfs_file Users/nino/Documents/empty.txt empty
    ntfs_file Users/nino/Documents/ledger.csv ledger.csv
    ntfs_file Users/nino/Documents/plan.txt plan.txt deleted
    ntfs_file Users/nino/Documents/old-ledger.csv archive.gz deleted
    ntfs_file Users/nino/Downloads/eicar.com eicar.com
    ntfs_stream Users/nino/Downloads/eicar.com Zone.Identifier zone.txt
    ntfs_file Users/nino/Pictures/flag.png flag.png
    ntfs_file Users/nino/Pictures/recipe.txt photo.jpg # not what its name says
    ntfs_file Logs/auth.log auth.log                   # compressed by the file system
    say sparse /Users/nino/disk.bin $((20 * MiB)) "$src/tail20"
    know p1/ntfs live Users/nino/disk.bin sparse20
    say link /Users/nino/Documents/notes.txt /Users/nino/Downloads/notes-copy.txt
    know p1/ntfs live Users/nino/Downloads/notes-copy.txt notes.txt
    know p1/ntfs ads Users/nino/Downloads/notes-copy.txt:page2 hidden.txt
    know p1/ntfs ads Users/nino/Downloads/notes-copy.txt:archive.gz archive.gz
    say clock "$now"
    say rm /Users/nino/Documents/plan.txt
    say rm /Users/nino/Documents/old-ledger.csv
    quiet "$work/ntfsfill" "$1" <"$work/ntfs.script"
}

# ---- ext4: through debugfs

ext() { printf '%s\n' "$*" >>"$work/ext.script"; }

ext_file() { # PATH SOURCE [STATE]
    ext "write $src/$2 \"$1\""
    know p2/ext4 "${3:-live}" "$1" "$2"
}

make_ext4() { # IMAGE MiB
    truncate -s "$2M" "$1"
    quiet mke2fs -q -F -t ext4 -b 4096 -L kvali-ext4 -U 6b76616c-6900-4000-8000-000000000002 \
        -E hash_seed=6b76616c-6900-4000-8000-0000000000ff,root_owner=0:0 "$1"
    for folder in home home/giorgi home/giorgi/სამუშაო home/giorgi/.hidden var var/log deep; do
        ext "mkdir $folder"
    done
    ext_file home/giorgi/.hidden/eicar.com eicar.com
    ext_file home/giorgi/სამუშაო/ანგარიში.txt georgian.txt
    ext_file 'home/giorgi/Tom & <b>Jerry.txt' notes.txt
    long=$(printf 'ა%.0s' $(seq 85)) # 255 bytes, the longest name there is
    ext_file "home/giorgi/$long" hidden.txt
    ext_file home/giorgi/notes-again.txt notes.txt
    ext_file home/giorgi/empty empty
    ext_file home/giorgi/sparse.bin sparse24
    ext_file var/log/auth.log auth.log
    ext_file home/giorgi/plan.txt plan.txt deleted
    ext_file home/giorgi/backup.gz archive.gz deleted

    ext 'ln home/giorgi/notes-again.txt home/giorgi/notes-link.txt'
    ext 'sif home/giorgi/notes-again.txt links_count 2'
    know p2/ext4 live home/giorgi/notes-link.txt notes.txt
    ext 'symlink home/giorgi/log /var/log/auth.log'
    ext 'symlink home/giorgi/nowhere ../../no/such/file'
    ext 'cd home/giorgi'
    ext 'mknod pipe p'
    ext 'mknod console c 5 1'
    ext 'cd /'

    # 140 levels: more than libtsk's own walk would follow.
    path=deep
    ext 'cd deep'
    for level in $(seq 140); do
        ext "mkdir $level"
        ext "cd $level"
        path=$path/$level
    done
    ext "write $src/notes.txt bottom.txt"
    know p2/ext4 live "$path/bottom.txt" notes.txt
    ext 'cd /'
    ext "sif home/giorgi/notes-again.txt mtime @$((now - 86400 * 200))"
    ext 'rm home/giorgi/plan.txt'
    ext 'rm home/giorgi/backup.gz'
    quiet debugfs -w -f "$work/ext.script" "$1"
    # debugfs succeeds whatever its commands say: what is not an echo of a command is an error.
    if grep -vE '^(debugfs[: ]|Allocated inode: |$)' "$work/log" >&2; then
        echo 'make-sample.sh: debugfs failed' >&2
        exit 1
    fi
}

# ---- FAT32: through mtools

fat_file() { # PATH SOURCE [STATE]
    mcopy -m -i "$fat" "$src/$2" "::$1"
    know p3/fat32 "${3:-live}" "$1" "$2"
}

make_fat() { # IMAGE MiB
    fat=$1
    truncate -s "$2M" "$fat"
    quiet mkfs.vfat --invariant -F 32 -s 1 -i 4b56414c -n KVALI-FAT "$fat"
    mmd -i "$fat" ::DCIM ::DCIM/100CANON ::საბუთები
    fat_file DCIM/100CANON/IMG_0001.JPG photo.jpg
    fat_file 'საბუთები/ხელშეკრულება 2026.txt' georgian.txt
    fat_file 'A long file name on FAT.csv' ledger.csv
    fat_file FLAG.PNG flag.png
    fat_file EMPTY.TXT empty
    fat_file 'deleted picture of the meeting.jpg' photo.jpg deleted
    fat_file 'deleted archive.gz' archive.gz deleted
    mdel -i "$fat" '::deleted picture of the meeting.jpg' '::deleted archive.gz'
}

# ---- the disk

put() { # PART MiB-OFFSET
    dd if="$work/$1" of="$work/disk" bs=$MiB seek="$2" conv=notrunc,sparse status=none
}

make_disk() {
    guid=6B76616C-6900-4000-8000-0000000000
    truncate -s 112M "$work/disk"
    quiet sgdisk -U "${guid}00" \
        -n 1:1M:+32M -t 1:0700 -u "1:${guid}01" -c 1:Windows \
        -n 2:33M:+32M -t 2:8300 -u "2:${guid}02" -c 2:Linux \
        -n 3:66M:+44M -t 3:0700 -u "3:${guid}03" -c 3:Card "$work/disk"
    put ntfs 1
    put ext4 33
    text 'Written between two partitions.' >"$work/gap"
    put gap 65
    put fat32 66
}

make_contents
printf '# part\tstate\tpath\tsize\tmd5\n' >"$truth"
make_ntfs "$work/ntfs" 32
make_ext4 "$work/ext4" 32
make_fat "$work/fat32" 44
make_disk

cp --sparse=always "$work/disk" "$out"
cp "$truth" "$out.truth.tsv"
(cd "$(dirname "$out")" && sha256sum "$(basename "$out")") >"$out.sha256"
