/*
 * Drive: from a serial and a key to a mounted file system, or to the reason why not (README 7.5).
 * In: an order. Out: a stable code with words, the path, whether it was formatted. Kept: nothing here; the
 * device mapper and the mount table are the memory, so a restarted controller recognises what is mounted.
 * Blocks; for the job thread.
 */
#ifndef KILN_GUEST_DRIVE_H
#define KILN_GUEST_DRIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "guest/luks.h"
#include "guest/machine.h"
#include "protocol/code.h"

#define DRIVE_FOLDER "/drives"
#define DRIVE_PATH_MAX 96

struct drive_order {
    char name[GUEST_NAME_LEN];
    char serial[GUEST_SERIAL_LEN];
    bool writer;        /* how the host attached it */
    bool format;        /* the owner's word that a blank drive may be formatted */
    const uint8_t *key; /* borrowed: locked memory, LUKS_KEY_LEN bytes */
};

struct drive_outcome {
    enum kiln_code code; /* CODE_NONE: mounted */
    char detail[GUEST_DETAIL_LEN];
    char path[DRIVE_PATH_MAX];
    bool formatted;
};

/* Makes sure that the drive is open and mounted. A drive that is mounted already is a success whatever the
 * key. */
void drive_unlock(const struct drive_order *order, struct drive_outcome *ret_outcome);

/* Whether the drive is open and mounted at its place. */
bool drive_is_mounted(const char *name, const char *serial);

/* Before anybody can write to a container: one whose making was cut off behind its file system (MAPPED shows
 * one; mkfs.ext4 writes the superblock last) counts as made, so that no word ever formats it again. -ENODATA
 * its file system is not there; an errno of looking or writing, SAID then holding libcryptsetup's words or
 * "".
 */
int drive_settle_making(const char *device, const char *mapped, char said[LUKS_SAID_MAX]);

/* "/drives/<name>". */
void drive_path(const char *name, char ret_path[DRIVE_PATH_MAX]);

#endif
