/*
 * state_ready.c - usable: sshd answers on port 22, and an owner on a channel gets terminals and the right to
 * log in.
 */
#include "guest/machine_common.h"

static void enter(const void *record, struct fsm_fx *fx)
{
    (void)record;
    fsm_fx_push(fx, GUEST_FX_OPEN_GATE, 0);
    fsm_fx_push(fx, GUEST_FX_TELL_HOST, 0);
}

static void leave(const void *record, struct fsm_fx *fx)
{
    (void)record;
    fsm_fx_push(fx, GUEST_FX_CLOSE_GATE, 0);
    fsm_fx_push(fx, GUEST_FX_WIPE_KEYS, 0);
}

static void authorize_ssh(void *record, const void *event, struct fsm_fx *fx)
{
    (void)record;
    (void)event;
    fsm_fx_push(fx, GUEST_FX_AUTHORIZE_SSH, 0);
}

static void open_terminal(void *record, const void *event, struct fsm_fx *fx)
{
    (void)record;
    (void)event;
    fsm_fx_push(fx, GUEST_FX_OPEN_TERMINAL, 0);
}

static const struct fsm_row rows[] = {
    {GUEST_ON_SSH_ASKED, guest_when_owner, authorize_ssh, FSM_STAY, "the owner brings a key to log in with"},
    {GUEST_ON_TERMINAL_ASKED, guest_when_owner, open_terminal, FSM_STAY, "the owner opens a terminal"},
    {GUEST_ON_USERS_ASKED, guest_when_owner, guest_act_apply_users, FSM_STAY,
     "the owner changed the user database"},
    {GUEST_ON_USERS_APPLIED, NULL, guest_act_users_applied, FSM_STAY, "the users are as the database says"},
    {GUEST_ON_USERS_FAILED, NULL, guest_act_tell_trouble, FSM_STAY,
     "the new database is refused; the users stay as they were"},
    {GUEST_ON_DRIVES_TOLD, NULL, guest_act_drives, FSM_STAY, "the host tells of the drives again"},
    {GUEST_ON_UNLOCK_ASKED, guest_when_owner_and_drive, guest_act_unlock, FSM_STAY,
     "the owner sent a drive's key"},
    {GUEST_ON_DRIVE_MOUNTED, guest_when_drive, guest_act_mounted, FSM_STAY, "a drive is mounted"},
    {GUEST_ON_DRIVE_FAILED, guest_when_drive, guest_act_drive_failed, FSM_STAY, "a drive failed"},
};

const struct fsm_state guest_state_ready = {
    .name = "ready",
    .story = "usable",
    .enter = enter,
    .leave = leave,
    FSM_ROWS(rows),
};
