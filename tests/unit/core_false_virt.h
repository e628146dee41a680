/*
 * A libvirt that answers when and what a test says, and a core on it in a folder of its own.
 *
 * In: the core's calls; the test's answers. Out: what was asked, in order. Kept: what is owed an answer.
 */
#ifndef KILN_TESTS_UNIT_CORE_FALSE_VIRT_H
#define KILN_TESTS_UNIT_CORE_FALSE_VIRT_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "protocol/wire.h"
#include "src/core/core.h"
#include "src/core/create.h"
#include "src/core/machine.h"
#include "src/core/object.h"
#include "src/core/reconcile.h"
#include "src/core/store.h"
#include "src/core/virt_ops.h"
#include "src/io/loop.h"
#include "tests/unit/core_loaded.h"

/* A test of many VMs makes room for what is owed to them. */
#ifndef FALSE_ASKS_MAX
#define FALSE_ASKS_MAX 64
#endif

enum { ASKS_MAX = FALSE_ASKS_MAX, LOG_MAX = 512 };

struct false_ask {
    const char *op; /* NULL: a free place */
    char about[64];
    struct virt_vm_spec spec;
    virt_answer_fn *answered;
    void *arg;
};

/* What the test sees of libvirt. */
static struct {
    bool connected;
    bool early; /* an effect was asked for before its record was durable */
    struct core *core;
    struct false_ask asks[ASKS_MAX];
    const char *log[LOG_MAX]; /* every op, in order */
    size_t nlog;
    uint8_t held[8][4]; /* of the last addresses_keep */
    size_t nheld;
    virt_console_line_fn *line;
    void *line_arg;
    const char *tail;
} false_virt;

static int ask_keep(const char *op, const char *about, const struct virt_vm_spec *spec,
                    virt_answer_fn *answered, void *arg)
{
    for (size_t i = 0; i < ASKS_MAX; i++) {
        struct false_ask *ask = &false_virt.asks[i];
        if (ask->op)
            continue;
        *ask = (struct false_ask){.op = op, .answered = answered, .arg = arg};
        snprintf(ask->about, sizeof ask->about, "%s", about);
        if (spec)
            ask->spec = *spec;
        if (false_virt.nlog < LOG_MAX)
            false_virt.log[false_virt.nlog++] = op;
        return 0;
    }
    return -ENOMEM;
}

static bool false_connected(const struct virt *virt)
{
    (void)virt;
    return false_virt.connected;
}

static int false_host(struct virt *virt, virt_answer_fn *answered, void *arg)
{
    (void)virt;
    return ask_keep("host", "", NULL, answered, arg);
}

static int false_list(struct virt *virt, virt_answer_fn *answered, void *arg)
{
    (void)virt;
    return ask_keep("list", "", NULL, answered, arg);
}

static int false_overlay(struct virt *virt, const char *uuid, const char *image, virt_answer_fn *answered,
                         void *arg)
{
    uint8_t id[VM_UUID_LEN], key[8], *bytes;
    size_t len;
    (void)virt;
    (void)image;
    const struct vm_slot *slot = core_uuid_parse(uuid, id) ? NULL : core_vm(false_virt.core, id);
    wire_put_u64(key, slot ? slot->number : 0);
    if (store_get(false_virt.core->store, STORE_VMS, key, sizeof key, &bytes, &len))
        false_virt.early = true;
    else
        free(bytes);
    return ask_keep("overlay", uuid, NULL, answered, arg);
}

