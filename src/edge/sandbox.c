/*
 * Sandbox: see sandbox.h.
 */
#include "src/edge/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "src/io/bounds.h"
#include "src/io/calls.h"
#include "src/io/config.h"
#include "src/io/landlock.h"
#include "src/io/log.h"

#define SSH_PORT 22
/* 2,048 WebSockets with full buffers on both sides and their TLS take about 1.2 GiB. */
#define MEMORY_MAX_BYTES (UINT64_C(2) << 30)

static const struct call_rule rules[] = {
    {"accept4", "connections, by evhttp and the bridges' listener", CALL_ALWAYS},
    {"brk", "the heap", CALL_ALWAYS},
    {"clock_gettime", "time, where the vDSO has none", CALL_ALWAYS},
    {"close", "connections and files", CALL_ALWAYS},
    {"connect", "kilnd's socket; a VM's port 22", CALL_ALWAYS},
    {"dup3", "evhttp's placeholder under a socket's number", CALL_ALWAYS},
    {"epoll_ctl", "the loop", CALL_ALWAYS},
    {"epoll_pwait", "the loop, where there is no epoll_wait", CALL_ALWAYS},
    {"epoll_wait", "the loop", CALL_ALWAYS},
    {"exit_group", "the end", CALL_ALWAYS},
    {"fcntl", "flags of descriptors; evhttp's sockets are moved by F_DUPFD_CLOEXEC", CALL_ALWAYS},
    {"fstat", "sizes of files served", CALL_ALWAYS},
    {"futex", "locks of the loop and of glibc", CALL_ALWAYS},
    {"getpeername", "whose connection it is", CALL_ALWAYS},
    {"getpid", "raise, abort", CALL_ALWAYS},
    {"getrandom", "TLS", CALL_ALWAYS},
    {"getsockname", "which port a listener has", CALL_ALWAYS},
    {"getsockopt", "whether a connect went well", CALL_ALWAYS},
    {"gettid", "raise, abort", CALL_ALWAYS},
    {"gettimeofday", "time, where the vDSO has none", CALL_ALWAYS},
    {"ioctl", "libevent asks how much there is to read", CALL_COUNT},
    {"lseek", "stdio, in which the certificate is read", CALL_ALWAYS},
    {"madvise", "free memory goes back", CALL_ALWAYS},
    {"mlock", "the key of a certificate that is taken anew", CALL_ALWAYS},
    {"mmap", "the heap; files that are served", CALL_NO_CODE},
    {"mprotect", "the heap", CALL_NO_CODE},
    {"mremap", "the heap", CALL_ALWAYS},
    {"munmap", "the heap", CALL_ALWAYS},
    {"newfstatat", "as fstat", CALL_ALWAYS},
    {"openat", "certificate and key, on reload", CALL_ALWAYS},
    {"openat2", "files below the folders that are served", CALL_ALWAYS},
    {"pipe2", "a bridge's pipes", CALL_ALWAYS},
    {"pread64", "files that are served", CALL_ALWAYS},
    {"read", "sockets, files, the loop's bell", CALL_ALWAYS},
    {"readv", "sockets, by libevent", CALL_ALWAYS},
    {"recvfrom", "sockets, by mbedTLS's callbacks and the bridges", CALL_ALWAYS},
    {"restart_syscall", "the kernel's own, after a stop", CALL_ALWAYS},
    {"rt_sigaction", "the end by a signal", CALL_ALWAYS},
    {"rt_sigprocmask", "the end by a signal", CALL_ALWAYS},
    {"rt_sigreturn", "SIGHUP, SIGTERM", CALL_ALWAYS},
    {"sendfile", "files that are served without TLS", CALL_ALWAYS},
    {"sendto", "sockets, by mbedTLS's callbacks and the bridges", CALL_ALWAYS},
    {"setsockopt", "no delay, keepalive", CALL_ALWAYS},
    {"shutdown", "the end of what we send", CALL_ALWAYS},
    {"sigaltstack", "libraries' handlers of faults", CALL_ALWAYS},
    {"socket", "to kilnd, to a VM", CALL_VM},
    {"splice", "a bridge's bytes", CALL_ALWAYS},
    {"tgkill", "raise, abort", CALL_SELF},
    {"time", "time, where the vDSO has none", CALL_ALWAYS},
    {"timerfd_settime", "the loop's next deadline", CALL_ALWAYS},
    {"write", "sockets, the log", CALL_ALWAYS},
    {"writev", "sockets, by libevent", CALL_ALWAYS},
};

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
    return error < 0 ? error : bounds_set("edge", MEMORY_MAX_BYTES);
}

int sandbox_lock(const struct config *config)
{
    const char *const folders[] = {config->web_dir, config->release_dir, config->edge_state_dir};
    const struct landlock_needs needs = {
        .folders = folders, .nfolders = sizeof folders / sizeof folders[0], .connect_port = SSH_PORT};
    int error = landlock_restrict(&needs);
    return error < 0 ? error : calls_restrict("kiln-edge", rules, sizeof rules / sizeof rules[0]);
}
