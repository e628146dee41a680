/*
 * kiln-connect: the user's key (protocol/README 10.2). In: pass phrases. Out: key.pem and public.pem. Kept:
 * those.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/cli/common_file.h"
#include "src/cli/connect.h"
#include "src/io/random.h"

enum { KEY_BITS = 3072, PASSPHRASE_MIN = 8 };

int connect_random(void *arg, uint8_t *out, size_t len)
{
    (void)arg;
    random_fill(out, len);
    return 0;
}

/* PASSPHRASE is the caller's to wipe. */
static int read_key(const char *path, struct connect *connect, char passphrase[CONNECT_SECRET_BYTES],
                    struct crypto_rsa **ret_key)
{
    char *pem;
    int error = cli_file_read(path, CRYPTO_PEM_MAX, &pem, NULL);
    if (error)
        return cli_local_error("%s: %s", path, strerror(-error));
    int exit_code = connect_passphrase_read(connect, "pass phrase of your key: ", false, passphrase);
    if (exit_code == CLI_OK) {
        error = crypto_rsa_decode_file(pem, passphrase, ret_key);
        if (error == -EACCES)
            exit_code = cli_local_error("the pass phrase is wrong");
        else if (error == -ERANGE)
            exit_code = cli_local_error(
                "%s: its pass phrase is hardened by too few rounds, %d are needed: openssl pkcs8 "
                "-topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256 -iter %d -in %s -out NEW",
                path, CRYPTO_ROUNDS, CRYPTO_ROUNDS, path);
        else if (error)
            exit_code = cli_local_error("%s: not a key file of Kiln's", path);
    }
    free(pem);
    return exit_code;
}

int connect_key_open(struct connect *connect)
{
    char path[CONNECT_PATH_BYTES], passphrase[CONNECT_SECRET_BYTES];
    connect_path(connect, "key.pem", path);
    if (access(path, F_OK) < 0 && errno == ENOENT)
        return cli_local_error("you have no key yet: kiln-connect key new");
    int exit_code = read_key(path, connect, passphrase, &connect->key);
    crypto_wipe(passphrase, sizeof passphrase);
    if (exit_code == CLI_OK && crypto_rsa_fingerprint(connect->key, connect->key_fingerprint) < 0)
        exit_code = cli_local_error("%s: not usable", path);
    return exit_code;
}

static int show_public(struct connect *connect, const char *pem)
{
    uint8_t spki[CRYPTO_SPKI_MAX], fingerprint[CRYPTO_HASH_BYTES];
    char hex[TEXT_HEX_BYTES(CRYPTO_HASH_BYTES)];
    size_t len;
    if (crypto_spki_decode_pem(pem, spki, &len) < 0)
        return cli_local_error("public.pem is no public key");
    crypto_fingerprint(spki, len, fingerprint);
    hex_encode(fingerprint, sizeof fingerprint, hex);
    if (!connect->json) {
        printf("fingerprint %s\n%s", hex, pem);
        return CLI_OK;
    }
    struct json_writer out = json_writer_init(0);
    json_write_object_begin(&out, NULL);
    json_write_text(&out, "fingerprint", hex);
    json_write_base64(&out, "public_key", spki, len);
    json_write_object_end(&out);
    puts(out.text);
    json_writer_finish(&out);
    return CLI_OK;
}

static int run_show(struct connect *connect, int argc, char **argv)
{
    struct cli_words words;
    char path[CONNECT_PATH_BYTES], *pem;
    int exit_code = cli_words_read(argc, argv, NULL, 0, 0, &words);
    if (exit_code == CLI_OK)
        exit_code = connect_profile_find(connect);
    if (exit_code != CLI_OK)
        return exit_code;
    connect_path(connect, "public.pem", path);
    int error = cli_file_read(path, CRYPTO_PEM_MAX, &pem, NULL);
    if (error == -ENOENT)
        return cli_local_error("you have no key yet: kiln-connect key new");
    if (error)
        return cli_local_error("%s: %s", path, strerror(-error));
    exit_code = show_public(connect, pem);
    free(pem);
    return exit_code;
}

