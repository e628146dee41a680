/*
 * A kilnd in a folder of its own, with a libvirt that says yes to everything, an edge, owners and a guest.
 *
 * In: calls of control.sock and edge.sock, over the real sockets. Out: their answers.
 * Kept: struct world, until world_destroy. Nothing waits for time: everything waits for an answer.
 */
#ifndef KILN_TESTS_UNIT_CORE_VERBS_FIXTURE_H
#define KILN_TESTS_UNIT_CORE_VERBS_FIXTURE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/crypto.h"
#include "protocol/json.h"
#include "protocol/link.h"
#include "protocol/login.h"
#include "protocol/manifest.h"
#include "protocol/register.h"
#include "src/core/identity.h"
#include "src/core/object.h"
#include "src/core/reconcile_private.h"
#include "src/core/store.h"
#include "src/core/verbs.h"
#include "src/io/config.h"
#include "src/io/loop.h"
#include "src/io/random.h"
#include "src/io/rpc_socket.h"
#include "tests/unit/core_folder.h"
#include "tests/unit/core_loaded.h"
#include "tests/unit/core_yes_virt.h"

static inline int test_random(void *arg, uint8_t *out, size_t len)
{
    (void)arg;
    random_fill(out, len);
    return 0;
}

/* ---- the world ---- */

struct notice {
    char method[32];
    char *params; /* owned: JSON text */
    struct notice *next;
};

struct person {
    struct crypto_rsa *key;
    uint8_t spki[CRYPTO_SPKI_MAX];
    size_t spki_len;
    uint8_t fingerprint[CRYPTO_HASH_BYTES];
    char token[65]; /* of the session, hex */
};

struct world {
    uint8_t manifest[RELEASE_HASH_LEN]; /* of the release in its folder */
    char folder[64];
    struct core core;
    struct verbs *verbs;
    struct rpc_client *edge, *control;
    struct notice *notices, **last_notice; /* what came to the edge and to control, in order */
    struct person alice, bob;
    /* of the last answer */
    bool answered;
    int code;
    char name[64]; /* the stable code, "" when it is none */
    char detail[256];
    struct json *result; /* owned */
    int status;          /* of owner.request */
    struct json *body;   /* owned: its parsed body */
    char *text;          /* owned: the result as text */
};

static bool take_notice(struct rpc_request *request, const char *method, const struct json *params,
                        void *arg);

#define NOTICE(name) static void notice_##name(struct rpc_request *r, const struct json *p, void *w)
NOTICE(link_data)
{
    take_notice(r, "link.data", p, w);
}
NOTICE(link_close)
{
    take_notice(r, "link.close", p, w);
}
NOTICE(events_data)
{
    take_notice(r, "events.data", p, w);
}
NOTICE(events_close)
{
    take_notice(r, "events.close", p, w);
}
NOTICE(relay_close)
{
    take_notice(r, "relay.close", p, w);
}
NOTICE(vm_event)
{
    take_notice(r, "vm.event", p, w);
}
static const struct rpc_method notice_methods[] = {
    {"link.data", notice_link_data},
    {"link.close", notice_link_close},
    {"events.data", notice_events_data},
    {"events.close", notice_events_close},
    {"relay.close", notice_relay_close},
    {"vm.event", notice_vm_event},
    {NULL, NULL},
};

static bool take_notice(struct rpc_request *request, const char *method, const struct json *params, void *arg)
{
    struct world *world = arg;
    struct json_writer out = json_writer_init(0);
    struct notice *notice = calloc(1, sizeof *notice);
    json_write_value(&out, NULL, params);
    snprintf(notice->method, sizeof notice->method, "%s", method);
    notice->params = json_writer_take(&out);
    *world->last_notice = notice;
    world->last_notice = &notice->next;
    rpc_reply(request, "{}");
    return true;
}

/* The next notice of METHOD, which comes for certain; earlier ones of other methods are dropped. The caller
 * destroys it. */
static inline struct json *world_notice(struct world *world, const char *method)
{
    for (;;) {
        while (!world->notices)
            loop_step(world->core.loop, true);
        struct notice *notice = world->notices;
        struct json *params = NULL;
        world->notices = notice->next;
        if (!world->notices)
            world->last_notice = &world->notices;
        if (strcmp(notice->method, method) == 0)
            assert_int_equal(json_parse(notice->params, strlen(notice->params), &json_limits_edge, &params),
                             0);
        free(notice->params);
        free(notice);
        if (params)
            return params;
    }
}

