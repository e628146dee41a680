/*
 * sshd: see sshd.h.
 */
#include "guest/sshd.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/reaper.h"
#include "guest/session.h"
#include "guest/tool.h"
#include "src/io/log.h"

#define CONFIG_PATH SSHD_FOLDER "/sshd_config"
#define HOST_KEY_PATH SSHD_FOLDER "/host_ed25519"
#define AUTHORIZED_FOLDER SSHD_FOLDER "/authorized"

/* `restrict` first: whatever a later OpenSSH adds stays forbidden. */
#define KEY_OPTIONS "restrict,port-forwarding,pty,X11-forwarding "

static const char config[] = "HostKey " HOST_KEY_PATH "\n"
                             "AuthorizedKeysFile " AUTHORIZED_FOLDER "/%u\n"
                             "AuthenticationMethods publickey\n"
                             "PubkeyAuthentication yes\n"
                             "PasswordAuthentication no\n"
                             "KbdInteractiveAuthentication no\n"
                             "HostbasedAuthentication no\n"
                             "PermitEmptyPasswords no\n"
                             "PermitRootLogin no\n"
                             "StrictModes yes\n"
                             "UsePAM no\n"
                             "PermitUserEnvironment no\n"
                             "PermitUserRC no\n"
                             "PermitTunnel no\n"
                             "GatewayPorts no\n"
                             "AllowTcpForwarding yes\n"
                             "AllowStreamLocalForwarding yes\n"
                             "AllowAgentForwarding no\n"
                             "X11Forwarding yes\n"
                             "UseDNS no\n"
                             "PrintMotd no\n"
                             "MaxAuthTries 3\n"
                             "LoginGraceTime 30\n"
                             "ClientAliveInterval 30\n"
                             "PidFile none\n"
                             "Subsystem sftp internal-sftp\n";

static int make_folder(const char *path, mode_t mode)
{
    return mkdir(path, mode) < 0 && errno != EEXIST ? -errno : 0;
}

/* Whole or not at all: a reader never sees half of it. */
static int write_file(const char *path, const char *text)
{
    char fresh[300];
    snprintf(fresh, sizeof fresh, "%s.new", path);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return -errno;
    size_t len = strlen(text);
    int result = write(fd, text, len) == (ssize_t)len ? 0 : -EIO;
    close(fd);
    if (result == 0 && rename(fresh, path) < 0)
        result = -errno;
    return result;
}

/* Text of a small file, NUL-terminated; its length or a negative errno. */
static ssize_t read_text(const char *path, char *out, size_t max_bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t len = read(fd, out, max_bytes - 1);
    int error = errno;
    close(fd);
    if (len < 0)
        return -error;
    out[len] = '\0';
    return len;
}

static int make_host_key(char said[SSHD_SAID_MAX])
{
    if (access(HOST_KEY_PATH, F_OK) == 0 && access(HOST_KEY_PATH ".pub", F_OK) == 0)
        return 0;
    unlink(HOST_KEY_PATH);
    const char *const argv[] = {"/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "kiln", "-f",
                                HOST_KEY_PATH,         NULL};
    return tool_run(argv, NULL, said);
}

int sshd_prepare(char said[SSHD_SAID_MAX])
{
    /* sshd itself wants /run/sshd for its unprivileged half. */
    static const char *const folders[] = {"/run/sshd", "/run/kiln", SSHD_FOLDER, AUTHORIZED_FOLDER};
    int result = 0;
    for (size_t i = 0; result == 0 && i < sizeof folders / sizeof folders[0]; i++)
        result = make_folder(folders[i], 0755);
    if (result == 0)
        result = write_file(CONFIG_PATH, config);
    if (result < 0) {
        snprintf(said, SSHD_SAID_MAX, "%s: %s", SSHD_FOLDER, strerror(-result));
        return result;
    }
    return make_host_key(said);
}

