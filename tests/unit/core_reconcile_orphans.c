/*
 * Domains with Kiln's metadata and without a record, and addresses without a VM.
 */
#include "core_kept.h"
#include "protocol/text.h"
#include "protocol/wire.h"
#include "src/core/identity.h"
#include "src/core/network.h"

static struct virt_domain_info stranger(struct fixture *fixture, unsigned number, bool ours)
{
    uint8_t uuid[VM_UUID_LEN];
    uuid_make(number, uuid);
    struct virt_domain_info domain = domain_of(uuid, VIRT_DOMAIN_RUNNING);
    if (ours)
        hex_encode(identity_fingerprint(fixture->core.identity), IDENTITY_HASH_LEN, domain.host_identity);
    return domain;
}

/* There is no memory for the first address that is held. */
static bool network_refused;
void *__real_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size);

void *__wrap_realloc(void *memory, size_t size)
{
    if (!network_refused || memory || size != 2 * sizeof *((struct network *)0)->holders)
        return __real_realloc(memory, size);
    network_refused = false;
    return NULL;
}

enum { FIRST = 0x0a4d000a /* 10.77.0.10 */, HOUR_MS = 3600 * 1000 };

/* One that has the first address. */
static struct virt_domain_info orphan(struct fixture *fixture)
{
    struct virt_domain_info domain = stranger(fixture, 9, true);
    strcpy(domain.address, "10.77.0.10");
    return domain;
}

static uint32_t address_of(struct fixture *fixture, const uint8_t *uuid)
{
    const struct vm_slot *slot = index_find(&fixture->core.vms, uuid);
    return wire_get_u32(slot->vm.ipv4);
}

/* Of a VM that is ordered now. */
static uint32_t address_given(struct fixture *fixture, const char *name)
{
    uint8_t uuid[VM_UUID_LEN];
    make(fixture, name, uuid);
    return address_of(fixture, uuid);
}

static void orphans_are_reported_after_their_grace(void **state)
{
    struct fixture *fixture = *state;
    struct virt_domain_info domains[] = {stranger(fixture, 9, true), stranger(fixture, 8, false)};
    look_again(fixture, domains, 2);
    assert_int_equal(reconcile_orphans(&fixture->core), 0);
    time_passes(fixture, 60 * 1000);
    look_again(fixture, domains, 2);
    assert_int_equal(reconcile_orphans(&fixture->core), 2);
    assert_null(ask_find("domain_gone"));
    look_again(fixture, domains + 1, 1);
    assert_int_equal(reconcile_orphans(&fixture->core), 1);
}

static void orphans_that_this_host_made_are_reaped_where_it_says_so(void **state)
{
    struct fixture *fixture = *state;
    struct virt_domain_info domains[] = {stranger(fixture, 9, true), stranger(fixture, 8, false)};
    fixture->core.config.orphans = CONFIG_ORPHANS_REAP;
    look_again(fixture, domains, 2);
    time_passes(fixture, 59 * 1000);
    look_again(fixture, domains, 2);
    assert_null(ask_find("domain_gone"));
    time_passes(fixture, 2 * 1000);
    look_again(fixture, domains, 2);
    assert_string_equal(ask_wait(fixture, "domain_gone")->about, domains[0].uuid);
    assert_int_equal(asks_of("domain_gone"), 1);
    answer(fixture, "domain_gone", 0);
}

static void addresses_of_nobody_are_taken_back(void **state)
{
    struct fixture *fixture = *state;
    struct vm there = kept_in(VM_READY, 1), ending = kept_in(VM_DESTROYED, 2),
              gone = kept_in(VM_DESTROYED, 3);
    gone.gone = VM_GONE_ALL;
    keep(fixture, &there);
    keep(fixture, &ending);
    keep(fixture, &gone);
    restart(fixture);
    connection_up(fixture);
    struct virt_domain_info domains[] = {domain_of(there.uuid, VIRT_DOMAIN_RUNNING),
                                         stranger(fixture, 9, true)};
    answer_list(fixture, domains, 1);
    settle(fixture);
    assert_int_equal(asks_of("addresses_keep"), 1);
    assert_int_equal(false_virt.nheld, 2);
    assert_memory_equal(false_virt.held[0], there.ipv4, sizeof there.ipv4);
    assert_memory_equal(false_virt.held[1], ending.ipv4, sizeof ending.ipv4);
    /* One look at a time, and none while a domain may have an address that no record tells of. */
    look_again(fixture, domains, 1);
    assert_int_equal(asks_of("addresses_keep"), 1);
    answer(fixture, "addresses_keep", 0);
    look_again(fixture, domains, 2);
    assert_int_equal(asks_of("addresses_keep"), 0);
    time_passes(fixture, RECONCILE_UP_MS);
    look_again(fixture, domains, 1);
    assert_int_equal(asks_of("addresses_keep"), 1);
}

/* ---- their addresses ---- */