#define FALSE_NAMED(op)                                                                                      \
    static int false_##op(struct virt *virt, const char *name, virt_answer_fn *answered, void *arg)          \
    {                                                                                                        \
        (void)virt;                                                                                          \
        return ask_keep(#op, name, NULL, answered, arg);                                                     \
    }
FALSE_NAMED(overlay_gone)
FALSE_NAMED(drive_gone)
FALSE_NAMED(volume_hash)
FALSE_NAMED(domain_gone)

#define FALSE_SPEC(op)                                                                                       \
    static int false_##op(struct virt *virt, const struct virt_vm_spec *spec, virt_answer_fn *answered,      \
                          void *arg)                                                                         \
    {                                                                                                        \
        (void)virt;                                                                                          \
        return ask_keep(#op, spec->uuid, spec, answered, arg);                                               \
    }
FALSE_SPEC(address)
FALSE_SPEC(address_gone)
FALSE_SPEC(domain)

static int false_addresses_keep(struct virt *virt, uint8_t (*held)[4], size_t nheld, virt_answer_fn *answered,
                                void *arg)
{
    size_t kept = nheld < 8 ? nheld : 8;
    (void)virt;
    memcpy(false_virt.held, held, kept * sizeof *held);
    false_virt.nheld = nheld;
    free(held);
    return ask_keep("addresses_keep", "", NULL, answered, arg);
}

static int false_drive(struct virt *virt, const char *drive, uint64_t size_bytes, virt_answer_fn *answered,
                       void *arg)
{
    (void)virt;
    (void)size_bytes;
    return ask_keep("drive", drive, NULL, answered, arg);
}

static int false_attached(struct virt *virt, const char *uuid, const char *drive, bool readonly,
                          virt_answer_fn *answered, void *arg)
{
    (void)virt;
    (void)uuid;
    return ask_keep(readonly ? "attach reader" : "attach writer", drive, NULL, answered, arg);
}

static int false_console(struct virt *virt, const char *uuid, virt_console_line_fn *line, void *line_arg,
                         virt_answer_fn *answered, void *arg)
{
    (void)virt;
    false_virt.line = line;
    false_virt.line_arg = line_arg;
    return ask_keep("console", uuid, NULL, answered, arg);
}

static void false_named(struct virt *virt, const char *uuid)
{
    (void)virt;
    (void)uuid;
}

static size_t false_tail(const struct virt *virt, const char *uuid, char *ret_text, size_t size)
{
    (void)virt;
    (void)uuid;
    return (size_t)snprintf(ret_text, size, "%s", false_virt.tail ? false_virt.tail : "");
}

static const struct virt_ops false_ops = {
    .is_connected = false_connected,
    .ensure_host = false_host,
    .ensure_overlay = false_overlay,
    .overlay_gone = false_overlay_gone,
    .ensure_drive = false_drive,
    .drive_gone = false_drive_gone,
    .volume_hash = false_volume_hash,
    .ensure_address = false_address,
    .address_gone = false_address_gone,
    .addresses_keep = false_addresses_keep,
    .ensure_domain = false_domain,
    .domain_gone = false_domain_gone,
    .domain_list = false_list,
    .ensure_attached = false_attached,
    .ensure_console = false_console,
    .console_tail = false_tail,
    .console_forget = false_named,
};

/* ---- a core on it ---- */

struct told {
    uint64_t first, last;
    unsigned count;
};

struct fixture {
    char folder[64];
    struct core core;
    struct core_watcher watcher;
    struct told told;
    unsigned ports_called[4]; /* assign, drives, bridges, channels */
};

#define PORT(number, name)                                                                                   \
    static inline void name(void *arg, const struct vm *vm)                                                  \
    {                                                                                                        \
        (void)vm;                                                                                            \
        ((struct fixture *)arg)->ports_called[number]++;                                                     \
    }
PORT(0, port_assign)
PORT(1, port_drives)
PORT(2, port_bridges)
PORT(3, port_channels)

static void change_told(void *arg, const struct change *change)
{
    struct told *told = arg;
    if (told->count++ == 0)
        told->first = change->history->seq;
    else
        assert_int_equal(change->history->seq, told->last + 1);
    told->last = change->history->seq;
}

static inline struct false_ask *ask_find(const char *op)
{
    for (size_t i = 0; i < ASKS_MAX; i++)
        if (false_virt.asks[i].op && strcmp(false_virt.asks[i].op, op) == 0)
            return &false_virt.asks[i];
    return NULL;
}

static inline size_t asks_of(const char *op)
{
    size_t count = 0;
    for (size_t i = 0; i < ASKS_MAX; i++)
        count += false_virt.asks[i].op && strcmp(false_virt.asks[i].op, op) == 0;
    return count;
}

/* Runs the loop until the core asks for OP. */
static inline struct false_ask *ask_wait(struct fixture *fixture, const char *op)
{
    struct false_ask *ask;
    while (!(ask = ask_find(op)))
        assert_int_equal(loop_step(fixture->core.loop, true), 0);
    return ask;
}

static inline void ask_answer(struct false_ask *ask, const struct virt_answer *answer)
{
    virt_answer_fn *answered = ask->answered;
    ask->op = NULL;
    answered(ask->arg, answer);
}

/* Waits for OP and answers it. */
static inline void answer(struct fixture *fixture, const char *op, int error)
{
    struct virt_answer said = {.error = error, .words = error ? "libvirt says no" : ""};
    memset(said.volume.sha256, 'a', VIRT_HASH_BYTES - 1);
    ask_answer(ask_wait(fixture, op), &said);
}

static inline void answer_list(struct fixture *fixture, const struct virt_domain_info *domains, size_t count)
{
    struct virt_answer said = {.words = "", .domains = domains, .ndomains = count};
    ask_answer(ask_wait(fixture, "list"), &said);
}

static inline const struct vm *vm_wait(struct fixture *fixture, const uint8_t *uuid, int state)
{
    const struct vm_slot *slot;
    while (!(slot = core_vm(&fixture->core, uuid)) || slot->vm.head.state != state)
        assert_int_equal(loop_step(fixture->core.loop, true), 0);
    return &slot->vm;
}

static inline bool is_busy(struct fixture *fixture)
{
    const struct vm_slot *slot;
    bool busy = store_waiting(fixture->core.store) || fixture->core.seq != fixture->core.told_seq;
    for (size_t i = 0; !busy && (slot = core_vm_at(&fixture->core, i)); i++)
        busy = slot->step || slot->first;
    return busy;
}

/* Takes what is ready on the loop, what the commit thread still has, and what follows from it. */
static inline void settle(struct fixture *fixture)
{
    for (int calm = 0; calm < 4; calm = is_busy(fixture) ? 0 : calm + 1)
        assert_int_equal(loop_step(fixture->core.loop, false), 0);
}

static inline void core_up(struct fixture *fixture)
{
    struct core *core = &fixture->core;
    char text[512], error[CORE_ERROR_LEN] = "";
    int len = snprintf(
        text, sizeof text,
        "{\"state_dir\":\"%s/state\",\"run_dir\":\"%s/run\",\"max_boots\":1,\"log_level\":\"error\"}",
        fixture->folder, fixture->folder);
    memset(core, 0, sizeof *core);
    assert_int_equal(config_parse("test", text, (size_t)len, &core->config, error), 0);
    assert_int_equal(loop_create(&core->loop), 0);
    core->virt_ops = &false_ops;
    core->ports = (struct core_ports){port_assign, port_drives, port_bridges, port_channels, fixture};
    memset(&false_virt, 0, sizeof false_virt);
    false_virt.core = core;
    if (core_open(core, error) || core_load_all(core, error) || core_start(core, error))
        fail_msg("%s", error);
    fixture->told = (struct told){0};
    fixture->watcher = (struct core_watcher){.changed = change_told, .arg = &fixture->told};
    core_watch(core, &fixture->watcher);
}

static inline void core_down(struct fixture *fixture)
{
    struct loop *loop = fixture->core.loop;
    core_close(&fixture->core);
    for (size_t i = 0; i < ASKS_MAX; i++)
        if (false_virt.asks[i].op)
            free(false_virt.asks[i].arg == &fixture->core ? NULL : false_virt.asks[i].arg);
    loop_destroy(loop);
    config_finish(&fixture->core.config);
}

/* libvirt comes, and shows these domains. */
static inline void virt_up(struct fixture *fixture, const struct virt_domain_info *domains, size_t count)
{
    struct virt_event back = {.kind = VIRT_EVENT_BACK, .words = ""};
    false_virt.connected = true;
    reconcile_event(&fixture->core, &back);
    answer(fixture, "host", 0);
    answer_list(fixture, domains, count);
}

static inline void object_done(void *arg, enum kiln_code code, const char *detail)
{
    (void)detail;
    *(int *)arg = (int)code;
}

static inline void brick_make(struct fixture *fixture)
{
    struct brick brick = {.name = "debian", .image = "debian.qcow2", .vcpus = 1, .memory_mib = 64};
    int code = -1;
    for (int i = 0; i < VM_STATE_COUNT; i++)
        brick.timeout_ms[i] = -1;
    assert_int_equal(brick_add(&fixture->core, &brick, "uid:0", object_done, &code), 0);
    answer(fixture, "volume_hash", 0);
    while (code == -1)
        assert_int_equal(loop_step(fixture->core.loop, true), 0);
    assert_int_equal(code, CODE_NONE);
}

static inline int fixture_setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    const uint8_t certificate[RECORD_HASH_LEN] = {7};
    strcpy(fixture->folder, "/tmp/kiln-core-XXXXXX");
    if (!mkdtemp(fixture->folder))
        return -1;
    core_up(fixture);
    virt_up(fixture, NULL, 0);
    core_edge_certificate_set(&fixture->core, certificate);
    brick_make(fixture);
    *state = fixture;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;
    char command[128];
    core_down(fixture);
    snprintf(command, sizeof command, "rm -r %s", fixture->folder);
    int rc = system(command);
    free(fixture);
    return rc;
}

