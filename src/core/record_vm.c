/*
 * Records: the VM's. Its state goes by name, so that a later order of states reads it right.
 */
#include <errno.h>
#include <string.h>

#include "src/core/record.h"
#include "src/core/tlv.h"

#define VM(tag, kind, member) TLV_MEMBER(tag, kind, struct vm, member)
static const struct tlv_member vm_members[] = {
    VM(16, TLV_NUMBER, head.changes),
    VM(17, TLV_NUMBER, head.entered_at_ms),
    VM(18, TLV_NUMBER, head.deadline_at_ms),
    VM(19, TLV_TEXT, head.story),
    VM(20, TLV_BYTES, uuid),
    VM(21, TLV_TEXT, name),
    VM(22, TLV_TEXT, brick),
    VM(23, TLV_BYTES, brick_hash),
    VM(24, TLV_NUMBER, vcpus),
    VM(25, TLV_NUMBER, memory_mib),
    VM(26, TLV_BOOL, offers_applications),
    VM(27, TLV_BYTES, mac),
    VM(28, TLV_BYTES, ipv4),
    VM(29, TLV_NUMBER, boots_max),
    VM(30, TLV_NUMBER, created_at_ms),
    VM(31, TLV_BOOL, assigned),
    VM(32, TLV_BYTES, owner),
    VM(33, TLV_NUMBER, assignment_number),
    VM(34, TLV_NUMBER, boot_number),
    VM(35, TLV_BOOL, registered),
    VM(36, TLV_BOOL, link_up),
    VM(37, TLV_BOOL, unreachable),
    VM(38, TLV_BOOL, paused),
    VM(39, TLV_NUMBER, channels),
    VM(40, TLV_NUMBER, bridges),
    VM(41, TLV_TEXT, guest_state),
    VM(42, TLV_NUMBER, code),
    VM(43, TLV_TEXT, detail),
    VM(44, TLV_TEXT, destroyed_by),
    VM(45, TLV_BOOL, forced),
    VM(46, TLV_BOOL, retention_over),
    VM(47, TLV_NUMBER, gone),
    VM(48, TLV_NUMBER, clock_boot),
    VM(49, TLV_NUMBER, clock_ahead_ms),
};
const struct tlv_table record_vm_table = {vm_members, TLV_COUNT(vm_members)};

#define REGISTRATION(tag, kind, member) TLV_MEMBER(tag, kind, struct vm_registration, member)
static const struct tlv_member registration_members[] = {
    REGISTRATION(16, TLV_BYTES, request_hash),    REGISTRATION(17, TLV_BYTES, nonce_v),
    REGISTRATION(18, TLV_BYTES, manifest_hash),   REGISTRATION(19, TLV_BYTES, config_hash),
    REGISTRATION(20, TLV_BYTES, key_fingerprint), REGISTRATION(21, TLV_TEXT, version),
};
const struct tlv_table record_registration_table = {registration_members, TLV_COUNT(registration_members)};

#define DRIVE(tag, kind, member) TLV_MEMBER(tag, kind, struct vm_drive, member)
static const struct tlv_member drive_members[] = {
    DRIVE(16, TLV_BYTES, id),    DRIVE(17, TLV_TEXT, name),     DRIVE(18, TLV_TEXT, serial),
    DRIVE(19, TLV_NUMBER, mode), DRIVE(20, TLV_NUMBER, status), DRIVE(21, TLV_NUMBER, attached),
    DRIVE(22, TLV_NUMBER, code), DRIVE(23, TLV_TEXT, detail),
};
const struct tlv_table record_vm_drive_table = {drive_members, TLV_COUNT(drive_members)};

static void registration_put(struct tlv_writer *writer, const struct vm_registration *registration)
{
    size_t opened = tlv_open(writer, RECORD_VM_REGISTRATION);
    tlv_put_members(writer, registration_members, TLV_COUNT(registration_members), registration);
    tlv_put(writer, RECORD_REGISTRATION_SPKI, registration->spki, registration->spki_len_bytes);
    for (size_t i = 0; i < VM_ADDRESSES_MAX && registration->address[i][0]; i++)
        tlv_put_text(writer, RECORD_REGISTRATION_ADDRESS, registration->address[i]);
    tlv_close(writer, opened);
}

static void timeouts_put(struct tlv_writer *writer, const struct vm *vm)
{
    for (int state = 0; state < VM_STATE_COUNT; state++) {
        const char *name = vm_state_name(state);
        uint8_t bytes[64 + 8] = {0};
        size_t name_len_bytes = strlen(name);
        if (vm->timeout_ms[state] == 0 || name_len_bytes > 63)
            continue;
        memcpy(bytes, name, name_len_bytes);
        for (int i = 0; i < 8; i++)
            bytes[name_len_bytes + 1 + (size_t)i] =
                (uint8_t)((uint64_t)vm->timeout_ms[state] >> (56 - 8 * i));
        tlv_put(writer, RECORD_VM_TIMEOUT, bytes, name_len_bytes + 9);
    }
}

