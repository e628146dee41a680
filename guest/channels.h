/*
 * Channels: the VM's connections for owners (README 4.3): one always waits, at most CHANNELS_MAX exist.
 * In: connections' ends and handshakes. Out: OWNER_AUTHENTICATED, CHANNEL_CLOSED. Kept: the connections.
 */
#ifndef KILN_GUEST_CHANNELS_H
#define KILN_GUEST_CHANNELS_H

#include <stdint.h>

#define CHANNELS_MAX 8

struct channels;
struct controller;
struct guest_drive;
struct owner_channel;

int channels_create(struct controller *controller, struct channels **ret_channels);
/* From now on one waits; again when it is in use or lost. */
void channels_open(struct channels *channels);
/* Closes all, and none waits any more. */
void channels_close(struct channels *channels);
/* NULL does nothing. */
void channels_destroy(struct channels *channels);

/* Numbers of the authenticated ones, at most MAX; how many. */
unsigned channels_list(const struct channels *channels, uint64_t *ret_numbers, unsigned max);
/* Tells every owner: notifications `state` and `drive` (README 7.4). */
void channels_tell_state(struct channels *channels);
void channels_tell_drive(struct channels *channels, const struct guest_drive *drive);

/* From owner_channel.c: its handshake began; the owner is authenticated; it ended (and is freed by
 * itself). */
void channels_begun(struct channels *channels);
void channels_authenticated(struct channels *channels);
void channels_ended(struct channels *channels, struct owner_channel *channel);

#endif
