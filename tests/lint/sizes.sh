#!/bin/sh
# sizes.sh ROOT: the walls of style: 60 lines a function, 500 a file. A function begins and ends with a brace in the first column.
set -eu
cd "${1:?usage: sizes.sh ROOT}"
folders=$(ls -d protocol states src guest web tests fuzz 2>/dev/null || true)
# shellcheck disable=SC2086 # names of folders have no blanks
find $folders -type f \( -name '*.[ch]' -o -name '*.js' -o -name '*.mjs' -o -name '*.sh' \) \
    ! -path '*/node_modules/*' ! -path '*/dist/*' | sort | xargs awk '
    FNR == 1 { begun = 0 }
    /^{/ { begun = FNR }
    /^}/ && begun {
        if (FNR - begun + 1 > 60) {
            printf "%s:%d: a function of %d lines\n", FILENAME, begun, FNR - begun + 1
            failed = 1
        }
        begun = 0
    }
    FNR == 501 {
        printf "%s:501: a file of more than 500 lines\n", FILENAME
        failed = 1
    }
    END { exit failed }
'
