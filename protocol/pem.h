/*
 * PEM (RFC 7468): DER in base64 between two lines. In: either. Out: the other. Nothing is kept; what passes
 * is wiped.
 */
#ifndef KILN_PROTOCOL_PEM_H
#define KILN_PROTOCOL_PEM_H

#include <stddef.h>
#include <stdint.h>

/* Writes text and NUL, at most MAX bytes. -ENOSPC. */
int pem_encode(const char *label, const void *der, size_t len, char *out, size_t max);
/* The first block of that label. -ENOENT there is none, -EBADMSG malformed, -ENOSPC. */
int pem_decode(const char *text, const char *label, uint8_t *out, size_t max, size_t *ret_len);

#endif
