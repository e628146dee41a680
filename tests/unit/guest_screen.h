/*
 * What the tests of terminals share: a screen that joins one, with a user's shell in a world of the test's
 * own. The program is its own holder, as the controller is.
 */
#ifndef KILN_TESTS_UNIT_GUEST_SCREEN_H
#define KILN_TESTS_UNIT_GUEST_SCREEN_H

#include "tests/unit/guest_fixture.h"

#include "guest/terminal_holder.h"
#include "guest/terminal_ring.h"
#include "guest/terminals.h"
#include "src/io/loop.h"

#define SCREEN_BYTES (1 << 20)

static struct loop *loop;
static struct terminals *terminals;
static const uint8_t screen_owner[TERMINAL_OWNER_LEN] = "the owner";

struct screen {
    struct terminal *terminal;
    char id[TERMINAL_ID_MAX];
    char shown[SCREEN_BYTES];
    size_t len, granted, taken;
    uint64_t from, there; /* of the join */
    bool joined, displaced, ended;
    int status;
};

static inline void screen_joined(void *arg, uint64_t from, uint64_t shown)
{
    struct screen *screen = arg;
    screen->joined = true;
    screen->from = from;
    screen->there = shown;
}

static inline void screen_show(void *arg, const uint8_t *bytes, size_t len)
{
    struct screen *screen = arg;
    assert_true(screen->joined && len <= screen->granted && screen->len + len < SCREEN_BYTES);
    memcpy(screen->shown + screen->len, bytes, len);
    screen->len += len;
    screen->granted -= len;
}

static inline void screen_taken(void *arg, size_t len)
{
    ((struct screen *)arg)->taken += len;
}

static inline void screen_displaced(void *arg)
{
    ((struct screen *)arg)->displaced = true;
}

static inline void screen_ended(void *arg, int status)
{
    struct screen *screen = arg;
    assert_false(screen->ended);
    screen->ended = true;
    screen->status = status;
}

static const struct terminal_ops screen_ops = {.on_joined = screen_joined,
                                               .on_data = screen_show,
                                               .on_taken = screen_taken,
                                               .on_displaced = screen_displaced,
                                               .on_exit = screen_ended};

/* Until the holder has answered, or is gone. */
static inline void screen_join(struct screen *screen, uint64_t from, size_t grant)
{
    const struct terminal_join where = {.from = from, .rows = 31, .columns = 99};
    screen->joined = false;
    screen->granted = 0;
    terminal_join(screen->terminal, &where, &screen_ops, screen);
    while (!screen->joined && !screen->ended)
        loop_step(loop, true);
    if (screen->ended || screen->from == TERMINAL_NOWHERE)
        return;
    screen->granted = grant;
    if (grant > 0)
        terminal_grant(screen->terminal, (uint32_t)grant);
}

static inline struct screen *screen_open(const char *user, uint32_t keep_s, size_t grant)
{
    const struct terminal_start start = {.user = user,
                                         .term = "xterm-256color",
                                         .rows = 31,
                                         .columns = 99,
                                         .keep_s = keep_s,
                                         .owner = screen_owner};
    struct screen *screen = calloc(1, sizeof *screen);
    assert_int_equal(terminals_open(terminals, &start, &screen->terminal), 0);
    snprintf(screen->id, sizeof screen->id, "%s", terminal_id(screen->terminal));
    screen_join(screen, TERMINAL_NOWHERE, grant);
    return screen;
}

static inline void screen_type(struct screen *screen, const char *text)
{
    assert_int_equal(terminal_write(screen->terminal, (const uint8_t *)text, strlen(text)), 0);
}

static inline void screen_wait(struct screen *screen, const char *text)
{
    while (strstr(screen->shown, text) == NULL) {
        assert_false(screen->ended);
        loop_step(loop, true);
    }
}

static inline void screen_wait_end(struct screen *screen)
{
    while (!screen->ended)
        loop_step(loop, true);
}

/* As a new controller does: the connections of the old one are gone, and the terminal is found again. */
static inline void screen_lose_controller(struct screen *screen)
{
    terminals_destroy(terminals);
    assert_int_equal(terminals_create(loop, fixture_path("terminals"), &terminals), 0);
    while ((screen->terminal = terminals_find(terminals, screen->id, screen_owner)) == NULL)
        loop_step(loop, true);
}

/* The shell's process. Its answer, not the echo of the question, has a digit after "pid=". */
static inline pid_t screen_shell(struct screen *screen)
{
    int pid = 0;
    screen_type(screen, "echo pid=$$=\n");
    while (pid == 0) {
        loop_step(loop, true);
        for (const char *at = screen->shown; pid == 0 && (at = strstr(at, "pid=")) != NULL; at++)
            if (strchr(at + 4, '=') != NULL)
                pid = atoi(at + 4);
    }
    return pid;
}

static inline int screen_make_world(void **state)
{
    char line[PATH_MAX];
    if (fixture_make_world(state) < 0)
        return -1;
    snprintf(line, sizeof line, "%s", fixture_path("home"));
    if (fixture_run((const char *const[]){"/usr/sbin/useradd", "--uid", "1777", "--home-dir", line,
                                          "--create-home", "--shell", "/bin/sh", "tester", NULL}) < 0)
        return -1;
    int result = loop_create(&loop);
    return result < 0 ? result : terminals_create(loop, fixture_path("terminals"), &terminals);
}

static inline int screen_remove_world(void **state)
{
    terminals_destroy(terminals);
    loop_destroy(loop);
    return fixture_remove_world(state);
}

#endif
