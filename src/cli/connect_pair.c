/*
 * kiln-connect: what is asked of a VM over its channel: pair, unlock, status, users.
 *
 * In: words, drive keys out of their envelopes. Out: calls over the channel. Kept: nothing; keys are wiped.
 */
#include <stdlib.h>
#include <string.h>

#include "protocol/binding.h"
#include "protocol/users_db.h"
#include "src/cli/common_file.h"
#include "src/cli/connect_channel.h"
#include "src/cli/connect_drive.h"
#include "src/cli/connect_pair.h"
#include "src/io/loop.h"

enum { PATH_BYTES = 80, UNLOCK_TIMEOUT_MS = 300000, ATTACH_WAIT_MS = 120000, ATTACH_STEP_MS = 300 };

int connect_pair_begin(struct connect *connect, const char *word, struct json **ret_vm,
                       struct connect_channel **ret_channel)
{
    struct json *vm;
    int exit_code = connect_open(connect);
    if (exit_code == CLI_OK)
        exit_code = connect_find_vm(connect, word, &vm);
    if (exit_code != CLI_OK)
        return exit_code;
    exit_code = connect_channel_open(connect, vm, ret_channel);
    if (exit_code == CLI_OK)
        *ret_vm = vm;
    else
        json_destroy(vm);
    return exit_code;
}

static void print_hash(const char *name, const uint8_t hash[CRYPTO_HASH_BYTES])
{
    char hex[TEXT_HEX_BYTES(CRYPTO_HASH_BYTES)];
    hex_encode(hash, CRYPTO_HASH_BYTES, hex);
    printf("%-10s %s\n", name, hex);
}

static void print_pair(struct connect *connect, const struct binding *binding)
{
    struct json_writer out = json_writer_init(0);
    if (!connect->json) {
        print_hash("vm key", binding->vm_key);
        print_hash("your key", binding->owner_key);
        print_hash("host", connect->identity_fingerprint);
        print_hash("brick", binding->brick);
        return;
    }
    json_write_object_begin(&out, NULL);
    json_write_hex(&out, "vm_key", binding->vm_key, CRYPTO_HASH_BYTES);
    json_write_hex(&out, "owner_key", binding->owner_key, CRYPTO_HASH_BYTES);
    json_write_hex(&out, "host", connect->identity_fingerprint, CRYPTO_HASH_BYTES);
    json_write_hex(&out, "brick", binding->brick, CRYPTO_HASH_BYTES);
    json_write_object_end(&out);
    puts(out.text);
    json_writer_finish(&out);
}

/* Takes the words, opens the channel to the first of them. */
static int begin(struct connect *connect, int argc, char **argv, size_t min, size_t max,
                 struct cli_words *words, struct json **ret_vm, struct connect_channel **ret_channel)
{
    int exit_code = cli_words_read(argc, argv, NULL, min, max, words);
    return exit_code == CLI_OK ? connect_pair_begin(connect, words->word[0], ret_vm, ret_channel) : exit_code;
}

/* The first drive that the host could not attach, or NULL. */
static const struct json *failed_drive(const struct json *vm)
{
    const struct json *drives = json_member(vm, "drives");
    for (size_t i = 0; i < json_count(drives); i++)
        if (strcmp(connect_text(json_at(drives, i), "status"), "failed") == 0)
            return json_at(drives, i);
    return NULL;
}

/* Whether the VM has got on from `paired`, or does not without its owner; RET_EXIT_CODE is written then. What
 * failed before is tried again with `paired`. */
static bool is_attached(const struct json *vm, int *ret_exit_code)
{
    const char *state = connect_text(vm, "state");
    const bool paired = strcmp(state, "paired") == 0;
    const struct json *drive = paired ? failed_drive(vm) : NULL;
    if (!paired && strcmp(state, "registered") != 0)
        *ret_exit_code = CLI_OK;
    else if (drive)
        *ret_exit_code = cli_failure(connect_text(drive, "code"), NULL, connect_text(drive, "detail"));
    else
        return false;
    return true;
}

/* An owner who leaves before all drives are attached takes the VM back to `registered`: stays until they are.
 */
static int await_drives(struct connect *connect, const char *id)
{
    char path[PATH_BYTES];
    int64_t until_ms = loop_monotonic_ms() + ATTACH_WAIT_MS;
    snprintf(path, sizeof path, "/v1/vms/%.36s", id);
    for (;;) {
        struct json *vm;
        int attached_code;
        int exit_code = connect_call(connect, "GET", path, NULL, false, &vm);
        if (exit_code != CLI_OK)
            return exit_code;
        bool attached = is_attached(vm, &attached_code);
        json_destroy(vm);
        if (attached)
            return attached_code;
        if (loop_monotonic_ms() > until_ms)
            return cli_failure("CONFLICT", NULL, "its drives are not attached yet: pair again");
        connect_pause(connect, ATTACH_STEP_MS);
    }
}

