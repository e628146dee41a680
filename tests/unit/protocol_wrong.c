/*
 * What is wrong and what is answered, a row each, for the parsers whose inputs are signed or sealed:
 * manifest, binding, key file, handshake; and the bridge's line. After each row a good input is taken as
 * before.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/binding.h"
#include "protocol/bridge_line.h"
#include "protocol/handshake.h"
#include "protocol/manifest.h"
#include "protocol/pem.h"
#include "tests/unit/protocol_random.h"

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))
#define HEX32 "0101010101010101010101010101010101010101010101010101010101010101"

static struct fixed_random source = {41, 0};
static struct crypto_ec *identity;
static struct crypto_rsa *owner_key, *vm_key;

static int make_keys(void **state)
{
    (void)state;
    return crypto_ec_generate(fixed_random_fill, &source, &identity) < 0 ||
           crypto_rsa_generate(2048, fixed_random_fill, &source, &owner_key) < 0 ||
           crypto_rsa_generate(2048, fixed_random_fill, &source, &vm_key) < 0;
}

static int drop_keys(void **state)
{
    (void)state;
    crypto_ec_destroy(identity);
    crypto_rsa_destroy(owner_key);
    crypto_rsa_destroy(vm_key);
    return 0;
}

/* TEXT with the first WHAT in it become WITH. */
static void replace(const char *text, const char *what, const char *with, char *out, size_t max)
{
    const char *at = strstr(text, what);
    assert_non_null(at);
    assert_true(snprintf(out, max, "%.*s%s%s", (int)(at - text), text, with, at + strlen(what)) < (int)max);
}

static void expect(const char *row, int found, int wanted)
{
    if (found != wanted)
        fail_msg("%s: %d and not %d", row, found, wanted);
}

/* ---- manifest ---- */

static void wrong_manifests(void **state)
{
    static const char good[] = "{\"version\":7,\"config\":\"" HEX32 "\",\"controllers\":{\"aarch64\":\"" HEX32
                               "\",\"x86_64\":\"" HEX32 "\"},\"signature\":\"AAAA\"}";
    static const char *const rows[][2] = {
        {"{\"version\"", "[{\"version\""},
        {"\"}", "\"}}"},
        {"\"version\":7", "\"version\":0"},
        {"\"version\":7", "\"version\":-1"},
        {"\"version\":7", "\"version\":9007199254740993"},
        {"\"version\":7", "\"version\":7.0"},
        {"\"version\":7", "\"version\":\"7\""},
        {"\"version\":7,", ""},
        {"\"version\":7,", "\"version\":7,\"version\":8,"},
        {"\"config\":\"01", "\"config\":\""},
        {"\"config\":\"01", "\"config\":\"0101"},
        {"\"config\":\"01", "\"config\":\"0G"},
        {"\"config\"", "\"konfig\""},
        {"\"controllers\":{", "\"controllers\":[],\"x\":{"},
        {"\"controllers\":{", "\"controllers\":{},\"x\":{"},
        {"\"aarch64\":\"01", "\"aarch64\":\""},
        {"\"aarch64\":\"", "\"aarch64\":7,\"x\":\""},
        {"\"aarch64\"", "\"\""},
        {"\"aarch64\"", "\"AARCH64\""},
        {"\"aarch64\"", "\"../aarch64\""},
        {"\"aarch64\"", "\"a_name_that_is_much_longer_than_any_is\""},
        {"\"aarch64\"", "\"x86_64\""},
        {"\"signature\":\"AAAA\"", "\"signature\":\"AAA\""},
        {"\"signature\":\"AAAA\"", "\"signature\":7"},
        {",\"signature\":\"AAAA\"", ""},
    };
    struct manifest manifest;
    char text[1024];
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        replace(good, rows[i][0], rows[i][1], text, sizeof text);
        manifest.version = 77;
        expect(text, manifest_parse(text, strlen(text), &manifest), -EBADMSG);
        assert_int_equal(manifest.version, 77);
        assert_int_equal(manifest_parse(good, strlen(good), &manifest), 0);
        /* It reads well, and nobody signed it. */
        assert_int_equal(manifest_verify(&manifest, identity), -EACCES);
    }
}

/* ---- binding ---- */

/* Where the fields of a binding stand: each behind its length of four bytes. */
enum {
    LABEL_AT = 4,
    VERSION_AT = LABEL_AT + 14 + 4,
    UUID_LEN_AT = VERSION_AT + 8,
    UUID_AT = UUID_LEN_AT + 4
};

