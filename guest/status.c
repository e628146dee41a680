/*
 * Status: see status.h.
 */
#include "guest/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>

#include "guest/controller.h"
#include "guest/drive.h"
#include "protocol/json_write.h"

#define LOAD_SCALE 65536.0 /* of sysinfo(2) */

static void write_system(struct json_writer *writer)
{
    struct sysinfo info = {0};
    char number[32];
    sysinfo(&info);
    json_write_int(writer, "uptime_s", info.uptime);
    json_write_array_begin(writer, "load");
    for (int i = 0; i < 3; i++) {
        snprintf(number, sizeof number, "%.2f", (double)info.loads[i] / LOAD_SCALE);
        json_write_raw(writer, NULL, number);
    }
    json_write_array_end(writer);
    json_write_object_begin(writer, "memory_kib");
    json_write_int(writer, "total", (int64_t)((uint64_t)info.totalram * info.mem_unit / 1024));
    json_write_int(writer, "free", (int64_t)((uint64_t)info.freeram * info.mem_unit / 1024));
    json_write_object_end(writer);
}

/* Bytes of all cards but loopback, as /proc/net/dev counts them. */
static void write_network(struct json_writer *writer)
{
    char line[512], name[64];
    uint64_t rx = 0, tx = 0, one_rx, one_tx;
    FILE *file = fopen("/proc/net/dev", "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, " %63[^:]: %" SCNu64 " %*u %*u %*u %*u %*u %*u %*u %" SCNu64, name, &one_rx,
                   &one_tx) == 3 &&
            strcmp(name, "lo") != 0) {
            rx += one_rx;
            tx += one_tx;
        }
    if (file != NULL)
        fclose(file);
    json_write_object_begin(writer, "network");
    json_write_int(writer, "rx", (int64_t)rx);
    json_write_int(writer, "tx", (int64_t)tx);
    json_write_object_end(writer);
}

void status_write_drive(struct json_writer *writer, const struct guest_drive *drive)
{
    const struct code_info *info = code_info((enum kiln_code)drive->code);
    char path[DRIVE_PATH_MAX];
    struct statvfs fs = {0};
    bool mounted = drive->status == GUEST_DRIVE_MOUNTED;
    drive_path(drive->name, path);
    if (mounted)
        statvfs(path, &fs);
    json_write_object_begin(writer, NULL);
    json_write_uuid(writer, "id", drive->id);
    json_write_text(writer, "name", drive->name);
    json_write_text(writer, "mode", drive->writer ? "writer" : "reader");
    json_write_text(writer, "status", guest_drive_status_name(drive->status));
    json_write_text(writer, "path", mounted ? path : "");
    json_write_int(writer, "size_kib", (int64_t)((uint64_t)fs.f_blocks * fs.f_frsize / 1024));
    json_write_int(writer, "free_kib", (int64_t)((uint64_t)fs.f_bavail * fs.f_frsize / 1024));
    json_write_text(writer, "code", info != NULL ? info->name : "");
    json_write_text(writer, "detail", drive->detail);
    json_write_object_end(writer);
}

void status_write(struct json_writer *writer, const struct controller *controller)
{
    const struct guest *guest = &controller->machine;
    json_write_object_begin(writer, NULL);
    json_write_text(writer, "state", guest_state_name(guest->head.state));
    write_system(writer);
    json_write_array_begin(writer, "drives");
    for (int i = 0; i < guest->drives.count; i++)
        status_write_drive(writer, &guest->drives.drive[i]);
    json_write_array_end(writer);
    write_network(writer);
    json_write_object_end(writer);
}
