/*
 * What users_db.c (reading) and users_db_check.c (what must hold between entries) share.
 */
#ifndef KILN_PROTOCOL_USERS_DB_INTERNAL_H
#define KILN_PROTOCOL_USERS_DB_INTERNAL_H

#include "protocol/users_db.h"

/* A reading in progress. */
struct users_db_reading {
    struct users_db *database; /* borrowed: half read */
    users_db_taken *taken;
    void *arg;
    char *place; /* borrowed: USERS_DB_PLACE_BYTES, the first fault's words */
};

/* Writes the words if they are the first. Always -EINVAL. */
int users_db_fault(struct users_db_reading *reading, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Names and numbers are unique and nobody's; sorts by name. 0, -EINVAL, -ENOMEM. */
int users_db_check_ids(struct users_db_reading *reading);
/* Whoever is named exists; fills in the groups' members. */
int users_db_check_references(struct users_db_reading *reading);
/* Paths are unique. */
int users_db_check_paths(struct users_db_reading *reading);

#endif
