/*
 * Register: register.h says what is checked.
 */
#include "src/core/register.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/json.h"
#include "protocol/register.h"
#include "protocol/wire.h"
#include "src/core/guest_link.h"
#include "src/core/identity.h"
#include "src/core/machine.h"
#include "src/core/releases.h"
#include "src/core/vouch.h"
#include "src/io/log.h"
#include "src/io/random.h"

enum { VM_KEY_BITS = 2048 };

/* A request whose commit is awaited. */
struct registering {
    struct ask *ask; /* owned */
    uint8_t hash[CRYPTO_HASH_BYTES];
};

/* K_reg of the VM's present boot; of a VM that is not there (NULL) a key that nobody has, so that the check
 * takes as long as any other. */
static int derive_key(const struct core *core, const struct vm *vm, uint8_t key[CRYPTO_KEY_BYTES])
{
    uint8_t secret[REGISTER_SECRET_BYTES];
    int error = 0;
    if (vm)
        error = identity_boot_secret(core->identity, vm->uuid, vm->boot_number, secret);
    else
        random_fill(secret, sizeof secret);
    if (!error)
        register_derive_key(secret, key);
    crypto_wipe(secret, sizeof secret);
    return error;
}

static const struct vm *find_living(const struct core *core, const uint8_t *uuid)
{
    const struct vm_slot *slot = core_vm(core, uuid);
    return slot && slot->vm.boot_number > 0 && slot->vm.head.state != VM_DESTROYED ? &slot->vm : NULL;
}

static int write_settings(const struct core *core, const struct vm *vm, struct register_reply *reply)
{
    char address[16];
    struct json_writer out = json_writer_init(sizeof reply->settings - 1);
    core_host_address(core, address);
    json_write_object_begin(&out, NULL);
    json_write_text(&out, "name", vm->name);
    json_write_bool(&out, "applications", vm->offers_applications);
    json_write_int(&out, "heartbeat_s", GUEST_HEARTBEAT_S);
    json_write_text(&out, "host_address", address);
    json_write_object_end(&out);
    int error = json_writer_end(&out);
    if (!error)
        memcpy(reply->settings, out.text, out.len + 1);
    json_writer_finish(&out);
    return error;
}

/* The owner's key and the binding, where there is an owner. */
static int write_owner(struct core *core, const struct vm *vm, struct register_reply *reply)
{
    const struct user *owner = vm->assigned ? user_find_key(core, vm->owner) : NULL;
    struct vouch vouch;
    if (!owner)
        return 0;
    int error = vouch_bind(core, vm, &vouch);
    if (error)
        return error;
    memcpy(reply->owner_public_key, owner->spki, owner->spki_len_bytes);
    reply->owner_public_key_len = owner->spki_len_bytes;
    memcpy(reply->binding, vouch.binding, vouch.binding_len);
    reply->binding_len = vouch.binding_len;
    memcpy(reply->signature, vouch.binding_signature.bytes, vouch.binding_signature.len);
    reply->signature_len = vouch.binding_signature.len;
    return 0;
}

static int make_reply(struct core *core, const struct vm *vm, struct register_reply *reply)
{
    uint8_t key[CRYPTO_KEY_BYTES];
    const uint8_t *identity = identity_spki(core->identity, &reply->host_identity_len);
    memcpy(reply->host_identity, identity, reply->host_identity_len);
    int error = write_settings(core, vm, reply);
    if (!error)
        error = write_owner(core, vm, reply);
    if (!error)
        error = derive_key(core, vm, key);
    if (!error)
        register_reply_prove(reply, key, vm->registration.request_hash);
    crypto_wipe(key, sizeof key);
    return error;
}

static void send_reply(struct ask *ask, const struct vm *vm)
{
    struct register_reply reply = {0};
    struct json_writer out = json_writer_init(0);
    int error = make_reply(ask->verbs->core, vm, &reply);
    if (error) {
        ask_refuse_errno(ask, error);
        return;
    }
    register_reply_write(&out, NULL, &reply);
    ask_send(ask, 200, &out);
}

static bool is_same(const struct vm *vm, const uint8_t *hash)
{
    return vm->registered && wire_equal(vm->registration.request_hash, hash, CRYPTO_HASH_BYTES);
}

static void refuse(struct ask *ask, enum kiln_code code, const uint8_t *uuid)
{
    char id[VIRT_UUID_BYTES];
    core_uuid_text(uuid, id);
    log_warning("register", "a registration was refused", "vm=%s code=%s", id, code_info(code)->name);
    ask_refuse(ask, code, "");
}

static void taken(void *arg, int error, const struct vm *vm)
{
    struct registering *registering = arg;
    struct ask *ask = registering->ask;
    if (error == -ENOENT || vm->head.state == VM_DESTROYED)
        ask_refuse(ask, CODE_PROOF_WRONG, "");
    else if (is_same(vm, registering->hash))
        send_reply(ask, vm);
    else if (vm->registered)
        refuse(ask, CODE_ALREADY_REGISTERED, vm->uuid);
    else
        ask_refuse(ask, CODE_UNAVAILABLE, vm_state_name(vm->head.state));
    free(registering);
}

