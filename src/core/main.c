/*
 * kilnd: holds the VMs' machines, the store, libvirt and the host's identity.
 *
 * In: a configuration, signals. Out: a daemon in the foreground that logs to stderr. Kept: nothing of its
 * own.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/core/core.h"
#include "src/core/network.h"
#include "src/core/sandbox.h"
#include "src/core/store.h"
#include "src/core/store_tool.h"
#include "src/core/verbs.h"
#include "src/io/locked.h"
#include "src/io/log.h"
#include "src/io/loop.h"

static const char usage[] =
    "kilnd - keeps sealed research VMs\n"
    "\n"
    "  kilnd [-c FILE]      run in the foreground, log to stderr\n"
    "  kilnd -n [-c FILE]   check the configuration, say what is wrong, run nothing\n"
    "  kilnd --store-check FILE             check a backup, or a store that is not in use\n"
    "  kilnd --store-dump FILE              print its records, a line of JSON each\n"
    "  kilnd --store-restore FILE [-c FILE]   put a backup in the place of state_dir's store\n"
    "  kilnd --version      print the version\n"
    "  kilnd --help         print this\n"
    "\n"
    "  -c FILE   configuration, else " CONFIG_DEFAULT_PATH "\n"
    "\n"
    "SIGTERM ends it and leaves every VM running; SIGHUP does what `kiln reload` does.\n"
    "control.sock and edge.sock are in its run_dir at once; when it logs \"ready\", the store is read and\n"
    "what waited there is answered.\n"
    "Exit status: 0 ended as asked, 1 could not start, 2 wrong usage or configuration.\n";

struct kilnd {
    struct core *core;
    struct verbs *verbs;
    struct loop_timer *next; /* owned; armed while records are to be loaded; NULL at the end */
    int look_rc;             /* the reading thread's, while that runs */
    char look_words[STORE_ERROR_LEN];
    int rc; /* of the start */
    char error[CORE_ERROR_LEN];
    bool ready, reload_asked;
};

struct options {
    const char *config_path;
    bool check_only;
    const char *store_check, *store_dump, *store_restore; /* files */
};

/* Then ends as the signal does. The store's pages are mapped: a disk that cannot read one ends us by SIGBUS.
 */
static void last_words(int signo)
{
    static const char other[] = "kilnd: ends by a fault of its own; VMs run on\n";
    static const char bus[] =
        "kilnd: ends: a page of the store cannot be read (kilnd --store-check FILE says which); VMs run on\n";
    const char *words = signo == SIGBUS ? bus : other;
    ssize_t put = write(STDERR_FILENO, words, strlen(words));
    (void)put;
    raise(signo);
}

/* Not in the place of a handler that is there: a sanitizer has words of its own. */
static void faults_take(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE};
    const struct sigaction ours = {.sa_handler = last_words, .sa_flags = SA_RESETHAND | SA_NODEFER};
    struct sigaction old;
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
            sigaction(signals[i], &ours, NULL);
}

/* Returns an exit code, or -1 to go on. */
static int options_read(int argc, char **argv, struct options *options)
{
    static const struct option longs[] = {{"help", no_argument, NULL, 'h'},
                                          {"version", no_argument, NULL, 'V'},
                                          {"config", required_argument, NULL, 'c'},
                                          {"check", no_argument, NULL, 'n'},
                                          {"store-check", required_argument, NULL, 'k'},
                                          {"store-dump", required_argument, NULL, 'd'},
                                          {"store-restore", required_argument, NULL, 'r'},
                                          {0}};
    int option;
    while ((option = getopt_long(argc, argv, "c:nhV", longs, NULL)) != -1) {
        switch (option) {
        case 'c':
            options->config_path = optarg;
            break;
        case 'n':
            options->check_only = true;
            break;
        case 'k':
            options->store_check = optarg;
            break;
        case 'd':
            options->store_dump = optarg;
            break;
        case 'r':
            options->store_restore = optarg;
            break;
        case 'h':
            fputs(usage, stdout);
            return EXIT_SUCCESS;
        case 'V':
            puts("kilnd " KILN_VERSION);
            return EXIT_SUCCESS;
        default:
            fputs(usage, stderr);
            return 2;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "kilnd: unexpected argument %s\n", argv[optind]);
        return 2;
    }
    return -1;
}

static int configuration_read(struct core *core, const char *path)
{
    char error[CONFIG_ERROR_MAX], address[16], netmask[16];
    enum log_level level;
    if (config_load(path, &core->config, error)) {
        fprintf(stderr, "kilnd: %s\n", error);
        return -EINVAL;
    }
    core->config_path = path;
    if (network_host(&core->config, address, netmask)) {
        fprintf(stderr, "kilnd: network.subnet: %s is no IPv4 subnet of /8 to /28\n",
                core->config.network.subnet);
        return -EINVAL;
    }
    if (log_level_parse(core->config.log_level, &level)) {
        fprintf(stderr, "kilnd: log_level: %s is none of debug, info, warning, error\n",
                core->config.log_level);
        return -EINVAL;
    }
    log_set_level(level);
    return 0;
}

