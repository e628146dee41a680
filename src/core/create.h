/*
 * Create: makes a VM's first record from what a person asks for: brick, owner, drives, address, deadlines.
 */
#ifndef KILN_CORE_CREATE_H
#define KILN_CORE_CREATE_H

#include "src/core/machine.h"

enum { CREATE_BOOTS_MAX = 3 }; /* starts of a domain that fails before its guest speaks */

struct create_drive {
    uint8_t id[VM_UUID_LEN];
    enum vm_drive_mode mode;
};

struct create_order {
    const char *name, *brick;
    const uint8_t *owner; /* fingerprint; NULL: the VM is nobody's yet (R14) */
    const struct create_drive *drives;
    size_t ndrives;
};

/* Checks the order and begins the VM: 0, RET_UUID its id, DONE to come. Else the code, RET_DETAIL says more
 * (VM_DETAIL_LEN), nothing changed: BAD_PARAMETER, NOT_FOUND (brick), ALREADY_EXISTS (a living VM has the
 * name), DRIVE_UNKNOWN (also: the owner has no envelope for it), DRIVE_HELD (names the holder), NO_ADDRESS,
 * INTERNAL. */
enum kiln_code create_vm(struct core *core, const struct create_order *order, const char *actor,
                         machine_done_fn *done, void *arg, uint8_t ret_uuid[static VM_UUID_LEN],
                         char ret_detail[static VM_DETAIL_LEN]);

/* Whether NAME matches [a-z0-9][a-z0-9-]{0,31}. */
bool create_name_good(const char *name);

#endif
