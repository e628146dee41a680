/*
 * RPC client: the connecting side of rpc_socket.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "src/io/loop.h"
#include "src/io/rpc_line.h"
#include "src/io/rpc_socket.h"
#include "src/io/stream.h"

#define BACKOFF_FIRST_MS 100
#define BACKOFF_MAX_MS 2000

struct rpc_client {
    struct loop *loop; /* borrowed */
    struct rpc_client_options options;
    struct sockaddr_un address;
    struct rpc_line *line;    /* owned; NULL while not connected */
    struct loop_timer *retry; /* owned */
    uint64_t backoff_ms;
};

static void retry_later(struct rpc_client *client)
{
    if (!client->options.reconnect)
        return;
    loop_timer_arm(client->retry, client->backoff_ms);
    client->backoff_ms = client->backoff_ms * 2 < BACKOFF_MAX_MS ? client->backoff_ms * 2 : BACKOFF_MAX_MS;
}

static void tell_down(struct rpc_client *client, int error)
{
    retry_later(client);
    if (client->options.on_down != NULL)
        client->options.on_down(error, client->options.arg);
}

static void on_line_down(void *arg, int error)
{
    struct rpc_client *client = arg;
    struct rpc_line *line = client->line;
    client->line = NULL;
    rpc_line_destroy(line);
    tell_down(client, error < 0 ? error : -ECONNRESET);
}

/* A Unix socket connects at once or not at all: -EAGAIN says that the server's backlog is full. */
static int connect_socket(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0) {
        int error = -errno;
        close(fd);
        return error;
    }
    return fd;
}

/* A line on FD, which is taken on success. */
static int open_line(struct rpc_client *client, int fd)
{
    struct rpc_options options = {.methods = client->options.methods,
                                  .message_max_bytes = client->options.message_max_bytes,
                                  .arg = client->options.arg};
    struct rpc_line_owner owner = {.on_down = on_line_down, .arg = client};
    struct rpc_line *line;
    struct stream *stream;
    int error = rpc_line_create(client->loop, &options, &owner, &line);
    if (error < 0)
        return error;
    error = stream_accept(client->loop, fd, NULL, &rpc_line_ops, line, &stream);
    if (error < 0) {
        rpc_line_destroy(line);
        return error;
    }
    rpc_line_attach(line, stream);
    client->line = line;
    return 0;
}

static void attempt(void *arg)
{
    struct rpc_client *client = arg;
    int fd = connect_socket(&client->address);
    int error = fd < 0 ? fd : open_line(client, fd);
    if (error < 0 && fd >= 0)
        close(fd);
    if (error < 0) {
        tell_down(client, error);
        return;
    }
    client->backoff_ms = BACKOFF_FIRST_MS;
    if (client->options.on_up != NULL)
        client->options.on_up(rpc_line_peer(client->line), client->options.arg);
}

int rpc_client_open(struct loop *loop, const char *path, const struct rpc_client_options *options,
                    struct rpc_client **ret_client)
{
    struct rpc_client *client = calloc(1, sizeof(*client));
    if (client == NULL)
        return -ENOMEM;
    if (strlen(path) >= sizeof(client->address.sun_path)) {
        free(client);
        return -ENAMETOOLONG;
    }
    client->address.sun_family = AF_UNIX;
    strcpy(client->address.sun_path, path);
    client->loop = loop;
    client->options = *options;
    client->backoff_ms = BACKOFF_FIRST_MS;
    int error = loop_timer_create(loop, attempt, client, &client->retry);
    if (error < 0) {
        free(client);
        return error;
    }
    loop_timer_arm(client->retry, 0);
    *ret_client = client;
    return 0;
}

struct rpc_peer *rpc_client_peer(struct rpc_client *client)
{
    return client->line != NULL ? rpc_line_peer(client->line) : NULL;
}

size_t rpc_client_queued_bytes(const struct rpc_client *client)
{
    return client->line != NULL ? rpc_line_queued_bytes(client->line) : 0;
}

void rpc_client_close(struct rpc_client *client)
{
    if (client == NULL)
        return;
    struct rpc_line *line = client->line;
    client->line = NULL;
    rpc_line_destroy(line);
    loop_timer_destroy(client->retry);
    free(client);
}
