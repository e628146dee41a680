/*
 * Asks: ask.h says what they are.
 */
#include "src/core/ask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/api_failure.h"
#include "protocol/rpc_message.h"
#include "src/core/store.h"
#include "src/io/log.h"
#include "src/io/rpc.h"

enum { RETRY_AFTER_S = 2 }; /* for what passes by itself */

struct ask *ask_create(struct verbs *verbs, struct rpc_request *request, bool http)
{
    struct ask *ask = calloc(1, sizeof *ask);
    if (!ask) {
        rpc_fail(request, RPC_INTERNAL, "no memory", NULL);
        return NULL;
    }
    ask->verbs = verbs;
    ask->request = request;
    ask->http = http;
    return ask;
}

static void send_http(struct ask *ask, int status, const char *body)
{
    struct json_writer out = json_writer_init(0);
    json_write_object_begin(&out, NULL);
    json_write_int(&out, "status", status);
    json_write_text(&out, "body", body);
    if (ask->retry_after_s)
        json_write_int(&out, "retry_after", ask->retry_after_s);
    json_write_object_end(&out);
    rpc_reply_json(ask->request, &out);
}

void ask_send(struct ask *ask, int status, struct json_writer *writer)
{
    int error = json_writer_end(writer);
    if (error) {
        log_error("verbs", "an answer could not be written", "error=%d", error);
        json_writer_finish(writer);
        ask_refuse(ask, CODE_INTERNAL, "");
        return;
    }
    if (ask->http)
        send_http(ask, status, writer->text);
    else
        rpc_reply(ask->request, writer->text);
    json_writer_finish_wiped(writer);
    free(ask);
}

void ask_send_empty(struct ask *ask)
{
    struct json_writer out = json_writer_init(0);
    json_write_object_begin(&out, NULL);
    json_write_object_end(&out);
    ask_send(ask, 200, &out);
}

static void refuse_http(struct ask *ask, const struct code_info *info, const char *detail)
{
    struct json_writer out = json_writer_init(0);
    api_failure_write(&out, info->code, detail);
    send_http(ask, info->http_status, out.text);
    json_writer_finish(&out);
}

static void refuse_rpc(struct ask *ask, const struct code_info *info, const char *detail)
{
    struct json_writer data = json_writer_init(0);
    int number = info->code == CODE_BAD_PARAMETER ? RPC_INVALID_PARAMS : (int)info->code;
    rpc_message_write_failure_data(&data, info->code, detail);
    rpc_fail(ask->request, number, info->words, json_writer_end(&data) == 0 ? data.text : NULL);
    json_writer_finish(&data);
}

void ask_refuse(struct ask *ask, enum kiln_code code, const char *detail)
{
    const struct code_info *info = code_info(code);
    if (!ask->retry_after_s &&
        (code == CODE_UNAVAILABLE || code == CODE_STORE_FAILED || code == CODE_LIMIT_REACHED))
        ask->retry_after_s = RETRY_AFTER_S;
    if (ask->http)
        refuse_http(ask, info, detail ? detail : "");
    else
        refuse_rpc(ask, info, detail ? detail : "");
    free(ask);
}

void ask_refuse_errno(struct ask *ask, int error)
{
    if (error == -EIO || error == -ENOSPC)
        ask_refuse(ask, CODE_STORE_FAILED, strerror(-error));
    else
        ask_refuse(ask, CODE_INTERNAL, strerror(-error));
}

void ask_done_empty(void *arg, enum kiln_code code, const char *detail)
{
    if (code == CODE_NONE)
        ask_send_empty(arg);
    else
        ask_refuse(arg, code, detail);
}

bool ask_may_store(struct ask *ask)
{
    int error = store_error(ask->verbs->core->store);
    if (error)
        ask_refuse(ask, CODE_STORE_FAILED, strerror(-error));
    return error == 0;
}

bool caller_is(const struct caller *caller, const uint8_t key[RECORD_HASH_LEN])
{
    return caller->is_user && memcmp(caller->key, key, RECORD_HASH_LEN) == 0;
}

bool caller_sees_vm(const struct caller *caller, const struct vm *vm)
{
    return caller->sees_all || (vm->assigned && caller_is(caller, vm->owner));
}

bool caller_sees_drive(const struct caller *caller, const struct drive *drive)
{
    return caller->sees_all || caller_is(caller, drive->owner) ||
           (caller->is_user && drive_envelope(drive, caller->key));
}
