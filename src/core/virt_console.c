/*
 * Serial consoles: bytes to lines, and the last lines of each VM, on the loop's thread.
 */
#include "src/core/virt_private.h"
#include "src/core/virt_stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

enum { LINE_BYTES = 1024 };

struct virt_console {
    TAILQ_ENTRY(virt_console) link;
    struct virt *virt; /* borrowed: owner */
    char uuid[VIRT_UUID_BYTES];
    struct virt_stream *stream; /* owned; NULL while nothing is read */
    virt_console_line_fn *line;
    void *line_arg;
    char partial[LINE_BYTES];
    size_t partial_bytes;
    char tail[VIRT_CONSOLE_TAIL_BYTES + 1]; /* whole lines, each with its newline */
    size_t tail_bytes;
};

static struct virt_console *find_console(const struct virt *virt, const char *uuid)
{
    struct virt_console *console;

    TAILQ_FOREACH(console, &virt->consoles, link)
    {
        if (strcmp(console->uuid, uuid) == 0)
            return console;
    }
    return NULL;
}

static struct virt_console *make_console(struct virt *virt, const char *uuid)
{
    struct virt_console *console = calloc(1, sizeof(*console));

    if (!console)
        return NULL;
    if (virt_copy(console->uuid, sizeof(console->uuid), uuid) < 0) {
        free(console);
        return NULL;
    }
    console->virt = virt;
    TAILQ_INSERT_TAIL(&virt->consoles, console, link);
    return console;
}

/* --- the tail --- */

static size_t count_lines(const struct virt_console *console)
{
    size_t n = 0;

    for (size_t i = 0; i < console->tail_bytes; i++)
        n += console->tail[i] == '\n';
    return n;
}

static void drop_first_line(struct virt_console *console)
{
    const char *end = memchr(console->tail, '\n', console->tail_bytes);
    size_t len = (size_t)(end - console->tail) + 1;

    memmove(console->tail, console->tail + len, console->tail_bytes - len);
    console->tail_bytes -= len;
}

static void keep_line(struct virt_console *console, const char *line)
{
    size_t len = strlen(line);

    while (console->tail_bytes > 0 && (console->tail_bytes + len + 1 > VIRT_CONSOLE_TAIL_BYTES ||
                                       count_lines(console) >= VIRT_CONSOLE_LINES))
        drop_first_line(console);
    memcpy(console->tail + console->tail_bytes, line, len);
    console->tail[console->tail_bytes + len] = '\n';
    console->tail_bytes += len + 1;
}

/* --- lines --- */

static void end_line(struct virt_console *console)
{
    char line[LINE_BYTES];

    memcpy(line, console->partial, console->partial_bytes);
    line[console->partial_bytes] = '\0';
    console->partial_bytes = 0;
    keep_line(console, line);
    console->line(console->line_arg, console->uuid, line);
}

/* A guest writes what it likes: nothing of it may move a terminal's cursor or break a JSON text. */
static char printable(char c)
{
    if (c == '\t')
        return ' ';
    return c >= ' ' && c <= '~' ? c : '?';
}

static void on_bytes(void *arg, const char *bytes, size_t len, size_t lost, bool ended)
{
    struct virt_console *console = arg;
    struct virt *virt = console->virt;
    char uuid[VIRT_UUID_BYTES];

    memcpy(uuid, console->uuid, sizeof(uuid));
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '\n' || console->partial_bytes == LINE_BYTES - 1) {
            end_line(console);
            /* The receiver may have closed or forgotten this console over that line. */
            console = find_console(virt, uuid);
            if (!console || !console->stream)
                return;
        }
        if (bytes[i] != '\n' && bytes[i] != '\r')
            console->partial[console->partial_bytes++] = printable(bytes[i]);
    }
    if (lost > 0) {
        char words[80];

        snprintf(words, sizeof(words), "[%zu bytes of console output were not read in time]", lost);
        keep_line(console, words);
    }
    if (ended) {
        virt_stream_abandon(console->stream, false);
        console->stream = NULL;
        if (console->partial_bytes > 0)
            end_line(console);
    }
}

/* --- open and close --- */

