/*
 * Child: see child.h.
 */
#include "guest/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest/handover.h"
#include "guest/reaper.h"
#include "guest/session.h"
#include "src/io/locked.h"
#include "src/io/log.h"
#include "src/io/loop.h"

#define FIRST_FD 10 /* clear of the number that the socket gets in the controller */

/* What must not leave locked memory. */
struct child_secret {
    struct handover handover;
    uint8_t record[HANDOVER_RECORD_MAX];
};

struct child {
    struct loop *loop; /* borrowed */
    void (*exited)(void *arg, int status);
    void *arg;                   /* borrowed */
    struct child_secret *secret; /* owned, locked */
    pid_t pid;                   /* 0: none runs */
    struct reaper *reaper;       /* owned, while one runs */
    int socket;                  /* owned, while one runs; -1: none */
    struct loop_watch *watch;    /* owned, while one runs */
};

int child_create(struct loop *loop, void (*exited)(void *arg, int status), void *arg,
                 struct child **ret_child)
{
    struct child *child = calloc(1, sizeof *child);
    if (child == NULL)
        return -ENOMEM;
    *child = (struct child){.loop = loop, .exited = exited, .arg = arg, .socket = -1};
    void *secret;
    int result = locked_create(sizeof *child->secret, &secret);
    if (result < 0) {
        free(child);
        return result;
    }
    child->secret = secret;
    *ret_child = child;
    return 0;
}

static void close_socket(struct child *child)
{
    if (child->watch != NULL)
        loop_watch_destroy(child->watch);
    child->watch = NULL;
    if (child->socket >= 0)
        close(child->socket);
    child->socket = -1;
}

/* Takes every block that waits; the last one counts. */
static void read_blocks(struct child *child)
{
    struct child_secret *secret = child->secret;
    ssize_t len;
    while ((len = recv(child->socket, secret->record, sizeof secret->record, 0)) > 0) {
        if ((size_t)len > sizeof secret->handover.kept)
            continue;
        memcpy(secret->handover.kept, secret->record, (size_t)len);
        secret->handover.kept_len = (size_t)len;
    }
    explicit_bzero(secret->record, sizeof secret->record);
}

static void take_blocks(int ready, void *arg)
{
    (void)ready;
    struct child *child = arg;
    char peek;
    read_blocks(child);
    /* The other end closed: nothing more comes, and the descriptor would stay readable. */
    if (recv(child->socket, &peek, 1, MSG_PEEK) == 0)
        loop_watch_set(child->watch, 0);
}

static void take_exit(void *arg, int status)
{
    struct child *child = arg;
    child->reaper = NULL;
    child->pid = 0;
    /* What it sent last counts even when it crashed right after. */
    read_blocks(child);
    close_socket(child);
    child->exited(child->arg, status);
}

static int spawn(struct child *child, const struct child_start *start, int socket)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", start->controller_fd);
    const char *argv[] = {"kiln-controller", "--sysroot",         start->sysroot,
                          "--console",       start->console_path, NULL};
    if (start->console_path == NULL)
        argv[3] = NULL;
    static char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    session_attributes_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, socket, HANDOVER_FD);
    /* posix_spawn writes to no argument, it only does not say so. */
    int error =
        posix_spawn(&child->pid, path, &actions, &attributes, (char *const *)(size_t)argv, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return -error;
}

static int send_start(struct child *child, const struct child_start *start)
{
    struct child_secret *secret = child->secret;
    size_t len = 0;
    memcpy(secret->handover.manifest, start->manifest, HANDOVER_HASH_LEN);
    memcpy(secret->handover.config, start->config, HANDOVER_HASH_LEN);
    snprintf(secret->handover.stub_version, HANDOVER_VERSION_MAX, "%s", KILN_VERSION);
    int result = handover_encode(&secret->handover, secret->record, &len);
    if (result == 0 && send(child->socket, secret->record, len, MSG_NOSIGNAL) < 0)
        result = -errno;
    explicit_bzero(secret->record, sizeof secret->record);
    return result;
}

static int start_process(struct child *child, const struct child_start *start, int other)
{
    int high = fcntl(other, F_DUPFD_CLOEXEC, FIRST_FD);
    int result = high < 0 ? -errno : send_start(child, start);
    if (result == 0)
        result = loop_watch_create(child->loop, child->socket, take_blocks, child, &child->watch);
    if (result == 0)
        result = spawn(child, start, high);
    if (result == 0) {
        loop_watch_set(child->watch, LOOP_READ);
        result = reaper_create(child->loop, child->pid, take_exit, child, &child->reaper);
    }
    if (high >= 0)
        close(high);
    return result;
}

int child_start(struct child *child, const struct child_start *start)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        return -errno;
    child->socket = ends[0];
    int result = start_process(child, start, ends[1]);
    close(ends[1]);
    if (result < 0) {
        child->pid = 0;
        close_socket(child);
    }
    return result;
}

void child_stop(struct child *child)
{
    if (child->pid > 0)
        kill(child->pid, SIGTERM);
}

void child_destroy(struct child *child)
{
    if (child == NULL)
        return;
    reaper_destroy(child->reaper);
    close_socket(child);
    locked_destroy(child->secret, sizeof *child->secret);
    free(child);
}
