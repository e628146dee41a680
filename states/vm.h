/*
 * vm.h - the VM's machine: its record, its states, its events, its effects.
 *
 * In:   struct vm_event, made by kilnd from answers of libvirt, the store, the edge, the guest and people.
 * Out:  struct vm changed, effects (enum vm_effect) wanted. states/README.md shows the tables.
 * Kept: nothing here. A record is of fixed size and holds no pointer, so it is copied, stepped and committed
 * whole.
 *
 * Each state is a file, vm_<state>.c; rows valid in any state are in vm_any.c.
 */
#ifndef KILN_STATES_VM_H
#define KILN_STATES_VM_H

#include "states/fsm.h"

enum {
    VM_UUID_LEN = 16,
    VM_HASH_LEN = 32, /* SHA-256: fingerprints, image, request and manifest hashes */
    VM_NONCE_LEN = 32,
    VM_SPKI_MAX = 600,    /* DER of an RSA public key; RSA-2048 takes 294, RSA-4096 takes 550 */
    VM_NAME_LEN = 64,     /* names of VMs, bricks and drives, with their end */
    VM_SERIAL_LEN = 21,   /* 20 hex digits, what virtio-scsi keeps of a serial, with its end */
    VM_ADDRESS_LEN = 65,  /* an address in text with its end */
    VM_DETAIL_LEN = 192,  /* one line of words about a cause, with its end */
    VM_WHO_LEN = 72,      /* a fingerprint in hex or an operator's name, with its end */
    VM_DRIVES_MAX = 8,    /* drives of one VM: a virtio-scsi controller has room for many more */
    VM_ADDRESSES_MAX = 8, /* addresses that a guest says it has */
};

/* The states in the order of a life; its file names each in words, and one without its file does not link. */
#define VM_STATES(X)                                                                                         \
    X(REQUESTED, requested)                                                                                  \
    X(IMAGE_CREATED, image_created)                                                                          \
    X(BOOTED, booted)                                                                                        \
    X(REGISTERED, registered)                                                                                \
    X(PAIRED, paired)                                                                                        \
    X(DRIVES_ATTACHED, drives_attached)                                                                      \
    X(READY, ready)                                                                                          \
    X(SSH_PROXIED, ssh_proxied)                                                                              \
    X(DESTROYED, destroyed)

enum vm_state {
#define X(upper, lower) VM_##upper,
    VM_STATES(X)
#undef X
        VM_STATE_COUNT
};

/*
 * What can happen to a VM; the member of struct vm_event that goes with it in brackets. A refusal (no row) of
 * an event that a guest sent is an offence against the protocol: its link is closed.
 */
