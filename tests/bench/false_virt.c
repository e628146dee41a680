/*
 * libvirt for the figures: kilnd as it is, but what it asks of libvirt is answered by a thread of this file,
 * at once. So the figures are kilnd's own. The connection itself is libvirt's, to its test driver.
 *
 * In:   kilnd's calls; KILN_BENCH_DOMAINS, a file that says which domains run.
 * Out:  answers on the loop; in KILN_BENCH_TURNS how long something that is posted to the loop waited for its
 * turn, tried every millisecond: "tries, those over 20 ms, the longest in us". A file that was removed begins
 * anew. Kept: the domains, for the life of the process.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "src/core/virt_ops.h"
#include "src/core/virt_private.h"
#include "src/io/loop.h"

enum {
    TURN_US = 20 * 1000,
    WRITE_EVERY = 100 /* tries */,
    EVERY_NS = 1000 * 1000,
    SECOND_NS = 1000 * 1000 * 1000
};

struct call {
    char uuid[VIRT_UUID_BYTES];
    uint64_t boot;
    bool starts, ends, lists;
    struct virt *virt;
    struct virt_answer answer;
    virt_answer_fn *answered;
    void *arg;
    struct call *next;
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct call *first, **last;
    bool runs;
    struct call *asked, **asked_last; /* the loop's alone: in this turn */
    struct loop *loop;
    struct virt_domain_info *domains; /* the answering thread's alone */
    size_t ndomains, room;
} all = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

/* ---- how long the loop lets wait; on the probing thread but for probe_run ---- */

static struct {
    pthread_mutex_t lock;
    int64_t posted_us; /* 0: the last one had its turn */
    uint64_t tries, late;
    int64_t longest_us;
} probe = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void probe_run(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&probe.lock);
    int64_t waited_us = now_us() - probe.posted_us;
    probe.tries++;
    probe.late += waited_us > TURN_US;
    probe.longest_us = waited_us > probe.longest_us ? waited_us : probe.longest_us;
    probe.posted_us = 0;
    pthread_mutex_unlock(&probe.lock);
}

/* Without the lock: the loop must not wait for a file. In the place of the old one, so that it is read whole.
 */
static void probe_write(const char *path)
{
    char next[4096];
    bool anew = access(path, F_OK) < 0;
    snprintf(next, sizeof next, "%s.next", path);
    pthread_mutex_lock(&probe.lock);
    if (anew)
        probe.tries = probe.late = 0, probe.longest_us = 0;
    unsigned long long tries = probe.tries, late = probe.late;
    long long longest_us = probe.longest_us;
    pthread_mutex_unlock(&probe.lock);
    FILE *file = fopen(next, "w");
    if (!file)
        return;
    fprintf(file, "%llu %llu %lld\n", tries, late, longest_us);
    if (fclose(file) == 0)
        rename(next, path);
}

/* By a sleep, which kilnd's sandbox knows, and no timer of the kernel's, which it does not. */
static bool tick_await(struct timespec *at)
{
    at->tv_nsec += EVERY_NS;
    if (at->tv_nsec >= SECOND_NS) {
        at->tv_nsec -= SECOND_NS;
        at->tv_sec++;
    }
    return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, at, NULL) == 0;
}

static void *probe_main(void *arg)
{
    const char *path = getenv("KILN_BENCH_TURNS");
    struct timespec at;
    uint64_t ticks = 0;
    (void)arg;
    clock_gettime(CLOCK_MONOTONIC, &at);
    while (path && tick_await(&at)) {
        pthread_mutex_lock(&probe.lock);
        if (!probe.posted_us) {
            probe.posted_us = now_us();
            loop_post(all.loop, probe_run, NULL);
        }
        pthread_mutex_unlock(&probe.lock);
        if (++ticks % WRITE_EVERY == 0)
            probe_write(path);
    }
    return NULL;
}

/* ---- answering ---- */

static void domain_add(const char *uuid, uint64_t boot)
{
    if (all.ndomains == all.room) {
        all.room = all.room ? all.room * 2 : 1024;
        all.domains = realloc(all.domains, all.room * sizeof *all.domains);
        if (!all.domains)
            abort();
    }
    struct virt_domain_info *domain = &all.domains[all.ndomains++];
    *domain = (struct virt_domain_info){.state = VIRT_DOMAIN_RUNNING, .boot = boot};
    snprintf(domain->uuid, sizeof domain->uuid, "%s", uuid);
}

static void domain_remove(const char *uuid)
{
    for (size_t i = 0; i < all.ndomains; i++)
        if (strcmp(all.domains[i].uuid, uuid) == 0)
            all.domains[i--] = all.domains[--all.ndomains];
}

static void domains_read(void)
{
    const char *path = getenv("KILN_BENCH_DOMAINS");
    FILE *file = path ? fopen(path, "r") : NULL;
    char uuid[VIRT_UUID_BYTES];
    unsigned boot;
    while (file && fscanf(file, "%36s %u", uuid, &boot) == 2)
        domain_add(uuid, boot);
    if (file)
        fclose(file);
}

static void answer(void *arg)
{
    struct call *call = arg;
    call->answered(call->arg, &call->answer);
    free((void *)call->answer.domains);
    free(call);
}

static void call_take(struct call *call)
{
    call->answer.words = "";
    memset(call->answer.volume.sha256, 'a', VIRT_HASH_BYTES - 1);
    if (call->starts)
        domain_add(call->uuid, call->boot);
    else if (call->ends)
        domain_remove(call->uuid);
    else if (call->lists && all.ndomains) {
        struct virt_domain_info *copy = malloc(all.ndomains * sizeof *copy);
        if (!copy)
            abort();
        memcpy(copy, all.domains, all.ndomains * sizeof *copy);
        call->answer.domains = copy;
        call->answer.ndomains = all.ndomains;
    }
    loop_post(call->virt->loop, answer, call);
}

