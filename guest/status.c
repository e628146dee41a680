/*
 * Status: see status.h.
 */
#include "guest/status.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "guest/controller.h"
#include "guest/counters.h"
#include "guest/drive.h"
#include "src/io/loop.h"

#define LOAD_SCALE 65536 /* of sysinfo(2) */
#define FILE_MAX 16384   /* the lines that count stand first */

/* What is there of PATH; "" when it cannot be read. */
static void read_file(const char *path, char ret_text[FILE_MAX])
{
    size_t len = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    for (ssize_t got = fd < 0 ? 0 : 1; got > 0 && len < FILE_MAX - 1;) {
        got = read(fd, ret_text + len, FILE_MAX - 1 - len);
        len += got > 0 ? (size_t)got : 0;
    }
    if (fd >= 0)
        close(fd);
    ret_text[len] = '\0';
}

static void read_system(struct status *status)
{
    struct sysinfo info = {0};
    sysinfo(&info);
    status->uptime_s = info.uptime;
    for (int i = 0; i < STATUS_LOADS; i++)
        status->load_hundredths[i] = (int64_t)(info.loads[i] * 100 / LOAD_SCALE);
}

static void read_counters(struct status *status)
{
    char text[FILE_MAX];
    uint64_t rx, tx;
    int64_t tick_ms = 1000 / sysconf(_SC_CLK_TCK);
    read_file("/proc/stat", text);
    struct counters_cpu cpu = counters_cpu(text);
    status->cpu_count = sysconf(_SC_NPROCESSORS_ONLN);
    status->busy_ms = (int64_t)cpu.busy * tick_ms;
    status->idle_ms = (int64_t)cpu.idle * tick_ms;
    read_file("/proc/meminfo", text);
    status->memory_kib = (int64_t)counters_memory_kib(text, "MemTotal");
    status->memory_free_kib = (int64_t)counters_memory_kib(text, "MemFree");
    status->memory_usable_kib = (int64_t)counters_memory_kib(text, "MemAvailable");
    read_file("/proc/net/dev", text);
    counters_network(text, &rx, &tx);
    status->rx_bytes = (int64_t)rx;
    status->tx_bytes = (int64_t)tx;
}

static void read_drive(const struct guest_drive *drive, struct status_drive *ret_drive)
{
    const struct code_info *info = code_info((enum kiln_code)drive->code);
    struct status_drive found = {.writer = drive->writer};
    char path[DRIVE_PATH_MAX];
    struct statvfs fs = {0};
    drive_path(drive->name, path);
    if (drive->status == GUEST_DRIVE_MOUNTED && statvfs(path, &fs) == 0) {
        found.size_kib = (int64_t)((uint64_t)fs.f_blocks * fs.f_frsize / 1024);
        found.free_kib = (int64_t)((uint64_t)fs.f_bavail * fs.f_frsize / 1024);
    }
    memcpy(found.id, drive->id, sizeof found.id);
    snprintf(found.name, sizeof found.name, "%s", drive->name);
    snprintf(found.path, sizeof found.path, "%s", drive->status == GUEST_DRIVE_MOUNTED ? path : "");
    snprintf(found.status, sizeof found.status, "%s", guest_drive_status_name(drive->status));
    snprintf(found.code, sizeof found.code, "%s", info != NULL ? info->name : "");
    snprintf(found.detail, sizeof found.detail, "%s", drive->detail);
    *ret_drive = found;
}

const struct status *status_read(struct controller *controller)
{
    const struct guest *guest = &controller->machine;
    struct status_reading *reading = &controller->reading;
    struct status *status = &reading->status;
    int64_t now_ms = loop_monotonic_ms();
    /* What the machine knows is told as it is now, however often it is asked for. */
    snprintf(status->state, sizeof status->state, "%s", guest_state_name(guest->head.state));
    status->ndrives = (size_t)guest->drives.count;
    for (int i = 0; i < guest->drives.count; i++)
        read_drive(&guest->drives.drive[i], &status->drive[i]);
    if (reading->taken_ms > 0 && now_ms - reading->taken_ms < STATUS_AGE_MS)
        return status;
    reading->taken_ms = now_ms;
    status->at_ms = loop_wall_ms();
    read_system(status);
    read_counters(status);
    return status;
}
