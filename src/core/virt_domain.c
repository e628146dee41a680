/*
 * Domains: started transient, so that libvirt keeps nothing of a dead VM; recognised by Kiln's metadata;
 * ended ahead of everything else.
 */
#include "src/core/domain_xml.h"
#include "src/core/virt_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

static enum virt_domain_state state_of(int state)
{
    switch (state) {
    case VIR_DOMAIN_RUNNING:
    case VIR_DOMAIN_BLOCKED:
    case VIR_DOMAIN_NOSTATE:
        return VIRT_DOMAIN_RUNNING;
    case VIR_DOMAIN_PAUSED:
    case VIR_DOMAIN_PMSUSPENDED:
        return VIRT_DOMAIN_PAUSED;
    case VIR_DOMAIN_CRASHED:
        return VIRT_DOMAIN_CRASHED;
    default:
        return VIRT_DOMAIN_STOPPING;
    }
}

/* Reads metadata and state of a domain; -EEXIST when it is not one of Kiln's, -ENOENT when it went
 * meanwhile. */
static int read_domain(struct virt_op *op, virConnectPtr connection, virDomainPtr domain,
                       struct virt_domain_info *ret_info)
{
    struct virt_domain_info info;
    char *element = virDomainGetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, KILN_METADATA_URI, 0);
    int state, reason, r;

    if (!element) {
        r = virGetLastErrorCode();
        if (r == VIR_ERR_NO_DOMAIN_METADATA)
            return virt_op_refuse(op, -EEXIST, "a domain of this uuid exists that is not Kiln's");
        return virt_op_fail(op, connection, "cannot read the domain");
    }
    r = domain_xml_parse_metadata(element, &info);
    free(element);
    if (r < 0)
        return virt_op_refuse(op, -EEXIST, "a domain of this uuid exists whose Kiln metadata is not ours");
    if (virDomainGetState(domain, &state, &reason, 0) < 0)
        return virt_op_fail(op, connection, "cannot read the domain's state");
    info.state = state_of(state);
    *ret_info = info;
    return 0;
}

int virt_domain_find(struct virt_op *op, struct _virConnect *connection, struct _virDomain **ret_domain,
                     struct virt_domain_info *ret_info)
{
    virDomainPtr domain = virDomainLookupByUUIDString(connection, op->spec.uuid);
    int r;

    if (!domain)
        return virt_op_fail(op, connection, "the domain");
    r = read_domain(op, connection, domain, ret_info);
    if (r == 0 && strcmp(ret_info->uuid, op->spec.uuid) != 0)
        r = virt_op_refuse(op, -EEXIST, "a domain of this uuid exists whose Kiln metadata names another");
    if (r < 0)
        virDomainFree(domain);
    else
        *ret_domain = domain;
    return r;
}

/* --- start --- */

/* Path of a volume that QEMU opens by path; "" for no volume. */
static int find_path(struct virt_op *op, virConnectPtr connection, const char *name, char **ret_path)
{
    virStorageVolPtr volume = NULL;
    int r;

    *ret_path = NULL;
    if (!name[0])
        return 0;
    r = virt_volume_find(op, connection, name, &volume);
    if (r < 0)
        return r;
    *ret_path = virStorageVolGetPath(volume);
    r = *ret_path ? 0 : virt_op_fail(op, connection, "cannot find the kernel");
    virStorageVolFree(volume);
    return r;
}

static char *build_domain(struct virt_op *op, const char *kernel, const char *initrd)
{
    struct virt *virt = op->virt;
    struct domain_xml_host host = {
        .pool = virt->config.pool,
        .network = virt->config.network,
        .address = virt->config.host_address,
        .guest_port = virt->config.guest_port,
        .kernel_path = kernel,
        .initrd_path = initrd,
    };

    pthread_mutex_lock(&virt->lock);
    host.kvm = virt->kvm;
    pthread_mutex_unlock(&virt->lock);
    return domain_xml_build(&op->spec, &host);
}

