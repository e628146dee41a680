/*
 * RPC server: the listening side of rpc_socket.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "src/io/log.h"
#include "src/io/loop.h"
#include "src/io/rpc_line.h"
#include "src/io/rpc_socket.h"
#include "src/io/stream.h"

#define LINKS_MAX_DEFAULT 64
#define BACKLOG 64

struct rpc_link {
    struct rpc_server *server; /* borrowed */
    struct rpc_link *previous, *next;
    struct rpc_line *line; /* owned */
    struct ucred peer;
    void *data;
};

struct rpc_server {
    struct loop *loop; /* borrowed */
    struct rpc_server_options options;
    struct loop_watch *watch; /* owned */
    struct rpc_link *links;   /* owned */
    size_t nlinks;
    int fd; /* owned */
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

static void free_link(struct rpc_link *link)
{
    struct rpc_server *server = link->server;
    if (link->previous != NULL)
        link->previous->next = link->next;
    else
        server->links = link->next;
    if (link->next != NULL)
        link->next->previous = link->previous;
    server->nlinks--;
    rpc_line_destroy(link->line);
    free(link);
}

static void on_link_down(void *arg, int error)
{
    struct rpc_link *link = arg;
    struct rpc_server *server = link->server;
    if (error < 0)
        log_debug("rpc", "link lost", "pid=%d uid=%u error=%d", (int)link->peer.pid, (unsigned)link->peer.uid,
                  -error);
    if (server->options.on_close != NULL)
        server->options.on_close(link, server->options.arg);
    free_link(link);
}

/* The line of a link and its stream. FD is taken on success. */
static int open_line(struct rpc_link *link, int fd)
{
    struct rpc_server *server = link->server;
    struct rpc_options options = {.methods = server->options.methods,
                                  .message_max_bytes = server->options.message_max_bytes,
                                  .fallback = server->options.fallback,
                                  .waits = server->options.waits,
                                  .arg = link};
    struct rpc_line_owner owner = {.on_down = on_link_down, .waits = true, .arg = link};
    struct stream *stream;
    int error = rpc_line_create(server->loop, &options, &owner, &link->line);
    if (error < 0)
        return error;
    error = stream_accept(server->loop, fd, NULL, &rpc_line_ops, link->line, &stream);
    if (error < 0) {
        rpc_line_destroy(link->line);
        return error;
    }
    rpc_line_attach(link->line, stream);
    return 0;
}

static int open_link(struct rpc_server *server, int fd)
{
    socklen_t size = sizeof(struct ucred);
    struct rpc_link *link = calloc(1, sizeof(*link));
    if (link == NULL)
        return -ENOMEM;
    link->server = server;
    int error =
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &link->peer, &size) < 0 ? -errno : open_line(link, fd);
    if (error < 0) {
        free(link);
        return error;
    }
    link->next = server->links;
    if (server->links != NULL)
        server->links->previous = link;
    server->links = link;
    server->nlinks++;
    if (server->options.on_open != NULL && !server->options.on_open(link, server->options.arg))
        free_link(link);
    return 0;
}

/* What waits for nobody any more is not done, and takes no place. */
static void drop_abandoned(struct rpc_server *server)
{
    struct rpc_link *next;
    for (struct rpc_link *link = server->links; link != NULL; link = next) {
        next = link->next;
        if (rpc_line_is_abandoned(link->line))
            on_link_down(link, -ECONNRESET);
    }
}

static void on_connection(int ready, void *arg)
{
    struct rpc_server *server = arg;
    (void)ready;
    if (server->nlinks >= server->options.links_max)
        drop_abandoned(server);
    int fd = accept4(server->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    int error = server->nlinks < server->options.links_max ? open_link(server, fd) : -EUSERS;
    if (error < 0) {
        log_warning("rpc", "connection refused", "path=%s error=%d", server->path, -error);
        close(fd);
    }
}

/* Whether someone listens there: then the file is not ours to replace. */
static bool is_live(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return true;
    int result = connect(fd, (const struct sockaddr *)address, sizeof(*address));
    bool live = result == 0 || errno == EAGAIN;
    close(fd);
    return live;
}

static int listen_at(struct rpc_server *server, const struct sockaddr_un *address)
{
    if (is_live(address))
        return -EADDRINUSE;
    if (unlink(address->sun_path) < 0 && errno != ENOENT)
        return -errno;
    server->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (server->fd < 0)
        return -errno;
    /* Between bind and chmod nobody may connect: closed by umask first, opened to whom it is meant for
     * after. */
    mode_t old = umask(0777);
    int bound = bind(server->fd, (const struct sockaddr *)address, sizeof(*address));
    int error = bound < 0 ? -errno : 0;
    umask(old);
    if (error == 0 && (chmod(address->sun_path, server->options.mode) < 0 || listen(server->fd, BACKLOG) < 0))
        error = -errno;
    return error;
}

int rpc_server_open(struct loop *loop, const char *path, const struct rpc_server_options *options,
                    struct rpc_server **ret_server)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    struct rpc_server *server = calloc(1, sizeof(*server));
    if (server == NULL)
        return -ENOMEM;
    server->loop = loop;
    server->options = *options;
    server->fd = -1;
    if (server->options.links_max == 0)
        server->options.links_max = LINKS_MAX_DEFAULT;
    int error = listen_at(server, &address);
    if (error == 0) {
        strcpy(server->path, path);
        error = loop_watch_create(loop, server->fd, on_connection, server, &server->watch);
    }
    if (error < 0) {
        rpc_server_close(server);
        return error;
    }
    loop_watch_set(server->watch, LOOP_READ);
    *ret_server = server;
    return 0;
}

/* Who came first is taken first. */
void rpc_server_resume(struct rpc_server *server)
{
    drop_abandoned(server);
    struct rpc_link *link = server->links;
    while (link != NULL && link->next != NULL)
        link = link->next;
    for (; link != NULL; link = link->previous)
        rpc_line_resume(link->line);
}

size_t rpc_server_held_links(const struct rpc_server *server)
{
    size_t held = 0;
    for (const struct rpc_link *link = server->links; link != NULL; link = link->next)
        held += rpc_line_is_held(link->line) && !rpc_line_is_abandoned(link->line);
    return held;
}

void rpc_server_close(struct rpc_server *server)
{
    if (server == NULL)
        return;
    loop_watch_destroy(server->watch);
    if (server->path[0] != '\0')
        unlink(server->path);
    while (server->links != NULL)
        on_link_down(server->links, 0);
    if (server->fd >= 0)
        close(server->fd);
    free(server);
}

struct rpc_peer *rpc_link_peer(struct rpc_link *link)
{
    return rpc_line_peer(link->line);
}

void *rpc_link_server_arg(const struct rpc_link *link)
{
    return link->server->options.arg;
}

uid_t rpc_link_uid(const struct rpc_link *link)
{
    return link->peer.uid;
}

gid_t rpc_link_gid(const struct rpc_link *link)
{
    return link->peer.gid;
}

pid_t rpc_link_pid(const struct rpc_link *link)
{
    return link->peer.pid;
}

void rpc_link_set_data(struct rpc_link *link, void *data)
{
    link->data = data;
}

void *rpc_link_data(const struct rpc_link *link)
{
    return link->data;
}

size_t rpc_link_queued_bytes(const struct rpc_link *link)
{
    return rpc_line_queued_bytes(link->line);
}

void rpc_link_close(struct rpc_link *link)
{
    rpc_line_close(link->line);
}
