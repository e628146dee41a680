/*
 * The test vectors of tests/vectors/wire.json by a second reading of protocol/README.md: hashes, MACs, the
 * handshake and the records are computed here from the page's formulas, not by the code that made them
 * (tests/vectors/make.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/bridge_line.h"
#include "protocol/envelope.h"
#include "protocol/json.h"
#include "protocol/login.h"
#include "protocol/manifest.h"
#include "tests/unit/protocol_random.h"

#define VECTORS "tests/vectors/wire.json"

static struct json *vectors;
static struct crypto_rsa *owner, *vm;
static struct crypto_ec *identity;
static struct fixed_random source = {4, 0};

/* Memory until the end of the program, which is keep(0). */
static void *keep(size_t size)
{
    static void *kept[512];
    static size_t count;
    if (size == 0) {
        while (count > 0)
            free(kept[--count]);
        return NULL;
    }
    assert_true(count < sizeof kept / sizeof *kept);
    return kept[count++] = malloc(size);
}

/* Bytes of a member, hex or base64. */
static struct bytes get(const char *section, const char *key)
{
    const char *text = json_text(json_member(json_member(vectors, section), key));
    assert_non_null(text);
    size_t len = strlen(text);
    uint8_t *bytes = keep(len + 1);
    if (len % 2 == 0 && hex_decode(text, bytes, len / 2) == 0)
        return (struct bytes){bytes, len / 2};
    assert_int_equal(base64_decode(text, len, bytes, len, &len), 0);
    return (struct bytes){bytes, len};
}

static const char *text_of(const char *section, const char *key)
{
    return json_text(json_member(json_member(vectors, section), key));
}

static struct bytes hex_at(const char *section, const char *key, size_t index)
{
    const char *text = json_text(json_at(json_member(json_member(vectors, section), key), index));
    assert_non_null(text);
    uint8_t *bytes = keep(strlen(text) / 2 + 1);
    assert_int_equal(hex_decode(text, bytes, strlen(text) / 2), 0);
    return (struct bytes){bytes, strlen(text) / 2};
}

static int read_vectors(void **state)
{
    static char text[65536];
    FILE *file = fopen(VECTORS, "rb");
    (void)state;
    if (!file)
        return -1;
    size_t len = fread(text, 1, sizeof text, file);
    fclose(file);
    if (json_parse(text, len, NULL, &vectors) < 0)
        return -1;
    struct bytes a = get("owner_key", "private_pkcs1"), b = get("vm_key", "private_pkcs1");
    return crypto_rsa_decode_private(a.bytes, a.len, &owner) < 0 ||
           crypto_rsa_decode_private(b.bytes, b.len, &vm) < 0 ||
           crypto_ec_decode_pem(text_of("host_identity", "private_pem"), fixed_random_fill, &source,
                                &identity) < 0;
}

static int drop_vectors(void **state)
{
    (void)state;
    json_destroy(vectors);
    crypto_rsa_destroy(owner);
    crypto_rsa_destroy(vm);
    crypto_ec_destroy(identity);
    keep(0);
    return 0;
}

static void assert_same(struct bytes found, struct bytes wanted)
{
    assert_int_equal(found.len, wanted.len);
    assert_memory_equal(found.bytes, wanted.bytes, wanted.len);
}

static struct bytes hkdf(struct bytes ikm, struct bytes salt, const void *info, size_t info_len, size_t len)
{
    uint8_t *out = keep(len);
    crypto_hkdf(ikm, salt, (struct bytes){info, info_len}, out, len);
    return (struct bytes){out, len};
}

static struct bytes hash(const void *bytes, size_t len)
{
    uint8_t *out = keep(CRYPTO_HASH_BYTES);
    crypto_hash(bytes, len, out);
    return (struct bytes){out, CRYPTO_HASH_BYTES};
}

static struct bytes hmac(struct bytes key, const void *bytes, size_t len)
{
    uint8_t *out = keep(CRYPTO_HASH_BYTES);
    crypto_hmac(key.bytes, key.len, bytes, len, out);
    return (struct bytes){out, CRYPTO_HASH_BYTES};
}

