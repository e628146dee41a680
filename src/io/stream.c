/*
 * Stream: see stream.h. One socket, optionally one TLS session, two evbuffers.
 * Writes are gathered and sent in the next turn of the loop, so that small ones share a record and a packet.
 */
#include "src/io/stream_private.h"

#include <errno.h>
#include <event2/buffer.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/io/loop.h"

static void on_socket(int ready, void *arg);

static void free_stream(struct stream *stream)
{
    loop_watch_destroy(stream->watch);
    loop_timer_destroy(stream->deadline);
    tls_session_destroy(stream->session);
    if (stream->in != NULL)
        evbuffer_free(stream->in);
    if (stream->out != NULL)
        evbuffer_free(stream->out);
    if (stream->addresses != NULL)
        freeaddrinfo(stream->addresses);
    if (stream->fd >= 0)
        close(stream->fd);
    free(stream);
}
static int wanted(const struct stream *stream)
{
    int bits = 0;
    switch (stream->state) {
    case STREAM_CONNECTING:
        return LOOP_WRITE;
    case STREAM_HANDSHAKING:
        return tls_session_wants_write(stream->session) ? LOOP_WRITE : LOOP_READ;
    case STREAM_CLOSING:
        return LOOP_WRITE;
    case STREAM_ENDED:
        return stream_may_write(stream) && evbuffer_get_length(stream->out) > 0 ? LOOP_WRITE : 0;
    case STREAM_OPEN:
    case STREAM_DRAINING:
        if (stream_may_read(stream))
            bits |= stream->read_wants_write ? LOOP_WRITE : LOOP_READ;
        if (stream->state == STREAM_OPEN && evbuffer_get_length(stream->out) > 0)
            bits |= LOOP_WRITE;
        return bits;
    default:
        return 0;
    }
}

static void leave(struct stream *stream)
{
    if (--stream->busy > 0)
        return;
    if (stream->state == STREAM_DEAD)
        free_stream(stream);
    else
        loop_watch_set(stream->watch, wanted(stream));
}

/* What every function of the header does last, when it is not called from a callback. */
static void settle(struct stream *stream)
{
    stream->busy++;
    leave(stream);
}

static void open_turn(struct stream *stream)
{
    int error = stream_write_turn(stream);
    if (stream->state == STREAM_OPEN || stream->state == STREAM_DRAINING)
        stream_read_turn(stream);
    /* Told after reading: the peer's last words may explain why it took no more of ours. */
    if (error < 0 && stream->state == STREAM_OPEN)
        stream_end(stream, error);
}

static void closing_turn(struct stream *stream)
{
    if (stream_write_turn(stream) < 0) {
        stream->state = STREAM_DEAD;
        return;
    }
    if (evbuffer_get_length(stream->out) > 0)
        return;
    if (stream->session != NULL && tls_session_close(stream->session) == -EAGAIN)
        return;
    shutdown(stream->fd, SHUT_WR);
    stream->state = STREAM_DRAINING;
}

static void become_open(struct stream *stream)
{
    stream->state = STREAM_OPEN;
    if (stream->ops->on_ready != NULL)
        stream->ops->on_ready(stream->arg);
}

static void handshake_turn(struct stream *stream)
{
    int error = tls_session_handshake(stream->session);
    if (error == 0) {
        become_open(stream);
        /* The peer's first bytes may have come with its last flight. */
        if (stream->state == STREAM_OPEN)
            open_turn(stream);
    } else if (error != -EAGAIN) {
        stream_end(stream, error);
    }
}

static void set_socket_options(int fd)
{
    int one = 1;
    /* Both fail on Unix sockets, where neither is needed. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
}

/* Starts on the next address. 0 under way, or why there is none left. */
static int connect_next(struct stream *stream, int error)
{
    for (; stream->next != NULL; stream->next = stream->next->ai_next) {
        const struct addrinfo *address = stream->next;
        int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0) {
            error = -errno;
            continue;
        }
        if (connect(fd, address->ai_addr, address->ai_addrlen) == 0 || errno == EINPROGRESS) {
            stream->fd = fd;
            stream->next = address->ai_next;
            return loop_watch_create(stream->loop, fd, on_socket, stream, &stream->watch);
        }
        error = -errno;
        close(fd);
    }
    return error;
}

