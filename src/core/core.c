/*
 * Core: opening, starting, reloading and closing what kilnd's files share. See core.h.
 */
#include "src/core/core.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/wire.h"
#include "src/core/deadline.h"
#include "src/core/file.h"
#include "src/core/identity.h"
#include "src/core/machine.h"
#include "src/core/network.h"
#include "src/core/object.h"
#include "src/core/perform.h"
#include "src/core/reconcile.h"
#include "src/core/store.h"
#include "src/core/virt_ops.h"
#include "src/io/log.h"
#include "src/io/loop.h"

enum {
    STALL_LOOK_MS = 20, /* how often the loop is looked at: a stall may have begun so long before */
    STALL_MS = 100,     /* a turn longer than that is a stall */
    CLOSE_MS = 5000      /* how long the end may take: what is told asks for more */
};

/* Where the libvirtd of a host keeps a pid file for each domain that runs. */
#define LIBVIRT_SYSTEM "qemu:///system"
#define LIBVIRT_PROCESSES "/run/libvirt/qemu"

int core_fail(char error[static CORE_ERROR_LEN], int code, const char *what)
{
    snprintf(error, CORE_ERROR_LEN, "%.200s: %s", what, strerror(-code));
    return code;
}

/* ---- open ---- */

static int folders_make(const struct core *core, char error[static CORE_ERROR_LEN])
{
    char boot[4096];
    snprintf(boot, sizeof boot, "%s/boot", core->config.run_dir);
    int rc = file_folder(core->config.state_dir, 0700);
    if (rc)
        return core_fail(error, rc, core->config.state_dir);
    rc = file_folder(core->config.run_dir, 0755);
    if (rc)
        return core_fail(error, rc, core->config.run_dir);
    /* QEMU's user passes through to the one file that it is given. */
    rc = file_folder(boot, 0711);
    return rc ? core_fail(error, rc, boot) : 0;
}

static int identity_load(struct core *core, char error[static CORE_ERROR_LEN])
{
    char path[4096];
    snprintf(path, sizeof path, "%s/identity", core->config.state_dir);
    int rc = identity_open(path, &core->identity);
    return rc ? core_fail(error, rc, path) : 0;
}

static void stall_look(void *arg)
{
    struct core *core = arg;
    int64_t now_ms = loop_monotonic_ms();
    int64_t late_ms = now_ms - core->stall_due_ms;
    if (core->stall_due_ms && late_ms > STALL_MS) {
        core->stalls++;
        log_warning("loop", "stalled", "ms=%lld", (long long)late_ms);
    }
    deadline_look(core);
    core->stall_due_ms = now_ms + STALL_LOOK_MS;
    loop_timer_arm(core->stall_timer, STALL_LOOK_MS);
}

static int parts_create(struct core *core, char error[static CORE_ERROR_LEN])
{
    _Static_assert(offsetof(struct vm, uuid) == offsetof(struct vm, name) + VM_NAME_LEN, "one key");
    index_init(&core->vms, offsetof(struct vm_slot, vm.uuid), VM_UUID_LEN);
    index_init(&core->names, offsetof(struct vm_slot, vm.name), VM_NAME_LEN + VM_UUID_LEN);
    object_init(core);
    int rc = network_init(&core->network, &core->config);
    if (!rc)
        rc = machine_create(core);
    if (!rc)
        rc = perform_create(core);
    if (!rc)
        rc = reconcile_create(core);
    if (!rc)
        rc = loop_timer_create(core->loop, stall_look, core, &core->stall_timer);
    return rc ? core_fail(error, rc, "starting") : 0;
}

int core_open(struct core *core, char error[static CORE_ERROR_LEN])
{
    char path[4096], words[STORE_ERROR_LEN];
    core->started_at_ms = loop_wall_ms();
    if (!core->virt_ops)
        core->virt_ops = &virt_ops_libvirt;
    int rc = folders_make(core, error);
    if (!rc && (rc = deadline_begin(core)))
        return core_fail(error, rc, "the host's boot id");
    if (!rc)
        rc = identity_load(core, error);
    if (!rc)
        rc = parts_create(core, error);
    if (rc)
        return rc;
    snprintf(path, sizeof path, "%s/store", core->config.state_dir);
    rc = store_claim(path, core->loop, &core->store, words);
    if (rc)
        snprintf(error, CORE_ERROR_LEN, "%s", words);
    return rc;
}

/* ---- start ---- */

static int virt_config_fill(const struct core *core, struct virt_config *ret_config)
{
    const struct config *config = &core->config;
    char host[CONFIG_HOST_MAX];
    *ret_config =
        (struct virt_config){.domain_type = config->domain_type == CONFIG_DOMAIN_KVM    ? VIRT_TYPE_KVM
                                            : config->domain_type == CONFIG_DOMAIN_QEMU ? VIRT_TYPE_QEMU
                                                                                        : VIRT_TYPE_AUTO};
    if ((size_t)snprintf(ret_config->uri, sizeof ret_config->uri, "%s", config->libvirt_uri) >=
            sizeof ret_config->uri ||
        (size_t)snprintf(ret_config->pool, sizeof ret_config->pool, "%s", config->pool) >=
            sizeof ret_config->pool ||
        (size_t)snprintf(ret_config->pool_path, sizeof ret_config->pool_path, "%s", config->pool_path) >=
            sizeof ret_config->pool_path ||
        (size_t)snprintf(ret_config->network, sizeof ret_config->network, "%s", config->network.name) >=
            sizeof ret_config->network ||
        (size_t)snprintf(ret_config->bridge, sizeof ret_config->bridge, "%s", config->network.bridge) >=
            sizeof ret_config->bridge)
        return -ENAMETOOLONG;
    if (network_host(config, ret_config->host_address, ret_config->netmask))
        return -EINVAL;
    /* Of another libvirt's processes nothing can be seen from here. */
    if (strcmp(config->libvirt_uri, LIBVIRT_SYSTEM) == 0)
        strcpy(ret_config->process_folder, LIBVIRT_PROCESSES);
    return config_split_address(config->guest_listen, host, &ret_config->guest_port);
}

