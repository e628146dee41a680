#!/bin/sh
# hardening.sh PROGRAM...: whether each built program has what the compiler and the linker can do against memory errors.
set -eu
[ $# -gt 0 ] || { echo "usage: hardening.sh PROGRAM..." >&2; exit 1; }
failed=0

# wants PROGRAM WHAT PATTERN: what readelf says, on standard input, must have a line that fits.
wants() {
    grep -Eq -- "$3" || { echo "$1: without $2"; failed=1; }
}

for program; do
    readelf -hW "$program" | wants "$program" "PIE" 'Type: +DYN'
    readelf -lW "$program" | wants "$program" "RELRO" 'GNU_RELRO'
    readelf -dW "$program" | wants "$program" "immediate binding" '\(FLAGS\).*BIND_NOW'
    readelf -lW "$program" | wants "$program" "a stack that is not executable" 'GNU_STACK.* RW +0x'
    readelf -sW --dyn-syms "$program" | wants "$program" "stack protector" '__stack_chk_fail'
    readelf -sW --dyn-syms "$program" | wants "$program" "fortified calls" '__[a-z]+_chk@'
    if readelf -hW "$program" | grep -q 'X86-64'; then
        # The mark of the whole program is not asked for: Debian's start files (Scrt1.o, crti.o) lack theirs.
        objdump --disassemble=main --no-show-raw-insn "$program" | wants "$program" "CET's landing pads" 'endbr64'
    fi
done
exit $failed
