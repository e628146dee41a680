/*
 * Store: a job beside the loop, such as a check of everything.
 *
 * In: a function. Out: it ran, told on the loop. Kept: the one job.
 */
#include <errno.h>
#include <stdlib.h>

#include "src/core/store_private.h"
#include "src/io/thread.h"

struct store_job {
    struct store *store; /* borrowed */
    pthread_t thread;
    store_job_fn *run;
    store_done_fn *done;
    void *arg;
    atomic_bool finished;
};

static void *job_main(void *arg)
{
    struct store_job *job = arg;
    job->run(job->arg);
    atomic_store(&job->finished, true);
    store_done_wake(job->store);
    return NULL;
}

int store_job(struct store *store, store_job_fn *run, store_done_fn *done, void *arg)
{
    if (store->job)
        return -EBUSY;
    struct store_job *job = calloc(1, sizeof *job);
    if (!job)
        return -ENOMEM;
    *job = (struct store_job){.store = store, .run = run, .done = done, .arg = arg};
    int rc = thread_create(&job->thread, job_main, job);
    if (rc) {
        free(job);
        return rc;
    }
    store->job = job;
    return 0;
}

bool store_job_ends(const struct store *store)
{
    return atomic_load(&store->job_ends);
}

bool store_look_ends(const struct store *store)
{
    return !store->thread_runs && store_job_ends(store);
}

static void job_end(struct store *store)
{
    struct store_job *job = store->job;
    pthread_join(job->thread, NULL);
    store->job = NULL;
    job->done(job->arg);
    free(job);
}

void store_job_tell(struct store *store)
{
    if (store->job && atomic_load(&store->job->finished))
        job_end(store);
}

void store_job_stop(struct store *store)
{
    atomic_store(&store->job_ends, true);
    if (store->job)
        job_end(store);
}
