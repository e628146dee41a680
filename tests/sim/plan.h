/*
 * What a life is: which VMs are asked for, what their guests are like, and what goes wrong when. Everything
 * else in a life follows from its seed.
 *
 * In: a seed, or a story file. Out: a plan, or its text. Kept: nothing.
 */
#ifndef KILN_TESTS_SIM_PLAN_H
#define KILN_TESTS_SIM_PLAN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "tests/sim/false_virt.h"

enum {
    PLAN_VMS = 6,
    PLAN_ACTS = 48,
    PLAN_OWNERS = 3,
    PLAN_DRIVES = 4,
    PLAN_VM_DRIVES = 3,
    PLAN_CLAIM_LEN = 32
};

/* name, words of the story, whether it is about a VM, the names of its two numbers ("" for none) */
#define PLAN_ACTS_LIST(X)                                                                                    \
    X(KILL, "kilnd-killed", false, "points", "down-ms")                                                      \
    X(STOP, "kilnd-stopped", false, "down-ms", "")                                                           \
    X(EDGE, "edge-killed", false, "down-ms", "")                                                             \
    X(AWAY, "libvirt-away", false, "for-ms", "")                                                             \
    X(SLOW, "libvirt-slow", false, "for-ms", "")                                                             \
    X(FAIL, "libvirt-fails", true, "call", "times")                                                          \
    X(FULL, "disk-full", false, "for-ms", "")                                                                \
    X(DIES, "domain-dies", true, "", "")                                                                     \
    X(OFF, "domain-off", true, "", "")                                                                       \
    X(PAUSE, "domain-paused", true, "for-ms", "")                                                            \
    X(LOSE, "domain-lost", true, "for-ms", "")                                                               \
    X(REBOOT, "guest-reboots", true, "", "")                                                                 \
    X(CRASH, "controller-dies", true, "", "")                                                                \
    X(NET, "link-fault", true, "fault", "")                                                                  \
    X(LEAVE, "owner-leaves", true, "for-ms", "")                                                             \
    X(SECOND, "owner-again", true, "", "")                                                                   \
    X(ASSIGN, "assigned", true, "owner", "")                                                                 \
    X(BRIDGE, "bridge", true, "for-ms", "")                                                                  \
    X(DESTROY, "destroyed", true, "force", "")                                                               \
    X(UPDATE, "update-announced", false, "", "")                                                             \
    X(JUMP, "clock-jumps", false, "seconds", "")                                                             \
    X(STRANGER, "stranger", false, "ours", "")                                                               \
    X(ADD, "drive-added", false, "number", "")                                                               \
    X(REMOVE, "drive-removed", false, "number", "")

enum plan_act_kind {
#define X(upper, text, vm, a, b) PLAN_ACT_##upper,
    PLAN_ACTS_LIST(X)
#undef X
        PLAN_ACT_COUNT
};

struct plan_act {
    int64_t at_ms;
    enum plan_act_kind kind;
    int vm;
    int64_t numbers[2];
};

struct plan_vm {
    int64_t at_ms;
    int owner; /* -1: nobody's yet */
    bool applications, port_taken, silent, loses_owner;
    unsigned mounts_fail, users_fail;
    int drives[PLAN_VM_DRIVES];
    bool writes[PLAN_VM_DRIVES];
    unsigned ndrives;
};

struct plan {
    uint64_t seed;
    bool calm; /* nothing is late, and nothing comes twice */
    enum virt_lie lie;
    struct plan_vm vms[PLAN_VMS];
    unsigned nvms;
    struct plan_act acts[PLAN_ACTS];
    unsigned nacts;
    char breaks[PLAN_CLAIM_LEN]; /* the claim that breaks; "": none does */
};

void plan_make(uint64_t seed, struct plan *ret_plan);
/* 0; -1 after words on stderr. */
int plan_read(const char *path, struct plan *ret_plan);
void plan_write(FILE *file, const struct plan *plan);

#endif
