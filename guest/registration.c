/*
 * Registration: see registration.h.
 */
#include "guest/registration.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/address.h"
#include "guest/controller.h"
#include "guest/owner.h"
#include "guest/refusal.h"
#include "protocol/crypto.h"
#include "protocol/json.h"
#include "src/io/backoff.h"
#include "src/io/http_client.h"
#include "src/io/log.h"
#include "src/io/loop.h"
#include "src/io/random.h"

#define CALL_TIMEOUT_MS 20000
#define RETRY_FIRST_MS 250
#define RETRY_LAST_MS 8000
#define HEARTBEAT_MAX_S 3600

struct registration {
    struct controller *controller; /* borrowed */
    struct http_call *call;        /* owned, while one is under way */
    struct loop_timer *again;      /* owned */
    struct backoff backoff;
};

/* The request of this boot: as it was, or made now and given to the stub before anyone hears of it. */
static int make_request(struct controller *controller)
{
    struct kept *kept = &controller->secrets->kept;
    struct register_request *request = &kept->request;
    if (request->public_key_len == 0) {
        *request = (struct register_request){0};
        int result = crypto_rsa_encode_public(controller->key, request->public_key, &request->public_key_len);
        if (result < 0)
            return result;
        memcpy(request->uuid, controller->boot.uuid, sizeof request->uuid);
        random_fill(request->nonce_v, sizeof request->nonce_v);
        request->naddresses = address_list(request->addresses, REGISTER_ADDRESSES_MAX);
        snprintf(request->stub_version, sizeof request->stub_version, "%s",
                 controller->secrets->handover.stub_version);
        snprintf(request->controller_version, sizeof request->controller_version, "%s", KILN_VERSION);
        memcpy(request->manifest, controller->secrets->handover.manifest, sizeof request->manifest);
        memcpy(request->config, controller->secrets->handover.config, sizeof request->config);
        controller_keep(controller);
    }
    register_request_prove(request, controller->secrets->registration_key);
    register_request_hash(request, controller->request_hash);
    return 0;
}

static void try_later(struct registration *registration, enum kiln_code code, const char *detail)
{
    loop_timer_arm(registration->again, backoff_next(&registration->backoff));
    controller_happen_trouble(registration->controller, GUEST_ON_HOST_UNREACHABLE, code, detail);
}

static void refused(struct registration *registration, enum kiln_code code, const char *detail)
{
    controller_happen_trouble(registration->controller, GUEST_ON_REGISTRATION_REFUSED, code, detail);
}

static int read_settings(const char *text, struct settings *ret_settings)
{
    struct json *tree;
    if (json_parse(text, strlen(text), NULL, &tree) < 0)
        return -EBADMSG;
    struct json_reader reader = json_reader_init(tree);
    struct settings settings = {0};
    snprintf(settings.name, sizeof settings.name, "%s", json_read_text(&reader, "name"));
    settings.applications = json_read_bool(&reader, "applications");
    settings.heartbeat_s = (uint32_t)json_read_int(&reader, "heartbeat_s", 1, HEARTBEAT_MAX_S);
    int result = json_reader_end(&reader);
    if (result == 0)
        *ret_settings = settings;
    json_destroy(tree);
    return result;
}

static int take_identity(struct controller *controller, const struct register_reply *reply)
{
    uint8_t fingerprint[CRYPTO_HASH_BYTES];
    crypto_fingerprint(reply->host_identity, reply->host_identity_len, fingerprint);
    if (memcmp(fingerprint, controller->boot.data.identity, sizeof fingerprint) != 0)
        return -EACCES;
    memcpy(controller->host_identity, reply->host_identity, reply->host_identity_len);
    controller->host_identity_len = reply->host_identity_len;
    return 0;
}

static int take_owner(struct controller *controller, const struct register_reply *reply)
{
    const struct owner_claim claim = {.host_identity = {reply->host_identity, reply->host_identity_len},
                                      .public_key = {reply->owner_public_key, reply->owner_public_key_len},
                                      .binding = {reply->binding, reply->binding_len},
                                      .signature = {reply->signature, reply->signature_len}};
    return reply->owner_public_key_len == 0 ? 0 : owner_take(controller, &claim);
}

