/*
 * A disk that does not answer, to be preloaded: pread(2) waits until the FIFO that SLOW_DISK names has a
 * writer, or is gone; not so on the first thread, which is the loop's.
 *
 * In: pread. Out: the kernel's answer. Kept: nothing.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

ssize_t pread64(int fd, void *bytes, size_t len_bytes, off64_t at)
{
    const char *path = gettid() == getpid() ? NULL : getenv("SLOW_DISK");
    int fifo = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fifo >= 0)
        close(fifo);
    return (ssize_t)syscall(SYS_pread64, fd, bytes, len_bytes, at);
}

ssize_t pread(int fd, void *bytes, size_t len_bytes, off_t at)
{
    return pread64(fd, bytes, len_bytes, at);
}
