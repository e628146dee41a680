/*
 * What the host was told on the present connection, so that it is told changes only.
 */
#ifndef KILN_GUEST_HOST_TOLD_H
#define KILN_GUEST_HOST_TOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "guest/machine.h"

#define HOST_CHANNELS_MAX 8

struct host_told {
    int state; /* -1: none */
    bool ready;
    int32_t code; /* of the last failure */
    struct guest_drives drives;
    uint64_t channels[HOST_CHANNELS_MAX]; /* paired */
    unsigned nchannels;
};

#endif
