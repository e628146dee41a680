/*
 * An HTTP server with four routes, for the unit tests of both its sides.
 */
#ifndef KILN_TESTS_UNIT_IO_HTTP_WORLD_H
#define KILN_TESTS_UNIT_IO_HTTP_WORLD_H

#include "tests/unit/io_fixture.h"

#include <fcntl.h>

#include "src/io/http_parse.h"
#include "src/io/http_server.h"
#include "src/io/log.h"

struct world {
    struct fixture fixture;
    struct http_server *server;
    uint16_t port;
    struct http_request *pending;
    bool gone;
    char file[160];
    const char *big; /* what /big answers */
    size_t big_bytes;
};

static inline void handle_echo(struct http_request *request, void *arg)
{
    size_t len;
    const char *body = http_request_body(request, &len);
    (void)arg;
    assert_int_equal(http_request_add_header(request, "X-Path", http_request_head(request)->path), 0);
    http_answer(request, 200, "text/plain", body, len);
}

static inline void on_gone(void *arg)
{
    struct world *world = arg;
    world->gone = true;
    world->pending = NULL;
}

static inline void handle_later(struct http_request *request, void *arg)
{
    struct world *world = arg;
    world->pending = request;
    http_request_on_gone(request, on_gone, world);
}

static inline void handle_file(struct http_request *request, void *arg)
{
    struct world *world = arg;
    http_answer_file(request, "application/octet-stream", open(world->file, O_RDONLY | O_CLOEXEC));
}

static inline void handle_big(struct http_request *request, void *arg)
{
    struct world *world = arg;
    http_answer(request, 200, "application/octet-stream", world->big, world->big_bytes);
}

static const struct http_route routes[] = {{"POST", "/echo", 64, handle_echo},
                                           {"GET", "/echo/*", 0, handle_echo},
                                           {"GET", "/later", 0, handle_later},
                                           {"GET", "/file", 0, handle_file},
                                           {"GET", "/big", 0, handle_big}};

static inline struct http_server_config world_config(void)
{
    return (struct http_server_config){.routes = routes,
                                       .nroutes = sizeof(routes) / sizeof(routes[0]),
                                       .common_headers = "X-Common: yes\r\n",
                                       .connections_max = 4,
                                       .connections_per_address_max = 3,
                                       .handshake_timeout_ms = FIXTURE_LIMIT_MS,
                                       .request_timeout_ms = FIXTURE_LIMIT_MS,
                                       .idle_timeout_ms = FIXTURE_LIMIT_MS};
}

static inline void world_init_with(struct world *world, bool tls, struct http_server_config config)
{
    memset(world, 0, sizeof(*world));
    log_set_level(LOG_LEVEL_ERROR);
    fixture_init(&world->fixture);
    config.tls = tls ? world->fixture.server_tls : NULL;
    config.arg = world;
    assert_int_equal(http_server_create(world->fixture.loop, &config, &world->server), 0);
    assert_int_equal(http_server_listen(world->server, "127.0.0.1:0", &world->port), 0);
    snprintf(world->file, sizeof(world->file), "%s/file", world->fixture.folder);
}

static inline void world_init(struct world *world, bool tls)
{
    world_init_with(world, tls, world_config());
}

static inline void world_finish(struct world *world)
{
    http_server_destroy(world->server);
    unlink(world->file);
    fixture_finish(&world->fixture);
}

static inline void talk(struct world *world, const char *text, const char *until, char *out, size_t max)
{
    int fd = fixture_dial(world->port);
    fixture_talk(&world->fixture, fd, text, strlen(text), until, out, max);
    close(fd);
}

#endif
