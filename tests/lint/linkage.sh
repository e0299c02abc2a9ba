#!/bin/sh
# linkage.sh KVALI WORKER: the process that parses evidence cannot write the case, and the process that writes the case
# does not parse evidence, because the code for it is not there. Prints TAP.
set -eu
export LC_ALL=C

kvali=${1:?usage: linkage.sh KVALI WORKER}
worker=${2:?usage: linkage.sh KVALI WORKER}
number=0

check() { # PROGRAM SENTENCE LIBRARIES SYMBOLS
    number=$((number + 1))
    found=$(
        readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -E "^lib($3)\\.so" || true
        nm --defined-only "$1" | awk '$2 ~ /[Tt]/ { print $3 "()" }' | grep -E "^($4)\\(" || true
    )
    if [ -z "$found" ]; then
        echo "ok $number - $2"
    else
        echo "not ok $number - $2"
        echo "$found" | sed "s|^|${1##*/} has |" >&2
    fi
}

# The check itself: these are there.
has() { # PROGRAM LIBRARY
    readelf -d "$1" | grep -q "NEEDED.*\\[lib$2\\.so" || echo "${1##*/} does not need lib$2: this test looks at the wrong program"
}

echo 1..3
check "$kvali" 'kvali links nothing that parses evidence' 'tsk|ewf|yara|magic|archive|afflib|vhdi|vmdk|jpeg|png|hs' \
    'image_open|expand|stream_open|scanner_new|scanner_scan'
check "$worker" 'kvali-worker links nothing that writes a case' 'sqlite3' \
    'db_open|casefile_open|casefile_create|writer_new|ledger_open|ledger_append|queue_streams'
wrong=$(
    has "$kvali" sqlite3
    has "$worker" tsk
)
if [ -z "$wrong" ]; then
    echo 'ok 3 - both programs are what they should be'
else
    echo 'not ok 3 - both programs are what they should be'
    echo "$wrong" >&2
fi
