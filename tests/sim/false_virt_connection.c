/*
 * A libvirt for src/core: the connection, what comes over it by itself, and what befalls it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/text.h"
#include "src/core/core.h"
#include "src/core/reconcile.h"
#include "tests/sim/box.h"
#include "tests/sim/claims.h"
#include "tests/sim/false_loop.h"
#include "tests/sim/false_virt_private.h"
#include "tests/sim/host.h"
#include "tests/sim/hypervisor.h"

enum { CONNECT_US = 80000, NOTICE_US = 900000, EVENT_US = 15000 };

bool false_virt_connected(void)
{
    return libvirt.connected;
}

struct told {
    struct virt_event event;
    unsigned epoch;
};

static void tell_now(void *arg)
{
    struct told *told = arg;
    bool of_connection = told->event.kind == VIRT_EVENT_LOST || told->event.kind == VIRT_EVENT_BACK;
    if (of_connection || (libvirt.connected && told->epoch == libvirt.epoch))
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
    told->epoch = libvirt.epoch;
    if (uuid)
        memcpy(told->event.uuid, uuid, sizeof told->event.uuid);
    int64_t at_us = clock_us() + chance_delay_us(CHANCE_VIRT, typical_us);
    libvirt.event_us = at_us > libvirt.event_us ? at_us : libvirt.event_us;
    struct clock_owner *owner = loop_owner(host_core()->loop);
    clock_after_freed(libvirt.event_us - clock_us(), tell_now, told, owner);
}

void false_virt_tell(enum virt_event_kind kind, const uint8_t id[VM_UUID_LEN], const char *words)
{
    char uuid[VIRT_UUID_BYTES];
    uuid_format(id, uuid);
    if (!libvirt.up || !libvirt.connected)
        return;
    tell_later(kind, uuid, words, EVENT_US);
    if (chance_hits(CHANCE_VIRT, 30))
        tell_later(kind, uuid, words, EVENT_US);
}

void false_virt_reader(virt_console_line_fn *line, void *arg)
{
    libvirt.line = line;
    libvirt.line_arg = arg;
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
    if (libvirt.connected && libvirt.line)
        libvirt.line(libvirt.line_arg, uuid, line->text);
}

void false_virt_line(const uint8_t id[VM_UUID_LEN], const char *text)
{
    struct line *line =
        host_up() && libvirt.connected && libvirt.up && libvirt.line ? calloc(1, sizeof *line) : NULL;
    if (!line)
        return;
    memcpy(line->id, id, sizeof line->id);
    snprintf(line->text, sizeof line->text, "%s", text);
    clock_after_freed(chance_delay_us(CHANCE_VIRT, EVENT_US), line_read, line, loop_owner(host_core()->loop));
}

/* Who reads consoles reads them over a connection. */
void false_virt_consoles_lost(void)
{
    libvirt.line = NULL;
    for (struct hypervisor_domain *domain = hypervisor_domains(); domain; domain = domain->next)
        if (domain->box)
            domain->box->console_open = false;
}

static void connected(void *arg)
{
    (void)arg;
    if (!libvirt.up || !host_up() || libvirt.connected)
        return;
    libvirt.connected = true;
    tell_later(VIRT_EVENT_BACK, NULL, "", EVENT_US);
}

void false_virt_connect_soon(void)
{
    if (host_up())
        clock_after(chance_delay_us(CHANCE_VIRT, CONNECT_US), connected, NULL, loop_owner(host_core()->loop));
}

static void noticed(void *arg)
{
    (void)arg;
    if (!libvirt.connected || !host_up())
        return;
    libvirt.connected = false;
    false_virt_consoles_lost();
    tell_later(VIRT_EVENT_LOST, NULL, "", EVENT_US);
    if (libvirt.up)
        false_virt_connect_soon();
}

static void returned(void *arg)
{
    (void)arg;
    libvirt.returns = NULL;
    libvirt.up = true;
    libvirt.up_us = clock_us();
    claims_grace_begins();
    false_virt_connect_soon();
}

/* What was on its way to libvirtd may be lost with it, or be carried out all the same. */
void false_virt_away(int64_t for_us)
{
    libvirt.epoch += libvirt.up;
    libvirt.up = false;
    if (host_up())
        clock_after(chance_delay_us(CHANCE_VIRT, NOTICE_US), noticed, NULL, loop_owner(host_core()->loop));
    clock_cancel(libvirt.returns);
    libvirt.returns = clock_after(for_us, returned, NULL, &libvirt.libvirtd);
}

static void quickened(void *arg)
{
    (void)arg;
    libvirt.quickens = NULL;
    libvirt.slow = false;
}

void false_virt_slow(int64_t for_us)
{
    libvirt.slow = true;
    clock_cancel(libvirt.quickens);
    libvirt.quickens = clock_after(for_us, quickened, NULL, &libvirt.libvirtd);
}

void false_virt_fail(enum virt_call call, const uint8_t *id, unsigned count)
{
    for (int i = 0; i < VIRT_FAILURES; i++) {
        struct call_failure *failure = &libvirt.failures[i];
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
    memset(libvirt.failures, 0, sizeof libvirt.failures);
    if (libvirt.quickens) {
        clock_cancel(libvirt.quickens);
        quickened(NULL);
    }
    if (libvirt.returns) {
        clock_cancel(libvirt.returns);
        returned(NULL);
    }
}

bool false_virt_is_well(void)
{
    bool fails = false;
    for (int i = 0; i < VIRT_FAILURES; i++)
        fails = fails || libvirt.failures[i].count;
    return libvirt.up && libvirt.connected && !libvirt.slow && !fails && !hypervisor_has_lost();
}
