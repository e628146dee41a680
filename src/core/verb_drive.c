/*
 * Drives: verb_object.h says what is asked.
 */
#include <errno.h>
#include <string.h>

#include "protocol/crypto.h"
#include "protocol/json.h"
#include "src/core/verb_object.h"
#include "src/core/views.h"

enum { DRIVE_MEMBERS = 10, SIZE_MIB_MIN = 20, SIZE_MIB_MAX = 64 * 1024 * 1024 };

static unsigned members_of(const struct drive *drive)
{
    return (unsigned)(DRIVE_MEMBERS + 3 * (drive->nholders + drive->nenvelopes));
}

void verb_drive_list(struct ask *ask, const char *after)
{
    const struct core *core = ask->verbs->core;
    const struct drive *drive;
    struct view_page page;
    uint8_t id[VM_UUID_LEN];
    char next[VIRT_UUID_BYTES] = "";
    if (after && core_uuid_parse(after, id)) {
        ask_refuse(ask, CODE_BAD_PARAMETER, "after");
        return;
    }
    view_page_begin(&page, "drives");
    for (size_t i = 0; !next[0] && (drive = drive_at(core, i)); i++) {
        if ((after && memcmp(drive->id, id, sizeof id) <= 0) || !caller_sees_drive(&ask->caller, drive))
            continue;
        view_drive(&page.out, NULL, core, drive, &ask->caller);
        if (view_page_full(&page, members_of(drive)))
            core_uuid_text(drive->id, next);
    }
    view_page_end(&page, next[0] ? next : NULL);
    ask_send(ask, 200, &page.out);
}

static void send_drive(struct ask *ask, int status, const struct drive *drive)
{
    struct json_writer out = json_writer_init(0);
    view_drive(&out, NULL, ask->verbs->core, drive, &ask->caller);
    ask_send(ask, status, &out);
}

void verb_drive_show(struct ask *ask, const struct drive *drive)
{
    send_drive(ask, 200, drive);
}

static void added(void *arg, enum kiln_code code, const char *detail)
{
    struct ask *ask = arg;
    const struct drive *drive = drive_find(ask->verbs->core, ask->id);
    if (code == CODE_NONE && drive)
        send_drive(ask, 201, drive);
    else
        ask_refuse(ask, code != CODE_NONE ? code : CODE_NOT_FOUND, detail);
}

/* The length of the key's modulus; 0 for none. */
static size_t key_bytes(const struct user *user)
{
    struct crypto_rsa *key;
    if (!user || crypto_rsa_decode_public(user->spki, user->spki_len_bytes, &key))
        return 0;
    size_t len = crypto_rsa_bits(key) / 8;
    crypto_rsa_destroy(key);
    return len;
}

/* Two fields: a ciphertext as long as the key it is sealed to, a signature as long as its maker's. */
static bool fits_keys(const struct user *to, const struct user *maker, size_t len)
{
    size_t to_bytes = key_bytes(to), maker_bytes = key_bytes(maker);
    return to_bytes && maker_bytes && len == 4 + to_bytes + 4 + maker_bytes;
}

static void read_envelope(struct ask *ask, struct json_reader *reader, const char *key,
                          const struct user *user, struct envelope *ret_envelope)
{
    const struct user *maker = user_find_key(ask->verbs->core, ask->caller.key);
    memset(ret_envelope, 0, sizeof *ret_envelope);
    memcpy(ret_envelope->user, user->fingerprint, sizeof ret_envelope->user);
    ret_envelope->len_bytes =
        (uint16_t)json_read_base64(reader, key, ret_envelope->ciphertext, sizeof ret_envelope->ciphertext);
    if (!reader->wrong && !fits_keys(user, maker, ret_envelope->len_bytes))
        json_reader_fail(reader, key);
}

