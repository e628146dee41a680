/*
 * Rates: how often each of many may do something: a bucket of tokens a key, full at first, refilled steadily.
 * In: keys (addresses, fingerprints), the caller's monotonic clock. Out: yes, or how long to wait. Kept: a
 * bucket a key for as long as there is room; the key that came last longest ago makes room, and begins anew.
 */
#ifndef KILN_IO_RATES_H
#define KILN_IO_RATES_H

#include <stddef.h>
#include <stdint.h>

#define RATES_KEY_MAX 48 /* bytes: an address as text, a fingerprint */

struct rates;

struct rates_config {
    uint32_t per_second, burst; /* at most 1,000,000 a second */
    size_t keys_max;
};

/* 0 or -ENOMEM. */
int rates_create(const struct rates_config *config, struct rates **ret_rates);
/* NULL does nothing. */
void rates_destroy(struct rates *rates);
/* Takes a token of KEY's. 0, or in how many milliseconds there will be one; then none is taken. */
uint32_t rates_take(struct rates *rates, const void *key, size_t len_bytes, int64_t now_ms);
/* The same answer, and nothing is taken. */
uint32_t rates_look(const struct rates *rates, const void *key, size_t len_bytes, int64_t now_ms);

#endif
