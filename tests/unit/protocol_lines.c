/* Short texts: the bridge's lines, the console's line, boot data, each dribbled and each garbled. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "protocol/boot_data.h"
#include "protocol/bridge_line.h"
#include "protocol/console_line.h"
#include "tests/unit/seed.h"

static void a_ticket_comes_byte_by_byte(void **state)
{
    const uint8_t ticket[BRIDGE_TICKET_BYTES] = {1, 2, 0xff};
    uint8_t back[BRIDGE_TICKET_BYTES];
    char line[BRIDGE_LINE_BYTES + 1];
    (void)state;
    bridge_line_format(ticket, line);
    assert_int_equal(strlen(line), BRIDGE_LINE_BYTES);
    seed_write_text("lines", "ticket", SEED_PLAIN, line);
    for (size_t len = 0; len < BRIDGE_LINE_BYTES; len++)
        assert_int_equal(bridge_line_parse(line, len, back), 0);
    assert_int_equal(bridge_line_parse(line, BRIDGE_LINE_BYTES, back), BRIDGE_LINE_BYTES);
    assert_memory_equal(ticket, back, sizeof ticket);
    for (size_t i = 0; i < BRIDGE_LINE_BYTES; i++) {
        line[i] ^= 0x20;
        int parsed = bridge_line_parse(line, i + 1, back);
        /* a digit may become another character only by leaving the alphabet */
        assert_int_equal(parsed, -EBADMSG);
        line[i] ^= 0x20;
    }
}

static void answers_of_the_bridge_are_read(void **state)
{
    char text[BRIDGE_ANSWER_MAX];
    struct bridge_answer answer;
    (void)state;
    size_t len = bridge_answer_format(CODE_NONE, text);
    assert_int_equal(bridge_answer_parse(text, len, &answer), 4);
    assert_string_equal(answer.name, "");
    len = bridge_answer_format(CODE_TICKET_WRONG, text);
    for (size_t cut = 0; cut < len; cut++)
        assert_int_equal(bridge_answer_parse(text, cut, &answer), 0);
    seed_write("lines", "err", SEED_PLAIN, text, len);
    assert_int_equal(bridge_answer_parse(text, len, &answer), len);
    assert_string_equal(answer.name, "TICKET_WRONG");
    assert_string_equal(answer.words, code_info(CODE_TICKET_WRONG)->words);
    static const char *const wrong[] = {"OK\n", "ok\r\n",   "ERR X\r\n", "ERR  words\r\n", "ERR x words\r\n",
                                        "\n",   "ERR A b\n"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(bridge_answer_parse(wrong[i], strlen(wrong[i]), &answer), -EBADMSG);
    memset(text, 'x', sizeof text);
    assert_int_equal(bridge_answer_parse(text, sizeof text, &answer), -EBADMSG);
}

static void a_console_line_reads_back(void **state)
{
    char line[CONSOLE_LINE_MAX];
    struct console_failure failure;
    (void)state;
    console_line_format("PORT_22_TAKEN", "sshd pid 412", line);
    assert_string_equal(line, "KILN-FAIL code=PORT_22_TAKEN detail=\"sshd pid 412\"");
    seed_write_text("lines", "console", SEED_PLAIN, line);
    assert_int_equal(console_line_parse(line, strlen(line), &failure), 0);
    assert_string_equal(failure.code, "PORT_22_TAKEN");
    assert_string_equal(failure.detail, "sshd pid 412");
    console_line_format("A", "quote \" back \\ bell \a \xc3\xa4", line);
    assert_int_equal(console_line_parse(line, strlen(line), &failure), 0);
    assert_string_equal(failure.detail, "quote ? back ? bell ? ??");
    char longest[400];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    console_line_format("A", longest, line);
    assert_int_equal(console_line_parse(line, strlen(line), &failure), 0);
    assert_int_equal(strlen(failure.detail), CONSOLE_DETAIL_BYTES - 1);
}

static void other_console_lines_are_not_taken(void **state)
{
    static const char *const wrong[] = {"",
                                        "KILN-FAIL",
                                        "KILN-FAIL code= detail=\"\"",
                                        "KILN-FAIL code=a detail=\"\"",
                                        "KILN-FAIL code=A",
                                        "KILN-FAIL code=A detail=\"x",
                                        "KILN-FAIL code=A detail=\"x\" y",
                                        " KILN-FAIL code=A detail=\"x\"",
                                        "KILN-FAIL code=A detail=\"a\\b\"",
                                        "KILN-FAIL code=A detail=\"a\tb\"",
                                        "KILN-FAIL code=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA detail=\"\""};
    struct console_failure failure;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(console_line_parse(wrong[i], strlen(wrong[i]), &failure), -EBADMSG);
    assert_int_equal(console_line_parse("KILN-FAIL code=A\0 detail=\"x\"", 28, &failure), -EBADMSG);
    assert_int_equal(console_line_parse("KILN-FAIL code=A detail=\"\"\r\n", 28, &failure), 0);
}

static void boot_data_reads_back(void **state)
{
    static const char *const hosts[] = {"10.77.0.1", "fe80::1", "host.example"};
    (void)state;
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        struct boot_data data = {.port = 8443, .edge = {1}, .identity = {2}, .brick = {3}},
                         again = {.port = 0};
        char text[BOOT_DATA_STRING_BYTES];
        strcpy(data.host, hosts[i]);
        assert_int_equal(boot_data_read(&again, "another vendor's string"), 0);
        for (unsigned index = 0; index < BOOT_DATA_STRINGS; index++) {
            assert_false(boot_data_complete(&again));
            boot_data_format(&data, index, text);
            seed_write_text("lines", (const char *[]){"url", "edge", "host", "brick"}[index], SEED_PLAIN,
                            text);
            assert_int_equal(boot_data_read(&again, text), 0);
            assert_int_equal(boot_data_read(&again, text), -EBADMSG);
        }
        assert_true(boot_data_complete(&again));
        assert_string_equal(again.host, hosts[i]);
        assert_int_equal(again.port, 8443);
        assert_memory_equal(again.edge, data.edge, 32);
        assert_memory_equal(again.identity, data.identity, 32);
        assert_memory_equal(again.brick, data.brick, 32);
    }
}

