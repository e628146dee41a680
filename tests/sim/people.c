/*
 * Owners and operators: see people.h.
 */
#include "tests/sim/people.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/crypto.h"
#include "src/core/create.h"
#include "src/core/machine.h"
#include "src/core/object.h"
#include "src/core/store.h"
#include "src/io/random.h"
#include "tests/sim/box.h"
#include "tests/sim/clock.h"
#include "tests/sim/edge.h"
#include "tests/sim/false_parts.h"
#include "tests/sim/host.h"
#include "tests/sim/hypervisor.h"
#include "tests/sim/plan.h"
#include "tests/sim/truth.h"

enum {
    LOOK_US = 1500000,
    PATIENT_US = 4000000,
    ASK_AGAIN_US = 10000000,
    LEAVE_US = 150000,
    SESSIONS_MAX = 3
};

static struct user users[PLAN_OWNERS];

struct person {
    int index;
    const struct plan_vm *plan; /* borrowed */
    int owner;                  /* -1: nobody */
    bool ordered, wants_end, force, again;
    uint8_t id[VM_UUID_LEN];
    int64_t away_until_us, bridge_until_us, asked_us;
};

static struct person people[PLAN_VMS];
static unsigned npeople;

/* ---- objects ---- */

static void drive_name(int number, uint8_t ret_id[VM_UUID_LEN], char ret_name[VM_NAME_LEN])
{
    memset(ret_id, 0, VM_UUID_LEN);
    ret_id[0] = 0xd0;
    ret_id[1] = (uint8_t)number;
    snprintf(ret_name, VM_NAME_LEN, "drive-%d", number);
}

/* Everyone has an envelope for every drive: who may see what is not tried here. */
static void drive_order(int number)
{
    struct envelope envelopes[PLAN_OWNERS];
    struct drive *drive = calloc(1, sizeof *drive);
    if (!drive)
        abort();
    memset(envelopes, 0, sizeof envelopes);
    for (int i = 0; i < PLAN_OWNERS; i++) {
        memcpy(envelopes[i].user, users[i].fingerprint, sizeof envelopes[i].user);
        envelopes[i].len_bytes = 8;
    }
    drive_name(number, drive->id, drive->name);
    drive->size_mib = 16;
    memcpy(drive->owner, users[0].fingerprint, sizeof drive->owner);
    drive->envelopes = envelopes;
    drive->nenvelopes = PLAN_OWNERS;
    drive_add(host_core(), drive, "uid:0", NULL, NULL);
    free(drive);
}

static void user_order(int number)
{
    struct user *user = &users[number];
    *user = (struct user){.role = USER_OWNER};
    snprintf(user->name, sizeof user->name, "owner-%d", number);
    user->spki_len_bytes = (uint16_t)false_public_key(user->spki);
    crypto_fingerprint(user->spki, user->spki_len_bytes, user->fingerprint);
    user_add(host_core(), user, "uid:0", NULL, NULL);
}

static void brick_order(const char *name, bool applications)
{
    struct brick brick = {.image = "image.qcow2", .vcpus = 1, .memory_mib = 64, .applications = applications};
    snprintf(brick.name, sizeof brick.name, "%s", name);
    for (int state = 0; state < VM_STATE_COUNT; state++)
        brick.timeout_ms[state] = -1;
    brick_add(host_core(), &brick, "uid:0", NULL, NULL);
}

void people_order_objects(void)
{
    for (int i = 0; i < PLAN_OWNERS; i++)
        user_order(i);
    for (int i = 0; i < PLAN_DRIVES; i++)
        drive_order(i);
    brick_order("plain", false);
    brick_order("apps", true);
}

bool people_have_objects(void)
{
    bool here = truth.ndrives == PLAN_DRIVES && disk_table(STORE_BRICKS)->count == 2;
    for (size_t i = 0; i < truth.ndrives; i++)
        here = here && truth.drives[i].drive.state == DRIVE_HERE;
    return here;
}

/* ---- orders ---- */

static bool can_ask(void)
{
    return host_up() && store_error(host_core()->store) == 0;
}

