/*
 * Views of bricks, drives, users and audit entries: views.h says what they are.
 */
#include "protocol/text.h"
#include "src/core/views.h"

static void write_deadlines(struct json_writer *out, const struct brick *brick)
{
    json_write_object_begin(out, "deadlines_s");
    for (int state = 0; state < VM_STATE_COUNT; state++)
        if (brick->timeout_ms[state] >= 0)
            json_write_int(out, vm_state_name(state), brick->timeout_ms[state] / 1000);
    json_write_object_end(out);
}

static void write_offer(struct json_writer *out, const struct brick *brick)
{
    json_write_text(out, "name", brick->name);
    json_write_hex(out, "hash", brick->hash, sizeof brick->hash);
    json_write_int(out, "vcpus", brick->vcpus);
    json_write_int(out, "memory_mib", brick->memory_mib);
    json_write_bool(out, "applications", brick->applications);
}

void view_brick(struct json_writer *out, const char *key, const struct brick *brick)
{
    json_write_object_begin(out, key);
    write_offer(out, brick);
    json_write_text(out, "image", brick->image);
    json_write_text(out, "kernel", brick->kernel);
    json_write_text(out, "initrd", brick->initrd);
    json_write_text(out, "cmdline", brick->cmdline);
    write_deadlines(out, brick);
    json_write_object_end(out);
}

void view_brick_offer(struct json_writer *out, const char *key, const struct brick *brick)
{
    json_write_object_begin(out, key);
    write_offer(out, brick);
    json_write_object_end(out);
}

static void write_holders(struct json_writer *out, const struct drive *drive)
{
    json_write_array_begin(out, "holders");
    for (size_t i = 0; i < drive->nholders; i++) {
        json_write_object_begin(out, NULL);
        json_write_uuid(out, "vm", drive->holders[i].vm);
        json_write_text(out, "mode", drive->holders[i].mode == VM_DRIVE_WRITER ? "writer" : "reader");
        json_write_object_end(out);
    }
    json_write_array_end(out);
}

static void write_envelopes(struct json_writer *out, const struct drive *drive, const struct caller *caller)
{
    json_write_array_begin(out, "envelopes");
    for (size_t i = 0; i < drive->nenvelopes; i++) {
        const struct envelope *envelope = &drive->envelopes[i];
        json_write_object_begin(out, NULL);
        json_write_hex(out, "for", envelope->user, sizeof envelope->user);
        if (caller_is(caller, envelope->user))
            json_write_base64(out, "ciphertext", envelope->ciphertext, envelope->len_bytes);
        json_write_object_end(out);
    }
    json_write_array_end(out);
}

void view_drive(struct json_writer *out, const char *key, const struct core *core, const struct drive *drive,
                const struct caller *caller)
{
    char name[VM_WHO_LEN];
    json_write_object_begin(out, key);
    json_write_uuid(out, "id", drive->id);
    json_write_text(out, "name", drive->name);
    json_write_text(out, "owner", view_user_name(core, drive->owner, name));
    json_write_int(out, "size_mib", (int64_t)drive->size_mib);
    write_holders(out, drive);
    write_envelopes(out, drive, caller);
    json_write_object_end(out);
}

void view_user(struct json_writer *out, const char *key, const struct user *user)
{
    json_write_object_begin(out, key);
    json_write_text(out, "name", user->name);
    json_write_text(out, "role", user->role == USER_ADMIN ? "admin" : "owner");
    json_write_hex(out, "fingerprint", user->fingerprint, sizeof user->fingerprint);
    json_write_base64(out, "public_key", user->spki, user->spki_len_bytes);
    json_write_object_end(out);
}

void view_audit(struct json_writer *out, const char *key, const struct audit_entry *entry,
                const uint8_t hash[RECORD_HASH_LEN])
{
    json_write_object_begin(out, key);
    json_write_int(out, "seq", (int64_t)entry->seq);
    json_write_int(out, "time", entry->at_ms);
    json_write_text(out, "actor", entry->actor);
    json_write_text(out, "what", entry->what);
    json_write_text(out, "object", entry->object);
    json_write_text(out, "from", entry->from);
    json_write_text(out, "to", entry->to);
    json_write_text(out, "story", entry->story);
    json_write_hex(out, "previous", entry->previous, sizeof entry->previous);
    json_write_hex(out, "hash", hash, RECORD_HASH_LEN);
    json_write_object_end(out);
}
