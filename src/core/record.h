/*
 * Records: what the store keeps, and their bytes: versioned tag-length-value.
 *
 * In: a struct. Out: bytes, and the same struct again. Kept: nothing.
 * A record is `u16 format | (u16 tag | u32 length | value)*`, numbers big-endian. A decoder skips tags that
 * it does not know, refuses a format that is newer (-ENOTSUP) and bytes that make no sense (-EBADMSG), and
 * then leaves the result untouched. A tag is never given another meaning. No secret is part of any record.
 */
#ifndef KILN_CORE_RECORD_H
#define KILN_CORE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "states/vm.h"

struct tlv_member;

enum {
    RECORD_FORMAT = 1,
    RECORD_HASH_LEN = 32,
    RECORD_ENVELOPES_MAX = 64,    /* users that one drive is shared with */
    RECORD_CIPHERTEXT_MAX = 1032, /* an envelope of protocol/README 10.1 of two RSA-4096 keys */
    RECORD_HOLDERS_MAX = 64,      /* VMs that read one drive */
    RECORD_CMDLINE_LEN = 1024,    /* kernel command line with its end */
    RECORD_CONSOLE_MAX = 8192     /* bytes of a console tail */
};

enum user_role { USER_OWNER, USER_ADMIN };

/* A person: a public key with a name. */
struct user {
    char name[VM_NAME_LEN];
    uint8_t role;                         /* enum user_role */
    uint8_t fingerprint[RECORD_HASH_LEN]; /* of `spki`; the key in the store */
    uint8_t spki[VM_SPKI_MAX];
    uint16_t spki_len_bytes;
    int64_t created_at_ms;
};

/* A hardware profile and a golden image. */
struct brick {
    char name[VM_NAME_LEN];        /* the key in the store */
    uint8_t hash[RECORD_HASH_LEN]; /* protocol/README 8.1 */
    uint8_t image_hash[RECORD_HASH_LEN];
    uint8_t kernel_hash[RECORD_HASH_LEN]; /* of the empty string's place when there is none: all zero */
    uint8_t initrd_hash[RECORD_HASH_LEN];
    char image[128], kernel[128], initrd[128]; /* volumes of the pool; kernel and initrd may be "" */
    char cmdline[RECORD_CMDLINE_LEN];
    uint16_t vcpus;
    uint32_t memory_mib;
    bool applications;
    int64_t timeout_ms[VM_STATE_COUNT]; /* -1: as configured; 0: none */
    int64_t created_at_ms;
};

/* A drive key, sealed to a user's key and signed by its maker. The host cannot open it and does not look
 * into it. */
struct envelope {
    uint8_t user[RECORD_HASH_LEN]; /* fingerprint */
    uint16_t len_bytes;
    uint8_t ciphertext[RECORD_CIPHERTEXT_MAX];
};

struct holder {
    uint8_t vm[VM_UUID_LEN];
    uint8_t mode; /* enum vm_drive_mode */
};

enum drive_state { DRIVE_MAKING, DRIVE_HERE, DRIVE_REMOVING };

struct drive {
    uint8_t id[VM_UUID_LEN]; /* the key in the store */
    char name[VM_NAME_LEN];
    uint8_t owner[RECORD_HASH_LEN]; /* fingerprint */
    uint64_t size_mib;
    uint8_t state; /* enum drive_state: of its volume */
    int64_t created_at_ms;
    struct holder holders[RECORD_HOLDERS_MAX];
    size_t nholders;
    struct envelope *envelopes; /* owned; NULL for none */
    size_t nenvelopes;
};

/* One row taken by a VM's machine. */
struct history {
    uint64_t seq;      /* of all changes on this host; never skips */
    uint64_t previous; /* seq of the VM's change before this; 0: it is the first */
    int64_t at_ms;
    uint8_t vm[VM_UUID_LEN];
    char name[VM_NAME_LEN];
    int32_t from, to; /* enum vm_state; from is -1 for the beginning */
    int32_t event;    /* enum vm_event_kind; -1 for the beginning */
    char story[FSM_STORY_LEN];
    char actor[VM_WHO_LEN];
    int32_t code; /* enum kiln_code, 0: none */
    char detail[VM_DETAIL_LEN];
};

