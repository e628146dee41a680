/* links: kiln_protocol */
/* Lines of the bridge, the console and the boot data: what parses formats to the same text; dribbling changes
 * nothing. */
#include <string.h>

#include "fuzz/claim.h"
#include "protocol/boot_data.h"
#include "protocol/bridge_line.h"
#include "protocol/console_line.h"
#include "protocol/text.h"

enum { CODES_MAX = 256 }; /* there are fewer, so that some numbers have none */

static void check_bridge(const uint8_t *data, size_t size)
{
    uint8_t ticket[BRIDGE_TICKET_BYTES];
    char line[BRIDGE_LINE_BYTES + 1];
    struct bridge_answer answer;
    int whole = bridge_line_parse(data, size, ticket);
    for (size_t len = 0; len < size && len < BRIDGE_LINE_BYTES; len++)
        CLAIM(whole < 0 || bridge_line_parse(data, len, ticket) == 0);
    if (whole > 0) {
        bridge_line_parse(data, size, ticket);
        bridge_line_format(ticket, line);
        CLAIM(memcmp(line, data, BRIDGE_LINE_BYTES) == 0);
    }
    int parsed = bridge_answer_parse(data, size, &answer);
    CLAIM(parsed <= 0 || ((size_t)parsed <= size && data[parsed - 1] == '\n'));
}

/* What the bridge says is read as it was meant; SIZE picks the code. */
static void check_bridge_answer(size_t size)
{
    char line[BRIDGE_ANSWER_MAX];
    struct bridge_answer answer;
    const struct code_info *info = code_at((unsigned)size % CODES_MAX);
    size_t len = bridge_answer_format(info ? info->code : CODE_NONE, line);
    CLAIM(bridge_answer_parse(line, len, &answer) == (int)len);
    CLAIM(strcmp(answer.name, info ? info->name : "") == 0);
    CLAIM(strcmp(answer.words, info ? info->words : "") == 0);
    CLAIM(!info || code_find(info->name) == info);
    for (size_t cut = 0; cut < len; cut++)
        CLAIM(bridge_answer_parse(line, cut, &answer) == 0);
}

/* A serial is the start of a drive's id. */
static void check_serial(const uint8_t *data, size_t size)
{
    uint8_t drive[16] = {0}, again[10];
    char serial[21];
    if (size > 0)
        memcpy(drive, data, size < sizeof drive ? size : sizeof drive);
    drive_serial_format(drive, serial);
    CLAIM(hex_decode(serial, again, sizeof again) == 0 && memcmp(again, drive, sizeof again) == 0);
}

static void check_console(const uint8_t *data, size_t size)
{
    struct console_failure failure;
    char line[CONSOLE_LINE_MAX];
    if (console_line_parse((const char *)data, size, &failure) < 0)
        return;
    console_line_format(failure.code, failure.detail, line);
    CLAIM(strlen(line) <= size && memcmp(line, data, strlen(line)) == 0);
}

static void check_boot_data(const uint8_t *data, size_t size)
{
    struct boot_data boot = {.port = 0};
    char *text = input_text(data, size), again[BOOT_DATA_STRING_BYTES];
    int error = boot_data_read(&boot, text);
    CLAIM(error == 0 || boot.seen == 0);
    for (unsigned i = 0; i < BOOT_DATA_STRINGS; i++) {
        if (boot.seen != 1u << i)
            continue;
        struct boot_data second = {.port = 0};
        boot_data_format(&boot, i, again);
        CLAIM(boot_data_read(&second, again) == 0 && second.seen == boot.seen);
        CLAIM(strcmp(again, text) == 0);
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_bridge(data, size);
    check_bridge_answer(size);
    check_serial(data, size);
    check_console(data, size);
    check_boot_data(data, size);
    return 0;
}
