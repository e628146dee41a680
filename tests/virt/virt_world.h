/*
 * virt_world.h - what the test of the libvirt room stands on: one loop and one connection, answers and
 * events that are waited for, the guests' specs, what is tried from the host. Kept: all of it, once.
 */
#ifndef KILN_TESTS_VIRT_VIRT_WORLD_H
#define KILN_TESTS_VIRT_VIRT_WORLD_H

#include "src/core/virt.h"
#include "src/io/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define POOL "/run/world/pool"
#define HOST "10.77.0.1"
#define SECRET "/run/world/secret"
#define VM_A "a0000000-0000-4000-8000-00000000000a"
#define VM_B "b0000000-0000-4000-8000-00000000000b"
#define DRIVE "d1234567-89ab-4cde-8f01-23456789abcd"
#define SERIAL "d123456789ab4cde8f01"

enum { GUEST_PORT = 8443, CLOSED_PORT = 9443, TEXT_BYTES = 65536, EVENTS_MAX = 64, LIMIT_S = 600 };

struct seen {
    enum virt_event_kind kind;
    char uuid[VIRT_UUID_BYTES];
    int64_t at_ms;
};

static struct loop *loop;
static struct virt *virt;
static struct seen events[EVENTS_MAX];
static size_t nevents;
static char console[2][TEXT_BYTES]; /* of VM_A and VM_B */

/* What an answer held, for after its callback. */
static struct {
    bool done;
    int error;
    char words[VIRT_WORDS_BYTES];
    struct virt_domain_info domain;
    struct virt_volume_info volume;
    struct virt_domain_info domains[8];
    size_t ndomains;
    char serials[8][VIRT_SERIAL_BYTES];
    size_t nserials, ntaken;
} got;

static inline void on_answer(void *arg, const struct virt_answer *answer)
{
    (void)arg;
    got.done = true;
    got.error = answer->error;
    snprintf(got.words, sizeof(got.words), "%s", answer->words);
    got.domain = answer->domain;
    got.volume = answer->volume;
    got.ndomains = answer->ndomains;
    for (size_t i = 0; i < answer->ndomains && i < 8; i++)
        got.domains[i] = answer->domains[i];
    got.nserials = answer->nserials;
    got.ntaken = answer->ntaken;
    for (size_t i = 0; i < answer->nserials && i < 8; i++)
        memcpy(got.serials[i], answer->serials[i], VIRT_SERIAL_BYTES);
}

static inline void on_event(void *arg, const struct virt_event *event)
{
    struct seen *seen = &events[nevents];

    (void)arg;
    assert_true(nevents < EVENTS_MAX);
    seen->kind = event->kind;
    memcpy(seen->uuid, event->uuid, sizeof(seen->uuid));
    seen->at_ms = loop_monotonic_ms();
    nevents++;
    print_message("event: %s %s (%s)\n", virt_event_name(event->kind), event->uuid, event->words);
}

static inline void on_line(void *arg, const char *uuid, const char *line)
{
    char *text = arg;
    size_t len = strlen(text);

    (void)uuid;
    snprintf(text + len, TEXT_BYTES - len, "%s\n", line);
    if (strncmp(line, "GUEST", 5) == 0)
        print_message("%c: %s\n", text == console[0] ? 'A' : 'B', line);
}

/* Runs the loop until the call that was just made is answered; RESULT is what the call returned. */
static inline int wait_answer(int result)
{
    assert_int_equal(result, 0);
    while (!got.done)
        assert_int_equal(loop_step(loop, true), 0);
    got.done = false;
    if (got.error < 0)
        print_message("answer: %s: %s\n", strerror(-got.error), got.words);
    return got.error;
}

static inline struct seen *find_event(size_t from, enum virt_event_kind kind, const char *uuid)
{
    for (size_t i = from; i < nevents; i++) {
        if (events[i].kind == kind && strcmp(events[i].uuid, uuid) == 0)
            return &events[i];
    }
    return NULL;
}

static inline struct seen *wait_event(size_t from, enum virt_event_kind kind, const char *uuid)
{
    while (!find_event(from, kind, uuid))
        assert_int_equal(loop_step(loop, true), 0);
    return find_event(from, kind, uuid);
}

static inline void wait_console(const char *text, const char *wanted)
{
    while (!strstr(text, wanted))
        assert_int_equal(loop_step(loop, true), 0);
}

static inline void shell(const char *command)
{
    int status = system(command);

    if (status != 0)
        fail_msg("%s: status %d", command, status);
}

static inline struct virt_vm_spec make_spec(const char *uuid, int last, const char *mode, const char *other)
{
    struct virt_vm_spec spec = {
        .boot = 1,
        .brick = "kit & <brick>",
        .guest_url = "https://10.77.0.1:8443",
        .kernel = "vmlinuz",
        .initrd = "initrd",
        .vcpus = 1,
        .memory_bytes = 256 << 20,
        .boot_secret_path = SECRET,
    };

    snprintf(spec.uuid, sizeof(spec.uuid), "%s", uuid);
    memset(spec.brick_hash, 'b', VIRT_HASH_BYTES - 1);
    memset(spec.host_identity, 'c', VIRT_HASH_BYTES - 1);
    memset(spec.edge, 'e', VIRT_HASH_BYTES - 1);
    snprintf(spec.mac, sizeof(spec.mac), "52:54:00:4d:00:%02x", last);
    snprintf(spec.address, sizeof(spec.address), "10.77.0.%d", last);
    snprintf(spec.cmdline, sizeof(spec.cmdline),
             "console=ttyS0 quiet panic=1 host=" HOST " port=%d closed=%d other=%s mode=%s", GUEST_PORT,
             CLOSED_PORT, other, mode);
    return spec;
}

static inline void start(const struct virt_vm_spec *spec, char *text)
{
    assert_int_equal(wait_answer(virt_ensure_overlay(virt, spec->uuid, "image.qcow2", on_answer, NULL)), 0);
    assert_int_equal(wait_answer(virt_ensure_address(virt, spec, on_answer, NULL)), 0);
    assert_int_equal(wait_answer(virt_ensure_domain(virt, spec, on_answer, NULL)), 0);
    assert_int_equal(wait_answer(virt_ensure_console(virt, spec->uuid, on_line, text, on_answer, NULL)), 0);
}

static inline int listen_on(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 64), 0);
    return fd;
}

/* Whether the host reaches the address and port within two seconds. */
static inline bool reaches(const char *to, uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), error = 0;
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    socklen_t len = sizeof(error);
    bool up;

    inet_pton(AF_INET, to, &address.sin_addr);
    (void)connect(fd, (struct sockaddr *)&address, sizeof(address));
    up = poll(&wait, 1, 2000) == 1 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error == 0;
    close(fd);
    return up;
}

static inline void write_secret(void)
{
    shell("head -c 32 /dev/zero >" SECRET " && chmod 0600 " SECRET);
}

#endif
