/*
 * Peer owner: takes a session and asks with it as anybody would who has found one (protocol/README 8.2, 8.3).
 * In: words. Out: the token; "STATUS BODY" of each answer. Kept: nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/json.h"
#include "protocol/login.h"
#include "src/io/loop.h"
#include "tests/ns/peer.h"

#define HEADERS_MAX 1200
#define TOKEN_BYTES 32

static void read_host(const char *hex, uint8_t out[CRYPTO_HASH_BYTES])
{
    if (hex_decode(hex, out, CRYPTO_HASH_BYTES) < 0)
        peer_die("%s is no fingerprint", hex);
}

/* A POST without a session; its answer must be a 200 with a JSON object. */
static struct json *post(const char *address, const char *path, struct json_writer *body)
{
    char *answer;
    struct json *tree;
    json_write_object_end(body);
    int status = peer_call(address, "POST", path, "Content-Type: application/json\r\n", body->text, &answer);
    if (status != 200 || json_parse(answer, strlen(answer), NULL, &tree) < 0)
        peer_die("%s: %d %s", path, status, answer);
    json_writer_finish(body);
    free(answer);
    return tree;
}

static struct json_writer begin(const struct crypto_rsa *key)
{
    uint8_t fingerprint[CRYPTO_HASH_BYTES];
    struct json_writer body = json_writer_init(0);
    crypto_rsa_fingerprint(key, fingerprint);
    json_write_object_begin(&body, NULL);
    json_write_hex(&body, "fingerprint", fingerprint, sizeof fingerprint);
    return body;
}

/* login ADDRESS HOST-FINGERPRINT KEY-FILE PASSPHRASE-FILE: prints the token. */
int peer_login(int argc, char **argv)
{
    uint8_t host[CRYPTO_HASH_BYTES], nonce[LOGIN_NONCE_BYTES], signature[CRYPTO_SIGNATURE_MAX];
    size_t len;
    if (argc != 4)
        peer_die("login ADDRESS HOST-FINGERPRINT KEY-FILE PASSPHRASE-FILE");
    read_host(argv[1], host);
    struct crypto_rsa *key = peer_read_key(argv[2], argv[3]);
    struct json_writer body = begin(key);
    struct json *answer = post(argv[0], "/v1/login/challenge", &body);
    struct json_reader reader = json_reader_init(answer);
    json_read_hex(&reader, "nonce", nonce, sizeof nonce);
    if (login_sign(key, peer_random, NULL, host, nonce, signature, &len) < 0)
        peer_die("cannot sign");
    json_destroy(answer);
    body = begin(key);
    json_write_hex(&body, "nonce", nonce, sizeof nonce);
    json_write_base64(&body, "signature", signature, len);
    answer = post(argv[0], "/v1/login", &body);
    puts(json_text(json_member(answer, "token")));
    json_destroy(answer);
    crypto_rsa_destroy(key);
    return 0;
}

/* The token's text; a path stands for a file of its bytes, so that it is in no argument list. */
static void read_token(const char *word, char ret_token[TEXT_HEX_BYTES(TOKEN_BYTES)])
{
    char bytes[PEER_FILE_MAX];
    if (word[0] != '/')
        snprintf(ret_token, TEXT_HEX_BYTES(TOKEN_BYTES), "%s", word);
    else if (peer_read(word, bytes) == TOKEN_BYTES)
        hex_encode(bytes, TOKEN_BYTES, ret_token);
    else
        peer_die("%s holds no token", word);
}

/* ask ADDRESS TOKEN METHOD PATH BODY [HOST-FINGERPRINT KEY-FILE|own PASSPHRASE-FILE [TIMES [SKEW-S]]]: "own"
 * signs with a key that nobody knows; without a key the request is not signed. */
int peer_ask(int argc, char **argv)
{
    uint8_t host[CRYPTO_HASH_BYTES];
    struct crypto_rsa *key = NULL;
    char token[TEXT_HEX_BYTES(TOKEN_BYTES)], headers[HEADERS_MAX], header[REQUEST_HEADER_MAX] = "";
    if (argc < 5 || argc == 6 || argc == 7)
        peer_die("ask ADDRESS TOKEN METHOD PATH BODY [HOST-FINGERPRINT KEY-FILE|own PASSPHRASE-FILE [TIMES "
                 "[SKEW-S]]]");
    if (argc > 5) {
        struct request_signature signature;
        struct request_target target = {.host = host,
                                        .method = argv[2],
                                        .path = argv[3],
                                        .body = {(const uint8_t *)argv[4], strlen(argv[4])}};
        int64_t skew_ms = argc > 9 ? atoll(argv[9]) * 1000 : 0;
        read_host(argv[5], host);
        if (strcmp(argv[6], "own") != 0)
            key = peer_read_key(argv[6], argv[7]);
        else if (crypto_rsa_generate(2048, peer_random, NULL, &key) < 0)
            peer_die("no key");
        if (request_signature_sign(key, peer_random, NULL, &target, loop_wall_ms() + skew_ms, &signature) < 0)
            peer_die("cannot sign");
        request_signature_format(&signature, header);
        crypto_rsa_destroy(key);
    }
    read_token(argv[1], token);
    snprintf(headers, sizeof headers, "Authorization: Bearer %s\r\n%s%s%s", token,
             header[0] ? "Kiln-Signature: " : "", header, header[0] ? "\r\n" : "");
    for (int times = argc > 8 ? atoi(argv[8]) : 1; times > 0; times--) {
        char *answer;
        int status = peer_call(argv[0], argv[2], argv[3], headers, argv[4][0] ? argv[4] : NULL, &answer);
        printf("%d %s\n", status, answer);
        free(answer);
    }
    return 0;
}
