/*
 * The controller's tables walked, and 100,000 random events: the claims of fuzz/guest_claims.h hold at each.
 */
#include "fsm_walk.h"
#include "fuzz/guest_claims.h"
#include "tests/unit/seed.h"

enum { STEPS = 100000, SEED = 20561123 };

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

/* The straight way to ready, as the search reads it: a good place to begin from. */
static void a_straight_life_keeps_the_claims(void **unused)
{
    static const uint8_t life[][GUEST_CLAIMS_BYTES] = {
        {GUEST_ON_KEY_MADE, 0},       {GUEST_ON_PORT_BOUND, 0},          {GUEST_ON_REGISTERED, 1},
        {GUEST_ON_LINK_UP, 0},        {GUEST_ON_OWNER_AUTHENTICATED, 1}, {GUEST_ON_DRIVES_TOLD, 1},
        {GUEST_ON_UNLOCK_ASKED, 0},   {GUEST_ON_DRIVE_MOUNTED, 0},       {GUEST_ON_USERS_APPLIED, 0},
        {GUEST_ON_TERMINAL_ASKED, 0}, {GUEST_ON_CHANNEL_CLOSED, 0},
    };
    struct guest guest = {.channels = 0};
    struct fsm_fx fx;
    (void)unused;
    seed_write("guest_machine", "straight", SEED_PLAIN, life, sizeof life);
    fsm_fx_init(&fx);
    guest_begin(&guest, 1, &fx);
    for (size_t i = 0; i < sizeof life / sizeof life[0]; i++) {
        struct guest_event event = guest_claims_event(life[i]);
        assert_null(guest_claims_step(&guest, &event));
        assert_true(i != 8 || guest.head.state == GUEST_READY);
    }
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

static void claims_hold_for_random_lives(void **unused)
{
    uint32_t random = SEED;
    struct guest guest;
    struct fsm_fx fx;
    size_t visits[GUEST_STATE_COUNT] = {0};
    (void)unused;

    fsm_fx_init(&fx);
    guest_begin(&guest, 1, &fx);
    for (int i = 0; i < STEPS; i++) {
        uint32_t bits = next_random(&random);
        uint8_t bytes[GUEST_CLAIMS_BYTES] = {(uint8_t)(bits % GUEST_EVENT_COUNT), (uint8_t)(bits >> 8)};
        struct guest_event event = guest_claims_event(bytes);
        if (is_end(event.head.on) && next_random(&random) % 64)
            continue;
        const char *broken = guest_claims_step(&guest, &event);
        if (broken)
            fail_msg("step %d: %s (%s in %s)", i, broken, guest_event_name(event.head.on),
                     guest_state_name(guest.head.state));
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
        cmocka_unit_test(a_straight_life_keeps_the_claims),
        cmocka_unit_test(claims_hold_for_random_lives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
