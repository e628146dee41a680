/*
 * kiln-connect: who the host is, and who we are to it (protocol/README 5.3 and 8.2).
 *
 * In: the profile's pin, the user's key. Out: a session. Kept: the pin, at the first use.
 * The first answer comes over a TLS connection that trusts nobody; it is believed because the pinned identity
 * has signed the certificate of that very connection.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/binding.h"
#include "protocol/code.h"
#include "protocol/login.h"
#include "src/cli/connect.h"
#include "src/io/http_client.h"
#include "src/io/loop.h"
#include "src/io/tls.h"

enum { EXIT_IDENTITY = 7 };

/* What GET /v1/host says, and over which certificate it was said. */
struct host_answer {
    bool done;
    int error;
    int status;
    struct json *refusal; /* owned by ask_host: the body of a status that is not 200 */
    bool well;            /* the answer is of the right form */
    uint8_t spki[CRYPTO_SPKI_MAX], fingerprint[CRYPTO_HASH_BYTES];
    size_t spki_len;
    uint8_t certificate[CRYPTO_HASH_BYTES], seen[TLS_FINGERPRINT_BYTES];
    uint8_t signature[BINDING_SIGNATURE_MAX];
    size_t signature_len;
};

static void on_host(void *arg, const struct http_answer *answer)
{
    struct host_answer *host = arg;
    struct json *tree;
    host->done = true;
    host->error = answer->error;
    host->status = answer->status;
    if (answer->error || json_parse(answer->body, answer->body_bytes, NULL, &tree) < 0)
        return;
    if (answer->status != 200) {
        host->refusal = tree;
        return;
    }
    struct json_reader reader = json_reader_init(tree);
    host->spki_len = json_read_base64(&reader, "identity", host->spki, sizeof host->spki);
    json_read_hex(&reader, "edge_certificate", host->certificate, sizeof host->certificate);
    host->signature_len =
        json_read_base64(&reader, "edge_signature", host->signature, sizeof host->signature);
    host->well = json_reader_end(&reader) == 0;
    json_destroy(tree);
    crypto_fingerprint(host->spki, host->spki_len, host->fingerprint);
    memcpy(host->seen, answer->fingerprint, sizeof host->seen);
}

static int ask_host(struct connect *connect, struct host_answer *ret_host)
{
    struct host_answer host = {.done = false};
    struct tls_client *tls;
    struct http_call *call;
    struct http_client_request request = {
        .method = "GET", .host = connect->host, .port = connect->port, .target = "/v1/host", .body_fd = -1};
    if (tls_client_create(NULL, &tls) < 0)
        return cli_local_error("TLS cannot be used");
    int error = http_client_call(connect->loop, tls, &request, on_host, &host, &call);
    if (!error)
        connect_wait(connect, &host.done);
    tls_client_destroy(tls);
    error = error ? error : host.error;
    if (error)
        return cli_unreachable_error("%s:%u: %s", connect->host, connect->port, strerror(-error));
    if (json_member(host.refusal, "error"))
        error = connect_say_refusal(host.status, host.refusal);
    else if (!host.well)
        error = cli_unreachable_error("%s:%u does not answer as a Kiln host", connect->host, connect->port);
    json_destroy(host.refusal);
    if (error)
        return error;
    *ret_host = host;
    return CLI_OK;
}

static int identity_changed(const uint8_t found[CRYPTO_HASH_BYTES])
{
    char words[128], hex[TEXT_HEX_BYTES(CRYPTO_HASH_BYTES)];
    hex_encode(found, CRYPTO_HASH_BYTES, hex);
    snprintf(words, sizeof words, "it shows %s", hex);
    cli_failure("IDENTITY_CHANGED", NULL, words);
    return EXIT_IDENTITY;
}