static int run_pair(struct connect *connect, int argc, char **argv)
{
    struct cli_words words;
    struct connect_channel *channel;
    struct json *vm;
    int exit_code = begin(connect, argc, argv, 1, 1, &words, &vm, &channel);
    if (exit_code != CLI_OK)
        return exit_code;
    print_pair(connect, connect_channel_binding(channel));
    exit_code = await_drives(connect, connect_text(vm, "id"));
    connect_channel_close(channel);
    json_destroy(vm);
    return exit_code;
}

/* Whether DRIVE (name or id) is among those that may be formatted. */
static bool may_format(const struct cli_list *list, const struct json *drive)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->item[i], connect_text(drive, "name")) == 0 ||
            strcmp(list->item[i], connect_text(drive, "id")) == 0)
            return true;
    return false;
}

static int make_unlock(struct connect *connect, const struct json *held, bool format,
                       struct json_writer *params)
{
    char path[PATH_BYTES];
    uint8_t key[ENVELOPE_KEY_BYTES];
    struct json *drive;
    snprintf(path, sizeof path, "/v1/drives/%.36s", connect_text(held, "id"));
    int exit_code = connect_call(connect, "GET", path, NULL, false, &drive);
    if (exit_code != CLI_OK)
        return exit_code;
    exit_code = connect_drive_key(connect, drive, connect_text(held, "id"), format, key);
    json_destroy(drive);
    if (exit_code != CLI_OK)
        return exit_code;
    json_write_object_begin(params, NULL);
    json_write_text(params, "drive", connect_text(held, "id"));
    json_write_base64(params, "key", key, sizeof key);
    json_write_text(params, "mode", connect_text(held, "mode"));
    json_write_bool(params, "format", format);
    json_write_object_end(params);
    crypto_wipe(key, sizeof key);
    return CLI_OK;
}

static int say_unlocked(struct connect *connect, const struct json *held, struct json *result)
{
    if (connect->json) {
        connect_print_json(result);
    } else {
        cli_print_text(stdout, connect_text(held, "name"));
        printf("  ");
        cli_print_text(stdout, connect_shown(result, "path"));
        puts(json_bool(json_member(result, "formatted")) ? "  formatted" : "");
    }
    json_destroy(result);
    return CLI_OK;
}

/* Whether a failure is one of a VM whose drives are on their way. */
static bool may_pass(const char *name)
{
    return strcmp(name, "DRIVE_UNKNOWN") == 0 || strcmp(name, "CONFLICT") == 0;
}

/* A VM that was paired just now gets its drives in a moment: until then it does not know them. */
static int unlock(struct connect *connect, struct connect_channel *channel, const struct json *held,
                  bool format)
{
    struct json_writer params = json_writer_init(0);
    struct connect_result result;
    int64_t until_ms = loop_monotonic_ms() + ATTACH_WAIT_MS;
    int exit_code = make_unlock(connect, held, format, &params);
    if (exit_code != CLI_OK) {
        json_writer_finish_wiped(&params);
        return exit_code;
    }
    for (;;) {
        connect_channel_ask(channel, "drive.unlock", params.text, UNLOCK_TIMEOUT_MS, &result);
        if (result.exit_code != CLI_OK || !result.failed || !may_pass(result.name) ||
            loop_monotonic_ms() > until_ms)
            break;
        connect_pause(connect, ATTACH_STEP_MS);
    }
    json_writer_finish_wiped(&params);
    if (result.exit_code != CLI_OK)
        return result.exit_code;
    if (result.failed)
        return cli_failure(*result.name ? result.name : NULL, result.words,
                           *result.detail ? result.detail : connect_text(held, "name"));
    return say_unlocked(connect, held, result.result);
}

static int check_formats(const struct cli_list *list, const struct json *drives)
{
    for (size_t i = 0; i < list->count; i++) {
        struct cli_list one = {{list->item[i]}, 1};
        bool found = false;
        for (size_t j = 0; j < json_count(drives); j++)
            found |= may_format(&one, json_at(drives, j));
        if (!found)
            return cli_failure("DRIVE_UNKNOWN", NULL, list->item[i]);
    }
    return CLI_OK;
}

/* Every drive is tried, so that one that fails does not hide the others. Returns the first failure. */
static int unlock_all(struct connect *connect, struct connect_channel *channel, const struct json *vm,
                      const struct cli_list *formats)
{
    const struct json *drives = json_member(vm, "drives");
    int exit_code = check_formats(formats, drives);
    if (exit_code != CLI_OK)
        return exit_code;
    for (size_t i = 0; i < json_count(drives); i++) {
        const struct json *held = json_at(drives, i);
        bool format = may_format(formats, held);
        if (format)
            connect_say_object("formats, if it is blank, ", connect_text(held, "name"), held);
        int one = unlock(connect, channel, held, format);
        exit_code = exit_code == CLI_OK ? one : exit_code;
    }
    return exit_code;
}

/* The drives are open; what is left are the users. Until a VM was told its drives (perhaps that it has none)
 * it answers CONFLICT; leaving before would take its owner away from it. */