static void the_address_of_an_orphan_is_given_to_nobody(void **state)
{
    struct fixture *fixture = *state;
    struct virt_domain_info both[] = {stranger(fixture, 8, true), orphan(fixture)};
    look_again(fixture, both + 1, 1);
    assert_int_equal(address_given(fixture, "v1"), FIRST + 1);
    /* Another one, of which nothing is known, changes nothing; nor does a second look. */
    look_again(fixture, both, 2);
    assert_int_equal(address_given(fixture, "v2"), FIRST + 2);
    time_passes(fixture, RECONCILE_UP_MS);
    look_again(fixture, both, 1);
    assert_int_equal(address_given(fixture, "v3"), FIRST);
}

/* What could not be held is not let go of either: it would be taken from who was given it meanwhile. */
static void an_address_that_could_not_be_held_is_not_released(void **state)
{
    struct fixture *fixture = *state;
    struct virt_domain_info domain = orphan(fixture);
    struct network *network = &fixture->core.network;
    uint8_t uuid[VM_UUID_LEN], ipv4[4];
    wire_put_u32(ipv4, FIRST);
    network_refused = true;
    look_again(fixture, &domain, 1);
    assert_false(network_refused);
    make(fixture, "v1", uuid);
    assert_int_equal(address_of(fixture, uuid), FIRST);
    look_again(fixture, &domain, 1);
    assert_true(network_is_shared(network, ipv4));
    time_passes(fixture, RECONCILE_UP_MS);
    look_again(fixture, NULL, 0);
    assert_false(network_is_shared(network, ipv4));
    assert_int_equal(address_given(fixture, "v2"), FIRST + 1);
}

static void an_orphan_that_libvirt_has_lost_keeps_its_address(void **state)
{
    struct fixture *fixture = *state;
    struct virt_domain_info domain = orphan(fixture);
    look_again(fixture, &domain, 1);
    time_passes(fixture, RECONCILE_UP_MS);
    domain.state = VIRT_DOMAIN_LOST;
    domain.pid = 4711;
    domain.address[0] = 0;
    look_again(fixture, &domain, 1);
    look_again(fixture, &domain, 1);
    assert_int_equal(address_given(fixture, "v1"), FIRST + 1);
}

static void a_libvirt_that_has_just_come_may_not_show_an_orphan(void **state)
{
    struct fixture *fixture = *state;
    struct virt_domain_info domain = orphan(fixture);
    look_again(fixture, &domain, 1);
    /* However slow this machine is. */
    time_passes(fixture, -HOUR_MS);
    look_again(fixture, NULL, 0);
    assert_int_equal(address_given(fixture, "v1"), FIRST + 1);
    time_passes(fixture, HOUR_MS + RECONCILE_UP_MS);
    look_again(fixture, NULL, 0);
    assert_int_equal(address_given(fixture, "v2"), FIRST);
}

/* kilnd starts, libvirt is there and has not yet answered what domains there are: a VM is ordered then. */
static void order_before_the_list(struct fixture *fixture, uint8_t *ret_uuid)
{
    const uint8_t certificate[RECORD_HASH_LEN] = {7};
    restart(fixture);
    core_edge_certificate_set(&fixture->core, certificate);
    connection_up(fixture);
    make(fixture, "v1", ret_uuid);
    answer(fixture, "overlay", 0);
    answer(fixture, "address", 0);
    settle(fixture);
    assert_int_equal(address_of(fixture, ret_uuid), FIRST);
    assert_null(ask_find("domain"));
}

static void nothing_starts_before_libvirt_shows_its_domains(void **state)
{
    struct fixture *fixture = *state;
    uint8_t uuid[VM_UUID_LEN];
    char words[VM_DETAIL_LEN];
    order_before_the_list(fixture, uuid);
    core_vm_waiting_for(&fixture->core, core_vm(&fixture->core, uuid), words, sizeof words);
    assert_string_equal(words, "libvirt, which has yet to show its domains");
    answer_list(fixture, NULL, 0);
    answer(fixture, "domain", 0);
    vm_wait(fixture, uuid, VM_BOOTED);
}

static void a_start_waits_for_the_end_of_the_orphan_that_has_its_address(void **state)
{
    struct fixture *fixture = *state;
    struct virt_domain_info domain = orphan(fixture);
    uint8_t uuid[VM_UUID_LEN], next[VM_UUID_LEN];
    char words[VM_DETAIL_LEN], wanted[VM_DETAIL_LEN];
    fixture->core.config.deadlines.image_created_s = 1;
    order_before_the_list(fixture, uuid);
    answer_list(fixture, &domain, 1);
    answer(fixture, "address", 0);
    settle(fixture);
    assert_null(ask_find("domain"));
    core_vm_waiting_for(&fixture->core, core_vm(&fixture->core, uuid), words, sizeof words);
    snprintf(wanted, sizeof wanted, "the end of domain kiln-%s,", domain.uuid);
    assert_memory_equal(words, wanted, strlen(wanted));
    assert_non_null(strstr(words, "virsh destroy"));
    /* It holds up nobody else, and is not late. */
    fixture->core.config.deadlines.image_created_s = 3600;
    make_booted(fixture, "v2", next);
    assert_int_equal(machine_post_kind(&fixture->core, next, VM_ON_REGISTERED), 0);
    int64_t late_ms = loop_wall_ms() + 1200;
    while (loop_wall_ms() < late_ms)
        assert_int_equal(loop_step(fixture->core.loop, true), 0);
    settle(fixture);
    assert_int_equal(core_vm(&fixture->core, uuid)->vm.head.state, VM_IMAGE_CREATED);
    assert_int_equal(core_vm(&fixture->core, uuid)->vm.boot_number, 1);
    ((struct vm_slot *)index_find(&fixture->core.vms, uuid))->vm.timeout_ms[VM_IMAGE_CREATED] = HOUR_MS;
    time_passes(fixture, RECONCILE_UP_MS);
    look_again(fixture, NULL, 0);
    answer(fixture, "domain", 0);
    vm_wait(fixture, uuid, VM_BOOTED);
}

