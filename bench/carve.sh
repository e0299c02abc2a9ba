#!/usr/bin/env bash
# carve: kvali beside foremost, scalpel and photorec on one image of the carving set, one after the other.
#   bench/carve.sh KVALI IMAGE.raw
# IMAGE.truth.tsv is beside the image (carveset.py makes both). Prints Markdown tables (carve_table.py); what the tools
# wrote is deleted, unless KEEP names a folder for it. TOOLS="kvali photorec" runs only these.
# Needs: foremost, scalpel, testdisk (photorec), GNU time.
#
# scalpel runs with its own configuration, every row of it enabled, and with -p: it says what it would write. On an image
# of 1 GiB that would be terabytes (its rows for MOV and ZIP), so its time is without writing.
set -eu
kvali=$(realpath "$1")
image=$(realpath "$2")
here=$(realpath "$(dirname "$0")")
work=${KEEP:-$(mktemp -d "${TMPDIR:-/var/tmp}/kvali-carve-XXXXXX")}
mkdir -p "$work"
[ -n "${KEEP:-}" ] || trap 'rm -rf "$work"' EXIT
: >"$work/times"

measure() { # name command...
  local name=$1
  shift
  case " ${TOOLS:-kvali foremost scalpel photorec} " in *" $name "*) ;; *) return 0 ;; esac
  rm -rf "${work:?}/$name" "$work/$name".[0-9]*
  cat "$image" >/dev/null
  /usr/bin/time -f "$name %e %U %S %M" -a -o "$work/times" "$@" >"$work/$name.log" 2>&1 </dev/null ||
    [ $? -eq 1 ] || echo "$name failed: see $work/$name.log" >&2
}

sed -E 's/^#([[:space:]]+[A-Za-z0-9]+[[:space:]]+[yn][[:space:]]+[0-9])/\1/' /etc/scalpel/scalpel.conf >"$work/scalpel.conf"
measure kvali "$kvali" process "$image" --type raw --case "$work/kvali" --plugins carve,digest \
  --set "carve.signatures=$(realpath "$here/../rules/carve")" --quiet
measure foremost foremost -Q -t all -i "$image" -o "$work/foremost"
measure scalpel scalpel -p -c "$work/scalpel.conf" -o "$work/scalpel" "$image"
measure photorec photorec /d "$work/photorec" /cmd "$image" \
  partition_none,options,paranoid,fileopt,everything,enable,search
python3 "$here/carve_table.py" "$work" "$image"
