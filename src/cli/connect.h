/*
 * What the files of `kiln-connect` share: the owner's profile, the session with one host, the commands.
 *
 * In: words of a command line, files of the profile. Out: exit codes (common.h), lines on stdout. Kept: a
 * session. Functions that return an exit code have told the user why when it is not CLI_OK.
 */
#ifndef KILN_CLI_CONNECT_H
#define KILN_CLI_CONNECT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/crypto.h"
#include "protocol/json.h"
#include "src/cli/common.h"
#include "src/cli/common_words.h"

struct loop;
struct tls_client;
struct ws_close;

enum {
    CONNECT_HOST_BYTES = 256,
    CONNECT_TOKEN_BYTES = 65,    /* hex with its end */
    CONNECT_USER_BYTES = 33,     /* a name with its end */
    CONNECT_SECRET_BYTES = 1024, /* a pass phrase with its end */
    CONNECT_PATH_BYTES = PATH_MAX,
    CONNECT_FOLDER_MAX = PATH_MAX - 64, /* of the profile's path */
};

struct connect {
    /* what the command line says */
    const char *profile_option, *url_option, *identity_option;
    int passphrase_fd; /* -1: ask on the terminal */
    bool json;
    /* what is open */
    struct loop *loop;
    char folder[CONNECT_PATH_BYTES]; /* of the profile */
    char host[CONNECT_HOST_BYTES];   /* of the owner listener */
    uint16_t port;
    struct tls_client *tls;     /* pinned to the certificate that the identity signed */
    struct crypto_ec *identity; /* of the host, as pinned */
    uint8_t identity_fingerprint[CRYPTO_HASH_BYTES];
    struct crypto_rsa *key; /* of the user */
    uint8_t key_fingerprint[CRYPTO_HASH_BYTES];
    char user[CONNECT_USER_BYTES]; /* the user's name, by the host's word */
    char token[CONNECT_TOKEN_BYTES];
};

/* Randomness of the kernel, for protocol/crypto.h. ARG is not used. */
int connect_random(void *arg, uint8_t *out, size_t len);

/* ---- profile ---- */

struct connect_profile {
    char url[CONNECT_HOST_BYTES + 16];
    uint8_t identity[CRYPTO_HASH_BYTES];
    bool pinned; /* `identity` holds */
};

/* Finds the profile's folder and makes it, 0700, if it is missing. */
int connect_profile_find(struct connect *connect);
/* A missing file is an empty profile. */
int connect_profile_read(struct connect *connect, struct connect_profile *ret_profile);
int connect_profile_write(struct connect *connect, const struct connect_profile *profile);
/* "https://HOST:PORT". */
int connect_url_parse(const char *url, char ret_host[CONNECT_HOST_BYTES], uint16_t *ret_port);
/* The path of a file of the profile; NAME has fewer than 60 bytes. */
void connect_path(const struct connect *connect, const char *name, char out[CONNECT_PATH_BYTES]);

/* Reads a pass phrase from --passphrase-fd or the terminal; wiped by the caller. TWICE asks again on a
 * terminal. */
int connect_passphrase_read(struct connect *connect, const char *prompt, bool twice,
                            char out[CONNECT_SECRET_BYTES]);
/* Asks QUESTION on the terminal; false when the answer is not "yes" or there is no terminal. */
bool connect_confirm(const char *question);

/* ---- session ---- */

/* Opens everything: profile, the host's identity checked, the user's key, log in. */
int connect_open(struct connect *connect);
/* Logs in, once more where it was before. */
int connect_login(struct connect *connect);
/* Looks up who the host is and checks it against the pin; opens the TLS client and fills in identity. */
int connect_host_check(struct connect *connect);
/* Reads the user's key with its pass phrase. */
int connect_key_open(struct connect *connect);
void connect_close(struct connect *connect);

/* One request. BODY is JSON text or NULL; SIGN adds Kiln-Signature. A refusal is no failure here: RET_STATUS
 * tells. */
int connect_ask(struct connect *connect, const char *method, const char *path, const char *body, bool sign,
                int *ret_status, struct json **ret_body);
/* The same, where a refusal is said to the user. RET_BODY may be NULL. */
int connect_call(struct connect *connect, const char *method, const char *path, const char *body, bool sign,
                 struct json **ret_body);
/* Says what an answer's "error" says. Returns the exit code that goes with it. */
int connect_say_refusal(int status, const struct json *body);

/* Says why a WebSocket ended; WHAT it was for. Returns the exit code that goes with it. */
int connect_say_close(const struct ws_close *close, const char *what);

/* Called with each item of a list. */
typedef int connect_each(struct connect *connect, const struct json *item, void *arg);
/* Every item of the list KEY at PATH, over all its pages; not CLI_OK stops. */
int connect_each_of(struct connect *connect, const char *path, const char *key, connect_each *each,
                    void *arg);

/* The VM or drive whose id, beginning of an id (4 or more characters) or name this is; to be destroyed. */
int connect_find_vm(struct connect *connect, const char *word, struct json **ret_vm);
int connect_find_drive(struct connect *connect, const char *word, struct json **ret_drive);
/* Says on stderr what is about to be signed: DEED, the word that was given, and the id that the host's
 * unsigned list led to, which is what counts. */
void connect_say_object(const char *deed, const char *word, const struct json *object);
/* Whether TEXT can be a terminal's id (README 7.7). The VM names it, and it stands in a command to be copied.
 */
bool connect_terminal_id_valid(const char *text);

/* Text of a member, "" when there is none; "-" for the second when it is empty. */
const char *connect_text(const struct json *object, const char *key);
const char *connect_shown(const struct json *object, const char *key);
int64_t connect_int(const struct json *object, const char *key);
/* One line of JSON on stdout. */
void connect_print_json(const struct json *value);

/* Runs the loop until *DONE. */
void connect_wait(struct connect *connect, const bool *done);
/* Waits that long. */
void connect_pause(struct connect *connect, uint64_t delay_ms);

/* ---- commands ---- */

typedef int connect_run(struct connect *connect, int argc, char **argv);

struct connect_command {
    const char *name, *second; /* "drive", "new"; SECOND NULL: one word */
    connect_run *run;
    const char *usage; /* behind the name */
    const char *words; /* what it does */
};

connect_run connect_watch_run;  /* of connect_watch.c */
connect_run connect_status_run; /* of connect_status.c */
connect_run connect_web_run;    /* of connect_web.c */

extern const struct connect_command connect_key_commands[], connect_vm_commands[], connect_drive_commands[],
    connect_channel_commands[], connect_ssh_commands[],
    connect_web_commands[]; /* each ends with a NULL name */

#endif
