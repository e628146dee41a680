/*
 * Targets of requests: one spelling each, and none that leads elsewhere.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/api_path.h"
#include "tests/unit/seed.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define VM "11111111-1111-4111-8111-111111111111"
#define PART64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void a_resource_reads_back(void **state)
{
    static const struct {
        const char *name, *target;
    } good[] = {
        {"list", "/v1/vms"},
        {"page", "/v1/users?after=" PART64},
        {"history", "/v1/vms/" VM "/history?after=17"},
        {"events", "/v1/events?since=9007199254740992"},
        {"envelope", "/v1/drives/" VM "/envelopes/" PART64},
    };
    struct api_path path;
    char again[API_TARGET_BYTES];
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_int_equal(api_path_parse(good[i].target, &path), 0);
        api_path_format(&path, again);
        assert_string_equal(again, good[i].target);
        seed_write_text("api_path", good[i].name, SEED_PLAIN, good[i].target);
    }
    assert_int_equal(api_path_parse("/v1/vms/" VM "/history?after=17", &path), 0);
    assert_int_equal(path.nparts, 4);
    assert_string_equal(path.after, "17");
    assert_int_equal(path.since, -1);
}

static void what_reads_otherwise_names_nothing(void **state)
{
    static const char *const wrong[] = {"",
                                        "v1",
                                        "/",
                                        "/v1/",
                                        "//v1",
                                        "/v1//vms",
                                        "/v1/.",
                                        "/v1/..",
                                        "/.v1",
                                        "/v1/a%62",
                                        "/v1/a b",
                                        "/v1/a\\b",
                                        "/v1/vms?",
                                        "/v1/vms?x=1",
                                        "/v1?vms/",
                                        "/v1/vms?after=",
                                        "/v1?after=a/b",
                                        "/v1?after=%61",
                                        "/v1?since=",
                                        "/v1?since=-1",
                                        "/1/2/3/4/5/6",
                                        "/v1?since=01",
                                        "/v1?since=1&after=a",
                                        "/v1#a",
                                        "/v1/" PART64 "0",
                                        "/v1?since=12345678901234567",
                                        "/v1?after=" PART64 PART64 "0"};
    struct api_path path = {.nparts = 99};
    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        assert_int_equal(api_path_parse(wrong[i], &path), -EBADMSG);
        assert_int_equal(path.nparts, 99);
    }
    seed_write_text("api_path", "two-queries", SEED_PLAIN, "/v1?since=1&after=a");
}

static void a_pattern_gives_what_stands_at_its_stars(void **state)
{
    struct api_path path;
    const char *stars[API_STARS_MAX] = {"before", "before"};
    (void)state;
    assert_int_equal(api_path_parse("/v1/drives/d/envelopes/f", &path), 0);
    assert_false(api_path_fits(&path, "/v1/drives/*", stars));
    assert_false(api_path_fits(&path, "/v1/drives/*/envelopes", stars));
    assert_false(api_path_fits(&path, "/v1/drives/*/envelopes/*/x", stars));
    assert_false(api_path_fits(&path, "/v1/drives/*/envelope/*", stars));
    assert_string_equal(stars[0], "before");
    assert_true(api_path_fits(&path, "/v1/drives/*/envelopes/*", stars));
    assert_string_equal(stars[0], "d");
    assert_string_equal(stars[1], "f");
}

static void a_file_stays_below_its_folder(void **state)
{
    static const char *const good[][2] = {{"/", "index.html"},
                                          {"/?x=/../y", "index.html"},
                                          {"/app.js", "app.js"},
                                          {"/js/v2/app.min.js?v=%2e", "js/v2/app.min.js"},
                                          {"/..a", NULL},
                                          {"/../secret", NULL},
                                          {"/js/../../secret", NULL},
                                          {"/%2e%2e/secret", NULL},
                                          {"/..%2fsecret", NULL},
                                          {"/js/", NULL},
                                          {"//etc/passwd", NULL},
                                          {"/.git/config", NULL},
                                          {"/a\\..\\b", NULL},
                                          {"/a;b", NULL},
                                          {"a", NULL},
                                          {"", NULL}};
    char file[API_FILE_BYTES], deep[2 * API_FILE_BYTES];
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        strcpy(file, "before");
        assert_int_equal(api_file_parse(good[i][0], file), good[i][1] ? 0 : -ENOENT);
        assert_string_equal(file, good[i][1] ? good[i][1] : "before");
    }
    seed_write_text("api_path", "file", SEED_PLAIN, good[3][0]);
    seed_write_text("api_path", "out", SEED_PLAIN, good[6][0]);
    for (size_t i = 0; i < sizeof deep; i++)
        deep[i] = i % 2 ? 'a' : '/';
    deep[API_FILE_BYTES] = '\0';
    assert_int_equal(api_file_parse(deep, file), 0);
    assert_string_equal(file, deep + 1);
    deep[API_FILE_BYTES] = '/';
    deep[API_FILE_BYTES + 2] = '\0';
    assert_int_equal(api_file_parse(deep, file), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_resource_reads_back),
        cmocka_unit_test(what_reads_otherwise_names_nothing),
        cmocka_unit_test(a_pattern_gives_what_stands_at_its_stars),
        cmocka_unit_test(a_file_stays_below_its_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