static void wrong_bindings(void **state)
{
    static const struct {
        const char *what;
        size_t at;
        uint8_t flip;
        int decoded, checked;
    } rows[] = {
        {"the length of the label", 3, 1, -EBADMSG, -EACCES},
        {"a length past the end", 0, 0x80, -EBADMSG, -EACCES},
        {"the label", LABEL_AT, 1, -EBADMSG, -EACCES},
        {"the label's version", LABEL_AT + 5, 1, -EBADMSG, -EACCES},
        {"the length of the version", VERSION_AT - 1, 4, -EBADMSG, -EACCES},
        {"the version", VERSION_AT + 7, 2, -EBADMSG, -EACCES},
        {"the length of the id", UUID_LEN_AT + 3, 1, -EBADMSG, -EACCES},
        {"the id", UUID_AT, 1, 0, -EACCES},
    };
    const struct binding good = {.uuid = {1}, .vm_key = {2}, .owner_key = {3}, .brick = {4}, .assignment = 5};
    struct binding_signature signature;
    struct binding found;
    uint8_t bytes[BINDING_MAX + 1], wrong[BINDING_MAX + 1];
    (void)state;
    const size_t len = binding_encode(&good, bytes);
    const struct bytes whole = {bytes, len};
    assert_int_equal(binding_sign(identity, fixed_random_fill, &source, whole, &signature), 0);
    const struct bytes signed_by = {signature.bytes, signature.len};
    for (size_t i = 0; i < COUNT(rows); i++) {
        memcpy(wrong, bytes, len);
        wrong[rows[i].at] ^= rows[i].flip;
        expect(rows[i].what, binding_decode(wrong, len, &found), rows[i].decoded);
        expect(rows[i].what, binding_check(identity, (struct bytes){wrong, len}, signed_by, &good, NULL),
               rows[i].checked);
        assert_int_equal(binding_check(identity, whole, signed_by, &good, NULL), 0);
    }
    bytes[len] = 0;
    expect("a byte more", binding_decode(bytes, len + 1, &found), -EBADMSG);
    for (size_t cut = 0; cut < signature.len; cut++)
        expect("a cut signature",
               binding_check(identity, whole, (struct bytes){signature.bytes, cut}, &good, NULL), -EACCES);
}

/* ---- key file ---- */

enum { DER_MAX = CRYPTO_PRIVATE_MAX + 256 };

/* Finds the bytes MARK in the file's DER; what stands AHEAD of their end is changed. */
struct key_row {
    const char *what, *mark;
    size_t mark_len, ahead;
    uint8_t flip;
    int error;
};

static void wrong_key_files(void **state)
{
#define MARK(bytes) bytes, sizeof(bytes) - 1
    static const struct key_row rows[] = {
        {"not a SEQUENCE", MARK("\x30"), 0, 1, -EBADMSG},
        {"a length past the end", MARK("\x30\x82"), 1, 0x40, -EBADMSG},
        {"another scheme than PBES2", MARK("\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d"), 0, 1, -EBADMSG},
        {"another derivation than PBKDF2", MARK("\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0c"), 0, 1, -EBADMSG},
        {"another hash than SHA-256", MARK("\x2a\x86\x48\x86\xf7\x0d\x02\x09"), 0, 2, -EBADMSG},
        {"another cipher than AES-256", MARK("\x60\x86\x48\x01\x65\x03\x04\x01\x2a"), 0, 0x3c, -EBADMSG},
        {"another vector", MARK("\x60\x86\x48\x01\x65\x03\x04\x01\x2a\x04\x10"), 1, 1, -EACCES},
        {"a vector that is too long", MARK("\x60\x86\x48\x01\x65\x03\x04\x01\x2a\x04\x10"), 0, 1, -EBADMSG},
    };
    char pem[CRYPTO_PEM_MAX], bent[CRYPTO_PEM_MAX];
    uint8_t der[DER_MAX], wrong[DER_MAX];
    struct crypto_rsa *key = NULL;
    size_t len;
    (void)state;
    assert_int_equal(
        crypto_rsa_encode_file(owner_key, "right", CRYPTO_ROUNDS, fixed_random_fill, &source, pem), 0);
    assert_int_equal(pem_decode(pem, "ENCRYPTED PRIVATE KEY", der, sizeof der, &len), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        memcpy(wrong, der, len);
        uint8_t *at = memmem(wrong, len, rows[i].mark, rows[i].mark_len);
        assert_non_null(at);
        at[rows[i].mark_len - 1 + rows[i].ahead] ^= rows[i].flip;
        assert_int_equal(pem_encode("ENCRYPTED PRIVATE KEY", wrong, len, bent, sizeof bent), 0);
        expect(rows[i].what, crypto_rsa_decode_file(bent, "right", &key), rows[i].error);
        assert_null(key);
    }
    static const char *const texts[][2] = {{"BEGIN", "BEGUN"},
                                           {"ENCRYPTED PRIVATE KEY", "PRIVATE KEY"},
                                           {"ENCRYPTED PRIVATE KEY", "CERTIFICATE"},
                                           {"-----END", "-----EN"},
                                           {"MII", "M-I"},
                                           {"MII", ""}};
    for (size_t i = 0; i < COUNT(texts); i++) {
        replace(pem, texts[i][0], texts[i][1], bent, sizeof bent);
        expect(texts[i][1], crypto_rsa_decode_file(bent, "right", &key), -EBADMSG);
        assert_null(key);
    }
    for (size_t cut = 0; cut < strlen(pem) - 1; cut += 61) {
        snprintf(bent, sizeof bent, "%.*s", (int)cut, pem);
        expect("cut", crypto_rsa_decode_file(bent, "right", &key), -EBADMSG);
    }
    expect("another pass phrase", crypto_rsa_decode_file(pem, "wrong", &key), -EACCES);
    assert_int_equal(crypto_rsa_decode_file(pem, "right", &key), 0);
    crypto_rsa_destroy(key);
}

