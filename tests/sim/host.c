/*
 * kilnd in the simulator: see host.h.
 */
#include "tests/sim/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/core.h"
#include "src/core/verbs.h"
#include "src/io/loop.h"
#include "tests/sim/claims.h"
#include "tests/sim/clock.h"
#include "tests/sim/false_virt.h"
#include "tests/unit/core_loaded.h"

/* Deadlines are short, so that a life need not last for hours; the retention is what claims.h calls the end.
 */
static const char config_text[] =
    "{\"state_dir\":\"/sim/state\",\"run_dir\":\"/sim/run\",\"max_boots\":2,\"orphans\":\"reap\","
    "\"deadlines_s\":{\"requested\":60,\"image-created\":60,\"booted\":120,\"registered\":300,"
    "\"paired\":120,\"drives-attached\":300},\"retention_s\":600}";

static struct {
    struct core *core; /* owned; NULL: it is down */
    struct verbs *verbs;
    bool dying;
    unsigned kill_in; /* points until it dies; 0: it does not */
    int64_t down_us;
    uint64_t points;
} host;

bool host_up(void)
{
    return host.core && !host.dying;
}

bool host_dying(void)
{
    return host.dying;
}

uint64_t host_points(void)
{
    return host.points;
}

struct core *host_core(void)
{
    return host.core;
}

struct verbs *host_verbs(void)
{
    return host.verbs;
}

void host_point(const char *what)
{
    (void)what;
    if (!host.core || host.dying)
        return;
    host.points++;
    if (host.kill_in && --host.kill_in == 0)
        host.dying = true;
}

static void start_again(void *arg)
{
    (void)arg;
    host_start();
}

void host_begin(void)
{
    host.points = 0;
}

void host_start(void)
{
    char error[CORE_ERROR_LEN] = "";
    struct core *core = calloc(1, sizeof *core);
    if (host.core || !core ||
        config_parse("sim", config_text, sizeof config_text - 1, &core->config, error) ||
        loop_create(&core->loop))
        abort();
    core->virt_ops = &false_virt_ops;
    host.core = core;
    host.dying = false;
    host.kill_in = 0;
    if (core_open(core, error) || verbs_start(core, &host.verbs, error) || core_load_all(core, error) ||
        core_start(core, error) || verbs_serve(host.verbs, error)) {
        claim_broken("starts", "kilnd does not start: %s", error);
        return;
    }
    /* A loop that takes no time does not stall, and looking for that takes ours. */
    loop_timer_disarm(core->stall_timer);
    false_virt_host_started();
    claims_grace_begins();
}

/* Frees what kilnd had in memory. When it is dying nothing of this reaches the world. */
static void take_away(void)
{
    struct core *core = host.core;
    struct loop *loop = core->loop;
    verbs_stop(host.verbs);
    false_virt_host_ended();
    core_close(core);
    verbs_destroy(host.verbs);
    loop_destroy(loop);
    config_finish(&core->config);
    free(core);
    host.core = NULL;
    host.verbs = NULL;
    host.dying = false;
    host.kill_in = 0;
}

bool host_bury(void)
{
    if (!host.dying)
        return false;
    take_away();
    clock_after(host.down_us, start_again, NULL, NULL);
    return true;
}

void host_kill(unsigned points, int64_t down_us)
{
    if (!host_up())
        return;
    host.down_us = down_us;
    host.kill_in = points;
    host.dying = points == 0;
}

void host_stop(int64_t down_us)
{
    if (!host_up())
        return;
    take_away();
    clock_after(down_us, start_again, NULL, NULL);
}

void host_finish(void)
{
    if (!host.core)
        return;
    host.dying = true;
    take_away();
}
