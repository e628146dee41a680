/*
 * Owner terminals: see owner_terminals.h.
 */
#include "guest/owner_terminals.h"

#include <errno.h>
#include <string.h>

#include "guest/controller.h"
#include "guest/owner_ask.h"
#include "guest/owner_channel.h"
#include "guest/owner_stream.h"
#include "guest/people.h"
#include "guest/terminals.h"
#include "protocol/json.h"

#define ROWS_MAX 1000
#define COLUMNS_MAX 1000
#define PLACE_MAX (INT64_C(1) << 53) /* what every JSON reader can hold */

static const uint8_t *owner_of(struct owner_channel *channel)
{
    return owner_channel_controller(channel)->secrets->kept.owner;
}

static struct terminal_join read_join(struct json_reader *reader)
{
    struct terminal_join join = {.rows = (uint16_t)json_read_int(reader, "rows", 1, ROWS_MAX),
                                 .columns = (uint16_t)json_read_int(reader, "columns", 1, COLUMNS_MAX)};
    int64_t from = json_read_int_or(reader, "from", 0, PLACE_MAX, -1);
    join.from = from < 0 ? TERMINAL_NOWHERE : (uint64_t)from;
    return join;
}

void owner_terminals_open(struct rpc_request *request, const struct json *params, void *arg)
{
    struct json_reader reader = json_reader_init(params);
    struct terminal_join size = read_join(&reader);
    struct terminal_start start = {
        .rows = size.rows,
        .columns = size.columns,
        .term = json_read_text(&reader, "term"),
        .keep_s = (uint32_t)json_read_int_or(&reader, "keep_s", 0, TERMINAL_KEEP_MAX_S, TERMINAL_KEEP_S),
        .owner = owner_of(arg)};
    start.user = people_choose(owner_channel_controller(arg), json_read_text_or(&reader, "user", ""));
    if (reader.wrong == NULL && !terminal_term_is_plain(start.term))
        json_reader_fail(&reader, "term");
    if (request == NULL || json_reader_end(&reader) < 0)
        rpc_fail_parameter(request, reader.wrong);
    else if (start.user == NULL)
        rpc_fail_code(request, CODE_NO_USER, NULL);
    else
        owner_ask_terminal(arg, request, &start);
}

void owner_terminals_begin(struct owner_channel *channel, struct rpc_request *request,
                           const struct terminal_start *start)
{
    const struct terminal_join where = {
        .from = TERMINAL_NOWHERE, .rows = start->rows, .columns = start->columns};
    struct owner_streams *streams = owner_channel_streams(channel);
    struct terminal *terminal;
    int result = owner_streams_has_room(streams)
                     ? terminals_open(owner_channel_controller(channel)->terminals, start, &terminal)
                     : -EMFILE;
    if (result < 0)
        rpc_fail_code(request, result == -EMFILE ? CODE_LIMIT_REACHED : CODE_INTERNAL, strerror(-result));
    else
        owner_streams_attach(streams, terminal, &where, request);
}

void owner_terminals_list(struct rpc_request *request, const struct json *params, void *arg)
{
    struct json_writer out = json_writer_init(0);
    (void)params;
    json_write_object_begin(&out, NULL);
    json_write_array_begin(&out, "terminals");
    terminals_write(owner_channel_controller(arg)->terminals, owner_of(arg), &out);
    json_write_array_end(&out);
    json_write_object_end(&out);
    rpc_reply_json(request, &out);
}

/* The terminal that READER names. NULL: the request was refused. */
static struct terminal *find(struct rpc_request *request, struct json_reader *reader,
                             struct owner_channel *channel)
{
    const char *id = json_read_text(reader, "terminal");
    struct terminal *terminal = NULL;
    if (request == NULL || json_reader_end(reader) < 0) {
        rpc_fail_parameter(request, reader->wrong);
        return NULL;
    }
    terminal = terminals_find(owner_channel_controller(channel)->terminals, id, owner_of(channel));
    if (terminal == NULL)
        rpc_fail_code(request, CODE_NOT_FOUND, "terminal");
    return terminal;
}

void owner_terminals_attach(struct rpc_request *request, const struct json *params, void *arg)
{
    struct json_reader reader = json_reader_init(params);
    struct terminal_join where = read_join(&reader);
    struct terminal *terminal = find(request, &reader, arg);
    if (terminal == NULL)
        return;
    if (owner_streams_has_room(owner_channel_streams(arg)))
        owner_streams_attach(owner_channel_streams(arg), terminal, &where, request);
    else
        rpc_fail_code(request, CODE_LIMIT_REACHED, "streams");
}

void owner_terminals_close(struct rpc_request *request, const struct json *params, void *arg)
{
    struct json_reader reader = json_reader_init(params);
    struct terminal *terminal = find(request, &reader, arg);
    if (terminal == NULL)
        return;
    terminal_hang_up(terminal);
    rpc_reply(request, "{}");
}

/* Answers for a stream. */
static void answer(struct rpc_request *request, int result)
{
    if (result < 0)
        rpc_fail_code(request, CODE_NOT_FOUND, "stream");
    else
        rpc_reply(request, "{}");
}

void owner_terminals_resize(struct rpc_request *request, const struct json *params, void *arg)
{
    struct json_reader reader = json_reader_init(params);
    uint32_t stream = (uint32_t)json_read_int(&reader, "stream", 1, UINT32_MAX);
    struct terminal_join size = read_join(&reader);
    if (json_reader_end(&reader) < 0)
        rpc_fail_parameter(request, reader.wrong);
    else
        answer(request, owner_streams_resize(owner_channel_streams(arg), stream, size.rows, size.columns));
}

void owner_terminals_detach(struct rpc_request *request, const struct json *params, void *arg)
{
    struct json_reader reader = json_reader_init(params);
    uint32_t stream = (uint32_t)json_read_int(&reader, "stream", 1, UINT32_MAX);
    if (json_reader_end(&reader) < 0)
        rpc_fail_parameter(request, reader.wrong);
    else
        answer(request, owner_streams_detach(owner_channel_streams(arg), stream));
}
