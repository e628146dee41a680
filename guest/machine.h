/*
 * machine.h - the controller's machine: its record, its states, its events, its effects.
 *
 * In:   struct guest_event, made by the controller from its key, its port, the host's link and owners'
 * channels. Out:  struct guest changed, effects (enum guest_effect) wanted. Kept: nothing, and nothing on
 * disk either: a restarted controller begins at `starting` and is led by what the host tells it and by what
 * it finds mounted back to where it was.
 *
 * The engine is the host's (states/fsm.h). Each state is a file, state_<name>.c; rows valid in any state are
 * in state_any.c. No state has a deadline: the host's deadlines end a guest that gets nowhere, and an effect
 * that talks to the host keeps trying by itself.
 */
#ifndef KILN_GUEST_MACHINE_H
#define KILN_GUEST_MACHINE_H

#include "states/fsm.h"

enum {
    GUEST_ID_LEN = 16,      /* a drive's id */
    GUEST_HASH_LEN = 32,    /* SHA-256 */
    GUEST_NAME_LEN = 64,    /* a drive's name with its end */
    GUEST_SERIAL_LEN = 21,  /* 20 hex digits with their end */
    GUEST_DETAIL_LEN = 192, /* one line of words about a cause, with its end */
    GUEST_TRIES_MAX = 8,    /* before the guest gives up on a host it never reached */
    GUEST_DRIVES_MAX = 8,   /* as many as the host gives one VM */
};

/* The states in their order; each one's name in words is in its file. One without its file does not link. */
#define GUEST_STATES(X)                                                                                      \
    X(STARTING, starting)                                                                                    \
    X(KEYED, keyed)                                                                                          \
    X(PORT_BOUND, port_bound)                                                                                \
    X(REGISTERED, registered)                                                                                \
    X(WAITING, waiting)                                                                                      \
    X(PAIRED, paired)                                                                                        \
    X(UNLOCKING, unlocking)                                                                                  \
    X(READY, ready)                                                                                          \
    X(ENDING, ending)

enum guest_state {
#define X(upper, lower) GUEST_##upper,
    GUEST_STATES(X)
#undef X
        GUEST_STATE_COUNT
};

/* What can happen; the member of struct guest_event that goes with it in brackets. */
#define GUEST_EVENTS(X)                                                                                      \
    /* answers to effects */                                                                                 \
    X(KEY_MADE, "key-made")     /* the key pair is there, fresh or the stub's kept one */                    \
    X(PORT_BOUND, "port-bound") /* this program listens on port 22 */                                        \
    X(PORT_TAKEN, "port-taken") /* another does [trouble: who] */                                            \
    X(REGISTERED, "registered") /* the host's reply is checked [owner, or none yet] */                       \
    X(REGISTRATION_REFUSED, "registration-refused") /* by the host, for good [trouble] */                    \
    X(HOST_UNREACHABLE, "host-unreachable") /* one try to register or to open the link failed [trouble] */   \
    X(REGISTRATION_UNKNOWN, "registration-unknown") /* the host takes no link of a VM not registered */      \
    X(LINK_UP, "link-up")                           /* the link is open */                                   \
    X(LINK_DOWN, "link-down")                       /* it is closed */                                       \
    X(DRIVE_MOUNTED, "drive-mounted")               /* [drive: id] just now, or found so */                  \
    X(DRIVE_FAILED, "drive-failed")                 /* it could not be unlocked or mounted [drive] */        \
    X(USERS_APPLIED, "users-applied") /* users, groups and directories are as the database says */           \
    X(USERS_FAILED, "users-failed")   /* they are not, nothing is half made [trouble] */                     \
    X(FATAL, "fatal")                 /* integration is not possible [trouble] */                            \
    /* from the host's link */                                                                               \
    X(ASSIGNED, "assigned")                 /* a checked binding names the owner [owner] */                  \
    X(DRIVES_TOLD, "drives-told")           /* the host's list of drives, complete [drives] */               \
    X(SHUTDOWN_ASKED, "shutdown-asked")     /* the host ends this VM in good order */                        \
    X(UPDATE_AVAILABLE, "update-available") /* the stub shall start a newer controller */                    \
    /* from owners' channels */                                                                              \
    X(OWNER_AUTHENTICATED, "owner-authenticated") /* [count: authenticated channels] */                      \
    X(CHANNEL_CLOSED, "channel-closed")           /* [count: authenticated channels left] */                 \
    X(UNLOCK_ASKED, "unlock-asked")               /* its key is held in locked memory [drive: id] */         \
    X(USERS_ASKED, "users-asked")                 /* apply the database (again) */                           \
    X(SSH_ASKED, "ssh-asked")           /* take the one-time user key that came, show the host key */        \
    X(TERMINAL_ASKED, "terminal-asked") /* open a shell over the channel */

enum guest_event_kind {
#define X(upper, text) GUEST_ON_##upper,
    GUEST_EVENTS(X)
#undef X
        GUEST_EVENT_COUNT
};

/*
 * What the machine wants to be true. Each is idempotent. The event that answers, where one does, is in
 * brackets. TELL_HOST while the link is down is left undone: LINK_UP asks again.
 */
