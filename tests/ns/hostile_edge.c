/*
 * Hostile edge: kiln-edge as it is, but for what passes through kilnd_call, kilnd_notify, links_send and
 * ws_send: the linker leads those (--wrap) to hostile_calls.c, hostile_link.c and hostile_channel.c, which do
 * what malice.h says is armed. It holds what a broken into edge holds: the certificate's key, every session
 * token, every byte that is relayed. In: hostile_edge CONFIG MALICE-FILE. Out: the edge's service. Kept: what
 * the edge keeps, and messages to repeat.
 */
#include <signal.h>
#include <stdio.h>

#include "src/edge/edge.h"
#include "src/edge/links.h"
#include "src/io/log.h"
#include "src/io/loop.h"
#include "tests/ns/hostile.h"
#include "tests/ns/malice.h"

static void on_end(int signo, void *arg)
{
    (void)signo;
    loop_stop(arg);
}

/* The guests come again. */
static void on_hangup(int signo, void *arg)
{
    (void)signo;
    links_close_all(((struct edge *)arg)->links);
}

static int serve(const struct config *config)
{
    struct edge edge;
    struct loop *loop;
    int status = 1;
    if (loop_create(&loop) < 0)
        return status;
    hostile_keys_make();
    if (edge_open(&edge, loop, config) == 0) {
        if (loop_on_signal(loop, SIGTERM, on_end, loop) == 0 &&
            loop_on_signal(loop, SIGHUP, on_hangup, &edge) == 0 && loop_run(loop) == 0)
            status = 0;
        edge_close(&edge);
    }
    loop_destroy(loop);
    return status;
}

int main(int argc, char **argv)
{
    struct config config;
    char error[CONFIG_ERROR_MAX];
    if (argc != 3) {
        fputs("usage: hostile_edge CONFIG MALICE-FILE\n", stderr);
        return 2;
    }
    if (config_load(argv[1], &config, error) < 0) {
        fprintf(stderr, "hostile_edge: %s\n", error);
        return 2;
    }
    malice_init(argv[2]);
    log_set_level(LOG_LEVEL_DEBUG);
    int status = serve(&config);
    config_finish(&config);
    return status;
}
