/*
 * Sandbox edge: a process in the sandbox of kiln-edge, which then tries what kiln-edge must not do. In: a
 * configuration, a user, a deed and its word. Out: sandbox_deeds.h. Kept: nothing.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "src/edge/sandbox.h"
#include "src/io/config.h"
#include "tests/ns/sandbox_deeds.h"

/* CONFIG USER DEED WORD */
int main(int argc, char **argv)
{
    struct config config;
    char error[CONFIG_ERROR_MAX];
    if (argc != 5 || config_load(argv[1], &config, error) < 0 || sandbox_enter(argv[2]) < 0 ||
        sandbox_lock(&config) < 0)
        return 3;
    _exit(sandbox_try(argv[3], argv[4]));
}
