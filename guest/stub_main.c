/*
 * kiln-stub: the one Kiln program that a brick holds. See stub.h.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest/console.h"
#include "guest/main_options.h"
#include "guest/stub.h"
#include "src/io/locked.h"
#include "src/io/log.h"
#include "src/io/loop.h"

static const char usage[] =
    "usage: kiln-stub [--sysroot DIR] [--console PATH]\n"
    "Fetches the newest controller that the release key signed from the Kiln host named in the firmware, and "
    "runs it.\n"
    "\n"
    "  --sysroot DIR   read /sys, /etc/kiln and /var/lib/kiln below DIR\n"
    "  --console PATH  where failures are told to the host (default " CONSOLE_PATH ")\n"
    "  --help          this text\n"
    "  --version       the version\n";

static void stop(int signo, void *arg)
{
    (void)signo;
    loop_stop(arg);
}

static int run(const struct stub_options *options)
{
    struct loop *loop;
    struct stub *stub;
    if (loop_create(&loop) < 0)
        return EXIT_FAILURE;
    int result = loop_on_signal(loop, SIGTERM, stop, loop);
    if (result == 0)
        result = loop_on_signal(loop, SIGINT, stop, loop);
    if (result == 0)
        result = stub_create(loop, options, &stub);
    if (result == 0) {
        result = loop_run(loop);
        stub_destroy(stub);
    } else {
        log_error("stub", "cannot start", "error=%s", strerror(-result));
    }
    loop_destroy(loop);
    return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct main_options given;
    int status = main_options_read(argc, argv, "kiln-stub", usage, &given);
    if (status >= 0)
        return status;
    const struct stub_options wanted = {.sysroot = given.sysroot, .console_path = given.console};
    locked_forbid_dumps();
    if (geteuid() != 0) {
        struct console console;
        console_init(&console, wanted.console_path);
        console_fail(&console, CODE_NO_ROOT, "kiln-stub must run as root");
        return EXIT_FAILURE;
    }
    return run(&wanted);
}
