/*
 * Events: tells readers what changes, each change once, in order, from where they left off.
 *
 * In: core's changes, readers with what they may see. Out: the params of vm.event as JSON text.
 * Kept: readers. What a carrier cannot take ends it there (rpc_socket.h): nothing is skipped for a reader.
 */
#ifndef KILN_CORE_EVENTS_H
#define KILN_CORE_EVENTS_H

#include "src/core/core.h"

struct events;
struct events_reader;

/* Must not remove a reader other than its own. */
typedef void events_send_fn(void *arg, const char *params);

struct events_filter {
    bool all; /* else only VMs of `owner` */
    uint8_t owner[RECORD_HASH_LEN];
    bool one_vm; /* only `vm` */
    uint8_t vm[VM_UUID_LEN];
};

/* CORE is borrowed. 0 or -ENOMEM. */
int events_create(struct core *core, struct events **ret_events);
/* Readers must be gone. */
void events_destroy(struct events *events);

/* Adds a reader that begins after RET_SEQ: what is told from now on. 0 or -ENOMEM. */
int events_reader_add(struct events *events, const struct events_filter *filter, events_send_fn *send,
                      void *arg, struct events_reader **ret_reader, uint64_t *ret_seq);
/* Sends what came after SINCE, in order: a piece of it at once, the rest in later turns, before what changes
 * meanwhile. -ENOENT SINCE lies in the future; another errno: the store cannot be read now, it is tried
 * again. */
int events_reader_replay(struct events_reader *reader, uint64_t since);
/* NULL does nothing. */
void events_reader_remove(struct events_reader *reader);

#endif
