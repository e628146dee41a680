/*
 * Refusal: what the host says when it answers no (README 1.8).
 * In: an answer's body. Out: its stable code. Kept: nothing. It came over the edge alone: nothing proves it.
 */
#ifndef KILN_GUEST_REFUSAL_H
#define KILN_GUEST_REFUSAL_H

#include <stddef.h>

#include "protocol/code.h"

/* The row of the code that BODY names; NULL when it names none that is known. */
const struct code_info *refusal_read(const char *body, size_t len_bytes);

#endif
