/*
 * Records: users, bricks and drives.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/record.h"
#include "src/core/tlv.h"

#define USER(tag, kind, member) TLV_MEMBER(tag, kind, struct user, member)
static const struct tlv_member user_members[] = {
    USER(16, TLV_TEXT, name),
    USER(17, TLV_NUMBER, role),
    USER(18, TLV_BYTES, fingerprint),
    USER(19, TLV_NUMBER, created_at_ms),
};
const struct tlv_table record_user_table = {user_members, TLV_COUNT(user_members)};

#define BRICK(tag, kind, member) TLV_MEMBER(tag, kind, struct brick, member)
static const struct tlv_member brick_members[] = {
    BRICK(16, TLV_TEXT, name),
    BRICK(17, TLV_BYTES, hash),
    BRICK(18, TLV_BYTES, image_hash),
    BRICK(19, TLV_BYTES, kernel_hash),
    BRICK(20, TLV_BYTES, initrd_hash),
    BRICK(21, TLV_TEXT, image),
    BRICK(22, TLV_TEXT, kernel),
    BRICK(23, TLV_TEXT, initrd),
    BRICK(24, TLV_TEXT, cmdline),
    BRICK(25, TLV_NUMBER, vcpus),
    BRICK(26, TLV_NUMBER, memory_mib),
    BRICK(27, TLV_BOOL, applications),
    BRICK(28, TLV_NUMBER, created_at_ms),
};
const struct tlv_table record_brick_table = {brick_members, TLV_COUNT(brick_members)};

#define DRIVE(tag, kind, member) TLV_MEMBER(tag, kind, struct drive, member)
static const struct tlv_member drive_members[] = {
    DRIVE(16, TLV_BYTES, id),        DRIVE(17, TLV_TEXT, name),    DRIVE(18, TLV_BYTES, owner),
    DRIVE(19, TLV_NUMBER, size_mib), DRIVE(20, TLV_NUMBER, state), DRIVE(21, TLV_NUMBER, created_at_ms),
};
const struct tlv_table record_drive_table = {drive_members, TLV_COUNT(drive_members)};

int record_user_encode(const struct user *user, uint8_t **ret_bytes, size_t *ret_len_bytes)
{
    struct tlv_writer writer;
    tlv_writer_init(&writer, RECORD_FORMAT);
    tlv_put(&writer, RECORD_USER_SPKI, user->spki, user->spki_len_bytes);
    tlv_put_members(&writer, user_members, TLV_COUNT(user_members), user);
    return tlv_writer_end(&writer, ret_bytes, ret_len_bytes);
}

int record_user_decode(const void *bytes, size_t len_bytes, struct user *ret_user)
{
    struct user user = {0};
    struct tlv_reader reader;
    uint16_t tag;
    const uint8_t *value;
    size_t value_len_bytes;
    int rc = tlv_reader_init(&reader, bytes, len_bytes, RECORD_FORMAT);
    if (rc)
        return rc;
    while (tlv_next(&reader, &tag, &value, &value_len_bytes)) {
        if (tag == RECORD_USER_SPKI && value_len_bytes <= sizeof user.spki) {
            memcpy(user.spki, value, value_len_bytes);
            user.spki_len_bytes = (uint16_t)value_len_bytes;
        } else if (tag == RECORD_USER_SPKI || tlv_take_member(user_members, TLV_COUNT(user_members), &user,
                                                              tag, value, value_len_bytes) < 0) {
            return -EBADMSG;
        }
    }
    if (reader.failed || user.role > USER_ADMIN)
        return -EBADMSG;
    *ret_user = user;
    return 0;
}

static void brick_timeout_put(struct tlv_writer *writer, int state, int64_t timeout_ms)
{
    uint8_t bytes[8 + 32];
    const char *name = vm_state_name(state);
    size_t name_len_bytes = strnlen(name, 32);
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)((uint64_t)timeout_ms >> (56 - 8 * i));
    memcpy(bytes + 8, name, name_len_bytes);
    tlv_put(writer, RECORD_BRICK_TIMEOUT, bytes, 8 + name_len_bytes);
}

int record_brick_encode(const struct brick *brick, uint8_t **ret_bytes, size_t *ret_len_bytes)
{
    struct tlv_writer writer;
    tlv_writer_init(&writer, RECORD_FORMAT);
    tlv_put_members(&writer, brick_members, TLV_COUNT(brick_members), brick);
    for (int state = 0; state < VM_STATE_COUNT; state++)
        if (brick->timeout_ms[state] >= 0)
            brick_timeout_put(&writer, state, brick->timeout_ms[state]);
    return tlv_writer_end(&writer, ret_bytes, ret_len_bytes);
}

static int brick_timeout_take(struct brick *brick, const uint8_t *value, size_t len_bytes)
{
    char name[33] = "";
    uint64_t timeout_ms;
    if (len_bytes < 8 || len_bytes - 8 >= sizeof name || !tlv_number(value, 8, 8, &timeout_ms))
        return -EBADMSG;
    memcpy(name, value + 8, len_bytes - 8);
    int state = vm_state_find(name);
    if (state >= 0)
        brick->timeout_ms[state] = (int64_t)timeout_ms;
    return 0;
}

int record_brick_decode(const void *bytes, size_t len_bytes, struct brick *ret_brick)
{
    struct brick brick = {0};
    struct tlv_reader reader;
    uint16_t tag;
    const uint8_t *value;
    size_t value_len_bytes;
    int rc = tlv_reader_init(&reader, bytes, len_bytes, RECORD_FORMAT);
    if (rc)
        return rc;
    for (int state = 0; state < VM_STATE_COUNT; state++)
        brick.timeout_ms[state] = -1;
    while (tlv_next(&reader, &tag, &value, &value_len_bytes)) {
        rc = tag == RECORD_BRICK_TIMEOUT ? brick_timeout_take(&brick, value, value_len_bytes)
                                         : tlv_take_member(brick_members, TLV_COUNT(brick_members), &brick,
                                                           tag, value, value_len_bytes);
        if (rc < 0)
            return rc;
    }
    if (reader.failed)
        return -EBADMSG;
    *ret_brick = brick;
    return 0;
}

int record_drive_encode(const struct drive *drive, uint8_t **ret_bytes, size_t *ret_len_bytes)
{
    struct tlv_writer writer;
    tlv_writer_init(&writer, RECORD_FORMAT);
    tlv_put_members(&writer, drive_members, TLV_COUNT(drive_members), drive);
    for (size_t i = 0; i < drive->nholders; i++) {
        uint8_t holder[VM_UUID_LEN + 1];
        memcpy(holder, drive->holders[i].vm, VM_UUID_LEN);
        holder[VM_UUID_LEN] = drive->holders[i].mode;
        tlv_put(&writer, RECORD_DRIVE_HOLDER, holder, sizeof holder);
    }
    for (size_t i = 0; i < drive->nenvelopes; i++) {
        uint8_t envelope[RECORD_HASH_LEN + RECORD_CIPHERTEXT_MAX];
        memcpy(envelope, drive->envelopes[i].user, RECORD_HASH_LEN);
        memcpy(envelope + RECORD_HASH_LEN, drive->envelopes[i].ciphertext, drive->envelopes[i].len_bytes);
        tlv_put(&writer, RECORD_DRIVE_ENVELOPE, envelope,
                (size_t)RECORD_HASH_LEN + drive->envelopes[i].len_bytes);
    }
    return tlv_writer_end(&writer, ret_bytes, ret_len_bytes);
}

static int holder_take(struct drive *drive, const uint8_t *value, size_t len_bytes)
{
    if (len_bytes != VM_UUID_LEN + 1 || drive->nholders == RECORD_HOLDERS_MAX ||
        value[VM_UUID_LEN] > VM_DRIVE_WRITER)
        return -EBADMSG;
    struct holder *holder = &drive->holders[drive->nholders++];
    memcpy(holder->vm, value, VM_UUID_LEN);
    holder->mode = value[VM_UUID_LEN];
    return 0;
}

static int envelope_take(struct drive *drive, const uint8_t *value, size_t len_bytes)
{
    if (len_bytes < RECORD_HASH_LEN || len_bytes - RECORD_HASH_LEN > RECORD_CIPHERTEXT_MAX ||
        drive->nenvelopes == RECORD_ENVELOPES_MAX)
        return -EBADMSG;
    struct envelope *envelopes =
        realloc(drive->envelopes, (drive->nenvelopes + 1) * sizeof *drive->envelopes);
    if (!envelopes)
        return -ENOMEM;
    drive->envelopes = envelopes;
    struct envelope *envelope = &envelopes[drive->nenvelopes++];
    memset(envelope, 0, sizeof *envelope);
    memcpy(envelope->user, value, RECORD_HASH_LEN);
    envelope->len_bytes = (uint16_t)(len_bytes - RECORD_HASH_LEN);
    memcpy(envelope->ciphertext, value + RECORD_HASH_LEN, envelope->len_bytes);
    return 0;
}

static int drive_read(struct tlv_reader *reader, struct drive *drive)
{
    uint16_t tag;
    const uint8_t *value;
    size_t len_bytes;
    while (tlv_next(reader, &tag, &value, &len_bytes)) {
        int rc = tag == RECORD_DRIVE_HOLDER ? holder_take(drive, value, len_bytes)
                 : tag == RECORD_DRIVE_ENVELOPE
                     ? envelope_take(drive, value, len_bytes)
                     : tlv_take_member(drive_members, TLV_COUNT(drive_members), drive, tag, value, len_bytes);
        if (rc < 0)
            return rc;
    }
    return reader->failed || drive->state > DRIVE_REMOVING ? -EBADMSG : 0;
}

int record_drive_decode(const void *bytes, size_t len_bytes, struct drive *ret_drive)
{
    struct drive drive = {0};
    struct tlv_reader reader;
    int rc = tlv_reader_init(&reader, bytes, len_bytes, RECORD_FORMAT);
    if (!rc)
        rc = drive_read(&reader, &drive);
    if (rc)
        free(drive.envelopes);
    else
        *ret_drive = drive;
    return rc;
}
