/* links: kiln_protocol */
/* JSON-RPC messages: every one has what its kind says; a refused one has an id to answer with. */
#include <errno.h>
#include <string.h>

#include "fuzz/claim.h"
#include "protocol/rpc_message.h"

static void check_shape(const struct rpc_message *message)
{
    CLAIM(message->words && message->name && message->detail && strlen(message->id) < RPC_MESSAGE_ID_BYTES);
    bool call = message->kind == RPC_MESSAGE_REQUEST || message->kind == RPC_MESSAGE_NOTIFICATION;
    CLAIM(call == (message->method != NULL));
    CLAIM((message->kind == RPC_MESSAGE_NOTIFICATION) == (message->id[0] == '\0'));
    CLAIM(message->kind != RPC_MESSAGE_RESULT || message->result);
}

/* The id goes back as it came. */
static void check_answer(const struct rpc_message *message)
{
    struct rpc_message answer;
    char id[RPC_MESSAGE_ID_BYTES];
    struct json_writer out = json_writer_init(0);
    rpc_message_write_result(&out, message->id, "{}");
    CLAIM(json_writer_end(&out) == 0);
    CLAIM(rpc_message_decode(out.text, out.len, NULL, &answer, id) == 0);
    CLAIM(strcmp(answer.id, message->id) == 0 && answer.id_number == message->id_number);
    rpc_message_finish(&answer);
    json_writer_finish(&out);
}

/* A failure of ours, told with the message's words, is read as such. */
static void check_failure(const struct rpc_message *message)
{
    struct rpc_message told;
    char id[RPC_MESSAGE_ID_BYTES];
    struct json_writer out = json_writer_init(0);
    const struct code_info *info = code_find(message->name);
    const struct code_info *wanted = info ? info : code_info(CODE_INTERNAL);
    const char *detail = message->method ? message->method : message->detail;
    rpc_message_write_failure(&out, message->id[0] ? message->id : "null", info ? info->code : CODE_NONE,
                              detail);
    CLAIM(json_writer_end(&out) == 0);
    if (rpc_message_decode(out.text, out.len, NULL, &told, id) == 0) {
        CLAIM(told.kind == RPC_MESSAGE_ERROR && told.code == wanted->code);
        CLAIM(strcmp(told.name, wanted->name) == 0 && strcmp(told.detail, detail) == 0);
        rpc_message_finish(&told);
    } else {
        CLAIM(out.len > json_limits_message.text_max_bytes);
    }
    json_writer_finish(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rpc_message message;
    char id[RPC_MESSAGE_ID_BYTES] = "";
    int error = rpc_message_decode((const char *)data, size, NULL, &message, id);
    CLAIM(error <= 0);
    if (error) {
        CLAIM(error != -EINVAL || id[0]);
        return 0;
    }
    check_shape(&message);
    if (message.kind == RPC_MESSAGE_REQUEST)
        check_answer(&message);
    check_failure(&message);
    rpc_message_finish_wiped(&message);
    return 0;
}