void verb_drive_add(struct ask *ask, const struct json *params)
{
    struct json_reader reader = json_reader_init(params);
    struct envelope envelope;
    struct drive drive = {.envelopes = &envelope, .nenvelopes = 1};
    const struct user *user = user_find_key(ask->verbs->core, ask->caller.key);
    json_read_uuid(&reader, "id", drive.id);
    strncpy(drive.name, json_read_name(&reader, "name"), sizeof drive.name - 1);
    drive.size_mib = (uint64_t)json_read_int(&reader, "size_mib", SIZE_MIB_MIN, SIZE_MIB_MAX);
    read_envelope(ask, &reader, "envelope", user, &envelope);
    if (json_reader_end(&reader)) {
        ask_refuse(ask, CODE_BAD_PARAMETER, reader.wrong);
        return;
    }
    if (!ask_may_store(ask))
        return;
    memcpy(drive.owner, user->fingerprint, sizeof drive.owner);
    memcpy(ask->id, drive.id, sizeof ask->id);
    int error = drive_add(ask->verbs->core, &drive, ask->caller.actor, added, ask);
    if (error == -EEXIST)
        ask_refuse(ask, CODE_ALREADY_EXISTS, drive.name);
    else if (error)
        ask_refuse_errno(ask, error);
}

static void refuse_held(struct ask *ask, const struct drive *drive)
{
    const struct vm_slot *holder =
        drive->nholders > 0 ? core_vm(ask->verbs->core, drive->holders[0].vm) : NULL;
    ask_refuse(ask, CODE_DRIVE_HELD, holder ? holder->vm.name : "");
}

/* Operators, and the drive's owner. Others get a refusal. */
static bool may_change(struct ask *ask, const struct drive *drive, bool by_operators)
{
    if (caller_is(&ask->caller, drive->owner) || (by_operators && ask->caller.changes))
        return ask_may_store(ask);
    ask_refuse(ask, CODE_NOT_ALLOWED, "the drive is another's");
    return false;
}

void verb_drive_remove(struct ask *ask, const struct drive *drive)
{
    if (!may_change(ask, drive, true))
        return;
    int error = drive_remove(ask->verbs->core, drive->id, ask->caller.actor, ask_done_empty, ask);
    if (error == -EBUSY)
        refuse_held(ask, drive);
    else if (error)
        ask_refuse_errno(ask, error);
}

static const struct user *find_user(struct ask *ask, const char *fingerprint)
{
    uint8_t key[RECORD_HASH_LEN];
    const struct user *user =
        hex_decode(fingerprint, key, sizeof key) == 0 ? user_find_key(ask->verbs->core, key) : NULL;
    if (!user)
        ask_refuse(ask, CODE_NOT_FOUND, "no user has this fingerprint");
    return user;
}

void verb_drive_share(struct ask *ask, const struct drive *drive, const char *user, const struct json *params)
{
    struct json_reader reader = json_reader_init(params);
    struct envelope envelope;
    if (!may_change(ask, drive, false))
        return;
    const struct user *with = find_user(ask, user);
    if (!with)
        return;
    read_envelope(ask, &reader, "ciphertext", with, &envelope);
    if (json_reader_end(&reader)) {
        ask_refuse(ask, CODE_BAD_PARAMETER, reader.wrong);
        return;
    }
    int error =
        drive_envelope_put(ask->verbs->core, drive->id, &envelope, ask->caller.actor, ask_done_empty, ask);
    if (error == -ENOSPC)
        ask_refuse(ask, CODE_LIMIT_REACHED, "envelopes of one drive");
    else if (error)
        ask_refuse_errno(ask, error);
}

/* The owner's own envelope may be the only way to the drive's key, so it goes with the drive alone. Who got
 * an envelope may give it back. */
void verb_drive_unshare(struct ask *ask, const struct drive *drive, const char *user)
{
    uint8_t key[RECORD_HASH_LEN];
    if (hex_decode(user, key, sizeof key) || !drive_envelope(drive, key)) {
        ask_refuse(ask, CODE_ENVELOPE_MISSING, user);
        return;
    }
    if (memcmp(key, drive->owner, sizeof key) == 0) {
        ask_refuse(ask, CODE_CONFLICT, "the owner's envelope goes with the drive");
        return;
    }
    if (!caller_is(&ask->caller, key) && !may_change(ask, drive, false))
        return;
    int error =
        drive_envelope_remove(ask->verbs->core, drive->id, key, ask->caller.actor, ask_done_empty, ask);
    if (error)
        ask_refuse_errno(ask, error);
}