/* ---- handshake ---- */

struct pair {
    struct handshake *owner, *vm;
    uint8_t messages[4][HANDSHAKE_MESSAGE_MAX + 1];
    size_t lengths[4];
};

static void pair_open(struct pair *pair)
{
    struct handshake_config config = {.role = HANDSHAKE_OWNER,
                                      .own_key = owner_key,
                                      .peer_key = vm_key,
                                      .binding = {(const uint8_t *)"binding", 7},
                                      .random = fixed_random_fill,
                                      .random_arg = &source};
    memset(pair, 0, sizeof *pair);
    assert_int_equal(handshake_create(&config, &pair->owner), 0);
    config.role = HANDSHAKE_VM;
    config.own_key = vm_key;
    config.peer_key = owner_key;
    assert_int_equal(handshake_create(&config, &pair->vm), 0);
    assert_int_equal(handshake_start(pair->owner, pair->messages[0], &pair->lengths[0]), 0);
}

static void pair_close(struct pair *pair)
{
    handshake_destroy(pair->owner);
    handshake_destroy(pair->vm);
}

/* Message NUMBER comes to who waits for it. */
static int pair_step(struct pair *pair, int number)
{
    uint8_t answer[HANDSHAKE_MESSAGE_MAX];
    size_t len = 0;
    int error = handshake_feed(number % 2 ? pair->owner : pair->vm, pair->messages[number],
                               pair->lengths[number], answer, &len);
    if (error == 0 && number < 3) {
        memcpy(pair->messages[number + 1], answer, len);
        pair->lengths[number + 1] = len;
    }
    return error;
}

enum { HELLO_O, HELLO_V, AUTH_O, AUTH_V };
static const struct {
    const char *what;
    int message;
    size_t at;
    uint8_t flip;
    int more, error;
} handshake_rows[] = {
    {"HELLO_O: type", HELLO_O, 0, 1, 0, -EBADMSG},
    {"HELLO_O: version", HELLO_O, 2, 2, 0, -EBADMSG},
    {"HELLO_O: length of the point", HELLO_O, 6, 1, 0, -EBADMSG},
    {"HELLO_O: form of the point", HELLO_O, 7, 6, 0, -EBADMSG},
    {"HELLO_O: no point of the curve", HELLO_O, 40, 1, 0, -EBADMSG},
    {"HELLO_O: length of the nonce", HELLO_O, 75, 1, 0, -EBADMSG},
    {"HELLO_O: another nonce", HELLO_O, 76, 1, 0, 0},
    {"HELLO_O: another VM", HELLO_O, 112, 1, 0, -EBADMSG},
    {"HELLO_O: a byte more", HELLO_O, 0, 0, 1, -EBADMSG},
    {"HELLO_O: a byte less", HELLO_O, 0, 0, -1, -EBADMSG},
    {"HELLO_V: type", HELLO_V, 0, 1, 0, -EBADMSG},
    {"HELLO_V: version", HELLO_V, 2, 2, 0, -EBADMSG},
    {"HELLO_V: length of the point", HELLO_V, 6, 1, 0, -EBADMSG},
    {"HELLO_V: form of the point", HELLO_V, 7, 6, 0, -EBADMSG},
    {"HELLO_V: no point of the curve", HELLO_V, 40, 1, 0, -EBADMSG},
    {"HELLO_V: length of the nonce", HELLO_V, 75, 1, 0, -EBADMSG},
    {"HELLO_V: another nonce", HELLO_V, 76, 1, 0, 0},
    {"HELLO_V: a byte more", HELLO_V, 0, 0, 1, -EBADMSG},
    {"AUTH_O: type", AUTH_O, 0, 1, 0, -EBADMSG},
    {"AUTH_O: version", AUTH_O, 2, 2, 0, -EBADMSG},
    {"AUTH_O: length of the signature", AUTH_O, 6, 1, 0, -EBADMSG},
    {"AUTH_O: the signature", AUTH_O, 7, 1, 0, -EACCES},
    {"AUTH_O: length of the MAC", AUTH_O, 266, 1, 0, -EBADMSG},
    {"AUTH_O: the MAC", AUTH_O, 267, 1, 0, -EACCES},
    {"AUTH_O: a byte more", AUTH_O, 0, 0, 1, -EBADMSG},
    {"AUTH_V: type", AUTH_V, 0, 7, 0, -EBADMSG},
    {"AUTH_V: version", AUTH_V, 2, 2, 0, -EBADMSG},
    {"AUTH_V: length of the signature", AUTH_V, 6, 1, 0, -EBADMSG},
    {"AUTH_V: the signature", AUTH_V, 7, 1, 0, -EACCES},
    {"AUTH_V: length of the MAC", AUTH_V, 266, 1, 0, -EBADMSG},
    {"AUTH_V: the MAC", AUTH_V, 267, 1, 0, -EACCES},
    {"AUTH_V: a byte less", AUTH_V, 0, 0, -1, -EBADMSG},
};

