/*
 * Owner channel: one connection for an owner: waiting, the handshake, then sealed records (README 7).
 * In: binary messages. Out: an authenticated owner's JSON-RPC and streams. Kept: keys, counters, streams.
 */
#ifndef KILN_GUEST_OWNER_CHANNEL_H
#define KILN_GUEST_OWNER_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/channel.h"

enum owner_stage { OWNER_WAITING, OWNER_HANDSHAKE, OWNER_AUTHENTICATED, OWNER_ENDED };

struct controller;
struct owner_channel;
struct owner_streams;

/* Connects; channels_begun, _authenticated and _ended follow, none from inside. */
int owner_channel_open(struct controller *controller, uint64_t number, struct owner_channel **ret_channel);
/* Ends it and frees it; channels_ended is not called. NULL does nothing. */
void owner_channel_close(struct owner_channel *channel);

enum owner_stage owner_channel_stage(const struct owner_channel *channel);
uint64_t owner_channel_number(const struct owner_channel *channel);
struct controller *owner_channel_controller(struct owner_channel *channel);
struct owner_streams *owner_channel_streams(struct owner_channel *channel);

/* A notification to an authenticated owner; else nothing. */
void owner_channel_notify(struct owner_channel *channel, const char *method, const char *params);
/* One record of a stream. -EPIPE after the end; others of channel_seal and ws_send. */
int owner_channel_send(struct owner_channel *channel, uint32_t stream, enum channel_kind kind,
                       const void *bytes, size_t len_bytes);
int owner_channel_send_credit(struct owner_channel *channel, uint32_t stream, uint32_t credit);
/* Whether more can be queued without piling up; owner_streams_drained is called when it can again. */
bool owner_channel_has_room(const struct owner_channel *channel);

#endif
