// Console: see console.h.
#include "guest/console.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "src/io/log.h"

size_t console_format(enum kiln_code code, const char *detail, char ret_line[CONSOLE_LINE_MAX])
{
    char clean[CONSOLE_DETAIL_MAX + 1];
    size_t len = 0;
    for (; detail[len] != '\0' && len < CONSOLE_DETAIL_MAX; len++) {
        char c = detail[len];
        clean[len] = c < ' ' || c > '~' || c == '"' || c == '\\' ? '?' : c;
    }
    clean[len] = '\0';
    const struct code_info *info = code_info(code);
    int written = snprintf(ret_line, CONSOLE_LINE_MAX, "\r\nKILN-FAIL code=%s detail=\"%s\"\r\n",
                           info != NULL ? info->name : "INTERNAL", clean);
    return (size_t)written;
}

void console_init(struct console *console, const char *path)
{
    *console = (struct console){.path = path != NULL ? path : CONSOLE_PATH};
}

static bool was_said(const struct console *console, enum kiln_code code)
{
    for (size_t i = 0; i < console->nsaid; i++)
        if (console->said[i] == code)
            return true;
    return false;
}

static int write_line(const char *path, const char *line, size_t len_bytes)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return -errno;
    int result = write(fd, line, len_bytes) == (ssize_t)len_bytes ? 0 : -EIO;
    close(fd);
    return result;
}

bool console_fail(struct console *console, enum kiln_code code, const char *detail)
{
    if (was_said(console, code))
        return true;
    char line[CONSOLE_LINE_MAX];
    size_t len = console_format(code, detail, line);
    int result = write_line(console->path, line, len);
    if (result < 0) {
        log_error("console", "the failure cannot be shown", "path=%s error=%s", console->path,
                  strerror(-result));
        return false;
    }
    if (console->nsaid < CONSOLE_SAID_MAX)
        console->said[console->nsaid++] = code;
    return true;
}
