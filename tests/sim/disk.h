/*
 * What kilnd has made durable, across its lives. false_store.c writes and reads it.
 *
 * In: whole transactions. Out: values. Kept: tables of keys and values in the order of keys. What is written
 * is told to truth.h as it becomes durable.
 */
#ifndef KILN_TESTS_SIM_DISK_H
#define KILN_TESTS_SIM_DISK_H

#include "src/core/store.h"

struct disk_entry {
    size_t key_len, value_len;
    uint8_t *value;
    uint8_t key[];
};

struct disk_table {
    struct disk_entry **entries; /* owned */
    size_t count, room;
};

/* Makes the disk as it was kept, or empty when it was not. */
void disk_begin(void);
/* What is on it now is what every life begins with. */
void disk_keep(void);
/* Ends it all. */
void disk_end(void);

/* Whether writing fails, as on a full disk. */
void disk_refuse(bool refuses);
bool disk_refuses(void);

const struct disk_table *disk_table(enum store_database database);
/* Place of the first key that is not below KEY. */
size_t disk_find(const struct disk_table *table, const void *key, size_t key_len);
/* The entry of exactly this key, or NULL. */
const struct disk_entry *disk_get(enum store_database database, const void *key, size_t key_len);
void disk_put(enum store_database database, const void *key, size_t key_len, const void *value,
              size_t value_len);
void disk_delete(enum store_database database, const void *key, size_t key_len);

#endif
