#!/bin/sh
# includes.sh ROOT: every include of every room against the list in the room's README.
set -eu
cd "${1:?usage: includes.sh ROOT}"
failed=0
for room in protocol states src/io src/core src/edge src/cli guest tests/stories tests/diagram tests/sim fuzz; do
    [ -d "$room" ] || continue
    sources=$(find "$room" -maxdepth 1 -name '*.[ch]' | sort)
    [ -n "$sources" ] || continue
    if ! grep -q '^## May include' "$room/README.md" 2>/dev/null; then
        echo "$room/README.md:1: has no list \"## May include\""
        failed=1
        continue
    fi
    # shellcheck disable=SC2086 # names of sources have no blanks
    awk -f tests/lint/includes.awk "$room/README.md" $sources || failed=1
done
exit $failed
