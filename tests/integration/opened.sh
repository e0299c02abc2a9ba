#!/usr/bin/env bash
# opened: every virtual disk and every encrypted image of the public corpus opens, is named, or stands in KNOWN-LIMITS.md.
# Usage: KVALI=... opened.sh
. "$(dirname "$0")/lib.sh"
corpus=${KVALI_CORPUS:-$TOP/../shared/corpus}
if [ -d "$corpus/images" ] && command -v qemu-img >"$WORK/null" && command -v zstd >"$WORK/null"; then
  TMPDIR=$WORK promise "virtual disks and encrypted images of the public corpus open, are named, or stand in KNOWN-LIMITS.md" \
    python3 -B "$TOP/tests/integration/opened.py" "$KVALI" "$corpus" "$TOP/KNOWN-LIMITS.md"
else
  skip "no corpus in $corpus (KVALI_CORPUS), no qemu-img or no zstd"
fi
finish
