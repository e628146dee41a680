/*
 * The controller's tables walked, and 100,000 random events: what must hold at each step of any life.
 */
#include "fsm_walk.h"
#include "guest/machine.h"

enum { STEPS = 100000, SEED = 20561123, FX_MAX = 8 };

static void tables_hold(void **unused)
{
    (void)unused;
    walk_machine(&guest_machine);
}

static void names_are_there(void **unused)
{
    (void)unused;
    assert_string_equal(guest_state_name(GUEST_PORT_BOUND), "port-bound");
    assert_null(guest_state_name(GUEST_STATE_COUNT));
    assert_string_equal(guest_event_name(GUEST_ON_UNLOCK_ASKED), "unlock-asked");
    assert_null(guest_event_name(-1));
    assert_string_equal(guest_effect_name(GUEST_FX_EXIT), "exit");
    assert_null(guest_effect_name(GUEST_EFFECT_COUNT));
    assert_string_equal(guest_drive_status_name(GUEST_DRIVE_MOUNTED), "mounted");
    assert_null(guest_drive_status_name(GUEST_DRIVE_STATUS_COUNT));
}

/* What was known of a drive follows its id, not its place in the list. */
static void a_new_list_keeps_what_is_known(void **unused)
{
    struct guest guest = {.head = {.state = GUEST_UNLOCKING}, .drives = {.count = 2}};
    struct guest_event event = {.head = {.on = GUEST_ON_DRIVES_TOLD, .at_ms = 1}, .drives = {.count = 3}};
    struct fsm_fx fx;
    (void)unused;
    fsm_fx_init(&fx);
    guest.drives.drive[0].id[0] = 7;
    guest.drives.drive[0].status = GUEST_DRIVE_MOUNTED;
    guest.drives.drive[1].id[0] = 8;
    guest.drives.drive[1].status = GUEST_DRIVE_FAILED;
    guest.drives.drive[1].code = 1402;
    event.drives.drive[0].id[0] = 8;
    event.drives.drive[1].id[0] = 9;
    event.drives.drive[2].id[0] = 7;
    assert_non_null(guest_step(&guest, &event, &fx));
    assert_int_equal(guest.drives.count, 3);
    assert_int_equal(guest.drives.drive[0].status, GUEST_DRIVE_FAILED);
    assert_int_equal(guest.drives.drive[0].code, 1402);
    assert_int_equal(guest.drives.drive[1].status, GUEST_DRIVE_TOLD);
    assert_int_equal(guest.drives.drive[2].status, GUEST_DRIVE_MOUNTED);
}

/* xorshift32 (Marsaglia): the same events on every machine. */
static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static bool is_end(int on)
{
    return on == GUEST_ON_FATAL || on == GUEST_ON_SHUTDOWN_ASKED || on == GUEST_ON_UPDATE_AVAILABLE ||
           on == GUEST_ON_PORT_TAKEN || on == GUEST_ON_REGISTRATION_REFUSED;
}

static struct guest_event random_event(uint32_t *random)
{
    struct guest_event event;
    uint32_t bits = next_random(random);
    memset(&event, 0, sizeof event);
    event.head.on = (int)(bits % GUEST_EVENT_COUNT);
    event.head.at_ms = 1;
    switch (event.head.on) {
    case GUEST_ON_REGISTERED:
    case GUEST_ON_ASSIGNED:
        event.owner.known = bits >> 8 & 1;
        event.owner.fingerprint[0] = bits >> 9 & 3;
        break;
    case GUEST_ON_DRIVES_TOLD:
        event.drives.count = (bits >> 8) % 3;
        for (int i = 0; i < event.drives.count; i++)
            event.drives.drive[i].id[0] = (uint8_t)i;
        break;
    case GUEST_ON_OWNER_AUTHENTICATED:
    case GUEST_ON_CHANNEL_CLOSED:
        event.count = (bits >> 8) % 3;
        break;
    default:
        event.drive.id[0] = (bits >> 8) % 3;
    }
    return event;
}

static bool wants(const struct fsm_fx *fx, int what)
{
    for (int which = 0; which < GUEST_DRIVES_MAX; which++)
        if (fsm_fx_has(fx, what, which))
            return true;
    return false;
}

/* What a taken row may have done. */
static void check_taken(const struct guest *was, const struct guest *guest, const struct fsm_fx *fx)
{
    assert_false(fx->overflow);
    assert_in_range(fx->count, 0, FX_MAX);
    assert_int_not_equal(was->head.state, GUEST_ENDING);
    if (was->owned) {
        assert_true(guest->owned);
        assert_memory_equal(was->owner, guest->owner, sizeof was->owner);
    }
    if (wants(fx, GUEST_FX_UNLOCK) || fsm_fx_has(fx, GUEST_FX_OPEN_TERMINAL, 0) ||
        fsm_fx_has(fx, GUEST_FX_AUTHORIZE_SSH, 0))
        assert_true(was->owned && was->channels > 0);
    if (fsm_fx_has(fx, GUEST_FX_OPEN_TERMINAL, 0) || fsm_fx_has(fx, GUEST_FX_AUTHORIZE_SSH, 0))
        assert_int_equal(guest->head.state, GUEST_READY);
    if (guest->head.state == GUEST_READY && was->head.state != GUEST_READY)
        for (int i = 0; i < guest->drives.count; i++)
            assert_int_equal(guest->drives.drive[i].status, GUEST_DRIVE_MOUNTED);
    if (was->head.state == GUEST_READY && guest->head.state != GUEST_READY)
        assert_true(fsm_fx_has(fx, GUEST_FX_CLOSE_GATE, 0) && fsm_fx_has(fx, GUEST_FX_WIPE_KEYS, 0));
    if (was->head.state == GUEST_UNLOCKING && guest->head.state != GUEST_UNLOCKING)
        assert_true(fsm_fx_has(fx, GUEST_FX_WIPE_KEYS, 0));
    if (guest->head.state == GUEST_ENDING)
        assert_int_not_equal(guest->exit, GUEST_EXIT_NONE);
}

static void claims_hold_for_random_lives(void **unused)
{
    uint32_t random = SEED;
    struct guest guest, was;
    struct fsm_fx fx;
    size_t visits[GUEST_STATE_COUNT] = {0};
    (void)unused;

    fsm_fx_init(&fx);
    guest_begin(&guest, 1, &fx);
    for (int i = 0; i < STEPS; i++) {
        struct guest_event event = random_event(&random);
        if (is_end(event.head.on) && next_random(&random) % 64)
            continue;
        memcpy(&was, &guest, sizeof was);
        fsm_fx_init(&fx);
        if (guest_step(&guest, &event, &fx)) {
            check_taken(&was, &guest, &fx);
        } else {
            assert_int_equal(fx.count, 0);
            assert_memory_equal(&was, &guest, sizeof was);
        }
        visits[guest.head.state]++;
        if (guest.head.state == GUEST_ENDING && next_random(&random) % 8 == 0)
            guest_begin(&guest, 1, &fx);
    }
    for (int i = 0; i < GUEST_STATE_COUNT; i++)
        assert_in_range(visits[i], 50, STEPS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_hold),
        cmocka_unit_test(names_are_there),
        cmocka_unit_test(a_new_list_keeps_what_is_known),
        cmocka_unit_test(claims_hold_for_random_lives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
