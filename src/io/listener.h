/*
 * Listener: a TCP socket that accepts. In: "host:port". Out: accepted descriptors. Kept: the socket.
 */
#ifndef KILN_IO_LISTENER_H
#define KILN_IO_LISTENER_H

#include <stdbool.h>
#include <stdint.h>

struct listener;
struct loop;

/* A bound, listening, non-blocking socket for ADDRESS; errors as of listener_open. */
int listener_open_socket(const char *address);
/* The port that a listening socket has got. */
uint16_t listener_socket_port(int fd);
/* The numeric address of a connected socket's peer, at most INET6_ADDRSTRLEN bytes. The errno of
 * getpeername(2). */
int listener_name_peer(int fd, char *ret_peer);
/* The address that limits per address count PEER (as above) under, at most INET6_ADDRSTRLEN bytes: an IPv6
 * peer's network of 64 bits, of which each host has all addresses (RFC 4291 2.5.1, RFC 6177 2). */
void listener_name_network(const char *peer, char *ret_network);

/* ADDRESS is numeric, port 0 picks one. FN takes each descriptor (non-blocking); PEER is its numeric address.
 * The errno of bind(2) and listen(2); -EINVAL for an address that is none. */
int listener_open(struct loop *loop, const char *address, void (*fn)(void *arg, int fd, const char *peer),
                  void *arg, struct listener **ret_listener);
uint16_t listener_port(const struct listener *listener);
void listener_close(struct listener *listener);

#endif
