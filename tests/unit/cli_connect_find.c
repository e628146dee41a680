/*
 * From a word to an object, by lists that a host's edge may have bent: what is signed for is shown, and an id
 * names that object and no other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "src/cli/connect.h"

#define MINE "11111111-1111-4111-8111-111111111111"
#define OTHER "22222222-2222-4222-8222-222222222222"

/* ---- a host ---- */

static const char *list; /* JSON */
static char asked[128];

int connect_each_of(struct connect *connect, const char *path, const char *key, connect_each *each, void *arg)
{
    struct json *tree;
    int exit_code = CLI_OK;
    (void)path;
    (void)key;
    assert_int_equal(json_parse(list, strlen(list), NULL, &tree), 0);
    for (size_t i = 0; i < json_count(tree) && exit_code == CLI_OK; i++)
        exit_code = each(connect, json_at(tree, i), arg);
    json_destroy(tree);
    return exit_code;
}

int connect_call(struct connect *connect, const char *method, const char *path, const char *body, bool sign,
                 struct json **ret_body)
{
    char text[128];
    (void)connect;
    (void)body;
    assert_string_equal(method, "GET");
    assert_false(sign);
    snprintf(asked, sizeof asked, "%s", path);
    snprintf(text, sizeof text, "{\"id\":\"%s\"}", strrchr(path, '/') + 1);
    assert_int_equal(json_parse(text, strlen(text), NULL, ret_body), 0);
    return CLI_OK;
}

const char *connect_text(const struct json *object, const char *key)
{
    const struct json *value = json_member(object, key);
    return json_is_text(value) ? json_text(value) : "";
}

/* ---- tests ---- */

static int find(const char *word, struct json **ret_vm)
{
    struct connect connect = {.json = false};
    asked[0] = '\0';
    return connect_find_vm(&connect, word, ret_vm);
}

static void a_name_or_a_beginning_finds_what_is_called_so(void **state)
{
    static const char *const words[] = {"mine", MINE, "1111"};
    (void)state;
    list = "[{\"id\":\"" OTHER "\",\"name\":\"other\"},{\"id\":\"" MINE "\",\"name\":\"mine\"}]";
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct json *vm;
        assert_int_equal(find(words[i], &vm), CLI_OK);
        assert_string_equal(asked, "/v1/vms/" MINE);
        json_destroy(vm);
    }
}

static void an_object_that_is_called_like_an_id_is_not_taken_for_it(void **state)
{
    struct json *vm;
    (void)state;
    list = "[{\"id\":\"" OTHER "\",\"name\":\"" MINE "\"}]";
    assert_int_equal(find(MINE, &vm), CLI_NOT_FOUND);
    assert_string_equal(asked, "");
}

static void what_will_be_signed_is_shown_with_its_id(void **state)
{
    char *said = NULL;
    size_t len = 0;
    struct json *vm;
    FILE *before = stderr;
    (void)state;
    list = "[{\"id\":\"" OTHER "\",\"name\":\"mine\"}]";
    assert_int_equal(find("mine", &vm), CLI_OK);
    stderr = open_memstream(&said, &len);
    connect_say_object("destroys ", "mine", vm);
    fclose(stderr);
    stderr = before;
    assert_string_equal(said, "destroys mine, id " OTHER "\n");
    free(said);
    json_destroy(vm);
}

static void a_terminal_is_named_by_digits_alone(void **state)
{
    static const char *const none[] = {"",
                                       "0123456789abcde",
                                       "0123456789abcdef0",
                                       "0123456789ABCDEF",
                                       "$(id)           ",
                                       "\x1b]0;0123456789ab"};
    (void)state;
    assert_true(connect_terminal_id_valid("0123456789abcdef"));
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(connect_terminal_id_valid(none[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_or_a_beginning_finds_what_is_called_so),
        cmocka_unit_test(an_object_that_is_called_like_an_id_is_not_taken_for_it),
        cmocka_unit_test(what_will_be_signed_is_shown_with_its_id),
        cmocka_unit_test(a_terminal_is_named_by_digits_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
