#!/bin/sh
# tidy.sh ROOT BUILD: whether clang-tidy has nothing to say about the product; ROOT/.clang-tidy is what it is asked, and why not more.
# One process a file: the analyzer remembers things of one file when it comes to the next.
set -eu
cd "${1:?usage: tidy.sh ROOT BUILD}"
build=${2:?usage: tidy.sh ROOT BUILD}
find protocol states guest src -name '*.c' -not -path '*/brick/*' -print0 |
    xargs -0 -n 1 -P "$(nproc)" clang-tidy -p "$build" --quiet 2>/dev/null
