/*
 * Stream, one turn: what is read from the socket and written to it, plain or through TLS. See
 * stream_private.h.
 */
#include "src/io/stream_private.h"

#include <errno.h>
#include <event2/buffer.h>

#include "src/io/loop.h"

#define READ_TURN_BYTES 65536 /* read in one turn, so that one busy peer does not hold the loop */
#define RECORD_BYTES 16384    /* plain bytes of one TLS record */
#define WRITE_TURN_BYTES 262144

bool stream_may_read(const struct stream *stream)
{
    if (stream->state == STREAM_DRAINING)
        return true;
    return stream->state == STREAM_OPEN && !stream->paused &&
           evbuffer_get_length(stream->in) < STREAM_UNREAD_MAX;
}

bool stream_may_write(const struct stream *stream)
{
    return stream->state < STREAM_ENDED || (stream->state == STREAM_ENDED && stream->end_error == 0);
}
void stream_tell_end(struct stream *stream)
{
    /* A clean end waits for a reader that paused with bytes unread; an error does not. */
    if (stream->end_told || (stream->paused && stream->end_error == 0))
        return;
    stream->end_told = true;
    stream->ops->on_end(stream->arg, stream->end_error);
}

void stream_end(struct stream *stream, int error)
{
    if (stream->state >= STREAM_CLOSING) {
        stream->state = STREAM_DEAD;
        return;
    }
    if (stream->state == STREAM_ENDED && (stream->end_error < 0 || error == 0))
        return;
    /* A stream whose peer only sends no more may still fail later. */
    stream->end_told = false;
    stream->state = STREAM_ENDED;
    stream->end_error = error;
    if (error < 0)
        loop_timer_disarm(stream->deadline);
    stream_tell_end(stream);
}

static ssize_t read_plain(struct stream *stream)
{
    int got = evbuffer_read(stream->in, stream->fd, READ_TURN_BYTES);
    if (got >= 0)
        return got;
    return errno == EINTR ? -EAGAIN : -errno;
}

static ssize_t read_tls(struct stream *stream)
{
    struct evbuffer_iovec space;
    if (evbuffer_reserve_space(stream->in, RECORD_BYTES, &space, 1) < 1)
        return -ENOMEM;
    ssize_t got = tls_session_read(stream->session, space.iov_base, space.iov_len);
    space.iov_len = got > 0 ? (size_t)got : 0;
    evbuffer_commit_space(stream->in, &space, 1);
    stream->read_wants_write = got == -EAGAIN && tls_session_wants_write(stream->session);
    return got;
}

void stream_offer_data(struct stream *stream)
{
    stream->offer = false;
    if (stream->state <= STREAM_ENDED && !stream->paused && evbuffer_get_length(stream->in) > 0)
        stream->ops->on_data(stream->arg, stream->in);
}

void stream_read_turn(struct stream *stream)
{
    size_t total = 0;
    ssize_t got = -EAGAIN;
    while (total < READ_TURN_BYTES && stream_may_read(stream)) {
        got = stream->session != NULL ? read_tls(stream) : read_plain(stream);
        if (got <= 0)
            break;
        total += (size_t)got;
        if (stream->state == STREAM_DRAINING)
            evbuffer_drain(stream->in, evbuffer_get_length(stream->in));
    }
    /* What the session has decrypted is announced by no socket event. */
    if (got > 0 && stream->session != NULL && tls_session_pending(stream->session) > 0)
        loop_watch_kick(stream->watch, LOOP_READ);
    if (total > 0 || stream->offer)
        stream_offer_data(stream);
    if (got > 0 || got == -EAGAIN || stream->state == STREAM_DEAD)
        return;
    /* Closed by the user in offer_data: the peer's end must not cut off what is queued for it. */
    if (stream->state != STREAM_CLOSING || got < 0)
        stream_end(stream, (int)got);
}

static ssize_t write_tls(struct stream *stream)
{
    size_t len = evbuffer_get_length(stream->out);
    if (len > RECORD_BYTES)
        len = RECORD_BYTES;
    if (stream->retry_bytes > 0)
        len = stream->retry_bytes;
    const unsigned char *bytes = evbuffer_pullup(stream->out, (ssize_t)len);
    if (bytes == NULL)
        return -ENOMEM;
    ssize_t put = tls_session_write(stream->session, bytes, len);
    stream->retry_bytes = put == -EAGAIN ? len : 0;
    if (put > 0)
        evbuffer_drain(stream->out, (size_t)put);
    return put;
}

static ssize_t write_plain(struct stream *stream)
{
    int put = evbuffer_write(stream->out, stream->fd);
    if (put >= 0)
        return put;
    return errno == EINTR ? -EAGAIN : -errno;
}

int stream_write_turn(struct stream *stream)
{
    size_t total = 0;
    if (evbuffer_get_length(stream->out) == 0)
        return 0;
    while (total < WRITE_TURN_BYTES && evbuffer_get_length(stream->out) > 0) {
        ssize_t put = stream->session != NULL ? write_tls(stream) : write_plain(stream);
        if (put == -EAGAIN)
            return 0;
        if (put <= 0)
            return put == -EPIPE || put == 0 ? -ECONNRESET : (int)put;
        total += (size_t)put;
    }
    if (evbuffer_get_length(stream->out) == 0 && stream->state <= STREAM_ENDED &&
        stream->ops->on_drained != NULL)
        stream->ops->on_drained(stream->arg);
    return 0;
}
