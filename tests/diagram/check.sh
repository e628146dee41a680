#!/bin/sh
# check.sh DIAGRAM README [update]: whether the part of README between its markers is what DIAGRAM prints.
# With `update` it is made so. Exit status 1 when they differ.
set -eu
diagram=$1 readme=$2 update=${3:-}
new=$(mktemp) && printed=$(mktemp)
trap 'rm -f "$new" "$printed"' EXIT

"$diagram" >"$printed"
awk -v printed="$printed" '
    /^<!-- tables: end -->/ { inside = 0 }
    !inside { print }
    /^<!-- tables: begin/ {
        inside = 1
        found = 1
        while ((getline line <printed) > 0) print line
    }
    END { exit !found }
' "$readme" >"$new" || { echo "$readme has no markers" >&2; exit 1; }

if [ "$update" = update ]; then
    cat "$new" >"$readme"
elif ! diff -u "$readme" "$new" >&2; then
    echo "$readme is not what the tables say: run 'ninja diagrams'" >&2
    exit 1
fi
