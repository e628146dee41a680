/*
 * Connections that come back. The connector thread opens what is missing and closes what broke, because both
 * can block; the event thread runs libvirt's own event loop.
 *
 * That loop is libvirt's and not ours on purpose: libvirt adds, changes and closes descriptors from any
 * thread, and its poll loop copes with a descriptor that was closed and reused meanwhile, which an epoll set
 * shared with the rest of kilnd would not. What it sees is posted to our loop.
 */
#include "src/core/virt_private.h"

#include "src/io/log.h"
#include "src/io/thread.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

enum {
    /* A dead libvirtd is noticed after interval * (count + 1) at the latest; a closed socket at once. */
    KEEPALIVE_INTERVAL_S = 5,
    KEEPALIVE_COUNT = 3,
    BACKOFF_MIN_MS = 100,
    BACKOFF_MAX_MS = 5000
};

static pthread_once_t event_impl_once = PTHREAD_ONCE_INIT;
static int event_impl_result;

static void register_event_impl(void)
{
    event_impl_result = virEventRegisterDefaultImpl() < 0 ? -EIO : 0;
}

static bool is_ending(struct virt *virt)
{
    bool ending;

    pthread_mutex_lock(&virt->lock);
    ending = virt->ending && !virt->events_run;
    pthread_mutex_unlock(&virt->lock);
    return ending;
}

static void *events_main(void *arg)
{
    struct virt *virt = arg;

    while (!is_ending(virt)) {
        if (virEventRunDefaultImpl() < 0)
            log_error("virt", "libvirt's event loop failed", "why=%s", virGetLastErrorMessage());
    }
    return NULL;
}

/* A connection broke, as libvirt's event loop sees it. It is closed elsewhere: not inside its own
 * callback. */
static void on_closed(virConnectPtr connection, int reason, void *arg)
{
    struct virt_link *link = arg;
    struct virt *virt = link->virt;
    bool lost;

    (void)reason;
    pthread_mutex_lock(&virt->lock);
    lost = link->connection == connection && !link->broken;
    if (lost) {
        link->broken = true;
        pthread_cond_signal(&virt->changed);
    }
    pthread_mutex_unlock(&virt->lock);
    if (lost && link->which == VIRT_MAIN)
        virt_events_post(virt, VIRT_EVENT_LOST, NULL, "the connection to libvirt broke");
}

static bool can_run_kvm(virConnectPtr connection)
{
    char *capabilities = virConnectGetDomainCapabilities(connection, NULL, "x86_64", "q35", "kvm", 0);
    bool can = capabilities != NULL;

    free(capabilities);
    return can;
}

static virConnectPtr open_connection(struct virt_link *link)
{
    struct virt *virt = link->virt;
    virConnectPtr connection = virConnectOpen(virt->config.uri);
    bool kvm;

    if (!connection)
        return NULL;
    /* Drivers without a daemon have neither; then the connection cannot break. */
    (void)virConnectSetKeepAlive(connection, KEEPALIVE_INTERVAL_S, KEEPALIVE_COUNT);
    (void)virConnectRegisterCloseCallback(connection, on_closed, link, NULL);
    if (link->which != VIRT_MAIN)
        return connection;
    virt_events_register(link, connection);
    kvm = virt->config.domain_type == VIRT_TYPE_KVM ||
          (virt->config.domain_type == VIRT_TYPE_AUTO && can_run_kvm(connection));
    pthread_mutex_lock(&virt->lock);
    virt->kvm = kvm;
    pthread_mutex_unlock(&virt->lock);
    return connection;
}

static void close_connection(struct virt_link *link, virConnectPtr connection)
{
    if (link->which == VIRT_MAIN)
        virt_events_deregister(link, connection);
    (void)virConnectUnregisterCloseCallback(connection, on_closed);
    virConnectClose(connection);
}

static void wait_until_changed(struct virt *virt, int delay_ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += delay_ms / 1000;
    until.tv_nsec += (delay_ms % 1000) * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    pthread_cond_timedwait(&virt->changed, &virt->lock, &until);
}

/* Opens or closes what this link wants, with the lock given up meanwhile. Returns whether it is in order
 * now. */
