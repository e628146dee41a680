/*
 * Stream: its struct, for stream.c (lifetime, phases) and stream_io.c (what one turn reads and writes).
 */
#ifndef KILN_IO_STREAM_PRIVATE_H
#define KILN_IO_STREAM_PRIVATE_H

#include "src/io/stream.h"

struct addrinfo;

enum stream_state {
    STREAM_CONNECTING,
    STREAM_HANDSHAKING,
    STREAM_OPEN,
    STREAM_ENDED,    /* on_end is told, or waits for stream_resume */
    STREAM_CLOSING,  /* ours to finish: sends what is queued */
    STREAM_DRAINING, /* all said; waits for the peer's end, so that no reset overtakes our last bytes */
    STREAM_DEAD
};

struct stream {
    struct loop *loop;            /* borrowed */
    struct loop_watch *watch;     /* owned */
    struct loop_timer *deadline;  /* owned */
    struct tls_client *client;    /* borrowed while connecting */
    struct tls_session *session;  /* owned; NULL: plain */
    const struct stream_ops *ops; /* borrowed */
    void *arg;
    struct evbuffer *in, *out;  /* owned */
    struct addrinfo *addresses; /* owned while connecting */
    struct addrinfo *next;      /* of them */
    int fd;                     /* owned */
    enum stream_state state;
    int end_error;         /* of STREAM_ENDED */
    bool end_told;         /* on_end was called */
    bool paused;           /* by the user */
    bool offer;            /* call on_data for what is left in `in` */
    bool read_wants_write; /* TLS cannot read before it has written */
    size_t retry_bytes;    /* a TLS write that must be repeated at this length */
    unsigned busy;         /* calls of ours on the stack; a dead stream is freed when it is 0 */
};

bool stream_may_read(const struct stream *stream);
/* The peer that said it will send no more may still read what we have for it. */
bool stream_may_write(const struct stream *stream);
/* Reads for one turn, gives it to the user, then tells an end that came with it. */
void stream_read_turn(struct stream *stream);
/* Sends what it can. 0, or the error that ends the stream. */
int stream_write_turn(struct stream *stream);
/* Gives the user what is left unread, unless it paused. */
void stream_offer_data(struct stream *stream);
/* Ends the stream: tells the user once, or lets go of a stream that the user has closed. */
void stream_end(struct stream *stream, int error);
/* Tells an end that was held back because the user had paused. */
void stream_tell_end(struct stream *stream);

#endif
