/*
 * The id of a VM that has a number.
 *
 * In: the number. Out: a UUID, in the numbers' order. Kept: nothing.
 */
#ifndef KILN_TESTS_UNIT_CORE_NUMBER_H
#define KILN_TESTS_UNIT_CORE_NUMBER_H

#include <stdint.h>
#include <string.h>

#include "states/vm.h"

static inline void uuid_make(unsigned number, uint8_t *ret_uuid)
{
    memset(ret_uuid, 0, VM_UUID_LEN);
    ret_uuid[0] = 0x80;
    ret_uuid[14] = (uint8_t)(number >> 8);
    ret_uuid[15] = (uint8_t)number;
}

#endif
