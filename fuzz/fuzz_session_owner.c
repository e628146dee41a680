/* links: kiln_core cmocka */
/*
 * A hostile owner against kilnd: Bob is logged in, and asks what he likes, a request a line: how it is signed
 * (a digit), the method, the target, the body. He knows the ids of Alice's ("@v" her VM, "@d" her drive), as
 * one who shares with her would, the id that he was answered last ("@l"), of a VM of his own, and his own
 * token
 * ("@b"). Claims: each request has one answer, a status and
 * a body that is JSON; nothing of Alice's changes; Bob becomes no administrator; kilnd serves on.
 */
#include "fuzz/session.h"

enum signing {
    SIGNED_RIGHT,
    SIGNED_NOT,
    SIGNED_FOR_ANOTHER_PATH,
    SIGNED_LONG_AGO,
    SIGNED_WITHOUT_SESSION,
    SIGNED_KINDS
};

static void check_answer(struct session *session)
{
    const struct world *world = &session->world;
    int64_t status = 0;
    struct json *body = NULL;
    if (world->name[0] || !world->result)
        return;
    const char *text = world_text(world->result, "body");
    CLAIM(json_int(json_member(world->result, "status"), &status) == 0 && status >= 200 && status <= 599);
    CLAIM(json_parse(text, strlen(text), &json_limits_edge, &body) == 0);
    const char *id = json_text(json_member(body, "id"));
    if (id && strlen(id) < sizeof session->answered)
        strcpy(session->answered, id);
    json_destroy(body);
}

static void ask_as(struct session *session, enum signing signing, const struct passed *asked)
{
    struct world *world = &session->world;
    char header[REQUEST_HEADER_MAX];
    struct passed signed_for = *asked, passed = *asked;
    if (signing == SIGNED_FOR_ANOTHER_PATH)
        signed_for.path = "/v1/vms";
    if (signing != SIGNED_NOT) {
        owner_sign(world, &world->bob, &signed_for,
                   loop_wall_ms() - (signing == SIGNED_LONG_AGO ? 600000 : 0), header);
        passed.signature = header;
    }
    passed.token = signing == SIGNED_WITHOUT_SESSION ? NULL : world->bob.token;
    struct json_writer params = passed_params(&passed);
    /* Words that are no UTF-8 come past no edge. */
    if (json_writer_end(&params) == 0) {
        world_call(world, world->edge, "owner.request", params.text);
        check_answer(session);
    }
    json_writer_finish(&params);
}

/* "0 METHOD TARGET BODY" */
static void ask_line(struct session *session, const uint8_t *line, size_t len)
{
    static char text[SESSION_TEXT_MAX + 1];
    struct passed passed = {.method = "", .path = ""};
    if (len < 2)
        return;
    session_expand(session, line + 1, len - 1, text);
    char *at = text, *method = strsep(&at, " "), *path = strsep(&at, " ");
    passed.method = method;
    if (path)
        passed.path = path;
    passed.body = at;
    ask_as(session, (line[0] - (unsigned)'0') % SIGNED_KINDS, &passed);
    session_turn(session);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct session session;
    const uint8_t *line;
    size_t len;
    session_open(&session);
    owner_login_good(&session.world, &session.world.bob);
    for (int i = 0; i < SESSION_WORDS_MAX && session_word(&data, &size, &line, &len); i++)
        ask_line(&session, line, len);
    session_check_host(&session);
    session_check_vm(&session);
    const struct vm *vm = guest_vm(&session.world, &session.guest);
    CLAIM(memcmp(vm, &session.vm, sizeof *vm) == 0);
    session_close(&session);
    return 0;
}
