/*
 * Records: what is encoded is decoded again, old bytes stay readable, and wrong bytes change nothing.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/text.h"
#include "src/core/record.h"
#include "tests/unit/seed.h"

/* Every member set, none to its zero. */
static struct vm vm_full(void)
{
    struct vm vm = {.head = {.state = VM_PAIRED, .changes = 7, .entered_at_ms = 1, .deadline_at_ms = 2},
                    .vcpus = 2,
                    .memory_mib = 512,
                    .offers_applications = true,
                    .boots_max = 3,
                    .created_at_ms = 99,
                    .assigned = true,
                    .assignment_number = 5,
                    .boot_number = 2,
                    .registered = true,
                    .link_up = true,
                    .unreachable = true,
                    .paused = true,
                    .channels = 1,
                    .bridges = 4,
                    .drives = 2,
                    .code = 1303,
                    .forced = true,
                    .retention_over = true,
                    .gone = 3,
                    .clock_boot = 0x0123456789abcdef,
                    .clock_ahead_ms = -17};
    strcpy(vm.head.story, "a story");
    memset(vm.uuid, 0xa1, sizeof vm.uuid);
    memset(vm.brick_hash, 0xb2, sizeof vm.brick_hash);
    memset(vm.owner, 0xc3, sizeof vm.owner);
    memset(vm.mac, 0x52, sizeof vm.mac);
    memcpy(vm.ipv4, "\x0a\x4d\x00\x0a", 4);
    strcpy(vm.name, "ann-1");
    strcpy(vm.brick, "debian");
    strcpy(vm.guest_state, "waiting");
    strcpy(vm.detail, "why");
    strcpy(vm.destroyed_by, "uid:0");
    for (int i = 0; i < VM_STATE_COUNT; i++)
        vm.timeout_ms[i] = 1000 * (i + 1);
    memset(vm.registration.request_hash, 1, 32);
    memset(vm.registration.nonce_v, 2, 32);
    memset(vm.registration.manifest_hash, 3, 32);
    memset(vm.registration.config_hash, 4, 32);
    memset(vm.registration.key_fingerprint, 5, 32);
    memset(vm.registration.spki, 6, 294);
    vm.registration.spki_len_bytes = 294;
    strcpy(vm.registration.address[0], "10.77.0.10");
    strcpy(vm.registration.address[1], "fe80::1");
    strcpy(vm.registration.version, "0.1.0");
    for (int i = 0; i < 2; i++) {
        struct vm_drive *drive = &vm.drive[i];
        memset(drive->id, i + 1, sizeof drive->id);
        strcpy(drive->name, i ? "data" : "home");
        strcpy(drive->serial, "01010101010101010101");
        drive->mode = (uint8_t)(i ? VM_DRIVE_READER : VM_DRIVE_WRITER);
        drive->status = (uint8_t)(i ? VM_DRIVE_FAILED : VM_DRIVE_MOUNTED);
        drive->attached = 1;
        drive->code = i ? 1402 : 0;
        strcpy(drive->detail, i ? "no" : "");
    }
    return vm;
}

static void assert_vm_equal(const struct vm *a, const struct vm *b)
{
    uint8_t *bytes_a, *bytes_b;
    size_t len_a, len_b;
    assert_int_equal(record_vm_encode(a, 1, &bytes_a, &len_a), 0);
    assert_int_equal(record_vm_encode(b, 1, &bytes_b, &len_b), 0);
    assert_int_equal(len_a, len_b);
    assert_memory_equal(bytes_a, bytes_b, len_a);
    free(bytes_a);
    free(bytes_b);
}

static void vm_comes_back_as_it_was(void **state)
{
    (void)state;
    struct vm vm = vm_full(), back;
    uint8_t *bytes;
    size_t len;
    uint64_t seq;
    assert_int_equal(record_vm_encode(&vm, 4711, &bytes, &len), 0);
    seed_write("record", "vm", 0, bytes, len);
    assert_int_equal(record_vm_decode(bytes, len, &back, &seq), 0);
    assert_int_equal(seq, 4711);
    assert_vm_equal(&vm, &back);
    assert_string_equal(back.registration.address[1], "fe80::1");
    assert_int_equal(back.drive[1].code, 1402);
    assert_int_equal(back.timeout_ms[VM_DESTROYED], vm.timeout_ms[VM_DESTROYED]);
    free(bytes);
}

