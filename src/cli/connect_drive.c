/*
 * kiln-connect: drives and who can open them (protocol/README 8.4, 10.1).
 *
 * In: words, the user's key. Out: envelopes. A drive's key is made here, sealed here and forgotten here.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/envelope.h"
#include "src/cli/connect.h"
#include "src/cli/connect_drive.h"
#include "src/io/random.h"

enum { PATH_BYTES = 192 };

static int begin(struct connect *connect, int argc, char **argv, const struct cli_option *options, size_t min,
                 size_t max, struct cli_words *words)
{
    int exit_code = cli_words_read(argc, argv, options, min, max, words);
    return exit_code == CLI_OK ? connect_open(connect) : exit_code;
}

/* A random UUID (RFC 9562 section 5.4). */
static void make_uuid(uint8_t uuid[UUID_BYTES])
{
    random_fill(uuid, UUID_BYTES);
    uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40);
    uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
}

/* A fresh key in an envelope to its maker; nobody else ever sees the key itself. */
static int make_envelope(struct connect *connect, const uint8_t id[UUID_BYTES], uint8_t out[ENVELOPE_MAX],
                         size_t *ret_len)
{
    uint8_t key[ENVELOPE_KEY_BYTES];
    random_fill(key, sizeof key);
    int error = envelope_seal(connect->key, connect->key, connect_random, NULL, id, key, out, ret_len);
    crypto_wipe(key, sizeof key);
    return error ? cli_local_error("the drive's key cannot be sealed") : CLI_OK;
}

/* "512MiB", "1GiB", "2TiB" in MiB. */
static int parse_size(const char *text, int64_t *ret_mib)
{
    static const struct {
        const char *unit;
        int64_t mib;
    } units[] = {{"MiB", 1}, {"GiB", 1024}, {"TiB", 1048576}, {"M", 1}, {"G", 1024}, {"T", 1048576}};
    size_t digits = strspn(text, "0123456789");
    long long number = strtoll(text, NULL, 10);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (digits > 0 && digits < 8 && number > 0 && strcmp(text + digits, units[i].unit) == 0) {
            *ret_mib = number * units[i].mib;
            return CLI_OK;
        }
    }
    return cli_usage_error("'%s' is no size, as in 512MiB or 10GiB", text);
}

static int run_new(struct connect *connect, int argc, char **argv)
{
    struct cli_words words;
    const char *size = NULL;
    const struct cli_option options[] = {CLI_VALUE("--size", &size), CLI_END};
    uint8_t id[UUID_BYTES], envelope[ENVELOPE_MAX];
    size_t len = 0;
    int64_t mib = 0;
    struct json *drive;
    int exit_code = cli_words_read(argc, argv, options, 1, 1, &words);
    if (exit_code == CLI_OK)
        exit_code = size ? parse_size(size, &mib) : cli_usage_error("--size is missing");
    if (exit_code == CLI_OK)
        exit_code = connect_open(connect);
    make_uuid(id);
    if (exit_code == CLI_OK)
        exit_code = make_envelope(connect, id, envelope, &len);
    if (exit_code != CLI_OK)
        return exit_code;
    struct json_writer body = json_writer_init(0);
    json_write_object_begin(&body, NULL);
    json_write_uuid(&body, "id", id);
    json_write_text(&body, "name", words.word[0]);
    json_write_int(&body, "size_mib", mib);
    json_write_base64(&body, "envelope", envelope, len);
    json_write_object_end(&body);
    exit_code = connect_call(connect, "POST", "/v1/drives", body.text, true, &drive);
    json_writer_finish(&body);
    if (exit_code != CLI_OK)
        return exit_code;
    if (connect->json)
        connect_print_json(drive);
    else
        cli_print_row("made", 10, connect_text(drive, "id"));
    json_destroy(drive);
    return CLI_OK;
}

static int add_row(struct connect *connect, const struct json *drive, void *arg)
{
    struct table *table = arg;
    const struct json *holders = json_member(drive, "holders");
    if (connect->json) {
        connect_print_json(drive);
        return CLI_OK;
    }
    table_cell(table, connect_shown(drive, "name"));
    table_cellf(table, "%.8s", connect_text(drive, "id"));
    table_cellf(table, "%lld MiB", (long long)connect_int(drive, "size_mib"));
    table_cell(table, connect_shown(drive, "owner"));
    table_cellf(table, "%zu", json_count(json_member(drive, "envelopes")));
    table_cellf(table, "%zu%s", json_count(holders),
                strcmp(connect_text(json_at(holders, 0), "mode"), "writer") == 0 ? " (writer)" : "");
    return CLI_OK;
}

