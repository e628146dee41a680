/*
 * recovery.c - the table of recovery.h. A row is for a run of states in the order of a life; the first that
 * fits is the cell.
 */
#include "states/recovery.h"

struct recovery_row {
    int first, last; /* states, both within */
    enum recovery_sight sight;
    struct recovery_cell cell;
};

static const struct recovery_row rows[] = {
    {VM_REQUESTED,
     VM_DESTROYED,
     RECOVERY_UNREACHABLE,
     {VM_ON_LIBVIRT_LOST, "libvirt does not answer, and absence is not death: nothing changes"}},

    /* No domain was asked for. One that is there can only be ahead of a store put back from a copy. */
    {VM_REQUESTED, VM_REQUESTED, RECOVERY_ABSENT, {VM_ON_RECOVERED, "no domain yet: the volume is ensured"}},
    {VM_REQUESTED, VM_REQUESTED, RECOVERY_RUNNING, {VM_ON_RECOVERED, "the domain is ahead of the record"}},
    {VM_REQUESTED, VM_REQUESTED, RECOVERY_PAUSED, {VM_ON_RECOVERED, "the domain is ahead of the record"}},
    {VM_REQUESTED, VM_REQUESTED, RECOVERY_SHUT_OFF, {VM_ON_RECOVERED, "the domain is ahead of the record"}},
    {VM_REQUESTED, VM_REQUESTED, RECOVERY_CRASHED, {VM_ON_RECOVERED, "the domain is ahead of the record"}},
    {VM_REQUESTED, VM_REQUESTED, RECOVERY_LOST, {VM_ON_RECOVERED, "the domain is ahead of the record"}},

    /* Committed, then perhaps performed: only libvirt knows how far the start came. */
    {VM_IMAGE_CREATED,
     VM_IMAGE_CREATED,
     RECOVERY_ABSENT,
     {VM_ON_RECOVERED, "the domain is not there: it is started with a new secret"}},
    {VM_IMAGE_CREATED,
     VM_IMAGE_CREATED,
     RECOVERY_SHUT_OFF,
     {VM_ON_RECOVERED, "the domain is defined and does not run: it is started with a new secret"}},
    {VM_IMAGE_CREATED,
     VM_IMAGE_CREATED,
     RECOVERY_PAUSED,
     {VM_ON_RECOVERED, "the domain was created and not set running: it is"}},
    {VM_IMAGE_CREATED,
     VM_IMAGE_CREATED,
     RECOVERY_RUNNING,
     {VM_ON_DOMAIN_UP, "the domain came up while kilnd was away"}},
    {VM_IMAGE_CREATED,
     VM_IMAGE_CREATED,
     RECOVERY_CRASHED,
     {VM_ON_DOMAIN_FAILED, "the domain crashed while it started and kilnd was away"}},
    {VM_IMAGE_CREATED,
     VM_IMAGE_CREATED,
     RECOVERY_LOST,
     {VM_ON_RECOVERED, "libvirt has lost the domain, whose QEMU runs: another is not started beside it"}},

    {VM_BOOTED, VM_SSH_PROXIED, RECOVERY_RUNNING, {VM_ON_RECOVERED, "the domain runs as it did"}},
    {VM_BOOTED, VM_SSH_PROXIED, RECOVERY_PAUSED, {VM_ON_DOMAIN_PAUSED, "the domain is there and is paused"}},
    {VM_BOOTED,
     VM_SSH_PROXIED,
     RECOVERY_SHUT_OFF,
     {VM_ON_DOMAIN_GONE, "the domain was shut off while kilnd was away"}},
    {VM_BOOTED,
     VM_SSH_PROXIED,
     RECOVERY_CRASHED,
     {VM_ON_DOMAIN_GONE, "the domain crashed while kilnd was away"}},
    {VM_BOOTED,
     VM_SSH_PROXIED,
     RECOVERY_LOST,
     {VM_ON_LIBVIRT_LOST, "libvirt has lost the domain, whose QEMU runs: nothing changes"}},
    {VM_BOOTED,
     VM_SSH_PROXIED,
     RECOVERY_ABSENT,
     {VM_ON_DOMAIN_GONE, "the domain ended while kilnd was away"}},

    /* Ensuring that it is gone asks libvirt once more, and that answer counts. */
    {VM_DESTROYED, VM_DESTROYED, RECOVERY_ABSENT, {VM_ON_RECOVERED, "the ended VM's domain is not seen"}},
    {VM_DESTROYED,
     VM_DESTROYED,
     RECOVERY_RUNNING,
     {VM_ON_RECOVERED, "the ended VM's domain runs: it is ended"}},
    {VM_DESTROYED,
     VM_DESTROYED,
     RECOVERY_PAUSED,
     {VM_ON_RECOVERED, "the ended VM's domain is paused: it is ended"}},
    {VM_DESTROYED,
     VM_DESTROYED,
     RECOVERY_SHUT_OFF,
     {VM_ON_RECOVERED, "the ended VM's domain is still defined: it is removed"}},
    {VM_DESTROYED,
     VM_DESTROYED,
     RECOVERY_CRASHED,
     {VM_ON_RECOVERED, "the ended VM's domain has crashed: it is removed"}},
    {VM_DESTROYED,
     VM_DESTROYED,
     RECOVERY_LOST,
     {VM_ON_RECOVERED, "libvirt has lost the ended VM's domain, whose QEMU runs: its end is waited for"}},
};

const struct recovery_cell *recovery_find(int state, enum recovery_sight sight)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].sight == sight && state >= rows[i].first && state <= rows[i].last)
            return &rows[i].cell;
    return NULL;
}

static const char *const sight_names[RECOVERY_SIGHT_COUNT] = {
#define X(upper, text) text,
    RECOVERY_SIGHTS(X)
#undef X
};

const char *recovery_sight_name(int sight)
{
    return sight >= 0 && sight < RECOVERY_SIGHT_COUNT ? sight_names[sight] : NULL;
}