static void put(struct wire_writer *block, struct bytes field)
{
    wire_write_field(block, field.bytes, field.len);
}

static void fingerprints_are_hashes_of_spki(void **state)
{
    struct bytes spki = get("owner_key", "public_spki");
    (void)state;
    assert_same(hash(spki.bytes, spki.len), get("owner_key", "fingerprint"));
    spki = get("vm_key", "public_spki");
    assert_same(hash(spki.bytes, spki.len), get("vm_key", "fingerprint"));
}

/* Sections 2 and 4.2. */
static void registration_is_as_the_page_says(void **state)
{
    uint8_t block[4096], uuid[16];
    const struct json *request = json_member(json_member(vectors, "register"), "request");
    struct wire_writer writer = wire_writer_init(block, sizeof block);
    struct json_reader reader = json_reader_init(request);
    uint8_t key[CRYPTO_SPKI_MAX], nonce[32], manifest[32], config[32], proof[32];
    (void)state;
    json_read_uuid(&reader, "uuid", uuid);
    size_t key_len = json_read_base64(&reader, "public_key", key, sizeof key);
    json_read_hex(&reader, "nonce_v", nonce, 32);
    json_read_hex(&reader, "manifest", manifest, 32);
    json_read_hex(&reader, "config", config, 32);
    json_read_hex(&reader, "proof", proof, 32);
    assert_int_equal(json_reader_end(&reader), 0);
    wire_write_field_text(&writer, "kiln/1 boot secret");
    wire_write_field(&writer, uuid, 16);
    wire_write_field_u64(&writer, 1);
    struct bytes secret = hmac(get("register", "master"), block, writer.len);
    assert_same(secret, get("register", "boot_secret"));
    struct bytes k_reg = hkdf(secret, (struct bytes){NULL, 0}, "kiln/1 registration", 19, 32);
    assert_same(k_reg, get("register", "k_reg"));
    writer = wire_writer_init(block, sizeof block);
    wire_write_field_text(&writer, "kiln/1 guest token");
    wire_write_field(&writer, uuid, 16);
    assert_same(hmac(k_reg, block, writer.len), get("register", "guest_token"));
    writer = wire_writer_init(block, sizeof block);
    wire_write_field_text(&writer, "kiln/1 register");
    wire_write_field(&writer, uuid, 16);
    wire_write_field(&writer, key, key_len);
    wire_write_field(&writer, nonce, 32);
    wire_write_field_text(&writer, "10.77.0.5,fe80::5054:ff:fe12:3456");
    wire_write_field_text(&writer, "0.1.0");
    wire_write_field_text(&writer, "0.1.0");
    wire_write_field(&writer, manifest, 32);
    wire_write_field(&writer, config, 32);
    assert_same(hmac(k_reg, block, writer.len), (struct bytes){proof, 32});
    assert_same(hash(block, writer.len), get("register", "request_hash"));
}

/* Section 5. */
static void binding_and_vouch_are_signed(void **state)
{
    struct bytes binding = get("binding", "bytes"), signature = get("binding", "signature");
    uint8_t block[1024];
    struct wire_writer writer = wire_writer_init(block, sizeof block);
    (void)state;
    assert_int_equal(crypto_ec_verify(identity, binding.bytes, binding.len, signature.bytes, signature.len),
                     0);
    wire_write_field_text(&writer, "kiln/1 vouch");
    put(&writer, get("binding", "nonce_o"));
    put(&writer, binding);
    signature = get("binding", "vouch");
    assert_int_equal(crypto_ec_verify(identity, block, writer.len, signature.bytes, signature.len), 0);
    struct wire_reader reader = wire_reader_init(binding.bytes, binding.len);
    wire_read_label(&reader, "kiln/1 binding");
    assert_int_equal(wire_read_field_u64(&reader), 1);
    assert_int_equal(wire_read_field(&reader).len, 16);
    assert_same(wire_read_field(&reader), get("vm_key", "fingerprint"));
    assert_same(wire_read_field(&reader), get("owner_key", "fingerprint"));
    assert_same(wire_read_field(&reader), get("binding", "brick"));
    assert_int_equal(wire_read_field_u64(&reader), 41);
}

