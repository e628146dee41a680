#!/bin/sh
# tidy.sh ROOT BUILD: whether clang-tidy has nothing to say about the product; ROOT/.clang-tidy is what it is asked, and why not more.
# One process a file: the analyzer remembers things of one file when it comes to the next. It takes minutes of every processor, and
# takes them from nobody: the tests that run beside it wait for much else, and it has what they leave.
set -eu
cd "${1:?usage: tidy.sh ROOT BUILD}"
build=${2:?usage: tidy.sh ROOT BUILD}
find protocol states guest src -name '*.c' -not -path '*/brick/*' -print0 |
    xargs -0 -n 1 -P "$(nproc)" nice -n 19 clang-tidy -p "$build" --quiet 2>/dev/null
