/*
 * Hostile channel: what the hostile edge does to messages of a channel, in both directions (protocol/README
 * 7). In: WebSocket messages on their way out. Out: the messages as they are, or what is armed. Kept:
 * messages to repeat.
 */
#ifndef KILN_TESTS_NS_HOSTILE_CHANNEL_H
#define KILN_TESTS_NS_HOSTILE_CHANNEL_H

#include <stdbool.h>

/* While LEFT what is sent is no channel's. */
void hostile_channel_leave(bool left);

#endif
