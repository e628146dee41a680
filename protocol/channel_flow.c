/*
 * Credit of one stream (README 7.3). See channel.h.
 */
#include "protocol/channel.h"

#include <errno.h>

enum {
    CREDIT_WALL = 0x7fffffff,
    GRANT_BYTES = CHANNEL_CREDIT / 4
}; /* smaller grants would cost more than they give */

void channel_flow_init(struct channel_flow *flow)
{
    *flow = (struct channel_flow){.sendable = CHANNEL_CREDIT, .takeable = CHANNEL_CREDIT};
}

size_t channel_flow_allowed(const struct channel_flow *flow, size_t wanted)
{
    size_t allowed = wanted < CHANNEL_BYTES_MAX ? wanted : CHANNEL_BYTES_MAX;
    return allowed < flow->sendable ? allowed : flow->sendable;
}

void channel_flow_sent(struct channel_flow *flow, size_t len)
{
    flow->sendable -= len < flow->sendable ? (uint32_t)len : flow->sendable;
}

int channel_flow_granted(struct channel_flow *flow, uint32_t credit)
{
    if (credit > CREDIT_WALL - flow->sendable)
        return -EBADMSG;
    flow->sendable += credit;
    return 0;
}

int channel_flow_received(struct channel_flow *flow, size_t len)
{
    if (len > flow->takeable)
        return -EBADMSG;
    flow->takeable -= (uint32_t)len;
    return 0;
}

uint32_t channel_flow_consumed(struct channel_flow *flow, size_t len)
{
    flow->consumed += (uint32_t)len;
    if (flow->consumed < GRANT_BYTES)
        return 0;
    uint32_t grant = flow->consumed;
    flow->takeable += grant;
    flow->consumed = 0;
    return grant;
}
