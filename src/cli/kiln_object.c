/*
 * kiln brick, drive, user. In: words, key files. Out: calls, tables. Kept: nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/crypto.h"
#include "src/cli/common_file.h"
#include "src/cli/kiln.h"

static int call_with_word(const struct kiln *kiln, int argc, char **argv, const char *method, const char *key,
                          kiln_show *show)
{
    struct cli_words words;
    int exit_code = cli_words_read(argc, argv, NULL, 1, 1, &words);
    if (exit_code != CLI_OK)
        return exit_code;
    struct json_writer params = kiln_params(key, words.word[0]);
    return kiln_call(kiln, method, &params, show, NULL);
}

/* A list in pages as one table. */
static int list(const struct kiln *kiln, int argc, char **argv, const char *method, const char *const *heads,
                kiln_show *add, const char *empty)
{
    struct cli_words words;
    int exit_code = cli_words_read(argc, argv, NULL, 0, 0, &words);
    if (exit_code != CLI_OK)
        return exit_code;
    struct table *table = table_create(heads);
    exit_code = kiln_call_pages(kiln, method, "after", NULL, add, table);
    if (exit_code == CLI_OK && !kiln->json)
        table_print(table, stdout, empty);
    return exit_code;
}

/* ---- bricks ---- */

static int add_bricks(const struct kiln *kiln, const struct json *result, void *table)
{
    const struct json *bricks = json_member(result, "bricks");
    (void)kiln;
    for (size_t i = 0; i < json_count(bricks); i++) {
        const struct json *brick = json_at(bricks, i);
        table_cell(table, kiln_text(brick, "name"));
        table_cellf(table, "%.16s", kiln_text(brick, "hash"));
        table_cell(table, kiln_text(brick, "image"));
        table_cell(table, kiln_text(brick, "kernel"));
        table_cell(table, kiln_text(brick, "vcpus"));
        table_cellf(table, "%s MiB", kiln_text(brick, "memory_mib"));
        table_cell(table, json_bool(json_member(brick, "applications")) ? "yes" : "no");
    }
    return CLI_OK;
}

static int brick_list(const struct kiln *kiln, int argc, char **argv)
{
    static const char *const heads[] = {"NAME",  "HASH",   "IMAGE",        "KERNEL",
                                        "VCPUS", "MEMORY", "APPLICATIONS", NULL};
    return list(kiln, argc, argv, "brick.list", heads, add_bricks, "no bricks");
}

static int show_brick(const struct kiln *kiln, const struct json *brick, void *arg)
{
    (void)kiln;
    (void)arg;
    for (size_t i = 0; i < json_count(brick); i++) {
        const struct json *value = json_at(brick, i);
        printf("%-14s", json_key_at(brick, i));
        if (json_kind(value) == JSON_BOOL)
            fputs(json_bool(value) ? "yes" : "no", stdout);
        else
            cli_print_text(stdout, json_text(value) ? json_text(value) : "");
        for (size_t j = 0; j < json_count(value); j++)
            printf("%s %s s  ", json_key_at(value, j), json_text(json_at(value, j)));
        putchar('\n');
    }
    return CLI_OK;
}

static int brick_show(const struct kiln *kiln, int argc, char **argv)
{
    return call_with_word(kiln, argc, argv, "brick.show", "name", show_brick);
}

struct brick_options {
    const char *image, *kernel, *initrd, *cmdline, *vcpus, *memory, *deadlines;
    bool applications;
};

/* "booted=60,registered=900". Returns false when it is not of that form. */
static bool write_deadlines(struct json_writer *params, const char *list_text)
{
    json_write_object_begin(params, "deadlines_s");
    while (*list_text) {
        char state[32], *end;
        size_t length = strcspn(list_text, "=,");
        if (length == 0 || length >= sizeof state || list_text[length] != '=')
            return false;
        snprintf(state, sizeof state, "%.*s", (int)length, list_text);
        long long seconds = strtoll(list_text + length + 1, &end, 10);
        if (end == list_text + length + 1 || (*end && *end != ','))
            return false;
        json_write_int(params, state, seconds);
        list_text = end + (*end == ',');
    }
    json_write_object_end(params);
    return true;
}

static bool write_number(struct json_writer *params, const char *key, const char *text)
{
    char *end;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end)
        return false;
    json_write_int(params, key, value);
    return true;
}

