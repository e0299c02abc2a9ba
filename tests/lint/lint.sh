#!/bin/sh
# lint.sh ROOT: what DESIGN and ARCHITECTURE.md say about who includes whom, and a few manners of the tree, as a test.
# The tables are beside it: layers.txt, foreign.txt, long-files.txt. Prints TAP. lint-can-fail.sh breaks each rule.
set -eu
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
cd "${1:?usage: lint.sh ROOT}"
export GIT_CEILING_DIRECTORIES="${PWD%/*}" # this tree, not one around it
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Every file that is tracked, or would be if it were added now. Without git: everything but builds.
git ls-files -co --exclude-standard >"$work/listed" 2>/dev/null ||
    find . \( -name .git -o -name 'build*' \) -prune -o -type f -print | sed 's|^\./||' >"$work/listed"
sort "$work/listed" | while read -r file; do [ ! -f "$file" ] || echo "$file"; done >"$work/files"
grep '\.[ch]$' "$work/files" >"$work/sources" || true

# FILE<TAB>KIND<TAB>HEADER for every #include; KIND is < or ".
xargs -r grep -nHE '^[[:space:]]*#[[:space:]]*include' <"$work/sources" |
    sed -nE 's/^([^:]*):[0-9]+:[[:space:]]*#[[:space:]]*include[[:space:]]*([<"])([^>"]*)[>"].*/\1\t\2\t\3/p' >"$work/includes"
tab=$(printf '\t')

