/*
 * Owner streams: the terminals of one channel, each on a stream of its own with credit in both directions
 * (README 7.3). In: records, what terminals show. Out: records, bytes typed. Kept: streams, until their shell
 * or their channel ends.
 */
#ifndef KILN_GUEST_OWNER_STREAM_H
#define KILN_GUEST_OWNER_STREAM_H

#include <stdint.h>

#include "protocol/channel.h"

#define OWNER_STREAMS_MAX 16 /* at once, in one channel */

struct owner_channel;
struct owner_streams;
struct terminal_start;

int owner_streams_create(struct owner_channel *channel, struct owner_streams **ret_streams);
/* Hangs every terminal up. NULL does nothing. */
void owner_streams_destroy(struct owner_streams *streams);
/* A record of a stream above 0. -EBADMSG: the channel must close. A stream that ended already is not a
 * fault. */
int owner_streams_take(struct owner_streams *streams, const struct channel_record *record);
/* The connection has room again. */
void owner_streams_drained(struct owner_streams *streams);

/* Starts a terminal. -EMFILE too many; else as terminal_open. */
int owner_streams_open(struct owner_streams *streams, const struct terminal_start *start,
                       uint32_t *ret_stream);
/* -ENOENT. */
int owner_streams_resize(struct owner_streams *streams, uint32_t stream, uint16_t rows, uint16_t columns);

#endif
