/*
 * machine_common.c - guards and acts that rows of several states of the controller share; machine_common.h
 * says what each means.
 *
 * In: record and event.   Out: the record changed, effects pushed, by acts.   Kept: nothing.
 */
#include "guest/machine_common.h"

#include <string.h>

bool guest_all_mounted(const struct guest *guest)
{
    for (int i = 0; i < guest->drives.count; i++)
        if (guest->drives.drive[i].status != GUEST_DRIVE_MOUNTED)
            return false;
    return true;
}

bool guest_when_owner(const void *record, const void *event)
{
    (void)event;
    return ((const struct guest *)record)->channels > 0;
}

bool guest_when_authenticated(const void *record, const void *event)
{
    return ((const struct guest *)record)->owned && ((const struct guest_event *)event)->count > 0;
}

bool guest_when_none_left(const void *record, const void *event)
{
    (void)record;
    return ((const struct guest_event *)event)->count == 0;
}

bool guest_when_drive(const void *record, const void *event)
{
    return guest_drive_find(record, ((const struct guest_event *)event)->drive.id) >= 0;
}

bool guest_when_owner_and_drive(const void *record, const void *event)
{
    return guest_when_owner(record, event) && guest_when_drive(record, event);
}

bool guest_when_last_try(const void *record, const void *event)
{
    (void)event;
    return ((const struct guest *)record)->failed_tries + 1 >= GUEST_TRIES_MAX;
}

static void keep_trouble(struct guest *guest, const struct guest_trouble *trouble)
{
    guest->code = trouble->code;
    fsm_text_keep(guest->detail, sizeof guest->detail, trouble->detail);
}

static void forget_trouble(struct guest *guest)
{
    guest->code = 0;
    fsm_text_keep(guest->detail, sizeof guest->detail, "");
}

void guest_act_trouble(void *record, const void *event, struct fsm_fx *fx)
{
    (void)fx;
    keep_trouble(record, &((const struct guest_event *)event)->trouble);
}

void guest_act_fail(void *record, const void *event, struct fsm_fx *fx)
{
    guest_act_trouble(record, event, fx);
    ((struct guest *)record)->exit = GUEST_EXIT_FAILED;
}

void guest_act_tell_trouble(void *record, const void *event, struct fsm_fx *fx)
{
    guest_act_trouble(record, event, fx);
    fsm_fx_push(fx, GUEST_FX_TELL_HOST, 0);
}

void guest_act_count_try(void *record, const void *event, struct fsm_fx *fx)
{
    (void)event;
    (void)fx;
    ((struct guest *)record)->failed_tries++;
}

bool guest_when_same_owner(const void *record, const void *event)
{
    const struct guest *guest = record;
    const struct guest_owner *owner = &((const struct guest_event *)event)->owner;
    return !guest->owned || !owner->known ||
           memcmp(guest->owner, owner->fingerprint, sizeof guest->owner) == 0;
}

void guest_act_registered(void *record, const void *event, struct fsm_fx *fx)
{
    struct guest *guest = record;
    const struct guest_owner *owner = &((const struct guest_event *)event)->owner;
    (void)fx;
    guest->failed_tries = 0;
    if (!owner->known)
        return;
    guest->owned = true;
    memcpy(guest->owner, owner->fingerprint, sizeof guest->owner);
}

void guest_act_link_up(void *record, const void *event, struct fsm_fx *fx)
{
    struct guest *guest = record;
    (void)event;
    (void)fx;
    guest->link_up = true;
    guest->failed_tries = 0;
}

void guest_act_channels(void *record, const void *event, struct fsm_fx *fx)
{
    ((struct guest *)record)->channels = ((const struct guest_event *)event)->count;
    fsm_fx_push(fx, GUEST_FX_TELL_HOST, 0);
}

/* What was known of a drive before the host told its list again. */
static const struct guest_drive *known_drive(const struct guest_drives *drives,
                                             const uint8_t id[GUEST_ID_LEN])
{
    for (int i = 0; i < drives->count; i++)
        if (memcmp(drives->drive[i].id, id, GUEST_ID_LEN) == 0)
            return &drives->drive[i];
    return NULL;
}

void guest_act_drives(void *record, const void *event, struct fsm_fx *fx)
{
    struct guest *guest = record;
    const struct guest_drives *told = &((const struct guest_event *)event)->drives;
    struct guest_drives before = guest->drives;
    (void)fx;
    guest->drives = *told;
    for (int i = 0; i < told->count; i++) {
        struct guest_drive *drive = &guest->drives.drive[i];
        const struct guest_drive *known = known_drive(&before, drive->id);
        drive->status = known ? known->status : GUEST_DRIVE_TOLD;
        drive->code = known ? known->code : 0;
        fsm_text_keep(drive->detail, sizeof drive->detail, known ? known->detail : "");
    }
}

static int drive_of(const struct guest *guest, const void *event)
{
    return guest_drive_find(guest, ((const struct guest_event *)event)->drive.id);
}

static void set_drive(struct guest_drive *drive, uint8_t status, int32_t code, const char *detail)
{
    drive->status = status;
    drive->code = code;
    fsm_text_keep(drive->detail, sizeof drive->detail, detail);
}

void guest_act_unlock(void *record, const void *event, struct fsm_fx *fx)
{
    struct guest *guest = record;
    int index = drive_of(guest, event);
    struct guest_drive *drive = &guest->drives.drive[index];
    if (drive->status != GUEST_DRIVE_MOUNTED)
        set_drive(drive, GUEST_DRIVE_ASKED, 0, "");
    fsm_fx_push(fx, GUEST_FX_UNLOCK, index);
}

void guest_act_mounted(void *record, const void *event, struct fsm_fx *fx)
{
    struct guest *guest = record;
    set_drive(&guest->drives.drive[drive_of(guest, event)], GUEST_DRIVE_MOUNTED, 0, "");
    fsm_fx_push(fx, GUEST_FX_TELL_HOST, 0);
    if (guest_all_mounted(guest))
        fsm_fx_push(fx, GUEST_FX_APPLY_USERS, 0);
}

void guest_act_drive_failed(void *record, const void *event, struct fsm_fx *fx)
{
    struct guest *guest = record;
    const struct guest_trouble *trouble = &((const struct guest_event *)event)->drive.trouble;
    set_drive(&guest->drives.drive[drive_of(guest, event)], GUEST_DRIVE_FAILED, trouble->code,
              trouble->detail);
    fsm_fx_push(fx, GUEST_FX_TELL_HOST, 0);
}

void guest_act_apply_users(void *record, const void *event, struct fsm_fx *fx)
{
    (void)record;
    (void)event;
    fsm_fx_push(fx, GUEST_FX_APPLY_USERS, 0);
}

void guest_act_users_applied(void *record, const void *event, struct fsm_fx *fx)
{
    (void)event;
    forget_trouble(record);
    fsm_fx_push(fx, GUEST_FX_TELL_HOST, 0);
}
