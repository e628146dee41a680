/*
 * Owner ask: what an owner wants that only the machine may grant: a terminal, a key to log in with.
 * In: a request of a channel. Out: SSH_ASKED or TERMINAL_ASKED; when the machine grants it, it is done and
 * answered. Kept: the ask, while the machine takes its event; an SSH key's until the job thread is done.
 */
#ifndef KILN_GUEST_OWNER_ASK_H
#define KILN_GUEST_OWNER_ASK_H

#include <stdint.h>

struct controller;
struct owner_channel;
struct rpc_request;
struct terminal_start;

/* REQUEST is answered in any case. */
void owner_ask_terminal(struct owner_channel *channel, struct rpc_request *request,
                        const struct terminal_start *start);
/* KEY_LINE as sshd_key_parse gave it. */
void owner_ask_ssh(struct owner_channel *channel, struct rpc_request *request, const char *user,
                   const char *key_line);

/* The effects OPEN_TERMINAL and AUTHORIZE_SSH: grants what is asked now. */
void owner_ask_perform(struct controller *controller);

#endif
