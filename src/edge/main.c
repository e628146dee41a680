/*
 * kiln-edge: the network-facing process of Kiln. In: options, a configuration file. Out: an exit status. See
 * edge.h.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "src/edge/edge.h"
#include "src/edge/sandbox.h"
#include "src/io/log.h"
#include "src/io/loop.h"

static const char help[] =
    "usage: kiln-edge [-c FILE] [-u USER] [-n]\n"
    "The network-facing half of Kiln: TLS, HTTP, WebSockets and the SSH bridge.\n"
    "\n"
    "  -c, --config FILE  configuration (default " CONFIG_DEFAULT_PATH ")\n"
    "  -u, --user USER    when started as root: become USER before serving\n"
    "  -n, --check        check the configuration and end\n"
    "  -h, --help         this text\n"
    "      --version      the version\n"
    "\n"
    "SIGHUP takes the certificate anew; SIGTERM and SIGINT end it.\n"
    "Exit status: 0 ended as asked, 1 could not start, 2 wrong usage or configuration.\n";

struct options {
    const char *config, *user;
    bool check;
};

/* Returns -1 to go on, else the exit status. */
static int read_options(int argc, char **argv, struct options *options)
{
    static const struct option names[] = {
        {"config", required_argument, NULL, 'c'}, {"user", required_argument, NULL, 'u'},
        {"check", no_argument, NULL, 'n'},        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},      {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(argc, argv, "c:u:nh", names, NULL)) >= 0) {
        switch (option) {
        case 'c':
            options->config = optarg;
            break;
        case 'u':
            options->user = optarg;
            break;
        case 'n':
            options->check = true;
            break;
        case 'h':
            fputs(help, stdout);
            return 0;
        case 'V':
            puts("kiln-edge " KILN_VERSION);
            return 0;
        default:
            fputs(help, stderr);
            return 2;
        }
    }
    if (optind == argc)
        return -1;
    fprintf(stderr, "kiln-edge: unexpected argument: %s\n", argv[optind]);
    return 2;
}

static void on_end(int signo, void *arg)
{
    struct edge *edge = arg;
    log_info("edge", "ending", "signal=%d", signo);
    loop_stop(edge->loop);
}

static void on_reload(int signo, void *arg)
{
    (void)signo;
    edge_reload(arg);
}

static int serve(const struct config *config)
{
    struct edge edge;
    struct loop *loop;
    if (loop_create(&loop) < 0)
        return 1;
    int status = 1;
    if (edge_open(&edge, loop, config) == 0) {
        if (sandbox_lock(config) == 0 && loop_on_signal(loop, SIGTERM, on_end, &edge) == 0 &&
            loop_on_signal(loop, SIGINT, on_end, &edge) == 0 &&
            loop_on_signal(loop, SIGHUP, on_reload, &edge) == 0 && loop_run(loop) == 0)
            status = 0;
        edge_close(&edge);
    }
    loop_destroy(loop);
    return status;
}

int main(int argc, char **argv)
{
    struct options options = {.config = CONFIG_DEFAULT_PATH};
    struct config config;
    enum log_level level;
    char error[CONFIG_ERROR_MAX];
    int status = read_options(argc, argv, &options);
    if (status >= 0)
        return status;
    if (config_load(options.config, &config, error) < 0) {
        fprintf(stderr, "kiln-edge: %s\n", error);
        return 2;
    }
    if (log_level_parse(config.log_level, &level) == 0)
        log_set_level(level);
    if (options.check)
        status = 0;
    else
        status = sandbox_enter(options.user) == 0 ? serve(&config) : 1;
    config_finish(&config);
    return status;
}