static int await_users(struct connect *connect, struct connect_channel *channel)
{
    struct connect_result result;
    int64_t until_ms = loop_monotonic_ms() + ATTACH_WAIT_MS;
    for (;;) {
        connect_channel_ask(channel, "users.apply", "{}", UNLOCK_TIMEOUT_MS, &result);
        if (result.exit_code != CLI_OK || !result.failed || strcmp(result.name, "CONFLICT") != 0 ||
            loop_monotonic_ms() > until_ms)
            break;
        connect_pause(connect, ATTACH_STEP_MS);
    }
    if (result.exit_code != CLI_OK)
        return result.exit_code;
    json_destroy(result.result);
    if (!result.failed)
        return CLI_OK;
    return cli_failure(*result.name ? result.name : NULL, result.words, result.detail);
}

static int run_unlock(struct connect *connect, int argc, char **argv)
{
    struct cli_words words;
    struct cli_list formats = {.count = 0};
    const struct cli_option options[] = {CLI_VALUES("--format", &formats), CLI_END};
    struct connect_channel *channel;
    struct json *vm;
    int exit_code = cli_words_read(argc, argv, options, 1, 1, &words);
    if (exit_code == CLI_OK)
        exit_code = connect_pair_begin(connect, words.word[0], &vm, &channel);
    if (exit_code != CLI_OK)
        return exit_code;
    exit_code = unlock_all(connect, channel, vm, &formats);
    if (exit_code == CLI_OK)
        exit_code = await_users(connect, channel);
    connect_channel_close(channel);
    json_destroy(vm);
    return exit_code;
}

/* Prints an object of the VM's, one member a line. */
static void print_object(const struct json *object)
{
    for (size_t i = 0; i < json_count(object); i++) {
        struct json_writer value = json_writer_init(0);
        const struct json *item = json_at(object, i);
        json_write_value(&value, NULL, item);
        cli_print_row(json_key_at(object, i), 12, json_is_text(item) ? json_text(item) : value.text);
        json_writer_finish(&value);
    }
}

static int run_users_get(struct connect *connect, int argc, char **argv)
{
    struct cli_words words;
    struct connect_channel *channel;
    struct json *vm, *users;
    int exit_code = begin(connect, argc, argv, 1, 1, &words, &vm, &channel);
    if (exit_code != CLI_OK)
        return exit_code;
    exit_code = connect_channel_call(channel, "users.get", NULL, &users);
    if (exit_code == CLI_OK) {
        connect_print_json(json_member(users, "database"));
        json_destroy(users);
    }
    connect_channel_close(channel);
    json_destroy(vm);
    return exit_code;
}

/* Checks the file before the VM does, so that a fault costs no handshake. */
static int read_database(const char *path, char **ret_text)
{
    char place[USERS_DB_PLACE_BYTES], *text;
    struct users_db *database;
    size_t len;
    int error = cli_file_read(path, USERS_DB_TEXT_MAX, &text, &len);
    if (error)
        return cli_local_error("%s: %s", path, strerror(-error));
    if (users_db_parse(text, len, NULL, NULL, &database, place) < 0) {
        free(text);
        return cli_failure("USERS_MALFORMED", NULL, place);
    }
    users_db_destroy(database);
    *ret_text = text;
    return CLI_OK;
}

static int apply(struct connect *connect, struct connect_channel *channel, const char *database)
{
    struct json *counts;
    struct json_writer params = json_writer_init(0);
    json_write_object_begin(&params, NULL);
    json_write_raw(&params, "database", database);
    json_write_object_end(&params);
    int exit_code = connect_channel_call(channel, "users.apply", params.text, &counts);
    json_writer_finish(&params);
    if (exit_code != CLI_OK)
        return exit_code;
    if (connect->json)
        connect_print_json(counts);
    else
        print_object(counts);
    json_destroy(counts);
    return CLI_OK;
}

static int run_users_apply(struct connect *connect, int argc, char **argv)
{
    struct cli_words words;
    struct connect_channel *channel;
    struct json *vm;
    char *database = NULL;
    int exit_code = cli_words_read(argc, argv, NULL, 2, 2, &words);
    if (exit_code == CLI_OK)
        exit_code = read_database(words.word[1], &database);
    if (exit_code == CLI_OK)
        exit_code = connect_pair_begin(connect, words.word[0], &vm, &channel);
    if (exit_code == CLI_OK) {
        exit_code = apply(connect, channel, database);
        connect_channel_close(channel);
        json_destroy(vm);
    }
    free(database);
    return exit_code;
}

const struct connect_command connect_channel_commands[] = {
    {"pair", NULL, run_pair, "VM",
     "authenticates you and the VM to each other, and shows the keys; its drives are attached then"},
    {"unlock", NULL, run_unlock, "VM [--format DRIVE]...",
     "gives the VM the keys of its drives; then it is ready"},
    {"status", NULL, connect_status_run, "VM [--watch]",
     "what the VM says of itself; --watch: every two seconds"},
    {"users", "get", run_users_get, "VM", "the VM's user database, as JSON"},
    {"users", "apply", run_users_apply, "VM FILE", "makes the users of a database in the VM"},
    {NULL, NULL, NULL, NULL, NULL},
};
