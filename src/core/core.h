/*
 * Core: what kilnd's files share: configuration, loop, store, libvirt, identity, and all objects in memory.
 *
 * Kept: everything; owned by main.c. Fields are read by everyone and written by the file named beside them.
 */
#ifndef KILN_CORE_CORE_H
#define KILN_CORE_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/code.h"
#include "src/core/audit.h"
#include "src/core/index.h"
#include "src/core/network.h"
#include "src/core/record.h"
#include "src/core/releases.h"
#include "src/core/virt.h"
#include "src/io/config.h"
#include "states/vm.h"

struct core;
struct loop;
struct loop_timer;
struct identity;
struct load;
struct machine;
struct machine_step;
struct perform;
struct perform_vm;
struct reconcile;

/* A VM in memory. */
struct vm_slot {
    uint64_t seq;      /* of its last change */
    uint64_t number;   /* seq of its first change: the key of its record; 0: begun, not yet decided */
    struct core *core; /* borrowed */
    bool fresh;        /* begun, not yet durable: not to be shown */

    /* machine.c: the event whose commit is in flight, those that wait, the deadline. */
    struct machine_step *step;
    struct machine_step *first, **last;
    struct vm_slot *ready_next;
    bool ready;
    struct loop_timer *deadline; /* owned */
    int64_t deadline_floor_ms;   /* monotonic: in state `floor_state` the deadline is not before it */
    int floor_state;

    struct perform_vm *perform; /* owned by perform.c: what is being performed for it */

    bool link_stale; /* machine.c: the record's link ended with the kilnd that held it, and has yet to hear so
                      */

    /* reconcile.c */
    bool recovering;            /* loaded, and libvirt has not yet shown its domain */
    int64_t absent_since_ms;    /* when the domain was first found absent, monotonic; 0: it was not */
    uint32_t absent_connection; /* on which connection: that of another is no answer */
    int lost_pid;               /* its QEMU, that runs on without libvirt; 0: not so */

    struct vm vm; /* the durable record (machine.c) */
};

/* A change of a VM, told to watchers after it is durable; borrowed for the call. VM is NULL when replayed. */
struct change {
    const struct history *history;
    const struct vm *vm;
};

typedef void core_changed_fn(void *arg, const struct change *change);

struct core_watcher {
    core_changed_fn *changed; /* must not add or remove watchers */
    void *arg;
    struct core_watcher *next; /* kept by core.c */
};

/* What perform asks of the verbs' side: the edge and the guest's link. All idempotent, none may be NULL, none
 * answers: what cannot be done now is asked again when the link is up. VM is borrowed for the call. */
struct core_ports {
    void (*guest_assign)(void *arg, const struct vm *vm);      /* host.assign: owner's key and binding */
    void (*guest_tell_drives)(void *arg, const struct vm *vm); /* host.drives */
    void (*bridges_close)(void *arg, const struct vm *vm);  /* relay.close {kind: bridge}; tickets go too */
    void (*channels_close)(void *arg, const struct vm *vm); /* relay.close {kind: channel}, and its link */
    void *arg;
};

struct core {
    const char *config_path;
    struct config config; /* owned (main.c; daemon.reload through core_reload) */
    struct loop *loop;
    struct store *store;
    struct identity *identity;
    struct virt *virt;
    const struct virt_ops *virt_ops; /* how libvirt is asked: virt_ops.h */
    struct core_ports ports;         /* set by the verbs' side before core_start */
    struct audit audit;

    struct index vms;       /* of struct vm_slot by uuid (machine.c) */
    struct index names;     /* the same by name, then uuid (machine.c) */
    struct network network; /* their addresses (machine.c) */
    struct index users;     /* of struct user by fingerprint (user.c) */
    struct index bricks;    /* of struct brick by name (brick.c) */
    struct index drives;    /* of struct drive by id (drive.c) */

    uint64_t seq;             /* of the last change that was decided (machine.c) */
    uint64_t assignment;      /* last number given (core_assignment_next) */
    uint64_t assignment_kept; /* last number that is in a batch (machine.c) */
    uint64_t told_seq;        /* of the last change that watchers were told (machine.c) */
    struct core_watcher *watchers;
    struct machine *machine;     /* owned (machine.c) */
    struct perform *perform;     /* owned (perform.c) */
    struct reconcile *reconcile; /* owned (reconcile.c) */

    struct load *load; /* owned; while records are loaded (core_load.c) */

    struct releases releases; /* releases.c */

    uint8_t edge_certificate[RECORD_HASH_LEN]; /* fingerprint; last said by the edge
                                                  (core_edge_certificate_set) */
    bool edge_certificate_known;
    int64_t edge_certificate_expires_ms; /* said with it; 0: not by this kilnd's edge */
    bool edge_up;                        /* verbs' side: edge.sock is connected; shown in daemon.status */
    size_t recovering;   /* VMs that were loaded, and whose domain libvirt has not yet shown (reconcile.c) */
    uint64_t clock_boot; /* this boot of the host (deadline.c) */
    int64_t clock_ahead_ms; /* of the wall clock before the monotonic one, as last seen (deadline.c) */
    int64_t started_at_ms;
    uint64_t stalls;                /* loop turns over 100 ms (core.c) */
    struct loop_timer *stall_timer; /* owned (core.c) */
    int64_t stall_due_ms;
};

