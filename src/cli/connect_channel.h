/*
 * kiln-connect: the end-to-end channel to a VM (protocol/README 7), opened and used one call after another.
 *
 * In: a VM. Out: results of its methods, bytes of its streams. Kept: the channel, until
 * connect_channel_close.
 */
#ifndef KILN_CLI_CONNECT_CHANNEL_H
#define KILN_CLI_CONNECT_CHANNEL_H

#include "protocol/binding.h"
#include "protocol/channel.h"
#include "src/cli/connect.h"

struct connect_channel;

struct connect_channel_ops {
    /* A record of a stream above 0: data, credit or end. Optional. */
    void (*on_stream)(void *arg, const struct channel_record *record);
    /* A notification of the VM's. Optional. */
    void (*on_notification)(void *arg, const char *method, const struct json *params);
    /* The channel is gone: the last call. Optional. */
    void (*on_end)(void *arg);
};

/* How a method ended. A failure has `failed` set and its words; RESULT is then NULL. */
struct connect_result {
    bool failed;
    int exit_code; /* CLI_UNREACHABLE when the channel ended, said to the user; else CLI_OK */
    char name[33], words[256], detail[256];
    struct json *result; /* owned by the caller; NULL also stands for null */
};

/* Asks the host to vouch for the VM, checks everything that it says, opens the channel and authenticates both
 * sides. */
int connect_channel_open(struct connect *connect, const struct json *vm,
                         struct connect_channel **ret_channel);
void connect_channel_set_ops(struct connect_channel *channel, const struct connect_channel_ops *ops,
                             void *arg);
/* Sends `close` and goes. NULL does nothing. */
void connect_channel_close(struct connect_channel *channel);

/* Calls METHOD with PARAMS (JSON text or NULL) and waits. */
void connect_channel_ask(struct connect_channel *channel, const char *method, const char *params,
                         uint32_t timeout_ms, struct connect_result *ret_result);
/* The same; a failure is said to the user. RET_RESULT may be NULL. */
int connect_channel_call(struct connect_channel *channel, const char *method, const char *params,
                         struct json **ret_result);
/* Sends without waiting for the answer. */
void connect_channel_tell(struct connect_channel *channel, const char *method, const char *params);

/* One record of a stream above 0. */
int connect_channel_send(struct connect_channel *channel, uint32_t stream, enum channel_kind kind,
                         const void *bytes, size_t len);
int connect_channel_send_credit(struct connect_channel *channel, uint32_t stream, uint32_t credit);

/* What the handshake proved: fingerprints, and the brick's hash of the binding. */
const struct binding *connect_channel_binding(const struct connect_channel *channel);

#endif
