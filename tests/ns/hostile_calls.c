/*
 * Hostile calls: what the hostile edge does to registrations and owners' requests, and to kilnd's answers to
 * them. In: calls of the edge's parts. Out: the calls as they are, changed, repeated or new ones; answers
 * likewise. Kept: the answer to vouch for later, and the first answer of a call that is repeated.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/binding.h"
#include "protocol/login.h"
#include "src/edge/kilnd.h"
#include "src/io/log.h"
#include "src/io/loop.h"
#include "tests/ns/hostile.h"
#include "tests/ns/malice.h"

#define MALICES_NAME_MAX 48

/* A call under way whose answer may be changed. */
struct call {
    rpc_answered *fn; /* NULL: a call of our own */
    void *arg;        /* borrowed */
    char what[MALICES_NAME_MAX];
    char *path; /* owned; of an owner's request */
};

int __real_kilnd_call(struct kilnd *kilnd, const char *method, struct json_writer *params, rpc_answered *fn,
                      void *arg);
int __wrap_kilnd_call(struct kilnd *kilnd, const char *method, struct json_writer *params, rpc_answered *fn,
                      void *arg);

static char *vouch_kept;
static char *first_answer;

/* ---- answers ---- */

/* What stands in the place of a member of an answer. */
struct edit {
    const char *malice, *key;
    enum { OWN_RSA, OWN_EC, FLIP } with;
};

static const struct edit edits_register[] = {{"reply-owner", "owner_public_key", OWN_RSA},
                                             {"reply-identity", "host_identity", OWN_EC},
                                             {"reply-binding", "binding", FLIP},
                                             {"reply-settings", "settings", FLIP},
                                             {NULL, NULL, FLIP}};
static const struct edit edits_vouch[] = {{"vouch-key", "public_key", OWN_RSA},
                                          {"vouch-binding", "binding", FLIP},
                                          {"vouch-binding-signature", "binding_signature", FLIP},
                                          {"vouch-signature", "signature", FLIP},
                                          {NULL, NULL, FLIP}};
static const struct edit edits_host[] = {
    {"host-identity", "identity", OWN_EC}, {"host-signature", "edge_signature", FLIP}, {NULL, NULL, FLIP}};
static const struct edit edits_none[] = {{NULL, NULL, FLIP}};

static const struct edit *find_edit(const struct edit *edits)
{
    while (edits->malice != NULL && !malice_armed(edits->malice, NULL, 0))
        edits++;
    return edits->malice != NULL ? edits : NULL;
}

/* OBJECT with the edit made, as text; malloc'd. */
static char *edited(const struct json *object, const struct edit *edit)
{
    char *flipped = NULL;
    const char *text = edit->with == OWN_RSA ? hostile_keys()->rsa_base64 : hostile_keys()->ec_base64;
    if (edit->with == FLIP) {
        const char *before = json_text(json_member(object, edit->key));
        text = flipped = hostile_flip(before != NULL ? before : "");
    }
    struct json_writer out = hostile_edit(object, edit->key, text);
    free(flipped);
    malice_done(edit->malice);
    return json_writer_take(&out);
}

static char *text_of(const struct json *value)
{
    struct json_writer out = json_writer_init(0);
    json_write_value(&out, NULL, value);
    return json_writer_take(&out);
}

/* The body of an owner's answer after its edits; NULL: as it was. */
static char *edit_body(const struct call *call, const char *body)
{
    struct json *tree;
    const size_t len = strlen(call->path);
    const bool vouch = len > 6 && strcmp(call->path + len - 6, "/vouch") == 0;
    const bool host = strcmp(call->path, "/v1/host") == 0;
    const struct edit *edit = find_edit(vouch ? edits_vouch : host ? edits_host : edits_none);
    char *changed = NULL;
    if (vouch && vouch_kept != NULL && malice_armed("vouch-old", NULL, 0)) {
        malice_done("vouch-old");
        return strdup(vouch_kept);
    }
    if (vouch && vouch_kept == NULL && strstr(body, "binding_signature") != NULL)
        vouch_kept = strdup(body);
    if (edit != NULL && json_parse(body, strlen(body), &json_limits_edge, &tree) == 0) {
        changed = edited(tree, edit);
        json_destroy(tree);
    }
    return changed;
}

