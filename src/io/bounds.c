/*
 * Bounds: see bounds.h.
 */
#include "src/io/bounds.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "src/io/locked.h"
#include "src/io/log.h"

static int fail(const char *program, const char *what)
{
    int error = errno;
    log_error(program, what, "error=%d words=%s", error, strerror(error));
    return -error;
}

int bounds_set(const char *program, uint64_t memory_max_bytes)
{
    const struct rlimit memory = {memory_max_bytes, memory_max_bytes};
    locked_forbid_dumps();
    /* Whoever was given less than that may not raise it. */
    if (setrlimit(RLIMIT_DATA, &memory) < 0 && errno != EPERM)
        return fail(program, "cannot bound memory");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return fail(program, "cannot forbid new privileges");
    return 0;
}
