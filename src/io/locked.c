/*
 * Locked memory: see locked.h. Nothing is kept here.
 */
#include "src/io/locked.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

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

void locked_forbid_dumps(void)
{
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
}
