/*
 * The pool: order within a key, independence of keys, cancelling, the destroy lane, the end.
 */
#include "src/core/worker.h"

#include "src/io/loop.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LOG_MAX = 64 };

struct fixture {
    struct loop *loop;
    struct worker *worker;
    int done[LOG_MAX]; /* ids in the order told */
    bool ran[LOG_MAX];
    int ndone;
    int ntold_off_loop;
    pthread_t loop_thread;
};

struct task {
    struct fixture *fixture;
    int id;
    sem_t begun;
    sem_t go; /* run waits for it when `gated` */
    bool gated;
};

static void task_run(void *arg)
{
    struct task *task = arg;

    sem_post(&task->begun);
    if (task->gated)
        sem_wait(&task->go);
}

static void task_done(void *arg, bool ran)
{
    struct task *task = arg;
    struct fixture *fixture = task->fixture;

    if (!pthread_equal(pthread_self(), fixture->loop_thread))
        fixture->ntold_off_loop++;
    fixture->done[fixture->ndone] = task->id;
    fixture->ran[fixture->ndone++] = ran;
}

static void task_init(struct task *task, struct fixture *fixture, int id, bool gated)
{
    task->fixture = fixture;
    task->id = id;
    task->gated = gated;
    sem_init(&task->begun, 0, 0);
    sem_init(&task->go, 0, 0);
}

static int submit(struct task *task, enum worker_lane lane, const char *key)
{
    return worker_submit(task->fixture->worker, lane, key, task_run, task_done, task);
}

static void drain(struct fixture *fixture, int until)
{
    while (fixture->ndone < until)
        assert_int_equal(loop_step(fixture->loop, true), 0);
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    fixture->loop_thread = pthread_self();
    assert_int_equal(loop_create(&fixture->loop), 0);
    assert_int_equal(worker_create(fixture->loop, &fixture->worker), 0);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    worker_destroy(fixture->worker);
    assert_int_equal(fixture->ntold_off_loop, 0);
    loop_destroy(fixture->loop);
    free(fixture);
    return 0;
}

static void test_one_key_is_first_in_first_out(void **state)
{
    struct fixture *fixture = *state;
    struct task tasks[20];

    for (int i = 0; i < 20; i++) {
        task_init(&tasks[i], fixture, i, false);
        assert_int_equal(submit(&tasks[i], WORKER_NORMAL, "vm"), 0);
    }
    drain(fixture, 20);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(fixture->done[i], i);
        assert_true(fixture->ran[i]);
    }
}

static void test_a_stuck_key_holds_up_nobody_else(void **state)
{
    struct fixture *fixture = *state;
    struct task stuck, behind, other;

    task_init(&stuck, fixture, 1, true);
    task_init(&behind, fixture, 2, false);
    task_init(&other, fixture, 3, false);
    submit(&stuck, WORKER_NORMAL, "a");
    submit(&behind, WORKER_NORMAL, "a");
    submit(&other, WORKER_NORMAL, "b");
    drain(fixture, 1);
    assert_int_equal(fixture->done[0], 3);
    assert_int_equal(sem_trywait(&behind.begun), -1);
    sem_post(&stuck.go);
    drain(fixture, 3);
    assert_int_equal(fixture->done[1], 1);
    assert_int_equal(fixture->done[2], 2);
}

static void test_at_most_four_run_and_destroy_does_not_wait(void **state)
{
    struct fixture *fixture = *state;
    struct task stuck[WORKER_NORMAL_THREADS], fifth, destroy;

    for (int i = 0; i < WORKER_NORMAL_THREADS; i++) {
        task_init(&stuck[i], fixture, i, true);
        submit(&stuck[i], WORKER_NORMAL, NULL);
    }
    for (int i = 0; i < WORKER_NORMAL_THREADS; i++)
        sem_wait(&stuck[i].begun);
    task_init(&fifth, fixture, 10, false);
    task_init(&destroy, fixture, 11, false);
    submit(&fifth, WORKER_NORMAL, "x");
    submit(&destroy, WORKER_DESTROY, "x");
    drain(fixture, 1);
    assert_int_equal(fixture->done[0], 11);
    assert_int_equal(sem_trywait(&fifth.begun), -1);
    for (int i = 0; i < WORKER_NORMAL_THREADS; i++)
        sem_post(&stuck[i].go);
    drain(fixture, WORKER_NORMAL_THREADS + 2);
}

static int submit_destroy(struct task *task, enum worker_order order, const char *key)
{
    return worker_submit_destroy(task->fixture->worker, order, key, task_run, task_done, task);
}

