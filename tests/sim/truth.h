/*
 * What is durable, read with the real codecs as it is written, and what is checked of it at once.
 *
 * In: entries of the disk. Out: records, drives, the chain's end. Kept: the newest of each. A change that no
 * table of states/ allows, a gap in the numbers of changes, a change that the audit does not tell of in the
 * same transaction, and a wrong link of the audit chain break a claim here.
 */
#ifndef KILN_TESTS_SIM_TRUTH_H
#define KILN_TESTS_SIM_TRUTH_H

#include "src/core/record.h"
#include "tests/sim/disk.h"

enum { TRUTH_VMS = 24, TRUTH_DRIVES = 16 };

struct truth_vm {
    struct vm vm;
    bool there;         /* false: it was forgotten */
    uint64_t last_seq;  /* of its last change */
    uint8_t key[8];     /* of its record: the number of its first */
    int64_t entered_us; /* when its state became durable */
    /* Counted by claims.c. */
    int64_t overdue_us; /* quiet time that its deadline has passed for */
    uint64_t boots;     /* that domains were started for, a bit each */
};

struct truth_drive {
    struct drive drive; /* without envelopes */
    bool there;
};

struct truth {
    struct truth_vm vms[TRUTH_VMS];
    size_t nvms;
    struct truth_drive drives[TRUTH_DRIVES];
    size_t ndrives;
    uint64_t audit_seq, change_seq;
    uint8_t audit_hash[RECORD_HASH_LEN];
    struct history change; /* the last */
    bool unaudited;        /* the audit has not told of it yet */
    bool changed;          /* since claims.c last looked */
};

extern struct truth truth;

void truth_begin(void);
void truth_put(enum store_database database, const struct disk_entry *entry);
void truth_delete(enum store_database database, const struct disk_entry *entry);
/* What was put and deleted since the last call was one transaction. */
void truth_transaction_end(void);

/* NULL when none was ever written. */
struct truth_vm *truth_vm(const uint8_t uuid[VM_UUID_LEN]);
struct truth_drive *truth_drive(const uint8_t id[VM_UUID_LEN]);

#endif