static int run_list(struct connect *connect, int argc, char **argv)
{
    static const char *const heads[] = {"NAME", "ID", "SIZE", "OWNER", "OPENED BY", "HELD BY", NULL};
    struct cli_words words;
    int exit_code = begin(connect, argc, argv, NULL, 0, 0, &words);
    if (exit_code != CLI_OK)
        return exit_code;
    struct table *table = table_create(heads);
    exit_code = connect_each_of(connect, "/v1/drives", "drives", add_row, table);
    if (!connect->json)
        table_print(table, stdout, "no drives: kiln-connect drive new");
    return exit_code;
}

/* The user's envelope of DRIVE in base64, or NULL. */
static const char *find_envelope(struct connect *connect, const struct json *drive)
{
    char own[TEXT_HEX_BYTES(CRYPTO_HASH_BYTES)];
    const struct json *envelopes = json_member(drive, "envelopes");
    hex_encode(connect->key_fingerprint, CRYPTO_HASH_BYTES, own);
    for (size_t i = 0; i < json_count(envelopes); i++)
        if (strcmp(connect_text(json_at(envelopes, i), "for"), own) == 0)
            return connect_text(json_at(envelopes, i), "ciphertext");
    return NULL;
}

/* Who the owner is, is the host's word. Where a lie would put a key of the liar's to use, it does not count.
 */
int connect_drive_key(struct connect *connect, const struct json *drive, const char *id, bool new_use,
                      uint8_t ret_key[ENVELOPE_KEY_BYTES])
{
    uint8_t envelope[ENVELOPE_MAX], uuid[UUID_BYTES];
    size_t len;
    bool own = new_use || strcmp(connect_text(drive, "owner"), connect->user) == 0;
    const char *text = find_envelope(connect, drive);
    if (!text)
        return cli_failure("ENVELOPE_MISSING", NULL, connect_text(drive, "name"));
    if (uuid_parse(id, uuid) < 0)
        return cli_unreachable_error("the host names a drive by an id that is none");
    int error = base64_decode(text, strlen(text), envelope, sizeof envelope, &len);
    if (error)
        return cli_failure("ENVELOPE_WRONG", "the envelope is malformed", connect_text(drive, "name"));
    error = envelope_open(connect->key, own ? connect->key : NULL, connect_random, NULL, uuid,
                          (struct bytes){envelope, len}, ret_key);
    if (error == -EBADMSG || error == -EPERM)
        return cli_failure("ENVELOPE_WRONG", NULL, connect_text(drive, "name"));
    if (error)
        return cli_failure("DRIVE_KEY_WRONG", "the envelope does not open with your key",
                           connect_text(drive, "name"));
    return CLI_OK;
}

struct person {
    const char *name;
    uint8_t spki[CRYPTO_SPKI_MAX], fingerprint[CRYPTO_HASH_BYTES];
    size_t spki_len;
};

static int look_for_person(struct connect *connect, const struct json *user, void *arg)
{
    struct person *person = arg;
    const char *text = connect_text(user, "public_key");
    (void)connect;
    if (strcmp(connect_text(user, "name"), person->name) != 0)
        return CLI_OK;
    if (base64_decode(text, strlen(text), person->spki, sizeof person->spki, &person->spki_len) < 0)
        return cli_unreachable_error("the host's list of users is malformed");
    crypto_fingerprint(person->spki, person->spki_len, person->fingerprint);
    return CLI_OK;
}

static int find_person(struct connect *connect, const char *name, struct person *person)
{
    *person = (struct person){.name = name};
    int exit_code = connect_each_of(connect, "/v1/users", "users", look_for_person, person);
    if (exit_code == CLI_OK && person->spki_len == 0)
        exit_code = cli_failure("NOT_FOUND", NULL, name);
    return exit_code;
}

/* The host's list of users is not signed by them: whose key it is must be said by a person. */
static int confirm_person(const struct person *person, const char *said)
{
    char hex[TEXT_HEX_BYTES(CRYPTO_HASH_BYTES)], question[256];
    hex_encode(person->fingerprint, sizeof person->fingerprint, hex);
    if (said)
        return strcmp(said, hex) == 0 ? CLI_OK
                                      : cli_failure(NULL, "the host shows another key for this user", hex);
    snprintf(question, sizeof question, "The key of %s is\n  %s\nIs that what they told you? (yes/no) ",
             person->name, hex);
    if (connect_confirm(question))
        return CLI_OK;
    return cli_failure(NULL, "the user's key was not confirmed",
                       "give --fingerprint, or answer yes on a terminal");
}