enum { CORE_ERROR_LEN = 320 };

/* Opens the identity under config.state_dir and claims the store (store.h), which is then to be looked at.
 * core->config, loop and config_path are set by the caller. ERROR says what failed in words. */
int core_open(struct core *core, char error[static CORE_ERROR_LEN]);
/* Begins the store that was looked at, and loads its objects, for a share of a turn: 1 there is more to load,
 * 0 all are there, or a negative errno. */
int core_load(struct core *core, char error[static CORE_ERROR_LEN]);
/* For core*.c: ends a load that is not over; says in ERROR what failed, and returns CODE, a negative errno.
 */
void core_load_end(struct core *core);
int core_fail(char error[static CORE_ERROR_LEN], int code, const char *what);
/* Connects libvirt and begins recovery; core->ports are set. Returns at once; nothing waits for libvirt. */
int core_start(struct core *core, char error[static CORE_ERROR_LEN]);
/* Leaves VMs running; makes what is committed durable. */
void core_close(struct core *core);
/* Reads the configuration again. What needs a restart (folders, URI, network, listeners) is kept as it was
 * and named in the log. ERROR as of config_load; nothing changed on failure. */
int core_reload(struct core *core, char error[static CONFIG_ERROR_MAX]);

/* ---- VMs ---- */

/* NULL when there is none (or it is not yet durable). */
const struct vm_slot *core_vm(const struct core *core, const uint8_t uuid[static VM_UUID_LEN]);
/* index from 0; NULL after the last. A slot that is `fresh` is not to be shown. */
const struct vm_slot *core_vm_at(const struct core *core, size_t index);
/* The index of the first VM behind UUID, in the order of core_vm_at. */
size_t core_vm_after(const struct core *core, const uint8_t uuid[static VM_UUID_LEN]);
/* The one that has NAME and is not destroyed, durable or not; NULL when there is none. */
const struct vm_slot *core_vm_living(const struct core *core, const char *name);
/* By id, by a unique prefix of it (4 or more characters), or by name (a living VM first, then the newest). */
const struct vm_slot *core_vm_search(const struct core *core, const char *word);

/* The console: live lines, or those kept when it ended. Returns the length, without the NUL. */
size_t core_vm_console(struct core *core, const uint8_t uuid[static VM_UUID_LEN], char *ret_text,
                       size_t size);

/* What it waits for, in words, and since when it does: "queue: 3 boots before this one", "the guest's
 * registration", ... Returns RET_WORDS. Effects that fail and are tried again are named. */
const char *core_vm_waiting_for(const struct core *core, const struct vm_slot *slot, char *ret_words,
                                size_t size);
/* Boots that wait for their turn. */
size_t core_boot_queue(const struct core *core);

/* ---- changes ---- */

/* The watcher is borrowed until removed. SINCE is answered by core_replay first. */
void core_watch(struct core *core, struct core_watcher *watcher);
void core_unwatch(struct core *core, struct core_watcher *watcher);
/* Changes with seq > SINCE, in order, as far as they are durable. FN returns 0 to go on. -ENOENT when SINCE
 * is greater than the last. */
int core_replay(struct core *core, uint64_t since, int (*fn)(void *arg, const struct history *history),
                void *arg);
/* A VM's changes with seq > SINCE, oldest first. FN returns 0 to go on. -ENOMEM, -EBADMSG. */
int core_history(const struct vm_slot *slot, uint64_t since,
                 int (*fn)(void *arg, const struct history *history), void *arg);
/* The number of the last change that was told to watchers. */
uint64_t core_last_seq(const struct core *core);

/* ---- numbers, keys, names ---- */

/* Key in STORE_META of the last number given: u64. */
#define CORE_ASSIGNMENT_KEY "assignment"
/* The same of the edge's certificate: its fingerprint. */
#define CORE_EDGE_KEY "edge-certificate"
uint64_t core_assignment_next(struct core *core);
/* Said by the edge at hello; kept in the store; boots wait until it was said once. */
void core_edge_certificate_set(struct core *core, const uint8_t fingerprint[static RECORD_HASH_LEN]);

/* The guest listener's URL and the host's address on the bridge, from the configuration. */
void core_guest_url(const struct core *core, char ret_url[static VIRT_URL_BYTES]);
void core_host_address(const struct core *core, char ret_address[static 16]);
void core_vm_address(const struct vm *vm, char ret_address[static 16]);

/* UUIDs in text: 8-4-4-4-12 lower-case hex. Parse: -EINVAL. */
void core_uuid_text(const uint8_t uuid[static VM_UUID_LEN], char ret_text[static VIRT_UUID_BYTES]);
int core_uuid_parse(const char *text, uint8_t ret_uuid[static VM_UUID_LEN]);

/* Who did it, for history and audit. */
void core_actor_uid(char ret_actor[static VM_WHO_LEN], unsigned uid);               /* "uid:1000" */
void core_actor_key(char ret_actor[static VM_WHO_LEN], const uint8_t *fingerprint); /* 64 hex digits */
#define CORE_ACTOR_SELF "kilnd"
#define CORE_ACTOR_GUEST "guest"

#endif