#define VM_EVENTS(X)                                                                                         \
    /* from libvirt's storage and domains, and from time */                                                  \
    X(VOLUME_READY, "volume-ready")     /* the thin volume is there */                                       \
    X(VOLUME_FAILED, "volume-failed")   /* it cannot be made [trouble] */                                    \
    X(DOMAIN_UP, "domain-up")           /* the domain runs */                                                \
    X(DOMAIN_FAILED, "domain-failed")   /* the domain could not be started [trouble] */                      \
    X(DOMAIN_GONE, "domain-gone")       /* positively no such domain, or it stopped [trouble] */             \
    X(DOMAIN_PAUSED, "domain-paused")   /* it is there and does not run [trouble] */                         \
    X(DOMAIN_RESUMED, "domain-resumed") /* it runs again */                                                  \
    X(VOLUME_GONE, "volume-gone")       /* positively no such volume */                                      \
    X(DRIVES_FREE, "drives-free")       /* no drive names this VM as a holder */                             \
    X(NETWORK_FREE, "network-free")     /* address and filter are given back */                              \
    X(LIBVIRT_LOST, "libvirt-lost")     /* the connection that showed this domain is lost */                 \
    X(LIBVIRT_BACK, "libvirt-back")     /* it is back, and the domain was seen on it */                      \
    X(RECOVERED, "recovered")           /* kilnd started and found this record [sight] */                    \
    X(TIMEOUT, "timeout")               /* the deadline of the record is due */                              \
    /* from the guest, proved by its MAC, or from its console where that is said */                          \
    X(REGISTERED, "registered")         /* a proved registration [registration] */                           \
    X(LINK_UP, "link-up")               /* the guest's link is open */                                       \
    X(LINK_DOWN, "link-down")           /* it is closed */                                                   \
    X(GUEST_STATE, "guest-state")       /* the controller's own state [guest_state] */                       \
    X(GUEST_FAILED, "guest-failed")     /* it cannot integrate; link or console [trouble] */                 \
    X(GUEST_TROUBLE, "guest-trouble")   /* something failed that can be tried again [trouble] */             \
    X(PAIRED, "paired")                 /* an owner is authenticated [count: channels] */                    \
    X(CHANNEL_CLOSED, "channel-closed") /* an authenticated channel ended [count: left] */                   \
    X(DRIVE_STATUS, "drive-status")     /* a drive was unlocked, mounted, or failed [drive] */               \
    X(GUEST_READY, "guest-ready")       /* all drives mounted, users made */                                 \
    /* from performing ENSURE_DRIVES_ATTACHED */                                                             \
    X(DRIVE_ATTACHED, "drive-attached")   /* this drive is in the domain [drive: id] */                      \
    X(DRIVE_FAILED, "drive-failed")       /* it could not be attached [drive] */                             \
    X(DRIVES_ATTACHED, "drives-attached") /* nothing is left to attach, also when none was asked */          \
    /* from owners, operators and the edge */                                                                \
    X(ASSIGN, "assign")               /* the VM is given to an owner [owner] */                              \
    X(BRIDGE_OPENED, "bridge-opened") /* [count: bridges open now] */                                        \
    X(BRIDGE_CLOSED, "bridge-closed") /* [count: bridges left] */                                            \
    X(DESTROY_ASKED, "destroy-asked") /* [destroy] */

enum vm_event_kind {
#define X(upper, text) VM_ON_##upper,
    VM_EVENTS(X)
#undef X
        VM_EVENT_COUNT
};

/*
 * What the machine wants to be true. Each is idempotent: performed twice, or after it is already true, it
 * changes nothing and answers with the same event. The event that answers, where one does, is in brackets.
 * What needs libvirt while it is away, or the guest while its link is down, is left undone without an answer:
 * LIBVIRT_BACK and LINK_UP enter the state again and so ask again.
 */
#define VM_EFFECTS(X)                                                                                        \
    X(ENSURE_VOLUME, "ensure-volume")                   /* thin volume over the brick [VOLUME_*] */          \
    X(ENSURE_NETWORK, "ensure-network")                 /* filter there, MAC and IPv4 pinned */              \
    X(ENSURE_DOMAIN, "ensure-domain")                   /* runs, with boot_number's secret [DOMAIN_*] */     \
    X(ENSURE_CONSOLE, "ensure-console")                 /* its console is read [GUEST_FAILED] */             \
    X(ENSURE_BOOT_FILE_GONE, "ensure-boot-file-gone")   /* QEMU has read the boot secret's file */           \
    X(ENSURE_ASSIGNED, "ensure-assigned")               /* the guest has its owner's key and binding */      \
    X(ENSURE_DRIVES_ATTACHED, "ensure-drives-attached") /* wanted drives are in the domain [DRIVE*] */       \
    X(ENSURE_GUEST_TOLD, "ensure-guest-told")           /* the guest has the list of its drives */           \
    X(ENSURE_BRIDGES_CLOSED, "ensure-bridges-closed")   /* no SSH bridge to this VM is open */               \
    X(ENSURE_CHANNELS_CLOSED, "ensure-channels-closed") /* no owner is joined to it, its link is closed */   \
    X(ENSURE_DOMAIN_GONE, "ensure-domain-gone")         /* [DOMAIN_GONE] */                                  \
    X(ENSURE_VOLUME_GONE, "ensure-volume-gone")         /* [VOLUME_GONE] */                                  \
    X(ENSURE_DRIVES_FREE, "ensure-drives-free")         /* never before the domain is gone [DRIVES_FREE] */  \
    X(ENSURE_NETWORK_FREE, "ensure-network-free")       /* [NETWORK_FREE] */                                 \
    X(FORGET, "forget")                                 /* the record goes; history and audit stay */

