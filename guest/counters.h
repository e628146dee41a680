/*
 * Counters: numbers out of the kernel's text files in /proc. In: a file's text. Out: numbers; 0 for what is
 * not there. Nothing is kept. Pure.
 */
#ifndef KILN_GUEST_COUNTERS_H
#define KILN_GUEST_COUNTERS_H

#include <stdint.h>

struct counters_cpu {
    uint64_t busy, idle; /* ticks of all processors since boot; waiting for a disk is idle */
};

/* /proc/stat. */
struct counters_cpu counters_cpu(const char *text);
/* /proc/meminfo: the number behind NAME ("MemAvailable"). */
uint64_t counters_memory_kib(const char *text, const char *name);
/* /proc/net/dev: bytes of all cards but loopback. */
void counters_network(const char *text, uint64_t *ret_rx, uint64_t *ret_tx);

#endif