/* Section 4.4. */
static void link_records_are_as_the_page_says(void **state)
{
    uint8_t info[11 + 64], block[128];
    (void)state;
    memcpy(info, "kiln/1 link", 11);
    memcpy(info + 11, get("link", "nonce_g").bytes, 32);
    memcpy(info + 43, get("link", "nonce_h").bytes, 32);
    struct bytes key =
        hkdf(get("register", "boot_secret"), get("register", "request_hash"), info, sizeof info, 32);
    assert_same(key, get("link", "k_link"));
    for (uint64_t counter = 0; counter < 2; counter++) {
        struct bytes record = hex_at("link", "guest_records", counter);
        struct wire_writer writer = wire_writer_init(block, sizeof block);
        wire_write_field_text(&writer, "kiln/1 link guest");
        wire_write_field_u64(&writer, counter);
        wire_write_field_text(&writer, "{}");
        assert_int_equal(wire_get_u64(record.bytes), counter);
        assert_same((struct bytes){record.bytes + 8, 32}, hmac(key, block, writer.len));
        assert_memory_equal(record.bytes + 40, "{}", 2);
    }
}

/* Sections 8.2 and 8.3. */
static void log_in_and_requests_are_signed(void **state)
{
    uint8_t block[1024];
    struct wire_writer writer = wire_writer_init(block, sizeof block);
    struct bytes spki = get("host_identity", "public_spki"), signature = get("login", "signature");
    struct bytes host = hash(spki.bytes, spki.len);
    struct request_signature header;
    (void)state;
    wire_write_field_text(&writer, "kiln/1 login");
    put(&writer, host);
    put(&writer, get("login", "nonce"));
    assert_int_equal(crypto_rsa_verify(owner, block, writer.len, signature.bytes, signature.len), 0);
    const char *body = text_of("request", "body");
    assert_int_equal(request_signature_parse(text_of("request", "header"), &header), 0);
    writer = wire_writer_init(block, sizeof block);
    wire_write_field_text(&writer, "kiln/1 request");
    put(&writer, host);
    wire_write_field_text(&writer, text_of("request", "method"));
    wire_write_field_text(&writer, text_of("request", "path"));
    put(&writer, hash(body, strlen(body)));
    wire_write_field_u64(&writer, (uint64_t)header.time_ms);
    wire_write_field(&writer, header.nonce, 16);
    assert_int_equal(crypto_rsa_verify(owner, block, writer.len, header.signature, header.signature_len), 0);
}

static int give_private(void *arg, uint8_t *out, size_t len)
{
    const struct bytes *private = arg;
    if (len == 32)
        memcpy(out, private->bytes, 32);
    else
        memset(out, 1, len);
    return 0;
}

/* One side's AUTH message over what came before: MAC and signature are checked, and what comes after is
 * returned. */
static struct bytes follow_auth(struct bytes message, struct bytes z, struct bytes t2, struct bytes before,
                                const struct crypto_rsa *key, const char *label, const char *mac_label)
{
    uint8_t block[1024];
    struct wire_reader reader = wire_reader_init(message.bytes + 3, message.len - 3);
    struct bytes signature = wire_read_field(&reader), mac = wire_read_field(&reader);
    struct wire_writer writer = wire_writer_init(block, sizeof block);
    assert_int_equal(wire_reader_end(&reader), 0);
    put(&writer, before);
    put(&writer, signature);
    assert_same(mac, hmac(hkdf(z, t2, mac_label, strlen(mac_label), 32), block, writer.len));
    put(&writer, mac);
    struct bytes after = hash(block, writer.len);
    writer = wire_writer_init(block, sizeof block);
    wire_write_field_text(&writer, label);
    put(&writer, before);
    assert_int_equal(crypto_rsa_verify(key, block, writer.len, signature.bytes, signature.len), 0);
    return after;
}

