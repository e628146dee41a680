/*
 * The life of a call: made and answered on the loop's thread, performed on the pool. And what libvirt's
 * errors mean to Kiln.
 */
#include "src/core/virt.h"

#include "src/core/virt_private.h"
#include "src/core/worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

int virt_copy(char *ret_field, size_t size, const char *text)
{
    size_t len = text ? strlen(text) : 0;

    if (len == 0 || len >= size)
        return -EINVAL;
    memcpy(ret_field, text, len + 1);
    return 0;
}

static int errno_of(int code)
{
    switch (code) {
    case VIR_ERR_NO_DOMAIN:
    case VIR_ERR_NO_STORAGE_VOL:
    case VIR_ERR_NO_STORAGE_POOL:
    case VIR_ERR_NO_NETWORK:
    case VIR_ERR_NO_NWFILTER:
    case VIR_ERR_NO_DOMAIN_METADATA:
        return -ENOENT;
    case VIR_ERR_DOM_EXIST:
    case VIR_ERR_NETWORK_EXIST:
    case VIR_ERR_STORAGE_VOL_EXIST:
        return -EEXIST;
    case VIR_ERR_XML_ERROR:
    case VIR_ERR_XML_DETAIL:
    case VIR_ERR_XML_INVALID_SCHEMA:
    case VIR_ERR_CONFIG_UNSUPPORTED:
    case VIR_ERR_INVALID_ARG:
        return -EINVAL;
    case VIR_ERR_RESOURCE_BUSY:
    case VIR_ERR_OPERATION_TIMEOUT:
        return -EBUSY;
    default:
        return -EIO;
    }
}

int virt_op_fail(struct virt_op *op, struct _virConnect *connection, const char *what)
{
    const virError *error = virGetLastError();
    int code = error ? error->code : VIR_ERR_OK;

    snprintf(op->words, sizeof(op->words), "%s: %s", what,
             error && error->message ? error->message : "libvirt does not say why");
    /* Whatever it says: an answer that came over a broken connection is no answer (R22). */
    if (!connection || virConnectIsAlive(connection) != 1)
        return -ENOTCONN;
    return errno_of(code);
}

int virt_op_refuse(struct virt_op *op, int error, const char *words)
{
    snprintf(op->words, sizeof(op->words), "%s", words);
    return error;
}

struct virt_op *virt_op_create(struct virt *virt, virt_answer_fn *answered, void *arg,
                               int (*perform)(struct virt_op *op, struct _virConnect *connection))
{
    struct virt_op *op = calloc(1, sizeof(*op));

    if (!op)
        return NULL;
    op->virt = virt;
    op->perform = perform;
    op->answered = answered;
    op->arg = arg;
    return op;
}

static void op_destroy(struct virt_op *op)
{
    free(op->domains);
    free(op->held);
    free(op);
}

static void op_run(void *arg)
{
    struct virt_op *op = arg;
    struct _virConnect *connection = virt_connection_take(op->virt, op->which);

    if (!connection) {
        op->answer.error = virt_op_refuse(op, -ENOTCONN, "there is no connection to libvirt");
        return;
    }
    op->answer.error = op->perform(op, connection);
    virConnectClose(connection);
}

static void op_done(void *arg, bool ran)
{
    struct virt_op *op = arg;

    if (!ran)
        op->answer.error = virt_op_refuse(op, -ECANCELED, "cancelled before it began");
    if (op->answer.error == 0)
        op->words[0] = '\0';
    op->answer.words = op->words;
    op->answer.domains = op->domains;
    op->answer.serials = (const char(*)[VIRT_SERIAL_BYTES])op->serials;
    op->answered(op->arg, &op->answer);
    op_destroy(op);
}

int virt_op_submit(struct virt_op *op, enum worker_lane lane, const char *key)
{
    int r;

    if (!op)
        return -ENOMEM;
    r = worker_submit(op->virt->worker, lane, key, op_run, op_done, op);
    if (r < 0)
        op_destroy(op);
    return r;
}

int virt_op_submit_destroy(struct virt_op *op, enum worker_order order, const char *key)
{
    int r;

    if (!op)
        return -ENOMEM;
    op->which = VIRT_RESERVED;
    r = worker_submit_destroy(op->virt->worker, order, key, op_run, op_done, op);
    if (r < 0)
        op_destroy(op);
    return r;
}

/* libvirt writes errors to stderr by itself; ours are logged by whoever knows what they mean. */
static void silence(void *arg, virErrorPtr error)
{
    (void)arg;
    (void)error;
}

static void init_links(struct virt *virt)
{
    for (int i = 0; i < VIRT_NCONNECTIONS; i++) {
        virt->links[i].virt = virt;
        virt->links[i].which = (enum virt_connection)i;
        for (int j = 0; j < VIRT_NEVENTS; j++)
            virt->links[i].event_ids[j] = -1;
    }
}

int virt_create(struct loop *loop, const struct virt_config *config, virt_event_fn *notify, void *arg,
                struct virt **ret_virt)
{
    struct virt *virt = calloc(1, sizeof(*virt));
    pthread_condattr_t attr;
    int r;

    if (!virt)
        return -ENOMEM;
    virt->loop = loop;
    virt->config = *config;
    virt->notify = notify;
    virt->notify_arg = arg;
    TAILQ_INIT(&virt->consoles);
    init_links(virt);
    pthread_mutex_init(&virt->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&virt->changed, &attr);
    pthread_condattr_destroy(&attr);
    virSetErrorFunc(NULL, silence);
    r = worker_create(loop, &virt->worker);
    if (r == 0)
        r = virt_connection_begin(virt);
    if (r < 0) {
        virt_destroy(virt);
        return r;
    }
    *ret_virt = virt;
    return 0;
}

void virt_destroy(struct virt *virt)
{
    if (!virt)
        return;
    virt_connector_end(virt);
    if (virt->worker)
        worker_stop(virt->worker);
    /* The event thread outlives the pool: it is what notices that a call's connection is dead. */
    virt_consoles_finish(virt);
    virt_connection_finish(virt);
    worker_destroy(virt->worker);
    pthread_cond_destroy(&virt->changed);
    pthread_mutex_destroy(&virt->lock);
    free(virt);
}
