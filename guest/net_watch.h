/*
 * Net watch: says when an address or a route of this VM changed, so that waiting for the network is no sleep.
 * In: the kernel's rtnetlink messages. Out: calls. Kept: a socket.
 */
#ifndef KILN_GUEST_NET_WATCH_H
#define KILN_GUEST_NET_WATCH_H

struct loop;
struct net_watch;

/* FN(arg) after each burst of changes. The errno of socket(2) or bind(2), -ENOMEM. */
int net_watch_create(struct loop *loop, void (*fn)(void *arg), void *arg, struct net_watch **ret_watch);
/* NULL does nothing. */
void net_watch_destroy(struct net_watch *watch);

#endif