static int write_brick(struct json_writer *params, const char *name, const struct brick_options *options)
{
    json_write_object_begin(params, NULL);
    json_write_text(params, "name", name);
    json_write_text(params, "image", options->image);
    if (options->kernel)
        json_write_text(params, "kernel", options->kernel);
    if (options->initrd)
        json_write_text(params, "initrd", options->initrd);
    if (options->cmdline)
        json_write_text(params, "cmdline", options->cmdline);
    if (!write_number(params, "vcpus", options->vcpus) ||
        !write_number(params, "memory_mib", options->memory))
        return cli_usage_error("--vcpus and --memory take numbers");
    json_write_bool(params, "applications", options->applications);
    if (options->deadlines && !write_deadlines(params, options->deadlines))
        return cli_usage_error("--deadlines takes STATE=SECONDS,...");
    json_write_object_end(params);
    return CLI_OK;
}

static int brick_add(const struct kiln *kiln, int argc, char **argv)
{
    struct brick_options o = {.vcpus = "1", .memory = "512"};
    const struct cli_option options[] = {CLI_VALUE("--image", &o.image),
                                         CLI_VALUE("--kernel", &o.kernel),
                                         CLI_VALUE("--initrd", &o.initrd),
                                         CLI_VALUE("--cmdline", &o.cmdline),
                                         CLI_VALUE("--vcpus", &o.vcpus),
                                         CLI_VALUE("--memory", &o.memory),
                                         CLI_VALUE("--deadlines", &o.deadlines),
                                         CLI_FLAG("--applications", &o.applications),
                                         CLI_END};
    struct cli_words words;
    int exit_code = cli_words_read(argc, argv, options, 1, 1, &words);
    if (exit_code != CLI_OK)
        return exit_code;
    if (!o.image)
        return cli_usage_error("brick add needs --image");
    struct json_writer params = json_writer_init(0);
    exit_code = write_brick(&params, words.word[0], &o);
    if (exit_code != CLI_OK) {
        json_writer_finish(&params);
        return exit_code;
    }
    return kiln_call(kiln, "brick.add", &params, show_brick, NULL);
}

static int brick_remove(const struct kiln *kiln, int argc, char **argv)
{
    return call_with_word(kiln, argc, argv, "brick.remove", "name", NULL);
}

static int show_verdict(const struct kiln *kiln, const struct json *result, void *arg)
{
    bool good = json_bool(json_member(result, "good"));
    (void)arg;
    if (kiln->json)
        kiln_show_json(kiln, result, NULL);
    else if (good)
        printf("%s %s good\n", kiln_text(result, "name"), kiln_text(result, "hash"));
    return good ? CLI_OK : cli_failure("BRICK_CHANGED", NULL, kiln_text(result, "detail"));
}

/* The verdict is the exit code, with --json too. */
static int brick_verify(const struct kiln *kiln, int argc, char **argv)
{
    struct cli_words words;
    int exit_code = cli_words_read(argc, argv, NULL, 1, 1, &words);
    if (exit_code != CLI_OK)
        return exit_code;
    struct json_writer params = kiln_params("name", words.word[0]);
    return kiln_call_shown(kiln, "brick.verify", &params, show_verdict, NULL);
}

/* ---- drives ---- */

static void add_holders(struct table *table, const struct json *holders)
{
    char text[256] = "";
    size_t used = 0;
    for (size_t i = 0; i < json_count(holders) && used + 24 < sizeof text; i++) {
        const struct json *holder = json_at(holders, i);
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%.8s:%.6s", i ? " " : "",
                                 kiln_text(holder, "vm"), kiln_text(holder, "mode"));
    }
    table_cell(table, used ? text : "-");
}

static int add_drives(const struct kiln *kiln, const struct json *result, void *table)
{
    const struct json *drives = json_member(result, "drives");
    (void)kiln;
    for (size_t i = 0; i < json_count(drives); i++) {
        const struct json *drive = json_at(drives, i);
        table_cell(table, kiln_text(drive, "id"));
        table_cell(table, kiln_text(drive, "name"));
        table_cell(table, kiln_text(drive, "owner"));
        table_cellf(table, "%s MiB", kiln_text(drive, "size_mib"));
        add_holders(table, json_member(drive, "holders"));
        table_cellf(table, "%zu", json_count(json_member(drive, "envelopes")));
    }
    return CLI_OK;
}

