/*
 * Release: fetches manifest, configuration and controller from the host and checks them (README 4.1, R3).
 * In: the host's address and pin, the release key, the floor, the version that runs. Out: one call with a
 * whole, checked release, or with the code of what is wrong. Kept: nothing after it.
 */
#ifndef KILN_GUEST_RELEASE_H
#define KILN_GUEST_RELEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/code.h"
#include "protocol/manifest.h"

#define RELEASE_DETAIL_MAX 192

struct crypto_ec;
struct loop;
struct release;
struct tls_client;

struct release_source {
    const char *host; /* borrowed, like all here, until the call */
    uint16_t port;
    struct tls_client *tls; /* pinned */
    const struct crypto_ec *key;
    const char *architecture;
    uint64_t floor;   /* versions below are refused */
    uint64_t running; /* the version that is there already; 0: none. It is not fetched again. */
};

struct release_outcome {
    enum kiln_code code; /* CODE_NONE: good */
    bool network;        /* the host was not reached at all: trying again may help */
    bool passing;        /* it was reached, and what failed may pass by itself */
    char detail[RELEASE_DETAIL_MAX];
    bool newer; /* else what runs is the newest */
    uint64_t version;
    uint8_t manifest[CRYPTO_HASH_BYTES], config[CRYPTO_HASH_BYTES];
    int controller_fd; /* sealed memory file, taken by the callee; -1: none */
};

/* FN is called once, never from inside. -ENOMEM. */
int release_fetch(struct loop *loop, const struct release_source *source,
                  void (*fn)(void *arg, const struct release_outcome *outcome), void *arg,
                  struct release **ret_release);
/* Gives up; FN is not called. NULL does nothing. */
void release_cancel(struct release *release);

#endif
