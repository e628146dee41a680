/*
 * What is durable: see truth.h.
 */
#include "tests/sim/truth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/audit.h"
#include "src/core/core.h"
#include "tests/sim/claims.h"
#include "tests/sim/clock.h"
#include "tests/sim/coverage.h"

struct truth truth;

void truth_begin(void)
{
    memset(&truth, 0, sizeof truth);
}

struct truth_vm *truth_vm(const uint8_t uuid[VM_UUID_LEN])
{
    for (size_t i = 0; i < truth.nvms; i++)
        if (memcmp(truth.vms[i].vm.uuid, uuid, VM_UUID_LEN) == 0)
            return &truth.vms[i];
    return NULL;
}

static struct truth_vm *vm_of(const struct disk_entry *entry)
{
    for (size_t i = 0; i < truth.nvms; i++)
        if (memcmp(truth.vms[i].key, entry->key, sizeof truth.vms[i].key) == 0)
            return &truth.vms[i];
    return NULL;
}

struct truth_drive *truth_drive(const uint8_t id[VM_UUID_LEN])
{
    for (size_t i = 0; i < truth.ndrives; i++)
        if (memcmp(truth.drives[i].drive.id, id, VM_UUID_LEN) == 0)
            return &truth.drives[i];
    return NULL;
}

static void vm_put(const struct disk_entry *entry)
{
    struct vm vm;
    uint64_t seq;
    if (record_vm_decode(entry->value, entry->value_len, &vm, &seq)) {
        claim_broken("durable", "a VM's record cannot be read");
        return;
    }
    struct truth_vm *known = truth_vm(vm.uuid);
    if (!known && truth.nvms == TRUTH_VMS)
        abort();
    if (!known)
        known = &truth.vms[truth.nvms++];
    if (known->there && known->vm.head.state == VM_DESTROYED && vm.head.state != VM_DESTROYED)
        claim_broken("final", "VM %s came back from destroyed", vm.name);
    if (known->there &&
        (known->vm.head.state != vm.head.state || known->vm.head.deadline_at_ms != vm.head.deadline_at_ms))
        known->overdue_us = 0;
    if (known->there && known->vm.head.state != VM_DESTROYED && vm.head.state == VM_DESTROYED)
        claims_destroyed(known, &vm);
    if (!known->there || known->vm.head.state != vm.head.state)
        known->entered_us = clock_us();
    if (known->there && memcmp(known->key, entry->key, sizeof known->key) != 0)
        claim_broken("durable", "VM %s has more records than one", vm.name);
    memcpy(known->key, entry->key, sizeof known->key);
    known->vm = vm;
    known->there = true;
}

static void drive_put(const struct disk_entry *entry)
{
    struct drive drive;
    if (record_drive_decode(entry->value, entry->value_len, &drive)) {
        claim_broken("durable", "a drive's record cannot be read");
        return;
    }
    free(drive.envelopes);
    drive.envelopes = NULL;
    struct truth_drive *known = truth_drive(drive.id);
    if (!known && truth.ndrives == TRUTH_DRIVES)
        abort();
    if (!known)
        known = &truth.drives[truth.ndrives++];
    known->drive = drive;
    known->there = true;
}

void truth_transaction_end(void)
{
    if (truth.unaudited)
        claim_broken("audited", "change %llu is durable, and not its entry in the audit",
                     (unsigned long long)truth.change.seq);
    truth.unaudited = false;
}

static void history_put(const struct disk_entry *entry)
{
    struct history history;
    truth_transaction_end();
    if (record_history_decode(entry->value, entry->value_len, &history)) {
        claim_broken("durable", "a history entry cannot be read");
        return;
    }
    if (history.seq != truth.change_seq + 1)
        claim_broken("history", "change %llu follows on %llu", (unsigned long long)history.seq,
                     (unsigned long long)truth.change_seq);
    truth.change_seq = history.seq;
    struct truth_vm *known = truth_vm(history.vm);
    if (!known || history.previous != known->last_seq)
        claim_broken("history", "change %llu names %llu as the one before it",
                     (unsigned long long)history.seq, (unsigned long long)history.previous);
    if (known)
        known->last_seq = history.seq;
    truth.change = history;
    truth.unaudited = true;
    if (history.from >= 0)
        coverage_vm(history.from, history.event, history.story);
}

static bool is_same(const char *said, const char *wanted)
{
    return strcmp(said, wanted ? wanted : "") == 0;
}

/* Who did what to which VM, from where to where, why and when. */
static bool tells_of(const struct audit_entry *audit, const struct history *change)
{
    char what[VM_NAME_LEN], uuid[VIRT_UUID_BYTES];
    const char *event = vm_event_name(change->event);
    snprintf(what, sizeof what, "vm.%s", event ? event : "create");
    core_uuid_text(change->vm, uuid);
    return audit->at_ms == change->at_ms && is_same(audit->actor, change->actor) &&
           is_same(audit->what, what) && is_same(audit->object, uuid) &&
           is_same(audit->from, vm_state_name(change->from)) &&
           is_same(audit->to, vm_state_name(change->to)) && is_same(audit->story, change->story);
}

static void audit_put(const struct disk_entry *entry)
{
    struct audit_entry audit;
    if (record_audit_decode(entry->value, entry->value_len, &audit) || audit.seq != truth.audit_seq + 1 ||
        memcmp(audit.previous, truth.audit_hash, sizeof audit.previous) != 0) {
        claim_broken("audit", "the entry after %llu does not follow on it",
                     (unsigned long long)truth.audit_seq);
        return;
    }
    truth.audit_seq = audit.seq;
    audit_hash(&audit, truth.audit_hash);
    truth.unaudited = truth.unaudited && !tells_of(&audit, &truth.change);
}

void truth_put(enum store_database database, const struct disk_entry *entry)
{
    truth.changed = true;
    if (database == STORE_VMS)
        vm_put(entry);
    else if (database == STORE_DRIVES)
        drive_put(entry);
    else if (database == STORE_CHANGES)
        history_put(entry);
    else if (database == STORE_AUDIT)
        audit_put(entry);
}

void truth_delete(enum store_database database, const struct disk_entry *entry)
{
    struct truth_vm *vm = database == STORE_VMS ? vm_of(entry) : NULL;
    struct truth_drive *drive = database == STORE_DRIVES ? truth_drive(entry->key) : NULL;
    truth.changed = true;
    if (vm)
        vm->there = false;
    if (drive)
        drive->there = false;
    if (database == STORE_AUDIT || database == STORE_CHANGES)
        claim_broken("audit", "something of the past was deleted");
}
