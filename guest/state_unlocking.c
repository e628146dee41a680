/*
 * state_unlocking.c - the drives are here: each is unlocked with the key that the owner sends and mounted;
 * then the users are made. One that fails is told and can be asked again; one that is found mounted needs no
 * key.
 */
#include "guest/machine_common.h"

static void enter(const void *record, struct fsm_fx *fx)
{
    const struct guest *guest = record;
    fsm_fx_push(fx, GUEST_FX_TELL_HOST, 0);
    fsm_fx_push(fx, GUEST_FX_CHECK_DRIVES, 0);
    if (guest_all_mounted(guest))
        fsm_fx_push(fx, GUEST_FX_APPLY_USERS, 0);
}

static void leave(const void *record, struct fsm_fx *fx)
{
    (void)record;
    fsm_fx_push(fx, GUEST_FX_WIPE_KEYS, 0);
}

static bool all_mounted(const void *record, const void *event)
{
    (void)event;
    return guest_all_mounted(record);
}

static bool owner_and_all_mounted(const void *record, const void *event)
{
    return guest_when_owner(record, event) && guest_all_mounted(record);
}

static const struct fsm_row rows[] = {
    {GUEST_ON_USERS_APPLIED, all_mounted, guest_act_users_applied, GUEST_READY,
     "the drives are mounted and the users made"},
    {GUEST_ON_USERS_FAILED, NULL, guest_act_tell_trouble, FSM_STAY,
     "the users could not be made; the owner can correct the database"},
    {GUEST_ON_USERS_ASKED, owner_and_all_mounted, guest_act_apply_users, FSM_STAY,
     "the owner asks for the users again"},
    {GUEST_ON_DRIVES_TOLD, NULL, guest_act_drives, FSM_AGAIN, "the host tells of the drives again"},
    {GUEST_ON_UNLOCK_ASKED, guest_when_owner_and_drive, guest_act_unlock, FSM_STAY,
     "the owner sent a drive's key"},
    {GUEST_ON_DRIVE_MOUNTED, guest_when_drive, guest_act_mounted, FSM_STAY, "a drive is mounted"},
    {GUEST_ON_DRIVE_FAILED, guest_when_drive, guest_act_drive_failed, FSM_STAY,
     "a drive could not be unlocked or mounted"},
};

const struct fsm_state guest_state_unlocking = {
    .name = "unlocking",
    .story = "the owner's keys, the mounts and the users are awaited",
    .enter = enter,
    .leave = leave,
    FSM_ROWS(rows),
};
