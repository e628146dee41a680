/*
 * Stream: a connected byte stream, plain or TLS, with bounded buffers and honest backpressure.
 * In: a descriptor or an address. Out: bytes read, "drained", and exactly one end. Kept: what is not yet
 * sent.
 *
 * A reader that pauses stops the peer: nothing is read from the socket, so its window closes.
 * "Queued" counts every byte not yet given to the kernel, and on_drained comes when that is zero.
 * Any function may be called from any of the callbacks, stream_close and stream_abort too.
 */
#ifndef KILN_IO_STREAM_H
#define KILN_IO_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/io/tls.h"

struct evbuffer;
struct loop;
struct stream;

#define STREAM_UNREAD_MAX 262144 /* bytes a callback may leave unread before reading stops by itself */
#define STREAM_LINGER_MS 5000    /* how long a closed stream may take to send what is queued */

struct stream_ops {
    /* Connected, and the TLS handshake is done. Optional. */
    void (*on_ready)(void *arg);
    /* Bytes came; what is left in INPUT comes again together with the next ones. */
    void (*on_data)(void *arg, struct evbuffer *input);
    /* Everything queued is with the kernel. Optional. */
    void (*on_drained)(void *arg);
    /* The peer's end. ERROR 0: it will send no more, but may read what is written from now on; a stream that
     * is kept for that may still end a second time, with an error. Below 0 it is the last call: -ETIMEDOUT
     * the deadline, -EKEYREJECTED wrong pin, -ECONNRESET, -ECONNREFUSED, -EPROTO ... Then, or whenever it is
     * done, the callee calls stream_abort or stream_close. */
    void (*on_end)(void *arg, int error);
};

/* Takes FD (connected, non-blocking, closed with the stream; on failure not taken). SERVER: TLS, NULL:
 * plain. */
int stream_accept(struct loop *loop, int fd, struct tls_server *server, const struct stream_ops *ops,
                  void *arg, struct stream **ret_stream);
/* Connects to HOST (address or name; a name is looked up with getaddrinfo, which blocks) and PORT. */
int stream_connect(struct loop *loop, const char *host, uint16_t port, struct tls_client *client,
                   const struct stream_ops *ops, void *arg, struct stream **ret_stream);

/* Gives the stream to another owner; bytes read and not taken are offered again in the next turn. */
void stream_set_ops(struct stream *stream, const struct stream_ops *ops, void *arg);

/* Puts back, before all others, what on_data took too early; it comes again with stream_resume. */
void stream_unread(struct stream *stream, struct evbuffer *buffer);

/* Queues bytes. -ENOMEM. stream_move takes all of BUFFER's content, without a copy. */
int stream_write(struct stream *stream, const void *bytes, size_t len_bytes);
int stream_move(struct stream *stream, struct evbuffer *buffer);
size_t stream_queued_bytes(const struct stream *stream);

void stream_pause(struct stream *stream);
void stream_resume(struct stream *stream);
/* Whether the peer has closed both directions, which a paused stream is not told of. */
bool stream_peer_is_gone(const struct stream *stream);
/* on_end(-ETIMEDOUT) after DELAY_MS from now, whatever happens until then; 0 takes it back. */
void stream_set_deadline(struct stream *stream, uint64_t delay_ms);

/* Sends what is queued, says goodbye, closes, at most STREAM_LINGER_MS later. No callback comes any more. */
void stream_close(struct stream *stream);
/* Closes at once. No callback comes any more. NULL does nothing. */
void stream_abort(struct stream *stream);

int stream_fd(const struct stream *stream);
/* -ENOENT for a plain stream or before on_ready. */
int stream_peer_fingerprint(const struct stream *stream, uint8_t ret_fingerprint[TLS_FINGERPRINT_BYTES]);

#endif