static void fill_event(const struct register_request *request, const uint8_t *hash, struct vm_event *event)
{
    struct vm_registration *to = &event->registration;
    size_t kept = 0;
    memcpy(to->request_hash, hash, sizeof to->request_hash);
    memcpy(to->nonce_v, request->nonce_v, sizeof to->nonce_v);
    memcpy(to->manifest_hash, request->manifest, sizeof to->manifest_hash);
    memcpy(to->config_hash, request->config, sizeof to->config_hash);
    memcpy(to->spki, request->public_key, request->public_key_len);
    to->spki_len_bytes = (uint16_t)request->public_key_len;
    crypto_fingerprint(to->spki, to->spki_len_bytes, to->key_fingerprint);
    for (size_t i = 0; i < request->naddresses && kept < VM_ADDRESSES_MAX; i++)
        if (strlen(request->addresses[i]) < VM_ADDRESS_LEN)
            fsm_text_keep(to->address[kept++], VM_ADDRESS_LEN, request->addresses[i]);
    fsm_text_keep(to->version, sizeof to->version, request->controller_version);
}

static bool is_vm_key(const struct register_request *request)
{
    struct crypto_rsa *key;
    if (crypto_rsa_decode_public(request->public_key, request->public_key_len, &key))
        return false;
    bool good = crypto_rsa_bits(key) == VM_KEY_BITS;
    crypto_rsa_destroy(key);
    return good;
}

static void post(struct ask *ask, const struct vm *vm, const struct register_request *request,
                 const uint8_t *hash)
{
    struct vm_event event = {.head = {.on = VM_ON_REGISTERED}};
    struct registering *registering = malloc(sizeof *registering);
    int error = registering ? 0 : -ENOMEM;
    if (!error) {
        registering->ask = ask;
        memcpy(registering->hash, hash, sizeof registering->hash);
        fill_event(request, hash, &event);
        error = machine_post(ask->verbs->core, vm->uuid, &event, CORE_ACTOR_GUEST, taken, registering);
    }
    if (error) {
        free(registering);
        ask_refuse_errno(ask, error);
    }
}

static bool is_proved(const struct core *core, const struct vm *vm, const struct register_request *request)
{
    uint8_t key[CRYPTO_KEY_BYTES];
    bool good = derive_key(core, vm, key) == 0 && register_request_check(request, key) == 0;
    crypto_wipe(key, sizeof key);
    return good && vm;
}

/* Whether a guest that registers for the first time runs the release in force; else answers, and ends a VM
 * that would run another. One that registered before may have an old one's hash in its request: its stub has
 * seen it be current, and takes newer ones only. */
static bool is_current(struct ask *ask, const struct vm *vm, const struct register_request *request)
{
    char hex[2 * CRYPTO_HASH_BYTES + 1], detail[VM_DETAIL_LEN];
    uint8_t uuid[VM_UUID_LEN];
    enum kiln_code code =
        vm->registered ? CODE_NONE : releases_check(ask->verbs->core, vm, request->manifest);
    if (code == CODE_NONE)
        return true;
    memcpy(uuid, vm->uuid, sizeof uuid);
    if (code == CODE_RELEASE_NOT_CURRENT) {
        hex_encode(request->manifest, sizeof request->manifest, hex);
        snprintf(detail, sizeof detail, "the edge served it manifest %s", hex);
        machine_post_trouble(ask->verbs->core, uuid, VM_ON_GUEST_FAILED, code, detail, CORE_ACTOR_SELF);
    }
    refuse(ask, code, uuid);
    return false;
}

void register_guest(struct ask *ask, const struct json *params)
{
    struct register_request request;
    const char *wrong = "";
    uint8_t hash[CRYPTO_HASH_BYTES];
    if (register_request_decode(params, &request, &wrong)) {
        ask_refuse(ask, CODE_BAD_PARAMETER, wrong);
        return;
    }
    const struct vm *vm = find_living(ask->verbs->core, request.uuid);
    if (!is_proved(ask->verbs->core, vm, &request)) {
        refuse(ask, CODE_PROOF_WRONG, request.uuid);
        return;
    }
    register_request_hash(&request, hash);
    if (vm->registered && !is_same(vm, hash))
        refuse(ask, CODE_ALREADY_REGISTERED, vm->uuid);
    else if (!is_vm_key(&request))
        ask_refuse(ask, CODE_BAD_PARAMETER, "public_key");
    else if (is_current(ask, vm, &request) && ask_may_store(ask))
        post(ask, vm, &request, hash);
}

enum kiln_code register_token_check(const struct core *core, const uint8_t uuid[VM_UUID_LEN],
                                    const uint8_t token[RECORD_HASH_LEN])
{
    uint8_t key[CRYPTO_KEY_BYTES], expected[CRYPTO_HASH_BYTES];
    const struct vm *vm = find_living(core, uuid);
    bool good = derive_key(core, vm, key) == 0;
    register_derive_token(key, uuid, expected);
    good = wire_equal(expected, token, sizeof expected) && good && vm;
    crypto_wipe(key, sizeof key);
    crypto_wipe(expected, sizeof expected);
    if (!good)
        return CODE_PROOF_WRONG;
    return vm_link_allowed(vm) ? CODE_NONE : CODE_NOT_REGISTERED;
}
