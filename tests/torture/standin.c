/*
 * A stand-in for QEMU, so that hundreds of domains fit onto a small machine: libvirt starts, asks, stops and
 * loses it as it does QEMU, but there is no machine inside.
 *
 * In:   the command line that libvirt makes, and its words on the monitor's socket (QMP).
 * Out:  answers; a pty for each serial port. Domains that boot a kernel, and libvirt's questions about what
 *       QEMU can do, go to the real QEMU: STANDIN_REAL.
 * Kept: nothing. A monitor that goes away may come back, as after the end of libvirtd.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PTYS_MAX = 4, LINE_MAX_BYTES = 64 * 1024, ANSWER_MAX_BYTES = 4096 };

struct pty {
    char label[64], path[64];
    int fd;
};

static struct {
    int listening, monitor; /* -1: nobody is on the monitor */
    bool running;
    unsigned vcpus;
    struct pty ptys[PTYS_MAX];
    size_t nptys;
    char line[LINE_MAX_BYTES];
    size_t len_bytes;
} qemu = {.listening = -1, .monitor = -1, .vcpus = 1};

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "standin: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- the command line ---- */

static bool has_word(char **argv, const char *word)
{
    for (; *argv; argv++)
        if (strcmp(*argv, word) == 0)
            return true;
    return false;
}

static bool is_question(char **argv)
{
    for (; argv[0]; argv++)
        if (strcmp(argv[0], "-machine") == 0 && argv[1] && strncmp(argv[1], "none", 4) == 0)
            return true;
    return false;
}

static void pty_open(const char *label, size_t len_bytes)
{
    struct pty *pty = &qemu.ptys[qemu.nptys];
    if (qemu.nptys == PTYS_MAX)
        return;
    pty->fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (pty->fd < 0 || grantpt(pty->fd) < 0 || unlockpt(pty->fd) < 0 ||
        ptsname_r(pty->fd, pty->path, sizeof pty->path) != 0)
        die("a pty");
    /* Held open: with nobody on the other side poll would say so again and again. */
    if (open(pty->path, O_RDWR | O_NOCTTY | O_CLOEXEC) < 0)
        die(pty->path);
    snprintf(pty->label, sizeof pty->label, "%.*s", (int)len_bytes, label);
    qemu.nptys++;
}

static void chardev_take(const char *words)
{
    const char *id = strstr(words, "id="), *fd = strstr(words, "fd=");
    if (strncmp(words, "socket,", 7) == 0 && strstr(words, "id=charmonitor") && fd)
        qemu.listening = atoi(fd + 3);
    else if (strncmp(words, "pty,", 4) == 0 && id)
        pty_open(id + 3, strcspn(id + 3, ","));
}

static void command_line_take(char **argv)
{
    for (; argv[0]; argv++) {
        if (strcmp(argv[0], "-chardev") == 0 && argv[1])
            chardev_take(argv[1]);
        else if (strcmp(argv[0], "-smp") == 0 && argv[1])
            qemu.vcpus = (unsigned)atoi(argv[1]);
    }
}

/* ---- the monitor ---- */

