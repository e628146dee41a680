/*
 * Address: the addresses that this VM has, as text, without loopback and link-local ones.
 * In: the kernel's list. Out: text. Kept: nothing.
 */
#ifndef KILN_GUEST_ADDRESS_H
#define KILN_GUEST_ADDRESS_H

#include <stddef.h>

#include "protocol/register.h"

/* At most MAX of them; how many. */
size_t address_list(char (*ret_addresses)[REGISTER_ADDRESS_BYTES], size_t max);

#endif
