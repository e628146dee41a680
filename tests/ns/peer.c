/*
 * Peer: a guest and an owner that keep to no rule, for the tests: a registration with any proof, key or UUID,
 * a session taken from its owner, requests signed by anybody; and the secrets that a test looks for. In: a
 * command and its words. Out: a line for each answer: status and body. Kept: nothing.
 */
#include "tests/ns/peer.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/envelope.h"
#include "protocol/register.h"
#include "src/io/config.h"
#include "src/io/http_client.h"
#include "src/io/loop.h"
#include "src/io/random.h"

void peer_die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("peer: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(2);
}

int peer_random(void *arg, uint8_t *out, size_t len)
{
    (void)arg;
    random_fill(out, len);
    return 0;
}

size_t peer_read(const char *path, char out[PEER_FILE_MAX])
{
    FILE *file = fopen(path, "re");
    size_t len = file != NULL ? fread(out, 1, PEER_FILE_MAX - 1, file) : 0;
    if (file == NULL || ferror(file))
        peer_die("cannot read %s", path);
    fclose(file);
    out[len] = '\0';
    return len;
}

struct crypto_rsa *peer_read_key(const char *path, const char *passphrase_path)
{
    char pem[PEER_FILE_MAX], passphrase[PEER_FILE_MAX];
    struct crypto_rsa *key;
    peer_read(path, pem);
    peer_read(passphrase_path, passphrase);
    passphrase[strcspn(passphrase, "\n")] = '\0';
    if (crypto_rsa_decode_file(pem, passphrase, &key) < 0)
        peer_die("no key in %s", path);
    return key;
}

struct waiting {
    struct loop *loop;
    int status;
    char *body;
};

static void take_answer(void *arg, const struct http_answer *answer)
{
    struct waiting *waiting = arg;
    if (answer->error == 0) {
        waiting->status = answer->status;
        waiting->body = strdup(answer->body);
    }
    loop_stop(waiting->loop);
}

int peer_call(const char *address, const char *method, const char *path, const char *headers,
              const char *body, char **ret_body)
{
    char host[CONFIG_HOST_MAX];
    uint16_t port;
    struct waiting waiting = {0};
    struct tls_client *tls;
    struct http_call *call;
    if (config_split_address(address, host, &port) < 0 || loop_create(&waiting.loop) < 0 ||
        tls_client_create(NULL, &tls) < 0)
        peer_die("cannot call %s", address);
    const struct http_client_request request = {.method = method,
                                                .host = host,
                                                .port = port,
                                                .target = path,
                                                .headers = headers,
                                                .body = body,
                                                .body_bytes = body != NULL ? strlen(body) : 0,
                                                .body_fd = -1};
    if (http_client_call(waiting.loop, tls, &request, take_answer, &waiting, &call) == 0)
        loop_run(waiting.loop);
    tls_client_destroy(tls);
    loop_destroy(waiting.loop);
    *ret_body = waiting.body != NULL ? waiting.body : strdup("");
    return waiting.status;
}

/* boot-secret MASTER-FILE UUID BOOT: the boot secret's 32 bytes. */
static int boot_secret(int argc, char **argv)
{
    char master[PEER_FILE_MAX];
    uint8_t uuid[UUID_BYTES], secret[REGISTER_SECRET_BYTES];
    if (argc != 3 || peer_read(argv[0], master) != 32 || uuid_parse(argv[1], uuid) < 0)
        peer_die("boot-secret MASTER-FILE UUID BOOT");
    register_derive_boot_secret((const uint8_t *)master, uuid, strtoull(argv[2], NULL, 10), secret);
    return fwrite(secret, sizeof secret, 1, stdout) == 1 ? 0 : 1;
}

/* drive-key KEY-FILE PASSPHRASE-FILE ENVELOPE: what is in an envelope, 32 bytes. */
static int drive_key(int argc, char **argv)
{
    static const uint8_t any_drive[UUID_BYTES];
    uint8_t sealed[ENVELOPE_MAX], key[ENVELOPE_KEY_BYTES];
    size_t sealed_len;
    if (argc != 3 || base64_decode(argv[2], strlen(argv[2]), sealed, sizeof sealed, &sealed_len) < 0)
        peer_die("drive-key KEY-FILE PASSPHRASE-FILE ENVELOPE");
    struct crypto_rsa *rsa = peer_read_key(argv[0], argv[1]);
    if (envelope_open(rsa, NULL, peer_random, NULL, any_drive, (struct bytes){sealed, sealed_len}, key) < 0)
        peer_die("the envelope is not for this key");
    crypto_rsa_destroy(rsa);
    return fwrite(key, sizeof key, 1, stdout) == 1 ? 0 : 1;
}

/* envelope DRIVE KEY-FILE PASSPHRASE-FILE [MAKER-KEY-FILE PASSPHRASE-FILE]: a key of our own choice, sealed
 * to the first and signed by the second, else by a key that nobody knows; in base64. */
static int make_envelope(int argc, char **argv)
{
    uint8_t drive[UUID_BYTES], key[ENVELOPE_KEY_BYTES], sealed[ENVELOPE_MAX];
    char text[TEXT_BASE64_BYTES(ENVELOPE_MAX)];
    struct crypto_rsa *maker;
    size_t len;
    if ((argc != 3 && argc != 5) || uuid_parse(argv[0], drive) < 0)
        peer_die("envelope DRIVE KEY-FILE PASSPHRASE-FILE [MAKER-KEY-FILE PASSPHRASE-FILE]");
    struct crypto_rsa *to = peer_read_key(argv[1], argv[2]);
    if (argc == 5)
        maker = peer_read_key(argv[3], argv[4]);
    else if (crypto_rsa_generate(crypto_rsa_bits(to), peer_random, NULL, &maker) < 0)
        peer_die("no key");
    if (peer_random(NULL, key, sizeof key) != 0 ||
        envelope_seal(maker, to, peer_random, NULL, drive, key, sealed, &len) < 0)
        peer_die("the key cannot be sealed");
    base64_encode(sealed, len, text);
    puts(text);
    crypto_rsa_destroy(maker);
    crypto_rsa_destroy(to);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } commands[] = {{"boot-secret", boot_secret}, {"drive-key", drive_key}, {"envelope", make_envelope},
                    {"flood", peer_flood},        {"search", peer_search},  {"memory", peer_memory},
                    {"register", peer_register},  {"login", peer_login},    {"ask", peer_ask}};
    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 2, argv + 2);
    peer_die("boot-secret, drive-key, envelope, flood, search, memory, register, login or ask");
}
