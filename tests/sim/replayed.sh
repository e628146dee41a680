#!/bin/sh
# replayed.sh SIM: the story that is printed of a life that broke a claim ends as that life did.
set -eu
sim=${1:?usage: replayed.sh SIM}
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
for lie in two-writers deaf late-timers never-answers; do
    "$sim" --seed 100 --lives 200 --lie "$lie" --save "$folder/story" >"$folder/first" && exit 1
    grep -E '^(broken|ended)' "$folder/first" >"$folder/wanted"
    "$sim" --story "$folder/story" | grep -E '^(broken|ended)' >"$folder/got"
    diff "$folder/wanted" "$folder/got"
done
