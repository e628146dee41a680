/*
 * What the files of the virt family share; nobody else includes it. With virt_*.c the only place that knows
 * libvirt.
 *
 * Threads: `perform` runs on the pool; libvirt's own callbacks run on the event thread; the connector thread
 * opens and closes connections; the rest, and every callback of ours, is on the loop's thread.
 */
#ifndef KILN_CORE_VIRT_PRIVATE_H
#define KILN_CORE_VIRT_PRIVATE_H

#include "src/core/virt.h"
#include "src/core/worker.h"

#include <pthread.h>
#include <sys/queue.h>

struct _virConnect;
struct _virDomain;
struct _virStoragePool;
struct _virStorageVol;
struct virt_console;
struct virt_stream;

enum virt_connection { VIRT_MAIN, VIRT_RESERVED, VIRT_NCONNECTIONS };

/* Host events of the main connection that we are told of: lifecycle and reboot. */
enum { VIRT_NEVENTS = 2 };

struct virt_link {
    struct virt *virt; /* borrowed: owner */
    enum virt_connection which;
    struct _virConnect *connection; /* owned; NULL while there is none */
    bool broken;                    /* to be closed by the connector */
    int event_ids[VIRT_NEVENTS];    /* -1: not registered */
};

struct virt {
    struct loop *loop; /* borrowed */
    struct virt_config config;
    virt_event_fn *notify;
    void *notify_arg;
    struct worker *worker;               /* owned */
    TAILQ_HEAD(, virt_console) consoles; /* loop's thread only */

    pthread_mutex_t lock; /* of all below */
    pthread_cond_t changed;
    struct virt_link links[VIRT_NCONNECTIONS];
    bool kvm; /* domains of the main connection's host can run under KVM */
    bool ending;
    pthread_t connector, events;
    bool connector_runs, events_run;
};

/* A call under way. Made on the loop's thread, performed on the pool, answered on the loop's thread. */
struct virt_op {
    struct virt *virt;
    int (*perform)(struct virt_op *op, struct _virConnect *connection);
    enum virt_connection which;
    virt_answer_fn *answered;
    void *arg;
    struct virt_answer answer;
    char words[VIRT_WORDS_BYTES];

    /* What `perform` works on; each uses what it needs. */
    struct virt_vm_spec spec;
    char volume[VIRT_NAME_BYTES];
    char drive[VIRT_NAME_BYTES];
    uint64_t size_bytes;
    bool readonly;
    struct virt_stream *stream;
    struct virt_domain_info *domains; /* owned */
    uint8_t (*held)[4];               /* owned: addresses, sorted */
    size_t nheld;
    char serials[VIRT_SERIALS][VIRT_SERIAL_BYTES];
};

/* --- virt.c --- */

/* Makes a call; NULL without memory. `perform` gets a live connection and returns what the answer's error
 * becomes. */
struct virt_op *virt_op_create(struct virt *virt, virt_answer_fn *answered, void *arg,
                               int (*perform)(struct virt_op *op, struct _virConnect *connection));

/* Queues it in the order of `key` (NULL: none), and owns it from now on, also on failure. A NULL op is
 * -ENOMEM. */
int virt_op_submit(struct virt_op *op, enum worker_lane lane, const char *key);

/* The same for what takes something away: on the reserved connection, behind no boot. */
int virt_op_submit_destroy(struct virt_op *op, enum worker_order order, const char *key);

/* Turns libvirt's last error on this thread into words, headed by `what`, and an errno of virt.h. */
int virt_op_fail(struct virt_op *op, struct _virConnect *connection, const char *what);

/* The same with words of our own. */
int virt_op_refuse(struct virt_op *op, int error, const char *words);

/* Copies text into a field of fixed size. Returns 0 or -EINVAL when it is NULL, empty or does not fit. */
int virt_copy(char *ret_field, size_t size, const char *text);

/* --- virt_connection.c --- */

/* Starts the event thread and the connector. */
int virt_connection_begin(struct virt *virt);

/* Ends the connector; no connection is opened from now on. */
void virt_connector_end(struct virt *virt);

/* Closes what is open and ends the event thread. */
void virt_connection_finish(struct virt *virt);

/* A reference to the connection, or NULL; given back with virConnectClose. Any thread. */
struct _virConnect *virt_connection_take(struct virt *virt, enum virt_connection which);

/* --- virt_events.c --- */

/* Registers for lifecycle and reboot of every domain. Event thread or connector. */
void virt_events_register(struct virt_link *link, struct _virConnect *connection);
void virt_events_deregister(struct virt_link *link, struct _virConnect *connection);

/* Tells the receiver on the loop's thread. `uuid` may be NULL. Any thread. */
void virt_events_post(struct virt *virt, enum virt_event_kind kind, const char *uuid, const char *words);

/* --- virt_domain.c --- */

/* Looks the domain up and reads our metadata. Returns 0 and a reference, -ENOENT when there positively is no
 * such domain, -EEXIST when it is not ours, or another error with words. */
int virt_domain_find(struct virt_op *op, struct _virConnect *connection, struct _virDomain **ret_domain,
                     struct virt_domain_info *ret_info);

/* --- virt_host.c --- */

/* Starts the pool if it is stopped. Returns 0 or an error with words. */
int virt_pool_start(struct virt_op *op, struct _virConnect *connection, struct _virStoragePool *pool);

/* --- virt_lost.c --- */

/* Whether the QEMU of a domain that libvirt does not know lives: 1 and its pid, 0, or an error with words. */
int virt_lost_find(struct virt_op *op, const char *uuid, int *ret_pid);

/* The same for a call that wants it to be absent: 0, or -EBUSY with words on how to go on. */
int virt_lost_refuse(struct virt_op *op, const char *uuid);

/* Sorts op->domains, which is a complete list, and appends every domain of Kiln's names that is lost. 0 or an
 * error with words. */
int virt_lost_append(struct virt_op *op, struct _virConnect *connection);

/* --- virt_volume.c --- */

/* Looks a volume up, once more after refreshing the pool. Returns 0 and a reference or an error with
 * words. */
int virt_volume_find(struct virt_op *op, struct _virConnect *connection, const char *name,
                     struct _virStorageVol **ret_volume);

/* Reads sizes and path into the answer. */
int virt_volume_read(struct virt_op *op, struct _virConnect *connection, struct _virStorageVol *volume);

/* Queues a call on op->volume. Volumes queue apart from the domain of the same uuid, because ending a domain
 * cancels what is queued for it. */
int virt_volume_submit(struct virt_op *op);

/* --- virt_console.c --- */

/* Lets go of every console's stream: the connection under them is gone. Tails stay. Loop's thread. */
void virt_consoles_lost(struct virt *virt);

/* Closes and frees every console, in this thread, after the pool has stopped. */
void virt_consoles_finish(struct virt *virt);

#endif