static inline bool world_has_notice(const struct world *world, const char *method)
{
    const struct notice *notice = world->notices;
    while (notice && strcmp(notice->method, method) != 0)
        notice = notice->next;
    return notice != NULL;
}

/* ---- calls ---- */

static void world_answered(void *arg, const struct rpc_answer *answer)
{
    struct world *world = arg;
    assert_int_equal(answer->error, 0);
    world->answered = true;
    world->code = answer->code;
    const char *name = json_text(json_member(answer->data, "code"));
    const char *detail = json_text(json_member(answer->data, "detail"));
    snprintf(world->name, sizeof world->name, "%s", name ? name : "");
    snprintf(world->detail, sizeof world->detail, "%s", detail ? detail : "");
    if (answer->result) {
        struct json_writer out = json_writer_init(0);
        json_write_value(&out, NULL, answer->result);
        world->text = json_writer_take(&out);
        json_parse(world->text, strlen(world->text), &json_limits_edge, &world->result);
    }
}

static inline void world_forget_answer(struct world *world)
{
    json_destroy(world->result);
    json_destroy(world->body);
    free(world->text);
    world->result = world->body = NULL;
    world->text = NULL;
    world->answered = false;
}

/* Calls and waits. Returns the stable code's name, "" for an answer. */
static inline const char *world_call(struct world *world, struct rpc_client *client, const char *method,
                                     const char *params)
{
    world_forget_answer(world);
    while (!rpc_client_peer(client))
        loop_step(world->core.loop, true);
    assert_int_equal(rpc_call(rpc_client_peer(client), method, params, 0, world_answered, world), 0);
    while (!world->answered)
        loop_step(world->core.loop, true);
    return world->name;
}

static inline void world_notify(struct world *world, const char *method, const char *params)
{
    assert_int_equal(rpc_notify(rpc_client_peer(world->edge), method, params), 0);
}

static inline const char *world_text(const struct json *object, const char *key)
{
    const char *text = json_text(json_member(object, key));
    return text ? text : "";
}

/* ---- opening and closing ---- */

static inline void person_make(struct person *person)
{
    assert_int_equal(crypto_rsa_generate(2048, test_random, NULL, &person->key), 0);
    assert_int_equal(crypto_rsa_encode_public(person->key, person->spki, &person->spki_len), 0);
    crypto_fingerprint(person->spki, person->spki_len, person->fingerprint);
}

static inline void person_add(struct world *world, struct person *person, const char *name, const char *role)
{
    struct json_writer params = json_writer_init(0);
    json_write_object_begin(&params, NULL);
    json_write_text(&params, "name", name);
    json_write_text(&params, "role", role);
    json_write_base64(&params, "public_key", person->spki, person->spki_len);
    json_write_object_end(&params);
    assert_string_equal(world_call(world, world->control, "user.add", params.text), "");
    json_writer_finish(&params);
}

static inline void world_hello(struct world *world, const char *relays)
{
    char params[512];
    snprintf(params, sizeof params, "{\"version\":\"0\",\"certificate\":\"%064d\",\"relays\":%s}", 7, relays);
    assert_string_equal(world_call(world, world->edge, "edge.hello", params), "");
}

static inline void world_connect(struct world *world, const char *name, struct rpc_client **ret_client)
{
    char path[128];
    struct rpc_client_options options = {.methods = notice_methods,
                                         .message_max_bytes = RPC_EDGE_MESSAGE_MAX,
                                         .reconnect = true,
                                         .arg = world};
    snprintf(path, sizeof path, "%s/run/%s", world->folder, name);
    assert_int_equal(rpc_client_open(world->core.loop, path, &options, ret_client), 0);
}

/* Puts a release of that VERSION into its folder, as `kiln release publish` does; returns when, as the file
 * has it. */
static inline int64_t world_publish(struct world *world, uint64_t version)
{
    char fresh[128], path[128];
    struct manifest manifest = {.version = version, .signature.len = 1};
    struct json_writer out = json_writer_init(0);
    struct stat info = {0};
    snprintf(fresh, sizeof fresh, "%s/release/.new", world->folder);
    snprintf(path, sizeof path, "%s/release/manifest.json", world->folder);
    assert_int_equal(manifest_add_controller(&manifest, "x86_64", manifest.config), 0);
    manifest_hash(&manifest, world->manifest);
    manifest_write(&out, &manifest);
    FILE *file = fopen(fresh, "w");
    assert_int_equal(fputs(out.text, file) < 0 || fclose(file) || rename(fresh, path) || stat(path, &info),
                     0);
    json_writer_finish(&out);
    return info.st_ctim.tv_sec * INT64_C(1000) + info.st_ctim.tv_nsec / 1000000;
}

