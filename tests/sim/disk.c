/*
 * What kilnd has made durable: see disk.h.
 */
#include "tests/sim/disk.h"

#include <stdlib.h>
#include <string.h>

#include "tests/sim/truth.h"

enum { ROOM_FIRST = 32 };

static struct disk_table tables[STORE_DATABASE_COUNT], kept[STORE_DATABASE_COUNT];
static bool refuses;

static struct disk_entry *entry_create(const void *key, size_t key_len, const void *value, size_t value_len)
{
    struct disk_entry *entry = malloc(sizeof *entry + key_len + value_len);
    if (!entry)
        abort();
    entry->key_len = key_len;
    entry->value_len = value_len;
    entry->value = entry->key + key_len;
    memcpy(entry->key, key, key_len);
    if (value_len)
        memcpy(entry->value, value, value_len);
    return entry;
}

static void table_clear(struct disk_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        free(table->entries[i]);
    free(table->entries);
    *table = (struct disk_table){NULL, 0, 0};
}

static void table_copy(struct disk_table *to, const struct disk_table *from)
{
    table_clear(to);
    if (!from->count)
        return;
    to->count = to->room = from->count;
    to->entries = malloc(to->room * sizeof *to->entries);
    if (!to->entries)
        abort();
    for (size_t i = 0; i < from->count; i++) {
        const struct disk_entry *entry = from->entries[i];
        to->entries[i] = entry_create(entry->key, entry->key_len, entry->value, entry->value_len);
    }
}

void disk_begin(void)
{
    refuses = false;
    truth_begin();
    for (int i = 0; i < STORE_DATABASE_COUNT; i++) {
        table_copy(&tables[i], &kept[i]);
        for (size_t at = 0; at < tables[i].count; at++)
            truth_put((enum store_database)i, tables[i].entries[at]);
    }
}

void disk_keep(void)
{
    for (int i = 0; i < STORE_DATABASE_COUNT; i++)
        table_copy(&kept[i], &tables[i]);
}

void disk_end(void)
{
    for (int i = 0; i < STORE_DATABASE_COUNT; i++) {
        table_clear(&tables[i]);
        table_clear(&kept[i]);
    }
}

void disk_refuse(bool wanted)
{
    refuses = wanted;
}

bool disk_refuses(void)
{
    return refuses;
}

const struct disk_table *disk_table(enum store_database database)
{
    return &tables[database];
}

/* As LMDB orders keys: by bytes, and the shorter of two that begin alike first. */
static int compare(const struct disk_entry *entry, const void *key, size_t key_len)
{
    size_t shorter = entry->key_len < key_len ? entry->key_len : key_len;
    int order = memcmp(entry->key, key, shorter);
    return order ? order : entry->key_len < key_len ? -1 : entry->key_len > key_len;
}

size_t disk_find(const struct disk_table *table, const void *key, size_t key_len)
{
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare(table->entries[middle], key, key_len) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct disk_entry *disk_get(enum store_database database, const void *key, size_t key_len)
{
    const struct disk_table *table = &tables[database];
    size_t at = disk_find(table, key, key_len);
    bool found = at < table->count && compare(table->entries[at], key, key_len) == 0;
    return found ? table->entries[at] : NULL;
}

void disk_put(enum store_database database, const void *key, size_t key_len, const void *value,
              size_t value_len)
{
    struct disk_table *table = &tables[database];
    size_t at = disk_find(table, key, key_len);
    struct disk_entry *entry = entry_create(key, key_len, value, value_len);
    if (at < table->count && compare(table->entries[at], key, key_len) == 0) {
        free(table->entries[at]);
        table->entries[at] = entry;
    } else {
        if (table->count == table->room) {
            table->room = table->room ? table->room * 2 : ROOM_FIRST;
            table->entries = realloc(table->entries, table->room * sizeof *table->entries);
            if (!table->entries)
                abort();
        }
        memmove(table->entries + at + 1, table->entries + at, (table->count - at) * sizeof *table->entries);
        table->entries[at] = entry;
        table->count++;
    }
    truth_put(database, entry);
}

void disk_delete(enum store_database database, const void *key, size_t key_len)
{
    struct disk_table *table = &tables[database];
    size_t at = disk_find(table, key, key_len);
    if (at >= table->count || compare(table->entries[at], key, key_len) != 0)
        return;
    truth_delete(database, table->entries[at]);
    free(table->entries[at]);
    table->count--;
    memmove(table->entries + at, table->entries + at + 1, (table->count - at) * sizeof *table->entries);
}
