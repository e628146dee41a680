/*
 * Sandbox: see sandbox.h.
 */
#include "src/core/sandbox.h"

#include <stdint.h>

#include "src/io/bounds.h"
#include "src/io/calls.h"
#include "src/io/landlock.h"

/* 10,000 VMs take under 200 MiB; the rest is for what libvirt answers and for copies of the store. */
#define MEMORY_MAX_BYTES (UINT64_C(4) << 30)

static const struct call_rule rules[] = {
    {"accept4", "operators, the edge", CALL_ALWAYS},
    {"access", "libvirt, LMDB", CALL_ALWAYS},
    {"brk", "the heap", CALL_ALWAYS},
    {"chmod", "boot secrets, sockets", CALL_ALWAYS},
    {"clock_gettime", "time, where the vDSO has none", CALL_ALWAYS},
    {"clock_nanosleep", "libvirt, between tries", CALL_ALWAYS},
    {"clone", "threads: backups and checks of the store", CALL_THREAD},
    {"clone3", "glibc then takes clone, whose flags can be looked at", CALL_ABSENT},
    {"close", "connections and files", CALL_ALWAYS},
    {"connect", "libvirt's socket", CALL_ALWAYS},
    {"dup", "libvirt's streams", CALL_ALWAYS},
    {"epoll_ctl", "the loop", CALL_ALWAYS},
    {"epoll_pwait", "the loop, where there is no epoll_wait", CALL_ALWAYS},
    {"epoll_wait", "the loop", CALL_ALWAYS},
    {"eventfd2", "libvirt's and our bells", CALL_ALWAYS},
    {"exit", "the end of a thread", CALL_ALWAYS},
    {"exit_group", "the end", CALL_ALWAYS},
    {"faccessat", "as access", CALL_ALWAYS},
    {"faccessat2", "as access", CALL_ALWAYS},
    {"fallocate", "room for the store", CALL_ALWAYS},
    {"fchmod", "modes of backups and boot secrets", CALL_ALWAYS},
    {"fcntl", "flags of descriptors, LMDB's locks", CALL_ALWAYS},
    {"fdatasync", "LMDB's commits", CALL_ALWAYS},
    {"flock", "who has the store", CALL_ALWAYS},
    {"fstat", "sizes of files", CALL_ALWAYS},
    {"fstatfs", "LMDB, on the store's file system", CALL_ALWAYS},
    {"fsync", "files and folders that must last", CALL_ALWAYS},
    {"ftruncate", "the store and its backups", CALL_ALWAYS},
    {"futex", "locks between threads", CALL_ALWAYS},
    {"getcwd", "names of files that operators gave", CALL_ALWAYS},
    {"getdents64", "what is left in run_dir", CALL_ALWAYS},
    {"getegid", "who we are", CALL_ALWAYS},
    {"geteuid", "who we are", CALL_ALWAYS},
    {"getgid", "who we are", CALL_ALWAYS},
    {"getpeername", "libvirt's connection", CALL_ALWAYS},
    {"getpid", "raise, LMDB's readers", CALL_ALWAYS},
    {"getrandom", "nonces, tokens, keys", CALL_ALWAYS},
    {"getsockname", "libvirt's connection", CALL_ALWAYS},
    {"getsockopt", "who is at the other end of a socket", CALL_ALWAYS},
    {"gettid", "raise, libvirt's threads", CALL_ALWAYS},
    {"gettimeofday", "time, where the vDSO has none", CALL_ALWAYS},
    {"getuid", "who we are", CALL_ALWAYS},
    {"ioctl", "libevent asks how much there is to read", CALL_COUNT},
    {"lseek", "files", CALL_ALWAYS},
    {"lstat", "folders of ours", CALL_ALWAYS},
    {"madvise", "free memory goes back; LMDB's map", CALL_ALWAYS},
    {"mkdir", "folders of ours", CALL_ALWAYS},
    {"mkdirat", "as mkdir", CALL_ALWAYS},
    {"mmap", "the heap, threads' stacks, LMDB's map", CALL_NO_CODE},
    {"mprotect", "the heap, threads' stacks", CALL_NO_CODE},
    {"mremap", "the heap", CALL_ALWAYS},
    {"msync", "LMDB's map", CALL_ALWAYS},
    {"munlock", "secrets that go", CALL_ALWAYS},
    {"munmap", "the heap, LMDB's map", CALL_ALWAYS},
    {"newfstatat", "as stat", CALL_ALWAYS},
    {"open", "as openat", CALL_ALWAYS},
    {"openat", "the store, boot secrets, configuration, backups", CALL_ALWAYS},
    {"pipe2", "libvirt's bell", CALL_ALWAYS},
    {"poll", "libvirt's loop and its calls", CALL_ALWAYS},
    {"ppoll", "as poll", CALL_ALWAYS},
    {"pread64", "the store", CALL_ALWAYS},
    {"prlimit64", "sizes of stacks for new threads", CALL_ALWAYS},
    {"pwrite64", "the store", CALL_ALWAYS},
    {"pwritev", "the store", CALL_ALWAYS},
    {"read", "sockets, files, bells", CALL_ALWAYS},
    {"readlink", "names of files", CALL_ALWAYS},
    {"readv", "sockets, by libevent", CALL_ALWAYS},
    {"recvfrom", "sockets", CALL_ALWAYS},
    {"recvmsg", "libvirt's answers", CALL_ALWAYS},
    {"rename", "files that are replaced whole", CALL_ALWAYS},
    {"renameat", "as rename", CALL_ALWAYS},
    {"renameat2", "as rename", CALL_ALWAYS},
    {"restart_syscall", "the kernel's own, after a stop", CALL_ALWAYS},
    {"rmdir", "folders of ours", CALL_ALWAYS},
    {"rseq", "a thread's begin", CALL_ALWAYS},
    {"rt_sigaction", "the end by a signal", CALL_ALWAYS},
    {"rt_sigprocmask", "threads without signals", CALL_ALWAYS},
    {"rt_sigreturn", "SIGHUP, SIGTERM", CALL_ALWAYS},
    {"sched_getaffinity", "how many processors there are", CALL_ALWAYS},
    {"sched_yield", "glibc's locks", CALL_ALWAYS},
    {"sendmsg", "libvirt's calls", CALL_ALWAYS},
    {"sendto", "sockets", CALL_ALWAYS},
    {"set_robust_list", "a thread's begin", CALL_ALWAYS},
    {"setsockopt", "sizes of sockets' buffers", CALL_ALWAYS},
    {"shutdown", "the end of what we send", CALL_ALWAYS},
    {"sigaltstack", "libraries' handlers of faults", CALL_ALWAYS},
    {"socket", "libvirt's, the user database's", CALL_LOCAL},
    {"stat", "files and folders", CALL_ALWAYS},
    {"statfs", "room on the disk", CALL_ALWAYS},
    {"statx", "as stat", CALL_ALWAYS},
    {"sysinfo", "how much memory there is", CALL_ALWAYS},
    {"tgkill", "raise, abort", CALL_SELF},
    {"time", "time, where the vDSO has none", CALL_ALWAYS},
    {"timerfd_settime", "the loop's next deadline", CALL_ALWAYS},
    {"umask", "modes of new files", CALL_ALWAYS},
    {"uname", "libvirt", CALL_ALWAYS},
    {"unlink", "boot secrets, drafts", CALL_ALWAYS},
    {"unlinkat", "as unlink", CALL_ALWAYS},
    {"write", "sockets, files, the log", CALL_ALWAYS},
    {"writev", "sockets, by libevent; the store", CALL_ALWAYS},
};

int sandbox_enter(void)
{
    const struct landlock_needs needs = {.writes = true};
    int error = bounds_set("kilnd", MEMORY_MAX_BYTES);
    return error < 0 ? error : landlock_restrict(&needs);
}

int sandbox_lock(void)
{
    return calls_restrict("kilnd", rules, sizeof rules / sizeof rules[0]);
}