static void connected(struct stream *stream)
{
    freeaddrinfo(stream->addresses);
    stream->addresses = NULL;
    set_socket_options(stream->fd);
    if (stream->client == NULL) {
        become_open(stream);
        return;
    }
    int error = tls_client_session(stream->client, stream->fd, &stream->session);
    if (error < 0) {
        stream_end(stream, error);
        return;
    }
    stream->state = STREAM_HANDSHAKING;
    handshake_turn(stream);
}

static void connect_turn(struct stream *stream)
{
    int failure = 0;
    socklen_t size = sizeof(failure);
    getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &failure, &size);
    if (failure == 0) {
        connected(stream);
        return;
    }
    if (stream->next == NULL) {
        stream_end(stream, -failure);
        return;
    }
    struct loop_watch *old = stream->watch;
    int old_fd = stream->fd;
    int error = connect_next(stream, -failure);
    if (error < 0) {
        stream_end(stream, error);
        return;
    }
    loop_watch_destroy(old);
    close(old_fd);
}

static void ended_turn(struct stream *stream)
{
    int error = stream_may_write(stream) ? stream_write_turn(stream) : 0;
    if (error < 0)
        stream_end(stream, error);
    if (stream->offer)
        stream_offer_data(stream);
    if (stream->state == STREAM_ENDED)
        stream_tell_end(stream);
}

static void on_socket(int ready, void *arg)
{
    struct stream *stream = arg;
    stream->busy++;
    if (stream->session != NULL)
        tls_session_begin_turn(stream->session);
    switch (stream->state) {
    case STREAM_CONNECTING:
        if (ready & LOOP_WRITE)
            connect_turn(stream);
        break;
    case STREAM_HANDSHAKING:
        handshake_turn(stream);
        break;
    case STREAM_OPEN:
    case STREAM_DRAINING:
        open_turn(stream);
        break;
    case STREAM_CLOSING:
        closing_turn(stream);
        break;
    case STREAM_ENDED:
        ended_turn(stream);
        break;
    case STREAM_DEAD:
        break;
    }
    leave(stream);
}

static void on_deadline(void *arg)
{
    struct stream *stream = arg;
    stream->busy++;
    stream_end(stream, -ETIMEDOUT);
    leave(stream);
}

static int create(struct loop *loop, const struct stream_ops *ops, void *arg, struct stream **ret_stream)
{
    struct stream *stream = calloc(1, sizeof(*stream));
    if (stream == NULL)
        return -ENOMEM;
    stream->loop = loop;
    stream->fd = -1;
    stream->ops = ops;
    stream->arg = arg;
    stream->in = evbuffer_new();
    stream->out = evbuffer_new();
    if (stream->in == NULL || stream->out == NULL ||
        loop_timer_create(loop, on_deadline, stream, &stream->deadline) < 0) {
        free_stream(stream);
        return -ENOMEM;
    }
    *ret_stream = stream;
    return 0;
}

int stream_accept(struct loop *loop, int fd, struct tls_server *server, const struct stream_ops *ops,
                  void *arg, struct stream **ret_stream)
{
    struct stream *stream;
    int error = create(loop, ops, arg, &stream);
    if (error < 0)
        return error;
    error = loop_watch_create(loop, fd, on_socket, stream, &stream->watch);
    if (error == 0 && server != NULL)
        error = tls_server_session(server, fd, &stream->session);
    if (error < 0) {
        free_stream(stream);
        return error;
    }
    set_socket_options(fd);
    stream->fd = fd;
    stream->state = server != NULL ? STREAM_HANDSHAKING : STREAM_OPEN;
    settle(stream);
    *ret_stream = stream;
    return 0;
}

