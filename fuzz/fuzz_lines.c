/* links: kiln_protocol */
/* Lines of the bridge, the console and the boot data: what parses formats to the same text; dribbling changes
 * nothing. */
#include <string.h>

#include "fuzz/claim.h"
#include "protocol/boot_data.h"
#include "protocol/bridge_line.h"
#include "protocol/console_line.h"

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
    char *text = malloc(size + 1), again[BOOT_DATA_STRING_BYTES];
    if (!text)
        return;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
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
    check_console(data, size);
    check_boot_data(data, size);
    return 0;
}
