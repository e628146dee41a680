/*
 * The pool: lanes of queued jobs, threads that take the first one whose key nobody holds, and a list of
 * finished jobs that the loop empties when the eventfd says so.
 */
#include "src/core/worker.h"

#include "src/io/loop.h"
#include "src/io/thread.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <unistd.h>

struct job {
    TAILQ_ENTRY(job) link;
    char key[WORKER_KEY_BYTES]; /* "": waits for nobody */
    worker_run *run;
    worker_done *done;
    void *arg;  /* borrowed: caller */
    bool apart; /* never at once with a job of its key in the other lane */
    bool ran;
    bool overtaken; /* worker_cancel came too late for it */
};

TAILQ_HEAD(job_list, job);

struct lane {
    struct worker *worker; /* borrowed: the lane's owner */
    struct job_list queued;
    struct job_list running;
    pthread_cond_t work;
};

struct worker {
    pthread_mutex_t lock; /* of everything below but the watch */
    struct lane lanes[WORKER_NLANES];
    struct job_list finished;
    bool ending;
    pthread_t threads[WORKER_NORMAL_THREADS + WORKER_DESTROY_THREADS];
    int nthreads;
    int wake_fd; /* owned: readable while `finished` may hold something */
    struct loop_watch *watch;
};

static bool key_is_in(const struct job_list *list, const struct job *until, const char *key)
{
    const struct job *job;

    TAILQ_FOREACH(job, list, link)
    {
        if (job == until)
            return false;
        if (strcmp(job->key, key) == 0)
            return true;
    }
    return false;
}

static bool key_is_apart_in(const struct job_list *list, const char *key)
{
    const struct job *job;

    TAILQ_FOREACH(job, list, link)
    {
        if (job->apart && strcmp(job->key, key) == 0)
            return true;
    }
    return false;
}

/* Whether the other lane has a job of this key, and one of the two keeps apart; such a job goes first. */
static bool other_lane_holds(const struct lane *lane, const struct job *job)
{
    const struct lane *lanes = lane->worker->lanes;

    if (lane == &lanes[WORKER_DESTROY])
        return job->apart && key_is_in(&lanes[WORKER_NORMAL].running, NULL, job->key);
    return key_is_apart_in(&lanes[WORKER_DESTROY].running, job->key) ||
           key_is_apart_in(&lanes[WORKER_DESTROY].queued, job->key);
}

/* The first job that no running and no earlier job of its key holds up. */
static struct job *lane_next_job(struct lane *lane)
{
    struct job *job;

    TAILQ_FOREACH(job, &lane->queued, link)
    {
        if (job->key[0] == '\0')
            return job;
        if (!key_is_in(&lane->running, NULL, job->key) && !key_is_in(&lane->queued, job, job->key) &&
            !other_lane_holds(lane, job))
            return job;
    }
    return NULL;
}

static void wake_loop(const struct worker *worker)
{
    /* EAGAIN means that the counter is full, so the loop is awake anyway. */
    (void)eventfd_write(worker->wake_fd, 1);
}

static void finish_job(struct worker *worker, struct job *job)
{
    TAILQ_INSERT_TAIL(&worker->finished, job, link);
    wake_loop(worker);
}

static void *lane_main(void *arg)
{
    struct lane *lane = arg;
    struct worker *worker = lane->worker;
    struct job *job;

    pthread_mutex_lock(&worker->lock);
    while (!worker->ending) {
        job = lane_next_job(lane);
        if (!job) {
            pthread_cond_wait(&lane->work, &worker->lock);
            continue;
        }
        TAILQ_REMOVE(&lane->queued, job, link);
        TAILQ_INSERT_TAIL(&lane->running, job, link);
        pthread_mutex_unlock(&worker->lock);
        job->run(job->arg);
        pthread_mutex_lock(&worker->lock);
        job->ran = true;
        TAILQ_REMOVE(&lane->running, job, link);
        finish_job(worker, job);
        /* The next job of this key may have been passed over by every waiting thread, of either lane. */
        for (int i = 0; i < WORKER_NLANES; i++)
            pthread_cond_broadcast(&worker->lanes[i].work);
    }
    pthread_mutex_unlock(&worker->lock);
    return NULL;
}

static void deliver(struct job_list *jobs)
{
    struct job *job;

    while ((job = TAILQ_FIRST(jobs))) {
        TAILQ_REMOVE(jobs, job, link);
        job->done(job->arg, job->ran);
        free(job);
    }
}

static void on_wake(int ready, void *arg)
{
    struct worker *worker = arg;
    struct job_list jobs = TAILQ_HEAD_INITIALIZER(jobs);
    eventfd_t count;

    (void)ready;
    (void)eventfd_read(worker->wake_fd, &count);
    pthread_mutex_lock(&worker->lock);
    TAILQ_CONCAT(&jobs, &worker->finished, link);
    pthread_mutex_unlock(&worker->lock);
    deliver(&jobs);
}

static int start_threads(struct worker *worker)
{
    static const int wanted[WORKER_NLANES] = {WORKER_NORMAL_THREADS, WORKER_DESTROY_THREADS};
    int r = 0;
    for (int lane = 0; lane < WORKER_NLANES && r == 0; lane++) {
        for (int i = 0; i < wanted[lane] && r == 0; i++) {
            r = thread_create(&worker->threads[worker->nthreads], lane_main, &worker->lanes[lane]);
            if (r == 0)
                worker->nthreads++;
        }
    }
    return r;
}