/* The whole result after its edits; NULL: as it was. */
static char *edit_result(const struct call *call, const struct json *result)
{
    const struct edit *edit = call->path == NULL ? find_edit(edits_register) : NULL;
    if (edit != NULL)
        return edited(result, edit);
    const char *body = json_text(json_member(result, "body"));
    char *changed = call->path != NULL && body != NULL ? edit_body(call, body) : NULL;
    if (changed == NULL)
        return NULL;
    struct json_writer out = hostile_edit(result, "body", changed);
    free(changed);
    return json_writer_take(&out);
}

/* An answer to a call of our own: what a test asks for. */
static void report(const struct call *call, const struct rpc_answer *answer)
{
    char *text = text_of(answer->result);
    const char *same = first_answer != NULL && text != NULL && strcmp(text, first_answer) == 0 ? "yes" : "no";
    log_info("malice", "answer", "name=%s code=%s same=%s result=%s", call->what,
             answer->code != 0 ? answer->name : "none", same, text != NULL ? text : "");
    free(text);
}

static void on_answer(void *arg, const struct rpc_answer *answer)
{
    struct call *call = arg;
    struct json *tree = NULL;
    struct rpc_answer passed = *answer;
    char *text = call->fn != NULL && answer->result != NULL ? edit_result(call, answer->result) : NULL;
    if (text != NULL && json_parse(text, strlen(text), &json_limits_edge, &tree) == 0)
        passed.result = tree;
    if (call->fn == NULL) {
        report(call, answer);
    } else {
        free(first_answer);
        first_answer = text_of(answer->result);
        call->fn(call->arg, &passed);
    }
    json_destroy(tree);
    free(text);
    free(call->path);
    free(call);
}

static int send_call(struct kilnd *kilnd, const char *method, struct json_writer *params, struct call like)
{
    struct call *call = malloc(sizeof *call);
    if (call == NULL)
        abort();
    *call = like;
    call->path = like.path != NULL ? strdup(like.path) : NULL;
    int error = __real_kilnd_call(kilnd, method, params, on_answer, call);
    if (error < 0) {
        free(call->path);
        free(call);
    }
    return error;
}

static struct json_writer copy(const struct json *value)
{
    struct json_writer out = json_writer_init(0);
    json_write_value(&out, NULL, value);
    return out;
}

/* A call of our own, called WHAT. */
static void send_own(struct kilnd *kilnd, const char *method, struct json_writer params, const char *what)
{
    struct call own = {.fn = NULL};
    snprintf(own.what, sizeof own.what, "%s", what);
    send_call(kilnd, method, &params, own);
}

/* ---- registrations ---- */

static int call_register(struct kilnd *kilnd, const struct json *object, struct call call)
{
    struct json_writer params = copy(object);
    if (malice_armed("register-key", NULL, 0)) {
        json_writer_finish(&params);
        params = hostile_edit(object, "public_key", hostile_keys()->rsa_base64);
        malice_done("register-key");
    }
    int error = send_call(kilnd, "guest.register", &params, call);
    if (error == 0 && malice_armed("register-repeat", NULL, 0)) {
        send_own(kilnd, "guest.register", copy(object), "register-repeat");
        malice_done("register-repeat");
    }
    /* Nobody waits for these: a key of our own under the guest's proof, after the guest's own request. */
    if (error == 0 && malice_armed("register-second", NULL, 0)) {
        send_own(kilnd, "guest.register", hostile_edit(object, "public_key", hostile_keys()->rsa_base64),
                 "register-second");
        malice_done("register-second");
    }
    return error;
}

