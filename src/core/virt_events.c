/*
 * libvirt's lifecycle events in Kiln's words, carried from the event thread to the loop.
 */
#include "src/core/virt_private.h"

#include <stdlib.h>
#include <string.h>

#include <libvirt/libvirt.h>

struct posted {
    struct virt *virt; /* borrowed */
    struct virt_event event;
};

const char *virt_event_name(enum virt_event_kind kind)
{
    static const char *const names[] = {
        [VIRT_EVENT_STARTED] = "started", [VIRT_EVENT_STOPPED] = "stopped",
        [VIRT_EVENT_CRASHED] = "crashed", [VIRT_EVENT_PAUSED] = "paused",
        [VIRT_EVENT_RESUMED] = "resumed", [VIRT_EVENT_REBOOTED] = "rebooted",
        [VIRT_EVENT_LOST] = "lost",       [VIRT_EVENT_BACK] = "back",
    };

    return names[kind];
}

static void tell(void *arg, bool ran)
{
    struct posted *posted = arg;
    struct virt *virt = posted->virt;

    (void)ran;
    if (posted->event.kind == VIRT_EVENT_LOST)
        virt_consoles_lost(virt);
    /* What comes in while virt_destroy waits is of no use to a receiver that is going away. */
    if (!virt->ending)
        virt->notify(virt->notify_arg, &posted->event);
    free(posted);
}

void virt_events_post(struct virt *virt, enum virt_event_kind kind, const char *uuid, const char *words)
{
    struct posted *posted = calloc(1, sizeof(*posted));

    if (!posted)
        return;
    posted->virt = virt;
    posted->event.kind = kind;
    posted->event.words = words;
    if (uuid)
        (void)virt_copy(posted->event.uuid, sizeof(posted->event.uuid), uuid);
    if (worker_post(virt->worker, tell, posted) < 0)
        free(posted);
}

static const char *stopped_words(int detail)
{
    switch (detail) {
    case VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN:
        return "the guest shut itself down";
    case VIR_DOMAIN_EVENT_STOPPED_DESTROYED:
        return "the domain was destroyed through libvirt";
    case VIR_DOMAIN_EVENT_STOPPED_MIGRATED:
        return "the domain was migrated away";
    case VIR_DOMAIN_EVENT_STOPPED_SAVED:
        return "the domain was saved to disk";
    case VIR_DOMAIN_EVENT_STOPPED_CRASHED:
        return "the guest crashed";
    case VIR_DOMAIN_EVENT_STOPPED_FAILED:
        return "QEMU ended unexpectedly";
    default:
        return "the domain stopped";
    }
}

static void post_stopped(struct virt *virt, const char *uuid, int detail)
{
    bool crashed = detail == VIR_DOMAIN_EVENT_STOPPED_CRASHED || detail == VIR_DOMAIN_EVENT_STOPPED_FAILED;

    virt_events_post(virt, crashed ? VIRT_EVENT_CRASHED : VIRT_EVENT_STOPPED, uuid, stopped_words(detail));
}

static const char *paused_words(int detail)
{
    switch (detail) {
    case VIR_DOMAIN_EVENT_SUSPENDED_IOERROR:
        return "a disk failed: the host may be out of space";
    case VIR_DOMAIN_EVENT_SUSPENDED_WATCHDOG:
        return "the guest's watchdog fired";
    default:
        return "the domain was paused through libvirt";
    }
}

static int on_lifecycle(virConnectPtr connection, virDomainPtr domain, int event, int detail, void *arg)
{
    struct virt *virt = arg;
    char uuid[VIR_UUID_STRING_BUFLEN];

    (void)connection;
    if (virDomainGetUUIDString(domain, uuid) < 0)
        return 0;
    switch (event) {
    case VIR_DOMAIN_EVENT_STARTED:
        virt_events_post(virt, VIRT_EVENT_STARTED, uuid, "the domain started");
        break;
    case VIR_DOMAIN_EVENT_SUSPENDED:
    case VIR_DOMAIN_EVENT_PMSUSPENDED:
        virt_events_post(virt, VIRT_EVENT_PAUSED, uuid, paused_words(detail));
        break;
    case VIR_DOMAIN_EVENT_RESUMED:
        virt_events_post(virt, VIRT_EVENT_RESUMED, uuid, "the domain runs again");
        break;
    case VIR_DOMAIN_EVENT_STOPPED:
        post_stopped(virt, uuid, detail);
        break;
    case VIR_DOMAIN_EVENT_CRASHED:
        virt_events_post(virt, VIRT_EVENT_CRASHED, uuid, "the guest's kernel panicked");
        break;
    default:
        break;
    }
    return 0;
}

static void on_reboot(virConnectPtr connection, virDomainPtr domain, void *arg)
{
    char uuid[VIR_UUID_STRING_BUFLEN];

    (void)connection;
    if (virDomainGetUUIDString(domain, uuid) == 0)
        virt_events_post(arg, VIRT_EVENT_REBOOTED, uuid, "the guest rebooted");
}

void virt_events_register(struct virt_link *link, struct _virConnect *connection)
{
    link->event_ids[0] =
        virConnectDomainEventRegisterAny(connection, NULL, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                         VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle), link->virt, NULL);
    link->event_ids[1] = virConnectDomainEventRegisterAny(
        connection, NULL, VIR_DOMAIN_EVENT_ID_REBOOT, VIR_DOMAIN_EVENT_CALLBACK(on_reboot), link->virt, NULL);
}

void virt_events_deregister(struct virt_link *link, struct _virConnect *connection)
{
    for (int i = 0; i < VIRT_NEVENTS; i++) {
        if (link->event_ids[i] >= 0)
            (void)virConnectDomainEventDeregisterAny(connection, link->event_ids[i]);
        link->event_ids[i] = -1;
    }
}
