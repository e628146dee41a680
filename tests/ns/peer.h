/*
 * Peer: what the files of the test peer share: one HTTPS call, randomness, files.
 */
#ifndef KILN_TESTS_NS_PEER_H
#define KILN_TESTS_NS_PEER_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/crypto.h"

enum { PEER_FILE_MAX = 8192 };

/* Says what is wrong and ends with status 2. */
__attribute__((noreturn, format(printf, 1, 2))) void peer_die(const char *format, ...);

int peer_random(void *arg, uint8_t *out, size_t len);
/* The bytes of a file, with a NUL behind them; how many. */
size_t peer_read(const char *path, char out[PEER_FILE_MAX]);
/* A user's private key from his key file and the file of its pass phrase; to be destroyed. */
struct crypto_rsa *peer_read_key(const char *path, const char *passphrase_path);

/* One call to "HOST:PORT", whatever its certificate. The answer's body is malloc'd; returns its status, 0
 * when there was no answer at all. */
int peer_call(const char *address, const char *method, const char *path, const char *headers,
              const char *body, char **ret_body);

/* Commands; ARGV begins behind the command's name. They print and return an exit status. */
int peer_flood(int argc, char **argv);
int peer_search(int argc, char **argv);
int peer_memory(int argc, char **argv);
int peer_register(int argc, char **argv);
int peer_login(int argc, char **argv);
int peer_ask(int argc, char **argv);

#endif