/* Each member matters: a changed one changes the bytes. */
static void vm_members_are_all_kept(void **state)
{
    (void)state;
    struct vm vm = vm_full(), back;
    uint8_t *bytes;
    size_t len;
    uint64_t seq;
    assert_int_equal(record_vm_encode(&vm, 1, &bytes, &len), 0);
    assert_int_equal(record_vm_decode(bytes, len, &back, &seq), 0);
    assert_int_equal(back.head.changes, 7);
    assert_int_equal(back.head.entered_at_ms, 1);
    assert_int_equal(back.head.deadline_at_ms, 2);
    assert_true(back.assigned && back.registered && back.link_up && back.unreachable && back.paused);
    assert_true(back.forced && back.retention_over && back.offers_applications);
    assert_int_equal(back.assignment_number, 5);
    assert_int_equal(back.boot_number, 2);
    assert_int_equal(back.boots_max, 3);
    assert_int_equal(back.channels, 1);
    assert_int_equal(back.bridges, 4);
    assert_int_equal(back.gone, 3);
    assert_int_equal(back.code, 1303);
    assert_int_equal(back.created_at_ms, 99);
    assert_string_equal(back.destroyed_by, "uid:0");
    assert_string_equal(back.guest_state, "waiting");
    assert_memory_equal(back.owner, vm.owner, sizeof vm.owner);
    assert_memory_equal(back.mac, vm.mac, sizeof vm.mac);
    assert_memory_equal(back.ipv4, vm.ipv4, sizeof vm.ipv4);
    assert_memory_equal(&back.registration, &vm.registration, sizeof vm.registration);
    assert_memory_equal(&back.drive[0], &vm.drive[0], sizeof vm.drive[0]);
    free(bytes);
}

/* A record of format 1, as bytes, with a tag that this version does not know. */
static const char golden_vm[] = "0001"
                                "0001000000080000000000000009"                 /* seq 9 */
                                "000200000006626f6f746564"                     /* state "booted" */
                                "0010000000080000000000000003"                 /* changes 3 */
                                "001400000010000102030405060708090a0b0c0d0e0f" /* uuid */
                                "0015000000027631"                             /* name "v1" */
                                "0018000000020001"                             /* vcpus 1 */
                                "001f0000000101"                               /* assigned */
                                "00050000000f626f6f7465640000000000000493e0"   /* booted: 300000 ms */
                                "0fff00000003abcdef"                           /* unknown */
                                "000400000010001100000003646576"               /* drive "dev" */
                                "00130000000101";                              /* ... writer */

static void golden_vm_is_read(void **state)
{
    (void)state;
    uint8_t bytes[512];
    size_t len = strlen(golden_vm) / 2;
    struct vm vm;
    uint64_t seq;
    uint8_t uuid[16];
    for (int i = 0; i < 16; i++)
        uuid[i] = (uint8_t)i;
    assert_int_equal(hex_decode(golden_vm, bytes, len), 0);
    seed_write("record", "vm-golden", 0, bytes, len);
    assert_int_equal(record_vm_decode(bytes, len, &vm, &seq), 0);
    assert_int_equal(seq, 9);
    assert_int_equal(vm.head.state, VM_BOOTED);
    assert_int_equal(vm.head.changes, 3);
    assert_memory_equal(vm.uuid, uuid, 16);
    assert_string_equal(vm.name, "v1");
    assert_int_equal(vm.vcpus, 1);
    assert_true(vm.assigned);
    assert_int_equal(vm.timeout_ms[VM_BOOTED], 300000);
    assert_int_equal(vm.drives, 1);
    assert_string_equal(vm.drive[0].name, "dev");
    assert_int_equal(vm.drive[0].mode, VM_DRIVE_WRITER);
}