/* Writes one file of the key; nothing is ever replaced. */
static int write_new(const struct connect *connect, const char *name, const char *pem)
{
    char path[CONNECT_PATH_BYTES];
    connect_path(connect, name, path);
    int error = cli_file_write(path, pem, strlen(pem), true);
    if (error == -EEXIST)
        return cli_local_error("%s exists: a key is never replaced; move it away or use another --profile",
                               path);
    return error ? cli_local_error("%s: %s", path, strerror(-error)) : CLI_OK;
}

static int write_key(struct connect *connect, const struct crypto_rsa *key, const char *passphrase)
{
    char private[CRYPTO_PEM_MAX], public[CRYPTO_PEM_MAX];
    uint8_t spki[CRYPTO_SPKI_MAX];
    size_t len;
    if (crypto_rsa_encode_file(key, passphrase, CRYPTO_ROUNDS, connect_random, NULL, private) < 0 ||
        crypto_rsa_encode_public(key, spki, &len) < 0 || crypto_spki_encode_pem(spki, len, public) < 0)
        return cli_local_error("the key cannot be written");
    int exit_code = write_new(connect, "key.pem", private);
    if (exit_code == CLI_OK)
        exit_code = write_new(connect, "public.pem", public);
    if (exit_code == CLI_OK)
        exit_code = show_public(connect, public);
    if (exit_code == CLI_OK && !connect->json)
        fprintf(stderr,
                "Give %s/public.pem to an administrator: kiln user add NAME --role owner --key public.pem\n",
                connect->folder);
    return exit_code;
}

/* Finds the profile, which must have no key. */
static int find_empty_profile(struct connect *connect)
{
    char path[CONNECT_PATH_BYTES];
    int exit_code = connect_profile_find(connect);
    if (exit_code != CLI_OK)
        return exit_code;
    connect_path(connect, "key.pem", path);
    if (access(path, F_OK) < 0)
        return CLI_OK;
    return cli_local_error("%s exists: a key is never replaced; move it away or use another --profile", path);
}

static int run_new(struct connect *connect, int argc, char **argv)
{
    struct cli_words words;
    char passphrase[CONNECT_SECRET_BYTES];
    struct crypto_rsa *key;
    int exit_code = cli_words_read(argc, argv, NULL, 0, 0, &words);
    if (exit_code == CLI_OK)
        exit_code = find_empty_profile(connect);
    if (exit_code != CLI_OK)
        return exit_code;
    exit_code = connect_passphrase_read(connect, "pass phrase for the new key: ", true, passphrase);
    if (exit_code != CLI_OK)
        return exit_code;
    if (strlen(passphrase) < PASSPHRASE_MIN)
        exit_code = cli_local_error("the pass phrase has fewer than %d characters", PASSPHRASE_MIN);
    else if (crypto_rsa_generate(KEY_BITS, connect_random, NULL, &key) < 0)
        exit_code = cli_local_error("a key cannot be made");
    else {
        exit_code = write_key(connect, key, passphrase);
        crypto_rsa_destroy(key);
    }
    crypto_wipe(passphrase, sizeof passphrase);
    return exit_code;
}

/* A key that the page or openssl made; its file stays where it is. */
static int run_import(struct connect *connect, int argc, char **argv)
{
    struct cli_words words;
    char passphrase[CONNECT_SECRET_BYTES];
    struct crypto_rsa *key = NULL;
    int exit_code = cli_words_read(argc, argv, NULL, 1, 1, &words);
    if (exit_code == CLI_OK)
        exit_code = find_empty_profile(connect);
    if (exit_code == CLI_OK)
        exit_code = read_key(words.word[0], connect, passphrase, &key);
    if (exit_code == CLI_OK)
        exit_code = write_key(connect, key, passphrase);
    crypto_wipe(passphrase, sizeof passphrase);
    crypto_rsa_destroy(key);
    return exit_code;
}

const struct connect_command connect_key_commands[] = {
    {"key", "new", run_new, "", "makes your key, under a pass phrase"},
    {"key", "import", run_import, "FILE", "takes over a key that the page or openssl made"},
    {"key", "show", run_show, "", "your public key and its fingerprint"},
    {NULL, NULL, NULL, NULL, NULL},
};
