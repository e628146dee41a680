/*
 * Held by whoever may still touch it: its owner on the loop, a call that opens it, libvirt's callback, a
 * delivery on its way. The last one frees it.
 */
#include "src/core/virt_stream.h"

#include "src/core/virt_private.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <libvirt/libvirt.h>

struct virt_stream {
    struct virt *virt; /* borrowed */
    atomic_int holders;

    /* loop's thread only */
    virt_stream_fn *got; /* NULL once abandoned */
    void *arg;

    pthread_mutex_t lock; /* of all below */
    virStreamPtr stream;  /* owned; NULL until open and after closing */
    char pending[VIRT_STREAM_PENDING_BYTES];
    size_t pending_bytes;
    size_t lost_bytes;
    bool posted; /* a delivery is on its way */
    bool ended;
    bool abandoned;
};

struct virt_stream *virt_stream_create(struct virt *virt, virt_stream_fn *got, void *arg)
{
    struct virt_stream *stream = calloc(1, sizeof(*stream));

    if (!stream)
        return NULL;
    stream->virt = virt;
    stream->got = got;
    stream->arg = arg;
    atomic_init(&stream->holders, 1);
    pthread_mutex_init(&stream->lock, NULL);
    return stream;
}

void virt_stream_hold(struct virt_stream *stream)
{
    atomic_fetch_add(&stream->holders, 1);
}

void virt_stream_release(struct virt_stream *stream)
{
    if (atomic_fetch_sub(&stream->holders, 1) > 1)
        return;
    pthread_mutex_destroy(&stream->lock);
    free(stream);
}

static void deliver(void *arg, bool ran)
{
    struct virt_stream *stream = arg;
    char bytes[VIRT_STREAM_PENDING_BYTES];
    size_t len, lost;
    bool ended;

    (void)ran;
    pthread_mutex_lock(&stream->lock);
    len = stream->pending_bytes;
    lost = stream->lost_bytes;
    ended = stream->ended;
    memcpy(bytes, stream->pending, len);
    stream->pending_bytes = 0;
    stream->lost_bytes = 0;
    stream->posted = false;
    pthread_mutex_unlock(&stream->lock);
    if (stream->got)
        stream->got(stream->arg, bytes, len, lost, ended);
    virt_stream_release(stream);
}

/* With the lock held. */
static void post_delivery(struct virt_stream *stream)
{
    if (stream->posted)
        return;
    virt_stream_hold(stream);
    stream->posted = worker_post(stream->virt->worker, deliver, stream) == 0;
    if (!stream->posted)
        virt_stream_release(stream);
}

static void append(struct virt_stream *stream, const char *bytes, size_t len)
{
    size_t room = sizeof(stream->pending) - stream->pending_bytes;
    size_t taken = len < room ? len : room;

    memcpy(stream->pending + stream->pending_bytes, bytes, taken);
    stream->pending_bytes += taken;
    stream->lost_bytes += len - taken;
}

/* On libvirt's event thread: takes all there is, so that a level-triggered wake-up is not repeated for it. */
static void on_ready(virStreamPtr from, int events, void *arg)
{
    struct virt_stream *stream = arg;
    char bytes[4096];
    bool ended;
    int n;

    pthread_mutex_lock(&stream->lock);
    while ((n = virStreamRecv(from, bytes, sizeof(bytes))) > 0)
        append(stream, bytes, (size_t)n);
    /* -2: nothing more for now. */
    if (n != -2 || (events & (VIR_STREAM_EVENT_ERROR | VIR_STREAM_EVENT_HANGUP)))
        stream->ended = true;
    post_delivery(stream);
    ended = stream->ended;
    pthread_mutex_unlock(&stream->lock);
    if (ended)
        (void)virStreamEventRemoveCallback(from);
}

static void on_callback_freed(void *arg)
{
    virt_stream_release(arg);
}

static int open_stream(struct virt_stream *stream, virStreamPtr to, virDomainPtr domain)
{
    if (virDomainOpenConsole(domain, NULL, to, VIR_DOMAIN_CONSOLE_FORCE) < 0)
        return -1;
    virt_stream_hold(stream);
    if (virStreamEventAddCallback(to, VIR_STREAM_EVENT_READABLE, on_ready, stream, on_callback_freed) < 0) {
        virt_stream_release(stream);
        (void)virStreamAbort(to);
        return -1;
    }
    return 0;
}

static void close_stream(virStreamPtr stream)
{
    (void)virStreamEventRemoveCallback(stream);
    (void)virStreamAbort(stream);
    virStreamFree(stream);
}

int virt_stream_open(struct virt_stream *stream, struct _virConnect *connection, struct _virDomain *domain)
{
    virStreamPtr opened = virStreamNew(connection, VIR_STREAM_NONBLOCK);
    bool abandoned;

    if (!opened)
        return -1;
    if (open_stream(stream, opened, domain) < 0) {
        virStreamFree(opened);
        return -1;
    }
    pthread_mutex_lock(&stream->lock);
    abandoned = stream->abandoned;
    if (!abandoned)
        stream->stream = opened;
    pthread_mutex_unlock(&stream->lock);
    if (abandoned)
        close_stream(opened);
    return abandoned ? -1 : 0;
}

static void run_close(void *arg)
{
    struct virt_stream *stream = arg;
    virStreamPtr opened;

    pthread_mutex_lock(&stream->lock);
    opened = stream->stream;
    stream->stream = NULL;
    pthread_mutex_unlock(&stream->lock);
    if (opened)
        close_stream(opened);
}

static void close_done(void *arg, bool ran)
{
    if (!ran)
        run_close(arg);
    virt_stream_release(arg);
}

void virt_stream_abandon(struct virt_stream *stream, bool now)
{
    if (!stream)
        return;
    stream->got = NULL;
    pthread_mutex_lock(&stream->lock);
    stream->abandoned = true;
    pthread_mutex_unlock(&stream->lock);
    /* Closing asks libvirtd and waits for it, which the loop must not. */
    if (now || worker_submit(stream->virt->worker, WORKER_NORMAL, NULL, run_close, close_done, stream) < 0) {
        run_close(stream);
        virt_stream_release(stream);
    }
}