static void golden_user_is_written(void **state)
{
    (void)state;
    struct user user = {
        .name = "ann", .role = USER_ADMIN, .spki = {1, 2}, .spki_len_bytes = 2, .created_at_ms = 258};
    uint8_t *bytes;
    size_t len;
    char hex[256];
    memset(user.fingerprint, 0x11, sizeof user.fingerprint);
    assert_int_equal(record_user_encode(&user, &bytes, &len), 0);
    hex_encode(bytes, len, hex);
    assert_string_equal(hex, "0001"
                             "0001000000020102"
                             "001000000003616e6e"
                             "00110000000101"
                             "0012000000201111111111111111111111111111111111111111111111111111111111111111"
                             "0013000000080000000000000102");
    struct user back;
    seed_write("record", "user", 1, bytes, len);
    assert_int_equal(record_user_decode(bytes, len, &back), 0);
    assert_memory_equal(&back, &user, sizeof user);
    free(bytes);
}

static void brick_comes_back_as_it_was(void **state)
{
    (void)state;
    struct brick brick, back;
    uint8_t *bytes;
    size_t len;
    memset(&brick, 0, sizeof brick);
    strcpy(brick.name, "debian");
    strcpy(brick.image, "debian.qcow2");
    strcpy(brick.kernel, "vmlinuz");
    strcpy(brick.cmdline, "root=/dev/sda");
    memset(brick.hash, 9, sizeof brick.hash);
    brick.vcpus = 2;
    brick.memory_mib = 1024;
    brick.applications = true;
    for (int i = 0; i < VM_STATE_COUNT; i++)
        brick.timeout_ms[i] = -1;
    brick.timeout_ms[VM_BOOTED] = 5000;
    brick.timeout_ms[VM_PAIRED] = 0;
    assert_int_equal(record_brick_encode(&brick, &bytes, &len), 0);
    seed_write("record", "brick", 2, bytes, len);
    assert_int_equal(record_brick_decode(bytes, len, &back), 0);
    assert_memory_equal(&back, &brick, sizeof brick);
    free(bytes);
}

static void drive_comes_back_with_envelopes_and_holders(void **state)
{
    (void)state;
    struct envelope envelopes[2];
    struct drive drive = {
        .size_mib = 64, .state = DRIVE_HERE, .nholders = 2, .envelopes = envelopes, .nenvelopes = 2};
    struct drive back;
    uint8_t *bytes;
    size_t len;
    memset(envelopes, 0, sizeof envelopes);
    for (int i = 0; i < 2; i++) {
        memset(envelopes[i].user, i + 1, sizeof envelopes[i].user);
        envelopes[i].len_bytes = (uint16_t)(256 * (i + 1));
        memset(envelopes[i].ciphertext, 0x30 + i, envelopes[i].len_bytes);
        memset(drive.holders[i].vm, 0x40 + i, VM_UUID_LEN);
    }
    strcpy(drive.name, "home");
    assert_int_equal(record_drive_encode(&drive, &bytes, &len), 0);
    seed_write("record", "drive", 3, bytes, len);
    assert_int_equal(record_drive_decode(bytes, len, &back), 0);
    assert_int_equal(back.nholders, 2);
    assert_memory_equal(back.holders, drive.holders, sizeof drive.holders[0] * 2);
    assert_int_equal(back.nenvelopes, 2);
    assert_memory_equal(back.envelopes, envelopes, sizeof envelopes);
    free(back.envelopes);
    free(bytes);
}

static void history_and_audit_come_back(void **state)
{
    (void)state;
    struct history history, history_back;
    struct audit_entry entry, entry_back;
    uint8_t *bytes;
    size_t len;
    memset(&history, 0, sizeof history);
    history.seq = 12;
    history.at_ms = 13;
    history.from = -1;
    history.to = VM_REQUESTED;
    history.event = -1;
    strcpy(history.story, "it began");
    strcpy(history.actor, "uid:7");
    assert_int_equal(record_history_encode(&history, &bytes, &len), 0);
    seed_write("record", "history", 4, bytes, len);
    assert_int_equal(record_history_decode(bytes, len, &history_back), 0);
    assert_memory_equal(&history, &history_back, sizeof history);
    free(bytes);
    memset(&entry, 0, sizeof entry);
    entry.seq = 3;
    memset(entry.previous, 8, sizeof entry.previous);
    strcpy(entry.what, "user.add");
    assert_int_equal(record_audit_encode(&entry, &bytes, &len), 0);
    seed_write("record", "audit", 5, bytes, len);
    assert_int_equal(record_audit_decode(bytes, len, &entry_back), 0);
    assert_memory_equal(&entry, &entry_back, sizeof entry);
    free(bytes);
}

