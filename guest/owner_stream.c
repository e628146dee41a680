/*
 * Owner streams: see owner_stream.h.
 */
#include "guest/owner_stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "guest/owner_channel.h"
#include "guest/terminal.h"
#include "protocol/json_write.h"
#include "src/io/rpc.h"

#define END_OF_INPUT 4    /* Ctrl-D: what a terminal knows as the end */
#define GRANT_BYTES 16384 /* smaller grants to a holder cost more than they give */

struct owner_stream {
    struct owner_streams *streams; /* borrowed */
    uint32_t number;               /* 0: free */
    struct terminal *terminal;     /* borrowed: of terminals.h */
    struct rpc_request *request;   /* owned: who asked, until the terminal has answered */
    struct channel_flow flow;
    uint32_t granted; /* bytes that the holder may still send: that much of the flow is spoken for */
};

struct owner_streams {
    struct owner_channel *channel; /* borrowed */
    uint32_t last;                 /* number given */
    struct owner_stream list[OWNER_STREAMS_MAX];
};

static void free_stream(struct owner_stream *stream)
{
    if (stream->request != NULL)
        rpc_fail_code(stream->request, CODE_NOT_FOUND, "terminal");
    *stream = (struct owner_stream){.streams = stream->streams};
}

/* Lets the holder send as much as the owner's credit and the connection allow. */
static void grant(struct owner_stream *stream)
{
    if (stream->request != NULL || !owner_channel_has_room(stream->streams->channel))
        return;
    size_t allowed = channel_flow_allowed(&stream->flow, CHANNEL_BYTES_MAX);
    uint32_t more = allowed > stream->granted ? (uint32_t)allowed - stream->granted : 0;
    if (more == 0 || (more < GRANT_BYTES && stream->granted > 0))
        return;
    stream->granted += more;
    terminal_grant(stream->terminal, more);
}

/* ---- what the terminal tells ---- */

static void answer(struct owner_stream *stream, uint64_t from, uint64_t shown)
{
    struct json_writer out = json_writer_init(0);
    json_write_object_begin(&out, NULL);
    json_write_int(&out, "stream", stream->number);
    json_write_text(&out, "terminal", terminal_id(stream->terminal));
    json_write_text(&out, "user", terminal_info(stream->terminal)->user);
    json_write_int(&out, "from", (int64_t)from);
    json_write_int(&out, "shown", (int64_t)shown);
    json_write_object_end(&out);
    rpc_reply_json(stream->request, &out);
    stream->request = NULL;
}

static void joined(void *arg, uint64_t from, uint64_t shown)
{
    struct owner_stream *stream = arg;
    if (from == TERMINAL_NOWHERE) {
        rpc_fail_parameter(stream->request, "from");
        stream->request = NULL;
        free_stream(stream);
        return;
    }
    answer(stream, from, shown);
    grant(stream);
}

static void show(void *arg, const uint8_t *bytes, size_t len_bytes)
{
    struct owner_stream *stream = arg;
    stream->granted -= len_bytes < stream->granted ? (uint32_t)len_bytes : stream->granted;
    channel_flow_sent(&stream->flow, len_bytes);
    owner_channel_send(stream->streams->channel, stream->number, CHANNEL_DATA, bytes, len_bytes);
    grant(stream);
}

static void taken(void *arg, size_t len_bytes)
{
    struct owner_stream *stream = arg;
    uint32_t credit = channel_flow_consumed(&stream->flow, len_bytes);
    if (credit > 0)
        owner_channel_send_credit(stream->streams->channel, stream->number, credit);
}

/* The stream's end, and why. Who asked for it and has no answer yet gets that instead. */
static void end_stream(struct owner_stream *stream, const char *method, const char *status)
{
    struct owner_channel *channel = stream->streams->channel;
    char params[128];
    bool told = stream->request != NULL;
    snprintf(params, sizeof params, "{\"stream\":%u,\"terminal\":\"%s\"%s}", stream->number,
             terminal_id(stream->terminal), status);
    if (!told)
        owner_channel_send(channel, stream->number, CHANNEL_END, NULL, 0);
    free_stream(stream);
    if (!told)
        owner_channel_notify(channel, method, params);
}

static void displaced(void *arg)
{
    end_stream(arg, "terminal.detached", "");
}

static void exited(void *arg, int status)
{
    char text[32];
    snprintf(text, sizeof text, ",\"status\":%d", status);
    end_stream(arg, "terminal.exited", text);
}

static const struct terminal_ops ops = {
    .on_joined = joined, .on_data = show, .on_taken = taken, .on_displaced = displaced, .on_exit = exited};

/* ---- what the owner wants ---- */

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
    for (int i = 0; i < OWNER_STREAMS_MAX; i++) {
        if (streams->list[i].number == 0)
            continue;
        terminal_leave(streams->list[i].terminal);
        free_stream(&streams->list[i]);
    }
    free(streams);
}

static struct owner_stream *find(struct owner_streams *streams, uint32_t number)
{
    for (int i = 0; number != 0 && i < OWNER_STREAMS_MAX; i++)
        if (streams->list[i].number == number)
            return &streams->list[i];
    return NULL;
}

static struct owner_stream *find_free(struct owner_streams *streams)
{
    for (int i = 0; i < OWNER_STREAMS_MAX; i++)
        if (streams->list[i].number == 0)
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
        grant(stream);
    return result;
}

void owner_streams_drained(struct owner_streams *streams)
{
    for (int i = 0; i < OWNER_STREAMS_MAX; i++)
        if (streams->list[i].number != 0)
            grant(&streams->list[i]);
}

bool owner_streams_has_room(const struct owner_streams *streams)
{
    for (int i = 0; i < OWNER_STREAMS_MAX; i++)
        if (streams->list[i].number == 0)
            return true;
    return false;
}

void owner_streams_attach(struct owner_streams *streams, struct terminal *terminal,
                          const struct terminal_join *where, struct rpc_request *request)
{
    struct owner_stream *stream = find_free(streams);
    stream->number = ++streams->last;
    stream->terminal = terminal;
    stream->request = request;
    channel_flow_init(&stream->flow);
    terminal_join(terminal, where, &ops, stream);
}

int owner_streams_detach(struct owner_streams *streams, uint32_t number)
{
    struct owner_stream *stream = find(streams, number);
    if (stream == NULL)
        return -ENOENT;
    terminal_leave(stream->terminal);
    owner_channel_send(streams->channel, number, CHANNEL_END, NULL, 0);
    free_stream(stream);
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
