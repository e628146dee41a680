/*
 * Reaper: see reaper.h.
 */
#include "guest/reaper.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/io/loop.h"

struct reaper {
    int pidfd;                /* owned */
    struct loop_watch *watch; /* owned */
    void (*fn)(void *arg, int status);
    void *arg; /* borrowed */
};

static void take_status(int ready, void *arg)
{
    (void)ready;
    struct reaper *reaper = arg;
    siginfo_t info = {0};
    if (waitid(P_PIDFD, (id_t)reaper->pidfd, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0)
        return;
    void (*fn)(void *, int) = reaper->fn;
    void *fn_arg = reaper->arg;
    int status = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
    reaper_destroy(reaper);
    fn(fn_arg, status);
}

int reaper_create(struct loop *loop, pid_t pid, void (*fn)(void *arg, int status), void *arg,
                  struct reaper **ret_reaper)
{
    struct reaper *reaper = calloc(1, sizeof *reaper);
    if (reaper == NULL)
        return -ENOMEM;
    *reaper = (struct reaper){.fn = fn, .arg = arg, .pidfd = pidfd_open(pid, 0)};
    int result = reaper->pidfd < 0
                     ? -errno
                     : loop_watch_create(loop, reaper->pidfd, take_status, reaper, &reaper->watch);
    if (result < 0) {
        reaper_destroy(reaper);
        return result;
    }
    loop_watch_set(reaper->watch, LOOP_READ);
    *ret_reaper = reaper;
    return 0;
}

void reaper_destroy(struct reaper *reaper)
{
    if (reaper == NULL)
        return;
    if (reaper->watch != NULL)
        loop_watch_destroy(reaper->watch);
    if (reaper->pidfd >= 0)
        close(reaper->pidfd);
    free(reaper);
}
