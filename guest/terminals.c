/*
 * Terminals: see terminals.h.
 */
#include "guest/terminals.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "guest/session.h"
#include "guest/terminal_holder.h"
#include "guest/terminal_private.h"
#include "protocol/json_write.h"
#include "protocol/wire.h"
#include "src/io/log.h"
#include "src/io/loop.h"
#include "src/io/random.h"

#define FIRST_FD 10 /* what is handed on starts here, clear of the number it gets in the holder */
#define ID_BYTES 8
#define HOLDERS_MAX (2 * TERMINALS_MAX) /* with those that are ending */

struct terminals {
    struct loop *loop; /* borrowed */
    char folder[64];
    struct terminal *list[HOLDERS_MAX]; /* owned; NULL: free */
};

bool terminal_term_is_plain(const char *term)
{
    size_t len = strspn(term, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.+-");
    return len > 0 && len < TERMINAL_TERM_MAX && term[len] == '\0';
}

static void forget(void *arg, struct terminal *terminal)
{
    struct terminals *terminals = arg;
    for (int i = 0; i < HOLDERS_MAX; i++)
        if (terminals->list[i] == terminal)
            terminals->list[i] = NULL;
    terminal_destroy(terminal);
}

static struct terminal **find_slot(struct terminals *terminals)
{
    for (int i = 0; i < HOLDERS_MAX; i++)
        if (terminals->list[i] == NULL)
            return &terminals->list[i];
    return NULL;
}

static int make_address(const struct terminals *terminals, const char *id, struct sockaddr_un *ret_address)
{
    *ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
    int len = snprintf(ret_address->sun_path, sizeof ret_address->sun_path, "%s/%s", terminals->folder, id);
    return len < (int)sizeof ret_address->sun_path ? 0 : -ENAMETOOLONG;
}

static int connect_holder(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof *address) == 0)
        return fd < 0 ? -errno : fd;
    int error = errno;
    close(fd);
    return -error;
}

/* ---- those of an earlier controller ---- */

static void take_up(struct terminals *terminals, const char *id)
{
    struct sockaddr_un address;
    struct terminal **slot = find_slot(terminals);
    if (strlen(id) != TERMINAL_ID_MAX - 1 || slot == NULL || make_address(terminals, id, &address) < 0)
        return;
    int fd = connect_holder(&address);
    if (fd == -ECONNREFUSED)
        unlink(address.sun_path);
    if (fd >= 0 && terminal_create(terminals->loop, id, fd, 0, forget, terminals, slot) == 0)
        log_info("terminal", "found again", "terminal=%s", id);
}

static void take_up_all(struct terminals *terminals)
{
    DIR *folder = opendir(terminals->folder);
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;)
        take_up(terminals, entry->d_name);
    if (folder != NULL)
        closedir(folder);
}

/* Every part of PATH. */
static int make_folder(const char *path)
{
    char part[64];
    for (const char *at = strchr(path + 1, '/');; at = strchr(at + 1, '/')) {
        int len = at == NULL ? (int)strlen(path) : (int)(at - path);
        snprintf(part, sizeof part, "%.*s", len, path);
        if (mkdir(part, at == NULL ? 0700 : 0755) < 0 && errno != EEXIST)
            return -errno;
        if (at == NULL)
            return 0;
    }
}

int terminals_create(struct loop *loop, const char *folder, struct terminals **ret_terminals)
{
    struct terminals *terminals = calloc(1, sizeof *terminals);
    if (terminals == NULL)
        return -ENOMEM;
    terminals->loop = loop;
    snprintf(terminals->folder, sizeof terminals->folder, "%s", folder);
    int result = make_folder(terminals->folder);
    if (result < 0) {
        free(terminals);
        return result;
    }
    take_up_all(terminals);
    *ret_terminals = terminals;
    return 0;
}

void terminals_destroy(struct terminals *terminals)
{
    if (terminals == NULL)
        return;
    for (int i = 0; i < HOLDERS_MAX; i++)
        if (terminals->list[i] != NULL)
            terminal_destroy(terminals->list[i]);
    free(terminals);
}

/* ---- new ones ---- */

/* A socket that listens, and a connection to it. */
static int open_sockets(const struct sockaddr_un *address, int *ret_listener, int *ret_connection)
{
    int low = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    int listener = low < 0 ? -1 : fcntl(low, F_DUPFD_CLOEXEC, FIRST_FD);
    int error = errno;
    if (low >= 0)
        close(low);
    if (listener < 0)
        return -error;
    int result =
        bind(listener, (const struct sockaddr *)address, sizeof *address) < 0 || listen(listener, 4) < 0
            ? -errno
            : connect_holder(address);
    if (result < 0) {
        close(listener);
        return result;
    }
    *ret_listener = listener;
    *ret_connection = result;
    return 0;
}

