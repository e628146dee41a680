/*
 * Console: see console.h.
 */
#include "guest/console.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "protocol/console_line.h"
#include "src/io/log.h"

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

/* A stub without rights may not open the console, but a unit can have given it one as standard output. */
static int open_console(const char *path)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY);
    return fd >= 0 ? fd : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
}

static int write_line(const char *path, const char *line)
{
    /* Whatever stood on the console before, the line begins at a line's start. */
    char text[CONSOLE_LINE_MAX + 8];
    int len = snprintf(text, sizeof text, "\r\n%s\r\n", line);
    int fd = open_console(path);
    if (fd < 0)
        return -errno;
    ssize_t written = write(fd, text, (size_t)len);
    close(fd);
    return written == len ? 0 : -EIO;
}

void console_fail(struct console *console, enum kiln_code code, const char *detail)
{
    if (was_said(console, code))
        return;
    const struct code_info *info = code_info(code);
    char line[CONSOLE_LINE_MAX];
    console_line_format(info != NULL ? info->name : "INTERNAL", detail, line);
    int result = write_line(console->path, line);
    log_error("console", "this VM cannot integrate", "line=%s path=%s result=%d", line, console->path,
              result);
    if (result == 0 && console->nsaid < CONSOLE_SAID_MAX)
        console->said[console->nsaid++] = code;
}
