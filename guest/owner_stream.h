/*
 * Owner streams: the terminals that one channel is attached to, each on a stream of its own with credit in
 * both directions (README 7.3, 7.7). In: records, what terminals show. Out: records, bytes typed, answers to
 * who asked. Kept: streams, until their shell or their channel ends; the terminals stay.
 */
#ifndef KILN_GUEST_OWNER_STREAM_H
#define KILN_GUEST_OWNER_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/channel.h"

#define OWNER_STREAMS_MAX 16 /* at once, in one channel */

struct owner_channel;
struct owner_streams;
struct rpc_request;
struct terminal;
struct terminal_join;

int owner_streams_create(struct owner_channel *channel, struct owner_streams **ret_streams);
/* Leaves every terminal. NULL does nothing. */
void owner_streams_destroy(struct owner_streams *streams);
/* A record of a stream above 0. -EBADMSG: the channel must close. A stream that ended already is not a
 * fault. */
int owner_streams_take(struct owner_streams *streams, const struct channel_record *record);
/* The connection has room again. */
void owner_streams_drained(struct owner_streams *streams);

/* Whether one more can be attached. */
bool owner_streams_has_room(const struct owner_streams *streams);
/* Attaches a new stream to TERMINAL; REQUEST (taken) is answered when its holder has. There must be room. */
void owner_streams_attach(struct owner_streams *streams, struct terminal *terminal,
                          const struct terminal_join *where, struct rpc_request *request);
/* Both -ENOENT. */
int owner_streams_detach(struct owner_streams *streams, uint32_t stream);
int owner_streams_resize(struct owner_streams *streams, uint32_t stream, uint16_t rows, uint16_t columns);

#endif