int stream_connect(struct loop *loop, const char *host, uint16_t port, struct tls_client *client,
                   const struct stream_ops *ops, void *arg, struct stream **ret_stream)
{
    char service[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct stream *stream;
    int error = create(loop, ops, arg, &stream);
    if (error < 0)
        return error;
    stream->client = client;
    snprintf(service, sizeof(service), "%u", (unsigned)port);
    if (getaddrinfo(host, service, &hints, &stream->addresses) != 0) {
        free_stream(stream);
        return -EHOSTUNREACH;
    }
    stream->next = stream->addresses;
    error = connect_next(stream, -EHOSTUNREACH);
    if (error < 0) {
        free_stream(stream);
        return error;
    }
    settle(stream);
    *ret_stream = stream;
    return 0;
}

void stream_set_ops(struct stream *stream, const struct stream_ops *ops, void *arg)
{
    stream->ops = ops;
    stream->arg = arg;
    stream->end_told = false;
    stream_resume(stream);
}

void stream_unread(struct stream *stream, struct evbuffer *buffer)
{
    /* Moves chains from one buffer to the other, for which no memory is needed. */
    evbuffer_prepend_buffer(stream->in, buffer);
}

int stream_write(struct stream *stream, const void *bytes, size_t len_bytes)
{
    if (!stream_may_write(stream))
        return 0;
    if (evbuffer_add(stream->out, bytes, len_bytes) < 0)
        return -ENOMEM;
    settle(stream);
    return 0;
}

int stream_move(struct stream *stream, struct evbuffer *buffer)
{
    if (!stream_may_write(stream)) {
        evbuffer_drain(buffer, evbuffer_get_length(buffer));
        return 0;
    }
    if (evbuffer_add_buffer(stream->out, buffer) < 0)
        return -ENOMEM;
    settle(stream);
    return 0;
}

size_t stream_queued_bytes(const struct stream *stream)
{
    return evbuffer_get_length(stream->out);
}

void stream_pause(struct stream *stream)
{
    stream->paused = true;
    settle(stream);
}

void stream_resume(struct stream *stream)
{
    stream->paused = false;
    stream->offer = true;
    if (stream->state == STREAM_OPEN || stream->state == STREAM_ENDED)
        loop_watch_kick(stream->watch, LOOP_READ);
    settle(stream);
}

bool stream_peer_is_gone(const struct stream *stream)
{
    struct pollfd look = {.fd = stream->fd};
    return poll(&look, 1, 0) > 0 && (look.revents & (POLLHUP | POLLERR)) != 0;
}

void stream_set_deadline(struct stream *stream, uint64_t delay_ms)
{
    if (delay_ms == 0)
        loop_timer_disarm(stream->deadline);
    else
        loop_timer_arm(stream->deadline, delay_ms);
}

void stream_close(struct stream *stream)
{
    if (stream == NULL)
        return;
    bool sends =
        stream->state == STREAM_ENDED && stream_may_write(stream) && evbuffer_get_length(stream->out) > 0;
    if (stream->state != STREAM_OPEN && !sends) {
        stream_abort(stream);
        return;
    }
    stream->state = STREAM_CLOSING;
    evbuffer_drain(stream->in, evbuffer_get_length(stream->in));
    loop_timer_arm(stream->deadline, STREAM_LINGER_MS);
    settle(stream);
}

void stream_abort(struct stream *stream)
{
    if (stream == NULL)
        return;
    stream->state = STREAM_DEAD;
    settle(stream);
}

int stream_fd(const struct stream *stream)
{
    return stream->fd;
}

int stream_peer_fingerprint(const struct stream *stream, uint8_t ret_fingerprint[TLS_FINGERPRINT_BYTES])
{
    return stream->session != NULL ? tls_session_peer_fingerprint(stream->session, ret_fingerprint) : -ENOENT;
}