static bool is_key_type(const char *text, size_t len)
{
    static const char *const types[] = {"ssh-ed25519",
                                        "ssh-rsa",
                                        "ecdsa-sha2-nistp256",
                                        "ecdsa-sha2-nistp384",
                                        "ecdsa-sha2-nistp521",
                                        "sk-ssh-ed25519@openssh.com",
                                        "sk-ecdsa-sha2-nistp256@openssh.com"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strlen(types[i]) == len && memcmp(types[i], text, len) == 0)
            return true;
    return false;
}

int sshd_key_parse(const char *line, char ret_line[SSHD_KEY_LINE_MAX])
{
    size_t type = strcspn(line, " ");
    if (!is_key_type(line, type) || line[type] != ' ')
        return -EBADMSG;
    const char *key = line + type + 1;
    size_t len = 0;
    while (isalnum((unsigned char)key[len]) || key[len] == '+' || key[len] == '/' || key[len] == '=')
        len++;
    /* A comment is not kept, but a second line would be a second key. */
    size_t whole = strcspn(line, "\r\n");
    if (len == 0 || strchr(" \n", key[len]) == NULL ||
        strcmp(line + whole, line[whole] == '\n' ? "\n" : "") != 0)
        return -EBADMSG;
    if (type + 1 + len >= SSHD_KEY_LINE_MAX)
        return -EBADMSG;
    snprintf(ret_line, SSHD_KEY_LINE_MAX, "%.*s", (int)(type + 1 + len), line);
    return 0;
}

/* Where the last COUNT lines of TEXT begin. */
static const char *last_lines(const char *text, size_t count)
{
    const char *at = text + strlen(text);
    while (at > text) {
        const char *before = at - 1;
        while (before > text && before[-1] != '\n')
            before--;
        if (count-- == 0)
            break;
        at = before;
    }
    return at;
}

int sshd_authorize(const char *user, const char *key_line)
{
    char path[300], *fresh, *old = calloc(SSHD_KEYS_MAX, SSHD_KEY_LINE_MAX);
    if (old == NULL)
        return -ENOMEM;
    snprintf(path, sizeof path, AUTHORIZED_FOLDER "/%s", user);
    ssize_t len = read_text(path, old, SSHD_KEYS_MAX * SSHD_KEY_LINE_MAX);
    int result = len < 0 && len != -ENOENT ? (int)len : 0;
    if (result == 0 &&
        asprintf(&fresh, "%s" KEY_OPTIONS "%s\n", last_lines(old, SSHD_KEYS_MAX - 1), key_line) < 0)
        result = -ENOMEM;
    if (result == 0) {
        result = write_file(path, fresh);
        free(fresh);
    }
    free(old);
    return result;
}

int sshd_forget(const char *user)
{
    char path[300];
    snprintf(path, sizeof path, AUTHORIZED_FOLDER "/%s", user);
    return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

int sshd_host_key(char ret_line[SSHD_KEY_LINE_MAX])
{
    char text[SSHD_KEY_LINE_MAX] = "";
    ssize_t len = read_text(HOST_KEY_PATH ".pub", text, sizeof text);
    return len < 0 ? (int)len : sshd_key_parse(text, ret_line);
}

static unsigned serving; /* sshd processes that have not ended; of a program before this one nobody counts */

static void session_ended(void *arg, int status)
{
    (void)arg;
    serving--;
    log_debug("sshd", "a session ended", "status=%d", status);
}

static int spawn_sshd(int fd, pid_t *ret_pid)
{
    static char *const argv[] = {"/usr/sbin/sshd", "-i", "-f", CONFIG_PATH, NULL};
    static char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    session_attributes_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, fd, 0);
    posix_spawn_file_actions_adddup2(&actions, fd, 1);
    int error = posix_spawn(ret_pid, argv[0], &actions, &attributes, argv, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return -error;
}

void sshd_serve(struct loop *loop, int fd)
{
    pid_t pid;
    struct reaper *reaper;
    int result = serving < SSHD_SESSIONS_MAX ? spawn_sshd(fd, &pid) : -EUSERS;
    close(fd);
    if (result == 0) {
        session_limit(pid);
        result = reaper_create(loop, pid, session_ended, NULL, &reaper);
        serving += result == 0;
    }
    if (result < 0)
        log_error("sshd", "a connection cannot be served", "error=%s", strerror(-result));
}