/* Orders a VM of OWNER's (the same for all) with the drives; returns what create_vm says. */
static inline enum kiln_code order(struct fixture *fixture, const char *name,
                                   const struct create_drive *drives, size_t ndrives, uint8_t *ret_uuid,
                                   char *ret_detail)
{
    static const uint8_t owner[RECORD_HASH_LEN] = {1};
    struct create_order wanted = {
        .name = name, .brick = "debian", .owner = owner, .drives = drives, .ndrives = ndrives};
    return create_vm(&fixture->core, &wanted, "uid:0", NULL, NULL, ret_uuid, ret_detail);
}

static inline void make(struct fixture *fixture, const char *name, uint8_t *ret_uuid)
{
    char detail[VM_DETAIL_LEN];
    assert_int_equal(order(fixture, name, NULL, 0, ret_uuid, detail), CODE_NONE);
}

/* A VM whose domain runs. */
static inline void make_booted(struct fixture *fixture, const char *name, uint8_t *ret_uuid)
{
    make(fixture, name, ret_uuid);
    answer(fixture, "overlay", 0);
    answer(fixture, "address", 0);
    answer(fixture, "domain", 0);
    vm_wait(fixture, ret_uuid, VM_BOOTED);
    while (ask_find("console"))
        answer(fixture, "console", 0);
}