/* First use: the fingerprint must be given, or confirmed by a person. */
static int take_identity(struct connect *connect, const uint8_t found[CRYPTO_HASH_BYTES])
{
    char hex[TEXT_HEX_BYTES(CRYPTO_HASH_BYTES)], question[CONNECT_HOST_BYTES + 256];
    uint8_t wanted[CRYPTO_HASH_BYTES];
    if (connect->identity_option) {
        if (hex_decode(connect->identity_option, wanted, sizeof wanted) < 0)
            return cli_usage_error("--host-identity needs 64 lower-case hex digits");
        return memcmp(wanted, found, sizeof wanted) == 0 ? CLI_OK : identity_changed(found);
    }
    hex_encode(found, CRYPTO_HASH_BYTES, hex);
    snprintf(question, sizeof question,
             "%s:%u shows this identity for the first time:\n  %s\nIs it the one your operator gave you? "
             "(yes/no) ",
             connect->host, connect->port, hex);
    if (connect_confirm(question))
        return CLI_OK;
    cli_failure(NULL, "the host's identity was not confirmed",
                "give --host-identity, or answer yes on a terminal");
    return EXIT_IDENTITY;
}

static int check_identity(struct connect *connect, struct connect_profile *profile,
                          const struct host_answer *host)
{
    bool first = !profile->pinned;
    uint8_t wanted[CRYPTO_HASH_BYTES] = {0};
    if (!first && memcmp(profile->identity, host->fingerprint, sizeof profile->identity) != 0)
        return identity_changed(host->fingerprint);
    int exit_code = first ? take_identity(connect, host->fingerprint) : CLI_OK;
    if (exit_code != CLI_OK)
        return exit_code;
    if (!first && connect->identity_option &&
        (hex_decode(connect->identity_option, wanted, sizeof wanted) < 0 ||
         memcmp(wanted, profile->identity, sizeof wanted) != 0))
        return identity_changed(host->fingerprint);
    if (crypto_ec_decode_public(host->spki, host->spki_len, &connect->identity) < 0)
        return identity_changed(host->fingerprint);
    memcpy(connect->identity_fingerprint, host->fingerprint, CRYPTO_HASH_BYTES);
    if (memcmp(host->certificate, host->seen, sizeof host->seen) != 0 ||
        edge_certificate_verify(connect->identity, host->certificate,
                                (struct bytes){host->signature, host->signature_len}) < 0) {
        cli_failure("IDENTITY_CHANGED", "the host's identity has not signed this connection's certificate",
                    NULL);
        return EXIT_IDENTITY;
    }
    memcpy(profile->identity, host->fingerprint, sizeof profile->identity);
    profile->pinned = true;
    return CLI_OK;
}

/* Where the profile's host is: what the option says replaces what is kept, but never the pin. */
static int take_url(struct connect *connect, struct connect_profile *profile, bool *ret_changed)
{
    const char *url = connect->url_option ? connect->url_option : profile->url;
    if (!*url)
        return cli_usage_error("the host is not known yet: give --url https://HOST:PORT");
    if (strlen(url) >= sizeof profile->url || connect_url_parse(url, connect->host, &connect->port) < 0)
        return cli_usage_error("'%s' is not https://HOST:PORT", url);
    *ret_changed = strcmp(url, profile->url) != 0;
    if (*ret_changed)
        strcpy(profile->url, url);
    return CLI_OK;
}

int connect_host_check(struct connect *connect)
{
    struct connect_profile profile;
    struct host_answer host = {0};
    bool changed = false;
    int exit_code = connect_profile_find(connect);
    if (exit_code == CLI_OK)
        exit_code = connect_profile_read(connect, &profile);
    if (exit_code == CLI_OK)
        exit_code = take_url(connect, &profile, &changed);
    if (exit_code == CLI_OK && loop_create(&connect->loop) < 0)
        exit_code = cli_local_error("the event loop cannot be made");
    if (exit_code == CLI_OK)
        exit_code = ask_host(connect, &host);
    if (exit_code != CLI_OK)
        return exit_code;
    changed |= !profile.pinned;
    exit_code = check_identity(connect, &profile, &host);
    if (exit_code == CLI_OK && tls_client_create(host.seen, &connect->tls) < 0)
        exit_code = cli_local_error("TLS cannot be used");
    if (exit_code == CLI_OK && changed)
        exit_code = connect_profile_write(connect, &profile);
    return exit_code;
}

