/*
 * A disk that takes its time, to be preloaded: while the file that SLOW_DISK names is there, pread(2) waits
 * for it to go, and for half a second at most.
 *
 * In: pread. Out: the kernel's answer, late. Kept: nothing.
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { TRIES = 50, TRY_NS = 10 * 1000 * 1000 };

ssize_t pread64(int fd, void *bytes, size_t len_bytes, off64_t at)
{
    const struct timespec a_while = {.tv_nsec = TRY_NS};
    const char *gate = getenv("SLOW_DISK");
    for (int i = 0; gate && i < TRIES && access(gate, F_OK) == 0; i++)
        nanosleep(&a_while, NULL);
    return (ssize_t)syscall(SYS_pread64, fd, bytes, len_bytes, at);
}

ssize_t pread(int fd, void *bytes, size_t len_bytes, off_t at)
{
    return pread64(fd, bytes, len_bytes, at);
}
