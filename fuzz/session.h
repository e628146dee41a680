/*
 * session.h - a whole kilnd for a hostile peer: the one of the unit tests (real store, sockets, machines; a
 * libvirt that says yes), with Alice and Bob, who keep to the rules, and a VM and a drive of Alice's.
 *
 * In: the fuzzer's bytes, cut into words by the target. Out: what must hold of Alice's afterwards.
 * Kept from one input to the next: people's keys, which take long to make.
 */
#ifndef KILN_FUZZ_SESSION_H
#define KILN_FUZZ_SESSION_H

#include "fuzz/claim.h"
#include "protocol/envelope.h"
#include "src/io/log.h"
#include "tests/unit/core_verbs_guest.h"

enum { SESSION_WORDS_MAX = 24, SESSION_TEXT_MAX = 16384, SESSION_STEPS = 6 };

struct session {
    struct world world;
    struct guest_end guest; /* of Alice's VM; its key is borrowed */
    char drive[37];         /* Alice's, in that VM */
    char answered[37];      /* the peer's: the id in its last answer that had one */
    const char *envelope;   /* borrowed: the key of a drive of that id, sealed by Alice to herself */
    struct vm vm;           /* her VM's record, before the peer said anything */
};

/* Lets kilnd do what it can without waiting. */
static inline void session_turn(struct session *session)
{
    for (int i = 0; i < SESSION_STEPS; i++)
        CLAIM(loop_step(session->world.core.loop, false) == 0);
}

/* Made once: sealing takes long. */
static inline const char *session_seal(const struct person *alice, const char *drive)
{
    static char text[TEXT_BASE64_BYTES(ENVELOPE_MAX)];
    static const uint8_t key[ENVELOPE_KEY_BYTES] = {7};
    uint8_t id[UUID_BYTES], sealed[ENVELOPE_MAX];
    size_t len;
    CLAIM(uuid_parse(drive, id) == 0);
    CLAIM(envelope_seal(alice->key, alice->key, test_random, NULL, id, key, sealed, &len) == 0);
    base64_encode(sealed, len, text);
    return text;
}

static inline void session_make_drive(struct session *session)
{
    char body[2048], drives[96];
    struct world *world = &session->world;
    snprintf(body, sizeof body, "{\"id\":\"%s\",\"name\":\"carrot\",\"size_mib\":64,\"envelope\":\"%s\"}",
             session->drive, session->envelope);
    CLAIM(strcmp(owner_ask(world, &world->alice, "POST", "/v1/drives", body), "") == 0);
    snprintf(drives, sizeof drives, "[{\"drive\":\"%s\",\"mode\":\"writer\"}]", session->drive);
    owner_make_vm(world, &world->alice, "hers", drives, session->guest.id);
}

static inline void session_open(struct session *session)
{
    static struct person alice, bob;
    static struct crypto_rsa *guest_key;
    static const char *envelope;
    char id[37];
    memset(session, 0, sizeof *session);
    snprintf(session->drive, sizeof session->drive, "11111111-2222-4333-8444-555555555555");
    log_set_level(LOG_LEVEL_ERROR);
    if (!guest_key) {
        person_make(&alice);
        person_make(&bob);
        CLAIM(crypto_rsa_generate(2048, test_random, NULL, &guest_key) == 0);
        envelope = session_seal(&alice, session->drive);
    }
    session->envelope = envelope;
    session->world.alice = alice;
    session->world.bob = bob;
    snprintf(session->world.folder, sizeof session->world.folder, "%s/kiln-fuzz-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    world_open_for_people(&session->world);
    owner_login_good(&session->world, &session->world.alice);
    session_make_drive(session);
    snprintf(id, sizeof id, "%s", session->guest.id);
    guest_boot_with(&session->world, id, guest_key, &session->guest);
    world_settle(&session->world);
    memcpy(&session->vm, guest_vm(&session->world, &session->guest), sizeof session->vm);
}

/* What is behind '@' in the peer's text, which it cannot guess but sees. */
static inline const char *session_known(const struct session *session, char which)
{
    switch (which) {
    case 'v':
        return session->guest.id;
    case 'd':
        return session->drive;
    case 'l':
        return session->answered;
    case 'a':
        return session->world.alice.token;
    case 'e':
        return session->envelope;
    case 'b':
        return session->world.bob.token;
    default:
        return NULL;
    }
}

/* The peer's words with what it knows put in; cut at SESSION_TEXT_MAX. Returns the length; the text ends with
 * a NUL besides. */
static inline size_t session_expand(const struct session *session, const uint8_t *data, size_t size,
                                    char text[SESSION_TEXT_MAX + 1])
{
    size_t len = 0;
    for (size_t i = 0; i < size && len < SESSION_TEXT_MAX; i++) {
        const char *known = data[i] == '@' && i + 1 < size ? session_known(session, (char)data[i + 1]) : NULL;
        if (!known) {
            text[len++] = (char)data[i];
            continue;
        }
        size_t room = SESSION_TEXT_MAX - len, take = strlen(known) < room ? strlen(known) : room;
        memcpy(text + len, known, take);
        len += take;
        i++;
    }
    text[len] = '\0';
    return len;
}

/* The word that ends at the next newline; moves *DATA behind it. False: there is none left. */
static inline bool session_word(const uint8_t **data, size_t *size, const uint8_t **ret_word, size_t *ret_len)
{
    if (*size == 0)
        return false;
    const uint8_t *end = memchr(*data, '\n', *size);
    size_t len = end ? (size_t)(end - *data) : *size;
    *ret_word = *data;
    *ret_len = len;
    *data += end ? len + 1 : len;
    *size -= end ? len + 1 : len;
    return true;
}

/* kilnd lives, answers its operator, its audit holds, and nobody but an operator added anybody or anything.
 */
static inline void session_check_host(struct session *session)
{
    struct world *world = &session->world;
    world_settle(world);
    CLAIM(strcmp(world_call(world, world->control, "daemon.status", "{}"), "") == 0);
    CLAIM(strcmp(world_call(world, world->control, "audit.verify", "{}"), "") == 0);
    CLAIM(json_bool(json_member(world->result, "good")));
    CLAIM(world->core.users.count == 2 && world->core.bricks.count == 1);
}

/* Alice's VM is hers, and she alone ends it. */
static inline void session_check_vm(const struct session *session)
{
    const struct vm *vm = guest_vm(&session->world, &session->guest);
    CLAIM(vm->assigned && memcmp(vm->owner, session->vm.owner, sizeof vm->owner) == 0);
    CLAIM(vm->head.state != VM_DESTROYED && vm->boot_number == session->vm.boot_number);
    CLAIM(vm->drives == 1 && memcmp(vm->drive[0].id, session->vm.drive[0].id, sizeof vm->drive[0].id) == 0);
}

static inline void session_close(struct session *session)
{
    link_session_finish(&session->guest.session);
    world_end(&session->world);
}

#endif
