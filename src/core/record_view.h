/*
 * Record view: what the store keeps, as JSON for people: each tag by its name.
 *
 * In: a record's bytes. Out: JSON. Kept: nothing. Ciphertexts are shown by their length.
 */
#ifndef KILN_CORE_RECORD_VIEW_H
#define KILN_CORE_RECORD_VIEW_H

#include "protocol/json_write.h"
#include "src/core/store.h"

/* Writes {database, key, bytes, record or text or hex}; "wrong": true when the bytes make no sense. Returns
 * about how many members that are. */
unsigned record_view(struct json_writer *out, enum store_database database, const void *key,
                     size_t key_len_bytes, const void *value, size_t value_len_bytes);

#endif
