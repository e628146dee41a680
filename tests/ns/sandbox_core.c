/*
 * Sandbox core: a process in the sandbox of kilnd, which then tries what kilnd must not do. In: a deed and
 * its word. Out: sandbox_deeds.h. Kept: nothing.
 */
#include <unistd.h>

#include "src/core/sandbox.h"
#include "tests/ns/sandbox_deeds.h"

/* DEED WORD */
int main(int argc, char **argv)
{
    if (argc != 3 || sandbox_enter() < 0 || sandbox_lock() < 0)
        return 3;
    _exit(sandbox_try(argv[1], argv[2]));
}
