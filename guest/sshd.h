/*
 * sshd: Debian's OpenSSH server for one connection at a time, on our configuration alone (R11).
 * In: keys that came over the owner's channel, connections from port 22. Out: the VM's host key, sessions.
 * Kept: on a memory file system, /run/kiln/ssh: configuration, a host key of this boot, authorized keys.
 */
#ifndef KILN_GUEST_SSHD_H
#define KILN_GUEST_SSHD_H

#include <stddef.h>

#define SSHD_FOLDER "/run/kiln/ssh"
#define SSHD_KEY_LINE_MAX 1024
#define SSHD_KEYS_MAX 16 /* of one user; the oldest goes */
#define SSHD_SAID_MAX 160
#define SSHD_SESSIONS_MAX                                                                                    \
    64 /* sshd processes at once, logged in or not: each costs memory before it knows who asks */

struct loop;

/* Makes sure that configuration and host key are there. Blocks (ssh-keygen); for the job thread. SAID: why
 * not. */
int sshd_prepare(char said[SSHD_SAID_MAX]);

/* Checks an OpenSSH public key line: a known type, base64, perhaps a comment. RET_LINE: type and key alone.
 * -EBADMSG anything else, options in front too. */
int sshd_key_parse(const char *line, char ret_line[SSHD_KEY_LINE_MAX]);

/* Lets the key (as sshd_key_parse gave it) log in as USER. An errno of writing. */
int sshd_authorize(const char *user, const char *key_line);
/* Whoever is called USER from now on is somebody else: none of the keys logs in any more. An errno of
 * unlink(2). */
int sshd_forget(const char *user);
/* The host key as an OpenSSH line. -ENOENT before sshd_prepare. */
int sshd_host_key(char ret_line[SSHD_KEY_LINE_MAX]);

/* Hands the connection (descriptor taken) to an sshd of its own, which lives on when this program ends. It is
 * closed when SSHD_SESSIONS_MAX of this program's are there. */
void sshd_serve(struct loop *loop, int fd);

#endif
