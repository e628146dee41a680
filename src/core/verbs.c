/*
 * Verbs: makes their parts and joins them to core. verbs.h says what they are.
 */
#include "src/core/verbs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/bridges.h"
#include "src/core/challenge.h"
#include "src/core/control.h"
#include "src/core/edge_link.h"
#include "src/core/events.h"
#include "src/core/guest_link.h"
#include "src/core/owner_api.h"
#include "src/core/owner_events.h"
#include "src/core/replay.h"
#include "src/core/session.h"
#include "src/core/ticket.h"

static void guest_assign(void *arg, const struct vm *vm)
{
    guest_links_assign(((struct verbs *)arg)->links, vm);
}

static void guest_tell_drives(void *arg, const struct vm *vm)
{
    guest_links_tell_drives(((struct verbs *)arg)->links, vm);
}

static void bridges_close(void *arg, const struct vm *vm)
{
    struct verbs *verbs = arg;
    tickets_revoke_vm(verbs->tickets, vm->uuid);
    edge_close_relays(verbs->edge, vm->uuid, "bridge");
}

static void channels_close(void *arg, const struct vm *vm)
{
    struct verbs *verbs = arg;
    guest_links_shutdown(verbs->links, vm);
    edge_close_relays(verbs->edge, vm->uuid, "channel");
}

static int make_tables(struct verbs *verbs)
{
    int error = sessions_create(&verbs->sessions);
    if (!error)
        error = tickets_create(&verbs->tickets);
    if (!error)
        error = challenges_create(&verbs->challenges);
    return error;
}

static int make_parts(struct verbs *verbs)
{
    int error = events_create(verbs->core, &verbs->events);
    if (!error)
        error = owner_api_create(verbs, &verbs->owner_api);
    if (!error)
        error = owner_events_create(verbs, &verbs->owner_events);
    if (!error)
        error = bridges_create(verbs, &verbs->bridges);
    if (!error)
        error = guest_links_create(verbs, &verbs->links);
    return error;
}

static int open_sockets(struct verbs *verbs)
{
    char path[256];
    const char *folder = verbs->core->config.run_dir;
    if (strlen(folder) > sizeof path - sizeof "/control.sock")
        return -ENAMETOOLONG;
    snprintf(path, sizeof path, "%s/edge.sock", folder);
    int error = edge_link_create(verbs, path, &verbs->edge);
    snprintf(path, sizeof path, "%s/control.sock", folder);
    return error ? error : control_create(verbs, path, &verbs->control);
}

int verbs_start(struct core *core, struct verbs **ret_verbs, char error[static CORE_ERROR_LEN])
{
    struct verbs *verbs = calloc(1, sizeof *verbs);
    int rc = verbs ? 0 : -ENOMEM;
    if (verbs) {
        verbs->core = core;
        rc = make_tables(verbs);
        if (!rc)
            rc = make_parts(verbs);
        if (!rc)
            rc = open_sockets(verbs);
    }
    if (rc) {
        snprintf(error, CORE_ERROR_LEN, "sockets in %s: %s", core->config.run_dir, strerror(-rc));
        verbs_stop(verbs);
        verbs_destroy(verbs);
        return rc;
    }
    core->ports = (struct core_ports){guest_assign, guest_tell_drives, bridges_close, channels_close, verbs};
    *ret_verbs = verbs;
    return 0;
}

int verbs_serve(struct verbs *verbs, char error[static CORE_ERROR_LEN])
{
    int rc = replay_create(verbs->core->store, &verbs->replay);
    if (rc) {
        snprintf(error, CORE_ERROR_LEN, "the requests that were seen: %s", strerror(-rc));
        return rc;
    }
    verbs->serves = true;
    edge_link_serve(verbs->edge);
    control_serve(verbs->control);
    return 0;
}

static void say_nothing(void *arg, const struct vm *vm)
{
    (void)arg;
    (void)vm;
}

int verbs_reload(struct verbs *verbs, char error[static CONFIG_ERROR_MAX])
{
    int rc = core_reload(verbs->core, error);
    if (!rc)
        guest_links_announce_update(verbs->links);
    return rc;
}

void verbs_stop(struct verbs *verbs)
{
    if (!verbs)
        return;
    verbs->core->ports = (struct core_ports){say_nothing, say_nothing, say_nothing, say_nothing, NULL};
    control_destroy(verbs->control);
    verbs->control = NULL;
    edge_link_destroy(verbs->edge);
    verbs->edge = NULL;
}

void verbs_destroy(struct verbs *verbs)
{
    if (!verbs)
        return;
    guest_links_destroy(verbs->links);
    bridges_destroy(verbs->bridges);
    owner_events_destroy(verbs->owner_events);
    owner_api_destroy(verbs->owner_api);
    events_destroy(verbs->events);
    replay_destroy(verbs->replay);
    challenges_destroy(verbs->challenges);
    tickets_destroy(verbs->tickets);
    sessions_destroy(verbs->sessions);
    free(verbs);
}
