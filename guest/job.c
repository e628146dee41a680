/*
 * Job: see job.h. A list under a mutex; answers come back through loop_post.
 */
#include "guest/job.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#include "src/io/log.h"
#include "src/io/loop.h"

struct job {
    void (*work)(void *arg);
    void (*done)(void *arg);
    void *arg; /* borrowed: the two functions' */
    struct job *next;
};

struct job_queue {
    struct loop *loop; /* borrowed */
    pthread_t thread;
    pthread_mutex_t lock; /* guards the three fields below */
    pthread_cond_t come;
    struct job *first; /* owned */
    bool ending;
};

static struct job *take_job(struct job_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    while (queue->first == NULL && !queue->ending)
        pthread_cond_wait(&queue->come, &queue->lock);
    struct job *job = queue->ending ? NULL : queue->first;
    if (job != NULL)
        queue->first = job->next;
    pthread_mutex_unlock(&queue->lock);
    return job;
}

static void *run_jobs(void *arg)
{
    struct job_queue *queue = arg;
    struct job *job;
    while ((job = take_job(queue)) != NULL) {
        job->work(job->arg);
        if (loop_post(queue->loop, job->done, job->arg) < 0)
            log_error("job", "an answer is lost: no memory", "%s", "");
        free(job);
    }
    return NULL;
}

int job_queue_create(struct loop *loop, struct job_queue **ret_queue)
{
    struct job_queue *queue = calloc(1, sizeof *queue);
    if (queue == NULL)
        return -ENOMEM;
    queue->loop = loop;
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->come, NULL);
    /* Signals are the loop's; the thread must not take them from it. */
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int error = pthread_create(&queue->thread, NULL, run_jobs, queue);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (error != 0) {
        free(queue);
        return -error;
    }
    *ret_queue = queue;
    return 0;
}

void job_queue_destroy(struct job_queue *queue)
{
    if (queue == NULL)
        return;
    pthread_mutex_lock(&queue->lock);
    queue->ending = true;
    pthread_cond_signal(&queue->come);
    pthread_mutex_unlock(&queue->lock);
    pthread_join(queue->thread, NULL);
    while (queue->first != NULL) {
        struct job *next = queue->first->next;
        free(queue->first);
        queue->first = next;
    }
    free(queue);
}

int job_start(struct job_queue *queue, void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
    struct job *job = malloc(sizeof *job);
    if (job == NULL)
        return -ENOMEM;
    *job = (struct job){.work = work, .done = done, .arg = arg};
    pthread_mutex_lock(&queue->lock);
    struct job **last = &queue->first;
    while (*last != NULL)
        last = &(*last)->next;
    *last = job;
    pthread_cond_signal(&queue->come);
    pthread_mutex_unlock(&queue->lock);
    return 0;
}