enum vm_effect {
#define X(upper, text) VM_FX_##upper,
    VM_EFFECTS(X)
#undef X
        VM_EFFECT_COUNT
};

enum vm_drive_mode { VM_DRIVE_READER, VM_DRIVE_WRITER };

/* Status of a drive as the host knows it; the first two are the host's word, the others the guest's. */
#define VM_DRIVE_STATUSES(X)                                                                                 \
    X(WANTED, "wanted")                                                                                      \
    X(ATTACHED, "attached")                                                                                  \
    X(UNLOCKED, "unlocked")                                                                                  \
    X(MOUNTED, "mounted")                                                                                    \
    X(FAILED, "failed")

enum vm_drive_status {
#define X(upper, text) VM_DRIVE_##upper,
    VM_DRIVE_STATUSES(X)
#undef X
        VM_DRIVE_STATUS_COUNT
};

struct vm_drive {
    uint8_t id[VM_UUID_LEN];
    char name[VM_NAME_LEN];
    char serial[VM_SERIAL_LEN];
    uint8_t mode;     /* enum vm_drive_mode */
    uint8_t status;   /* enum vm_drive_status */
    uint8_t attached; /* whether the domain has it: what `failed` alone does not say */
    int32_t code;     /* stable code of the last failure (protocol/code.h); 0: none */
    char detail[VM_DETAIL_LEN];
};

/* What `destroyed` has seen gone; a set of bits. */
enum {
    VM_GONE_DOMAIN = 1,
    VM_GONE_VOLUME = 2,
    VM_GONE_DRIVES = 4,
    VM_GONE_NETWORK = 8,
    VM_GONE_ALL = 15,
};

/* What a registration brings and `registered` keeps. */
struct vm_registration {
    uint8_t request_hash[VM_HASH_LEN]; /* ties the boot secret to one request */
    uint8_t nonce_v[VM_NONCE_LEN];
    uint8_t manifest_hash[VM_HASH_LEN];
    uint8_t config_hash[VM_HASH_LEN];
    uint8_t key_fingerprint[VM_HASH_LEN]; /* SHA-256 of `spki` */
    uint8_t spki[VM_SPKI_MAX];            /* the VM's public key, DER */
    uint16_t spki_len_bytes;
    char address[VM_ADDRESSES_MAX][VM_ADDRESS_LEN]; /* what the guest says; "" ends the list */
    char version[VM_NAME_LEN];                      /* of the controller */
};

/* A VM. Filled in by kilnd before vm_begin, changed by `act`s alone after it. */
struct vm {
    struct fsm_head head;

    /* given at create */
    char name[VM_NAME_LEN];
    uint8_t uuid[VM_UUID_LEN]; /* the VM's id everywhere, and the domain's UUID; right behind its name */
    char brick[VM_NAME_LEN];
    uint8_t brick_hash[VM_HASH_LEN];
    uint16_t vcpus;
    uint32_t memory_mib;
    bool offers_applications; /* bridges are for VMs that do */
    uint8_t mac[6];
    uint8_t ipv4[4];    /* network order */
    uint32_t boots_max; /* boot_number's limit, two higher for each start that nothing is known of */
    int64_t timeout_ms[VM_STATE_COUNT]; /* per state; 0: none. Of `destroyed`: the retention */
    int64_t created_at_ms;

