#!/bin/sh
# named.sh ROOT BUILD: every test that docs/threat-model.md names is one of BUILD's, and every claim in its tables names one.
set -eu
cd "${1:?usage: named.sh ROOT BUILD}"
build=${2:?usage: named.sh ROOT BUILD}
page=docs/threat-model.md
ctest --test-dir "$build" -N | sed -n 's/^ *Test *#[0-9]*: //p' |
    awk -v page="$page" '
        NR == FNR { there[$1] = 1; next }
        {
            named = 0
            for (line = $0; match(line, /`[a-z0-9_]+\/[a-z0-9_\/]+`/); line = substr(line, RSTART + RLENGTH)) {
                name = substr(line, RSTART + 1, RLENGTH - 2)
                named++
                if (!(name in there)) {
                    print page ":" FNR ": there is no test " name
                    failed = 1
                }
            }
            if (/^\| / && !/^\| (can|---) / && !named) {
                print page ":" FNR ": no test is named"
                failed = 1
            }
        }
        END { exit failed || !FNR }' - "$page"