static void take_reply(struct registration *registration, const struct register_reply *reply)
{
    struct controller *controller = registration->controller;
    if (register_reply_check(reply, controller->secrets->registration_key, controller->request_hash) < 0) {
        refused(registration, CODE_PROOF_WRONG, "the reply's proof does not hold");
        return;
    }
    if (take_identity(controller, reply) < 0 || take_owner(controller, reply) < 0) {
        refused(registration, CODE_BINDING_WRONG, "the reply's host identity or binding does not hold");
        return;
    }
    if (read_settings(reply->settings, &controller->settings) < 0)
        log_warning("registration", "the settings are malformed and not taken", "%s", "");
    struct guest_event event = {.head.on = GUEST_ON_REGISTERED, .owner.known = controller->owner.key != NULL};
    memcpy(event.owner.fingerprint, controller->secrets->kept.owner, sizeof event.owner.fingerprint);
    backoff_reset(&registration->backoff);
    controller_happen(controller, &event);
}

static void take_refusal(struct registration *registration, const struct http_answer *answer)
{
    char detail[GUEST_DETAIL_LEN];
    const struct code_info *info = refusal_read(answer->body, answer->body_bytes);
    snprintf(detail, sizeof detail, "the host answered %d%s%.100s", answer->status, info != NULL ? ": " : "",
             info != NULL ? info->words : "");
    enum kiln_code code = info != NULL ? info->code : CODE_HOST_UNREACHABLE;
    if (answer->status == 429 || answer->status >= 500 || info == NULL)
        try_later(registration, CODE_HOST_UNREACHABLE, detail);
    else
        refused(registration, code, detail);
}

static void take_answer(void *arg, const struct http_answer *answer)
{
    struct registration *registration = arg;
    struct register_reply *reply;
    struct json *tree = NULL;
    const char *wrong = "body";
    registration->call = NULL;
    if (answer->error != 0) {
        try_later(registration, CODE_HOST_UNREACHABLE, strerror(-answer->error));
        return;
    }
    if (answer->status != 200) {
        take_refusal(registration, answer);
        return;
    }
    reply = calloc(1, sizeof *reply);
    if (reply == NULL || json_parse(answer->body, answer->body_bytes, NULL, &tree) < 0 ||
        register_reply_decode(tree, reply, &wrong) < 0)
        try_later(registration, CODE_HOST_UNREACHABLE, "the reply is malformed");
    else
        take_reply(registration, reply);
    json_destroy(tree);
    free(reply);
}

static int send_request(struct registration *registration)
{
    struct controller *controller = registration->controller;
    struct json_writer body = json_writer_init(0);
    register_request_write(&body, NULL, &controller->secrets->kept.request);
    int result = json_writer_end(&body);
    const struct http_client_request request = {.method = "POST",
                                                .host = controller->boot.data.host,
                                                .port = controller->boot.data.port,
                                                .target = "/v1/register",
                                                .headers = "Content-Type: application/json\r\n",
                                                .body = body.text,
                                                .body_bytes = body.len,
                                                .body_fd = -1,
                                                .timeout_ms = CALL_TIMEOUT_MS};
    if (result == 0)
        result = http_client_call(controller->loop, controller->tls, &request, take_answer, registration,
                                  &registration->call);
    json_writer_finish(&body);
    return result;
}

static void start(void *arg)
{
    struct registration *registration = arg;
    if (registration->call != NULL)
        return;
    int result = make_request(registration->controller);
    if (result == 0)
        result = send_request(registration);
    if (result < 0)
        try_later(registration, CODE_HOST_UNREACHABLE, strerror(-result));
}

int registration_create(struct controller *controller, struct registration **ret_registration)
{
    struct registration *registration = calloc(1, sizeof *registration);
    if (registration == NULL)
        return -ENOMEM;
    registration->controller = controller;
    registration->backoff = (struct backoff){.first_ms = RETRY_FIRST_MS, .last_ms = RETRY_LAST_MS};
    int result = loop_timer_create(controller->loop, start, registration, &registration->again);
    if (result < 0) {
        free(registration);
        return result;
    }
    *ret_registration = registration;
    return 0;
}

void registration_start(struct registration *registration)
{
    loop_timer_disarm(registration->again);
    start(registration);
}

void registration_destroy(struct registration *registration)
{
    if (registration == NULL)
        return;
    http_call_cancel(registration->call);
    loop_timer_destroy(registration->again);
    free(registration);
}
