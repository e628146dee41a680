/*
 * Inside of perform, for perform*.c only.
 */
#ifndef KILN_CORE_PERFORM_PRIVATE_H
#define KILN_CORE_PERFORM_PRIVATE_H

#include "src/core/perform.h"

enum boot_phase {
    BOOT_NONE,   /* no start is wanted, or it is over */
    BOOT_WAITS,  /* in the queue */
    BOOT_STARTS, /* libvirt is asked */
    BOOT_RISES   /* the domain runs, its guest has not registered: the slot is still taken */
};

/* The time that a guest has to end by itself. */
enum orderly_end { ORDERLY_NONE, ORDERLY_RUNS, ORDERLY_OVER };

enum network_state { NETWORK_UNKNOWN, NETWORK_ASKED, NETWORK_READY };

/* What is under way for one VM. */
struct perform_vm {
    enum boot_phase boot;
    enum network_state network;
    bool stopped; /* a lifecycle event said so while BOOT_STARTS */
    uint32_t boot_number;
    struct vm_slot *queue_next;
    struct loop_timer *rise; /* owned; armed in BOOT_RISES */

    unsigned attaching;    /* drives that libvirt is asked to attach */
    bool attaching_undone; /* of one of them nothing is known */

    uint64_t under_way;          /* effects whose answer is owed, a bit each */
    uint64_t retry;              /* effects that failed, a bit each */
    struct loop_timer *retry_at; /* owned */
    char retry_words[VM_DETAIL_LEN];

    enum orderly_end orderly;
    struct loop_timer *orderly_at; /* owned; armed in ORDERLY_RUNS */

    int64_t console_at_ms; /* when a failure was last taken from the console, monotonic */
};

struct perform {
    struct core *core;
    struct vm_slot *queue_first, **queue_last; /* BOOT_WAITS, in the order of asking */
    size_t waiting, rising;                    /* rising: BOOT_STARTS and BOOT_RISES */
};

/* What an answer is about. The VM may be gone when it comes. */
struct perform_ask {
    struct core *core;
    uint8_t uuid[VM_UUID_LEN];
    int effect; /* enum vm_effect */
    uint32_t boot_number;
    uint8_t drive[VM_UUID_LEN];
    char words[VM_DETAIL_LEN]; /* of a failure that is cleaned up first */
};

/* Whether the effect's answer is owed: it is not asked for twice. */
bool perform_is_under_way(const struct vm_slot *slot, int effect);
/* As perform_ask_create and perform_ask_end, and the effect is under way between them. */
struct perform_ask *perform_ask_begin(struct vm_slot *slot, int effect);
struct vm_slot *perform_ask_answered(struct perform_ask *ask);
/* NULL without memory; freed by whoever gets the answer (perform_ask_end) or at once when the call failed. */
struct perform_ask *perform_ask_create(const struct vm_slot *slot, int effect);
/* Frees the ask and finds its VM: NULL when it was forgotten. */
struct vm_slot *perform_ask_end(struct perform_ask *ask);

/* Performs the effect once more in a while. */
void perform_again(struct vm_slot *slot, int effect, const char *words);
/* The path of the boot secret's file (PATH_MAX bytes). */
void perform_boot_path(const struct core *core, const uint8_t uuid[static VM_UUID_LEN], char *ret_path,
                       size_t size);
/* Whether nothing is known of the effect: libvirt was away, or the call was overtaken. Then LIBVIRT_BACK asks
 * for it again; where libvirt is there by now, and may have said so before this answer came, it is tried
 * again. */
bool perform_undone(struct vm_slot *slot, int effect, int error);

/* The answer to a call that takes something away: the machine hears that it is gone, or it is asked for
 * again. */
void perform_gone_answered(void *arg, const struct virt_answer *answer);
/* After such a call: what was not even asked (ASK NULL or RC negative) is asked for again. */
void perform_gone_asked(struct vm_slot *slot, struct perform_ask *ask, int effect, int rc);

/* Has its address taken back, once nothing is under way that pins it. */
void perform_network_free(struct vm_slot *slot);

/* perform_end.c */
void perform_domain_gone(struct vm_slot *slot);
int perform_end_init(struct vm_slot *slot);
void perform_end_finish(struct vm_slot *slot);

/* perform_boot.c */
void perform_network(struct vm_slot *slot);
void perform_domain(struct vm_slot *slot);
void perform_boot_file_gone(struct vm_slot *slot);
/* The record moved on: a boot that is over leaves the queue or its place. */
void perform_boot_follow(struct vm_slot *slot);
int perform_boot_init(struct vm_slot *slot);
void perform_boot_finish(struct vm_slot *slot);

/* perform_console.c */
void perform_console(struct vm_slot *slot);

/* perform_drives.c */
void perform_drives_attached(struct vm_slot *slot);
void perform_drives_free(struct vm_slot *slot);

/* perform_spec.c: what libvirt is told of a VM. -ENOENT its brick is gone, -EAGAIN no edge was ever seen. */
int perform_spec(const struct vm_slot *slot, struct virt_vm_spec *ret_spec);

#endif