/* Behind what runs for its key, ahead of all that waits; and what comes later waits for it. */
static void test_a_job_apart_waits_for_its_key_and_for_no_queue(void **state)
{
    struct fixture *fixture = *state;
    struct task running, waiting[40], apart, other, at_once;

    task_init(&running, fixture, 1, true);
    task_init(&apart, fixture, 2, true);
    task_init(&other, fixture, 3, false);
    task_init(&at_once, fixture, 4, false);
    submit(&running, WORKER_NORMAL, "vm");
    sem_wait(&running.begun);
    for (int i = 0; i < 40; i++) {
        task_init(&waiting[i], fixture, 100 + i, false);
        submit(&waiting[i], WORKER_NORMAL, "vm");
    }
    assert_int_equal(submit_destroy(&apart, WORKER_APART, "vm"), 0);
    assert_int_equal(submit_destroy(&other, WORKER_APART, "other"), 0);
    assert_int_equal(submit_destroy(&at_once, WORKER_AT_ONCE, "third"), 0);
    drain(fixture, 2);
    assert_int_equal(fixture->done[0] + fixture->done[1], 7);
    assert_int_equal(sem_trywait(&apart.begun), -1);
    sem_post(&running.go);
    sem_wait(&apart.begun);
    drain(fixture, 3);
    assert_int_equal(fixture->done[2], 1);
    assert_int_equal(sem_trywait(&waiting[1].begun), -1);
    sem_post(&apart.go);
    drain(fixture, 44);
}

static void test_cancel_spares_what_runs_and_other_keys(void **state)
{
    struct fixture *fixture = *state;
    struct task running, queued, other;

    task_init(&running, fixture, 1, true);
    task_init(&queued, fixture, 2, false);
    task_init(&other, fixture, 3, true);
    submit(&running, WORKER_NORMAL, "a");
    submit(&queued, WORKER_NORMAL, "a");
    submit(&other, WORKER_NORMAL, "b");
    sem_wait(&running.begun);
    assert_false(worker_is_overtaken(fixture->worker, "a"));
    assert_true(worker_cancel(fixture->worker, "a"));
    assert_true(worker_is_overtaken(fixture->worker, "a"));
    assert_false(worker_is_overtaken(fixture->worker, "b"));
    drain(fixture, 1);
    assert_int_equal(fixture->done[0], 2);
    assert_false(fixture->ran[0]);
    sem_post(&running.go);
    sem_post(&other.go);
    drain(fixture, 3);
    assert_true(fixture->ran[1] && fixture->ran[2]);
    assert_false(worker_cancel(fixture->worker, "a"));
    assert_false(worker_is_overtaken(fixture->worker, "a"));
}

static void test_destroy_tells_every_job_once(void **state)
{
    struct fixture *fixture = *state;
    struct task running, queued, posted;

    task_init(&running, fixture, 1, false);
    task_init(&queued, fixture, 2, false);
    task_init(&posted, fixture, 3, false);
    running.gated = true;
    submit(&running, WORKER_NORMAL, "a");
    submit(&queued, WORKER_NORMAL, "a");
    assert_int_equal(worker_post(fixture->worker, task_done, &posted), 0);
    sem_wait(&running.begun);
    sem_post(&running.go);
    worker_destroy(fixture->worker);
    fixture->worker = NULL;
    assert_int_equal(fixture->ndone, 3);
}

static void test_posts_arrive_in_order(void **state)
{
    struct fixture *fixture = *state;
    struct task tasks[10];

    for (int i = 0; i < 10; i++) {
        task_init(&tasks[i], fixture, i, false);
        assert_int_equal(worker_post(fixture->worker, task_done, &tasks[i]), 0);
    }
    assert_int_equal(fixture->ndone, 0);
    drain(fixture, 10);
    for (int i = 0; i < 10; i++)
        assert_int_equal(fixture->done[i], i);
}

static void test_a_key_that_is_too_long_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct task task;
    char key[WORKER_KEY_BYTES + 1];

    memset(key, 'k', WORKER_KEY_BYTES);
    key[WORKER_KEY_BYTES] = '\0';
    task_init(&task, fixture, 1, false);
    assert_int_equal(submit(&task, WORKER_NORMAL, key), -ENAMETOOLONG);
    key[WORKER_KEY_BYTES - 1] = '\0';
    assert_int_equal(submit(&task, WORKER_NORMAL, key), 0);
    drain(fixture, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_key_is_first_in_first_out, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_stuck_key_holds_up_nobody_else, setup, teardown),
        cmocka_unit_test_setup_teardown(test_at_most_four_run_and_destroy_does_not_wait, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_job_apart_waits_for_its_key_and_for_no_queue, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cancel_spares_what_runs_and_other_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(test_destroy_tells_every_job_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_posts_arrive_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_key_that_is_too_long_is_refused, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
