/*
 * Peer guest: registers as anybody (protocol/README 4.2).
 * In: words. Out: "STATUS BODY" of each answer. Kept: nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/json_write.h"
#include "protocol/manifest.h"
#include "protocol/register.h"
#include "tests/ns/peer.h"

/* The release in force: with another one nobody registers. */
static void read_release(const char *address, struct register_request *request)
{
    struct manifest manifest;
    char *text;
    if (peer_call(address, "GET", "/v1/manifest", "", "", &text) != 200 ||
        manifest_parse(text, strlen(text), &manifest) < 0)
        peer_die("%s has no manifest", address);
    manifest_hash(&manifest, request->manifest);
    memcpy(request->config, manifest.config, sizeof request->config);
    free(text);
}

static void make_request(const char *uuid, struct register_request *ret_request)
{
    struct register_request request = {.naddresses = 1};
    struct crypto_rsa *key;
    if (uuid_parse(uuid, request.uuid) < 0)
        peer_die("%s is no UUID", uuid);
    if (crypto_rsa_generate(2048, peer_random, NULL, &key) < 0 ||
        crypto_rsa_encode_public(key, request.public_key, &request.public_key_len) < 0)
        peer_die("no key");
    crypto_rsa_destroy(key);
    peer_random(NULL, request.nonce_v, sizeof request.nonce_v);
    snprintf(request.addresses[0], REGISTER_ADDRESS_BYTES, "10.77.0.9");
    snprintf(request.stub_version, REGISTER_VERSION_BYTES, "0.1.0");
    snprintf(request.controller_version, REGISTER_VERSION_BYTES, "0.1.0");
    *ret_request = request;
}

static void prove(struct register_request *request, const char *secret_path)
{
    char secret[PEER_FILE_MAX];
    uint8_t key[CRYPTO_KEY_BYTES];
    if (peer_read(secret_path, secret) != REGISTER_SECRET_BYTES)
        peer_die("%s holds no boot secret", secret_path);
    register_derive_key((const uint8_t *)secret, key);
    register_request_prove(request, key);
}

/* register ADDRESS UUID SECRET-FILE|wrong|none [TIMES]: with a key of its own; "wrong": a proof by another
 * secret; "none": without the member "proof"; TIMES: the very same request so often. */
int peer_register(int argc, char **argv)
{
    struct register_request request;
    struct json_writer body = json_writer_init(0);
    if (argc < 3)
        peer_die("register ADDRESS UUID SECRET-FILE|wrong|none [TIMES]");
    make_request(argv[1], &request);
    read_release(argv[0], &request);
    if (strcmp(argv[2], "wrong") == 0)
        peer_random(NULL, request.proof, sizeof request.proof);
    else if (strcmp(argv[2], "none") != 0)
        prove(&request, argv[2]);
    register_request_write(&body, NULL, &request);
    /* What nobody reads is as good as missing. */
    char *proof = strcmp(argv[2], "none") == 0 ? strstr(body.text, "\"proof\"") : NULL;
    if (proof != NULL)
        memcpy(proof, "\"prove\"", 7);
    for (int times = argc > 3 ? atoi(argv[3]) : 1; times > 0; times--) {
        char *answer;
        int status = peer_call(argv[0], "POST", "/v1/register", "Content-Type: application/json\r\n",
                               body.text, &answer);
        printf("%d %s\n", status, answer);
        free(answer);
    }
    json_writer_finish(&body);
    return 0;
}
