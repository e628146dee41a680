#!/bin/sh
# cppcheck.sh ROOT: whether cppcheck has nothing to say about the product.
# Not asked for: missingIncludeSystem, as the libraries' own headers are not looked into; variableScope, as names are declared
# where a block begins; ctuuninitvar, as it takes an output parameter for an input; redundantContinue, as it is how an empty loop is written.
# The lists of sys/queue.h are macros, without which cppcheck sees no code.
set -eu
cd "${1:?usage: cppcheck.sh ROOT}"
for folder in protocol states guest src; do
    [ -d "$folder" ] && set -- "$@" "$folder"
done
shift
queue=$(echo '#include <sys/queue.h>' | ${CC:-cc} -E -M -x c - | grep -o '/[^ ]*queue.h')
exec cppcheck --quiet --enable=warning,style,performance,portability --inline-suppr --std=c11 -D_GNU_SOURCE -I. \
    --include="$queue" --suppress=missingIncludeSystem --suppress=variableScope --suppress=ctuuninitvar --suppress=redundantContinue \
    --error-exitcode=1 --template='{file}:{line}: {message} [{id}]' "$@"