/* One link of the audit chain (audit.h). */
struct audit_entry {
    uint64_t seq; /* from 1, never skips */
    int64_t at_ms;
    uint8_t previous[RECORD_HASH_LEN]; /* hash of the entry before; zeros before the first */
    char actor[VM_WHO_LEN];            /* "uid:1000", a fingerprint in hex, "kilnd" or "guest" */
    char what[VM_NAME_LEN];            /* "vm.create", "vm.step", "user.add" ... */
    char object[VM_NAME_LEN];          /* id or name of what it was done to */
    char from[32], to[32];             /* states of a VM; "" for others */
    char story[VM_DETAIL_LEN];
};

/* Which member of a record's struct goes under which tag. */
struct tlv_table {
    const struct tlv_member *members;
    size_t count;
};
extern const struct tlv_table record_vm_table, record_registration_table, record_vm_drive_table,
    record_user_table, record_brick_table, record_drive_table, record_history_table, record_audit_table;

/* Tags of what is no member of the struct; never given another meaning. */
enum {
    RECORD_VM_SEQ = 1,
    RECORD_VM_STATE = 2,
    RECORD_VM_REGISTRATION = 3,
    RECORD_VM_DRIVE = 4,
    RECORD_VM_TIMEOUT = 5, /* state's name, 0, i64 */
    RECORD_REGISTRATION_SPKI = 6,
    RECORD_REGISTRATION_ADDRESS = 7, /* one a time */
    RECORD_USER_SPKI = 1,
    RECORD_BRICK_TIMEOUT = 2,  /* i64, state's name */
    RECORD_DRIVE_HOLDER = 3,   /* uuid, u8 mode */
    RECORD_DRIVE_ENVELOPE = 4, /* 32 bytes of fingerprint, ciphertext */
    RECORD_HISTORY_FROM = 1,
    RECORD_HISTORY_TO = 2,
    RECORD_HISTORY_EVENT = 3,
    RECORD_HISTORY_PREVIOUS = 24 /* of a member, named for store_convert.c */
};

/* Each encode gives malloc'd bytes (owned by the caller) or -ENOMEM. */
int record_vm_encode(const struct vm *vm, uint64_t seq, uint8_t **ret_bytes, size_t *ret_len_bytes);
int record_vm_decode(const void *bytes, size_t len_bytes, struct vm *ret_vm, uint64_t *ret_seq);
int record_user_encode(const struct user *user, uint8_t **ret_bytes, size_t *ret_len_bytes);
int record_user_decode(const void *bytes, size_t len_bytes, struct user *ret_user);
int record_brick_encode(const struct brick *brick, uint8_t **ret_bytes, size_t *ret_len_bytes);
int record_brick_decode(const void *bytes, size_t len_bytes, struct brick *ret_brick);
int record_drive_encode(const struct drive *drive, uint8_t **ret_bytes, size_t *ret_len_bytes);
/* `envelopes` of the result is the caller's to free. */
int record_drive_decode(const void *bytes, size_t len_bytes, struct drive *ret_drive);
int record_history_encode(const struct history *history, uint8_t **ret_bytes, size_t *ret_len_bytes);
int record_history_decode(const void *bytes, size_t len_bytes, struct history *ret_history);
/* Its `previous` alone, for who goes through many. */
int record_history_previous(const void *bytes, size_t len_bytes, uint64_t *ret_previous);
int record_audit_encode(const struct audit_entry *entry, uint8_t **ret_bytes, size_t *ret_len_bytes);
int record_audit_decode(const void *bytes, size_t len_bytes, struct audit_entry *ret_entry);

#endif