static void vm_order(struct person *person)
{
    struct create_drive drives[PLAN_VM_DRIVES];
    char name[VM_NAME_LEN], detail[VM_DETAIL_LEN];
    memset(drives, 0, sizeof drives);
    for (unsigned i = 0; i < person->plan->ndrives; i++) {
        drive_name(person->plan->drives[i], drives[i].id, name);
        drives[i].mode = person->plan->writes[i] ? VM_DRIVE_WRITER : VM_DRIVE_READER;
    }
    snprintf(name, sizeof name, "vm-%d", person->index);
    const struct vm_slot *there = core_vm_search(host_core(), name);
    struct create_order order = {.name = name,
                                 .brick = person->plan->applications ? "apps" : "plain",
                                 .owner = person->owner < 0 ? NULL : users[person->owner].fingerprint,
                                 .drives = drives,
                                 .ndrives = person->owner < 0 ? 0 : person->plan->ndrives};
    if (there) {
        memcpy(person->id, there->vm.uuid, sizeof person->id);
        person->ordered = true;
    } else if (!person->wants_end) {
        create_vm(host_core(), &order, "uid:0", NULL, NULL, person->id, detail);
    }
}

static void end_post(void *arg)
{
    const struct person *person = arg;
    struct vm_event event = {.head.on = VM_ON_DESTROY_ASKED, .destroy.force = person->force};
    strcpy(event.destroy.by, "uid:0");
    if (can_ask())
        machine_post(host_core(), person->id, &event, "uid:0", NULL, NULL);
}

/* Whoever destroys a VM may leave it first. */
static void end_ask(struct person *person)
{
    if (person->asked_us && clock_us() - person->asked_us < ASK_AGAIN_US)
        return;
    person->asked_us = clock_us();
    if (chance(CHANCE_PERSON, 3) == 0)
        edge_channels_leave(person->id);
    clock_after(chance_delay_us(CHANCE_PERSON, LEAVE_US), end_post, person, NULL);
}

/* ---- at a guest ---- */

static void keys_send(struct person *person, struct box *box)
{
    const struct guest_drives drives = box->controller->machine.drives;
    if (person->asked_us && clock_us() - person->asked_us < PATIENT_US)
        return;
    for (int i = 0; i < drives.count; i++) {
        const struct guest_drive *drive = &drives.drive[i];
        if (drive->status != GUEST_DRIVE_TOLD && drive->status != GUEST_DRIVE_FAILED)
            continue;
        person->asked_us = clock_us();
        controller_happen_drive(box->controller, GUEST_ON_UNLOCK_ASKED, drive->id, CODE_NONE, "");
    }
}

/* What is done in a VM that is ready: also a wrong database, a key once more, a drive that fails by itself.
 */
static void ready_use(struct box *box)
{
    struct controller *controller = box->controller;
    const struct guest_drives *drives = &controller->machine.drives;
    const uint8_t *drive = drives->count ? drives->drive[chance(CHANCE_PERSON, drives->count)].id : NULL;
    uint64_t wish = chance(CHANCE_PERSON, 64);
    if (wish == 0)
        controller_happen_plain(controller, GUEST_ON_SSH_ASKED);
    else if (wish == 1)
        controller_happen_plain(controller, GUEST_ON_TERMINAL_ASKED);
    else if (wish == 2) {
        box->users_fail += chance(CHANCE_PERSON, 2) == 0;
        controller_happen_plain(controller, GUEST_ON_USERS_ASKED);
    } else if (wish == 3 && drive)
        controller_happen_drive(controller, GUEST_ON_UNLOCK_ASKED, drive, CODE_NONE, "");
    else if (wish == 4 && drive)
        controller_happen_drive(controller, GUEST_ON_DRIVE_FAILED, drive, CODE_DRIVE_MOUNT_FAILED,
                                "it broke");
}

static void guest_use(struct box *box)
{
    struct controller *controller = box->controller;
    bool troubled = controller->machine.code == CODE_USERS_MALFORMED;
    if (controller->machine.head.state == GUEST_UNLOCKING && troubled)
        controller_happen_plain(controller, GUEST_ON_USERS_ASKED);
    else if (controller->machine.head.state == GUEST_READY)
        ready_use(box);
}

static bool a_drive_failed(const struct vm *vm)
{
    for (int i = 0; i < vm->drives; i++)
        if (vm->drive[i].status == VM_DRIVE_FAILED && !vm->drive[i].attached)
            return true;
    return false;
}

static void bridge_use(const struct person *person, const struct vm *vm)
{
    bool wanted = clock_us() < person->bridge_until_us;
    if (wanted && vm_bridge_allowed(vm) && edge_bridges(person->id) < 2)
        edge_bridge_open(person->id, users[person->owner].fingerprint);
    else if (!wanted && edge_bridges(person->id))
        edge_bridge_close(person->id);
}