static struct bytes shared_secret(struct bytes private, struct bytes message)
{
    struct crypto_ecdh *ecdh;
    uint8_t *z = keep(32), own[CRYPTO_POINT_BYTES];
    assert_int_equal(crypto_ecdh_create(give_private, &private, &ecdh), 0);
    crypto_ecdh_public(ecdh, own);
    assert_memory_equal(own, hex_at("handshake", "messages", 0).bytes + 7, CRYPTO_POINT_BYTES);
    assert_int_equal(crypto_ecdh_agree(ecdh, message.bytes + 7, fixed_random_fill, &source, z), 0);
    crypto_ecdh_destroy(ecdh);
    return (struct bytes){z, 32};
}

/* Section 7.1. */
static void the_handshake_is_as_the_page_says(void **state)
{
    uint8_t block[2048], salt[64];
    struct bytes hello_o = hex_at("handshake", "messages", 0), hello_v = hex_at("handshake", "messages", 1);
    struct wire_writer writer = wire_writer_init(block, sizeof block);
    (void)state;
    put(&writer, get("binding", "bytes"));
    put(&writer, hello_o);
    put(&writer, hello_v);
    struct bytes t2 = hash(block, writer.len), z = shared_secret(get("handshake", "eph_o_private"), hello_v);
    struct bytes t3 =
        follow_auth(hex_at("handshake", "messages", 2), z, t2, t2, owner, "kiln/1 owner", "kiln/1 mac owner");
    struct bytes t4 =
        follow_auth(hex_at("handshake", "messages", 3), z, t2, t3, vm, "kiln/1 vm", "kiln/1 mac vm");
    memcpy(salt, t2.bytes, 32);
    memcpy(salt + 32, t4.bytes, 32);
    struct bytes to_vm = hkdf(z, (struct bytes){salt, 64}, "kiln/1 owner to vm", 18, 44);
    struct bytes to_owner = hkdf(z, (struct bytes){salt, 64}, "kiln/1 vm to owner", 18, 44);
    assert_same((struct bytes){to_vm.bytes, 32}, get("handshake", "owner_to_vm_key"));
    assert_same((struct bytes){to_vm.bytes + 32, 12}, get("handshake", "owner_to_vm_iv"));
    assert_same((struct bytes){to_owner.bytes, 32}, get("handshake", "vm_to_owner_key"));
    assert_same((struct bytes){to_owner.bytes + 32, 12}, get("handshake", "vm_to_owner_iv"));
}

/* Section 7.2. */
static void records_are_as_the_page_says(void **state)
{
    static const struct {
        const char *plain;
        size_t len;
    } wanted[] = {{"\0\0\0\0\0\0\0\0\2{}", 11}, {"\0\0\0\1\1\0\1\0\0", 9}, {"\0\0\0\0\3", 5}};
    struct bytes iv = get("handshake", "owner_to_vm_iv");
    struct crypto_aead *aead;
    (void)state;
    assert_int_equal(crypto_aead_create(get("handshake", "owner_to_vm_key").bytes, &aead), 0);
    for (uint64_t counter = 0; counter < 3; counter++) {
        struct bytes record = hex_at("handshake", "owner_records", counter);
        uint8_t nonce[12], plain[64];
        memcpy(nonce, iv.bytes, 12);
        nonce[11] ^= (uint8_t)counter;
        assert_int_equal(wire_get_u64(record.bytes), counter);
        assert_int_equal(crypto_aead_open(aead, nonce, (struct bytes){record.bytes, 8}, record.bytes + 8,
                                          record.len - 8, plain),
                         0);
        assert_int_equal(record.len - 24, wanted[counter].len);
        assert_memory_equal(plain, wanted[counter].plain, wanted[counter].len);
    }
    crypto_aead_destroy(aead);
}

