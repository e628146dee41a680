/*
 * kiln-connect: OpenSSH to a VM, with strict host keys and no prompts (R11).
 *
 * In: a VM. Out: an ssh that runs, a configuration for scp, sftp, rsync and ssh -L, or a relay for a
 * ProxyCommand. Kept: for ssh nothing; for ssh-config a folder of the profile, with a key that the VM forgets
 * when it ends.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/cli/common_file.h"
#include "src/cli/connect_bridge.h"
#include "src/cli/connect_pair.h"
#include "src/cli/connect_ssh_files.h"
#include "src/cli/connect_terminal.h"

enum { SSH_WORDS_MAX = 64, PROXY_BYTES = 3 * CONNECT_PATH_BYTES };

/* Appends TEXT for a ProxyCommand: in the shell's single quotes, and with ssh's % doubled. */
static void quote(char *out, size_t max, const char *text)
{
    size_t len = strlen(out);
    if (len + 4 < max)
        len += (size_t)sprintf(out + len, " '");
    for (; *text && len + 6 < max; text++) {
        if (*text == '\'')
            len += (size_t)sprintf(out + len, "'\\''");
        else
            len += (size_t)sprintf(out + len, *text == '%' ? "%%%%" : "%c", *text);
    }
    snprintf(out + len, max - len, "'");
}

/* "'/path/kiln-connect' '--profile' '/folder' 'proxy' WORD [WORD]"; ssh puts its own exec before it. */
static int make_proxy(const struct connect *connect, const char *first, const char *second,
                      char out[PROXY_BYTES])
{
    char self[CONNECT_PATH_BYTES];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    if (len < 0)
        return cli_local_error("/proc/self/exe: %s", strerror(errno));
    self[len] = '\0';
    *out = '\0';
    quote(out, PROXY_BYTES, self);
    quote(out, PROXY_BYTES, "--profile");
    quote(out, PROXY_BYTES, connect->folder);
    quote(out, PROXY_BYTES, "proxy");
    quote(out, PROXY_BYTES, first);
    if (second)
        quote(out, PROXY_BYTES, second);
    return CLI_OK;
}

static int run_proxy(struct connect *connect, int argc, char **argv)
{
    struct cli_words words;
    struct connect_ticket ticket;
    struct json *vm;
    const char *file = NULL;
    const struct cli_option options[] = {CLI_VALUE("--ticket-file", &file), CLI_END};
    int exit_code = cli_words_read(argc, argv, options, 0, 1, &words);
    if (exit_code == CLI_OK && (words.count == 1) == (file != NULL))
        exit_code = cli_usage_error("give a VM, or --ticket-file");
    if (exit_code != CLI_OK)
        return exit_code;
    if (file) {
        exit_code = connect_ticket_read(file, &ticket);
    } else {
        exit_code = connect_open(connect);
        if (exit_code == CLI_OK)
            exit_code = connect_find_vm(connect, words.word[0], &vm);
        if (exit_code == CLI_OK) {
            exit_code = connect_ticket_ask(connect, connect_text(vm, "id"), &ticket);
            json_destroy(vm);
        }
        connect_close(connect);
    }
    if (exit_code == CLI_OK)
        exit_code = connect_bridge_run(&ticket);
    crypto_wipe(&ticket, sizeof ticket);
    return exit_code;
}

/* A private folder in memory where there is one. */
static int make_folder(struct connect_ssh_files *files)
{
    const char *base = getenv("XDG_RUNTIME_DIR");
    if (!base || *base != '/' || access(base, W_OK) < 0)
        base = "/tmp";
    snprintf(files->folder, sizeof files->folder, "%.*s/kiln-ssh-XXXXXX", CONNECT_PATH_BYTES - 32, base);
    return mkdtemp(files->folder) ? CLI_OK : cli_local_error("%s: %s", base, strerror(errno));
}

/* Files and ticket; the channel is closed before ssh begins. */
static int prepare(struct connect *connect, const char *word, const char *user,
                   struct connect_ssh_files *files)
{
    char ticket_path[CONNECT_PATH_BYTES + 16], proxy[PROXY_BYTES];
    struct connect_channel *channel;
    struct connect_ticket ticket;
    struct json *vm;
    int exit_code = connect_pair_begin(connect, word, &vm, &channel);
    if (exit_code != CLI_OK)
        return exit_code;
    snprintf(ticket_path, sizeof ticket_path, "%s/ticket", files->folder);
    exit_code = make_proxy(connect, "--ticket-file", ticket_path, proxy);
    if (exit_code == CLI_OK)
        exit_code = connect_ssh_files_make(channel, vm, user, proxy, files);
    connect_channel_close(channel);
    if (exit_code == CLI_OK)
        exit_code = connect_ticket_ask(connect, connect_text(vm, "id"), &ticket);
    if (exit_code == CLI_OK)
        exit_code = connect_ticket_write(&ticket, ticket_path);
    crypto_wipe(&ticket, sizeof ticket);
    json_destroy(vm);
    return exit_code;
}

