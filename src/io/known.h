/*
 * Known: keys (addresses) of whom something good was seen lately. In: keys, the caller's monotonic clock.
 * Out: whether one is known. Kept: each for its time; the one seen longest ago makes room.
 */
#ifndef KILN_IO_KNOWN_H
#define KILN_IO_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KNOWN_KEY_MAX 48 /* bytes of text with its NUL; an address has 46 */

struct known;

/* 0 or -ENOMEM. */
int known_create(size_t keys_max, int64_t life_ms, struct known **ret_known);
/* NULL does nothing. */
void known_destroy(struct known *known);
void known_add(struct known *known, const char *key, int64_t now_ms);
bool known_has(const struct known *known, const char *key, int64_t now_ms);

#endif