static void owner_come(struct person *person, const struct vm *vm)
{
    unsigned sessions = edge_channels(person->id);
    const struct hypervisor_domain *domain = hypervisor_find(person->id);
    struct box *box = domain && domain->info.state == VIRT_DOMAIN_RUNNING ? domain->box : NULL;
    bool stuck = vm->head.state == VM_PAIRED && a_drive_failed(vm) && chance(CHANCE_PERSON, 4) == 0;
    if (stuck && sessions == SESSIONS_MAX)
        edge_channels_leave(person->id);
    else if (sessions == 0 || ((stuck || person->again) && sessions < SESSIONS_MAX))
        edge_channel_open(person->id, users[person->owner].fingerprint);
    person->again = false;
    if (sessions && box && box->controller && box->controller->channels->count) {
        keys_send(person, box);
        if (box->controller)
            guest_use(box);
    }
    bridge_use(person, vm);
}

static void look(struct person *person)
{
    const struct vm_slot *slot = can_ask() && person->ordered ? core_vm(host_core(), person->id) : NULL;
    const struct truth_vm *known = person->ordered ? truth_vm(person->id) : NULL;
    if (known && (!known->there || known->vm.head.state == VM_DESTROYED))
        return;
    if (can_ask() && !person->ordered)
        vm_order(person);
    else if (slot && person->wants_end)
        end_ask(person);
    else if (slot && slot->vm.assigned && person->owner >= 0 && clock_us() >= person->away_until_us)
        owner_come(person, &slot->vm);
}

static void look_again(void *arg)
{
    look(arg);
    clock_after(chance_delay_us(CHANCE_PERSON, LOOK_US), look_again, arg, NULL);
}

void people_begin(const struct plan *plan)
{
    memset(people, 0, sizeof people);
    npeople = plan->nvms;
    for (unsigned i = 0; i < npeople; i++) {
        people[i] = (struct person){.index = (int)i, .plan = &plan->vms[i], .owner = plan->vms[i].owner};
        if (plan->vms[i].loses_owner)
            people[i].away_until_us = INT64_MAX;
        clock_after(plan->vms[i].at_ms * MS, look_again, &people[i], NULL);
    }
}

/* ---- what the plan says ---- */

int people_index(const char *name)
{
    int index;
    return sscanf(name, "vm-%d", &index) == 1 && index >= 0 && index < (int)npeople ? index : -1;
}

const uint8_t *people_vm(int index)
{
    return index < (int)npeople && people[index].ordered ? people[index].id : NULL;
}

bool people_come(int index)
{
    return !people[index].plan->loses_owner;
}

void people_leave(int index, int64_t for_us)
{
    people[index].away_until_us = clock_us() + for_us;
    if (people[index].ordered)
        edge_channels_leave(people[index].id);
}

void people_come_again(int index)
{
    people[index].again = true;
}

void people_assign(int index, int owner)
{
    struct person *person = &people[index];
    struct vm_event event = {.head.on = VM_ON_ASSIGN};
    const struct vm_slot *slot = can_ask() && person->ordered ? core_vm(host_core(), person->id) : NULL;
    if (!slot || slot->vm.assigned)
        return;
    person->owner = owner;
    memcpy(event.owner.fingerprint, users[owner].fingerprint, sizeof event.owner.fingerprint);
    event.owner.assignment_number = core_assignment_next(host_core());
    machine_post(host_core(), person->id, &event, "uid:0", NULL, NULL);
}

void people_bridge(int index, int64_t for_us)
{
    people[index].bridge_until_us = clock_us() + for_us;
}

void people_destroy(int index, bool force)
{
    people[index].wants_end = true;
    people[index].force = force;
    people[index].asked_us = 0;
}

void people_drive_add(int number)
{
    if (can_ask())
        drive_order(PLAN_DRIVES + number);
}

void people_drive_remove(int number)
{
    uint8_t id[VM_UUID_LEN];
    char name[VM_NAME_LEN];
    drive_name(PLAN_DRIVES + number, id, name);
    if (can_ask())
        drive_remove(host_core(), id, "uid:0", NULL, NULL);
}

void people_return(void)
{
    for (unsigned i = 0; i < npeople; i++)
        if (!people[i].plan->loses_owner)
            people[i].away_until_us = 0;
}

void people_destroy_all(void)
{
    for (unsigned i = 0; i < npeople; i++) {
        people_destroy((int)i, i & 1);
        /* One that is destroyed already may be asked for once more. */
        if (people[i].ordered && chance(CHANCE_PERSON, 4) == 0)
            end_post(&people[i]);
    }
}
