/*
 * Net watch: see net_watch.h (rtnetlink(7)).
 */
#include "guest/net_watch.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/io/loop.h"

struct net_watch {
    int fd;                   /* owned */
    struct loop_watch *watch; /* owned */
    void (*fn)(void *arg);
    void *arg; /* borrowed */
};

static void take_changes(int ready, void *arg)
{
    (void)ready;
    struct net_watch *watch = arg;
    char bytes[8192];
    /* What changed does not matter, nor that some of it was lost (ENOBUFS): the caller looks for itself. */
    while (recv(watch->fd, bytes, sizeof bytes, 0) > 0)
        ;
    watch->fn(watch->arg);
}

int net_watch_create(struct loop *loop, void (*fn)(void *arg), void *arg, struct net_watch **ret_watch)
{
    const struct sockaddr_nl address = {.nl_family = AF_NETLINK,
                                        .nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE |
                                                     RTMGRP_IPV6_IFADDR | RTMGRP_IPV6_ROUTE | RTMGRP_LINK};
    struct net_watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL)
        return -ENOMEM;
    watch->fn = fn;
    watch->arg = arg;
    watch->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    int result = watch->fd < 0 ? -errno : 0;
    if (result == 0 && bind(watch->fd, (const struct sockaddr *)&address, sizeof address) < 0)
        result = -errno;
    if (result == 0)
        result = loop_watch_create(loop, watch->fd, take_changes, watch, &watch->watch);
    if (result < 0) {
        net_watch_destroy(watch);
        return result;
    }
    loop_watch_set(watch->watch, LOOP_READ);
    *ret_watch = watch;
    return 0;
}

void net_watch_destroy(struct net_watch *watch)
{
    if (watch == NULL)
        return;
    if (watch->watch != NULL)
        loop_watch_destroy(watch->watch);
    if (watch->fd >= 0)
        close(watch->fd);
    free(watch);
}