/* Opens kilnd on what is in the folder, with nothing loaded, and connects. */
static inline void world_open(struct world *world)
{
    char text[512], words[CONFIG_ERROR_MAX], error[CORE_ERROR_LEN] = "";
    snprintf(text, sizeof text,
             "{\"state_dir\":\"%s/state\",\"run_dir\":\"%s/run\",\"release_dir\":\"%s/release\","
             "\"edge_absent_s\":1}",
             world->folder, world->folder, world->folder);
    memset(&world->core, 0, sizeof world->core);
    assert_int_equal(config_parse("test", text, strlen(text), &world->core.config, words), 0);
    assert_int_equal(loop_create(&world->core.loop), 0);
    yes_loop = world->core.loop;
    world->core.virt_ops = &yes_ops;
    world->last_notice = &world->notices;
    if (core_open(&world->core, error) || verbs_start(&world->core, &world->verbs, error))
        fail_msg("%s", error);
    world_connect(world, "control.sock", &world->control);
    world_connect(world, "edge.sock", &world->edge);
}

/* Loads, and serves. */
static inline void world_serve(struct world *world)
{
    char error[CORE_ERROR_LEN] = "";
    if (core_load_all(&world->core, error) || core_start(&world->core, error) ||
        verbs_serve(world->verbs, error))
        fail_msg("%s", error);
    /* This libvirt lists no domains. */
    world->core.reconcile->orphans_known = true;
}

static inline void world_start(struct world *world)
{
    world_open(world);
    world_serve(world);
}

static inline bool world_is_owed(const struct world *world)
{
    for (size_t i = 0; i < world->core.vms.count; i++) {
        const struct vm_slot *slot = world->core.vms.items[i];
        if (slot->step || slot->first)
            return true;
    }
    return yes_owed > 0 || store_waiting(world->core.store) > 0;
}

/* Runs what is due, until nothing is owed any more. */
static inline void world_settle(struct world *world)
{
    for (int i = 0; i < 8 || world_is_owed(world); i++)
        loop_step(world->core.loop, i >= 8);
}

static inline void world_stop(struct world *world)
{
    world_forget_answer(world);
    rpc_client_close(world->edge);
    rpc_client_close(world->control);
    world_settle(world);
    verbs_stop(world->verbs);
    world_settle(world);
    core_close(&world->core);
    verbs_destroy(world->verbs);
    config_finish(&world->core.config);
    loop_destroy(world->core.loop);
    while (world->notices) {
        struct notice *notice = world->notices;
        world->notices = notice->next;
        free(notice->params);
        free(notice);
    }
}

/* With Alice's and Bob's keys, and the pattern of a folder's name. */
static inline void world_open_for_people(struct world *world)
{
    char release[128];
    assert_non_null(mkdtemp(world->folder));
    snprintf(release, sizeof release, "%s/release", world->folder);
    assert_int_equal(mkdir(release, 0755), 0);
    world_publish(world, 1);
    world_start(world);
    person_add(world, &world->alice, "alice", "owner");
    person_add(world, &world->bob, "bob", "owner");
    assert_string_equal(world_call(world, world->control, "brick.add",
                                   "{\"name\":\"deb\",\"image\":\"deb.qcow2\",\"vcpus\":1,\"memory_mib\":512,"
                                   "\"applications\":true}"),
                        "");
    world_hello(world, "[]");
}

static inline struct world *world_create(void)
{
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    strcpy(world->folder, "/tmp/kiln-verbs-XXXXXX");
    person_make(&world->alice);
    person_make(&world->bob);
    world_open_for_people(world);
    return world;
}

/* Ends kilnd and removes its folder; the people keep their keys. */
static inline void world_end(struct world *world)
{
    world_stop(world);
    folder_remove(world->folder);
}

static inline void world_destroy(struct world *world)
{
    world_end(world);
    crypto_rsa_destroy(world->alice.key);
    crypto_rsa_destroy(world->bob.key);
    free(world);
}

#endif
