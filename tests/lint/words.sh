#!/bin/sh
# words.sh ROOT: no notes to oneself, no code switched off, no sleeping in tests.
set -eu
cd "${1:?usage: words.sh ROOT}"
failed=0

# refuse PATTERN WHAT FOLDER...: complains of every line of a source that fits.
refuse() {
    pattern=$1 what=$2
    shift 2
    for folder in "$@"; do
        [ -d "$folder" ] || continue
        if grep -rnIE --include='*.[ch]' --include='*.js' --include='*.mjs' --include='*.cmake' --exclude-dir=node_modules \
            "$pattern" "$folder"; then
            echo "$folder: $what" >&2
            failed=1
        fi
    done
}

refuse '\b(TO''DO|FIX''ME|X''XX)\b' 'notes to oneself belong in an issue' protocol states src guest web tests fuzz
refuse '^[ 	]*#[ 	]*if[ 	]+0\b' 'code that is switched off is taken out' protocol states src guest tests fuzz
refuse '^[ 	]*#[ 	]*if(def|[ 	]+defined).*(\b|_)TEST' 'the product does not know of tests' protocol states src guest
refuse '\b(u|nano)?sleep\(' 'a test waits for an event' tests fuzz
exit $failed
