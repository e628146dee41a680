/* links: kiln_core cmocka */
/*
 * A hostile guest against kilnd: it is Alice's VM, proves its boot secret, and then says what it likes, a
 * word a line: 's' a message, sealed as it should be, 'r' a record as it is, 'o' opens another link, 'g'
 * registers anew with a key of its own; then whether kilnd runs on before the next. "@d" is its drive, "@v"
 * itself. Claims: it stays Alice's, with the key that it registered and the drives that she chose; nobody
 * else's is touched; kilnd serves on.
 */
#include "fuzz/session.h"

static void say(struct session *session, const char *text, size_t len)
{
    static uint8_t record[SESSION_TEXT_MAX + 64];
    size_t record_len;
    if (link_session_seal(&session->guest.session, text, len, record, sizeof record, &record_len) == 0)
        guest_send(&session->world, &session->guest, record, record_len);
}

static void register_anew(struct session *session, const char *text, size_t len)
{
    struct register_request request = session->guest.request;
    uint8_t key[CRYPTO_KEY_BYTES];
    size_t take = len < sizeof request.nonce_v ? len : sizeof request.nonce_v;
    memcpy(request.nonce_v, text, take);
    register_derive_key(session->guest.secret, key);
    register_request_prove(&request, key);
    const char *code = guest_register_with(&session->world, &request);
    CLAIM(code[0] || memcmp(&request, &session->guest.request, sizeof request) == 0);
}

static void open_again(struct session *session)
{
    char params[128];
    session->guest.link++;
    snprintf(params, sizeof params, "{\"link\":%llu,\"uuid\":\"%s\"}",
             (unsigned long long)session->guest.link, session->guest.id);
    world_notify(&session->world, "link.open", params);
}

static void take_word(struct session *session, const uint8_t *word, size_t len)
{
    static char text[SESSION_TEXT_MAX + 1];
    if (len < 2)
        return;
    size_t text_len = session_expand(session, word + 2, len - 2, text);
    if (word[0] == 's')
        say(session, text, text_len);
    else if (word[0] == 'r')
        guest_send(&session->world, &session->guest, text, text_len);
    else if (word[0] == 'o')
        open_again(session);
    else if (word[0] == 'g')
        register_anew(session, text, text_len);
    if (word[1] & 1)
        session_turn(session);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct session session;
    const uint8_t *word;
    size_t len;
    session_open(&session);
    CLAIM(strcmp(guest_register_with(&session.world, &session.guest.request), "") == 0);
    guest_open_link(&session.world, &session.guest, 1);
    world_settle(&session.world);
    memcpy(&session.vm, guest_vm(&session.world, &session.guest), sizeof session.vm);
    for (int i = 0; i < SESSION_WORDS_MAX && session_word(&data, &size, &word, &len); i++)
        take_word(&session, word, len);
    session_check_host(&session);
    const struct vm *vm = guest_vm(&session.world, &session.guest);
    CLAIM(vm->assigned && memcmp(vm->owner, session.vm.owner, sizeof vm->owner) == 0 && vm->drives == 1);
    CLAIM(memcmp(&vm->registration, &session.vm.registration, sizeof vm->registration) == 0);
    CLAIM(session.world.core.vms.count == 1 && session.world.core.drives.count == 1);
    session_close(&session);
    return 0;
}
