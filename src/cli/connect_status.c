/*
 * kiln-connect status: what a VM says of itself: processors, memory, drives, network; once, or again and
 * again.
 *
 * In: a VM's readings. Out: lines, in which two readings make a rate. Kept: the last reading.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "protocol/status.h"
#include "src/cli/connect_pair.h"
#include "src/io/loop.h"

enum { EVERY_MS = 2000, AMOUNT_BYTES = 32, NAME_WIDTH = 10 };

/* "17 B", "4.2 KiB", "1.0 GiB". */
static const char *amount(int64_t bytes, char to[AMOUNT_BYTES])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double number = (double)(bytes > 0 ? bytes : 0);
    size_t unit = 0;
    for (; number >= 1024 && unit + 1 < sizeof units / sizeof *units; unit++)
        number /= 1024;
    snprintf(to, AMOUNT_BYTES, unit == 0 ? "%.0f %s" : "%.1f %s", number, units[unit]);
    return to;
}

/* Parts of a hundred between two readings of counters; -1 when they tell nothing. */
static int busy_percent(const struct status *before, const struct status *now)
{
    int64_t busy = now->busy_ms - before->busy_ms, idle = now->idle_ms - before->idle_ms;
    return busy < 0 || idle < 0 || busy + idle == 0 ? -1 : (int)(busy * 100 / (busy + idle));
}

/* Bytes a second, never less than none: a VM that booted again counts from 0. */
static int64_t rate(int64_t before, int64_t now, int64_t span_ms)
{
    return span_ms <= 0 || now < before ? 0 : (int64_t)((double)(now - before) * 1000 / (double)span_ms);
}

static void print_drive(const struct status_drive *drive)
{
    char line[STATUS_DETAIL_BYTES * 3], used[AMOUNT_BYTES], size[AMOUNT_BYTES];
    int len = snprintf(line, sizeof line, "%s, %s, %s", drive->name, drive->writer ? "writer" : "reader",
                       drive->status);
    if (*drive->path)
        snprintf(line + len, sizeof line - (size_t)len, " at %s, %s of %s used", drive->path,
                 amount((drive->size_kib - drive->free_kib) * 1024, used),
                 amount(drive->size_kib * 1024, size));
    else if (*drive->code)
        snprintf(line + len, sizeof line - (size_t)len, ": %s %s", drive->code, drive->detail);
    cli_print_row("drive", NAME_WIDTH, line);
}

static void print_status(const struct status *status)
{
    char line[128], one[AMOUNT_BYTES], two[AMOUNT_BYTES], time[CLI_TIME_BYTES];
    const int64_t *load = status->load_hundredths;
    cli_print_row("state", NAME_WIDTH, status->state);
    cli_print_row("up", NAME_WIDTH, cli_span_text(status->uptime_s * 1000, time));
    snprintf(line, sizeof line, "%" PRId64 ", load %" PRId64 ".%02d %" PRId64 ".%02d %" PRId64 ".%02d",
             status->cpu_count, load[0] / 100, (int)(load[0] % 100), load[1] / 100, (int)(load[1] % 100),
             load[2] / 100, (int)(load[2] % 100));
    cli_print_row("processors", NAME_WIDTH, line);
    snprintf(line, sizeof line, "%s of %s used",
             amount((status->memory_kib - status->memory_usable_kib) * 1024, one),
             amount(status->memory_kib * 1024, two));
    cli_print_row("memory", NAME_WIDTH, line);
    snprintf(line, sizeof line, "%s received, %s sent", amount(status->rx_bytes, one),
             amount(status->tx_bytes, two));
    cli_print_row("network", NAME_WIDTH, line);
    for (size_t i = 0; i < status->ndrives; i++)
        print_drive(&status->drive[i]);
}

/* One line of what goes on, between two readings. */
static void print_rates(const struct status *before, const struct status *now)
{
    char memory[AMOUNT_BYTES], rx[AMOUNT_BYTES], tx[AMOUNT_BYTES], time[CLI_TIME_BYTES], busy[16] = "-";
    int64_t span_ms = now->at_ms - before->at_ms;
    int percent = busy_percent(before, now);
    if (percent >= 0)
        snprintf(busy, sizeof busy, "%d %%", percent);
    printf("%s  processors %5s  memory %10s  received %10s/s  sent %10s/s\n", cli_time_text(now->at_ms, time),
           busy, amount((now->memory_kib - now->memory_usable_kib) * 1024, memory),
           amount(rate(before->rx_bytes, now->rx_bytes, span_ms), rx),
           amount(rate(before->tx_bytes, now->tx_bytes, span_ms), tx));
    fflush(stdout);
}

static int ask(struct connect *connect, struct connect_channel *channel, struct status *ret_status)
{
    struct json *answer;
    int exit_code = connect_channel_call(channel, "status", NULL, &answer);
    if (exit_code != CLI_OK)
        return exit_code;
    int error = status_decode(answer, ret_status);
    if (error == 0 && connect->json) {
        connect_print_json(answer);
        fflush(stdout);
    }
    json_destroy(answer);
    return error < 0 ? cli_unreachable_error("the VM's status is malformed") : CLI_OK;
}

static int watch(struct connect *connect, struct connect_channel *channel, struct status *status)
{
    for (;;) {
        struct status before = *status;
        connect_pause(connect, EVERY_MS);
        int exit_code = ask(connect, channel, status);
        if (exit_code != CLI_OK)
            return exit_code;
        if (!connect->json)
            print_rates(&before, status);
    }
}

int connect_status_run(struct connect *connect, int argc, char **argv)
{
    struct cli_words words;
    struct connect_channel *channel;
    struct status status;
    struct json *vm;
    bool again = false;
    const struct cli_option options[] = {CLI_FLAG("--watch", &again), CLI_END};
    int exit_code = cli_words_read(argc, argv, options, 1, 1, &words);
    if (exit_code == CLI_OK)
        exit_code = connect_pair_begin(connect, words.word[0], &vm, &channel);
    if (exit_code != CLI_OK)
        return exit_code;
    exit_code = ask(connect, channel, &status);
    if (exit_code == CLI_OK && !connect->json)
        print_status(&status);
    if (exit_code == CLI_OK && again)
        exit_code = watch(connect, channel, &status);
    connect_channel_close(channel);
    json_destroy(vm);
    return exit_code;
}