/* ---- signals ---- */

static void end_asked(int signo, void *arg)
{
    log_info("kilnd", "ends; VMs run on", "signal=%d", signo);
    loop_stop(((struct kilnd *)arg)->core->loop);
}

static void reload(struct kilnd *kilnd)
{
    char error[CONFIG_ERROR_MAX], quoted[LOG_QUOTED_MAX];
    if (verbs_reload(kilnd->verbs, error))
        log_error("config", "stays as it was", "error=%s", log_quote(error, quoted));
}

/* Nothing may change before all is loaded. */
static void reload_asked(int signo, void *arg)
{
    struct kilnd *kilnd = arg;
    (void)signo;
    kilnd->reload_asked = !kilnd->ready;
    if (kilnd->ready)
        reload(kilnd);
}

static int signals_take(struct kilnd *kilnd)
{
    int rc = loop_on_signal(kilnd->core->loop, SIGTERM, end_asked, kilnd);
    if (!rc)
        rc = loop_on_signal(kilnd->core->loop, SIGINT, end_asked, kilnd);
    if (!rc)
        rc = loop_on_signal(kilnd->core->loop, SIGHUP, reload_asked, kilnd);
    return rc;
}

/* ---- start: both sockets are there at once, and wait for the store ---- */

/* RC not 0: ends. */
static void started(struct kilnd *kilnd, int rc)
{
    struct core *core = kilnd->core;
    if (!rc)
        rc = core_start(core, kilnd->error);
    if (!rc)
        rc = verbs_serve(kilnd->verbs, kilnd->error);
    kilnd->rc = rc;
    if (rc) {
        loop_stop(core->loop);
        return;
    }
    kilnd->ready = true;
    log_info("kilnd", "ready", "version=%s run_dir=%s", KILN_VERSION, core->config.run_dir);
    if (kilnd->reload_asked)
        reload(kilnd);
}

static void load(void *arg)
{
    struct kilnd *kilnd = arg;
    int rc = core_load(kilnd->core, kilnd->error);
    if (rc > 0)
        loop_timer_arm(kilnd->next, 0);
    else
        started(kilnd, rc);
}

/* On a thread of its own. */
static void store_read(void *arg)
{
    struct kilnd *kilnd = arg;
    kilnd->look_rc = store_look(kilnd->core->store, kilnd->look_words);
}

static void store_was_read(void *arg)
{
    struct kilnd *kilnd = arg;
    /* Told as the store closes, for we were asked to end: nothing goes on. */
    if (!kilnd->next)
        return;
    if (kilnd->look_rc) {
        snprintf(kilnd->error, sizeof kilnd->error, "%s", kilnd->look_words);
        started(kilnd, kilnd->look_rc);
    } else {
        loop_timer_arm(kilnd->next, 0);
    }
}

static int start(struct kilnd *kilnd)
{
    struct core *core = kilnd->core;
    int rc = core_open(core, kilnd->error);
    if (!rc)
        rc = verbs_start(core, &kilnd->verbs, kilnd->error);
    if (!rc)
        rc = loop_timer_create(core->loop, load, kilnd, &kilnd->next);
    if (!rc && (rc = sandbox_lock()))
        snprintf(kilnd->error, sizeof kilnd->error, "the sandbox is not closed");
    if (!rc)
        rc = store_job(core->store, store_read, store_was_read, kilnd);
    return rc;
}

static int serve(struct core *core)
{
    struct kilnd kilnd = {.core = core, .error = "no memory"};
    int rc = sandbox_enter();
    if (!rc)
        rc = loop_create(&core->loop);
    if (!rc)
        rc = signals_take(&kilnd);
    if (!rc)
        rc = start(&kilnd);
    if (!rc)
        rc = loop_run(core->loop);
    if (!rc)
        rc = kilnd.rc;
    if (rc && !kilnd.ready)
        log_error("kilnd", "cannot start", "error=%s", kilnd.error);
    loop_timer_destroy(kilnd.next);
    kilnd.next = NULL;
    verbs_stop(kilnd.verbs);
    core_close(core);
    verbs_destroy(kilnd.verbs);
    loop_destroy(core->loop);
    return rc;
}

int main(int argc, char **argv)
{
    static struct core core;
    struct options options = {.config_path = CONFIG_DEFAULT_PATH};
    umask(027);
    locked_forbid_dumps();
    faults_take();
    int code = options_read(argc, argv, &options);
    if (code >= 0)
        return code;
    if (options.store_check)
        return store_tool_check(options.store_check) ? EXIT_FAILURE : EXIT_SUCCESS;
    if (options.store_dump)
        return store_tool_dump(options.store_dump) ? EXIT_FAILURE : EXIT_SUCCESS;
    if (configuration_read(&core, options.config_path))
        return 2;
    if (options.store_restore)
        code = store_tool_restore(&core.config, options.store_restore);
    else
        code = options.check_only ? 0 : serve(&core);
    config_finish(&core.config);
    return code ? EXIT_FAILURE : EXIT_SUCCESS;
}
