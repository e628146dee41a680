/*
 * Random: see random.h.
 */
#include "src/io/random.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

void random_fill(void *out, size_t len_bytes)
{
    unsigned char *at = out;
    while (len_bytes > 0) {
        ssize_t got = getrandom(at, len_bytes, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            abort();
        at += got;
        len_bytes -= (size_t)got;
    }
}
