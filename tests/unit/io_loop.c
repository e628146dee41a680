/*
 * Loop and log: posts from threads, timers, signals, kicks; lines that a peer cannot forge.
 */
#include "tests/unit/io_fixture.h"

#include <pthread.h>
#include <signal.h>

#include "src/io/log.h"

#define POSTS 1000

struct world {
    struct loop *loop;
    unsigned count[2], signals, fired, kicked;
    unsigned order_faults, last[2];
};

struct post {
    struct world *world;
    unsigned thread, number;
};

static void on_post(void *arg)
{
    struct post *post = arg;
    struct world *world = post->world;
    if (world->count[post->thread]++ != post->number)
        world->order_faults++;
    free(post);
}

struct poster {
    struct world *world;
    unsigned thread;
};

static void *post_many(void *arg)
{
    struct poster *poster = arg;
    for (unsigned i = 0; i < POSTS; i++) {
        struct post *post = malloc(sizeof(*post));
        *post = (struct post){poster->world, poster->thread, i};
        if (loop_post(poster->world->loop, on_post, post) < 0)
            abort();
    }
    return NULL;
}

static void test_posts_of_threads_arrive_in_order(void **state)
{
    (void)state;
    struct world world = {0};
    pthread_t threads[2];
    struct poster posters[2];
    assert_int_equal(loop_create(&world.loop), 0);
    for (unsigned i = 0; i < 2; i++) {
        posters[i] = (struct poster){&world, i};
        assert_int_equal(pthread_create(&threads[i], NULL, post_many, &posters[i]), 0);
    }
    while (world.count[0] < POSTS || world.count[1] < POSTS)
        loop_step(world.loop, true);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(world.order_faults, 0);
    loop_destroy(world.loop);
}

static void on_signal(int signo, void *arg)
{
    assert_int_equal(signo, SIGUSR1);
    ((struct world *)arg)->signals++;
}

static void on_timer(void *arg)
{
    ((struct world *)arg)->fired++;
}

static void on_watch(int ready, void *arg)
{
    assert_int_equal(ready, LOOP_READ);
    ((struct world *)arg)->kicked++;
}

static void test_timers_signals_and_kicks(void **state)
{
    (void)state;
    struct world world = {0};
    struct loop_timer *timer, *never;
    struct loop_watch *watch;
    assert_int_equal(loop_create(&world.loop), 0);
    assert_int_equal(loop_on_signal(world.loop, SIGUSR1, on_signal, &world), 0);
    raise(SIGUSR1);
    assert_int_equal(loop_timer_create(world.loop, on_timer, &world, &timer), 0);
    assert_int_equal(loop_timer_create(world.loop, on_timer, &world, &never), 0);
    loop_timer_arm(never, 1);
    loop_timer_disarm(never);
    assert_false(loop_timer_armed(never));
    int64_t start = loop_monotonic_ms();
    loop_timer_arm(timer, 1);
    loop_timer_arm(timer, 30);
    while (world.fired == 0 || world.signals == 0)
        loop_step(world.loop, true);
    assert_true(loop_monotonic_ms() - start >= 29);
    assert_int_equal(world.fired, 1);
    assert_int_equal(loop_watch_create(world.loop, STDIN_FILENO, on_watch, &world, &watch), 0);
    loop_watch_kick(watch, LOOP_READ);
    loop_watch_set(watch, 0);
    loop_step(world.loop, false);
    assert_int_equal(world.kicked, 1);
    loop_watch_destroy(watch);
    loop_timer_destroy(timer);
    loop_timer_destroy(never);
    loop_destroy(world.loop);
}

/* What log_line writes to stderr, into OUT. */
static void capture(enum log_level level, const char *message, const char *value, char *out, size_t max)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    int old = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    log_line(level, "unit", message, "key=%s", value);
    dup2(old, STDERR_FILENO);
    close(old);
    close(ends[1]);
    ssize_t got = read(ends[0], out, max - 1);
    out[got > 0 ? got : 0] = '\0';
    close(ends[0]);
}

static void test_quoted_words_end_where_they_seem_to(void **state)
{
    char out[LOG_QUOTED_MAX], many[2 * LOG_QUOTED_MAX];
    (void)state;
    assert_string_equal(log_quote("gone\" code=OK detail=\"", out), "\"gone' code=OK detail='\"");
    assert_string_equal(log_quote("", out), "\"\"");
    memset(many, 'x', sizeof(many));
    many[sizeof(many) - 1] = '\0';
    assert_int_equal(strlen(log_quote(many, out)), LOG_QUOTED_MAX - 1);
    assert_int_equal(out[LOG_QUOTED_MAX - 2], '"');
}

static void test_a_log_line_is_one_line(void **state)
{
    (void)state;
    char out[LOG_LINE_MAX + 1], big[4000];
    log_set_level(LOG_LEVEL_INFO);
    capture(LOG_LEVEL_INFO, "said", "a\nforged\x1b[0m line\\", out, sizeof(out));
    assert_non_null(strstr(out, " info unit said key=a\\x0aforged\\x1b[0m line\\x5c\n"));
    capture(LOG_LEVEL_DEBUG, "hidden", "x", out, sizeof(out));
    assert_string_equal(out, "");
    memset(big, '\n', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    capture(LOG_LEVEL_ERROR, "long", big, out, sizeof(out));
    assert_true(strlen(out) <= LOG_LINE_MAX);
    assert_ptr_equal(strchr(out, '\n'), out + strlen(out) - 1);
    enum log_level level;
    assert_int_equal(log_level_parse("warning", &level), 0);
    assert_int_equal(level, LOG_LEVEL_WARNING);
    assert_int_equal(log_level_parse("Warning", &level), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_posts_of_threads_arrive_in_order),
        cmocka_unit_test(test_timers_signals_and_kicks),
        cmocka_unit_test(test_a_log_line_is_one_line),
        cmocka_unit_test(test_quoted_words_end_where_they_seem_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