# layers.txt with its short words written out.
awk '$1 == "=" { short = $2; $1 = $2 = ""; means[short] = $0 }
     $1 != "=" && /^[^#]/ { line[++n] = $0 }
     END { for (i = 1; i <= n; i++) {
               words = split(line[i], word, /[ \t]+/); printf "%s", word[1]
               for (j = 2; j <= words; j++) printf " %s", (word[j] in means) ? means[word[j]] : word[j]
               print "" } }' "$here/layers.txt" >"$work/layers"
grep '^[^#]' "$here/foreign.txt" >"$work/foreign"

# A pattern of the shell's as awk has it; fits(text, list): one of the patterns of a list does.
globs='
    function expression(pattern) {
        gsub(/[.+(){}$|]/, "[&]", pattern)
        gsub(/\*/, ".*", pattern)
        gsub(/\?/, ".", pattern)
        return "^" pattern "$"
    }
    function fits(text, list, word, n, i) {
        n = split(list, word, " ")
        for (i = 1; i <= n; i++)
            if (text ~ (word[i] in known ? known[word[i]] : known[word[i]] = expression(word[i])))
                return 1
        return 0
    }'

# ---- the rules: each prints what breaks it, and nothing when it holds

layers() {
    awk -F "$tab" "$globs"'
        FILENAME == ARGV[1] { split($0, word, " "); left[++n] = word[1]; right[n] = substr($0, length(word[1]) + 1); next }
        $2 == "\"" {
            allowed = ""
            for (i = 1; i <= n && !fits($1, left[i]); i++) {}
            if (i <= n)
                allowed = right[i] " "
            folder = $1
            sub(/\/[^\/]*$/, "", folder)
            if (allowed ~ / own /)
                allowed = allowed folder "/*"
            if (!fits($3, allowed))
                print $1 " includes " $3 ", which its line in layers.txt does not allow"
        }' "$work/layers" "$work/includes"
}

foreign() {
    awk -F "$tab" "$globs"'
        FILENAME == ARGV[1] { split($0, word, " "); header[++n] = word[1]; owner[n] = substr($0, length(word[1]) + 1); next }
        $2 == "<" {
            for (i = 1; i <= n; i++)
                if (fits($3, header[i]) && !fits($1, owner[i]))
                    print $1 " includes <" $3 ">, which is for " owner[i] " alone"
        }' "$work/foreign" "$work/includes"
}

# What is neither C's, POSIX's nor Linux's is a foreign library, and needs a line in foreign.txt.
unknown() {
    awk -F "$tab" "$globs"'
        BEGIN {
            system_headers = "assert.h ctype.h errno.h float.h inttypes.h limits.h locale.h math.h setjmp.h signal.h " \
                "stdalign.h stdarg.h stdatomic.h stdbool.h stddef.h stdint.h stdio.h stdlib.h " \
                "stdnoreturn.h string.h strings.h time.h wchar.h uchar.h " \
                "dirent.h dlfcn.h endian.h fcntl.h fnmatch.h ftw.h getopt.h glob.h grp.h iconv.h langinfo.h " \
                "libgen.h poll.h pthread.h pwd.h regex.h sched.h syslog.h termios.h unistd.h sys/* linux/* asm/*"
        }
        FILENAME == ARGV[1] { split($0, word, " "); names = names " " word[1]; next }
        $2 == "<" && !fits($3, system_headers " " names) { print $1 " includes <" $3 ">, which no line of foreign.txt knows" }
        ' "$work/foreign" "$work/includes"
}

alone() {
    grep '\.h$' "$work/sources" >"$work/headers" || return 0
    flags="-std=gnu17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Wall -Wextra -I. -fsyntax-only"
    # Twice, so that its guard is tried as well.
    # shellcheck disable=SC2016
    xargs -P "$(nproc)" -n 1 sh -c '
        printf "#include \"%s\"\n#include \"%s\"\n" "$3" "$3" | ${CC:-cc} $1 -x c - >"$2/$$.log" 2>&1 ||
            echo "$3 does not compile alone: $(grep -m1 error "$2/$$.log")"' sh "$flags" "$work" <"$work/headers"
}

long() {
    grep -E '\.(c|h|sh)$|^kv$|meson\.build$' "$work/files" | xargs -r wc -l | awk '
        FILENAME == ARGV[1] { known[$1] = 1; next }
        $1 > 600 && $2 != "total" && !($2 in known) { print $2 " has " $1 " lines, and no line in long-files.txt" }
        ' "$here/long-files.txt" -
}

tracked() {
    grep -E '\.(o|a|so|gcda|gcno|pyc|orig|rej)$|~$|^core$' "$work/files" | sed 's/$/ is made by a tool/'
    grep -E '\.([Ee]01|dd|raw|img|001|vmdk|vhd|aff)$|(^|/)case\.db$|/ledger\.jsonl$' "$work/files" |
        sed 's/$/ looks like evidence or a case/'
    xargs -r stat -c '%s %n' <"$work/files" | awk '$1 > 1048576 { print $2 " is larger than 1 MiB" }'
}

machine() {
    # The brackets keep this line from finding itself.
    xargs -r grep -InE '(^|[^[:alnum:]_.$}/-])/(wor[k]|roo[t])/' <"$work/files" |
        grep -vE '^tests/lint/lint-can-fail\.sh:' | cut -c1-160 || true
}

# Calls by which a library runs a program or opens a file because evidence, or a rule, says so.
helpers() {
    grep -E '^(engine|plugins|cases)/' "$work/sources" | xargs -r grep -nHE \
        'archive_read_support_filter_(all|program|grzip|lrzip|lzop)|archive_read_set_options|[^_]MAGIC_COMPRESS|yr_rules_load *\(|yr_compiler_add_file|popen *\(|[^_a-z]system\(' |
        cut -c1-160 || true
}

# ---- the report

number=0
check() { # RULE SENTENCE
    number=$((number + 1))
    "$1" >"$work/found"
    if [ -s "$work/found" ]; then
        echo "not ok $number - $2"
        sort -u "$work/found" >&2 # meson shows this of a TAP test
    else
        echo "ok $number - $2"
    fi
}

check layers 'every file includes only what its layer may include'
check foreign 'every foreign library is included by its one owner alone'
check unknown 'every system header is C, POSIX, Linux or a library with an owner'
check alone 'every header compiles alone'
check long 'no file is longer than 600 lines without a reason'
check tracked 'no generated file, evidence or large file is tracked'
check machine 'no path of somebody'"'"'s machine is in a tracked file'
check helpers 'no library is asked to run programs, or to open what evidence names'
echo "1..$number"
