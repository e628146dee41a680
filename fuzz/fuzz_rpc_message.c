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
    rpc_message_finish_wiped(&message);
    return 0;
}
