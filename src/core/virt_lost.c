/*
 * Domains that libvirt has lost. A libvirtd that cannot read what it noted of a running domain drops it, and
 * its QEMU runs on with the VM's drives open: that is not absence, and nobody may be given those drives.
 *
 * In: libvirt's folder of pid files, each of which its QEMU holds a lock on for as long as it lives. Out: who
 * lives and is unknown to libvirt. Kept: nothing. The lock, not the number in the file, is what counts:
 * numbers are used again.
 */
#include "src/core/virt_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libvirt/libvirt.h>

#define PREFIX "kiln-"
#define SUFFIX ".pid"

/* --- processes --- */

/* Whether a QEMU of this VM lives: 1 and its pid, 0, or a negative errno. */
static int process_find(const struct virt *virt, const char *uuid, int *ret_pid)
{
    char path[VIRT_PATH_BYTES + VIRT_NAME_BYTES];
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd, r = 0;

    if (!virt->config.process_folder[0])
        return 0;
    snprintf(path, sizeof(path), "%s/" PREFIX "%s" SUFFIX, virt->config.process_folder, uuid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    if (fcntl(fd, F_GETLK, &lock) < 0)
        r = -errno;
    close(fd);
    if (r < 0 || lock.l_type == F_UNLCK)
        return r;
    *ret_pid = (int)lock.l_pid;
    return 1;
}

/* The uuid in a pid file's name; false for another file. */
static bool uuid_of(const char *name, char ret_uuid[static VIRT_UUID_BYTES])
{
    size_t prefix = strlen(PREFIX), uuid = VIRT_UUID_BYTES - 1;

    if (strlen(name) != prefix + uuid + strlen(SUFFIX) || strncmp(name, PREFIX, prefix) != 0 ||
        strcmp(name + prefix + uuid, SUFFIX) != 0)
        return false;
    memcpy(ret_uuid, name + prefix, uuid);
    ret_uuid[uuid] = '\0';
    return true;
}

static int refuse_unreadable(struct virt_op *op, int error)
{
    char words[VIRT_WORDS_BYTES];

    snprintf(words, sizeof(words), "libvirt's pid files cannot be read: %s", strerror(-error));
    return virt_op_refuse(op, -EIO, words);
}

/* --- one domain --- */

int virt_lost_find(struct virt_op *op, const char *uuid, int *ret_pid)
{
    int r = process_find(op->virt, uuid, ret_pid);

    return r < 0 ? refuse_unreadable(op, r) : r;
}

int virt_lost_refuse(struct virt_op *op, const char *uuid)
{
    char words[VIRT_WORDS_BYTES];
    int pid = 0, r = virt_lost_find(op, uuid, &pid);

    if (r <= 0)
        return r;
    snprintf(words, sizeof(words),
             "libvirt has lost the domain, and its QEMU, process %d, runs on: end it as root (kill %d)", pid,
             pid);
    return virt_op_refuse(op, -EBUSY, words);
}

/* --- all of them --- */

static int compare_uuids(const void *a, const void *b)
{
    return strcmp(((const struct virt_domain_info *)a)->uuid, ((const struct virt_domain_info *)b)->uuid);
}

static int append(struct virt_op *op, const char *uuid, int pid)
{
    struct virt_domain_info *domains = realloc(op->domains, (op->answer.ndomains + 1) * sizeof(*op->domains));

    if (!domains)
        return virt_op_refuse(op, -ENOMEM, "out of memory");
    op->domains = domains;
    domains[op->answer.ndomains] = (struct virt_domain_info){.state = VIRT_DOMAIN_LOST, .pid = pid};
    return virt_copy(domains[op->answer.ndomains++].uuid, VIRT_UUID_BYTES, uuid);
}

/* One that is not in the list may have come or gone since: it is lost if libvirt does not know it while its
 * process lives. */
static int look(struct virt_op *op, virConnectPtr connection, const char *uuid)
{
    int before = 0, after = 0, r = virt_lost_find(op, uuid, &before);
    virDomainPtr domain;

    if (r <= 0)
        return r;
    domain = virDomainLookupByUUIDString(connection, uuid);
    if (domain) {
        virDomainFree(domain);
        return 0;
    }
    r = virt_op_fail(op, connection, "the domain");
    if (r != -ENOENT)
        return r;
    r = virt_lost_find(op, uuid, &after);
    if (r <= 0 || before != after)
        return r < 0 ? r : 0;
    return append(op, uuid, after);
}

static int look_each(struct virt_op *op, virConnectPtr connection, DIR *folder)
{
    size_t nlisted = op->answer.ndomains; /* the first of op->domains, sorted */
    struct virt_domain_info named = {.pid = 0};
    const struct dirent *entry;
    int r = 0;

    while (r == 0 && (errno = 0, entry = readdir(folder)))
        if (uuid_of(entry->d_name, named.uuid) &&
            !bsearch(&named, op->domains, nlisted, sizeof(named), compare_uuids))
            r = look(op, connection, named.uuid);
    return r == 0 && errno ? refuse_unreadable(op, -errno) : r;
}

int virt_lost_append(struct virt_op *op, struct _virConnect *connection)
{
    DIR *folder;
    int r;

    if (!op->virt->config.process_folder[0])
        return 0;
    folder = opendir(op->virt->config.process_folder);
    if (!folder)
        return errno == ENOENT ? 0 : refuse_unreadable(op, -errno);
    qsort(op->domains, op->answer.ndomains, sizeof(*op->domains), compare_uuids);
    r = look_each(op, connection, folder);
    closedir(folder);
    return r;
}
