/*
 * Heap: what a program gives back is wiped first, by whomever it was taken. Tokens and keys pass through
 * buffers of libevent, yajl and mbedTLS that are freed as they are; here they meet. In: nothing. Out: free
 * and realloc in the place of glibc's, for the program and all its libraries. Kept: nothing.
 *
 * The linker takes this file into every program that links src/io; not into a build with sanitizers, whose
 * heap is their own.
 */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* glibc's own, under the names by which a heap in their place finds them. */
void __libc_free(void *memory);
void *__libc_realloc(void *memory, size_t len_bytes);

void free(void *memory)
{
    if (memory == NULL)
        return;
    explicit_bzero(memory, malloc_usable_size(memory));
    __libc_free(memory);
}

/* What grows moves by our hand: glibc would leave the old place as it was. */
void *realloc(void *memory, size_t len_bytes)
{
    if (memory == NULL)
        return malloc(len_bytes);
    if (len_bytes == 0) {
        free(memory);
        return NULL;
    }
    size_t had_bytes = malloc_usable_size(memory);
    if (len_bytes <= had_bytes) {
        explicit_bzero((char *)memory + len_bytes, had_bytes - len_bytes);
        return __libc_realloc(memory, len_bytes);
    }
    void *moved = malloc(len_bytes);
    if (moved == NULL)
        return NULL;
    memcpy(moved, memory, had_bytes);
    free(memory);
    return moved;
}
