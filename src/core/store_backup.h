/*
 * Store backup: the store in use checked and copied, and a copy put in its place again.
 *
 * In: a store, the path of a backup. Out: a verdict, a file. Kept: nothing.
 * A backup is an LMDB file of one moment, 0600, checked before it counts. It holds what the store holds and
 * no secret: identity and boot secrets are not in the store.
 */
#ifndef KILN_CORE_STORE_BACKUP_H
#define KILN_CORE_STORE_BACKUP_H

#include "src/core/store_check.h"

/* Checks every page and record of the store in use, as of one moment. As store_check. Any thread: for a job.
 */
int store_check_live(struct store *store, struct store_verdict *ret_verdict, char error[STORE_ERROR_LEN]);

/* Writes the store, as of one moment, to the new file PATH, and checks that. -EEXIST, errno of writing,
 * or as store_check; then there is no file. Any thread: for a job. */
int store_backup(struct store *store, const char *path, struct store_verdict *ret_verdict,
                 char error[STORE_ERROR_LEN]);

/* Puts the backup in FD (PATH is for words), once it is checked, in the place of the store in FOLDER, which
 * nobody has open; what was there stays as FOLDER/data.mdb.replaced. When it is cut short, the store is
 * refused until it is done again. -EBUSY a kilnd has the store; errno; as store_check. */
int store_restore(const char *folder, int fd, const char *path, struct store_verdict *ret_verdict,
                  char error[STORE_ERROR_LEN]);

#endif