/* Section 10.1. */
static void an_envelope_is_as_the_page_says(void **state)
{
    uint8_t key[32], block[1024];
    struct bytes envelope = get("envelope", "envelope");
    struct wire_reader reader = wire_reader_init(envelope.bytes, envelope.len);
    struct bytes ciphertext = wire_read_field(&reader), signature = wire_read_field(&reader);
    struct wire_writer writer = wire_writer_init(block, sizeof block);
    size_t len;
    (void)state;
    assert_int_equal(wire_reader_end(&reader), 0);
    wire_write_field_text(&writer, "kiln/1 envelope");
    put(&writer, get("envelope", "drive"));
    put(&writer, get("owner_key", "fingerprint"));
    put(&writer, ciphertext);
    assert_int_equal(crypto_rsa_verify(owner, block, writer.len, signature.bytes, signature.len), 0);
    assert_int_equal(crypto_rsa_decrypt(owner, fixed_random_fill, &source, ciphertext.bytes, ciphertext.len,
                                        key, sizeof key, &len),
                     0);
    assert_same((struct bytes){key, len}, get("envelope", "drive_key"));
    assert_int_equal(envelope_open(owner, owner, fixed_random_fill, &source, get("envelope", "drive").bytes,
                                   envelope, key),
                     0);
}

/* Sections 8.1 and 4.1. */
static void files_are_as_the_page_says(void **state)
{
    uint8_t block[256];
    struct manifest manifest;
    struct wire_writer writer = wire_writer_init(block, sizeof block);
    const char *file = text_of("manifest", "file");
    (void)state;
    wire_write_field_text(&writer, "kiln/1 brick");
    put(&writer, get("brick", "image"));
    wire_write_field_text(&writer, "");
    wire_write_field_text(&writer, "");
    wire_write_field_text(&writer, text_of("brick", "cmdline"));
    assert_same(hash(block, writer.len), get("brick", "hash"));
    assert_int_equal(manifest_parse(file, strlen(file), &manifest), 0);
    assert_int_equal(manifest_verify(&manifest, identity), 0);
    writer = wire_writer_init(block, sizeof block);
    wire_write_field_text(&writer, "kiln/1 manifest");
    wire_write_field_u64(&writer, 7);
    wire_write_field(&writer, manifest.config, 32);
    wire_write_field_text(&writer, "x86_64");
    wire_write_field(&writer, manifest.controllers[0].hash, 32);
    assert_same(hash(block, writer.len), get("manifest", "hash"));
}

static void a_ticket_is_presented_as_the_page_says(void **state)
{
    const char *line = text_of("bridge", "line"), *refused = text_of("bridge", "refused");
    char wanted[128] = "KILN/1 ";
    uint8_t ticket[BRIDGE_TICKET_BYTES];
    struct bridge_answer answer;
    (void)state;
    strcat(wanted, text_of("bridge", "ticket"));
    strcat(wanted, "\r\n");
    assert_string_equal(line, wanted);
    assert_int_equal(strlen(line), 73);
    assert_int_equal(bridge_line_parse(line, 73, ticket), 73);
    assert_same((struct bytes){ticket, sizeof ticket}, get("bridge", "ticket"));
    assert_string_equal(text_of("bridge", "taken"), "OK\r\n");
    assert_int_equal(strncmp(refused, "ERR TICKET_WRONG ", 17), 0);
    assert_int_equal(bridge_answer_parse(refused, strlen(refused), &answer), strlen(refused));
    assert_string_equal(answer.words, code_find("TICKET_WRONG")->words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fingerprints_are_hashes_of_spki),
        cmocka_unit_test(registration_is_as_the_page_says),
        cmocka_unit_test(binding_and_vouch_are_signed),
        cmocka_unit_test(link_records_are_as_the_page_says),
        cmocka_unit_test(log_in_and_requests_are_signed),
        cmocka_unit_test(the_handshake_is_as_the_page_says),
        cmocka_unit_test(records_are_as_the_page_says),
        cmocka_unit_test(an_envelope_is_as_the_page_says),
        cmocka_unit_test(files_are_as_the_page_says),
        cmocka_unit_test(a_ticket_is_presented_as_the_page_says),
    };
    return cmocka_run_group_tests(tests, read_vectors, drop_vectors);
}