int record_vm_encode(const struct vm *vm, uint64_t seq, uint8_t **ret_bytes, size_t *ret_len_bytes)
{
    struct tlv_writer writer;
    tlv_writer_init(&writer, RECORD_FORMAT);
    tlv_put_number(&writer, RECORD_VM_SEQ, seq, 8);
    tlv_put_text(&writer, RECORD_VM_STATE, vm_state_name(vm->head.state));
    tlv_put_members(&writer, vm_members, TLV_COUNT(vm_members), vm);
    timeouts_put(&writer, vm);
    if (vm->registered)
        registration_put(&writer, &vm->registration);
    for (size_t i = 0; i < vm->drives; i++) {
        size_t opened = tlv_open(&writer, RECORD_VM_DRIVE);
        tlv_put_members(&writer, drive_members, TLV_COUNT(drive_members), &vm->drive[i]);
        tlv_close(&writer, opened);
    }
    return tlv_writer_end(&writer, ret_bytes, ret_len_bytes);
}

static int spki_take(struct vm_registration *registration, const uint8_t *value, size_t len_bytes)
{
    if (len_bytes > sizeof registration->spki)
        return -EBADMSG;
    memcpy(registration->spki, value, len_bytes);
    registration->spki_len_bytes = (uint16_t)len_bytes;
    return 0;
}

static int registration_take(struct vm_registration *registration, const uint8_t *value, size_t len_bytes)
{
    struct tlv_reader reader;
    uint16_t tag;
    const uint8_t *inner;
    size_t inner_len_bytes, naddresses = 0;
    tlv_reader_init_inner(&reader, value, len_bytes);
    while (tlv_next(&reader, &tag, &inner, &inner_len_bytes)) {
        int rc = 0;
        if (tag == RECORD_REGISTRATION_SPKI) {
            rc = spki_take(registration, inner, inner_len_bytes);
        } else if (tag == RECORD_REGISTRATION_ADDRESS) {
            if (naddresses == VM_ADDRESSES_MAX || inner_len_bytes >= VM_ADDRESS_LEN)
                return -EBADMSG;
            memcpy(registration->address[naddresses++], inner, inner_len_bytes);
        } else {
            rc = tlv_take_member(registration_members, TLV_COUNT(registration_members), registration, tag,
                                 inner, inner_len_bytes);
        }
        if (rc < 0)
            return rc;
    }
    return reader.failed ? -EBADMSG : 0;
}

static int timeout_take(struct vm *vm, const uint8_t *value, size_t len_bytes)
{
    const uint8_t *end = memchr(value, 0, len_bytes);
    uint64_t timeout_ms;
    if (!end || !tlv_number(end + 1, (size_t)(value + len_bytes - end - 1), 8, &timeout_ms))
        return -EBADMSG;
    int state = vm_state_find((const char *)value);
    if (state >= 0)
        vm->timeout_ms[state] = (int64_t)timeout_ms;
    return 0;
}

static int state_take(struct vm *vm, const uint8_t *value, size_t len_bytes)
{
    char name[32] = "";
    if (len_bytes >= sizeof name)
        return -EBADMSG;
    memcpy(name, value, len_bytes);
    vm->head.state = vm_state_find(name);
    return vm->head.state < 0 ? -EBADMSG : 0;
}

static int drive_take(struct vm *vm, const uint8_t *value, size_t len_bytes)
{
    if (vm->drives == VM_DRIVES_MAX)
        return -EBADMSG;
    struct vm_drive *drive = &vm->drive[vm->drives++];
    int rc = tlv_take_members(drive_members, TLV_COUNT(drive_members), drive, value, len_bytes);
    if (rc)
        return rc;
    return drive->mode > VM_DRIVE_WRITER || drive->status >= VM_DRIVE_STATUS_COUNT ? -EBADMSG : 0;
}

static int vm_take(struct vm *vm, uint64_t *seq, uint16_t tag, const uint8_t *value, size_t len_bytes)
{
    switch (tag) {
    case RECORD_VM_SEQ:
        return tlv_number(value, len_bytes, 8, seq) ? 0 : -EBADMSG;
    case RECORD_VM_STATE:
        return state_take(vm, value, len_bytes);
    case RECORD_VM_REGISTRATION:
        return registration_take(&vm->registration, value, len_bytes);
    case RECORD_VM_DRIVE:
        return drive_take(vm, value, len_bytes);
    case RECORD_VM_TIMEOUT:
        return timeout_take(vm, value, len_bytes);
    default:
        return tlv_take_member(vm_members, TLV_COUNT(vm_members), vm, tag, value, len_bytes);
    }
}

static int vm_read(struct tlv_reader *reader, struct vm *vm, uint64_t *seq)
{
    uint16_t tag;
    const uint8_t *value;
    size_t len_bytes;
    vm->head.state = -1;
    while (tlv_next(reader, &tag, &value, &len_bytes))
        if (vm_take(vm, seq, tag, value, len_bytes) < 0)
            return -EBADMSG;
    return reader->failed || vm->head.state < 0 ? -EBADMSG : 0;
}

int record_vm_decode(const void *bytes, size_t len_bytes, struct vm *ret_vm, uint64_t *ret_seq)
{
    struct tlv_reader reader;
    uint64_t seq = 0;
    int rc = tlv_reader_init(&reader, bytes, len_bytes, RECORD_FORMAT);
    if (rc)
        return rc;
    struct vm vm = {0};
    rc = vm_read(&reader, &vm, &seq);
    if (!rc) {
        *ret_vm = vm;
        *ret_seq = seq;
    }
    return rc;
}
