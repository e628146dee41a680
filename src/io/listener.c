/*
 * Listener: see listener.h.
 */
#include "src/io/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/io/config.h"
#include "src/io/log.h"
#include "src/io/loop.h"

#define BACKLOG 512
#define ACCEPT_TURN 32    /* accepted in one turn, so that a flood does not hold the loop */
#define FULL_PAUSE_MS 200 /* out of descriptors: accepting again at once would only spin */

struct listener {
    struct loop_watch *watch; /* owned */
    struct loop_timer *retry; /* owned */
    int fd;                   /* owned */
    void (*fn)(void *arg, int fd, const char *peer);
    void *arg;
};

static void update(struct listener *listener)
{
    loop_watch_set(listener->watch, loop_timer_armed(listener->retry) ? 0 : LOOP_READ);
}

static void on_retry(void *arg)
{
    update(arg);
}

static void name_peer(const struct sockaddr_storage *address, char peer[INET6_ADDRSTRLEN])
{
    const void *bytes = &((const struct sockaddr_in *)address)->sin_addr;
    if (address->ss_family == AF_INET6)
        bytes = &((const struct sockaddr_in6 *)address)->sin6_addr;
    if (inet_ntop(address->ss_family, bytes, peer, INET6_ADDRSTRLEN) == NULL)
        strcpy(peer, "unknown");
}

int listener_name_peer(int fd, char *ret_peer)
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof(address);
    if (getpeername(fd, (struct sockaddr *)&address, &size) < 0)
        return -errno;
    name_peer(&address, ret_peer);
    return 0;
}

void listener_name_network(const char *peer, char *ret_network)
{
    struct in6_addr address;
    snprintf(ret_network, INET6_ADDRSTRLEN, "%s", peer);
    if (inet_pton(AF_INET6, peer, &address) != 1 || IN6_IS_ADDR_V4MAPPED(&address))
        return;
    memset(address.s6_addr + 8, 0, 8);
    inet_ntop(AF_INET6, &address, ret_network, INET6_ADDRSTRLEN);
}

static void on_connection(int ready, void *arg)
{
    struct listener *listener = arg;
    (void)ready;
    for (int i = 0; i < ACCEPT_TURN; i++) {
        struct sockaddr_storage address = {0};
        socklen_t size = sizeof(address);
        char peer[INET6_ADDRSTRLEN];
        int fd = accept4(listener->fd, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
            log_warning("listener", "cannot accept", "error=%d", errno);
            loop_timer_arm(listener->retry, FULL_PAUSE_MS);
            update(listener);
        }
        if (fd < 0)
            return;
        name_peer(&address, peer);
        listener->fn(listener->arg, fd, peer);
    }
}

/* A bound, listening socket, or a negative errno. The address may be of a bridge that libvirt has yet to make
 * (IP_FREEBIND): who listens need not wait for who makes networks, nor start again after it. */
static int bind_socket(const char *host, uint16_t port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    bool is_v4 = inet_pton(AF_INET, host, &v4.sin_addr) == 1;
    int one = 1;
    if (!is_v4 && inet_pton(AF_INET6, host, &v6.sin6_addr) != 1)
        return -EINVAL;
    int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    const struct sockaddr *address = is_v4 ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
        setsockopt(fd, SOL_IP, IP_FREEBIND, &one, sizeof(one)) < 0 ||
        bind(fd, address, is_v4 ? sizeof(v4) : sizeof(v6)) < 0 || listen(fd, BACKLOG) < 0) {
        int error = -errno;
        close(fd);
        return error;
    }
    return fd;
}

int listener_open_socket(const char *address)
{
    char host[CONFIG_HOST_MAX];
    uint16_t port;
    return config_split_address(address, host, &port) < 0 ? -EINVAL : bind_socket(host, port);
}

int listener_open(struct loop *loop, const char *address, void (*fn)(void *arg, int fd, const char *peer),
                  void *arg, struct listener **ret_listener)
{
    int fd = listener_open_socket(address);
    if (fd < 0)
        return fd;
    struct listener *listener = calloc(1, sizeof(*listener));
    if (listener == NULL) {
        close(fd);
        return -ENOMEM;
    }
    *listener = (struct listener){.fd = fd, .fn = fn, .arg = arg};
    if (loop_watch_create(loop, fd, on_connection, listener, &listener->watch) < 0 ||
        loop_timer_create(loop, on_retry, listener, &listener->retry) < 0) {
        listener_close(listener);
        return -ENOMEM;
    }
    update(listener);
    *ret_listener = listener;
    return 0;
}

uint16_t listener_socket_port(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } address = {.in6 = {.sin6_family = AF_UNSPEC}};
    socklen_t size = sizeof(address);
    if (getsockname(fd, &address.any, &size) < 0)
        return 0;
    return ntohs(address.any.sa_family == AF_INET6 ? address.in6.sin6_port : address.in.sin_port);
}

uint16_t listener_port(const struct listener *listener)
{
    return listener_socket_port(listener->fd);
}

void listener_close(struct listener *listener)
{
    if (listener == NULL)
        return;
    loop_watch_destroy(listener->watch);
    loop_timer_destroy(listener->retry);
    close(listener->fd);
    free(listener);
}
