/*
 * Inside of the drives, for drive*.c only.
 */
#ifndef KILN_CORE_DRIVE_PRIVATE_H
#define KILN_CORE_DRIVE_PRIVATE_H

#include "src/core/object_private.h"

/* The record into the batch. -ENOMEM */
int drive_put(struct store_batch *batch, const struct drive *drive);
/* The record and an audit entry in a batch of their own; DONE(ORDER) once durable. */
int drive_commit(struct core *core, const struct drive *drive, const char *what, const char *story,
                 store_done_fn *done, struct object_order *order);

#endif
