/*
 * Inside of the false libvirt, for false_virt*.c only.
 */
#ifndef KILN_TESTS_SIM_FALSE_VIRT_PRIVATE_H
#define KILN_TESTS_SIM_FALSE_VIRT_PRIVATE_H

#include "tests/sim/clock.h"
#include "tests/sim/false_virt.h"

enum { VIRT_FAILURES = 16 };

/* A call of kilnd's, until it is answered. */
struct call {
    enum virt_call kind;
    uint8_t id[VM_UUID_LEN]; /* of the VM, or of the drive for calls about volumes of drives */
    uint8_t drive[VM_UUID_LEN];
    bool readonly;
    struct virt_vm_spec *spec; /* owned; of a start */
    char address[16];          /* of the VM */
    uint8_t (*held)[4];        /* owned; addresses that VMs have */
    size_t nheld;
    char key[64]; /* of the queue */
    bool destroy_lane, second_look, apart;
    bool running, performed, is_cancelled;
    bool overtaken; /* its VM's end was asked for while it ran */
    bool asked_by_living; /* the kilnd that asked has not ended */
    unsigned epoch;
    struct clock_item *at; /* while it is on its way to libvirtd */
    virt_answer_fn *answered;
    void *arg;
    int error;
    const char *words;
    struct virt_domain_info *domains; /* owned */
    size_t ndomains;
    struct call *next;
};

struct call_failure {
    enum virt_call kind;
    uint8_t id[VM_UUID_LEN];
    bool any;
    unsigned count;
};

struct false_virt {
    struct call *first, **last; /* queued and running, in the order of asking */
    struct clock_owner libvirtd;
    enum virt_lie lie;
    bool up, connected, slow;
    unsigned epoch;          /* of the connection: what was asked in another one is not answered */
    int64_t event_us, up_us; /* of the last event; of libvirtd's last return */
    struct call_failure failures[VIRT_FAILURES];
    struct clock_item *returns, *quickens;
    virt_console_line_fn *line;
    void *line_arg;
};

extern struct false_virt libvirt;

/* false_virt_connection.c */
bool false_virt_connected(void);
/* Where lines of consoles go. */
void false_virt_reader(virt_console_line_fn *line, void *arg);
/* Nobody reads a console any more. */
void false_virt_consoles_lost(void);
void false_virt_connect_soon(void);

/* false_virt.c */
struct call *false_virt_call_create(enum virt_call kind, virt_answer_fn *answered, void *arg);
/* Queues it under KEY ("": waits for nobody). 0, or -ECANCELED from a kilnd that is dying: then it is freed.
 */
int false_virt_submit(struct call *call, const char *key);
/* As worker_cancel: what is queued under KEY is cancelled; whether one is running. */
bool false_virt_cancel(const char *key);
/* Whether libvirtd is making the volume of this VM for a kilnd that has died. */
bool false_virt_is_making(const uint8_t id[VM_UUID_LEN]);

/* false_virt_perform.c: does it to the hypervisor and fills in error, words and domains. */
void false_virt_perform(struct call *call);
/* Whether this call is one that was ordered to fail; counts it. */
bool false_virt_failure_take(struct call_failure failures[VIRT_FAILURES], const struct call *call);

#endif
