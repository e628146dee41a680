/*
 * A libvirt for src/core: see false_virt.h. Here: calls and their queues. false_virt_perform.c carries them
 * out, false_virt_connection.c has the connection that they go over.
 */
#include "tests/sim/false_virt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/text.h"
#include "src/core/core.h"
#include "src/core/reconcile.h"
#include "src/core/worker.h"
#include "tests/sim/box.h"
#include "tests/sim/false_loop.h"
#include "tests/sim/false_virt_private.h"
#include "tests/sim/host.h"
#include "tests/sim/hypervisor.h"

enum { SLOW_TIMES = 15, LONGEST_US = 20000000 };

static const char *const call_names[VIRT_CALL_COUNT] = {
#define X(upper, text, typical_ms) text,
    VIRT_CALLS(X)
#undef X
};

static const int typical_ms_of[VIRT_CALL_COUNT] = {
#define X(upper, text, typical_ms) typical_ms,
    VIRT_CALLS(X)
#undef X
};

static const char *const lie_names[VIRT_LIE_COUNT] = {
#define X(upper, text) text,
    VIRT_LIES(X)
#undef X
};

struct false_virt libvirt;

const char *false_virt_call_name(enum virt_call call)
{
    return call_names[call];
}

const char *false_virt_lie_name(enum virt_lie lie)
{
    return lie_names[lie];
}

enum virt_lie false_virt_lie(void)
{
    return libvirt.lie;
}

/* ---- calls under way ---- */

static void dispatch(void);

static void call_remove(struct call *call)
{
    struct call **at = &libvirt.first;
    while (*at != call)
        at = &(*at)->next;
    *at = call->next;
    if (!*at)
        libvirt.last = at;
}

static void call_free(struct call *call)
{
    free(call->spec);
    free(call->held);
    free(call->domains);
    free(call);
}

/* Who asked may have died: then nobody is answered. */
static void call_answer(struct call *call)
{
    struct virt_answer answer = {.error = call->error,
                                 .words = call->error ? call->words : "",
                                 .domains = call->domains,
                                 .ndomains = call->ndomains};
    virt_answer_fn *answered = call->answered;
    void *arg = call->arg;
    memset(answer.volume.sha256, 'a', VIRT_HASH_BYTES - 1);
    call->answered = NULL;
    if (answered)
        answered(arg, &answer);
}

static void cancelled(void *arg)
{
    struct call *call = arg;
    call_remove(call);
    call->error = -ECANCELED;
    call->words = "cancelled before it began";
    call_answer(call);
    call_free(call);
}

static void replied(void *arg)
{
    struct call *call = arg;
    if (call->epoch != libvirt.epoch || !libvirt.up) {
        call->error = -ENOTCONN;
        call->words = "the connection was lost";
    }
    call_remove(call);
    if (call->second_look && !call->error && call->answered) {
        /* Something was under way for this VM: the second look stands behind it. */
        struct call *second = false_virt_call_create(VIRT_CALL_DOMAIN_GONE, call->answered, call->arg);
        memcpy(second->id, call->id, sizeof second->id);
        second->destroy_lane = true;
        second->apart = true;
        false_virt_submit(second, call->key);
    } else {
        call_answer(call);
    }
    call_free(call);
    dispatch();
}

static int64_t duration_us(const struct call *call)
{
    int64_t us = chance_delay_us(CHANCE_VIRT, typical_ms_of[call->kind] * MS);
    us = libvirt.slow ? us * SLOW_TIMES : us;
    return us < LONGEST_US ? us : LONGEST_US;
}

static void reached(void *arg)
{
    struct call *call = arg;
    bool lost = call->epoch != libvirt.epoch;
    if (!libvirt.up || lost) {
        if (lost && chance(CHANCE_VIRT, 2))
            false_virt_perform(call);
        call->error = -ENOTCONN;
        call->words = "the connection was lost";
    } else if (false_virt_failure_take(libvirt.failures, call)) {
        call->error = -EIO;
        call->words = "libvirt was told to fail";
    } else {
        false_virt_perform(call);
    }
    call->performed = true;
    if (!call->asked_by_living) {
        replied(call);
        return;
    }
    if (libvirt.lie == VIRT_LIE_NEVER_ANSWERS && call->kind == VIRT_CALL_ATTACH)
        return;
    clock_after(duration_us(call) / 3, replied, call, &libvirt.libvirtd);
}

