/*
 * Session: see session.h.
 */
#include "guest/session.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "src/io/log.h"

#define MEMLOCK_BYTES (8 * 1024 * 1024) /* the kernel's own default */

static int reset_oom(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/oom_score_adj", (int)pid);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int result = write(fd, "0", 1) == 1 ? 0 : -errno;
    close(fd);
    return result;
}

void session_limit(pid_t pid)
{
    const struct rlimit memlock = {MEMLOCK_BYTES, MEMLOCK_BYTES};
    int result = reset_oom(pid);
    if (prlimit(pid, RLIMIT_MEMLOCK, &memlock, NULL) < 0)
        result = -errno;
    if (result < 0)
        log_warning("session", "has the controller's limits", "pid=%d error=%s", (int)pid, strerror(-result));
}

void session_attributes_init(posix_spawnattr_t *ret_attributes)
{
    sigset_t none, fresh;
    sigemptyset(&none);
    sigemptyset(&fresh);
    sigaddset(&fresh, SIGPIPE);
    posix_spawnattr_init(ret_attributes);
    posix_spawnattr_setsigmask(ret_attributes, &none);
    posix_spawnattr_setsigdefault(ret_attributes, &fresh);
    posix_spawnattr_setflags(ret_attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
}
