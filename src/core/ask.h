/*
 * Ask: one request of a person, from either socket, until it is answered.
 *
 * In: a JSON-RPC request and who is behind it. Out: exactly one answer: JSON-RPC's own on control.sock; a
 * status and a body, inside the answer of `owner.request`, for the owner API.
 * Kept: the ask, from ask_create to its answer. A change is answered from its "done", once it is durable.
 */
#ifndef KILN_CORE_ASK_H
#define KILN_CORE_ASK_H

#include "protocol/json_write.h"
#include "src/core/object.h"
#include "src/core/verbs.h"

struct rpc_request;

/* Who asks. */
struct caller {
    bool sees_all;                /* an operator or an administrator */
    bool changes;                 /* may change what is not its own */
    bool is_user;                 /* `key` holds: it came through the owner API */
    uint8_t key[RECORD_HASH_LEN]; /* fingerprint */
    char actor[VM_WHO_LEN];       /* for history and audit */
};

struct ask {
    struct verbs *verbs; /* borrowed */
    struct caller caller;
    struct rpc_request *request; /* owned until it is answered */
    bool http;
    uint32_t retry_after_s; /* goes with the answer when not 0 */
    /* What the answer will speak of, for the calls that answer later. */
    uint8_t id[VM_UUID_LEN];
    char name[VM_NAME_LEN];
};

/* Takes REQUEST. NULL without memory: the request is then refused already. */
struct ask *ask_create(struct verbs *verbs, struct rpc_request *request, bool http);

/* Each answers and frees the ask. ask_send finishes WRITER; one that failed is answered with INTERNAL. STATUS
 * is the HTTP status of the owner API. */
void ask_send(struct ask *ask, int status, struct json_writer *writer);
void ask_send_empty(struct ask *ask);
void ask_refuse(struct ask *ask, enum kiln_code code, const char *detail);
/* For the -errno of an order in object.h that was not taken: what -ENOENT, -EEXIST, -EBUSY and -ENOSPC mean
 * is the caller's, everything else is INTERNAL or STORE_FAILED. */
void ask_refuse_errno(struct ask *ask, int error);
/* The done of an order whose answer is {}: ARG is the ask. */
void ask_done_empty(void *arg, enum kiln_code code, const char *detail);

/* Whether something may be changed now; else answers STORE_FAILED. */
bool ask_may_store(struct ask *ask);

/* Whether the caller is the owner of what belongs to KEY. */
bool caller_is(const struct caller *caller, const uint8_t key[RECORD_HASH_LEN]);
/* A VM, or a drive, that the caller may know of: its own, a drive that it holds an envelope for, or any. */
bool caller_sees_vm(const struct caller *caller, const struct vm *vm);
bool caller_sees_drive(const struct caller *caller, const struct drive *drive);

#endif
