/*
 * A VM's status: what is written is read back; what a VM must not say is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/status.h"
#include "tests/unit/seed.h"

static const struct status sample = {
    .state = "ready",
    .at_ms = 1795000000000,
    .uptime_s = 77,
    .load_hundredths = {5, 100, 1234},
    .cpu_count = 2,
    .busy_ms = 5000,
    .idle_ms = 150000,
    .memory_kib = 1000000,
    .memory_free_kib = 400000,
    .memory_usable_kib = 600000,
    .rx_bytes = 12,
    .tx_bytes = (INT64_C(1) << 53) - 1,
    .ndrives = 2,
    .drive = {{.id = {1},
               .name = "letters",
               .writer = true,
               .status = "mounted",
               .path = "/drives/letters",
               .size_kib = 9,
               .free_kib = 8},
              {.id = {2},
               .name = "shared",
               .status = "failed",
               .code = "DRIVE_KEY_WRONG",
               .detail = "no \"slot\""}},
};

static char *encode(const struct status *status)
{
    struct json_writer out = json_writer_init(0);
    status_encode(status, &out);
    assert_int_equal(json_writer_end(&out), 0);
    return json_writer_take(&out);
}

static int decode(const char *text, struct status *ret_status)
{
    struct json *tree;
    assert_int_equal(json_parse(text, strlen(text), NULL, &tree), 0);
    int result = status_decode(tree, ret_status);
    json_destroy(tree);
    return result;
}

static void test_what_is_written_is_read_back(void **state)
{
    (void)state;
    struct status again;
    memset(&again, 0, sizeof again);
    char *text = encode(&sample);
    seed_write_text("status", "ready", SEED_PLAIN, text);
    assert_non_null(strstr(text, "\"load\":[0.05,1.00,12.34]"));
    assert_int_equal(decode(text, &again), 0);
    assert_memory_equal(&again, &sample, sizeof again);
    free(text);
}

/* Decodes the sample with WHAT in it replaced. */
static int decode_with(const char *what, const char *by)
{
    struct status again = {.ndrives = 7};
    char *text = encode(&sample), *at = strstr(text, what), changed[8192];
    assert_non_null(at);
    snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, by, at + strlen(what));
    int result = decode(changed, &again);
    if (result < 0)
        assert_int_equal(again.ndrives, 7);
    free(text);
    return result;
}

static void test_other_writers_are_understood(void **state)
{
    (void)state;
    assert_int_equal(decode_with("0.05,1.00,12.34", "0,1,12.3456"), 0);
    assert_int_equal(decode_with("{\"state\"", "{\"more\":{},\"state\""), 0);
}

static void test_what_is_wrong_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {
        {"\"ready\"", "7"},
        {"\"ready\"", "\"a state whose name is longer than any is\""},
        {"\"uptime_s\":77", "\"uptime_s\":-1"},
        {"9007199254740991", "9007199254740992"},
        {"0.05,1.00", "0.05"},
        {"0.05", "-0.05"},
        {"0.05", "1e5"},
        {"12.34", "9999999999999999999"},
        {"\"cpu\":{", "\"no\":{"},
        {"\"mode\":\"reader\"", "\"mode\":\"owner\""},
        {"\"size_kib\":9", "\"size_kib\":\"9\""},
        {"\"drives\":[", "\"drives\":[1,2,3,4,5,6,7,"},
        {"\"network\":{", "\"network\":[],\"n\":{"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_true(decode_with(wrong[i][0], wrong[i][1]) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read_back),
        cmocka_unit_test(test_other_writers_are_understood),
        cmocka_unit_test(test_what_is_wrong_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