static inline struct virt_domain_info domain_of(const uint8_t *uuid, enum virt_domain_state state)
{
    struct virt_domain_info domain = {.state = state, .boot = 1};
    core_uuid_text(uuid, domain.uuid);
    return domain;
}

static inline void lifecycle(struct fixture *fixture, const uint8_t *uuid, enum virt_event_kind kind)
{
    struct virt_event event = {.kind = kind, .words = "as the test says"};
    if (uuid)
        core_uuid_text(uuid, event.uuid);
    reconcile_event(&fixture->core, &event);
}

static inline void drive_make(struct fixture *fixture, uint8_t first, struct create_drive *ret_drive)
{
    struct drive drive = {.id = {first}, .size_mib = 16, .owner = {1}};
    int code = -1;
    snprintf(drive.name, sizeof drive.name, "d%u", first);
    assert_int_equal(drive_add(&fixture->core, &drive, "uid:0", object_done, &code), 0);
    answer(fixture, "drive", 0);
    while (code == -1)
        assert_int_equal(loop_step(fixture->core.loop, true), 0);
    assert_int_equal(code, CODE_NONE);
    memcpy(ret_drive->id, drive.id, sizeof drive.id);
}

static inline void registered_and_paired(struct fixture *fixture, const uint8_t *uuid)
{
    struct vm_event registered = {.head.on = VM_ON_REGISTERED},
                    paired = {.head.on = VM_ON_PAIRED, .count = 1};
    assert_int_equal(machine_post(&fixture->core, uuid, &registered, "guest", NULL, NULL), 0);
    assert_int_equal(machine_post(&fixture->core, uuid, &paired, "guest", NULL, NULL), 0);
}

#endif