/* ---- owners' requests ---- */

static struct json_writer begin_forged(const struct json *object, const char *path)
{
    struct json_writer out = json_writer_init(0);
    json_write_object_begin(&out, NULL);
    json_write_text(&out, "peer", "127.0.0.1");
    json_write_text(&out, "method", "DELETE");
    json_write_text(&out, "path", path);
    json_write_text(&out, "token", json_text(json_member(object, "token")));
    return out;
}

/* Signed by a key of our own, for the host whose identity's fingerprint is known to anyone. */
static struct json_writer forge_signed(const struct json *object, const char *path, const char *host_hex)
{
    struct json_writer out = begin_forged(object, path);
    uint8_t host[CRYPTO_HASH_BYTES] = {0};
    char header[REQUEST_HEADER_MAX];
    struct request_signature signature;
    hex_decode(host_hex, host, sizeof host);
    const struct request_target target = {
        .host = host, .method = "DELETE", .path = path, .body = {(const uint8_t *)"", 0}};
    if (request_signature_sign(hostile_keys()->rsa, hostile_random, NULL, &target, loop_wall_ms(),
                               &signature) < 0)
        abort();
    request_signature_format(&signature, header);
    json_write_text(&out, "signature", header);
    json_write_object_end(&out);
    return out;
}

/* With a session that we saw: a deletion without a signature, under one of another request, and under our
 * own. */
static void forge(struct kilnd *kilnd, const struct json *object, const char *words)
{
    char path[128];
    const char *host = strchr(words, ' ');
    snprintf(path, sizeof path, "%.*s", host != NULL ? (int)(host - words) : (int)strlen(words), words);
    struct json_writer out = begin_forged(object, path);
    json_write_object_end(&out);
    send_own(kilnd, "owner.request", out, "forge-unsigned");
    out = begin_forged(object, path);
    json_write_text(&out, "signature", json_text(json_member(object, "signature")));
    json_write_object_end(&out);
    send_own(kilnd, "owner.request", out, "forge-borrowed");
    send_own(kilnd, "owner.request", forge_signed(object, path, host != NULL ? host + 1 : ""), "forge-own");
}

static int call_owner(struct kilnd *kilnd, const struct json *object, struct call call)
{
    char words[256];
    const bool is_signed = json_member(object, "signature") != NULL;
    struct json_writer params = copy(object);
    if (is_signed && json_member(object, "body") != NULL && malice_armed("request-alter", NULL, 0)) {
        char *body = hostile_flip(json_text(json_member(object, "body")));
        json_writer_finish(&params);
        params = hostile_edit(object, "body", body);
        free(body);
        malice_done("request-alter");
    }
    if (is_signed && malice_armed("request-forge", words, sizeof words)) {
        forge(kilnd, object, words);
        malice_done("request-forge");
    }
    int error = send_call(kilnd, "owner.request", &params, call);
    if (error == 0 && is_signed && malice_armed("request-repeat", NULL, 0)) {
        send_own(kilnd, "owner.request", copy(object), "request-repeat");
        malice_done("request-repeat");
    }
    return error;
}

int __wrap_kilnd_call(struct kilnd *kilnd, const char *method, struct json_writer *params, rpc_answered *fn,
                      void *arg)
{
    struct json *object;
    const bool registers = strcmp(method, "guest.register") == 0;
    if ((!registers && strcmp(method, "owner.request") != 0) ||
        json_parse(params->text, params->len, &json_limits_edge, &object) < 0)
        return __real_kilnd_call(kilnd, method, params, fn, arg);
    json_writer_finish(params);
    struct call call = {.fn = fn, .arg = arg};
    if (!registers)
        call.path = (char *)(size_t)json_text(json_member(object, "path"));
    int error = registers ? call_register(kilnd, object, call) : call_owner(kilnd, object, call);
    json_destroy(object);
    return error;
}