    /* whose it is */
    bool assigned;
    uint8_t owner[VM_HASH_LEN]; /* fingerprint */
    uint64_t assignment_number; /* never repeats on this host */

    /* what it is doing */
    uint32_t boot_number; /* goes into the boot secret; 0: never started */
    bool registered;      /* `registration` holds */
    bool link_up;
    bool unreachable; /* libvirt is away: nothing is known of the domain */
    bool paused;
    uint32_t channels; /* authenticated channels open */
    uint32_t bridges;  /* SSH bridges open */
    char guest_state[VM_NAME_LEN];
    uint8_t drives; /* how many `drive` holds */

    /* how it ends, or what last went wrong */
    int32_t code; /* stable code (protocol/code.h); 0: nothing went wrong */
    char detail[VM_DETAIL_LEN];
    char destroyed_by[VM_WHO_LEN]; /* who asked; "" when nobody did */
    bool forced;
    bool retention_over;
    uint8_t gone; /* VM_GONE_*; `destroyed` was entered at head.entered_at_ms */

    /* kilnd's own: the clocks by which head.deadline_at_ms was told */
    uint64_t clock_boot;    /* which boot of the host; 0: not known */
    int64_t clock_ahead_ms; /* how far its wall clock was ahead of its monotonic one */

    /* The long ones come last: what a list of all VMs shows lies together. */
    struct vm_registration registration;
    struct vm_drive drive[VM_DRIVES_MAX];
};

/* Bodies of events. */
struct vm_trouble {
    int32_t code;
    char detail[VM_DETAIL_LEN];
};

struct vm_drive_report {
    uint8_t id[VM_UUID_LEN];
    uint8_t status; /* of DRIVE_STATUS: unlocked, mounted or failed */
    struct vm_trouble trouble;
};

struct vm_owner {
    uint8_t fingerprint[VM_HASH_LEN];
    uint64_t assignment_number;
};

struct vm_destroy {
    char by[VM_WHO_LEN];
    char reason[VM_DETAIL_LEN];
    bool force;
};

/* What libvirt shows of the domain. */
struct vm_sight {
    bool domain;   /* it is there, and has not ended */
    uint32_t boot; /* the number of the boot it was started for; 0 when there is none */
};

/* An event, without pointers: it can be queued, copied to another thread and tried again. */
struct vm_event {
    struct fsm_event head;
    union {
        struct vm_trouble trouble;
        struct vm_registration registration;
        struct vm_drive_report drive;
        struct vm_owner owner;
        struct vm_destroy destroy;
        struct vm_sight sight;
        uint32_t count;
        char guest_state[VM_NAME_LEN];
    };
};

extern const struct fsm_machine vm_machine;

/* Fills `timeout_ms` with each state's own deadline; kilnd then puts configuration's and brick's over it. */
void vm_timeouts_init(struct vm *vm);

/*
 * Begins a life: the record, its given members filled in, enters `requested`. Drives become `wanted`.
 * Pushes the effects of `requested`.
 */
void vm_begin(struct vm *vm, int64_t at_ms, struct fsm_fx *fx);

/* As fsm_step on the VM's machine. */
const struct fsm_row *vm_step(struct vm *vm, const struct vm_event *event, struct fsm_fx *fx);

/* Index of a drive, or -1. */
int vm_drive_find(const struct vm *vm, const uint8_t id[VM_UUID_LEN]);

/* Whether the guest of this VM may open its link and its waiting channel: it is registered, and not
 * destroyed. */
bool vm_link_allowed(const struct vm *vm);

/* Whether an SSH bridge may be opened now. */
bool vm_bridge_allowed(const struct vm *vm);

/* Names, for wire, log, store and people. NULL for a number that is none. */
const char *vm_state_name(int state);
const char *vm_event_name(int kind);
const char *vm_effect_name(int effect);
const char *vm_drive_status_name(int status);

/* The number of a state by its name, or -1. */
int vm_state_find(const char *name);

#endif
