/* JSON and JSON-RPC: limits and strictness of the parser, the reader's named faults, the writer's text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/rpc_message.h"
#include "tests/unit/seed.h"

static int parse(const char *text, struct json **ret_tree)
{
    return json_parse(text, strlen(text), NULL, ret_tree);
}

static void refused(const char *text, int error)
{
    struct json *tree = NULL;
    int found = parse(text, &tree);
    if (found != error)
        fail_msg("%s: %d and not %d", text, found, error);
    assert_null(tree);
}

static void malformed_text_is_refused(void **state)
{
    static const char *const wrong[] = {
        "",
        " ",
        "{",
        "[1,]",
        "{\"a\":1,}",
        "nul",
        "1 2",
        "{}{}",
        "[1]x",
        "'a'",
        "{a:1}",
        "01",
        "+1",
        "\"\\x\"",
        "\"a\nb\"",
        "{\"a\":1,\"a\":2}",
        "{\"a\":{\"b\":1,\"c\":2,\"b\":3}}",
        "\"\\u0000\"",
        "{\"a\\u0000\":1}",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud800\\u0041\"",
        "\"\\ud800\\\\udc00\"",
        "\"\xc0\x80\"",
        "\"\xed\xa0\x80\"",
        "/* a */ 1",
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        refused(wrong[i], -EBADMSG);
}

static void limits_hold(void **state)
{
    char text[40];
    struct json *tree;
    const struct json_limits small = {30, 2, 3};
    (void)state;
    memset(text, '[', 17);
    memset(text + 17, ']', 17);
    assert_int_equal(json_parse(text, 34, NULL, &tree), -EMSGSIZE);
    assert_int_equal(json_parse(text + 1, 32, NULL, &tree), 0);
    json_destroy(tree);
    assert_int_equal(json_parse("[1,2,3]", 7, &small, &tree), 0);
    json_destroy(tree);
    assert_int_equal(json_parse("[1,2,3,4]", 9, &small, &tree), -EMSGSIZE);
    assert_int_equal(json_parse("[[[]]]", 6, &small, &tree), -EMSGSIZE);
    assert_int_equal(json_parse("\"0123456789012345678901234567890\"", 33, &small, &tree), -EMSGSIZE);
}

static void a_tree_writes_back_the_same(void **state)
{
    static const char *const texts[] = {("{\"a\":[1,-2,3.5e7,true,false,null],\"b\":{\"c\":"
                                         "\"\\\"\\\\\\n\\u0001\xe2\x82\xac\"},\"d\":{},\"e\":[]}"),
                                        "[]", "0", "\"\"", "9223372036854775808"};
    (void)state;
    seed_write_text("json", "all-kinds", SEED_PLAIN, texts[0]);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct json *tree;
        struct json_writer writer = json_writer_init(0);
        assert_int_equal(parse(texts[i], &tree), 0);
        json_write_value(&writer, NULL, tree);
        assert_int_equal(json_writer_end(&writer), 0);
        assert_string_equal(writer.text, texts[i]);
        json_writer_finish(&writer);
        json_destroy_wiped(tree);
    }
}

static void surrogate_pairs_become_characters(void **state)
{
    struct json *tree;
    (void)state;
    assert_int_equal(parse("\"\\ud83d\\ude00\"", &tree), 0);
    assert_string_equal(json_text(tree), "\xf0\x9f\x98\x80");
    json_destroy(tree);
}

static void numbers_are_whole_or_refused(void **state)
{
    static const char *const wrong[] = {
        "9223372036854775808", "-9223372036854775809", "1.0", "1e3", "\"1\"", "true"};
    struct json *tree;
    int64_t number = 5;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(parse(wrong[i], &tree), 0);
        assert_int_equal(json_int(tree, &number), -EINVAL);
        assert_int_equal(number, 5);
        json_destroy(tree);
    }
    assert_int_equal(parse("-9223372036854775808", &tree), 0);
    assert_int_equal(json_int(tree, &number), 0);
    assert_true(number == INT64_MIN);
    json_destroy(tree);
}

static void the_reader_names_the_first_wrong_key(void **state)
{
    struct json *tree;
    (void)state;
    assert_int_equal(parse("{\"name\":\"vm-1\",\"n\":7,\"no\":null,\"hash\":\"00FF\",\"yes\":true}", &tree),
                     0);
    struct json_reader good = json_reader_init(tree);
    assert_string_equal(json_read_name(&good, "name"), "vm-1");
    assert_int_equal(json_read_int(&good, "n", 0, 7), 7);
    assert_int_equal(json_read_int_or(&good, "no", 0, 7, 3), 3);
    assert_string_equal(json_read_text_or(&good, "missing", "x"), "x");
    assert_true(json_read_bool(&good, "yes"));
    assert_int_equal(json_reader_end(&good), 0);
    struct json_reader bad = json_reader_init(tree);
    uint8_t hash[2];
    assert_int_equal(json_read_int(&bad, "n", 0, 6), 0);
    json_read_hex(&bad, "hash", hash, 2);
    assert_int_equal(json_reader_end(&bad), -EINVAL);
    assert_string_equal(bad.wrong, "n");
    struct json_reader kind = json_reader_init(tree);
    assert_string_equal(json_read_text_or(&kind, "n", "x"), "x");
    assert_string_equal(kind.wrong, "n");
    json_destroy(tree);
    struct json_reader none = json_reader_init(NULL);
    assert_string_equal(json_read_text(&none, "a"), "");
    assert_string_equal(none.wrong, "a");
}

