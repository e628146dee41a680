/*
 * kiln-controller: makes this VM a sealed research VM. Started by kiln-stub; see controller.h.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "guest/controller.h"
#include "guest/main_options.h"
#include "guest/terminal_holder.h"
#include "src/io/locked.h"
#include "src/io/log.h"
#include "src/io/loop.h"

static const char usage[] =
    "usage: kiln-controller [--sysroot DIR] [--console PATH]\n"
    "Started by kiln-stub, which hands over the VM's key as descriptor 3.\n"
    "\n"
    "  --sysroot DIR   read /sys below DIR\n"
    "  --console PATH  where failures are told to the host (default " CONSOLE_PATH ")\n"
    "  --help          this text\n"
    "  --version       the version\n";

/* The stub has a newer controller: this one makes room. */
static void stop(int signo, void *arg)
{
    (void)signo;
    controller_happen_plain(arg, GUEST_ON_UPDATE_AVAILABLE);
}

static int run(const struct controller_options *options)
{
    struct loop *loop;
    struct controller *controller;
    if (loop_create(&loop) < 0)
        return EXIT_FAILURE;
    int status = EXIT_FAILURE;
    int result = controller_create(loop, options, &controller);
    if (result == 0 && loop_on_signal(loop, SIGTERM, stop, controller) == 0 && loop_run(loop) == 0)
        status = controller_exit_status(controller);
    if (result == 0)
        controller_destroy(controller);
    else if (result == -ENOENT || result == -EINVAL)
        status = HANDOVER_FAILED; /* the boot data is wrong and will not get better */
    loop_destroy(loop);
    return status;
}

static void protect(void)
{
    locked_forbid_dumps();
    prctl(PR_SET_NAME, "kiln-controller");
    /* Keys pass through the heap of the libraries too; what is touched stays in memory. */
    if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0)
        log_warning("controller", "memory cannot be locked", "%s", "");
}

int main(int argc, char **argv)
{
    struct main_options given;
    if (terminal_holder_asked(argc, argv))
        return terminal_hold(argv);
    int status = main_options_read(argc, argv, "kiln-controller", usage, &given);
    if (status >= 0)
        return status;
    const struct controller_options wanted = {
        .sysroot = given.sysroot, .console_path = given.console, .stub_fd = HANDOVER_FD};
    protect();
    return run(&wanted);
}
