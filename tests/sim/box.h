/*
 * The guest inside a domain: what its kernel keeps, a stub, and a controller with the real machine,
 * registration and link of guest/.
 *
 * In: a boot with its secret; what the network and people bring; what befalls it. Out: registrations, links,
 * console lines. Kept: what is mounted and what the stub keeps, until the domain ends.
 */
#ifndef KILN_TESTS_SIM_BOX_H
#define KILN_TESTS_SIM_BOX_H

#include "guest/controller.h"

enum { BOX_CHANNELS = 8 };

/* Owners' channels that are authenticated; `relays` are the edge's numbers for them. */
struct channels {
    bool wanted; /* one waits for an owner */
    uint64_t numbers[BOX_CHANNELS], relays[BOX_CHANNELS];
    unsigned count;
    uint64_t next_number;
};

struct box {
    uint8_t id[GUEST_ID_LEN]; /* the VM's */
    uint32_t boot;
    struct loop *loop;             /* owned: all work in this guest is its */
    struct controller *controller; /* owned; NULL while none runs */
    struct kept kept;              /* with the stub */
    bool given_up, shut_down;
    uint8_t mounted[GUEST_DRIVES_MAX][GUEST_ID_LEN];
    unsigned nmounted;
    bool console_open; /* somebody reads it */
    bool paired_ever;
    /* How it is made: life.h's plan of its VM. */
    bool port_taken, silent;
    unsigned mounts_fail, users_fail;
};

struct box *box_create(const uint8_t id[GUEST_ID_LEN], uint32_t boot);
/* The domain is gone, at once. NULL does nothing. */
void box_destroy(struct box *box);
void box_freeze(struct box *box, bool frozen);
/* The guest starts again: nothing is mounted, nothing is kept. */
void box_reboot(struct box *box);
/* The controller dies; the stub starts it again. */
void box_crash(struct box *box);

/* --- for box*.c --- */
struct box *box_of(struct controller *controller);
/* The controller ends with STATUS (enum handover_exit). */
void box_controller_ended(struct box *box, int status);
bool box_is_mounted(const struct box *box, const uint8_t drive[GUEST_ID_LEN]);

/* --- for owners --- */
/* An owner came through relay RELAY and is authenticated; one of them went; all went. */
void box_channel_open(struct box *box, uint64_t relay);
void box_channel_end(struct box *box, uint64_t relay);

#endif
