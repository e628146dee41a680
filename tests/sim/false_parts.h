/*
 * The small false parts: src/io/random.h from the dice, src/io/log.h to the eye of whoever asks,
 * src/core/identity.h, src/core/file.h and src/core/releases.h without files.
 *
 * In and out: as the headers say. Kept: whether the log is shown.
 */
#ifndef KILN_TESTS_SIM_FALSE_PARTS_H
#define KILN_TESTS_SIM_FALSE_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void false_log_show(bool shown);
void false_bytes(void *out, size_t len);
/* An RSA-2048 public key of the right form, that nobody has the other half of. OUT gets CRYPTO_SPKI_MAX bytes
 * at most; its length. */
size_t false_public_key(uint8_t *out);

#endif
