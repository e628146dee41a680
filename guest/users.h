/*
 * Users: makes the users, groups, homes and access folders that the database on the first drive names (R9).
 * In: the drive's folder, perhaps a new database. Out: counts, or a stable code with the place. Kept: nothing
 * here. Everything is checked before anything is made. Blocks; for the job thread.
 */
#ifndef KILN_GUEST_USERS_H
#define KILN_GUEST_USERS_H

#include <stdbool.h>
#include <stddef.h>

#include "guest/machine.h"
#include "protocol/code.h"

struct users_order {
    const char *drive; /* folder of the first drive; NULL: the VM has none */
    bool writable;     /* of that drive */
    const char *text;  /* a new database to take and keep; NULL: the one that is there */
    size_t len_bytes;
};

struct users_outcome {
    enum kiln_code code; /* CODE_NONE: done */
    char detail[GUEST_DETAIL_LEN];
    size_t users, groups, directories;
    char first_user[33]; /* of the database; "" when it has none */
};

void users_apply(const struct users_order *order, struct users_outcome *ret_outcome);

#endif