static int start_domain(struct virt_op *op, virConnectPtr connection)
{
    char *kernel = NULL, *initrd = NULL, *xml = NULL;
    virDomainPtr domain = NULL;
    int r = find_path(op, connection, op->spec.kernel, &kernel);

    r = r < 0 ? r : find_path(op, connection, op->spec.initrd, &initrd);
    if (r == 0) {
        xml = build_domain(op, kernel, initrd);
        domain = xml ? virDomainCreateXML(connection, xml, VIR_DOMAIN_NONE) : NULL;
        if (!domain)
            r = xml ? virt_op_fail(op, connection, "cannot start the domain")
                    : virt_op_refuse(op, -ENOMEM, "out of memory");
    }
    if (r == 0)
        r = read_domain(op, connection, domain, &op->answer.domain);
    if (domain)
        virDomainFree(domain);
    free(xml);
    free(kernel);
    free(initrd);
    return r;
}

static int perform_domain(struct virt_op *op, struct _virConnect *connection)
{
    virDomainPtr domain = NULL;
    int r = virt_domain_find(op, connection, &domain, &op->answer.domain);

    if (r == -ENOENT) {
        /* The end of this VM may be why it is not there, and what was started for it has its secret. */
        if (worker_is_overtaken(op->virt->worker, op->spec.uuid))
            return virt_op_refuse(op, -ECANCELED, "overtaken by the end of the VM");
        r = virt_lost_refuse(op, op->spec.uuid);
        return r < 0 ? r : start_domain(op, connection);
    }
    if (r < 0)
        return r;
    virDomainFree(domain);
    if (op->answer.domain.boot != op->spec.boot)
        return virt_op_refuse(op, -EEXIST, "the domain runs for another boot");
    if (op->answer.domain.state == VIRT_DOMAIN_STOPPING || op->answer.domain.state == VIRT_DOMAIN_CRASHED)
        return virt_op_refuse(op, -EBUSY, "the domain is ending");
    return 0;
}

int virt_ensure_domain(struct virt *virt, const struct virt_vm_spec *spec, virt_answer_fn *answered,
                       void *arg)
{
    struct virt_op *op = virt_op_create(virt, answered, arg, perform_domain);

    if (op)
        op->spec = *spec;
    return virt_op_submit(op, WORKER_NORMAL, spec->uuid);
}

/* --- calls that take only a uuid --- */

static struct virt_op *create_named_op(struct virt *virt, const char *uuid, virt_answer_fn *answered,
                                       void *arg,
                                       int (*perform)(struct virt_op *op, struct _virConnect *connection))
{
    struct virt_op *op = virt_op_create(virt, answered, arg, perform);

    if (op)
        (void)virt_copy(op->spec.uuid, sizeof(op->spec.uuid), uuid);
    return op;
}

static int end_domain(struct virt_op *op, virConnectPtr connection, virDomainPtr domain)
{
    int r = 0;

    /* Kiln's are transient; somebody may have defined one all the same, and its definition would stay. */
    if (virDomainIsPersistent(domain) == 1)
        (void)virDomainUndefineFlags(domain, VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_NVRAM);
    if (virDomainDestroy(domain) < 0) {
        r = virt_op_fail(op, connection, "cannot destroy the domain");
        /* A transient domain that ended by itself meanwhile is not running, or not there at all. */
        if (r != -ENOTCONN && virDomainIsActive(domain) != 1 && virConnectIsAlive(connection) == 1)
            r = 0;
    }
    return r;
}

static int perform_gone(struct virt_op *op, struct _virConnect *connection)
{
    virDomainPtr domain = NULL;
    int r = virt_domain_find(op, connection, &domain, &op->answer.domain);

    op->answer.domain.state = VIRT_DOMAIN_ABSENT;
    if (r == -ENOENT)
        return virt_lost_refuse(op, op->spec.uuid);
    if (r < 0)
        return r;
    r = end_domain(op, connection, domain);
    virDomainFree(domain);
    return r;
}

