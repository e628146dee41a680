/*
 * Locked memory: see locked.h. Nothing is kept here.
 */
#include "src/io/locked.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

int locked_create(size_t len_bytes, void **ret_memory)
{
    void *memory = mmap(NULL, len_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return -ENOMEM;
    if (mlock(memory, len_bytes) < 0 || madvise(memory, len_bytes, MADV_DONTDUMP) < 0 ||
        madvise(memory, len_bytes, MADV_WIPEONFORK) < 0) {
        int error = -errno;
        munmap(memory, len_bytes);
        return error;
    }
    *ret_memory = memory;
    return 0;
}

void locked_destroy(void *memory, size_t len_bytes)
{
    if (memory == NULL)
        return;
    explicit_bzero(memory, len_bytes);
    munmap(memory, len_bytes);
}

int locked_keep(const void *bytes, size_t len_bytes)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const uintptr_t first = (uintptr_t)bytes & ~(uintptr_t)(page - 1);
    const size_t whole = ((uintptr_t)bytes + len_bytes - first + page - 1) & ~(page - 1);
    if (mlock((const void *)first, whole) < 0)
        return -errno;
    return madvise((void *)first, whole, MADV_DONTDUMP) < 0 ? -errno : 0;
}

void locked_forbid_dumps(void)
{
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
}