int core_start(struct core *core, char error[static CORE_ERROR_LEN])
{
    struct virt_config config;
    int rc = virt_config_fill(core, &config);
    if (rc)
        return core_fail(error, rc, "network.subnet, guest_listen or a name in the configuration");
    if (core->virt_ops == &virt_ops_libvirt &&
        (rc = virt_create(core->loop, &config, reconcile_event, core, &core->virt)))
        return core_fail(error, rc, "libvirt");
    machine_start(core);
    reconcile_begin(core);
    stall_look(core);
    log_info("core", "records are loaded", "vms=%zu users=%zu bricks=%zu drives=%zu", core->vms.count,
             core->users.count, core->bricks.count, core->drives.count);
    return 0;
}

/* ---- close ---- */

/* Lets what is committed become durable and be told, so that nobody is owed a word. */
static void commits_end(struct core *core)
{
    int64_t end_ms = loop_monotonic_ms() + CLOSE_MS;
    int rc = 0;
    while (!rc && loop_monotonic_ms() < end_ms && store_waiting(core->store) && !store_error(core->store))
        rc = loop_step(core->loop, true);
    loop_step(core->loop, false);
}

void core_close(struct core *core)
{
    core_load_end(core);
    if (core->store)
        commits_end(core);
    /* Answers that are owed come now, and ask nothing more: what they say is found again at the next
     * start. */
    virt_destroy(core->virt);
    core->virt = NULL;
    store_close(core->store);
    core->store = NULL;
    machine_destroy(core);
    reconcile_destroy(core);
    perform_destroy(core);
    if (core->stall_timer)
        loop_timer_destroy(core->stall_timer);
    core->stall_timer = NULL;
    object_finish(core);
    index_finish(&core->vms);
    index_finish(&core->names);
    network_finish(&core->network);
    identity_close(core->identity);
    core->identity = NULL;
}

/* ---- reload ---- */

static void restart_say(const char *key, const char *now, const char *wanted)
{
    if (now && wanted && strcmp(now, wanted) != 0)
        log_warning("config", "a changed value needs a restart", "key=%s now=%s wanted=%s", key, now, wanted);
}

static void restarts_say(const struct config *now, const struct config *wanted)
{
    restart_say("state_dir", now->state_dir, wanted->state_dir);
    restart_say("run_dir", now->run_dir, wanted->run_dir);
    restart_say("libvirt_uri", now->libvirt_uri, wanted->libvirt_uri);
    restart_say("pool", now->pool, wanted->pool);
    restart_say("pool_path", now->pool_path, wanted->pool_path);
    restart_say("network.name", now->network.name, wanted->network.name);
    restart_say("network.bridge", now->network.bridge, wanted->network.bridge);
    restart_say("network.subnet", now->network.subnet, wanted->network.subnet);
    restart_say("release_dir", now->release_dir, wanted->release_dir);
    restart_say("guest_listen", now->guest_listen, wanted->guest_listen);
    restart_say("bridge_listen", now->bridge_listen, wanted->bridge_listen);
}

int core_reload(struct core *core, char error[static CONFIG_ERROR_MAX])
{
    struct config wanted;
    enum log_level level;
    int rc = config_load(core->config_path, &wanted, error);
    if (rc)
        return rc;
    restarts_say(&core->config, &wanted);
    core->config.deadlines = wanted.deadlines;
    core->config.retention_s = wanted.retention_s;
    core->config.orphans = wanted.orphans;
    core->config.orphan_grace_s = wanted.orphan_grace_s;
    core->config.max_boots = wanted.max_boots;
    core->config.edge_absent_s = wanted.edge_absent_s;
    core->config.noperators = wanted.noperators;
    memcpy(core->config.operators, wanted.operators, sizeof wanted.operators);
    if (log_level_parse(wanted.log_level, &level) == 0)
        log_set_level(level);
    config_finish(&wanted);
    releases_look(core);
    perform_wake(core);
    log_info("config", "read again", "path=%s", core->config_path);
    return 0;
}

/* ---- the edge's certificate ---- */

void core_edge_certificate_set(struct core *core, const uint8_t fingerprint[static RECORD_HASH_LEN])
{
    struct store_batch *batch;
    bool same = core->edge_certificate_known &&
                memcmp(core->edge_certificate, fingerprint, sizeof core->edge_certificate) == 0;
    memcpy(core->edge_certificate, fingerprint, sizeof core->edge_certificate);
    core->edge_certificate_known = true;
    /* What cannot be kept is said again at the edge's next hello. */
    if (!same && store_batch_create(core->store, &batch) == 0) {
        store_put(batch, STORE_META, CORE_EDGE_KEY, strlen(CORE_EDGE_KEY), fingerprint, RECORD_HASH_LEN);
        store_commit(batch, NULL, NULL);
    }
    perform_wake(core);
}

uint64_t core_assignment_next(struct core *core)
{
    return ++core->assignment;
}