static int spawn_ssh(struct connect_ssh_files *files, char **rest)
{
    char *argv[SSH_WORDS_MAX] = {"ssh", "-F", files->config, files->alias};
    size_t count = 4;
    for (; rest && *rest; rest++) {
        if (count + 1 == SSH_WORDS_MAX)
            return cli_usage_error("more than %d words for ssh", SSH_WORDS_MAX - 5);
        argv[count++] = *rest;
    }
    return connect_spawn(argv);
}

static int run_ssh(struct connect *connect, int argc, char **argv)
{
    struct cli_words words;
    struct connect_ssh_files files;
    const char *user = NULL;
    const struct cli_option options[] = {CLI_VALUE("--user", &user), CLI_END};
    int exit_code = cli_words_read_rest(argc, argv, options, 1, 1, &words);
    if (exit_code == CLI_OK)
        exit_code = make_folder(&files);
    if (exit_code != CLI_OK)
        return exit_code;
    exit_code = prepare(connect, words.word[0], user, &files);
    if (exit_code == CLI_OK) {
        connect_close(connect);
        exit_code = spawn_ssh(&files, words.rest);
    }
    connect_ssh_files_remove(&files);
    return exit_code;
}

/* The folder of the profile that keeps a VM's files for ssh-config. */
static int keep_folder(const struct connect *connect, const struct json *vm, struct connect_ssh_files *files)
{
    char above[CONNECT_PATH_BYTES];
    connect_path(connect, "ssh", above);
    snprintf(files->folder, sizeof files->folder, "%.*s/%.36s", CONNECT_PATH_BYTES - 48, above,
             connect_text(vm, "id"));
    if ((mkdir(above, 0700) < 0 && errno != EEXIST) || (mkdir(files->folder, 0700) < 0 && errno != EEXIST))
        return cli_local_error("%s: %s", files->folder, strerror(errno));
    return CLI_OK;
}

static int print_file(const char *path)
{
    char *text;
    int error = cli_file_read(path, 65536, &text, NULL);
    if (error)
        return cli_local_error("%s: %s", path, strerror(-error));
    fputs(text, stdout);
    free(text);
    return CLI_OK;
}

static int run_ssh_config(struct connect *connect, int argc, char **argv)
{
    struct cli_words words;
    struct connect_ssh_files files;
    struct connect_channel *channel;
    struct json *vm;
    char proxy[PROXY_BYTES];
    const char *user = NULL;
    const struct cli_option options[] = {CLI_VALUE("--user", &user), CLI_END};
    int exit_code = cli_words_read(argc, argv, options, 1, 1, &words);
    if (exit_code == CLI_OK)
        exit_code = connect_pair_begin(connect, words.word[0], &vm, &channel);
    if (exit_code != CLI_OK)
        return exit_code;
    exit_code = keep_folder(connect, vm, &files);
    if (exit_code == CLI_OK)
        exit_code = make_proxy(connect, connect_text(vm, "id"), NULL, proxy);
    if (exit_code == CLI_OK)
        exit_code = connect_ssh_files_make(channel, vm, user, proxy, &files);
    if (exit_code == CLI_OK)
        exit_code = print_file(files.config);
    connect_channel_close(channel);
    json_destroy(vm);
    return exit_code;
}

const struct connect_command connect_ssh_commands[] = {
    {"terminal", NULL, connect_terminal_run, "VM [--user NAME] [--keep SECONDS]",
     "a shell in the VM, over the channel; it goes on when you leave"},
    {"terminal", NULL, connect_terminal_run, "VM --list | --attach ID | --close ID",
     "the terminals of a VM: which there are, back to one, its end"},
    {"ssh", NULL, run_ssh, "VM [--user NAME] [-- SSH-WORDS...]", "OpenSSH to the VM, with a one-time key"},
    {"ssh-config", NULL, run_ssh_config, "VM [--user NAME]", "a configuration for scp, sftp, rsync, ssh -L"},
    {"proxy", NULL, run_proxy, "VM", "the bridge on standard streams, for ProxyCommand"},
    {NULL, NULL, NULL, NULL, NULL},
};
