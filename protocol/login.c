/*
 * Log in and signed requests. See login.h.
 */
#include "protocol/login.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/wire.h"

enum { BLOCK_MAX = 2048, TIME_DIGITS_MAX = 15 };

static struct wire_writer login_block(uint8_t buffer[BLOCK_MAX], const uint8_t host[CRYPTO_HASH_BYTES],
                                      const uint8_t nonce[LOGIN_NONCE_BYTES])
{
    struct wire_writer block = wire_writer_init(buffer, BLOCK_MAX);
    wire_write_field_text(&block, "kiln/1 login");
    wire_write_field(&block, host, CRYPTO_HASH_BYTES);
    wire_write_field(&block, nonce, LOGIN_NONCE_BYTES);
    return block;
}

int login_sign(struct crypto_rsa *key, crypto_random *random, void *arg,
               const uint8_t host[CRYPTO_HASH_BYTES], const uint8_t nonce[LOGIN_NONCE_BYTES],
               uint8_t out[CRYPTO_SIGNATURE_MAX], size_t *ret_len)
{
    uint8_t buffer[BLOCK_MAX];
    struct wire_writer block = login_block(buffer, host, nonce);
    return crypto_rsa_sign(key, random, arg, buffer, block.len, out, ret_len);
}

int login_verify(const struct crypto_rsa *key, const uint8_t host[CRYPTO_HASH_BYTES],
                 const uint8_t nonce[LOGIN_NONCE_BYTES], struct bytes signature)
{
    uint8_t buffer[BLOCK_MAX];
    struct wire_writer block = login_block(buffer, host, nonce);
    return crypto_rsa_verify(key, buffer, block.len, signature.bytes, signature.len);
}

/* Whether TEXT begins with a token and then nothing, or one of ENDS. */
static bool take_token(const char *text, const char *ends, char out[LOGIN_TOKEN_TEXT])
{
    size_t len = strspn(text, "0123456789abcdef");
    if (len != LOGIN_TOKEN_TEXT - 1 || (text[len] != '\0' && !strchr(ends, text[len])))
        return false;
    memcpy(out, text, len);
    out[len] = '\0';
    return true;
}

/* TEXT after SCHEME in any case (RFC 9110 11.1), or NULL. */
static const char *after_scheme(const char *text, const char *scheme)
{
    for (; *scheme; text++, scheme++)
        if ((*text >= 'A' && *text <= 'Z' ? *text | 0x20 : *text) != *scheme)
            return NULL;
    return text;
}

void login_token_find(const char *authorization, const char *offer, char out[LOGIN_TOKEN_TEXT])
{
    static const char protocol[] = "kiln.token.";
    out[0] = '\0';
    if (authorization) {
        const char *text = after_scheme(authorization, "bearer ");
        if (text)
            take_token(text, "", out);
        return;
    }
    while (offer && *offer) {
        offer += strspn(offer, ", \t");
        if (strncmp(offer, protocol, sizeof protocol - 1) == 0 &&
            take_token(offer + sizeof protocol - 1, ", \t", out))
            return;
        offer += strcspn(offer, ",");
    }
}

/* Skips TEXT if *AT begins with it. */
static bool skip(const char **at, const char *text)
{
    size_t len = strlen(text);
    if (strncmp(*at, text, len) != 0)
        return false;
    *at += len;
    return true;
}

static bool parse_time(const char **at, int64_t *ret_time_ms)
{
    size_t digits = strspn(*at, "0123456789");
    if (digits == 0 || digits > TIME_DIGITS_MAX || (digits > 1 && **at == '0'))
        return false;
    *ret_time_ms = strtoll(*at, NULL, 10);
    *at += digits;
    return true;
}

static bool parse_nonce(const char **at, uint8_t out[REQUEST_NONCE_BYTES])
{
    char digits[TEXT_HEX_BYTES(REQUEST_NONCE_BYTES)];
    if (strnlen(*at, sizeof digits) < sizeof digits)
        return false;
    memcpy(digits, *at, sizeof digits - 1);
    digits[sizeof digits - 1] = '\0';
    *at += sizeof digits - 1;
    return hex_decode(digits, out, REQUEST_NONCE_BYTES) == 0;
}

int request_signature_parse(const char *value, struct request_signature *ret_signature)
{
    struct request_signature signature;
    if (!skip(&value, "time=") || !parse_time(&value, &signature.time_ms) || !skip(&value, ",nonce=") ||
        !parse_nonce(&value, signature.nonce) || !skip(&value, ",signature="))
        return -EBADMSG;
    if (base64_decode(value, strlen(value), signature.signature, sizeof signature.signature,
                      &signature.signature_len) < 0 ||
        signature.signature_len == 0)
        return -EBADMSG;
    *ret_signature = signature;
    return 0;
}

void request_signature_format(const struct request_signature *signature, char out[REQUEST_HEADER_MAX])
{
    char nonce[TEXT_HEX_BYTES(REQUEST_NONCE_BYTES)], base64[TEXT_BASE64_BYTES(CRYPTO_SIGNATURE_MAX)];
    hex_encode(signature->nonce, REQUEST_NONCE_BYTES, nonce);
    base64_encode(signature->signature, signature->signature_len, base64);
    snprintf(out, REQUEST_HEADER_MAX, "time=%" PRId64 ",nonce=%s,signature=%s", signature->time_ms, nonce,
             base64);
}

static struct wire_writer request_block(uint8_t buffer[BLOCK_MAX], const struct request_target *target,
                                        const struct request_signature *signature)
{
    uint8_t body[CRYPTO_HASH_BYTES];
    struct wire_writer block = wire_writer_init(buffer, BLOCK_MAX);
    crypto_hash(target->body.bytes, target->body.len, body);
    wire_write_field_text(&block, "kiln/1 request");
    wire_write_field(&block, target->host, CRYPTO_HASH_BYTES);
    wire_write_field_text(&block, target->method);
    wire_write_field_text(&block, target->path);
    wire_write_field(&block, body, sizeof body);
    wire_write_field_u64(&block, (uint64_t)signature->time_ms);
    wire_write_field(&block, signature->nonce, REQUEST_NONCE_BYTES);
    return block;
}

int request_signature_sign(struct crypto_rsa *key, crypto_random *random, void *arg,
                           const struct request_target *target, int64_t time_ms,
                           struct request_signature *ret_signature)
{
    uint8_t buffer[BLOCK_MAX];
    struct request_signature signature = {.time_ms = time_ms};
    if (random(arg, signature.nonce, sizeof signature.nonce) != 0)
        return -EIO;
    struct wire_writer block = request_block(buffer, target, &signature);
    if (block.bad)
        return -ENOSPC;
    int error =
        crypto_rsa_sign(key, random, arg, buffer, block.len, signature.signature, &signature.signature_len);
    if (error == 0)
        *ret_signature = signature;
    return error;
}

int request_signature_verify(const struct crypto_rsa *key, const struct request_target *target,
                             const struct request_signature *signature)
{
    uint8_t buffer[BLOCK_MAX];
    struct wire_writer block = request_block(buffer, target, signature);
    if (block.bad)
        return -EACCES;
    return crypto_rsa_verify(key, buffer, block.len, signature->signature, signature->signature_len);
}
