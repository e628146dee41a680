/*
 * Owner streams: see owner_stream.h.
 */
#include "guest/owner_stream.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "guest/controller.h"
#include "guest/owner_channel.h"
#include "guest/terminal.h"

#define END_OF_INPUT 4 /* Ctrl-D: what a terminal knows as the end */

struct owner_stream {
    struct owner_streams *streams; /* borrowed */
    uint32_t number;               /* 0: free */
    struct terminal *terminal;     /* owned */
    struct channel_flow flow;
};

struct owner_streams {
    struct owner_channel *channel; /* borrowed */
    uint32_t last;                 /* number given */
    struct owner_stream list[OWNER_STREAMS_MAX];
};

static size_t room(void *arg)
{
    const struct owner_stream *stream = arg;
    if (!owner_channel_has_room(stream->streams->channel))
        return 0;
    return channel_flow_allowed(&stream->flow, CHANNEL_BYTES_MAX);
}

static void show(void *arg, const uint8_t *bytes, size_t len_bytes)
{
    struct owner_stream *stream = arg;
    channel_flow_sent(&stream->flow, len_bytes);
    owner_channel_send(stream->streams->channel, stream->number, CHANNEL_DATA, bytes, len_bytes);
}

static void taken(void *arg, size_t len_bytes)
{
    struct owner_stream *stream = arg;
    uint32_t credit = channel_flow_consumed(&stream->flow, len_bytes);
    if (credit > 0)
        owner_channel_send_credit(stream->streams->channel, stream->number, credit);
}

static void free_stream(struct owner_stream *stream)
{
    terminal_close(stream->terminal);
    stream->terminal = NULL;
    stream->number = 0;
}

static void exited(void *arg, int status)
{
    struct owner_stream *stream = arg;
    struct owner_channel *channel = stream->streams->channel;
    char params[64];
    snprintf(params, sizeof params, "{\"stream\":%u,\"status\":%d}", stream->number, status);
    owner_channel_send(channel, stream->number, CHANNEL_END, NULL, 0);
    free_stream(stream);
    owner_channel_notify(channel, "terminal.exited", params);
}

int owner_streams_create(struct owner_channel *channel, struct owner_streams **ret_streams)
{
    struct owner_streams *streams = calloc(1, sizeof *streams);
    if (streams == NULL)
        return -ENOMEM;
    streams->channel = channel;
    for (int i = 0; i < OWNER_STREAMS_MAX; i++)
        streams->list[i].streams = streams;
    *ret_streams = streams;
    return 0;
}

void owner_streams_destroy(struct owner_streams *streams)
{
    if (streams == NULL)
        return;
    for (int i = 0; i < OWNER_STREAMS_MAX; i++)
        free_stream(&streams->list[i]);
    free(streams);
}

static struct owner_stream *find(struct owner_streams *streams, uint32_t number)
{
    for (int i = 0; number != 0 && i < OWNER_STREAMS_MAX; i++)
        if (streams->list[i].number == number)
            return &streams->list[i];
    return NULL;
}

static int take_data(struct owner_stream *stream, struct bytes bytes)
{
    int result = channel_flow_received(&stream->flow, bytes.len);
    return result < 0 ? result : terminal_write(stream->terminal, bytes.bytes, bytes.len);
}

int owner_streams_take(struct owner_streams *streams, const struct channel_record *record)
{
    static const uint8_t end = END_OF_INPUT;
    struct owner_stream *stream = find(streams, record->stream);
    /* What was under way when the shell ended comes late; a number never given cannot. */
    if (stream == NULL)
        return record->stream <= streams->last ? 0 : -EBADMSG;
    int result = 0;
    if (record->kind == CHANNEL_DATA)
        result = take_data(stream, record->bytes);
    else if (record->kind == CHANNEL_END)
        terminal_write(stream->terminal, &end, sizeof end);
    else if ((result = channel_flow_granted(&stream->flow, record->credit)) == 0)
        terminal_resume(stream->terminal);
    return result;
}

void owner_streams_drained(struct owner_streams *streams)
{
    for (int i = 0; i < OWNER_STREAMS_MAX; i++)
        if (streams->list[i].number != 0)
            terminal_resume(streams->list[i].terminal);
}

int owner_streams_open(struct owner_streams *streams, const struct terminal_start *start,
                       uint32_t *ret_stream)
{
    static const struct terminal_ops ops = {
        .room = room, .on_data = show, .on_taken = taken, .on_exit = exited};
    struct owner_stream *stream = NULL;
    for (int i = 0; stream == NULL && i < OWNER_STREAMS_MAX; i++)
        if (streams->list[i].number == 0)
            stream = &streams->list[i];
    if (stream == NULL)
        return -EMFILE;
    channel_flow_init(&stream->flow);
    struct controller *controller = owner_channel_controller(streams->channel);
    int result = terminal_open(controller->loop, start, &ops, stream, &stream->terminal);
    if (result < 0) {
        stream->terminal = NULL;
        return result;
    }
    stream->number = ++streams->last;
    *ret_stream = stream->number;
    return 0;
}

int owner_streams_resize(struct owner_streams *streams, uint32_t number, uint16_t rows, uint16_t columns)
{
    struct owner_stream *stream = find(streams, number);
    if (stream == NULL)
        return -ENOENT;
    terminal_resize(stream->terminal, rows, columns);
    return 0;
}