static void wrong_bytes_leave_the_result_alone(void **state)
{
    (void)state;
    struct vm vm = vm_full(), back, untouched;
    uint8_t *bytes;
    size_t len;
    uint64_t seq;
    memset(&back, 0x5a, sizeof back);
    untouched = back;
    assert_int_equal(record_vm_encode(&vm, 1, &bytes, &len), 0);
    size_t good = 0;
    for (size_t cut = 0; cut < len; cut++) {
        uint8_t *part =
            malloc(cut ? cut : 1); /* exactly as long, so that a sanitizer sees one byte too many */
        memcpy(part, bytes, cut);
        int rc = record_vm_decode(part, cut, &back, &seq);
        free(part);
        /* A cut between two tags is a shorter record; all others are refused. */
        if (rc == 0)
            good++;
        else
            assert_int_equal(rc, -EBADMSG);
        if (rc)
            assert_memory_equal(&back, &untouched, sizeof back);
        back = untouched;
    }
    assert_in_range(good, 10, 60);
    bytes[1] = 2;
    assert_int_equal(record_vm_decode(bytes, len, &back, &seq), -ENOTSUP);
    assert_memory_equal(&back, &untouched, sizeof back);
    free(bytes);
}

/* Any byte may be wrong: the decoder says no, or gives a record that can be encoded. */
static void damaged_bytes_never_make_a_wrong_record(void **state)
{
    (void)state;
    struct vm vm = vm_full(), back;
    uint8_t *bytes, *again;
    size_t len, again_len;
    uint64_t seq;
    assert_int_equal(record_vm_encode(&vm, 1, &bytes, &len), 0);
    for (size_t at = 0; at < len; at++) {
        uint8_t kept = bytes[at];
        for (int bit = 0; bit < 8; bit++) {
            bytes[at] = (uint8_t)(kept ^ 1 << bit);
            if (record_vm_decode(bytes, len, &back, &seq))
                continue;
            assert_in_range(back.head.state, 0, VM_STATE_COUNT - 1);
            assert_in_range(back.drives, 0, VM_DRIVES_MAX);
            assert_int_equal(record_vm_encode(&back, seq, &again, &again_len), 0);
            free(again);
        }
        bytes[at] = kept;
    }
    free(bytes);
}

enum kind { USER, BRICK, DRIVE, HISTORY, AUDIT, VM };

/* Decodes and gives back what came of it. The error. */
static int decode_as(enum kind kind, const void *bytes, size_t len)
{
    struct user user;
    struct brick brick;
    struct drive drive = {.envelopes = NULL};
    struct history history;
    struct audit_entry entry;
    struct vm vm;
    uint64_t seq;
    int rc = 0;
    switch (kind) {
    case USER:
        return record_user_decode(bytes, len, &user);
    case BRICK:
        return record_brick_decode(bytes, len, &brick);
    case DRIVE:
        rc = record_drive_decode(bytes, len, &drive);
        free(drive.envelopes);
        return rc;
    case HISTORY:
        return record_history_decode(bytes, len, &history);
    case AUDIT:
        return record_audit_decode(bytes, len, &entry);
    default:
        return record_vm_decode(bytes, len, &vm, &seq);
    }
}