#define GUEST_EFFECTS(X)                                                                                     \
    X(MAKE_KEY, "make-key")             /* the stub's kept key, or a fresh one [KEY_MADE, FATAL] */          \
    X(BIND_PORT, "bind-port")           /* listen on 22, closing what connects [PORT_*] */                   \
    X(REGISTER, "register")             /* until it succeeds [REGISTERED, REGISTRATION_*, HOST_*] */         \
    X(OPEN_LINK, "open-link")           /* until it is open [LINK_UP, HOST_UNREACHABLE] */                   \
    X(OPEN_CHANNEL, "open-channel")     /* one always waits for an owner [OWNER_AUTHENTICATED] */            \
    X(TELL_HOST, "tell-host")           /* state, channels, status of each drive, last trouble */            \
    X(CHECK_DRIVES, "check-drives")     /* which are mounted already [DRIVE_MOUNTED for each] */             \
    X(UNLOCK, "unlock")                 /* open and mount drive `which` with its held key [DRIVE_*] */       \
    X(WIPE_KEYS, "wipe-keys")           /* no drive key is held in memory */                                 \
    X(APPLY_USERS, "apply-users")       /* [USERS_*] */                                                      \
    X(OPEN_GATE, "open-gate")           /* connections on port 22 go to sshd */                              \
    X(CLOSE_GATE, "close-gate")         /* connections on port 22 are closed */                              \
    X(AUTHORIZE_SSH, "authorize-ssh")   /* the asked key logs in; its channel gets the host key */           \
    X(OPEN_TERMINAL, "open-terminal")   /* the asked terminal runs */                                        \
    X(CLOSE_CHANNELS, "close-channels") /* no owner is connected, none waited for */                         \
    X(REPORT_FAILURE, "report-failure") /* code and detail are on the console, and on the link if up */      \
    X(EXIT, "exit")                     /* the program ends; the stub decides what comes next */

enum guest_effect {
#define X(upper, text) GUEST_FX_##upper,
    GUEST_EFFECTS(X)
#undef X
        GUEST_EFFECT_COUNT
};

/* Why the program ends; what the stub does next follows from it. */
enum guest_exit {
    GUEST_EXIT_NONE,
    GUEST_EXIT_FAILED,   /* integration is abandoned: do not start again */
    GUEST_EXIT_SHUTDOWN, /* the VM ends */
    GUEST_EXIT_UPDATE,   /* start the newer controller */
};

#define GUEST_DRIVE_STATUSES(X)                                                                              \
    X(TOLD, "attached")                                                                                      \
    X(ASKED, "unlocking")                                                                                    \
    X(MOUNTED, "mounted")                                                                                    \
    X(FAILED, "failed")

enum guest_drive_status {
#define X(upper, text) GUEST_DRIVE_##upper,
    GUEST_DRIVE_STATUSES(X)
#undef X
        GUEST_DRIVE_STATUS_COUNT
};

struct guest_drive {
    uint8_t id[GUEST_ID_LEN];
    char name[GUEST_NAME_LEN];
    char serial[GUEST_SERIAL_LEN];
    bool writer;    /* else mounted read-only */
    uint8_t status; /* enum guest_drive_status */
    int32_t code;   /* stable code of the last failure (protocol/code.h); 0: none */
    char detail[GUEST_DETAIL_LEN];
};

/* The drives of the VM, first to last: the first holds the user database. */
struct guest_drives {
    struct guest_drive drive[GUEST_DRIVES_MAX];
    uint8_t count;
};

/* The controller. Zeroed, then guest_begin. No secret is in it. */
struct guest {
    struct fsm_head head;
    bool owned;                    /* `owner` holds */
    uint8_t owner[GUEST_HASH_LEN]; /* fingerprint; taken once and never changed */
    uint32_t failed_tries;         /* to reach the host, since the last that succeeded */
    bool link_up;
    uint32_t channels; /* authenticated */
    struct guest_drives drives;
    int32_t code; /* what last went wrong; 0: nothing */
    char detail[GUEST_DETAIL_LEN];
    uint8_t exit; /* enum guest_exit */
};

struct guest_trouble {
    int32_t code;
    char detail[GUEST_DETAIL_LEN];
};

struct guest_owner {
    bool known; /* false: registered, and nobody's yet */
    uint8_t fingerprint[GUEST_HASH_LEN];
};

struct guest_drive_report {
    uint8_t id[GUEST_ID_LEN];
    struct guest_trouble trouble;
};

/* An event, without pointers. */
struct guest_event {
    struct fsm_event head;
    union {
        struct guest_trouble trouble;
        struct guest_owner owner;
        struct guest_drives drives; /* status, code and detail of each are not read */
        struct guest_drive_report drive;
        uint32_t count;
    };
};

extern const struct fsm_machine guest_machine;

/* Enters `starting`. The record is zeroed first. */
void guest_begin(struct guest *guest, int64_t at_ms, struct fsm_fx *fx);

/* As fsm_step on the controller's machine. */
const struct fsm_row *guest_step(struct guest *guest, const struct guest_event *event, struct fsm_fx *fx);

/* Index of a drive, or -1. */
int guest_drive_find(const struct guest *guest, const uint8_t id[GUEST_ID_LEN]);

/* Names, for wire, log and console. NULL for a number that is none. */
const char *guest_state_name(int state);
const char *guest_event_name(int kind);
const char *guest_effect_name(int effect);
const char *guest_drive_status_name(int status);

#endif