/* A call that keeps apart waits for what runs for its key, and goes before what waits. */
static bool is_apart(const struct call *call)
{
    for (const struct call *other = libvirt.first; other; other = other->next) {
        bool same = other->asked_by_living && other->destroy_lane != call->destroy_lane &&
                    strcmp(other->key, call->key) == 0;
        if (same && (call->destroy_lane ? call->apart && other->running : other->apart))
            return true;
    }
    return false;
}

/* What holds a call up: an earlier one of its key in its lane. */
static bool is_held(const struct call *call)
{
    if (call->key[0] && is_apart(call))
        return true;
    for (const struct call *before = libvirt.first; before != call; before = before->next)
        if (before->asked_by_living && before->destroy_lane == call->destroy_lane && call->key[0] &&
            strcmp(before->key, call->key) == 0)
            return true;
    return false;
}

static void dispatch(void)
{
    unsigned running[2] = {0, 0};
    const unsigned places[2] = {WORKER_NORMAL_THREADS, WORKER_DESTROY_THREADS};
    for (const struct call *call = libvirt.first; call; call = call->next)
        running[call->destroy_lane] += call->running && call->asked_by_living;
    for (struct call *call = libvirt.first; call; call = call->next) {
        if (call->running || call->is_cancelled ||
            running[call->destroy_lane] >= places[call->destroy_lane] || is_held(call))
            continue;
        call->running = true;
        call->epoch = libvirt.epoch;
        running[call->destroy_lane]++;
        call->at = clock_after(duration_us(call) * 2 / 3, reached, call, &libvirt.libvirtd);
    }
}

struct call *false_virt_call_create(enum virt_call kind, virt_answer_fn *answered, void *arg)
{
    struct call *call = calloc(1, sizeof *call);
    if (!call)
        abort();
    call->kind = kind;
    call->answered = answered;
    call->arg = arg;
    call->words = "";
    call->asked_by_living = true;
    return call;
}

int false_virt_submit(struct call *call, const char *key)
{
    if (host_dying()) {
        /* It was never asked; whoever carries the argument frees it, as after any refusal. */
        call_free(call);
        return -ECANCELED;
    }
    strncpy(call->key, key, sizeof call->key - 1);
    *libvirt.last = call;
    libvirt.last = &call->next;
    dispatch();
    host_point(call_names[call->kind]);
    return 0;
}

bool false_virt_cancel(const char *key)
{
    bool running = false;
    for (struct call *call = libvirt.first; call; call = call->next) {
        if (call->destroy_lane || strcmp(call->key, key) != 0)
            continue;
        running = running || call->running;
        call->overtaken = call->overtaken || call->running;
        if (call->running || call->is_cancelled)
            continue;
        call->is_cancelled = true;
        clock_after(1, cancelled, call, &libvirt.libvirtd);
    }
    return running;
}

bool false_virt_is_making(const uint8_t id[VM_UUID_LEN])
{
    for (const struct call *call = libvirt.first; call; call = call->next)
        if (call->kind == VIRT_CALL_OVERLAY && call->running && !call->performed && !call->asked_by_living &&
            memcmp(call->id, id, VM_UUID_LEN) == 0)
            return true;
    return false;
}

/* ---- kilnd ---- */

void false_virt_host_started(void)
{
    libvirt.connected = false;
    libvirt.event_us = 0;
    false_virt_connect_soon();
}

/* Who waits is told, so that what it carries is freed; what reached libvirtd goes on without it. */
static void call_abandon(struct call *call)
{
    bool goes_on = call->running && !call->performed && chance(CHANCE_VIRT, 2);
    call->asked_by_living = false;
    call->error = -ECANCELED;
    call->words = "kilnd ends";
    call_answer(call);
    call->error = 0;
    if (goes_on || call->performed || call->is_cancelled)
        return;
    if (call->running)
        clock_cancel(call->at);
    call_remove(call);
    call_free(call);
}

static struct call *call_of_living(void)
{
    struct call *call = libvirt.first;
    while (call && !call->asked_by_living)
        call = call->next;
    return call;
}

void false_virt_host_ended(void)
{
    struct call *call;
    libvirt.connected = false;
    false_virt_consoles_lost();
    while ((call = call_of_living()))
        call_abandon(call);
}

void false_virt_begin(enum virt_lie lie)
{
    false_virt_end();
    memset(&libvirt, 0, sizeof libvirt);
    libvirt.last = &libvirt.first;
    libvirt.lie = lie;
    libvirt.up = true;
}

void false_virt_end(void)
{
    while (libvirt.first) {
        struct call *call = libvirt.first;
        libvirt.first = call->next;
        call_free(call);
    }
    libvirt.last = &libvirt.first;
}
