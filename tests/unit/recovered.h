/*
 * recovered.h - the recovery table's answers, written out: what a kept state is once it has met its domain.
 */
#ifndef KILN_TESTS_UNIT_RECOVERED_H
#define KILN_TESTS_UNIT_RECOVERED_H

#include "states/recovery.h"

/* A crashed start is made again while there are tries left: TRIES_LEFT. */
static inline int recovered_state(int state, enum recovery_sight sight, bool tries_left)
{
    /* for running, paused, shut off, crashed, lost, absent, unreachable */
    static const int becomes[VM_STATE_COUNT][RECOVERY_SIGHT_COUNT] = {
        [VM_REQUESTED] = {VM_REQUESTED, VM_REQUESTED, VM_REQUESTED, VM_REQUESTED, VM_REQUESTED, VM_REQUESTED,
                          VM_REQUESTED},
        [VM_IMAGE_CREATED] = {VM_BOOTED, VM_IMAGE_CREATED, VM_IMAGE_CREATED, VM_DESTROYED, VM_IMAGE_CREATED,
                              VM_IMAGE_CREATED, VM_IMAGE_CREATED},
        [VM_BOOTED] = {VM_BOOTED, VM_BOOTED, VM_DESTROYED, VM_DESTROYED, VM_BOOTED, VM_DESTROYED, VM_BOOTED},
        [VM_REGISTERED] = {VM_REGISTERED, VM_REGISTERED, VM_DESTROYED, VM_DESTROYED, VM_REGISTERED,
                           VM_DESTROYED, VM_REGISTERED},
        [VM_PAIRED] = {VM_PAIRED, VM_PAIRED, VM_DESTROYED, VM_DESTROYED, VM_PAIRED, VM_DESTROYED, VM_PAIRED},
        [VM_DRIVES_ATTACHED] = {VM_DRIVES_ATTACHED, VM_DRIVES_ATTACHED, VM_DESTROYED, VM_DESTROYED,
                                VM_DRIVES_ATTACHED, VM_DESTROYED, VM_DRIVES_ATTACHED},
        [VM_READY] = {VM_READY, VM_READY, VM_DESTROYED, VM_DESTROYED, VM_READY, VM_DESTROYED, VM_READY},
        [VM_SSH_PROXIED] = {VM_SSH_PROXIED, VM_SSH_PROXIED, VM_DESTROYED, VM_DESTROYED, VM_SSH_PROXIED,
                            VM_DESTROYED, VM_SSH_PROXIED},
        [VM_DESTROYED] = {VM_DESTROYED, VM_DESTROYED, VM_DESTROYED, VM_DESTROYED, VM_DESTROYED, VM_DESTROYED,
                          VM_DESTROYED},
    };
    bool again = tries_left && state == VM_IMAGE_CREATED && sight == RECOVERY_CRASHED;
    return again ? VM_IMAGE_CREATED : becomes[state][sight];
}

#endif
