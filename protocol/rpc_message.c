/*
 * JSON-RPC 2.0 messages to structs and back. See rpc_message.h.
 */
#include "protocol/rpc_message.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The id as JSON text: a number, or a string that fits. -EINVAL anything else, -ENOMEM. */
static int format_id(const struct json *id, char out[RPC_MESSAGE_ID_BYTES])
{
    struct json_writer writer = json_writer_init(RPC_MESSAGE_ID_BYTES - 1);
    if (json_kind(id) != JSON_NUMBER && json_kind(id) != JSON_TEXT)
        return -EINVAL;
    json_write_value(&writer, NULL, id);
    int error = json_writer_end(&writer);
    if (error == 0)
        memcpy(out, writer.text, writer.len + 1);
    json_writer_finish(&writer);
    return error == -EMSGSIZE ? -EINVAL : error;
}

static int take_id(struct rpc_message *message)
{
    const struct json *id = json_member(message->tree, "id");
    message->id_number = -1;
    if (!id)
        return 0;
    int error = format_id(id, message->id);
    if (error == -ENOMEM)
        return error;
    if (error) {
        /* null is what an answer has whose request could not be read */
        if (json_kind(id) != JSON_NULL || json_member(message->tree, "method"))
            return -EINVAL;
        strcpy(message->id, "null");
        return 0;
    }
    int64_t number;
    if (json_int(id, &number) == 0 && number >= 0)
        message->id_number = number;
    return 0;
}

static int take_call(struct rpc_message *message)
{
    message->params = json_member(message->tree, "params");
    enum json_kind kind = json_kind(message->params);
    if (message->params && kind != JSON_OBJECT && kind != JSON_ARRAY)
        return -EINVAL;
    message->kind = message->id[0] ? RPC_MESSAGE_REQUEST : RPC_MESSAGE_NOTIFICATION;
    return 0;
}

static int take_error(struct rpc_message *message, const struct json *error)
{
    struct json_reader reader = json_reader_init(error);
    message->code = json_read_int(&reader, "code", INT32_MIN, INT32_MAX);
    message->words = json_read_text(&reader, "message");
    message->data = json_member(error, "data");
    struct json_reader data = json_reader_init(message->data);
    message->name = json_read_text_or(&data, "code", "");
    message->detail = json_read_text_or(&data, "detail", "");
    message->kind = RPC_MESSAGE_ERROR;
    return json_reader_end(&reader);
}

static int take_answer(struct rpc_message *message)
{
    const struct json *error = json_member(message->tree, "error");
    message->result = json_member(message->tree, "result");
    if (!message->id[0] || (json_kind(error) != JSON_NULL && json_kind(message->result) != JSON_NULL))
        return -EINVAL;
    if (json_kind(error) != JSON_NULL)
        return take_error(message, error);
    message->kind = RPC_MESSAGE_RESULT;
    return message->result ? 0 : -EINVAL;
}

static int take_all(struct rpc_message *message)
{
    struct json_reader reader = json_reader_init(message->tree);
    const char *version = json_read_text(&reader, "jsonrpc");
    message->method = json_read_text_or(&reader, "method", NULL);
    int error = take_id(message);
    if (error)
        return error;
    if (json_reader_end(&reader) < 0 || strcmp(version, "2.0") != 0)
        return -EINVAL;
    return message->method ? take_call(message) : take_answer(message);
}

int rpc_message_decode(const char *text, size_t len, const struct json_limits *limits,
                       struct rpc_message *ret_message, char ret_id[RPC_MESSAGE_ID_BYTES])
{
    struct rpc_message message = {.words = "", .name = "", .detail = ""};
    int error = json_parse(text, len, limits, &message.tree);
    if (error)
        return error;
    error = take_all(&message);
    if (error) {
        if (format_id(json_member(message.tree, "id"), ret_id) < 0)
            strcpy(ret_id, "null");
        rpc_message_finish_wiped(&message);
        return error;
    }
    *ret_message = message;
    return 0;
}

void rpc_message_finish(struct rpc_message *message)
{
    json_destroy(message->tree);
    memset(message, 0, sizeof *message);
}

void rpc_message_finish_wiped(struct rpc_message *message)
{
    json_destroy_wiped(message->tree);
    memset(message, 0, sizeof *message);
}

static void write_call(struct json_writer *writer, const char *method, const char *params)
{
    json_write_text(writer, "method", method);
    if (params)
        json_write_raw(writer, "params", params);
    json_write_object_end(writer);
}

static void write_begin(struct json_writer *writer)
{
    json_write_object_begin(writer, NULL);
    json_write_text(writer, "jsonrpc", "2.0");
}

void rpc_message_write_request(struct json_writer *writer, int64_t id, const char *method, const char *params)
{
    write_begin(writer);
    json_write_int(writer, "id", id);
    write_call(writer, method, params);
}

void rpc_message_write_notification(struct json_writer *writer, const char *method, const char *params)
{
    write_begin(writer);
    write_call(writer, method, params);
}

void rpc_message_write_result(struct json_writer *writer, const char *id, const char *result)
{
    write_begin(writer);
    json_write_raw(writer, "id", id);
    json_write_raw(writer, "result", result);
    json_write_object_end(writer);
}

void rpc_message_write_error(struct json_writer *writer, const char *id, int64_t code, const char *words,
                             const char *data)
{
    write_begin(writer);
    json_write_raw(writer, "id", id);
    json_write_object_begin(writer, "error");
    json_write_int(writer, "code", code);
    json_write_text(writer, "message", words);
    if (data)
        json_write_raw(writer, "data", data);
    json_write_object_end(writer);
    json_write_object_end(writer);
}

void rpc_message_write_failure_data(struct json_writer *writer, enum kiln_code code, const char *detail)
{
    const struct code_info *info = code_info(code);
    json_write_object_begin(writer, NULL);
    json_write_text(writer, "code", info ? info->name : "INTERNAL");
    if (detail)
        json_write_text(writer, "detail", detail);
    json_write_object_end(writer);
}

void rpc_message_write_failure(struct json_writer *writer, const char *id, enum kiln_code code,
                               const char *detail)
{
    const struct code_info *info = code_info(code) ? code_info(code) : code_info(CODE_INTERNAL);
    struct json_writer data = json_writer_init(0);
    rpc_message_write_failure_data(&data, code, detail);
    if (json_writer_end(&data) == 0)
        rpc_message_write_error(writer, id, info->code, info->words, data.text);
    else
        writer->error = json_writer_end(&data);
    json_writer_finish(&data);
}