#define HASH31 "11111111111111111111111111111111111111111111111111111111111111"
#define BYTES16 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
    const char *what;
    enum kind kind;
    const char *hex;
    int error;
} wrong_rows[] = {
    {"nothing", USER, "", -EBADMSG},
    {"half a format", USER, "00", -EBADMSG},
    {"no format", USER, "0000", -EBADMSG},
    {"a newer format", USER, "0002", -ENOTSUP},
    {"a tag that nobody knows", USER, "00017fff00000002abcd", 0},
    {"half a header", USER, "00010010000000", -EBADMSG},
    {"a length past the end", USER, "000100100000000461", -EBADMSG},
    {"a length of all there could be", USER, "00010010ffffffff61", -EBADMSG},
    {"a name with a NUL", USER, "0001001000000003610062", -EBADMSG},
    {"a name that is too long", USER,
     "00010010000000306161" BYTES16 BYTES16 "61616161616161616161616161616161", -EBADMSG},
    {"a role that there is not", USER, "000100110000000102", -EBADMSG},
    {"a role of two bytes", USER, "00010011000000020001", -EBADMSG},
    {"a fingerprint of 31 bytes", USER, "000100120000001f" HASH31, -EBADMSG},
    {"a time of four bytes", USER, "000100130000000400000001", -EBADMSG},
    {"a hash of 31 bytes", BRICK, "000100110000001f" HASH31, -EBADMSG},
    {"an answer that is neither yes nor no", BRICK, "0001001b0000000102", -EBADMSG},
    {"a deadline of seven bytes", BRICK, "000100020000000700000000000001", -EBADMSG},
    {"a deadline of a state that is gone", BRICK,
     "00010002000000090000000000000001"
     "78",
     0},
    {"a deadline of a name that is too long", BRICK, "000100020000002900000000000000016161" BYTES16 BYTES16,
     -EBADMSG},
    {"a state that there is not", DRIVE, "000100140000000109", -EBADMSG},
    {"an id of one byte", DRIVE, "00010010000000016a", -EBADMSG},
    {"a holder without its mode", DRIVE, "0001000300000010" BYTES16, -EBADMSG},
    {"a holder of a mode that there is not", DRIVE, "0001000300000011" BYTES16 "07", -EBADMSG},
    {"an envelope of nobody", DRIVE, "000100040000001f" HASH31, -EBADMSG},
    {"an envelope, and then half a tag", DRIVE, "0001000400000020" HASH31 "1100", -EBADMSG},
    {"a story from a state that is gone", HISTORY, "00010001000000017a", 0},
    {"a sequence of one byte", HISTORY, "000100100000000101", -EBADMSG},
    {"a hash before of one byte", AUDIT, "000100120000000101", -EBADMSG},
    {"a sequence of nine bytes", AUDIT, "0001001000000009000000000000000001", -EBADMSG},
    {"a state that there is not", VM, "00010002000000027a7a", -EBADMSG},
    {"half a drive", VM, "0001000400000003001100", -EBADMSG},
    {"a registration of half a tag", VM, "00010003000000020001", -EBADMSG},
};

static void each_wrong_record_has_its_answer(void **state)
{
    static const char good[] = "0001001000000003616e6e";
    uint8_t bytes[256];
    (void)state;
    for (size_t i = 0; i < sizeof wrong_rows / sizeof *wrong_rows; i++) {
        size_t len = strlen(wrong_rows[i].hex) / 2;
        /* exactly as long, so that a sanitizer sees one byte too many */
        uint8_t *exact = malloc(len ? len : 1);
        assert_non_null(exact);
        assert_int_equal(len ? hex_decode(wrong_rows[i].hex, exact, len) : 0, 0);
        int error = decode_as(wrong_rows[i].kind, exact, len);
        free(exact);
        if (error != wrong_rows[i].error)
            fail_msg("%s: %d and not %d", wrong_rows[i].what, error, wrong_rows[i].error);
        assert_int_equal(hex_decode(good, bytes, sizeof good / 2), 0);
        assert_int_equal(decode_as(USER, bytes, sizeof good / 2), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vm_comes_back_as_it_was),
        cmocka_unit_test(vm_members_are_all_kept),
        cmocka_unit_test(golden_vm_is_read),
        cmocka_unit_test(golden_user_is_written),
        cmocka_unit_test(brick_comes_back_as_it_was),
        cmocka_unit_test(drive_comes_back_with_envelopes_and_holders),
        cmocka_unit_test(history_and_audit_come_back),
        cmocka_unit_test(wrong_bytes_leave_the_result_alone),
        cmocka_unit_test(damaged_bytes_never_make_a_wrong_record),
        cmocka_unit_test(each_wrong_record_has_its_answer),
    };
    return cmocka_run_group_tests_name("core_record", tests, NULL, NULL);
}
