/*
 * kiln-connect: a one-time key, the VM's host key and a configuration for OpenSSH. connect_ssh_files.h says
 * more.
 */
#include "src/cli/connect_ssh_files.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protocol/users_db.h"
#include "src/cli/common_file.h"

enum { KEY_LINE_MAX = 4096, CONFIG_MAX = 4 * CONNECT_PATH_BYTES };

extern char **environ;

static const char *const names[] = {"key", "key.pub", "known_hosts", "config", "ticket"};

/* The terminal's interrupt is the child's to obey; we wait for it to end. */
int connect_spawn(char *const argv[])
{
    pid_t child;
    int status;
    struct sigaction ignore = {.sa_handler = SIG_IGN}, interrupt, quit;
    posix_spawnattr_t attributes;
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGINT);
    sigaddset(&defaults, SIGQUIT);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    sigaction(SIGINT, &ignore, &interrupt);
    sigaction(SIGQUIT, &ignore, &quit);
    int error = posix_spawnp(&child, argv[0], NULL, &attributes, argv, environ);
    while (!error && waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    sigaction(SIGINT, &interrupt, NULL);
    sigaction(SIGQUIT, &quit, NULL);
    posix_spawnattr_destroy(&attributes);
    if (error)
        return cli_local_error("%s: %s", argv[0], strerror(error));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void path_of(const struct connect_ssh_files *files, const char *name,
                    char out[CONNECT_PATH_BYTES + 16])
{
    snprintf(out, CONNECT_PATH_BYTES + 16, "%s/%s", files->folder, name);
}

void connect_ssh_files_remove(const struct connect_ssh_files *files)
{
    char path[CONNECT_PATH_BYTES + 16];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        path_of(files, names[i], path);
        unlink(path);
    }
    rmdir(files->folder);
}

static int make_key(const struct connect_ssh_files *files, char **ret_line)
{
    char path[CONNECT_PATH_BYTES + 16], public[CONNECT_PATH_BYTES + 16];
    path_of(files, "key", path);
    path_of(files, "key.pub", public);
    unlink(path);
    unlink(public);
    char *const argv[] = {"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "kiln", "-f", path, NULL};
    if (connect_spawn(argv) != 0)
        return cli_local_error("ssh-keygen makes no key: is openssh-client installed?");
    int error = cli_file_read(public, KEY_LINE_MAX, ret_line, NULL);
    if (error)
        return cli_local_error("%s: %s", public, strerror(-error));
    (*ret_line)[strcspn(*ret_line, "\r\n")] = '\0';
    return CLI_OK;
}

/* A host key from a VM becomes a line of a file: one line, type and base64, nothing else. */
static bool host_key_valid(const char *line)
{
    size_t type = strcspn(line, " ");
    bool known = strncmp(line, "ssh-", 4) == 0 || strncmp(line, "ecdsa-", 6) == 0;
    if (!known || line[type] != ' ' || strlen(line) > KEY_LINE_MAX - 256)
        return false;
    for (const char *c = line; *c; c++)
        if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
            return false;
    return strspn(line, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-@.") == type;
}

static int authorize(struct connect_channel *channel, const char *key_line, const char *user,
                     struct json **ret_result)
{
    struct json_writer params = json_writer_init(0);
    json_write_object_begin(&params, NULL);
    json_write_text(&params, "public_key", key_line);
    if (user)
        json_write_text(&params, "user", user);
    json_write_object_end(&params);
    int exit_code = connect_channel_call(channel, "ssh.authorize", params.text, ret_result);
    json_writer_finish(&params);
    return exit_code;
}

static int write_text(const struct connect_ssh_files *files, const char *name, const char *text)
{
    char path[CONNECT_PATH_BYTES + 16];
    path_of(files, name, path);
    int error = cli_file_write(path, text, strlen(text), false);
    return error ? cli_local_error("%s: %s", path, strerror(-error)) : CLI_OK;
}

static int write_config(const struct connect_ssh_files *files, const char *user, const char *proxy)
{
    char config[CONFIG_MAX];
    int len = snprintf(config, sizeof config,
                       "Host %s\n"
                       "  HostName %s\n"
                       "  HostKeyAlias %s\n"
                       "  User %s\n"
                       "  IdentityFile \"%s/key\"\n"
                       "  IdentitiesOnly yes\n"
                       "  UserKnownHostsFile \"%s/known_hosts\"\n"
                       "  GlobalKnownHostsFile /dev/null\n"
                       "  StrictHostKeyChecking yes\n"
                       "  CheckHostIP no\n"
                       "  UpdateHostKeys no\n"
                       "  PreferredAuthentications publickey\n"
                       "  ForwardAgent no\n"
                       "  ServerAliveInterval 30\n"
                       "  ProxyCommand %s\n",
                       files->alias, files->alias, files->alias, user, files->folder, files->folder, proxy);
    if (len < 0 || (size_t)len >= sizeof config)
        return cli_local_error("the profile's path is too long");
    return write_text(files, "config", config);
}

static int write_files(struct connect_ssh_files *files, const struct json *result, const char *proxy)
{
    char known[KEY_LINE_MAX];
    const char *host_key = connect_text(result, "host_key"), *user = connect_text(result, "user");
    if (!host_key_valid(host_key) || !users_db_name_valid(user))
        return cli_unreachable_error("the VM's host key or user is malformed");
    snprintf(known, sizeof known, "%s %s\n", files->alias, host_key);
    int exit_code = write_text(files, "known_hosts", known);
    return exit_code == CLI_OK ? write_config(files, user, proxy) : exit_code;
}

int connect_ssh_files_make(struct connect_channel *channel, const struct json *vm, const char *user,
                           const char *proxy, struct connect_ssh_files *files)
{
    char *line = NULL;
    struct json *result;
    snprintf(files->alias, sizeof files->alias, "kiln-%.36s", connect_text(vm, "id"));
    snprintf(files->config, sizeof files->config, "%.*s/config", CONNECT_PATH_BYTES - 8, files->folder);
    int exit_code = make_key(files, &line);
    if (exit_code == CLI_OK)
        exit_code = authorize(channel, line, user, &result);
    free(line);
    if (exit_code != CLI_OK)
        return exit_code;
    exit_code = write_files(files, result, proxy);
    json_destroy(result);
    return exit_code;
}