static void init_lanes(struct worker *worker)
{
    for (int i = 0; i < WORKER_NLANES; i++) {
        struct lane *lane = &worker->lanes[i];

        lane->worker = worker;
        TAILQ_INIT(&lane->queued);
        TAILQ_INIT(&lane->running);
        pthread_cond_init(&lane->work, NULL);
    }
}

int worker_create(struct loop *loop, struct worker **ret_worker)
{
    struct worker *worker = calloc(1, sizeof(*worker));
    int r;

    if (!worker)
        return -ENOMEM;
    pthread_mutex_init(&worker->lock, NULL);
    init_lanes(worker);
    TAILQ_INIT(&worker->finished);
    worker->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    r = worker->wake_fd < 0 ? -errno
                            : loop_watch_create(loop, worker->wake_fd, on_wake, worker, &worker->watch);
    if (r == 0) {
        loop_watch_set(worker->watch, LOOP_READ);
        r = start_threads(worker);
    }
    if (r < 0) {
        worker_destroy(worker);
        return r;
    }
    *ret_worker = worker;
    return 0;
}

void worker_stop(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    worker->ending = true;
    for (int i = 0; i < WORKER_NLANES; i++)
        pthread_cond_broadcast(&worker->lanes[i].work);
    pthread_mutex_unlock(&worker->lock);
    for (; worker->nthreads > 0; worker->nthreads--)
        pthread_join(worker->threads[worker->nthreads - 1], NULL);
}

void worker_destroy(struct worker *worker)
{
    if (!worker)
        return;
    worker_stop(worker);
    for (int i = 0; i < WORKER_NLANES; i++)
        TAILQ_CONCAT(&worker->finished, &worker->lanes[i].queued, link);
    /* A `done` may post once more, so this empties the list itself and not a copy of it. */
    deliver(&worker->finished);
    if (worker->watch)
        loop_watch_destroy(worker->watch);
    if (worker->wake_fd >= 0)
        close(worker->wake_fd);
    for (int i = 0; i < WORKER_NLANES; i++)
        pthread_cond_destroy(&worker->lanes[i].work);
    pthread_mutex_destroy(&worker->lock);
    free(worker);
}

static struct job *make_job(const char *key, worker_run *run, worker_done *done, void *arg)
{
    struct job *job = calloc(1, sizeof(*job));

    if (!job)
        return NULL;
    if (key)
        memcpy(job->key, key, strlen(key));
    job->run = run;
    job->done = done;
    job->arg = arg;
    return job;
}

/* Owns the job from now on. */
static int submit(struct worker *worker, enum worker_lane lane, struct job *job)
{
    int r = 0;

    if (!job)
        return -ENOMEM;
    pthread_mutex_lock(&worker->lock);
    if (worker->ending) {
        r = -ECANCELED;
        free(job);
    } else {
        TAILQ_INSERT_TAIL(&worker->lanes[lane].queued, job, link);
        pthread_cond_signal(&worker->lanes[lane].work);
    }
    pthread_mutex_unlock(&worker->lock);
    return r;
}

static bool key_fits(const char *key)
{
    return !key || strlen(key) < WORKER_KEY_BYTES;
}

int worker_submit(struct worker *worker, enum worker_lane lane, const char *key, worker_run *run,
                  worker_done *done, void *arg)
{
    return key_fits(key) ? submit(worker, lane, make_job(key, run, done, arg)) : -ENAMETOOLONG;
}

int worker_submit_destroy(struct worker *worker, enum worker_order order, const char *key, worker_run *run,
                          worker_done *done, void *arg)
{
    struct job *job = key_fits(key) ? make_job(key, run, done, arg) : NULL;

    if (job)
        job->apart = order == WORKER_APART;
    return key_fits(key) ? submit(worker, WORKER_DESTROY, job) : -ENAMETOOLONG;
}

/* A key has one at most. */
static struct job *job_running(struct lane *lane, const char *key)
{
    struct job *job;

    TAILQ_FOREACH(job, &lane->running, link)
    {
        if (strcmp(job->key, key) == 0)
            return job;
    }
    return NULL;
}

bool worker_cancel(struct worker *worker, const char *key)
{
    struct lane *lane = &worker->lanes[WORKER_NORMAL];
    struct job *job, *next;
    bool running;

    pthread_mutex_lock(&worker->lock);
    for (job = TAILQ_FIRST(&lane->queued); job; job = next) {
        next = TAILQ_NEXT(job, link);
        if (strcmp(job->key, key) != 0)
            continue;
        TAILQ_REMOVE(&lane->queued, job, link);
        finish_job(worker, job);
    }
    job = job_running(lane, key);
    running = job;
    if (job)
        job->overtaken = true;
    pthread_mutex_unlock(&worker->lock);
    return running;
}

bool worker_is_overtaken(struct worker *worker, const char *key)
{
    const struct job *job;
    bool overtaken;

    pthread_mutex_lock(&worker->lock);
    job = job_running(&worker->lanes[WORKER_NORMAL], key);
    overtaken = job && job->overtaken;
    pthread_mutex_unlock(&worker->lock);
    return overtaken;
}

int worker_post(struct worker *worker, worker_done *done, void *arg)
{
    struct job *job = make_job(NULL, NULL, done, arg);

    if (!job)
        return -ENOMEM;
    job->ran = true;
    pthread_mutex_lock(&worker->lock);
    finish_job(worker, job);
    pthread_mutex_unlock(&worker->lock);
    return 0;
}
