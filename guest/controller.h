/*
 * Controller: the program that makes a VM a sealed research VM. Its decisions are the machine's (machine.h);
 * this is the one record that the files which perform them share. In: events. Out: effects performed. Kept:
 * everything below, until the program ends.
 */
#ifndef KILN_GUEST_CONTROLLER_H
#define KILN_GUEST_CONTROLLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/boot.h"
#include "guest/console.h"
#include "guest/handover.h"
#include "guest/kept.h"
#include "guest/luks.h"
#include "guest/machine.h"
#include "guest/status.h"
#include "protocol/binding.h"

struct channels;
struct crypto_rsa;
struct host_link;
struct job_queue;
struct loop;
struct loop_timer;
struct owner_ask;
struct port22;
struct registration;
struct rpc_request;
struct terminals;
struct tls_client;

/* All secrets of the program that are ours to place: one piece of locked memory. */
struct secrets {
    uint8_t boot_secret[REGISTER_SECRET_BYTES];
    uint8_t registration_key[CRYPTO_KEY_BYTES]; /* K_reg */
    struct kept kept;
    struct handover handover; /* as it came from the stub */
    uint8_t block[HANDOVER_RECORD_MAX];
    uint8_t drive_key[GUEST_DRIVES_MAX]
                     [LUKS_KEY_LEN]; /* from the owner's word to the drive's opening, no longer */
};

/* What the owner asked of a drive and waits for; the key is in secrets at the same index. */
struct drive_ask {
    bool held; /* the slot is in use */
    bool busy; /* the job thread has it */
    uint8_t id[GUEST_ID_LEN];
    bool format;
    struct rpc_request *request; /* owned: answered when it is done */
};

struct owner {
    struct crypto_rsa *key; /* owned; public; NULL: nobody yet */
    uint8_t binding[BINDING_MAX];
    size_t binding_len;
    uint64_t assignment;
};

struct settings {
    char name[64];
    bool applications;
    uint32_t heartbeat_s;
};

struct controller_options {
    const char *sysroot;
    const char *console_path; /* NULL: the machine's console */
    int stub_fd;              /* where the stub is heard */
};

struct controller {
    struct loop *loop; /* borrowed */
    struct controller_options options;
    struct console console;
    struct boot boot;
    struct secrets *secrets; /* owned, locked */
    struct guest machine;
    struct queued_event *events; /* owned: what happened while an event was being taken */
    bool stepping;
    struct job_queue *jobs;                 /* owned */
    struct crypto_rsa *key;                 /* owned: the VM's */
    struct tls_client *tls;                 /* owned: the edge's certificate is pinned */
    uint8_t host_identity[CRYPTO_SPKI_MAX]; /* its fingerprint is the one named at boot */
    size_t host_identity_len;
    struct owner owner;
    struct settings settings;
    uint8_t request_hash[CRYPTO_HASH_BYTES];
    struct registration *registration; /* owned */
    struct host_link *link;            /* owned */
    struct channels *channels;         /* owned */
    struct terminals *terminals;       /* owned */
    struct port22 *port22;             /* owned; NULL until it is bound */
    struct loop_timer *end;            /* owned: the last words' time is over */
    struct drive_ask asks[GUEST_DRIVES_MAX];
    struct owner_ask *ask;             /* borrowed: what the event being taken is about, or NULL */
    struct rpc_request *users_request; /* owned: waits for the users */
    char *users_text;                  /* owned: the database that came with it, or NULL */
    bool users_busy;
    char first_user[33]; /* whom terminals and keys are for when nobody is named; "" before the users are made
                          */
    struct status_reading reading;
    int exit_status;
};

/* Reads boot data and what the stub hands over, makes every part, and enters the machine's first state.
 * A failure stands on the console. -ENOENT, -EINVAL, -EBADMSG, -ENOMEM, -EPERM. */
int controller_create(struct loop *loop, const struct controller_options *options,
                      struct controller **ret_controller);
/* NULL does nothing. Drives stay mounted, sessions and terminals go on. */
void controller_destroy(struct controller *controller);
/* What the program shall exit with (enum handover_exit), once the loop has ended. */
int controller_exit_status(const struct controller *controller);

/* The machine enters its first state, and what it wants is performed; once, when every part is there. */
void controller_begin(struct controller *controller);
/* What waits its turn is dropped. */
void controller_forget_events(struct controller *controller);
/* Something happened: the machine takes it, and its effects are performed. Whether a row was there for it; an
 * event that comes while another is being taken waits its turn and counts as taken. */
bool controller_happen(struct controller *controller, const struct guest_event *event);
/* The same for an event with nothing to it; one with a code and words; one of a drive. */
bool controller_happen_plain(struct controller *controller, enum guest_event_kind kind);
void controller_happen_trouble(struct controller *controller, enum guest_event_kind kind, enum kiln_code code,
                               const char *detail);
bool controller_happen_drive(struct controller *controller, enum guest_event_kind kind,
                             const uint8_t id[GUEST_ID_LEN], enum kiln_code code, const char *detail);

/* Gives the stub what it shall keep for the next controller. */
void controller_keep(struct controller *controller);

/* Effects, each in the file of its noun. */
void identity_make_key(struct controller *controller);
void drives_check(struct controller *controller);
void drives_unlock(struct controller *controller, int index);
void drives_wipe_keys(struct controller *controller);
void people_apply(struct controller *controller);

#endif
