#!/bin/sh
# Every rule of lint.sh can fail: a small right tree passes, and each way to break it is found by the rule meant for it.
# Prints TAP.
set -eu
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
number=0

# A tree that keeps every rule.
tree() {
    rm -rf "$work/tree"
    mkdir -p "$work/tree"
    cd "$work/tree"
    mkdir -p engine/base engine/evidence/tsk engine/scan engine/job engine/cli plugins/yara plugins/digest cases
    printf '#ifndef A_H\n#define A_H\n#include <stdint.h>\nuint32_t a(void);\n#endif\n' >engine/base/text.h
    for header in engine/plugin.h engine/scan/record.h engine/evidence/found.h engine/evidence/image.h engine/job/worker.h \
        engine/job/supervisor.h cases/writer.h plugins/yara/yara_version.h; do
        guard=$(echo "$header" | tr a-z/. A-Z__)
        printf '#ifndef %s\n#define %s\n#endif\n' "$guard" "$guard" >$header
    done
    put engine/base/hash.c '<openssl/evp.h>' '"engine/base/text.h"'
    put engine/evidence/tsk/tsk_walk.c '<tsk/libtsk.h>' '"engine/evidence/image.h"'
    put engine/job/worker.c '"engine/job/worker.h"' '"engine/evidence/image.h"'
    put engine/job/supervisor.c '"engine/job/supervisor.h"' '"cases/writer.h"' '"engine/evidence/found.h"'
    put plugins/yara/yara.c '<yara.h>' '"engine/plugin.h"' '"plugins/yara/yara_version.h"'
    put cases/db.c '<sqlite3.h>' '"cases/writer.h"' '<sys/stat.h>'
}

put() { # FILE INCLUDE…
    file=$1
    shift
    printf '#include %s\n' "$@" >"$file"
}

# Which rules complain, by number. Compiling takes longest, and is for those who ask for it.
complaints() { # RULES that are expected
    compiler=true
    case $1 in 4 | '') compiler=${CC:-cc} ;; esac
    CC=$compiler "$here/lint.sh" "$work/tree" 2>/dev/null | sed -n 's/^not ok \([0-9]*\) .*/\1/p' | xargs
}

expect() { # RULES SENTENCE
    number=$((number + 1))
    got=$(complaints "$1")
    if [ "$got" = "$1" ]; then
        echo "ok $number - $2"
    else
        echo "not ok $number - $2"
        echo "$2: expected complaints of rule '$1', got '$got'" >&2
    fi
    tree
}

tree
expect '' 'a tree that keeps the rules passes'
put engine/base/text.c '"engine/evidence/image.h"'
expect 1 'base may not include evidence'
put engine/evidence/image.c '"engine/scan/scanner.h"'
expect 1 'evidence may not include scan'
put engine/job/worker_program.c '"cases/writer.h"'
expect 1 'a worker may not include cases'
put engine/job/zygote.c '"engine/job/supervisor.h"'
expect 1 'a zygote may not include the supervisor, which includes cases'
put engine/evidence/image.c '"cases/db.h"'
expect 1 'evidence may not include cases'
put engine/scan/scanner.c '"cases/db.h"'
expect 1 'scan may not include cases'
put engine/job/plan.c '"engine/evidence/image.h"'
expect 1 'the supervisor may not include evidence'
put engine/cli/cmd_show.c '"engine/evidence/image.h"'
expect 1 'a command may not include evidence'
put cases/query.c '"engine/scan/scanner.h"'
expect 1 'cases may include no more of scan than records'
put plugins/digest/digest.c '"engine/scan/scanner.h"'
expect 1 'a plugin may not include the scanner'
put plugins/digest/digest.c '"cases/db.h"'
expect 1 'a plugin may not include cases'
put plugins/digest/digest.c '"plugins/yara/yara_version.h"'
expect 1 'a plugin may not include another plugin'
mkdir engine/elsewhere && put engine/elsewhere/new.c '"engine/base/text.h"'
expect 1 'a folder that layers.txt does not know is found'
for pair in sqlite3.h:cases/query.c jansson.h:cases/db.c yara.h:plugins/digest/digest.c magic.h:plugins/digest/digest.c \
    libewf.h:engine/evidence/image.c tsk/libtsk.h:engine/evidence/image.c seccomp.h:engine/job/worker.c \
    openssl/sha.h:plugins/digest/digest.c xxhash.h:cases/db.c; do
    put "${pair#*:}" "<${pair%%:*}>"
    expect 2 "<${pair%%:*}> is refused in ${pair#*:}"
done
put engine/base/text.c '<curl/curl.h>'
expect 3 'a library without an owner is found'
printf 'uint8_t b(void);\n' >engine/base/buf.h
expect 4 'a header that does not compile alone is found'
printf 'struct twice { int a; };\n' >engine/base/buf.h
expect 4 'a header without a guard is found'
seq 601 | sed 's|^|// |' >engine/base/text.c
expect 5 'a file of 601 lines is found'
: >engine/base/text.o
expect 6 'a generated file is found'
: >disk.E01
expect 6 'evidence is found'
truncate -s 1048577 picture.png
expect 6 'a file larger than 1 MiB is found'
echo 'see /work/notes' >README.md
expect 7 'a path of a machine is found'
for call in 'archive_read_support_filter_all(a)' 'magic_open(MAGIC_COMPRESS)' 'yr_rules_load(name, &rules)' 'system(name)'; do
    echo "int x(void) { return $call; }" >plugins/digest/digest.c
    expect 8 "$call is found"
done
echo "1..$number"
