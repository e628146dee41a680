/*
 * Domains with Kiln's metadata and without a record, and addresses without a VM.
 */
#include "core_kept.h"
#include "protocol/text.h"
#include "src/core/identity.h"

static struct virt_domain_info stranger(struct fixture *fixture, unsigned number, bool ours)
{
    uint8_t uuid[VM_UUID_LEN];
    uuid_make(number, uuid);
    struct virt_domain_info domain = domain_of(uuid, VIRT_DOMAIN_RUNNING);
    if (ours)
        hex_encode(identity_fingerprint(fixture->core.identity), IDENTITY_HASH_LEN, domain.host_identity);
    return domain;
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
    look_again(fixture, domains, 1);
    assert_int_equal(asks_of("addresses_keep"), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(orphans_are_reported_after_their_grace),
        TEST(orphans_that_this_host_made_are_reaped_where_it_says_so),
        TEST(addresses_of_nobody_are_taken_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
