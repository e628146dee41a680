/*
 * pair.h - a socket pair between a unit of src/io and a peer who sends what the fuzzer likes. Kept: one loop
 * for the whole run, the peer's end.
 */
#ifndef KILN_FUZZ_PAIR_H
#define KILN_FUZZ_PAIR_H

#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz/claim.h"
#include "src/io/loop.h"

enum { PAIR_TURNS = 8, PAIR_ANSWER_MAX = 1 << 18 };

struct pair {
    struct loop *loop;
    int far;           /* the peer's end */
    size_t answer_len; /* what the peer got, as far as there is room for it */
    char answer[PAIR_ANSWER_MAX];
};

/* Returns the near end, which the unit takes. */
static inline int pair_open(struct pair *pair)
{
    static struct loop *loop;
    int fd[2];
    if (!loop)
        CLAIM(loop_create(&loop) == 0);
    CLAIM(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd) == 0);
    pair->loop = loop;
    pair->far = fd[1];
    pair->answer_len = 0;
    return fd[0];
}

/* Lets the unit do what it can, and takes what it says. */
static inline void pair_turn(struct pair *pair)
{
    char rest[4096];
    ssize_t got = 1;
    for (int i = 0; i < PAIR_TURNS; i++)
        CLAIM(loop_step(pair->loop, false) == 0);
    while (got > 0) {
        size_t room = sizeof pair->answer - pair->answer_len;
        got = room > 0 ? recv(pair->far, pair->answer + pair->answer_len, room, 0)
                       : recv(pair->far, rest, sizeof rest, 0);
        pair->answer_len += got > 0 && room > 0 ? (size_t)got : 0;
    }
}

/* Sends all of it, whole or in pieces whose lengths the bytes themselves say; stops when the unit has closed.
 */
static inline void pair_send(struct pair *pair, const uint8_t *data, size_t size, bool whole)
{
    while (size > 0) {
        size_t piece = whole ? size : 1 + data[0] % 61u;
        ssize_t sent = send(pair->far, data, piece < size ? piece : size, MSG_NOSIGNAL);
        pair_turn(pair);
        if (sent < 0)
            return;
        data += sent;
        size -= (size_t)sent;
    }
}

/* The peer says no more, and then is gone. */
static inline void pair_close(struct pair *pair)
{
    shutdown(pair->far, SHUT_WR);
    pair_turn(pair);
    close(pair->far);
    for (int i = 0; i < PAIR_TURNS; i++)
        CLAIM(loop_step(pair->loop, false) == 0);
}

/* FNV-1a, to compare what came out of two runs. */
static inline uint64_t pair_mix(uint64_t sum, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < len; i++)
        sum = (sum ^ at[i]) * 0x100000001b3;
    return sum;
}

#endif