static int spawn_holder(const struct terminal_start *start, const char *path, int listener, pid_t *ret_pid)
{
    char rows[8], columns[8], keep_s[12], owner[TEXT_HEX_BYTES(TERMINAL_OWNER_LEN)];
    const char *const argv[] = {"kiln-terminal",
                                TERMINAL_HOLDER_OPTION,
                                path,
                                start->user,
                                start->term,
                                rows,
                                columns,
                                keep_s,
                                owner,
                                NULL};
    static char *const environment[] = {NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    snprintf(rows, sizeof rows, "%u", (unsigned)start->rows);
    snprintf(columns, sizeof columns, "%u", (unsigned)start->columns);
    snprintf(keep_s, sizeof keep_s, "%u", (unsigned)start->keep_s);
    hex_encode(start->owner, TERMINAL_OWNER_LEN, owner);
    posix_spawn_file_actions_init(&actions);
    session_attributes_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, listener, TERMINAL_HOLDER_SOCKET);
    /* This very program, though its file may have no name any more; posix_spawn writes to no argument. */
    int error = posix_spawn(ret_pid, "/proc/self/exe", &actions, &attributes, (char *const *)(size_t)argv,
                            environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return -error;
}

static void introduce(struct terminal *terminal, const struct terminal_start *start)
{
    struct terminal_info info = {.opened_ms = (uint64_t)loop_wall_ms(),
                                 .detached_ms = (uint64_t)loop_wall_ms(),
                                 .keep_s = start->keep_s,
                                 .rows = start->rows,
                                 .columns = start->columns};
    snprintf(info.user, sizeof info.user, "%s", start->user);
    memcpy(info.owner, start->owner, sizeof info.owner);
    terminal_introduce(terminal, &info);
}

static unsigned count_there(const struct terminals *terminals)
{
    unsigned count = 0;
    for (int i = 0; i < HOLDERS_MAX; i++)
        count += terminals->list[i] != NULL && terminal_is_there(terminals->list[i]);
    return count;
}

/* Its socket, its holder, and a connection to it. */
static int start_holder(const struct terminals *terminals, const struct terminal_start *start, const char *id,
                        int *ret_connection, pid_t *ret_pid)
{
    struct sockaddr_un address;
    int listener = -1, connection = -1;
    int result = make_address(terminals, id, &address);
    if (result < 0)
        return result;
    result = open_sockets(&address, &listener, &connection);
    if (result < 0)
        return result;
    result = spawn_holder(start, address.sun_path, listener, ret_pid);
    close(listener);
    if (result < 0) {
        unlink(address.sun_path);
        close(connection);
        return result;
    }
    *ret_connection = connection;
    return 0;
}

int terminals_open(struct terminals *terminals, const struct terminal_start *start,
                   struct terminal **ret_terminal)
{
    uint8_t random[ID_BYTES];
    char id[TERMINAL_ID_MAX];
    int connection = -1;
    pid_t pid;
    struct terminal **slot = find_slot(terminals);
    if (!terminal_term_is_plain(start->term))
        return -EINVAL;
    if (slot == NULL || count_there(terminals) >= TERMINALS_MAX)
        return -EMFILE;
    random_fill(random, sizeof random);
    hex_encode(random, sizeof random, id);
    int result = start_holder(terminals, start, id, &connection, &pid);
    if (result == 0)
        result = terminal_create(terminals->loop, id, connection, pid, forget, terminals, slot);
    if (result < 0)
        return result;
    introduce(*slot, start);
    *ret_terminal = *slot;
    return 0;
}

/* ---- which there are ---- */

static bool is_of(const struct terminal *terminal, const uint8_t owner[TERMINAL_OWNER_LEN])
{
    return terminal != NULL && terminal_is_there(terminal) &&
           wire_equal(terminal_info(terminal)->owner, owner, TERMINAL_OWNER_LEN);
}

struct terminal *terminals_find(const struct terminals *terminals, const char *id,
                                const uint8_t owner[TERMINAL_OWNER_LEN])
{
    for (int i = 0; i < HOLDERS_MAX; i++)
        if (is_of(terminals->list[i], owner) && strcmp(terminal_id(terminals->list[i]), id) == 0)
            return terminals->list[i];
    return NULL;
}

static void write_one(const struct terminal *terminal, struct json_writer *out)
{
    const struct terminal_info *info = terminal_info(terminal);
    json_write_object_begin(out, NULL);
    json_write_text(out, "terminal", terminal_id(terminal));
    json_write_text(out, "user", info->user);
    json_write_int(out, "opened", (int64_t)info->opened_ms);
    if (terminal_is_joined(terminal))
        json_write_null(out, "detached");
    else
        json_write_int(out, "detached", (int64_t)info->detached_ms);
    json_write_int(out, "keep_s", info->keep_s);
    json_write_int(out, "rows", info->rows);
    json_write_int(out, "columns", info->columns);
    if (info->ended)
        json_write_int(out, "status", info->status);
    else
        json_write_null(out, "status");
    json_write_object_end(out);
}

void terminals_write(const struct terminals *terminals, const uint8_t owner[TERMINAL_OWNER_LEN],
                     struct json_writer *out)
{
    for (int i = 0; i < HOLDERS_MAX; i++)
        if (is_of(terminals->list[i], owner))
            write_one(terminals->list[i], out);
}