static void who_waits_for_a_lost_one_is_told_its_process(void **state)
{
    struct fixture *fixture = *state;
    struct virt_domain_info domain = orphan(fixture);
    uint8_t uuid[VM_UUID_LEN];
    char words[VM_DETAIL_LEN];
    order_before_the_list(fixture, uuid);
    answer_list(fixture, &domain, 1);
    settle(fixture);
    domain = (struct virt_domain_info){.state = VIRT_DOMAIN_LOST, .pid = 4711};
    memcpy(domain.uuid, orphan(fixture).uuid, sizeof domain.uuid);
    look_again(fixture, &domain, 1);
    core_vm_waiting_for(&fixture->core, core_vm(&fixture->core, uuid), words, sizeof words);
    assert_non_null(strstr(words, "(kill 4711)"));
}

/* Destroyed, it leaves what libvirt pins to the orphan, whether that was known at the time or not. */
static void the_end_of_who_waits_leaves_the_address_to_the_orphan(void **state)
{
    struct fixture *fixture = *state;
    struct virt_domain_info domain = orphan(fixture);
    const uint8_t first[4] = {10, 77, 0, 10};
    uint8_t uuid[VM_UUID_LEN];
    order_before_the_list(fixture, uuid);
    assert_int_equal(machine_post_kind(&fixture->core, uuid, VM_ON_DESTROY_ASKED), 0);
    answer(fixture, "domain_gone", 0);
    answer(fixture, "overlay_gone", 0);
    settle(fixture);
    assert_int_equal(core_vm(&fixture->core, uuid)->vm.gone & VM_GONE_NETWORK, 0);
    answer_list(fixture, &domain, 1);
    settle(fixture);
    assert_int_equal(core_vm(&fixture->core, uuid)->vm.gone, VM_GONE_ALL);
    for (size_t i = 0; i < false_virt.nlog; i++)
        assert_string_not_equal(false_virt.log[i], "address_gone");
    assert_int_equal(address_given(fixture, "v2"), FIRST + 1);
    look_again(fixture, &domain, 1);
    assert_int_equal(asks_of("addresses_keep"), 1);
    assert_int_equal(false_virt.nheld, 2);
    assert_memory_equal(false_virt.held[1], first, sizeof first);
}

/* As after a restore: a VM of the backup was destroyed since, and its address went to another. */
static void a_domain_that_runs_is_not_ended_for_its_address(void **state)
{
    struct fixture *fixture = *state;
    struct vm starting = kept_in(VM_IMAGE_CREATED, 1), ready = kept_in(VM_READY, 2);
    struct virt_domain_info domains[4] = {domain_of(starting.uuid, VIRT_DOMAIN_RUNNING),
                                          domain_of(ready.uuid, VIRT_DOMAIN_RUNNING),
                                          stranger(fixture, 8, true), stranger(fixture, 9, true)};
    strcpy(domains[2].address, "10.77.0.11");
    strcpy(domains[3].address, "10.77.0.12");
    keep(fixture, &starting);
    keep(fixture, &ready);
    restart(fixture);
    connection_up(fixture);
    answer_list(fixture, domains, 4);
    vm_wait(fixture, starting.uuid, VM_BOOTED);
    look_again(fixture, domains, 4);
    assert_int_equal(core_vm(&fixture->core, ready.uuid)->vm.head.state, VM_READY);
    assert_null(ask_find("domain_gone"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(orphans_are_reported_after_their_grace),
        TEST(orphans_that_this_host_made_are_reaped_where_it_says_so),
        TEST(addresses_of_nobody_are_taken_back),
        TEST(the_address_of_an_orphan_is_given_to_nobody),
        TEST(an_address_that_could_not_be_held_is_not_released),
        TEST(an_orphan_that_libvirt_has_lost_keeps_its_address),
        TEST(a_libvirt_that_has_just_come_may_not_show_an_orphan),
        TEST(nothing_starts_before_libvirt_shows_its_domains),
        TEST(a_start_waits_for_the_end_of_the_orphan_that_has_its_address),
        TEST(who_waits_for_a_lost_one_is_told_its_process),
        TEST(the_end_of_who_waits_leaves_the_address_to_the_orphan),
        TEST(a_domain_that_runs_is_not_ended_for_its_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