static int put_envelope(struct connect *connect, const struct json *drive, const struct person *person)
{
    uint8_t key[ENVELOPE_KEY_BYTES], sealed[ENVELOPE_MAX], id[UUID_BYTES];
    char path[PATH_BYTES], hex[TEXT_HEX_BYTES(CRYPTO_HASH_BYTES)];
    struct crypto_rsa *to;
    size_t len = 0;
    int exit_code = connect_drive_key(connect, drive, connect_text(drive, "id"), true, key);
    if (exit_code != CLI_OK)
        return exit_code;
    int error = uuid_parse(connect_text(drive, "id"), id);
    if (!error)
        error = crypto_rsa_decode_public(person->spki, person->spki_len, &to);
    if (!error) {
        error = envelope_seal(connect->key, to, connect_random, NULL, id, key, sealed, &len);
        crypto_rsa_destroy(to);
    }
    crypto_wipe(key, sizeof key);
    if (error)
        return cli_local_error("the drive's key cannot be sealed to %s", person->name);
    hex_encode(person->fingerprint, sizeof person->fingerprint, hex);
    snprintf(path, sizeof path, "/v1/drives/%.36s/envelopes/%s", connect_text(drive, "id"), hex);
    struct json_writer body = json_writer_init(0);
    json_write_object_begin(&body, NULL);
    json_write_base64(&body, "ciphertext", sealed, len);
    json_write_object_end(&body);
    exit_code = connect_call(connect, "PUT", path, body.text, true, NULL);
    json_writer_finish(&body);
    return exit_code;
}

static int run_share(struct connect *connect, int argc, char **argv)
{
    struct cli_words words;
    struct person person;
    struct json *drive;
    const char *said = NULL;
    const struct cli_option options[] = {CLI_VALUE("--fingerprint", &said), CLI_END};
    int exit_code = begin(connect, argc, argv, options, 2, 2, &words);
    if (exit_code == CLI_OK)
        exit_code = find_person(connect, words.word[1], &person);
    if (exit_code == CLI_OK)
        exit_code = connect_find_drive(connect, words.word[0], &drive);
    if (exit_code != CLI_OK)
        return exit_code;
    connect_say_object("shares ", words.word[0], drive);
    exit_code = confirm_person(&person, said);
    if (exit_code == CLI_OK)
        exit_code = put_envelope(connect, drive, &person);
    json_destroy(drive);
    return exit_code;
}

static int run_unshare(struct connect *connect, int argc, char **argv)
{
    struct cli_words words;
    struct person person;
    struct json *drive;
    char path[PATH_BYTES], hex[TEXT_HEX_BYTES(CRYPTO_HASH_BYTES)];
    int exit_code = begin(connect, argc, argv, NULL, 2, 2, &words);
    if (exit_code == CLI_OK)
        exit_code = find_person(connect, words.word[1], &person);
    if (exit_code == CLI_OK)
        exit_code = connect_find_drive(connect, words.word[0], &drive);
    if (exit_code != CLI_OK)
        return exit_code;
    hex_encode(person.fingerprint, sizeof person.fingerprint, hex);
    snprintf(path, sizeof path, "/v1/drives/%.36s/envelopes/%s", connect_text(drive, "id"), hex);
    connect_say_object("no longer shares ", words.word[0], drive);
    json_destroy(drive);
    return connect_call(connect, "DELETE", path, NULL, true, NULL);
}

static int run_remove(struct connect *connect, int argc, char **argv)
{
    struct cli_words words;
    struct json *drive;
    char path[PATH_BYTES];
    bool yes = false;
    const struct cli_option options[] = {CLI_FLAG("--yes", &yes), CLI_END};
    int exit_code = begin(connect, argc, argv, options, 1, 1, &words);
    if (exit_code == CLI_OK)
        exit_code = connect_find_drive(connect, words.word[0], &drive);
    if (exit_code != CLI_OK)
        return exit_code;
    snprintf(path, sizeof path, "/v1/drives/%.36s", connect_text(drive, "id"));
    connect_say_object("removes ", words.word[0], drive);
    json_destroy(drive);
    if (!yes && !connect_confirm("All data on the drive is lost for ever. Go on? (yes/no) "))
        return cli_failure(NULL, "not confirmed", "give --yes, or answer yes on a terminal");
    return connect_call(connect, "DELETE", path, NULL, true, NULL);
}

const struct connect_command connect_drive_commands[] = {
    {"drive", "new", run_new, "NAME --size SIZE", "makes a drive that only you can open"},
    {"drive", "list", run_list, "", "your drives, and those shared with you"},
    {"drive", "share", run_share, "DRIVE USER [--fingerprint HEX]", "lets another user open it"},
    {"drive", "unshare", run_unshare, "DRIVE USER", "takes that back"},
    {"drive", "remove", run_remove, "DRIVE [--yes]", "deletes it and its data"},
    {NULL, NULL, NULL, NULL, NULL},
};
