/*
 * kiln-connect: the files that make plain OpenSSH trust one VM and nothing else.
 */
#ifndef KILN_CLI_CONNECT_SSH_FILES_H
#define KILN_CLI_CONNECT_SSH_FILES_H

#include "src/cli/connect_channel.h"

struct connect_ssh_files {
    char folder[CONNECT_PATH_BYTES]; /* private: key, key.pub, known_hosts, config */
    char config[CONNECT_PATH_BYTES];
    char alias[48]; /* what the VM is called in them */
};

/* Makes a key by ssh-keygen in FOLDER (0700, of ours), has the VM take it over the channel, and writes
 * known_hosts and config. USER NULL: whom the VM chooses. PROXY is the ProxyCommand, `%` doubled already. */
int connect_ssh_files_make(struct connect_channel *channel, const struct json *vm, const char *user,
                           const char *proxy, struct connect_ssh_files *files);
/* Runs a program to its end. Its exit code, or 128 and the signal that ended it, or CLI_LOCAL said to the
 * user. */
int connect_spawn(char *const argv[]);
/* Removes the folder and what is in it. */
void connect_ssh_files_remove(const struct connect_ssh_files *files);

#endif
