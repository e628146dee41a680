#!/bin/sh
# purity.sh LIBRARY ALLOWED: whether LIBRARY calls nothing outside itself but what ALLOWED lists (patterns of awk, one a line).
set -eu
library=${1:?usage: purity.sh LIBRARY ALLOWED}
allowed=${2:?usage: purity.sh LIBRARY ALLOWED}
nm -P "$library" | awk -v library="$library" '
    FNR == NR { if ($0 !~ /^#/ && NF) patterns[++count] = "^(" $0 ")$"; next }
    $2 == "U" { wanted[$1] = 1; next }
    NF >= 2 { defined[$1] = 1 }
    END {
        for (name in wanted) {
            fits = name in defined
            for (i = 1; i <= count && !fits; i++)
                fits = name ~ patterns[i]
            if (fits)
                continue
            print library ": calls " name ", which is not on the list of pure functions"
            failed = 1
        }
        exit failed
    }
' "$allowed" -
