/*
 * Stands in the place of the C library's heap, or of the sanitizer's, for the program and all its libraries.
 * See fault.h.
 */
#include "fuzz/fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/protocol_random.h"

/* The heap itself, under the name by which one in its place finds it. */
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define HEAP(function) __interceptor_##function
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define HEAP(function) __interceptor_##function
#endif
#ifndef HEAP
#define HEAP(function) __libc_##function
#endif

void *HEAP(malloc)(size_t len);
void *HEAP(calloc)(size_t count, size_t len);
void *HEAP(realloc)(void *memory, size_t len);
void HEAP(free)(void *memory);

/* Of each thread: a fuzzer has one of its own that looks at memory. */
static _Thread_local struct {
    bool begun, lasting;
    size_t calls, failing;
    long held;
} fault;

static bool fails(void)
{
    if (!fault.begun)
        return false;
    fault.calls++;
    return fault.failing && (fault.lasting ? fault.calls >= fault.failing : fault.calls == fault.failing);
}

static void *taken(void *memory)
{
    if (memory)
        fault.held++;
    else
        errno = ENOMEM;
    return memory;
}

void *malloc(size_t len)
{
    return taken(fails() ? NULL : HEAP(malloc)(len));
}

void *calloc(size_t count, size_t len)
{
    return taken(fails() ? NULL : HEAP(calloc)(count, len));
}

void *realloc(void *memory, size_t len)
{
    if (!memory)
        return malloc(len);
    return fails() ? NULL : HEAP(realloc)(memory, len);
}

void free(void *memory)
{
    if (memory)
        fault.held--;
    HEAP(free)(memory);
}

void fault_begin(size_t failing, bool lasting)
{
    fault.calls = 0;
    fault.failing = failing;
    fault.lasting = lasting;
    fault.begun = true;
}

size_t fault_end(void)
{
    fault.begun = false;
    return fault.calls;
}

long fault_held(void)
{
    return fault.held;
}

int fault_random(void *arg, uint8_t *out, size_t len)
{
    return fails() ? -1 : fixed_random_fill(arg, out, len);
}
