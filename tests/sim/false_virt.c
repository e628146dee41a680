/*
 * A libvirt for src/core: see false_virt.h. Here: calls, their queues, the connection. false_virt_perform.c
 * carries them out.
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

enum { CONNECT_US = 80000, NOTICE_US = 900000, EVENT_US = 15000, SLOW_TIMES = 15 };

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

static struct {
    struct call *first, **last; /* queued and running, in the order of asking */
    struct clock_owner libvirtd;
    enum virt_lie lie;
    bool up, connected, slow;
    unsigned epoch; /* of the connection: what was asked in another one is not answered */
    int64_t event_us;
    struct call_failure failures[VIRT_FAILURES];
    struct clock_item *returns, *quickens;
    virt_console_line_fn *line;
    void *line_arg;
} virt;

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
    return virt.lie;
}

/* ---- calls under way ---- */

static void dispatch(void);

static void call_remove(struct call *call)
{
    struct call **at = &virt.first;
    while (*at != call)
        at = &(*at)->next;
    *at = call->next;
    if (!*at)
        virt.last = at;
}

static void call_free(struct call *call)
{
    free(call->spec);
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
    if (call->epoch != virt.epoch || !virt.up) {
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
    return virt.slow ? us * SLOW_TIMES : us;
}

static void reached(void *arg)
{
    struct call *call = arg;
    bool lost = call->epoch != virt.epoch;
    if (!virt.up || lost) {
        if (lost && chance(CHANCE_VIRT, 2))
            false_virt_perform(call);
        call->error = -ENOTCONN;
        call->words = "the connection was lost";
    } else if (false_virt_failure_take(virt.failures, call)) {
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
    if (virt.lie == VIRT_LIE_NEVER_ANSWERS && call->kind == VIRT_CALL_ATTACH)
        return;
    clock_after(duration_us(call) / 3, replied, call, &virt.libvirtd);
}

/* A call that keeps apart waits for what runs for its key, and goes before what waits. */
static bool is_apart(const struct call *call)
{
    for (const struct call *other = virt.first; other; other = other->next) {
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
    for (const struct call *before = virt.first; before != call; before = before->next)
        if (before->asked_by_living && before->destroy_lane == call->destroy_lane && call->key[0] &&
            strcmp(before->key, call->key) == 0)
            return true;
    return false;
}

static void dispatch(void)
{
    unsigned running[2] = {0, 0};
    const unsigned places[2] = {WORKER_NORMAL_THREADS, WORKER_DESTROY_THREADS};
    for (const struct call *call = virt.first; call; call = call->next)
        running[call->destroy_lane] += call->running && call->asked_by_living;
    for (struct call *call = virt.first; call; call = call->next) {
        if (call->running || call->is_cancelled ||
            running[call->destroy_lane] >= places[call->destroy_lane] || is_held(call))
            continue;
        call->running = true;
        call->epoch = virt.epoch;
        running[call->destroy_lane]++;
        call->at = clock_after(duration_us(call) * 2 / 3, reached, call, &virt.libvirtd);
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
    *virt.last = call;
    virt.last = &call->next;
    dispatch();
    host_point(call_names[call->kind]);
    return 0;
}

bool false_virt_cancel(const char *key)
{
    bool running = false;
    for (struct call *call = virt.first; call; call = call->next) {
        if (call->destroy_lane || strcmp(call->key, key) != 0)
            continue;
        running = running || call->running;
        if (call->running || call->is_cancelled)
            continue;
        call->is_cancelled = true;
        clock_after(1, cancelled, call, &virt.libvirtd);
    }
    return running;
}

bool false_virt_is_making(const uint8_t id[VM_UUID_LEN])
{
    for (const struct call *call = virt.first; call; call = call->next)
        if (call->kind == VIRT_CALL_OVERLAY && call->running && !call->performed && !call->asked_by_living &&
            memcmp(call->id, id, VM_UUID_LEN) == 0)
            return true;
    return false;
}

/* ---- the connection ---- */

bool false_virt_connected(void)
{
    return virt.connected;
}

struct told {
    struct virt_event event;
    unsigned epoch;
};

static void tell_now(void *arg)
{
    struct told *told = arg;
    bool of_connection = told->event.kind == VIRT_EVENT_LOST || told->event.kind == VIRT_EVENT_BACK;
    if (of_connection || (virt.connected && told->epoch == virt.epoch))
        reconcile_event(host_core(), &told->event);
}

/* Events keep their order. They come to nobody when nobody is connected. */
static void tell_later(enum virt_event_kind kind, const char *uuid, const char *words, int64_t typical_us)
{
    struct told *told = host_up() ? calloc(1, sizeof *told) : NULL;
    if (!told)
        return;
    told->event.kind = kind;
    told->event.words = words;
    told->epoch = virt.epoch;
    if (uuid)
        memcpy(told->event.uuid, uuid, sizeof told->event.uuid);
    int64_t at_us = clock_us() + chance_delay_us(CHANCE_VIRT, typical_us);
    virt.event_us = at_us > virt.event_us ? at_us : virt.event_us;
    struct clock_owner *owner = loop_owner(host_core()->loop);
    clock_after_freed(virt.event_us - clock_us(), tell_now, told, owner);
}

void false_virt_tell(enum virt_event_kind kind, const uint8_t id[VM_UUID_LEN], const char *words)
{
    char uuid[VIRT_UUID_BYTES];
    uuid_format(id, uuid);
    if (!virt.up || !virt.connected)
        return;
    tell_later(kind, uuid, words, EVENT_US);
    if (chance_hits(CHANCE_VIRT, 30))
        tell_later(kind, uuid, words, EVENT_US);
}

void false_virt_reader(virt_console_line_fn *line, void *arg)
{
    virt.line = line;
    virt.line_arg = arg;
}

struct line {
    uint8_t id[VM_UUID_LEN];
    char text[256];
};

static void line_read(void *arg)
{
    const struct line *line = arg;
    char uuid[VIRT_UUID_BYTES];
    uuid_format(line->id, uuid);
    if (virt.connected && virt.line)
        virt.line(virt.line_arg, uuid, line->text);
}

void false_virt_line(const uint8_t id[VM_UUID_LEN], const char *text)
{
    struct line *line = host_up() && virt.connected && virt.up && virt.line ? calloc(1, sizeof *line) : NULL;
    if (!line)
        return;
    memcpy(line->id, id, sizeof line->id);
    snprintf(line->text, sizeof line->text, "%s", text);
    clock_after_freed(chance_delay_us(CHANCE_VIRT, EVENT_US), line_read, line, loop_owner(host_core()->loop));
}

/* Who reads consoles reads them over a connection. */
static void consoles_lost(void)
{
    virt.line = NULL;
    for (struct hypervisor_domain *domain = hypervisor_domains(); domain; domain = domain->next)
        if (domain->box)
            domain->box->console_open = false;
}

static void connected(void *arg)
{
    (void)arg;
    if (!virt.up || !host_up() || virt.connected)
        return;
    virt.connected = true;
    tell_later(VIRT_EVENT_BACK, NULL, "", EVENT_US);
}

static void connect_soon(void)
{
    if (host_up())
        clock_after(chance_delay_us(CHANCE_VIRT, CONNECT_US), connected, NULL, loop_owner(host_core()->loop));
}

static void noticed(void *arg)
{
    (void)arg;
    if (!virt.connected || !host_up())
        return;
    virt.connected = false;
    consoles_lost();
    tell_later(VIRT_EVENT_LOST, NULL, "", EVENT_US);
    if (virt.up)
        connect_soon();
}

static void returned(void *arg)
{
    (void)arg;
    virt.returns = NULL;
    virt.up = true;
    connect_soon();
}

/* What was on its way to libvirtd may be lost with it, or be carried out all the same. */
void false_virt_away(int64_t for_us)
{
    virt.epoch += virt.up;
    virt.up = false;
    if (host_up())
        clock_after(chance_delay_us(CHANCE_VIRT, NOTICE_US), noticed, NULL, loop_owner(host_core()->loop));
    clock_cancel(virt.returns);
    virt.returns = clock_after(for_us, returned, NULL, &virt.libvirtd);
}

static void quickened(void *arg)
{
    (void)arg;
    virt.quickens = NULL;
    virt.slow = false;
}

void false_virt_slow(int64_t for_us)
{
    virt.slow = true;
    clock_cancel(virt.quickens);
    virt.quickens = clock_after(for_us, quickened, NULL, &virt.libvirtd);
}

void false_virt_fail(enum virt_call call, const uint8_t *id, unsigned count)
{
    for (int i = 0; i < VIRT_FAILURES; i++) {
        struct call_failure *failure = &virt.failures[i];
        if (failure->count)
            continue;
        *failure = (struct call_failure){.kind = call, .any = id == NULL, .count = count};
        if (id)
            memcpy(failure->id, id, VM_UUID_LEN);
        return;
    }
}

void false_virt_heal(void)
{
    memset(virt.failures, 0, sizeof virt.failures);
    if (virt.quickens) {
        clock_cancel(virt.quickens);
        quickened(NULL);
    }
    if (virt.returns) {
        clock_cancel(virt.returns);
        returned(NULL);
    }
}

bool false_virt_is_well(void)
{
    bool fails = false;
    for (int i = 0; i < VIRT_FAILURES; i++)
        fails = fails || virt.failures[i].count;
    return virt.up && virt.connected && !virt.slow && !fails;
}

/* ---- kilnd ---- */

void false_virt_host_started(void)
{
    virt.connected = false;
    virt.event_us = 0;
    connect_soon();
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
    struct call *call = virt.first;
    while (call && !call->asked_by_living)
        call = call->next;
    return call;
}

void false_virt_host_ended(void)
{
    struct call *call;
    virt.connected = false;
    consoles_lost();
    while ((call = call_of_living()))
        call_abandon(call);
}

void false_virt_begin(enum virt_lie lie)
{
    false_virt_end();
    memset(&virt, 0, sizeof virt);
    virt.last = &virt.first;
    virt.lie = lie;
    virt.up = true;
}

void false_virt_end(void)
{
    while (virt.first) {
        struct call *call = virt.first;
        virt.first = call->next;
        call_free(call);
    }
    virt.last = &virt.first;
}
