/*
 * WebSocket: its struct, for ws.c (an open one) and ws_open.c (the upgrade).
 */
#ifndef KILN_IO_WS_PRIVATE_H
#define KILN_IO_WS_PRIVATE_H

#include "src/io/ws.h"
#include "src/io/ws_handshake.h"

struct evbuffer;
struct loop_timer;
struct stream;
struct stream_ops;
struct wslay_event_context;

enum ws_state { WS_OPENING, WS_OPEN, WS_CLOSING, WS_DEAD };

/* A message that came out of wslay after ws_pause. */
struct ws_held {
    struct ws_held *next;
    enum ws_kind kind;
    size_t len_bytes;
    unsigned char bytes[];
};

struct ws {
    struct loop *loop;                 /* borrowed */
    struct stream *stream;             /* owned */
    struct evbuffer *input;            /* borrowed, during on_data only */
    struct wslay_event_context *wslay; /* owned */
    struct loop_timer *ping;           /* owned */
    struct loop_timer *deliver;        /* owned: brings held messages after ws_resume */
    struct ws_options options;
    const struct ws_ops *ops; /* borrowed */
    void *arg;
    enum ws_state state;
    bool paused;
    struct ws_held *held, **held_end; /* owned */
    size_t pieces;                    /* data frames of the message that comes in */
    int64_t heard_ms;                 /* when the peer last sent anything */
    char key[WS_KEY_BYTES];           /* client: of the upgrade */
    char *request;                    /* owned; client: text of the upgrade */
    int close_code;                   /* the peer's */
    char close_reason[124];
    bool close_cut; /* the peer's close frame held half a code */
    unsigned busy;  /* calls of ours on the stack */
};

extern const struct stream_ops ws_stream_ops;

int ws_create(struct loop *loop, const struct ws_options *options, const struct ws_ops *ops, void *arg,
              struct ws **ret_ws);
/* Frees a ws that has no stream and is in no call. */
void ws_free(struct ws *ws);
/* From now on messages pass. -ENOMEM. */
int ws_become_open(struct ws *ws, bool server);
/* The end: tells it, unless the user closed, and lets the stream go. */
void ws_finish(struct ws *ws, const struct ws_close *close);
void ws_fail(struct ws *ws, int error);
/* Client: reads the answer to the upgrade. */
void ws_take_answer(struct ws *ws, struct evbuffer *input);

#endif
