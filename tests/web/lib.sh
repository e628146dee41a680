# What the browser cases share: Kiln as the namespace cases have it, and a failure that is told last, after what the daemons logged.
# shellcheck shell=bash
set -euo pipefail
# shellcheck source=tests/ns/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../ns/lib.sh"

export KILN_WEB_FAILED=$HERE/web.failed
trap 'report_page $?' EXIT

report_page() {
    [ "$1" -eq 0 ] && return
    report "$1"
    cat "$KILN_WEB_FAILED" >&2 2>/dev/null || true
}
