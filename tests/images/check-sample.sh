#!/bin/sh
# The sample image holds what its truth table says, as The Sleuth Kit's own tools read it, and is the same every time.
# Prints TAP.
set -eu
export LC_ALL=C.UTF-8 TZ=UTC0 PATH="$PATH:/usr/sbin:/sbin"

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo 1..4
say() { # STATUS NUMBER SENTENCE
    if [ "$1" -eq 0 ]; then echo "ok $2 - $3"; else echo "not ok $2 - $3"; fi
}

status=0
"$here/make-sample.sh" "$work/a.dd" && "$here/make-sample.sh" "$work/b.dd" || status=1
say $status 1 'the sample image can be made'

status=0
cmp "$work/a.dd" "$work/b.dd" && cmp "$work/a.dd.truth.tsv" "$work/b.dd.truth.tsv" || status=1
say $status 2 'the sample image is the same every time'

status=0
(cd "$work" && sha256sum --quiet -c a.dd.sha256) || status=1
say $status 3 'the SHA-256 beside it is right'

offset_of() { # PART -> first sector
    case $1 in
    p1/*) echo 2048 ;;
    p2/*) echo 67584 ;;
    p3/*) echo 135168 ;;
    esac
}

# The content of PATH in PART. fls does not go deeper than 128 levels; debugfs does.
content() { # PART PATH
    offset=$(offset_of "$1")
    case $2 in
    deep/*) debugfs -R "cat \"$2\"" "$work/a.dd?offset=$((offset * 512))" 2>/dev/null ;;
    *) icat -r -o "$offset" "$work/a.dd" "$(awk -F'\t' -v path="$2" '$2 == path { sub(/:$/, "", $1); sub(/.* /, "", $1); print $1 }' "$work/${1%/*}.fls")" ;;
    esac
}

for part in p1/ntfs p2/ext4 p3/fat32; do
    fls -rp -o "$(offset_of $part)" "$work/a.dd" >"$work/${part%/*}.fls"
done
status=0
while IFS='	' read -r part state path size md5; do
    case $part in '#'*) continue ;; esac
    content "$part" "$path" >"$work/content" || true
    if [ "$(stat -c %s "$work/content")" != "$size" ] || [ "$(md5sum <"$work/content" | cut -d' ' -f1)" != "$md5" ]; then
        echo "$part $state $path: not what the truth table says" >&2
        status=1
    fi
done <"$work/a.dd.truth.tsv"
say $status 4 'every file in the truth table is there, deleted ones and streams too'
