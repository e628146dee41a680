#!/bin/sh
# self_test.sh ROOT: whether each lint refuses what it is for, on a small tree made for it.
set -eu
root=${1:?usage: self_test.sh ROOT}
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/states" "$tree/protocol" "$tree/tests/lint"
cp "$root/tests/lint/includes.awk" "$tree/tests/lint/"
printf '## May include\n\n- ours: states/, protocol/code.h\n- others: C standard headers; `yajl/` in json*.c\n' >"$tree/states/README.md"
printf "## May include\n\n- ours: protocol/\n- others: C standard headers\n" >"$tree/protocol/README.md"
: >"$tree/protocol/code.h"
: >"$tree/protocol/wire.h"

# refused LINT WORDS FILE: FILE's text comes on standard input; the lint must complain of it with WORDS.
refused() {
    cat >"$tree/states/$3"
    if "$root/tests/lint/$1" "$tree" >"$tree/said" 2>&1; then
        echo "$1 takes what it should refuse: $2"
        exit 1
    fi
    grep -q -- "$2" "$tree/said" || { echo "$1 does not say \"$2\" but:"; cat "$tree/said"; exit 1; }
    rm "$tree/states/$3"
}

# taken LINT FILE: the same, and the lint must be content.
taken() {
    cat >"$tree/states/$2"
    "$root/tests/lint/$1" "$tree" || { echo "$1 refuses what it should take"; exit 1; }
    rm "$tree/states/$2"
}

echo '#include <string.h>' | taken includes.sh a.c
echo '#include "protocol/code.h"' | taken includes.sh a.c
echo '#include <yajl/yajl_parse.h>' | taken includes.sh json_read.c
echo '#include <unistd.h>' | refused includes.sh 'not in the list' a.c
echo '#include <lmdb.h>' | refused includes.sh 'not in the list' a.c
echo '#include <yajl/yajl_parse.h>' | refused includes.sh 'is for json' a.c
echo '#include <yajl/yajl_parse.h>' | refused includes.sh 'stays out of headers' a.h
echo '#include "protocol/wire.h"' | refused includes.sh 'not in the list' a.c
echo '#include "states/nothing.h"' | refused includes.sh 'not spelled from the root' a.c

{ echo 'void f(void)'; echo '{'; yes '    g();' | head -58; echo '}'; } | taken sizes.sh a.c
{ echo 'void f(void)'; echo '{'; yes '    g();' | head -59; echo '}'; } | refused sizes.sh 'function of 61 lines' a.c
yes '/* */' | head -501 | refused sizes.sh 'more than 500' a.c

echo '/* a template is kiln-XX''XXXX */' | taken words.sh a.c
echo '/* TO''DO: later */' | refused words.sh 'notes to oneself' a.c
echo '#if 0' | refused words.sh 'switched off' a.c
echo '#ifdef KILN_TEST' | refused words.sh 'does not know of tests' a.c

printf 'int puts(const char *);\nint a(void);\nint a(void)\n{\n    return puts("x");\n}\n' >"$tree/a.c"
(cd "$tree" && "${CC:-cc}" -c a.c && ar rc liba.a a.o)
if "$root/tests/lint/purity.sh" "$tree/liba.a" "$root/tests/lint/pure/states" >"$tree/said"; then
    echo "purity.sh takes a call to puts"
    exit 1
fi
grep -q 'calls puts' "$tree/said"
