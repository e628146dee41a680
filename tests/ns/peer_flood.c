/*
 * Peer flood: strangers who hold connections and say nothing of use, as many as the other side takes, 500 new
 * ones a second: silence, noise, the begin of a TLS handshake. In: an address, own addresses, how many
 * connections at once; an end by SIGTERM. Out: how many were taken and how many the other side ended. Kept:
 * nothing.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/io/config.h"
#include "src/io/loop.h"
#include "src/io/rates.h"
#include "tests/ns/peer.h"

enum { EVENTS_MAX = 64, SOURCES_MAX = 200, TURN_MS = 20 };

/* More would be a test of the machine's network. */
static const struct rates_config pace = {.per_second = 500, .burst = 50, .keys_max = 1};

struct flood {
    struct sockaddr_in to, from; /* `from`: the first of our own addresses */
    unsigned sources, connections_max;
    struct rates *rates; /* owned */
    int epoll_fd;
    unsigned open;
    unsigned long tried, taken, ended;
};

static volatile sig_atomic_t asked_to_end;

static void on_end(int signo)
{
    (void)signo;
    asked_to_end = 1;
}

/* A socket, and which of the three kinds of stranger has it. */
static uint64_t name(int fd, unsigned long number)
{
    return (uint64_t)(number % 3) << 32 | (uint32_t)fd;
}

static void open_one(struct flood *flood)
{
    struct sockaddr_in from = flood->from;
    struct epoll_event event = {.events = EPOLLOUT | EPOLLIN};
    from.sin_addr.s_addr = htonl(ntohl(from.sin_addr.s_addr) + (uint32_t)(flood->tried % flood->sources));
    flood->tried++;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    event.data.u64 = name(fd, flood->tried);
    if (bind(fd, (const struct sockaddr *)&from, sizeof from) < 0 ||
        (connect(fd, (const struct sockaddr *)&flood->to, sizeof flood->to) < 0 && errno != EINPROGRESS) ||
        epoll_ctl(flood->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
        close(fd);
    else
        flood->open++;
}

/* What a stranger says first: nothing, noise, or a record that never ends. */
static void say(int fd, unsigned kind)
{
    static const char noise[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    static const unsigned char hello[] = {0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3};
    ssize_t put = 0;
    if (kind == 1)
        put = send(fd, noise, sizeof noise - 1, MSG_NOSIGNAL);
    else if (kind == 2)
        put = send(fd, hello, sizeof hello, MSG_NOSIGNAL);
    (void)put;
}

static void handle(struct flood *flood, const struct epoll_event *event)
{
    char answer[512];
    int fd = (int)(uint32_t)event->data.u64;
    struct epoll_event wait = {.events = EPOLLIN, .data = event->data};
    bool ended = (event->events & (EPOLLERR | EPOLLHUP)) != 0;
    if (!ended && (event->events & EPOLLOUT)) {
        flood->taken++;
        say(fd, (unsigned)(event->data.u64 >> 32));
        epoll_ctl(flood->epoll_fd, EPOLL_CTL_MOD, fd, &wait);
    } else if (!ended) {
        ended = recv(fd, answer, sizeof answer, 0) <= 0;
    }
    if (!ended)
        return;
    flood->ended++;
    flood->open--;
    close(fd);
}

static void run(struct flood *flood)
{
    struct epoll_event events[EVENTS_MAX];
    while (!asked_to_end) {
        while (flood->open < flood->connections_max &&
               rates_take(flood->rates, "", 0, loop_monotonic_ms()) == 0)
            open_one(flood);
        int count = epoll_wait(flood->epoll_fd, events, EVENTS_MAX, TURN_MS);
        for (int i = 0; i < count; i++)
            handle(flood, &events[i]);
    }
}

/* flood HOST:PORT FIRST-ADDRESS ADDRESSES CONNECTIONS: until SIGTERM; prints "tried N taken N ended N". */
int peer_flood(int argc, char **argv)
{
    char host[CONFIG_HOST_MAX];
    uint16_t port;
    struct flood flood = {.to.sin_family = AF_INET, .from.sin_family = AF_INET};
    const struct sigaction end = {.sa_handler = on_end};
    if (argc != 4 || config_split_address(argv[0], host, &port) < 0 ||
        inet_pton(AF_INET, host, &flood.to.sin_addr) != 1 ||
        inet_pton(AF_INET, argv[1], &flood.from.sin_addr) != 1)
        peer_die("flood HOST:PORT FIRST-ADDRESS ADDRESSES CONNECTIONS");
    flood.to.sin_port = htons(port);
    flood.sources = (unsigned)atoi(argv[2]);
    flood.connections_max = (unsigned)atoi(argv[3]);
    if (flood.sources == 0 || flood.sources > SOURCES_MAX)
        peer_die("%s addresses", argv[2]);
    if (rates_create(&pace, &flood.rates) < 0)
        peer_die("no memory");
    flood.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    sigaction(SIGTERM, &end, NULL);
    run(&flood);
    printf("tried %lu taken %lu ended %lu\n", flood.tried, flood.taken, flood.ended);
    return 0;
}