/* The second look of a call that found work for this VM under way: it comes after that work, and before all
 * that waits. */
struct second_look {
    struct virt *virt;
    char uuid[VIRT_UUID_BYTES];
    virt_answer_fn *answered;
    void *arg;
};

static void on_first_look(void *arg, const struct virt_answer *answer)
{
    struct second_look *look = arg;
    struct virt_op *op;
    int r;

    if (answer->error == 0) {
        op = create_named_op(look->virt, look->uuid, look->answered, look->arg, perform_gone);
        r = virt_op_submit_destroy(op, WORKER_APART, look->uuid);
        if (r < 0) {
            struct virt_answer failed = {.error = r, .words = "the second look could not be queued"};

            look->answered(look->arg, &failed);
        }
    } else {
        look->answered(look->arg, answer);
    }
    free(look);
}

int virt_domain_gone(struct virt *virt, const char *uuid, virt_answer_fn *answered, void *arg)
{
    struct second_look *look;
    struct virt_op *op;
    int r;

    if (!worker_cancel(virt->worker, uuid)) {
        op = create_named_op(virt, uuid, answered, arg, perform_gone);
        return virt_op_submit_destroy(op, WORKER_AT_ONCE, uuid);
    }
    look = calloc(1, sizeof(*look));
    if (!look || virt_copy(look->uuid, sizeof(look->uuid), uuid) < 0) {
        free(look);
        return -ENOMEM;
    }
    look->virt = virt;
    look->answered = answered;
    look->arg = arg;
    op = create_named_op(virt, uuid, on_first_look, look, perform_gone);
    r = virt_op_submit_destroy(op, WORKER_AT_ONCE, uuid);
    if (r < 0)
        free(look);
    return r;
}

static int perform_query(struct virt_op *op, struct _virConnect *connection)
{
    virDomainPtr domain = NULL;
    int r = virt_domain_find(op, connection, &domain, &op->answer.domain);

    if (r == 0)
        virDomainFree(domain);
    if (r != -ENOENT)
        return r;
    r = virt_lost_find(op, op->spec.uuid, &op->answer.domain.pid);
    if (r < 0)
        return r;
    op->answer.domain.state = r ? VIRT_DOMAIN_LOST : VIRT_DOMAIN_ABSENT;
    return virt_copy(op->answer.domain.uuid, sizeof(op->answer.domain.uuid), op->spec.uuid);
}

int virt_domain_query(struct virt *virt, const char *uuid, virt_answer_fn *answered, void *arg)
{
    return virt_op_submit(create_named_op(virt, uuid, answered, arg, perform_query), WORKER_NORMAL, uuid);
}

/* --- list --- */

static int read_domains(struct virt_op *op, virConnectPtr connection, virDomainPtr *domains, size_t n)
{
    op->domains = calloc(n + 1, sizeof(*op->domains));
    if (!op->domains)
        return virt_op_refuse(op, -ENOMEM, "out of memory");
    for (size_t i = 0; i < n; i++) {
        int r = read_domain(op, connection, domains[i], &op->domains[op->answer.ndomains]);

        if (r == 0)
            op->answer.ndomains++;
        else if (r != -EEXIST && r != -ENOENT)
            return r;
    }
    return 0;
}

static int perform_list(struct virt_op *op, struct _virConnect *connection)
{
    virDomainPtr *domains = NULL;
    int n = virConnectListAllDomains(connection, &domains, 0);
    int r;

    if (n < 0)
        return virt_op_fail(op, connection, "cannot list the domains");
    r = read_domains(op, connection, domains, (size_t)n);
    for (int i = 0; i < n; i++)
        virDomainFree(domains[i]);
    free(domains);
    return r < 0 ? r : virt_lost_append(op, connection);
}

int virt_domain_list(struct virt *virt, virt_answer_fn *answered, void *arg)
{
    return virt_op_submit(virt_op_create(virt, answered, arg, perform_list), WORKER_NORMAL, NULL);
}
