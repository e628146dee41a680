/*
 * kiln-connect: coming again. connect_again.h says what it does.
 */
#include "src/cli/connect_again.h"

#include "src/io/loop.h"

static void on_time(void *arg)
{
    *(bool *)arg = true;
}

void connect_again_wait(struct connect *connect, struct backoff *backoff, const bool *stop)
{
    bool over = false;
    struct loop_timer *timer;
    if (loop_timer_create(connect->loop, on_time, &over, &timer) < 0)
        return;
    loop_timer_arm(timer, backoff_next(backoff));
    while (!over && !*stop)
        loop_step(connect->loop, true);
    loop_timer_destroy(timer);
}

/* The session may have ended with the host that held it; the channel proves both ends anew in any case. */
static int try_channel(struct connect *connect, const struct json *vm, struct connect_channel **ret_channel)
{
    int exit_code = connect_channel_open(connect, vm, ret_channel);
    if (exit_code != CLI_NOT_ALLOWED)
        return exit_code;
    exit_code = connect_login(connect);
    return exit_code == CLI_OK ? connect_channel_open(connect, vm, ret_channel) : exit_code;
}

int connect_again_channel(struct connect *connect, const struct json *vm, const bool *stop,
                          struct connect_channel **ret_channel)
{
    struct backoff backoff = {.first_ms = CONNECT_AGAIN_FIRST_MS, .last_ms = CONNECT_AGAIN_LAST_MS};
    int exit_code = CLI_UNREACHABLE;
    while (exit_code == CLI_UNREACHABLE && !*stop) {
        connect_again_wait(connect, &backoff, stop);
        if (*stop)
            break;
        cli_mute(true);
        exit_code = try_channel(connect, vm, ret_channel);
        cli_mute(false);
    }
    /* Once more, aloud: who is refused shall read why. */
    return exit_code == CLI_OK || *stop ? exit_code : try_channel(connect, vm, ret_channel);
}
