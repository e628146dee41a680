#!/bin/bash
# help.sh PROGRAM...: what a person finds without a manual: each program says by itself how it is used, tells wrong words from good
# ones by its exit status, and each stable code is explained by whoever shows it.
#
#   in    the paths of the programs; protocol/code.h for the names of the codes
#   out   exit status 0 when all of it holds
set -euo pipefail

project=$(cd "$(dirname "$0")/../.." && pwd)
made=$(mktemp -d)
trap 'rm -r "$made"' EXIT
fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# ends STATUS COMMAND...: what it printed is in $made/out and $made/err.
ends() {
    local wanted=$1 status=0
    shift
    HOME=$made "$@" >"$made/out" 2>"$made/err" </dev/null || status=$?
    [ "$status" = "$wanted" ] || fail "status $status, not $wanted: $*: $(cat "$made/out" "$made/err")"
}

for program; do
    name=$(basename "$program")
    ends 0 "$program" --help
    grep -q "$name" "$made/out" || fail "$name --help does not name it"
    [ "$(wc -l <"$made/out")" -ge 5 ] && [ ! -s "$made/err" ] || fail "$name --help says: $(cat "$made/out" "$made/err")"
    ends 0 "$program" --version
    grep -qxE "$name [0-9.]+" "$made/out" || fail "$name --version says: $(cat "$made/out")"
    ends 2 "$program" --no-such-option
    [ ! -s "$made/out" ] && [ -s "$made/err" ] || fail "$name says of a wrong option: $(cat "$made/out" "$made/err")"
    declare "${name/-/_}=$program"
done

mapfile -t codes < <(sed -n 's/^    X(\([A-Z0-9_]*\),.*/\1/p' "$project/protocol/code.h")
[ "${#codes[@]}" -ge 50 ] || fail "only ${#codes[@]} codes were found"
for code in "${codes[@]}"; do
    # shellcheck disable=SC2154
    for program in "$kiln" "$kiln_connect"; do
        ends 0 "$program" explain "$code"
        grep -qE "^$code \([0-9]+\): ." "$made/out" && grep -qE '^next: .' "$made/out" || fail "$code: $(cat "$made/out")"
    done
done

# Help is for what there is.
for command in 'frobnicate --help' 'frobnicate' '--json frobnicate --help'; do
    # shellcheck disable=SC2086
    ends 2 "$kiln" $command
    grep -q "'frobnicate'" "$made/err" || fail "kiln $command says: $(cat "$made/err")"
done
ends 0 "$kiln" vm create --help
grep -q -- '--brick' "$made/out" || fail "kiln vm create --help says: $(cat "$made/out")"

# Each command that kiln-connect lists says by itself how it is used.
ends 0 "$kiln_connect" --help
mapfile -t commands < <(sed -n 's/^  \([a-z][a-z-]*\( [a-z]*\)\{0,1\}\) .*  .*/\1/p' "$made/out" | sed 's/ *$//')
[ "${#commands[@]}" -ge 25 ] || fail "only these commands were found: ${commands[*]}"
for command in "${commands[@]}"; do
    # shellcheck disable=SC2086
    ends 0 "$kiln_connect" $command --help
    grep -q "^usage: kiln-connect $command" "$made/out" || fail "$command --help says: $(cat "$made/out")"
done