static void *answer_main(void *arg)
{
    (void)arg;
    domains_read();
    for (;;) {
        pthread_mutex_lock(&all.lock);
        while (!all.first)
            pthread_cond_wait(&all.wake, &all.lock);
        struct call *call = all.first, *next;
        all.first = NULL;
        all.last = &all.first;
        pthread_mutex_unlock(&all.lock);
        for (; call; call = next) {
            next = call->next;
            call_take(call);
        }
    }
    return NULL;
}

static void threads_start(struct virt *virt)
{
    pthread_t thread;
    all.runs = true;
    all.loop = virt->loop;
    all.last = &all.first;
    all.asked_last = &all.asked;
    if (pthread_create(&thread, NULL, answer_main, NULL) || pthread_create(&thread, NULL, probe_main, NULL))
        abort();
}

/* All that a turn of the loop asks at once: to wake a thread for each would be most of what is measured. */
static void hand_over(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&all.lock);
    *all.last = all.asked;
    all.last = all.asked_last;
    pthread_cond_signal(&all.wake);
    pthread_mutex_unlock(&all.lock);
    all.asked = NULL;
    all.asked_last = &all.asked;
}

static int ask(const struct call *wanted)
{
    struct call *call = malloc(sizeof *call);
    if (!call)
        return -ENOMEM;
    *call = *wanted;
    if (!all.runs)
        threads_start(call->virt);
    if (!all.asked && loop_post(all.loop, hand_over, NULL))
        abort();
    *all.asked_last = call;
    all.asked_last = &call->next;
    return 0;
}

/* ---- the calls ---- */

#define ASK(...) ask(&(struct call){.virt = virt, .answered = answered, .arg = arg, ##__VA_ARGS__})

static bool false_is_connected(const struct virt *virt)
{
    return virt_is_connected(virt);
}

static int false_host(struct virt *virt, virt_answer_fn *answered, void *arg)
{
    return ASK();
}

static int false_list(struct virt *virt, virt_answer_fn *answered, void *arg)
{
    return ASK(.lists = true);
}

static int false_named(struct virt *virt, const char *name, virt_answer_fn *answered, void *arg)
{
    (void)name;
    return ASK();
}

static int false_overlay(struct virt *virt, const char *uuid, const char *image, virt_answer_fn *answered,
                         void *arg)
{
    (void)image;
    return false_named(virt, uuid, answered, arg);
}

static int false_drive(struct virt *virt, const char *drive, uint64_t size_bytes, virt_answer_fn *answered,
                       void *arg)
{
    (void)size_bytes;
    return false_named(virt, drive, answered, arg);
}

static int false_address(struct virt *virt, const struct virt_vm_spec *spec, virt_answer_fn *answered,
                         void *arg)
{
    return false_named(virt, spec->uuid, answered, arg);
}

static int false_addresses_keep(struct virt *virt, uint8_t (*held)[4], size_t nheld, virt_answer_fn *answered,
                                void *arg)
{
    (void)nheld;
    free(held);
    return ASK();
}

static int false_domain(struct virt *virt, const struct virt_vm_spec *spec, virt_answer_fn *answered,
                        void *arg)
{
    struct call call = {.virt = virt, .answered = answered, .arg = arg, .starts = true, .boot = spec->boot};
    memcpy(call.uuid, spec->uuid, sizeof call.uuid);
    return ask(&call);
}

static int false_domain_gone(struct virt *virt, const char *uuid, virt_answer_fn *answered, void *arg)
{
    struct call call = {.virt = virt, .answered = answered, .arg = arg, .ends = true};
    snprintf(call.uuid, sizeof call.uuid, "%s", uuid);
    return ask(&call);
}

static int false_attached(struct virt *virt, const char *uuid, const char *drive, bool readonly,
                          virt_answer_fn *answered, void *arg)
{
    (void)drive;
    (void)readonly;
    return false_named(virt, uuid, answered, arg);
}

static int false_console(struct virt *virt, const char *uuid, virt_console_line_fn *line, void *line_arg,
                         virt_answer_fn *answered, void *arg)
{
    (void)line;
    (void)line_arg;
    return false_named(virt, uuid, answered, arg);
}

static size_t false_tail(const struct virt *virt, const char *uuid, char *ret_text, size_t size)
{
    (void)virt;
    (void)uuid;
    if (size)
        ret_text[0] = '\0';
    return 0;
}

static void false_forget(struct virt *virt, const char *uuid)
{
    (void)virt;
    (void)uuid;
}

/* In the place of the one in virt_ops.c, which the linker then leaves in its library. */
const struct virt_ops virt_ops_libvirt = {
    .is_connected = false_is_connected,
    .ensure_host = false_host,
    .ensure_overlay = false_overlay,
    .overlay_gone = false_named,
    .ensure_drive = false_drive,
    .drive_gone = false_named,
    .volume_hash = false_named,
    .ensure_address = false_address,
    .address_gone = false_address,
    .addresses_keep = false_addresses_keep,
    .ensure_domain = false_domain,
    .domain_gone = false_domain_gone,
    .domain_list = false_list,
    .ensure_attached = false_attached,
    .ensure_console = false_console,
    .console_tail = false_tail,
    .console_forget = false_forget,
};
