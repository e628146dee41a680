/*
 * Status: see status.h.
 */
#include "protocol/status.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { DIGITS_MAX = 15 };

static const int64_t number_max = (INT64_C(1) << 53) - 1; /* what every JSON reader can hold */

static void write_load(struct json_writer *writer, const int64_t load[STATUS_LOADS])
{
    char number[32];
    json_write_array_begin(writer, "load");
    for (int i = 0; i < STATUS_LOADS; i++) {
        snprintf(number, sizeof number, "%" PRId64 ".%02" PRId64, load[i] / 100, load[i] % 100);
        json_write_raw(writer, NULL, number);
    }
    json_write_array_end(writer);
}

static void write_drive(struct json_writer *writer, const struct status_drive *drive)
{
    json_write_object_begin(writer, NULL);
    json_write_uuid(writer, "id", drive->id);
    json_write_text(writer, "name", drive->name);
    json_write_text(writer, "mode", drive->writer ? "writer" : "reader");
    json_write_text(writer, "status", drive->status);
    json_write_text(writer, "path", drive->path);
    json_write_int(writer, "size_kib", drive->size_kib);
    json_write_int(writer, "free_kib", drive->free_kib);
    json_write_text(writer, "code", drive->code);
    json_write_text(writer, "detail", drive->detail);
    json_write_object_end(writer);
}

void status_encode(const struct status *status, struct json_writer *writer)
{
    json_write_object_begin(writer, NULL);
    json_write_text(writer, "state", status->state);
    json_write_int(writer, "at", status->at_ms);
    json_write_int(writer, "uptime_s", status->uptime_s);
    write_load(writer, status->load_hundredths);
    json_write_object_begin(writer, "cpu");
    json_write_int(writer, "count", status->cpu_count);
    json_write_int(writer, "busy_ms", status->busy_ms);
    json_write_int(writer, "idle_ms", status->idle_ms);
    json_write_object_end(writer);
    json_write_object_begin(writer, "memory_kib");
    json_write_int(writer, "total", status->memory_kib);
    json_write_int(writer, "free", status->memory_free_kib);
    json_write_int(writer, "available", status->memory_usable_kib);
    json_write_object_end(writer);
    json_write_array_begin(writer, "drives");
    for (size_t i = 0; i < status->ndrives; i++)
        write_drive(writer, &status->drive[i]);
    json_write_array_end(writer);
    json_write_object_begin(writer, "network");
    json_write_int(writer, "rx", status->rx_bytes);
    json_write_int(writer, "tx", status->tx_bytes);
    json_write_object_end(writer);
    json_write_object_end(writer);
}

static int64_t read_count(struct json_reader *reader, const char *key)
{
    return json_read_int(reader, key, 0, number_max);
}

static void read_text(struct json_reader *reader, const char *key, char *out, size_t max)
{
    const char *text = json_read_text(reader, key);
    if (strlen(text) < max)
        memcpy(out, text, strlen(text) + 1);
    else
        json_reader_fail(reader, key);
}

/* The number at *AT in hundredths: digits, and perhaps a point and more digits, of which two count. */
static int64_t read_hundredths(struct json_reader *reader, const struct json *value)
{
    const char *at = json_kind(value) == JSON_NUMBER ? json_text(value) : "";
    size_t digits = strspn(at, "0123456789");
    int64_t number = 0;
    bool whole = digits > 0 && digits < DIGITS_MAX;
    for (size_t i = 0; whole && i < digits; i++)
        number = number * 10 + (at[i] - '0');
    const char *point = at + digits;
    size_t more = *point == '.' ? strspn(point + 1, "0123456789") : 0;
    if (!whole || (*point != '\0' && (more == 0 || point[1 + more] != '\0'))) {
        json_reader_fail(reader, "load");
        return 0;
    }
    number = number * 100 + (more > 0 ? (point[1] - '0') * 10 : 0);
    return number + (more > 1 ? point[2] - '0' : 0);
}

static void read_load(struct json_reader *reader, int64_t load[STATUS_LOADS])
{
    const struct json *list = json_read_array(reader, "load");
    if (json_count(list) != STATUS_LOADS) {
        json_reader_fail(reader, "load");
        return;
    }
    for (int i = 0; i < STATUS_LOADS; i++)
        load[i] = read_hundredths(reader, json_at(list, (size_t)i));
}

static int read_drive(const struct json *object, struct status_drive *drive)
{
    struct json_reader reader = json_reader_init(object);
    json_read_uuid(&reader, "id", drive->id);
    read_text(&reader, "name", drive->name, sizeof drive->name);
    const char *mode = json_read_text(&reader, "mode");
    drive->writer = strcmp(mode, "writer") == 0;
    if (!drive->writer && strcmp(mode, "reader") != 0)
        json_reader_fail(&reader, "mode");
    read_text(&reader, "status", drive->status, sizeof drive->status);
    read_text(&reader, "path", drive->path, sizeof drive->path);
    read_text(&reader, "code", drive->code, sizeof drive->code);
    read_text(&reader, "detail", drive->detail, sizeof drive->detail);
    drive->size_kib = read_count(&reader, "size_kib");
    drive->free_kib = read_count(&reader, "free_kib");
    return json_reader_end(&reader);
}

static void read_drives(struct json_reader *reader, struct status *status)
{
    const struct json *list = json_read_array(reader, "drives");
    status->ndrives = json_count(list);
    if (status->ndrives > STATUS_DRIVES_MAX) {
        json_reader_fail(reader, "drives");
        return;
    }
    for (size_t i = 0; i < status->ndrives; i++)
        if (read_drive(json_at(list, i), &status->drive[i]) < 0)
            json_reader_fail(reader, "drives");
}

int status_decode(const struct json *object, struct status *ret_status)
{
    struct status status = {.ndrives = 0};
    struct json_reader reader = json_reader_init(object);
    struct json_reader cpu = json_reader_init(json_read_object(&reader, "cpu"));
    struct json_reader memory = json_reader_init(json_read_object(&reader, "memory_kib"));
    struct json_reader network = json_reader_init(json_read_object(&reader, "network"));
    read_text(&reader, "state", status.state, sizeof status.state);
    status.at_ms = read_count(&reader, "at");
    status.uptime_s = read_count(&reader, "uptime_s");
    read_load(&reader, status.load_hundredths);
    read_drives(&reader, &status);
    status.cpu_count = read_count(&cpu, "count");
    status.busy_ms = read_count(&cpu, "busy_ms");
    status.idle_ms = read_count(&cpu, "idle_ms");
    status.memory_kib = read_count(&memory, "total");
    status.memory_free_kib = read_count(&memory, "free");
    status.memory_usable_kib = read_count(&memory, "available");
    status.rx_bytes = read_count(&network, "rx");
    status.tx_bytes = read_count(&network, "tx");
    if (json_reader_end(&reader) < 0 || json_reader_end(&cpu) < 0 || json_reader_end(&memory) < 0 ||
        json_reader_end(&network) < 0)
        return -EBADMSG;
    *ret_status = status;
    return 0;
}
