/*
 * Configuration: defaults, every kind of key, and errors that name the key.
 */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "src/io/config.h"
#include "tests/unit/seed.h"

static void refuse(const char *text, const char *words)
{
    struct config config;
    char error[CONFIG_ERROR_MAX] = "";
    memset(&config, 0x5a, sizeof(config));
    assert_int_equal(config_parse("kiln.conf", text, strlen(text), &config, error), -EINVAL);
    if (strstr(error, words) == NULL)
        fail_msg("for %s the error was: %s", text, error);
    /* The result is untouched. */
    for (size_t i = 0; i < sizeof(config); i++)
        assert_int_equal(((unsigned char *)&config)[i], 0x5a);
}

static void take(const char *text, struct config *config)
{
    char error[CONFIG_ERROR_MAX];
    int result = config_parse("kiln.conf", text, strlen(text), config, error);
    seed_write_text("config", strlen(text) > 2 ? "some" : "empty", SEED_PLAIN, text);
    if (result < 0)
        fail_msg("%s", error);
}

static void test_an_empty_object_has_every_default(void **state)
{
    (void)state;
    struct config config;
    take("{}", &config);
    assert_string_equal(config.state_dir, "/var/lib/kiln");
    assert_string_equal(config.network.subnet, "10.77.0.0/24");
    assert_string_equal(config.guest_listen, "10.77.0.1:8443");
    assert_int_equal(config.deadlines.booted_s, 300);
    assert_int_equal(config.domain_type, CONFIG_DOMAIN_AUTO);
    assert_int_equal(config.orphans, CONFIG_ORPHANS_REPORT);
    assert_int_equal(config.orphan_grace_s, 60);
    cpu_set_t cores;
    assert_int_equal(sched_getaffinity(0, sizeof(cores), &cores), 0);
    assert_int_equal(config.max_boots, CPU_COUNT(&cores) < 2 ? 2 : CPU_COUNT(&cores));
    assert_int_equal(config.noperators, 0);
    config_finish(&config);
}

static void test_values_are_taken(void **state)
{
    (void)state;
    struct config config;
    take("{\"state_dir\":\"/x\",\"domain_type\":\"qemu\",\"orphans\":\"reap\",\"max_boots\":7,"
         "\"network\":{\"bridge\":\"kb0\"},\"deadlines_s\":{\"image-created\":0,\"drives-attached\":9},"
         "\"operators\":[\"root\",1001],\"owner_listen\":\"[::1]:9443\"}",
         &config);
    assert_string_equal(config.state_dir, "/x");
    assert_int_equal(config.domain_type, CONFIG_DOMAIN_QEMU);
    assert_int_equal(config.orphans, CONFIG_ORPHANS_REAP);
    assert_int_equal(config.max_boots, 7);
    assert_string_equal(config.network.bridge, "kb0");
    assert_string_equal(config.network.name, "kiln");
    assert_int_equal(config.deadlines.image_created_s, 0);
    assert_int_equal(config.deadlines.drives_attached_s, 9);
    assert_int_equal(config.noperators, 2);
    assert_int_equal(config.operators[0], 0);
    assert_int_equal(config.operators[1], 1001);
    config_finish(&config);
}

static void test_unknown_keys_name_the_nearest(void **state)
{
    (void)state;
    refuse("{\"stat_dir\":\"/x\"}", "kiln.conf: stat_dir: unknown key; the nearest known one is state_dir");
    refuse("{\"deadline_s\":{}}", "the nearest known one is deadlines_s");
    refuse("{\"deadlines_s\":{\"boot\":1}}",
           "deadlines_s.boot: unknown key; the nearest known one is booted");
    refuse("{\"operator\":[]}", "the nearest known one is operators");
}

static void test_wrong_values_name_their_key(void **state)
{
    (void)state;
    refuse("{\"state_dir\":\"relative\"}", "state_dir: must be an absolute path");
    refuse("{\"state_dir\":7}", "state_dir: must be a string");
    refuse("{\"max_boots\":0}", "max_boots: must be from 1 to 1024");
    refuse("{\"max_boots\":\"4\"}", "max_boots: must be a whole number");
    refuse("{\"domain_type\":\"xen\"}", "domain_type: must be one of auto|kvm|qemu");
    refuse("{\"network\":7}", "network: must be an object");
    refuse("{\"network\":{\"subnet\":\"10.77.0.1/24\"}}", "network.subnet: must be");
    refuse("{\"network\":{\"subnet\":\"10.77.0.0/30\"}}", "network.subnet: must be");
    refuse("{\"guest_listen\":\"10.77.0.1\"}", "guest_listen: must be ADDRESS:PORT");
    refuse("{\"guest_listen\":\"a:70000\"}", "guest_listen: must be ADDRESS:PORT");
    refuse("{\"log_level\":\"loud\"}", "log_level: must be debug");
    refuse("{\"operators\":[\"no-such-user-here\"]}", "operators: names a user");
    refuse("{\"operators\":[-1]}", "operators: each must be");
    refuse("[]", "must be an object");
    refuse("{", "is not JSON");
    refuse("{\"pool\":\"a\",\"pool\":\"b\"}", "is not JSON (a key given twice");
}

static void test_a_missing_file_is_named(void **state)
{
    (void)state;
    struct config config;
    char error[CONFIG_ERROR_MAX];
    assert_int_equal(config_load("/no/such/file", &config, error), -ENOENT);
    assert_non_null(strstr(error, "/no/such/file"));
}

static void test_addresses_split(void **state)
{
    (void)state;
    char host[CONFIG_HOST_MAX];
    uint16_t port;
    assert_int_equal(config_split_address("127.0.0.1:80", host, &port), 0);
    assert_string_equal(host, "127.0.0.1");
    assert_int_equal(port, 80);
    assert_int_equal(config_split_address("[fe80::1]:65535", host, &port), 0);
    assert_string_equal(host, "fe80::1");
    const char *bad[] = {"",           ":",       "host",       "host:", ":80",
                         "host:65536", "host:8x", "fe80::1:80", "[]:1",  "host:123456"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(config_split_address(bad[i], host, &port), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_empty_object_has_every_default),
        cmocka_unit_test(test_values_are_taken),
        cmocka_unit_test(test_unknown_keys_name_the_nearest),
        cmocka_unit_test(test_wrong_values_name_their_key),
        cmocka_unit_test(test_a_missing_file_is_named),
        cmocka_unit_test(test_addresses_split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
