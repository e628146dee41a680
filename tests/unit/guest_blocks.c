/* What stub and controller hand each other: whole blocks come back as they were, others leave nothing. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "guest/handover.h"
#include "guest/kept.h"
#include "tests/unit/seed.h"

static void kept_fill(struct kept *kept)
{
    memset(kept, 0, sizeof *kept);
    kept->private_key_len = 1200;
    memset(kept->private_key, 0x11, kept->private_key_len);
    kept->request.public_key_len = 294;
    memset(kept->request.uuid, 0x22, sizeof kept->request.uuid);
    memset(kept->request.public_key, 0x33, kept->request.public_key_len);
    strcpy(kept->request.stub_version, "0.1.0");
    strcpy(kept->request.controller_version, "0.1.1");
    kept->request.naddresses = 2;
    strcpy(kept->request.addresses[0], "10.77.0.9");
    strcpy(kept->request.addresses[1], "fe80::1");
    kept->owned = true;
    memset(kept->owner, 0x44, sizeof kept->owner);
    kept->assignment = 7;
}

static void kept_comes_back_as_it_was(void **state)
{
    static struct kept kept, back;
    uint8_t block[HANDOVER_KEPT_MAX];
    size_t len;
    (void)state;
    kept_fill(&kept);
    assert_int_equal(kept_encode(&kept, block, sizeof block, &len), 0);
    seed_write("guest_blocks", "kept", SEED_PLAIN, block, len);
    assert_int_equal(kept_decode(block, len, &back), 0);
    assert_memory_equal(&kept, &back, sizeof kept);
    memset(&kept, 0, sizeof kept);
    assert_int_equal(kept_encode(&kept, block, sizeof block, &len), 0);
    seed_write("guest_blocks", "kept-nothing", SEED_PLAIN, block, len);
    assert_int_equal(kept_decode(block, len, &back), 0);
    assert_memory_equal(&kept, &back, sizeof kept);
    assert_int_equal(kept_encode(&kept, block, 100, &len), -ENOSPC);
}

static void a_cut_block_leaves_no_half_of_a_key(void **state)
{
    static struct kept kept, back, nothing;
    uint8_t block[HANDOVER_KEPT_MAX];
    size_t len;
    (void)state;
    kept_fill(&kept);
    assert_int_equal(kept_encode(&kept, block, sizeof block, &len), 0);
    for (size_t cut = 0; cut < len; cut++) {
        memset(&back, 0x5a, sizeof back);
        assert_int_equal(kept_decode(block, cut, &back), -EBADMSG);
        assert_memory_equal(&back, &nothing, sizeof back);
    }
}

static void a_handover_comes_back_as_it_was(void **state)
{
    static struct handover handover, back;
    uint8_t record[HANDOVER_RECORD_MAX];
    size_t len;
    (void)state;
    memset(handover.manifest, 1, sizeof handover.manifest);
    memset(handover.config, 2, sizeof handover.config);
    strcpy(handover.stub_version, "0.1.0");
    handover.kept_len = HANDOVER_KEPT_MAX;
    memset(handover.kept, 3, sizeof handover.kept);
    assert_int_equal(handover_encode(&handover, record, &len), 0);
    assert_int_equal(handover_decode(record, len, &back), 0);
    assert_memory_equal(&handover, &back, sizeof handover);
    for (size_t cut = 0; cut < len; cut++)
        assert_int_equal(handover_decode(record, cut, &back), -EBADMSG);
    handover.kept_len = 0;
    assert_int_equal(handover_encode(&handover, record, &len), 0);
    seed_write("guest_blocks", "handover", SEED_PLAIN, record, len);
    assert_int_equal(handover_decode(record, len, &back), 0);
    assert_int_equal(back.kept_len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kept_comes_back_as_it_was),
        cmocka_unit_test(a_cut_block_leaves_no_half_of_a_key),
        cmocka_unit_test(a_handover_comes_back_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
