/*
 * pair_server.h - an HTTP server of ours, with a client that sends what the fuzzer likes. Kept: one server
 * for the whole run, on a Unix socket: what is sent there is there when send returns.
 */
#ifndef KILN_FUZZ_PAIR_SERVER_H
#define KILN_FUZZ_PAIR_SERVER_H

#include <stddef.h>
#include <sys/un.h>

#include "fuzz/pair.h"
#include "src/io/http_server.h"

/* The length of a name that the kernel picked: a NUL and five digits. */
enum { PAIR_NAME_SIZE = offsetof(struct sockaddr_un, sun_path) + 6 };

struct pair_server {
    struct http_server *server;
    struct sockaddr_un address;
};

/* CONFIG: routes and their argument, which live as long as the program; the rest is set here. */
static inline void pair_server_open(struct pair_server *pair, struct loop *loop,
                                    struct http_server_config config)
{
    socklen_t size = sizeof pair->address;
    config.connections_max = config.connections_per_address_max = 2;
    config.handshake_timeout_ms = config.request_timeout_ms = config.idle_timeout_ms = 3600000;
    pair->address.sun_family = AF_UNIX;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    /* The kernel picks a name that nobody has. */
    CLAIM(fd >= 0 && bind(fd, (struct sockaddr *)&pair->address, sizeof(sa_family_t)) == 0 &&
          listen(fd, 8) == 0);
    CLAIM(getsockname(fd, (struct sockaddr *)&pair->address, &size) == 0);
    CLAIM(http_server_create(loop, &config, &pair->server) == 0);
    CLAIM(http_server_listen_on(pair->server, fd) == 0);
}

/* Connects, sends all of it, whole or in pieces, and goes; the server then has no connection left. */
static inline void pair_server_play(const struct pair_server *server, struct pair *pair, const uint8_t *data,
                                    size_t size, bool whole)
{
    pair->answer_len = 0;
    pair->far = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CLAIM(connect(pair->far, (const struct sockaddr *)&server->address, PAIR_NAME_SIZE) == 0);
    pair_turn(pair);
    pair_send(pair, data, size, whole);
    pair_close(pair);
}

#endif
