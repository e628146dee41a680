/*
 * Releases: which release a guest may run when it registers for the first time (protocol/README 4.2).
 *
 * In: release_dir's manifest. Out: verdicts. Kept: the manifests of late, with when each came into force; in
 * the store too. A fresh guest has seen no release, so a hostile edge could serve it an old one that is
 * properly signed. kilnd knows which is the newest; whether it is signed is the stub's to check.
 */
#ifndef KILN_CORE_RELEASES_H
#define KILN_CORE_RELEASES_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/code.h"

struct core;
struct vm;

enum { RELEASES_KEPT_MAX = 8, RELEASE_HASH_LEN = 32 };

struct release {
    uint8_t manifest[RELEASE_HASH_LEN]; /* protocol/README 4.1 */
    int64_t since_ms;                   /* wall clock: when the file came to its place */
};

struct releases {
    struct release known[RELEASES_KEPT_MAX]; /* the last is in force */
    size_t count;
};

/* Reads what the store keeps, then looks. */
void releases_load(struct core *core);
/* Reads the manifest again. One that cannot be read, or is none, changes nothing and is logged. */
void releases_look(struct core *core);
/* Looks, then: CODE_NONE when MANIFEST is the hash in force, or was at any time since VM came up (a release
 * may be published while a guest starts). RELEASE_NOT_CURRENT; CONTROLLER_UNAVAILABLE as long as there was
 * none. */
enum kiln_code releases_check(struct core *core, const struct vm *vm,
                              const uint8_t manifest[static RELEASE_HASH_LEN]);

#endif
