/*
 * The body of a refusal, for each code.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/api_failure.h"
#include "protocol/json.h"
#include "protocol/json_write.h"

static void check_body(enum kiln_code code, const char *detail)
{
    const struct code_info *info = code_info(code);
    struct json_writer body = json_writer_init(0);
    struct json *tree;
    api_failure_write(&body, code, detail);
    assert_int_equal(json_writer_end(&body), 0);
    assert_int_equal(json_parse(body.text, body.len, NULL, &tree), 0);
    const struct json *error = json_member(tree, "error");
    assert_string_equal(json_text(json_member(error, "code")), info->name);
    assert_string_equal(json_text(json_member(error, "message")), info->words);
    assert_string_equal(json_text(json_member(error, "detail")), detail ? detail : "");
    json_destroy(tree);
    json_writer_finish(&body);
}

static void each_code_has_its_body(void **state)
{
    (void)state;
#define CHECK(name, number, status, words, action) check_body(CODE_##name, "a \"detail\"\n");
    KILN_CODES(CHECK)
#undef CHECK
    check_body(CODE_NOT_FOUND, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_code_has_its_body)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
