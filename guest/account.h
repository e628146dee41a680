/*
 * Account: the system's users and groups, made with Debian's own tools (R9).
 * In: a checked database. Out: /etc/passwd, /etc/group as it says. Kept: nothing. Blocks; for the job thread.
 */
#ifndef KILN_GUEST_ACCOUNT_H
#define KILN_GUEST_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>

#include "guest/tool.h"

struct users_db;

/* Whether NAME is a user or group of the system itself: one with an id outside of those a database may use.
 * (A users_db_taken; ARG is not used.) */
bool account_is_system(void *arg, const char *name);

/* Whether NAME is a user that a database made. */
bool account_is_user(const char *name);

/* 0 when every user and group of the database can be made: none has a name or an id that this VM gave
 * otherwise. -EINVAL, PLACE then says where. Changes nothing. */
int account_check(const struct users_db *database, char *ret_place, size_t max_bytes);

/* Makes groups, users and memberships; those of an earlier database that are not in this one go. HOMES: the
 * folder of homes. Errors as tool_run. */
int account_apply(const struct users_db *database, const char *homes, char said[TOOL_SAID_MAX]);

#endif
