/*
 * Users: verb_object.h says what is asked.
 */
#include <errno.h>
#include <string.h>

#include "protocol/crypto.h"
#include "protocol/json.h"
#include "src/core/edge_link.h"
#include "src/core/owner_events.h"
#include "src/core/session.h"
#include "src/core/ticket.h"
#include "src/core/verb_object.h"
#include "src/core/views.h"

enum { USER_MEMBERS = 4 };

static void write_peer(struct json_writer *out, const struct user *user)
{
    json_write_object_begin(out, NULL);
    json_write_text(out, "name", user->name);
    json_write_hex(out, "fingerprint", user->fingerprint, sizeof user->fingerprint);
    json_write_base64(out, "public_key", user->spki, user->spki_len_bytes);
    json_write_object_end(out);
}

void verb_user_list(struct ask *ask, const char *after)
{
    const struct user *user;
    struct view_page page;
    uint8_t key[RECORD_HASH_LEN];
    char next[TEXT_HEX_BYTES(RECORD_HASH_LEN)] = "";
    if (after && hex_decode(after, key, sizeof key)) {
        ask_refuse(ask, CODE_BAD_PARAMETER, "after");
        return;
    }
    view_page_begin(&page, "users");
    for (size_t i = 0; !next[0] && (user = user_at(ask->verbs->core, i)); i++) {
        if (after && memcmp(user->fingerprint, key, sizeof key) <= 0)
            continue;
        if (ask->caller.sees_all)
            view_user(&page.out, NULL, user);
        else
            write_peer(&page.out, user);
        if (view_page_full(&page, USER_MEMBERS))
            hex_encode(user->fingerprint, sizeof user->fingerprint, next);
    }
    view_page_end(&page, next[0] ? next : NULL);
    ask_send(ask, 200, &page.out);
}

static void added(void *arg, enum kiln_code code, const char *detail)
{
    struct ask *ask = arg;
    const struct user *user = user_find(ask->verbs->core, ask->name);
    if (code != CODE_NONE || !user) {
        ask_refuse(ask, code != CODE_NONE ? code : CODE_NOT_FOUND, detail);
        return;
    }
    struct json_writer out = json_writer_init(0);
    view_user(&out, NULL, user);
    ask_send(ask, 200, &out);
}

static void read_key(struct json_reader *reader, struct user *user)
{
    struct crypto_rsa *key;
    user->spki_len_bytes = (uint16_t)json_read_base64(reader, "public_key", user->spki, sizeof user->spki);
    if (reader->wrong)
        return;
    if (crypto_rsa_decode_public(user->spki, user->spki_len_bytes, &key)) {
        json_reader_fail(reader, "public_key");
        return;
    }
    crypto_rsa_destroy(key);
    crypto_fingerprint(user->spki, user->spki_len_bytes, user->fingerprint);
}

void verb_user_add(struct ask *ask, const struct json *params)
{
    struct json_reader reader = json_reader_init(params);
    struct user user = {0};
    strncpy(user.name, json_read_name(&reader, "name"), sizeof user.name - 1);
    const char *role = json_read_text(&reader, "role");
    if (strcmp(role, "admin") != 0 && strcmp(role, "owner") != 0)
        json_reader_fail(&reader, "role");
    user.role = strcmp(role, "admin") == 0 ? USER_ADMIN : USER_OWNER;
    read_key(&reader, &user);
    if (json_reader_end(&reader)) {
        ask_refuse(ask, CODE_BAD_PARAMETER, reader.wrong);
        return;
    }
    if (!ask_may_store(ask))
        return;
    memcpy(ask->name, user.name, sizeof ask->name);
    int error = user_add(ask->verbs->core, &user, ask->caller.actor, added, ask);
    if (error == -EEXIST)
        ask_refuse(ask, CODE_ALREADY_EXISTS, "the name or the key");
    else if (error)
        ask_refuse_errno(ask, error);
}

/* What a user who is no more still has open: sessions, readers of events, tickets, channels, bridges. */
static void close_all(struct verbs *verbs, const uint8_t key[RECORD_HASH_LEN])
{
    const struct vm_slot *slot;
    sessions_close_user(verbs->sessions, key);
    owner_events_check(verbs->owner_events);
    tickets_revoke_user(verbs->tickets, key);
    for (size_t i = 0; (slot = core_vm_at(verbs->core, i)); i++)
        if (slot->vm.assigned && memcmp(slot->vm.owner, key, RECORD_HASH_LEN) == 0)
            edge_close_relays(verbs->edge, slot->vm.uuid, "all");
}

void verb_user_remove(struct ask *ask, const char *name)
{
    struct verbs *verbs = ask->verbs;
    uint8_t key[RECORD_HASH_LEN];
    const struct user *user = user_find(verbs->core, name);
    if (!user) {
        ask_refuse(ask, CODE_NOT_FOUND, name);
        return;
    }
    if (!ask_may_store(ask))
        return;
    memcpy(key, user->fingerprint, sizeof key);
    int error = user_remove(verbs->core, name, ask->caller.actor, ask_done_empty, ask);
    if (error) {
        ask_refuse_errno(ask, error);
        return;
    }
    close_all(verbs, key);
}
