/* The binary wire and the text forms: what is written reads back, and every shorter or longer text is
 * refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "protocol/wire.h"
#include "tests/unit/seed.h"

static size_t write_sample(uint8_t *out, size_t max)
{
    struct wire_writer writer = wire_writer_init(out, max);
    size_t len = 0;
    wire_write_u8(&writer, 7);
    wire_write_u16(&writer, 0x0102);
    wire_write_u32(&writer, 0x03040506);
    wire_write_u64(&writer, 0x0708090a0b0c0d0eULL);
    wire_write_field_text(&writer, "label");
    wire_write_field_u64(&writer, 99);
    wire_write_field(&writer, "", 0);
    return wire_writer_end(&writer, &len) == 0 ? len : 0;
}

static int read_sample(const uint8_t *bytes, size_t len)
{
    struct wire_reader reader = wire_reader_init(bytes, len);
    bool same = wire_read_u8(&reader) == 7 && wire_read_u16(&reader) == 0x0102 &&
                wire_read_u32(&reader) == 0x03040506 && wire_read_u64(&reader) == 0x0708090a0b0c0d0eULL;
    wire_read_label(&reader, "label");
    same = same && wire_read_field_u64(&reader) == 99 && wire_read_field(&reader).len == 0;
    return wire_reader_end(&reader) == 0 && same ? 0 : -EBADMSG;
}

static void what_is_written_reads_back(void **state)
{
    uint8_t bytes[128];
    (void)state;
    size_t len = write_sample(bytes, sizeof bytes);
    assert_int_equal(len, 1 + 2 + 4 + 8 + 9 + 12 + 4);
    seed_write("text", "fields", SEED_PLAIN, bytes + 15, len - 15);
    assert_int_equal(read_sample(bytes, len), 0);
    for (size_t cut = 0; cut < len; cut++)
        assert_int_equal(read_sample(bytes, cut), -EBADMSG);
    assert_int_equal(read_sample(bytes, len + 1), -EBADMSG);
}

static void a_full_writer_stays_bad(void **state)
{
    uint8_t bytes[128];
    (void)state;
    size_t len = write_sample(bytes, sizeof bytes);
    for (size_t room = 0; room < len; room++)
        assert_int_equal(write_sample(bytes, room), 0);
    struct wire_writer writer = wire_writer_init(bytes, 2);
    wire_write_u32(&writer, 1);
    wire_write_u8(&writer, 1);
    assert_int_equal(writer.len, 0);
    assert_int_equal(wire_writer_end(&writer, &len), -ENOSPC);
}

static void a_length_beyond_the_end_is_refused(void **state)
{
    const uint8_t bytes[] = {0xff, 0xff, 0xff, 0xff, 1, 2};
    (void)state;
    seed_write("text", "field-too-long", SEED_PLAIN, bytes, sizeof bytes);
    struct wire_reader reader = wire_reader_init(bytes, sizeof bytes);
    assert_null(wire_read_field(&reader).bytes);
    assert_true(reader.bad);
    assert_int_equal(wire_read_u8(&reader), 0);
}

static void hex_is_strict(void **state)
{
    static const char *const wrong[] = {"", "0", "00f", "00FF", "0x12", "00gg", " 00f", "00ff00"};
    uint8_t bytes[2] = {9, 9};
    char text[TEXT_HEX_BYTES(2)];
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(hex_decode(wrong[i], bytes, 2), -EBADMSG);
    assert_int_equal(bytes[0], 9);
    seed_write_text("text", "hex", SEED_PLAIN, "00ff");
    assert_int_equal(hex_decode("00ff", bytes, 2), 0);
    hex_encode(bytes, 2, text);
    assert_string_equal(text, "00ff");
}

static void base64_goes_both_ways(void **state)
{
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char text[16];
        uint8_t bytes[16];
        size_t len = strlen(pairs[i][0]), back;
        base64_encode(pairs[i][0], len, text);
        assert_string_equal(text, pairs[i][1]);
        seed_write_text("text", "base64", SEED_PLAIN, text);
        assert_int_equal(base64_decode(text, strlen(text), bytes, len, &back), 0);
        assert_int_equal(back, len);
        assert_memory_equal(bytes, pairs[i][0], len);
        if (len > 0)
            assert_int_equal(base64_decode(text, strlen(text), bytes, len - 1, &back), -ENOSPC);
    }
}

static void base64_has_one_text_a_value(void **state)
{
    static const char *const wrong[] = {
        "Z", "Zg", "Zg=", "Zg= =", "Zh==", "Zm9=", "====", "=g==", "Zg==Zg==", "Zm9v\n", "Zm-_", "Zm9v Zm9v"};
    uint8_t bytes[16];
    size_t len;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(base64_decode(wrong[i], strlen(wrong[i]), bytes, sizeof bytes, &len), -EBADMSG);
}

static void uuids_have_one_form(void **state)
{
    static const char good[] = "0123abcd-4567-89ef-0123-456789abcdef";
    static const char *const wrong[] = {
        "", "0123ABCD-4567-89ef-0123-456789abcdef", "0123abcd4567-89ef-0123-456789abcdef-",
        "0123abcd-4567-89ef-0123-456789abcde", "{123abcd-4567-89ef-0123-456789abcdef"};
    uint8_t uuid[UUID_BYTES];
    char text[UUID_TEXT_BYTES];
    (void)state;
    seed_write_text("text", "uuid", SEED_PLAIN, good);
    assert_int_equal(uuid_parse(good, uuid), 0);
    uuid_format(uuid, text);
    assert_string_equal(text, good);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(uuid_parse(wrong[i], uuid), -EBADMSG);
}

static void names_are_as_the_wire_says(void **state)
{
    (void)state;
    assert_true(name_valid("a") && name_valid("0-9") && name_valid("abcdefghijklmnopqrstuvwxyz012345"));
    assert_false(name_valid(NULL) || name_valid("") || name_valid("-a") || name_valid("A") ||
                 name_valid("a_b"));
    assert_false(name_valid("abcdefghijklmnopqrstuvwxyz0123456"));
}

static void utf8_refuses_what_is_not_a_character(void **state)
{
    static const char *const wrong[] = {"\x80",         "\xc0\x80",         "\xe0\x9f\xbf",
                                        "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
                                        "\xff",         "\xe2\x82"};
    (void)state;
    assert_int_equal(utf8_valid_prefix("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 10), 10);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(utf8_valid_prefix(wrong[i], strlen(wrong[i])), 0);
}

static void equality_looks_at_every_byte(void **state)
{
    uint8_t a[4] = {1, 2, 3, 4}, b[4] = {1, 2, 3, 4};
    (void)state;
    assert_true(wire_equal(a, b, 4));
    for (size_t i = 0; i < 4; i++) {
        b[i] ^= 0x80;
        assert_false(wire_equal(a, b, 4));
        b[i] ^= 0x80;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_reads_back),
        cmocka_unit_test(a_full_writer_stays_bad),
        cmocka_unit_test(a_length_beyond_the_end_is_refused),
        cmocka_unit_test(hex_is_strict),
        cmocka_unit_test(base64_goes_both_ways),
        cmocka_unit_test(base64_has_one_text_a_value),
        cmocka_unit_test(uuids_have_one_form),
        cmocka_unit_test(names_are_as_the_wire_says),
        cmocka_unit_test(utf8_refuses_what_is_not_a_character),
        cmocka_unit_test(equality_looks_at_every_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
