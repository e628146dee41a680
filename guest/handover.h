/*
 * Handover: what stub and controller tell each other, over a socket pair that the controller inherits as
 * descriptor HANDOVER_FD; never by argument or environment, where others could read it. In: records. Out:
 * structs. Kept: nothing.
 *
 * Stub to controller, once, at its start: what runs and the block that the last controller left.
 * Controller to stub, whenever it changes: that block. The stub does not look into it and keeps it in locked
 * memory.
 */
#ifndef KILN_GUEST_HANDOVER_H
#define KILN_GUEST_HANDOVER_H

#include <stddef.h>
#include <stdint.h>

#define HANDOVER_FD 3
#define HANDOVER_HASH_LEN 32
#define HANDOVER_VERSION_MAX 33
#define HANDOVER_KEPT_MAX 8192
#define HANDOVER_RECORD_MAX (HANDOVER_KEPT_MAX + 256)

/* Why a controller ended by itself; any other status is a crash. */
enum handover_exit {
    HANDOVER_FAILED = 70,   /* integration is abandoned and the host was told: do not start this one again */
    HANDOVER_SHUTDOWN = 71, /* the VM ends */
    HANDOVER_UPDATE = 72,   /* a newer controller may be there */
    HANDOVER_UNREACHABLE = 73 /* the host was out of reach for too long: start again later */
};

struct handover {
    uint8_t manifest[HANDOVER_HASH_LEN]; /* hash of the manifest (README 4.1) */
    uint8_t config[HANDOVER_HASH_LEN];
    char stub_version[HANDOVER_VERSION_MAX];
    size_t kept_len;
    uint8_t kept[HANDOVER_KEPT_MAX]; /* secret */
};

/* Both in memory that holds secrets: the caller's is locked. -ENOSPC. */
int handover_encode(const struct handover *handover, uint8_t out[HANDOVER_RECORD_MAX], size_t *ret_len_bytes);
/* -EBADMSG. */
int handover_decode(const void *record, size_t len_bytes, struct handover *ret_handover);

#endif