static void wrong_handshakes(void **state)
{
    struct pair pair, next;
    (void)state;
    for (size_t i = 0; i < COUNT(handshake_rows); i++) {
        pair_open(&pair);
        for (int message = 0; message < handshake_rows[i].message; message++)
            assert_int_equal(pair_step(&pair, message), 0);
        pair.messages[handshake_rows[i].message][handshake_rows[i].at] ^= handshake_rows[i].flip;
        pair.lengths[handshake_rows[i].message] += (size_t)handshake_rows[i].more;
        expect(handshake_rows[i].what, pair_step(&pair, handshake_rows[i].message), handshake_rows[i].error);
        /* What nobody can tell yet is told when both say what they saw. */
        if (handshake_rows[i].error == 0 && handshake_rows[i].message == HELLO_O)
            assert_int_equal(pair_step(&pair, HELLO_V), 0);
        if (handshake_rows[i].error == 0)
            expect(handshake_rows[i].what, pair_step(&pair, AUTH_O), -EACCES);
        assert_false(handshake_done(pair.owner) && handshake_done(pair.vm));
        pair_close(&pair);
        pair_open(&next);
        for (int message = 0; message < 4; message++)
            assert_int_equal(pair_step(&next, message), 0);
        assert_true(handshake_done(next.owner) && handshake_done(next.vm));
        pair_close(&next);
    }
}

/* ---- the bridge's line ---- */

static void wrong_bridge_lines(void **state)
{
    static const char good[] = "KILN/1 " HEX32 "\r\n";
    static const char *const rows[][2] = {
        {"KILN/1", "kiln/1"},     {"KILN/1", "KILN/2"},      {"KILN/1", "KILN/1.0"},
        {"KILN/1 ", "KILN/1"},    {"KILN/1 ", "KILN/1  "},   {"KILN/1 ", "KILN/1\t"},
        {"KILN/1 ", " KILN/1 "},  {"KILN/1 ", "GET / HTT"},  {"KILN/1 ", "SSH-2.0-OpenSSH_9.2"},
        {"0101\r\n", "010\r\n"},  {"0101\r\n", "01011\r\n"}, {"0101\r\n", "010G\r\n"},
        {"0101\r\n", "010A\r\n"}, {"\r\n", "\n\n"},          {"\r\n", " \r\n"},
        {"\r\n", "\r\r\n"},       {"0101\r\n", "01\r\n\r\n"}};
    uint8_t ticket[BRIDGE_TICKET_BYTES] = {7};
    char line[256];
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        replace(good, rows[i][0], rows[i][1], line, sizeof line);
        size_t len = strlen(line) < BRIDGE_LINE_BYTES ? strlen(line) : BRIDGE_LINE_BYTES;
        expect(line, bridge_line_parse(line, len, ticket), -EBADMSG);
        assert_int_equal(ticket[0], 7);
    }
    assert_int_equal(bridge_line_parse(good, BRIDGE_LINE_BYTES, ticket), BRIDGE_LINE_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_manifests),    cmocka_unit_test(wrong_bindings),
        cmocka_unit_test(wrong_key_files),    cmocka_unit_test(wrong_handshakes),
        cmocka_unit_test(wrong_bridge_lines),
    };
    return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
