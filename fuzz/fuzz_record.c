/* links: kiln_core */
/*
 * Records of the store. Input: which kind, then its bytes. Claims: a record that is read is written to bytes
 * that read and write the same; a refused one leaves the result untouched.
 */
#include <string.h>

#include "fuzz/claim.h"
#include "src/core/record.h"

union record {
    struct vm vm;
    struct user user;
    struct brick brick;
    struct drive drive;
    struct history history;
    struct audit_entry audit;
};

/* One kind behind one face. */
struct kind {
    int (*decode)(const void *bytes, size_t len, union record *record);
    int (*encode)(const union record *record, uint8_t **bytes, size_t *len);
};

static uint64_t seq;

static int decode_vm(const void *bytes, size_t len, union record *record)
{
    return record_vm_decode(bytes, len, &record->vm, &seq);
}

static int encode_vm(const union record *record, uint8_t **bytes, size_t *len)
{
    return record_vm_encode(&record->vm, seq, bytes, len);
}

#define KIND(type, name)                                                                                     \
    static int decode_##name(const void *bytes, size_t len, union record *record)                            \
    {                                                                                                        \
        return record_##name##_decode(bytes, len, &record->name);                                            \
    }                                                                                                        \
    static int encode_##name(const union record *record, uint8_t **bytes, size_t *len)                       \
    {                                                                                                        \
        return record_##name##_encode(&record->name, bytes, len);                                            \
    }
KIND(user, user)
KIND(brick, brick)
KIND(drive, drive)
KIND(history, history)
KIND(audit_entry, audit)
#undef KIND

static const struct kind kinds[] = {{decode_vm, encode_vm},           {decode_user, encode_user},
                                    {decode_brick, encode_brick},     {decode_drive, encode_drive},
                                    {decode_history, encode_history}, {decode_audit, encode_audit}};

enum { NKINDS = sizeof kinds / sizeof kinds[0], DRIVE = 3 };

static void drop(size_t which, union record *record)
{
    if (which == DRIVE)
        free(record->drive.envelopes);
}

static void check_again(size_t which, const union record *record)
{
    static union record again;
    uint8_t *first, *second;
    size_t first_len, second_len;
    CLAIM(kinds[which].encode(record, &first, &first_len) == 0);
    CLAIM(kinds[which].decode(first, first_len, &again) == 0);
    CLAIM(kinds[which].encode(&again, &second, &second_len) == 0);
    CLAIM(first_len == second_len && memcmp(first, second, first_len) == 0);
    free(first);
    free(second);
    drop(which, &again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static union record record, untouched;
    if (size == 0)
        return 0;
    size_t which = *data % NKINDS;
    memset(&record, 0x5a, sizeof record);
    memset(&untouched, 0x5a, sizeof untouched);
    if (kinds[which].decode(data + 1, size - 1, &record) < 0) {
        CLAIM(memcmp(&record, &untouched, sizeof record) == 0);
        return 0;
    }
    check_again(which, &record);
    drop(which, &record);
    return 0;
}