static int drive_list(const struct kiln *kiln, int argc, char **argv)
{
    static const char *const heads[] = {"ID", "NAME", "OWNER", "SIZE", "HELD BY", "ENVELOPES", NULL};
    return list(kiln, argc, argv, "drive.list", heads, add_drives, "no drives");
}

static int drive_remove(const struct kiln *kiln, int argc, char **argv)
{
    return call_with_word(kiln, argc, argv, "drive.remove", "drive", NULL);
}

/* ---- users ---- */

static int read_public_key(const char *path, uint8_t spki[CRYPTO_SPKI_MAX], size_t *ret_len)
{
    char *pem;
    int error = cli_file_read(path, CRYPTO_PEM_MAX, &pem, NULL);
    if (error)
        return cli_local_error("%s: %s", path, strerror(-error));
    error = crypto_spki_decode_pem(pem, spki, ret_len);
    free(pem);
    return error ? cli_local_error("%s: no PEM with a PUBLIC KEY", path) : CLI_OK;
}

static int show_user(const struct kiln *kiln, const struct json *user, void *arg)
{
    (void)kiln;
    (void)arg;
    printf("%s %s %s\n", kiln_text(user, "name"), kiln_text(user, "role"), kiln_text(user, "fingerprint"));
    return CLI_OK;
}

static int user_add(const struct kiln *kiln, int argc, char **argv)
{
    const char *key = NULL, *role = NULL;
    const struct cli_option options[] = {CLI_VALUE("--key", &key), CLI_VALUE("--role", &role), CLI_END};
    uint8_t spki[CRYPTO_SPKI_MAX];
    size_t len = 0;
    struct cli_words words;
    int exit_code = cli_words_read(argc, argv, options, 1, 1, &words);
    if (exit_code != CLI_OK)
        return exit_code;
    if (!key || !role)
        return cli_usage_error("user add needs --key and --role");
    exit_code = read_public_key(key, spki, &len);
    if (exit_code != CLI_OK)
        return exit_code;
    struct json_writer params = json_writer_init(0);
    json_write_object_begin(&params, NULL);
    json_write_text(&params, "name", words.word[0]);
    json_write_text(&params, "role", role);
    json_write_base64(&params, "public_key", spki, len);
    json_write_object_end(&params);
    return kiln_call(kiln, "user.add", &params, show_user, NULL);
}

static int add_users(const struct kiln *kiln, const struct json *result, void *table)
{
    const struct json *users = json_member(result, "users");
    (void)kiln;
    for (size_t i = 0; i < json_count(users); i++) {
        table_cell(table, kiln_text(json_at(users, i), "name"));
        table_cell(table, kiln_text(json_at(users, i), "role"));
        table_cell(table, kiln_text(json_at(users, i), "fingerprint"));
    }
    return CLI_OK;
}

static int user_list(const struct kiln *kiln, int argc, char **argv)
{
    static const char *const heads[] = {"NAME", "ROLE", "FINGERPRINT", NULL};
    return list(kiln, argc, argv, "user.list", heads, add_users, "no users");
}

static int user_remove(const struct kiln *kiln, int argc, char **argv)
{
    return call_with_word(kiln, argc, argv, "user.remove", "name", NULL);
}

const struct kiln_command kiln_object_commands[] = {
    {"brick", "add", brick_add,
     "NAME --image VOLUME [--kernel VOLUME [--initrd VOLUME] [--cmdline TEXT]]\n"
     "        [--vcpus N] [--memory MIB] [--applications] [--deadlines STATE=SECONDS,...]",
     "adds a brick of volumes that are in the pool, and records their hash"},
    {"brick", "list", brick_list, "", "lists bricks"},
    {"brick", "show", brick_show, "NAME", "shows one"},
    {"brick", "remove", brick_remove, "NAME", "removes the record of one that no VM uses; volumes stay"},
    {"brick", "verify", brick_verify, "NAME", "hashes its volumes again and compares"},
    {"drive", "list", drive_list, "", "lists drives and who holds them"},
    {"drive", "remove", drive_remove, "ID", "deletes a drive that no VM holds, with all that is on it"},
    {"user", "add", user_add, "NAME --key FILE.pem --role owner|admin",
     "adds a user by the public key in the file"},
    {"user", "list", user_list, "", "lists users"},
    {"user", "remove", user_remove, "NAME", "removes a user and ends the user's sessions"},
    {NULL, NULL, NULL, NULL, NULL},
};