static int ask_challenge(struct connect *connect, const char *fingerprint,
                         uint8_t ret_nonce[LOGIN_NONCE_BYTES])
{
    struct json *answer;
    struct json_writer body = json_writer_init(0);
    json_write_object_begin(&body, NULL);
    json_write_text(&body, "fingerprint", fingerprint);
    json_write_object_end(&body);
    int exit_code = connect_call(connect, "POST", "/v1/login/challenge", body.text, false, &answer);
    json_writer_finish(&body);
    if (exit_code != CLI_OK)
        return exit_code;
    struct json_reader reader = json_reader_init(answer);
    json_read_hex(&reader, "nonce", ret_nonce, LOGIN_NONCE_BYTES);
    if (json_reader_end(&reader) < 0)
        exit_code = cli_unreachable_error("the host's challenge is malformed");
    json_destroy(answer);
    return exit_code;
}

static int answer_challenge(struct connect *connect, const char *fingerprint,
                            const uint8_t nonce[LOGIN_NONCE_BYTES])
{
    uint8_t signature[CRYPTO_SIGNATURE_MAX], token[32];
    size_t len;
    struct json *answer;
    if (login_sign(connect->key, connect_random, NULL, connect->identity_fingerprint, nonce, signature,
                   &len) < 0)
        return cli_local_error("the challenge cannot be signed");
    struct json_writer body = json_writer_init(0);
    json_write_object_begin(&body, NULL);
    json_write_text(&body, "fingerprint", fingerprint);
    json_write_hex(&body, "nonce", nonce, LOGIN_NONCE_BYTES);
    json_write_base64(&body, "signature", signature, len);
    json_write_object_end(&body);
    int exit_code = connect_call(connect, "POST", "/v1/login", body.text, false, &answer);
    json_writer_finish(&body);
    if (exit_code != CLI_OK)
        return exit_code;
    struct json_reader reader = json_reader_init(answer);
    json_read_hex(&reader, "token", token, sizeof token);
    if (json_reader_end(&reader) < 0)
        exit_code = cli_unreachable_error("the host's token is malformed");
    hex_encode(token, sizeof token, connect->token);
    snprintf(connect->user, sizeof connect->user, "%s", connect_text(json_member(answer, "user"), "name"));
    json_destroy_wiped(answer);
    return exit_code;
}

int connect_open(struct connect *connect)
{
    int exit_code = connect_host_check(connect);
    if (exit_code == CLI_OK)
        exit_code = connect_key_open(connect);
    return exit_code == CLI_OK ? connect_login(connect) : exit_code;
}

int connect_login(struct connect *connect)
{
    char fingerprint[TEXT_HEX_BYTES(CRYPTO_HASH_BYTES)];
    uint8_t nonce[LOGIN_NONCE_BYTES];
    hex_encode(connect->key_fingerprint, CRYPTO_HASH_BYTES, fingerprint);
    int exit_code = ask_challenge(connect, fingerprint, nonce);
    return exit_code == CLI_OK ? answer_challenge(connect, fingerprint, nonce) : exit_code;
}

void connect_close(struct connect *connect)
{
    if (connect->token[0]) {
        struct json *answer;
        int status;
        if (connect_ask(connect, "POST", "/v1/logout", "{}", false, &status, &answer) == CLI_OK)
            json_destroy(answer);
        crypto_wipe(connect->token, sizeof connect->token);
    }
    crypto_rsa_destroy(connect->key);
    crypto_ec_destroy(connect->identity);
    tls_client_destroy(connect->tls);
    loop_destroy(connect->loop);
    connect->key = NULL;
    connect->identity = NULL;
    connect->tls = NULL;
    connect->loop = NULL;
}
