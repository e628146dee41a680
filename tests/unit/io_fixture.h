/*
 * What the unit tests of src/io and src/edge share: a loop, a folder with a certificate, waiting for a
 * condition, and a slow wire that passes one byte at a time.
 */
#ifndef KILN_TESTS_UNIT_IO_FIXTURE_H
#define KILN_TESTS_UNIT_IO_FIXTURE_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "src/io/listener.h"
#include "src/io/loop.h"
#include "src/io/tls.h"

#define FIXTURE_LIMIT_MS 20000 /* a condition that takes longer has failed */

struct fixture {
    struct loop *loop;
    char folder[64];
    char certificate[128], key[128];
    struct tls_server *server_tls;
    struct tls_client *client_tls; /* pins the certificate */
    uint8_t fingerprint[TLS_FINGERPRINT_BYTES];
};

static inline void fixture_init(struct fixture *fixture)
{
    memset(fixture, 0, sizeof(*fixture));
    assert_int_equal(loop_create(&fixture->loop), 0);
    strcpy(fixture->folder, "/tmp/kiln-unit-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    snprintf(fixture->certificate, sizeof(fixture->certificate), "%s/tls.crt", fixture->folder);
    snprintf(fixture->key, sizeof(fixture->key), "%s/tls.key", fixture->folder);
    assert_int_equal(tls_certificate_make(fixture->certificate, fixture->key, "unit test"), 0);
    assert_int_equal(tls_server_create(fixture->certificate, fixture->key, &fixture->server_tls), 0);
    tls_server_fingerprint(fixture->server_tls, fixture->fingerprint);
    assert_int_equal(tls_client_create(fixture->fingerprint, &fixture->client_tls), 0);
}

static inline void fixture_finish(struct fixture *fixture)
{
    /* What streams still say on their way out. */
    for (int i = 0; i < 64; i++)
        loop_step(fixture->loop, false);
    tls_client_destroy(fixture->client_tls);
    tls_server_destroy(fixture->server_tls);
    loop_destroy(fixture->loop);
    unlink(fixture->certificate);
    unlink(fixture->key);
    rmdir(fixture->folder);
}

static inline void fixture_wake(void *arg)
{
    (void)arg;
}

/* Runs the loop until *DONE, failing after FIXTURE_LIMIT_MS. */
static inline void fixture_run(struct fixture *fixture, const bool *done)
{
    struct loop_timer *guard;
    int64_t start = loop_monotonic_ms();
    assert_int_equal(loop_timer_create(fixture->loop, fixture_wake, NULL, &guard), 0);
    while (!*done) {
        loop_timer_arm(guard, 1000);
        assert_int_equal(loop_step(fixture->loop, true), 0);
        if (loop_monotonic_ms() - start > FIXTURE_LIMIT_MS)
            fail_msg("waited too long");
    }
    loop_timer_destroy(guard);
}

#define FIXTURE_RUN_UNTIL(fixture, condition)                                                                \
    do {                                                                                                     \
        struct loop_timer *guard_;                                                                           \
        int64_t start_ = loop_monotonic_ms();                                                                \
        assert_int_equal(loop_timer_create((fixture)->loop, fixture_wake, NULL, &guard_), 0);                \
        while (!(condition)) {                                                                               \
            loop_timer_arm(guard_, 50);                                                                      \
            assert_int_equal(loop_step((fixture)->loop, true), 0);                                           \
            if (loop_monotonic_ms() - start_ > FIXTURE_LIMIT_MS)                                             \
                fail_msg("waited too long for %s", #condition);                                              \
        }                                                                                                    \
        loop_timer_destroy(guard_);                                                                          \
    } while (0)

/* A blocking TCP connection to loopback, for tests that send what no client of ours would. */
static inline int fixture_dial(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* Sends TEXT on FD and gathers what comes until the peer closes or UNTIL is in it. OUT is NUL-terminated. */
static inline void fixture_talk(struct fixture *fixture, int fd, const char *text, size_t len,
                                const char *until, char *out, size_t max)
{
    size_t sent = 0, got = 0;
    bool closed = false;
    out[0] = '\0';
    FIXTURE_RUN_UNTIL(fixture, ({
                          if (sent < len) {
                              ssize_t put = send(fd, text + sent, len - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
                              if (put > 0)
                                  sent += (size_t)put;
                          }
                          ssize_t in = got + 1 < max ? recv(fd, out + got, max - got - 1, MSG_DONTWAIT) : 0;
                          if (in > 0) {
                              got += (size_t)in;
                              out[got] = '\0';
                          } else if (in == 0 || errno != EAGAIN) {
                              closed = true;
                          }
                          loop_step(fixture->loop, false);
                          closed || (until != NULL && strstr(out, until) != NULL);
                      }));
}

/* A wire that carries one byte a turn, both ways, from its own port to TARGET. */
struct dribble {
    struct loop *loop;
    struct listener *listener;
    uint16_t port, target;
    int fd[2];
    struct loop_watch *watch[2];
};

static inline void dribble_pass(struct dribble *dribble, int from)
{
    char byte;
    ssize_t got = recv(dribble->fd[from], &byte, 1, MSG_DONTWAIT);
    if (got == 1)
        assert_int_equal(send(dribble->fd[!from], &byte, 1, MSG_NOSIGNAL) >= 0 || errno == EPIPE ||
                             errno == ECONNRESET,
                         1);
    else if (got == 0 || errno != EAGAIN) {
        loop_watch_set(dribble->watch[from], 0);
        shutdown(dribble->fd[!from], SHUT_WR);
    }
}

static inline void dribble_on_near(int ready, void *arg)
{
    (void)ready;
    dribble_pass(arg, 0);
}

static inline void dribble_on_far(int ready, void *arg)
{
    (void)ready;
    dribble_pass(arg, 1);
}

static inline void dribble_on_accept(void *arg, int fd, const char *peer)
{
    struct dribble *dribble = arg;
    (void)peer;
    dribble->fd[0] = fd;
    dribble->fd[1] = fixture_dial(dribble->target);
    assert_int_equal(loop_watch_create(dribble->loop, fd, dribble_on_near, dribble, &dribble->watch[0]), 0);
    assert_int_equal(
        loop_watch_create(dribble->loop, dribble->fd[1], dribble_on_far, dribble, &dribble->watch[1]), 0);
    loop_watch_set(dribble->watch[0], LOOP_READ);
    loop_watch_set(dribble->watch[1], LOOP_READ);
}

static inline void dribble_init(struct dribble *dribble, struct loop *loop, uint16_t target)
{
    *dribble = (struct dribble){.loop = loop, .target = target, .fd = {-1, -1}};
    assert_int_equal(listener_open(loop, "127.0.0.1:0", dribble_on_accept, dribble, &dribble->listener), 0);
    dribble->port = listener_port(dribble->listener);
}

static inline void dribble_finish(struct dribble *dribble)
{
    listener_close(dribble->listener);
    for (int i = 0; i < 2; i++) {
        loop_watch_destroy(dribble->watch[i]);
        if (dribble->fd[i] >= 0)
            close(dribble->fd[i]);
    }
}

#endif
