/*
 * Status: what a VM says of itself over its channel (README 7.8). In: a struct or JSON. Out: the other.
 * Nothing is kept.
 */
#ifndef KILN_PROTOCOL_STATUS_H
#define KILN_PROTOCOL_STATUS_H

#include "protocol/json.h"

enum {
    STATUS_DRIVES_MAX = 8,
    STATUS_LOADS = 3,
    STATUS_TEXT_BYTES = 33,
    STATUS_NAME_BYTES = 65,
    STATUS_DETAIL_BYTES = 257
};

struct status_drive {
    uint8_t id[UUID_BYTES];
    char name[STATUS_NAME_BYTES];
    bool writer;                    /* else a reader */
    char status[STATUS_TEXT_BYTES]; /* "mounted" */
    char path[STATUS_DETAIL_BYTES]; /* "" when it is not mounted */
    char code[STATUS_TEXT_BYTES];   /* of the last failure, "" for none */
    char detail[STATUS_DETAIL_BYTES];
    int64_t size_kib, free_kib; /* 0 when it is not mounted */
};

struct status {
    char state[STATUS_TEXT_BYTES];
    int64_t at_ms, uptime_s;
    int64_t load_hundredths[STATUS_LOADS]; /* of 1, 5 and 15 minutes */
    int64_t cpu_count, busy_ms, idle_ms;   /* times of all processors, since boot */
    int64_t memory_kib, memory_free_kib,
        memory_usable_kib;      /* usable: free, or kept for what can be read again */
    int64_t rx_bytes, tx_bytes; /* of all cards but loopback, since boot */
    size_t ndrives;
    struct status_drive drive[STATUS_DRIVES_MAX];
};

void status_encode(const struct status *status, struct json_writer *writer);
/* -EBADMSG; RET_STATUS is written on success only. */
int status_decode(const struct json *object, struct status *ret_status);

#endif