static int perform_open(struct virt_op *op, struct _virConnect *connection)
{
    struct virt_domain_info info;
    virDomainPtr domain = NULL;
    int r = virt_domain_find(op, connection, &domain, &info);

    if (r < 0)
        return r;
    virResetLastError();
    if (virt_stream_open(op->stream, connection, domain) < 0)
        r = virt_op_fail(op, connection, "cannot open the console");
    virDomainFree(domain);
    return r;
}

static int perform_nothing(struct virt_op *op, struct _virConnect *connection)
{
    (void)op;
    (void)connection;
    return 0;
}

/* Stands between the call and its caller, because a stream that was not opened must be let go of first. */
struct opening {
    struct virt *virt;
    char uuid[VIRT_UUID_BYTES];
    struct virt_stream *stream;
    virt_answer_fn *answered;
    void *arg;
};

static void on_opened(void *arg, const struct virt_answer *answer)
{
    struct opening *opening = arg;
    struct virt_console *console = find_console(opening->virt, opening->uuid);

    if (answer->error < 0 && console && console->stream == opening->stream) {
        virt_stream_abandon(console->stream, false);
        console->stream = NULL;
    }
    virt_stream_release(opening->stream);
    opening->answered(opening->arg, answer);
    free(opening);
}

static int open_console(struct virt_console *console, virt_answer_fn *answered, void *arg)
{
    struct opening *opening = calloc(1, sizeof(*opening));
    struct virt_op *op;
    int r;

    console->stream = opening ? virt_stream_create(console->virt, on_bytes, console) : NULL;
    if (!console->stream) {
        free(opening);
        return -ENOMEM;
    }
    opening->virt = console->virt;
    memcpy(opening->uuid, console->uuid, sizeof(opening->uuid));
    opening->stream = console->stream;
    opening->answered = answered;
    opening->arg = arg;
    virt_stream_hold(console->stream);
    op = virt_op_create(console->virt, on_opened, opening, perform_open);
    if (op) {
        op->stream = console->stream;
        memcpy(op->spec.uuid, console->uuid, sizeof(console->uuid));
    }
    r = virt_op_submit(op, WORKER_NORMAL, console->uuid);
    if (r < 0) {
        virt_stream_release(console->stream);
        virt_stream_abandon(console->stream, true);
        console->stream = NULL;
        free(opening);
    }
    return r;
}

int virt_ensure_console(struct virt *virt, const char *uuid, virt_console_line_fn *line, void *line_arg,
                        virt_answer_fn *answered, void *arg)
{
    struct virt_console *console = find_console(virt, uuid);

    if (!console)
        console = make_console(virt, uuid);
    if (!console)
        return -ENOMEM;
    console->line = line;
    console->line_arg = line_arg;
    if (console->stream)
        return virt_op_submit(virt_op_create(virt, answered, arg, perform_nothing), WORKER_NORMAL, uuid);
    return open_console(console, answered, arg);
}

void virt_console_close(struct virt *virt, const char *uuid)
{
    struct virt_console *console = find_console(virt, uuid);

    if (!console)
        return;
    virt_stream_abandon(console->stream, false);
    console->stream = NULL;
}

size_t virt_console_tail(const struct virt *virt, const char *uuid, char *ret_text, size_t size)
{
    const struct virt_console *console = find_console(virt, uuid);
    size_t len = console ? console->tail_bytes : 0;
    const char *from = console ? console->tail : "";

    if (size == 0)
        return 0;
    /* A small buffer gets the end: that is where the trouble is. */
    if (len > size - 1) {
        from += len - (size - 1);
        len = size - 1;
    }
    memcpy(ret_text, from, len);
    ret_text[len] = '\0';
    return len;
}

void virt_console_forget(struct virt *virt, const char *uuid)
{
    struct virt_console *console = find_console(virt, uuid);

    if (!console)
        return;
    virt_stream_abandon(console->stream, false);
    TAILQ_REMOVE(&virt->consoles, console, link);
    free(console);
}

void virt_consoles_lost(struct virt *virt)
{
    struct virt_console *console;

    TAILQ_FOREACH(console, &virt->consoles, link)
    {
        virt_stream_abandon(console->stream, false);
        console->stream = NULL;
    }
}

void virt_consoles_finish(struct virt *virt)
{
    struct virt_console *console;

    while ((console = TAILQ_FIRST(&virt->consoles))) {
        virt_stream_abandon(console->stream, true);
        TAILQ_REMOVE(&virt->consoles, console, link);
        free(console);
    }
}
