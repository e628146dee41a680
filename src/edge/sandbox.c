/*
 * Sandbox: see sandbox.h.
 */
#include "src/edge/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "src/io/locked.h"
#include "src/io/log.h"

static int fail(const char *what, int error)
{
    log_error("edge", what, "error=%d words=%s", error, strerror(error));
    return -error;
}

static int become(const char *name)
{
    const struct passwd *user = getpwnam(name);
    if (user == NULL)
        return fail("there is no such user", ENOENT);
    if (setgroups(0, NULL) < 0 || setgid(user->pw_gid) < 0 || setuid(user->pw_uid) < 0)
        return fail("cannot become that user", errno);
    /* A process that could go back has given nothing up. */
    if (user->pw_uid != 0 && setuid(0) == 0)
        return fail("still root", EPERM);
    return 0;
}

int sandbox_enter(const char *user)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    int error = user != NULL ? become(user) : 0;
    if (error < 0)
        return error;
    locked_forbid_dumps();
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return fail("cannot forbid new privileges", errno);
    return 0;
}