static bool mend_link(struct virt_link *link)
{
    struct virt *virt = link->virt;
    virConnectPtr connection = link->connection;
    bool broken = link->broken;

    if (connection && !broken)
        return true;
    link->connection = NULL;
    link->broken = false;
    pthread_mutex_unlock(&virt->lock);
    if (broken)
        close_connection(link, connection);
    connection = open_connection(link);
    pthread_mutex_lock(&virt->lock);
    link->connection = connection;
    /* It may have broken before on_closed could know it. */
    link->broken = connection && virConnectIsAlive(connection) == 0;
    if (connection && !link->broken && link->which == VIRT_MAIN)
        virt_events_post(virt, VIRT_EVENT_BACK, NULL, "the connection to libvirt is up");
    return connection && !link->broken;
}

static void *connector_main(void *arg)
{
    struct virt *virt = arg;
    int delay_ms = BACKOFF_MIN_MS;

    pthread_mutex_lock(&virt->lock);
    while (!virt->ending) {
        bool mended = true;

        for (int i = 0; i < VIRT_NCONNECTIONS && !virt->ending; i++)
            mended &= mend_link(&virt->links[i]);
        if (virt->ending)
            break;
        if (mended) {
            delay_ms = BACKOFF_MIN_MS;
            if (!virt->links[VIRT_MAIN].broken && !virt->links[VIRT_RESERVED].broken)
                pthread_cond_wait(&virt->changed, &virt->lock);
        } else {
            wait_until_changed(virt, delay_ms);
            delay_ms = delay_ms * 2 < BACKOFF_MAX_MS ? delay_ms * 2 : BACKOFF_MAX_MS;
        }
    }
    pthread_mutex_unlock(&virt->lock);
    return NULL;
}

int virt_connection_begin(struct virt *virt)
{
    int r;

    pthread_once(&event_impl_once, register_event_impl);
    if (event_impl_result < 0)
        return event_impl_result;
    virt->events_run = true;
    r = thread_create(&virt->events, events_main, virt);
    if (r < 0)
        virt->events_run = false;
    else
        r = thread_create(&virt->connector, connector_main, virt);
    virt->connector_runs = r == 0;
    return r;
}

void virt_connector_end(struct virt *virt)
{
    pthread_mutex_lock(&virt->lock);
    virt->ending = true;
    pthread_cond_signal(&virt->changed);
    pthread_mutex_unlock(&virt->lock);
    if (virt->connector_runs)
        pthread_join(virt->connector, NULL);
    virt->connector_runs = false;
}

/* Nothing to do: that it is due has woken the event loop. */
static void on_wake(int timer, void *arg)
{
    (void)timer;
    (void)arg;
}

void virt_connection_finish(struct virt *virt)
{
    int timer;

    for (int i = 0; i < VIRT_NCONNECTIONS; i++) {
        if (virt->links[i].connection)
            close_connection(&virt->links[i], virt->links[i].connection);
        virt->links[i].connection = NULL;
    }
    if (!virt->events_run)
        return;
    pthread_mutex_lock(&virt->lock);
    virt->events_run = false;
    pthread_mutex_unlock(&virt->lock);
    timer = virEventAddTimeout(0, on_wake, NULL, NULL);
    pthread_join(virt->events, NULL);
    virEventRemoveTimeout(timer);
}

struct _virConnect *virt_connection_take(struct virt *virt, enum virt_connection which)
{
    struct virt_link *link;
    virConnectPtr connection = NULL;

    pthread_mutex_lock(&virt->lock);
    link = &virt->links[which];
    /* Destroying has a connection of its own, and uses the other rather than none. */
    if ((!link->connection || link->broken) && which == VIRT_RESERVED)
        link = &virt->links[VIRT_MAIN];
    if (link->connection && !link->broken) {
        connection = link->connection;
        virConnectRef(connection);
    }
    pthread_mutex_unlock(&virt->lock);
    return connection;
}

bool virt_is_connected(const struct virt *virt)
{
    const struct virt_link *link = &virt->links[VIRT_MAIN];
    /* Asking changes nothing but the lock, which no caller can see. */
    pthread_mutex_t *lock = (pthread_mutex_t *)&virt->lock;
    bool connected;

    pthread_mutex_lock(lock);
    connected = link->connection && !link->broken;
    pthread_mutex_unlock(lock);
    return connected;
}
