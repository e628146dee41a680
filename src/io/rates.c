/*
 * Rates: see rates.h. A bucket is one number: when it would be full again. That lies at most a burst's time
 * ahead.
 */
#include "src/io/rates.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_US 1000000

struct bucket {
    uint8_t key[RATES_KEY_MAX];
    int64_t full_us; /* in the past: it is full */
    int64_t used_us; /* 0: nobody's */
};

struct rates {
    int64_t token_us; /* in which one token comes */
    int64_t burst_us; /* in which all of them come */
    size_t nbuckets;
    struct bucket buckets[];
};

int rates_create(const struct rates_config *config, struct rates **ret_rates)
{
    struct rates *rates = calloc(1, sizeof *rates + config->keys_max * sizeof rates->buckets[0]);
    if (rates == NULL)
        return -ENOMEM;
    rates->token_us = SECOND_US / config->per_second;
    rates->burst_us = rates->token_us * config->burst;
    rates->nbuckets = config->keys_max;
    *ret_rates = rates;
    return 0;
}

void rates_destroy(struct rates *rates)
{
    free(rates);
}

static void make_key(uint8_t ret_key[RATES_KEY_MAX], const void *key, size_t len_bytes)
{
    memset(ret_key, 0, RATES_KEY_MAX);
    memcpy(ret_key, key, len_bytes < RATES_KEY_MAX ? len_bytes : RATES_KEY_MAX);
}

static bool is_of(const struct bucket *bucket, const uint8_t key[RATES_KEY_MAX])
{
    return bucket->used_us != 0 && memcmp(bucket->key, key, RATES_KEY_MAX) == 0;
}

/* KEY's bucket, else the one that makes room for it. */
static size_t find(const struct rates *rates, const uint8_t key[RATES_KEY_MAX])
{
    size_t oldest = 0;
    for (size_t i = 0; i < rates->nbuckets; i++) {
        const struct bucket *bucket = &rates->buckets[i];
        if (is_of(bucket, key))
            return i;
        if (bucket->used_us < rates->buckets[oldest].used_us)
            oldest = i;
    }
    return oldest;
}

/* When BUCKET would be full, were a token taken now; RET_WAIT_MS 0 when there is one. */
static int64_t full_after(const struct rates *rates, int64_t full_us, int64_t now_us, uint32_t *ret_wait_ms)
{
    int64_t after_us = (full_us > now_us ? full_us : now_us) + rates->token_us;
    int64_t missing_us = after_us - now_us - rates->burst_us;
    *ret_wait_ms = missing_us > 0 ? (uint32_t)((missing_us + 999) / 1000) : 0;
    return after_us;
}

uint32_t rates_look(const struct rates *rates, const void *key, size_t len_bytes, int64_t now_ms)
{
    uint8_t own[RATES_KEY_MAX];
    uint32_t wait_ms;
    make_key(own, key, len_bytes);
    const struct bucket *bucket = &rates->buckets[find(rates, own)];
    full_after(rates, is_of(bucket, own) ? bucket->full_us : 0, now_ms * 1000, &wait_ms);
    return wait_ms;
}

uint32_t rates_take(struct rates *rates, const void *key, size_t len_bytes, int64_t now_ms)
{
    uint8_t own[RATES_KEY_MAX];
    uint32_t wait_ms;
    int64_t now_us = now_ms * 1000;
    make_key(own, key, len_bytes);
    struct bucket *bucket = &rates->buckets[find(rates, own)];
    if (!is_of(bucket, own)) {
        memcpy(bucket->key, own, RATES_KEY_MAX);
        bucket->full_us = 0;
    }
    bucket->used_us = now_us > 0 ? now_us : 1;
    int64_t after_us = full_after(rates, bucket->full_us, now_us, &wait_ms);
    if (wait_ms == 0)
        bucket->full_us = after_us;
    return wait_ms;
}