static void monitor_say(const char *text)
{
    size_t len_bytes = strlen(text), at = 0;
    while (at < len_bytes) {
        ssize_t sent = send(qemu.monitor, text + at, len_bytes - at, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return;
        at += (size_t)sent;
    }
}

static void event_say(const char *name, const char *data)
{
    char out[256];
    snprintf(out, sizeof out,
             "{\"timestamp\":{\"seconds\":1,\"microseconds\":0},\"event\":\"%s\",\"data\":{%s}}\r\n", name,
             data);
    monitor_say(out);
}

static void chardevs_write(char *out)
{
    size_t at = (size_t)sprintf(out, "[");
    for (size_t i = 0; i < qemu.nptys; i++)
        at += (size_t)sprintf(out + at, "%s{\"label\":\"%s\",\"filename\":\"pty:%s\",\"frontend-open\":true}",
                              i ? "," : "", qemu.ptys[i].label, qemu.ptys[i].path);
    sprintf(out + at, "]");
}

static void cpus_write(char *out)
{
    size_t at = (size_t)sprintf(out, "[");
    for (unsigned i = 0; i < qemu.vcpus && i < 16; i++)
        at += (size_t)sprintf(out + at,
                              "%s{\"cpu-index\":%u,\"qom-path\":\"/machine/unattached/device[%u]\","
                              "\"thread-id\":%d,\"target\":\"x86_64\","
                              "\"props\":{\"socket-id\":%u,\"core-id\":0,\"thread-id\":0}}",
                              i ? "," : "", i, i, (int)getpid(), i);
    sprintf(out + at, "]");
}

/* Without these, a libvirtd that finds the domain again notes that it has no vCPU, and the next one drops a
 * domain that has none, though its process lives. */
static void slots_write(char *out)
{
    size_t at = (size_t)sprintf(out, "[");
    for (unsigned i = 0; i < qemu.vcpus && i < 16; i++)
        at += (size_t)sprintf(out + at,
                              "%s{\"type\":\"qemu64-x86_64-cpu\",\"vcpus-count\":1,"
                              "\"qom-path\":\"/machine/unattached/device[%u]\","
                              "\"props\":{\"socket-id\":%u,\"core-id\":0,\"thread-id\":0}}",
                              i ? "," : "", i, i);
    sprintf(out + at, "]");
}

static void answer_write(const char *command, char *out)
{
    bool is_list = strncmp(command, "query-", 6) == 0 || strncmp(command, "qom-", 4) == 0 ||
                   strstr(command, "-list-properties");
    strcpy(out, is_list ? "[]" : "{}");
    if (strcmp(command, "query-chardev") == 0)
        chardevs_write(out);
    else if (strcmp(command, "query-cpus-fast") == 0)
        cpus_write(out);
    else if (strcmp(command, "query-hotpluggable-cpus") == 0)
        slots_write(out);
    else if (strcmp(command, "query-status") == 0)
        sprintf(out, "{\"running\":%s,\"singlestep\":false,\"status\":\"%s\"}",
                qemu.running ? "true" : "false", qemu.running ? "running" : "prelaunch");
}

/* The string after KEY in LINE; "" when there is none. */
static void text_take(const char *line, const char *key, char *ret_text, size_t size)
{
    const char *at = strstr(line, key);
    ret_text[0] = '\0';
    if (at)
        snprintf(ret_text, size, "%.*s", (int)strcspn(at + strlen(key), "\""), at + strlen(key));
}

static void line_take(const char *line)
{
    char command[64], id[64], body[ANSWER_MAX_BYTES], out[ANSWER_MAX_BYTES + 128];
    text_take(line, "\"execute\":\"", command, sizeof command);
    text_take(line, "\"id\":\"libvirt-", id, sizeof id);
    if (strcmp(command, "cont") == 0 || strcmp(command, "stop") == 0) {
        qemu.running = command[0] == 'c';
        event_say(qemu.running ? "RESUME" : "STOP", "");
    }
    answer_write(command, body);
    snprintf(out, sizeof out, "{\"return\":%s,\"id\":\"libvirt-%s\"}\r\n", body, id);
    monitor_say(out);
    if (strcmp(command, "quit") == 0 || strcmp(command, "system_powerdown") == 0) {
        event_say("SHUTDOWN", "\"guest\":true,\"reason\":\"guest-shutdown\"");
        exit(0);
    }
}

static void monitor_close(void)
{
    close(qemu.monitor);
    qemu.monitor = -1;
    qemu.len_bytes = 0;
}

static void monitor_read(void)
{
    char *end_of_line;
    ssize_t got = read(qemu.monitor, qemu.line + qemu.len_bytes, sizeof qemu.line - 1 - qemu.len_bytes);
    if (got <= 0) {
        if (got == 0 || errno != EINTR)
            monitor_close();
        return;
    }
    qemu.len_bytes += (size_t)got;
    qemu.line[qemu.len_bytes] = '\0';
    while ((end_of_line = strchr(qemu.line, '\n'))) {
        *end_of_line = '\0';
        line_take(qemu.line);
        qemu.len_bytes -= (size_t)(end_of_line + 1 - qemu.line);
        memmove(qemu.line, end_of_line + 1, qemu.len_bytes + 1);
    }
    if (qemu.len_bytes == sizeof qemu.line - 1)
        monitor_close();
}

static void monitor_accept(void)
{
    qemu.monitor = accept4(qemu.listening, NULL, NULL, SOCK_CLOEXEC);
    if (qemu.monitor >= 0)
        monitor_say(
            "{\"QMP\":{\"version\":{\"qemu\":{\"micro\":22,\"minor\":2,\"major\":7},\"package\":\"\"},"
            "\"capabilities\":[\"oob\"]}}\r\n");
}

/* Nothing reads what a host writes to a serial port. */
static void pty_drain(int fd)
{
    char bytes[512];
    while (read(fd, bytes, sizeof bytes) > 0)
        continue;
}

int main(int argc, char **argv)
{
    (void)argc;
    if (is_question(argv + 1) || has_word(argv, "-kernel")) {
        execv(STANDIN_REAL, argv);
        die(STANDIN_REAL);
    }
    command_line_take(argv);
    if (qemu.listening < 0)
        die("no monitor");
    for (;;) {
        /* One monitor at a time, as QEMU has it. */
        struct pollfd fds[1 + PTYS_MAX] = {
            {.fd = qemu.monitor >= 0 ? qemu.monitor : qemu.listening, .events = POLLIN}};
        for (size_t i = 0; i < qemu.nptys; i++)
            fds[1 + i] = (struct pollfd){.fd = qemu.ptys[i].fd, .events = POLLIN};
        if (poll(fds, 1 + qemu.nptys, -1) < 0 && errno != EINTR)
            die("poll");
        if (fds[0].revents && qemu.monitor >= 0)
            monitor_read();
        else if (fds[0].revents)
            monitor_accept();
        for (size_t i = 0; i < qemu.nptys; i++)
            if (fds[1 + i].revents & POLLIN)
                pty_drain(qemu.ptys[i].fd);
    }
}