static void malformed_boot_data_is_refused(void **state)
{
    static const char *const wrong[] = {"kiln:url=http://10.0.0.1:1",
                                        "kiln:url=https://10.0.0.1",
                                        "kiln:url=https://10.0.0.1:0",
                                        "kiln:url=https://10.0.0.1:65536",
                                        "kiln:url=https://10.0.0.1:1/x",
                                        "kiln:url=https://:1",
                                        "kiln:url=https://[fe80::1:1",
                                        "kiln:url=https://fe80::1:1",
                                        "kiln:url=https://a/b:1",
                                        "kiln:url=https://u@h:1",
                                        "kiln:url=https://10.0.0.1:0443",
                                        "kiln:url=https://[10.0.0.1]:443",
                                        "kiln:edge=00",
                                        "kiln:host=",
                                        "kiln:brick=ZZ"};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct boot_data data = {.port = 0};
        assert_int_equal(boot_data_read(&data, wrong[i]), -EBADMSG);
        assert_int_equal(data.seen, 0);
    }
}

static void serials_are_the_first_digits_of_the_id(void **state)
{
    const uint8_t drive[16] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xfe, 0xdc, 0xba};
    char serial[21];
    (void)state;
    drive_serial_format(drive, serial);
    assert_string_equal(serial, "0123456789abcdeffedc");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ticket_comes_byte_by_byte),
        cmocka_unit_test(answers_of_the_bridge_are_read),
        cmocka_unit_test(a_console_line_reads_back),
        cmocka_unit_test(other_console_lines_are_not_taken),
        cmocka_unit_test(boot_data_reads_back),
        cmocka_unit_test(malformed_boot_data_is_refused),
        cmocka_unit_test(serials_are_the_first_digits_of_the_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
