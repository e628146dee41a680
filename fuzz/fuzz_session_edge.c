/* links: kiln_core cmocka */
/*
 * A hostile edge against kilnd: its bytes on edge.sock, whole or cut, kilnd running on in between. It knows
 * the ids and Alice's session ("@v" her VM, "@d" her drive, "@a" her token), as an edge would, and no key.
 * Claims: what kilnd says is well formed; Alice's VM is what it was; nothing is made or removed; kilnd serves
 * on.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include "fuzz/pair.h"
#include "fuzz/session.h"
#include "protocol/rpc_message.h"

/* The edge that kept to the rules is gone; here comes the other one. */
static void take_its_place(struct session *session, struct pair *pair)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    rpc_client_close(session->world.edge);
    session->world.edge = NULL;
    session_turn(session);
    snprintf(address.sun_path, sizeof address.sun_path, "%s/run/edge.sock", session->world.folder);
    pair->loop = session->world.core.loop;
    pair->answer_len = 0;
    pair->far = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CLAIM(pair->far >= 0 && connect(pair->far, (struct sockaddr *)&address, sizeof address) == 0);
    pair_turn(pair);
}

static void check_answers(const struct pair *pair)
{
    const char *at = pair->answer, *end = at + pair->answer_len, *newline;
    struct rpc_message message;
    char id[RPC_MESSAGE_ID_BYTES];
    for (; (newline = memchr(at, '\n', (size_t)(end - at))) != NULL; at = newline + 1) {
        CLAIM(rpc_message_decode(at, (size_t)(newline - at), &json_limits_edge, &message, id) == 0);
        rpc_message_finish(&message);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct session session;
    static struct pair pair;
    static char text[SESSION_TEXT_MAX + 1];
    session_open(&session);
    take_its_place(&session, &pair);
    bool whole = size > 0 && data[0] & 1;
    size_t len = size > 0 ? session_expand(&session, data + 1, size - 1, text) : 0;
    pair_send(&pair, (const uint8_t *)text, len, whole);
    pair_close(&pair);
    world_settle(&session.world);
    check_answers(&pair);
    session_check_host(&session);
    session_check_vm(&session);
    CLAIM(guest_vm(&session.world, &session.guest)->head.state == VM_BOOTED);
    CLAIM(session.world.core.vms.count == 1 && session.world.core.drives.count == 1);
    session_close(&session);
    return 0;
}