static void the_writer_escapes_and_bounds(void **state)
{
    struct json_writer writer = json_writer_init(0), small = json_writer_init(8);
    (void)state;
    json_write_object_begin(&writer, NULL);
    json_write_text(&writer, "t", "a\"\\\x01\xff\x7f");
    json_write_text(&writer, "n", NULL);
    json_write_hex(&writer, "h", "\x0f\xf0", 2);
    json_write_base64(&writer, "b", "fooba", 5);
    json_write_format(&writer, "f", "%d-%s", 5, "x");
    json_write_array_begin(&writer, "l");
    json_write_int(&writer, NULL, INT64_MIN);
    json_write_bool(&writer, NULL, false);
    assert_int_equal(json_writer_end(&writer), -EINVAL);
    json_write_array_end(&writer);
    json_write_object_end(&writer);
    assert_int_equal(json_writer_end(&writer), 0);
    assert_string_equal(writer.text,
                        "{\"t\":\"a\\\"\\\\\\u0001\xef\xbf\xbd\\u007f\",\"n\":null,\"h\":\"0ff0\",\"b\":"
                        "\"Zm9vYmE=\",\"f\":\"5-x\",\"l\":[-9223372036854775808,false]}");
    char *taken = json_writer_take(&writer);
    free(taken);
    assert_string_equal(writer.text, "");
    json_write_text(&small, NULL, "1234567");
    assert_int_equal(json_writer_end(&small), -EMSGSIZE);
    json_writer_finish(&small);
    json_writer_finish_wiped(&writer);
}

static int decode(const char *text, struct rpc_message *message, char id[RPC_MESSAGE_ID_BYTES])
{
    return rpc_message_decode(text, strlen(text), NULL, message, id);
}

static void rpc_messages_are_told_apart(void **state)
{
    struct rpc_message message;
    char id[RPC_MESSAGE_ID_BYTES];
    (void)state;
    assert_int_equal(
        decode("{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"a\",\"params\":{\"x\":1}}", &message, id), 0);
    assert_int_equal(message.kind, RPC_MESSAGE_REQUEST);
    assert_int_equal(message.id_number, 7);
    assert_string_equal(message.method, "a");
    assert_int_equal(json_count(message.params), 1);
    rpc_message_finish(&message);
    assert_int_equal(decode("{\"jsonrpc\":\"2.0\",\"id\":\"x y\",\"result\":null}", &message, id), 0);
    assert_int_equal(message.kind, RPC_MESSAGE_RESULT);
    assert_string_equal(message.id, "\"x y\"");
    assert_int_equal(message.id_number, -1);
    rpc_message_finish_wiped(&message);
    assert_int_equal(decode("{\"jsonrpc\":\"2.0\",\"method\":\"a\"}", &message, id), 0);
    assert_int_equal(message.kind, RPC_MESSAGE_NOTIFICATION);
    rpc_message_finish(&message);
}

static void what_is_no_rpc_message_is_refused(void **state)
{
    static const char *const wrong[] = {
        "[]",
        "1",
        "{}",
        "{\"jsonrpc\":\"1.0\",\"id\":3,\"method\":\"a\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":7}",
        "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"a\",\"params\":5}",
        "{\"jsonrpc\":\"2.0\",\"id\":3}",
        "{\"jsonrpc\":\"2.0\",\"id\":[],\"method\":\"a\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"a\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":3,\"error\":{\"code\":\"x\",\"message\":\"y\"}}",
        "{\"jsonrpc\":\"2.0\",\"result\":1}",
        "{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":1,\"error\":{\"code\":1,\"message\":\"y\"}}"};
    struct rpc_message message;
    char id[RPC_MESSAGE_ID_BYTES] = "";
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(decode(wrong[i], &message, id), -EINVAL);
        assert_string_equal(id, strstr(wrong[i], "\"id\":3") ? "3" : "null");
    }
}

static void a_failure_carries_its_code(void **state)
{
    struct json_writer writer = json_writer_init(0);
    struct rpc_message message;
    char id[RPC_MESSAGE_ID_BYTES];
    (void)state;
    rpc_message_write_failure(&writer, "12", CODE_DRIVE_HELD, "vm \"a\"");
    seed_write_text("rpc_message", "error", SEED_PLAIN, writer.text);
    assert_int_equal(decode(writer.text, &message, id), 0);
    assert_int_equal(message.kind, RPC_MESSAGE_ERROR);
    assert_int_equal(message.code, CODE_DRIVE_HELD);
    assert_string_equal(message.name, "DRIVE_HELD");
    assert_string_equal(message.detail, "vm \"a\"");
    assert_string_equal(message.words, code_find("DRIVE_HELD")->words);
    rpc_message_finish(&message);
    json_writer_finish(&writer);
}

static void codes_are_unique_and_whole(void **state)
{
    (void)state;
    for (unsigned i = 0; code_at(i); i++) {
        const struct code_info *row = code_at(i);
        assert_ptr_equal(code_find(row->name), row);
        assert_ptr_equal(code_info(row->code), row);
        assert_true(row->http_status >= 400 && *row->words && *row->action && strlen(row->name) <= 32);
    }
    assert_null(code_find("NO_SUCH_CODE"));
    assert_null(code_info(CODE_NONE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(malformed_text_is_refused),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(a_tree_writes_back_the_same),
        cmocka_unit_test(surrogate_pairs_become_characters),
        cmocka_unit_test(numbers_are_whole_or_refused),
        cmocka_unit_test(the_reader_names_the_first_wrong_key),
        cmocka_unit_test(the_writer_escapes_and_bounds),
        cmocka_unit_test(rpc_messages_are_told_apart),
        cmocka_unit_test(what_is_no_rpc_message_is_refused),
        cmocka_unit_test(a_failure_carries_its_code),
        cmocka_unit_test(codes_are_unique_and_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
