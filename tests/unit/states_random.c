/*
 * Seeded random events, 100,000 of them: the claims of fuzz/vm_claims.h hold at each step, and the walk goes
 * everywhere.
 */
#include "fsm_walk.h"
#include "fuzz/vm_claims.h"
#include "tests/unit/seed.h"

enum { STEPS = 100000, SEED = 20561122 };

/* xorshift32 (Marsaglia): the same events on every machine. */
static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Ends are rare, so that lives are long enough to reach every state. */
static bool is_too_early(const struct vm_event *event, uint32_t chance)
{
    switch (event->head.on) {
    case VM_ON_DESTROY_ASKED:
    case VM_ON_DOMAIN_GONE:
    case VM_ON_DOMAIN_FAILED:
    case VM_ON_VOLUME_FAILED:
    case VM_ON_GUEST_FAILED:
    case VM_ON_TIMEOUT:
        return chance % 32 != 0;
    default:
        return false;
    }
}

static void claims_hold_for_random_lives(void **unused)
{
    uint32_t random = SEED;
    int64_t now_ms = 1000;
    struct vm vm;
    struct fsm_fx fx;
    size_t visits[VM_STATE_COUNT] = {0};
    (void)unused;

    vm_claims_begin(&vm, 0xff, &fx);
    for (int i = 0; i < STEPS; i++) {
        uint32_t bits = next_random(&random);
        uint8_t bytes[VM_CLAIMS_BYTES] = {(uint8_t)bits, (uint8_t)(bits >> 8) % 20, (uint8_t)(bits >> 16),
                                          (uint8_t)(bits >> 24)};
        struct vm_event event = vm_claims_event(bytes, &now_ms);
        if (is_too_early(&event, next_random(&random)))
            continue;
        const char *broken = vm_claims_step(&vm, &event);
        if (broken)
            fail_msg("step %d: %s (%s in %s)", i, broken, vm_event_name(event.head.on),
                     vm_state_name(vm.head.state));
        visits[vm.head.state]++;
        if (vm.head.state == VM_DESTROYED && next_random(&random) % 16 == 0) {
            vm_claims_begin(&vm, (uint8_t)next_random(&random), &fx);
            now_ms = 1000;
        }
    }
    for (int i = 0; i < VM_STATE_COUNT; i++)
        assert_in_range(visits[i], 50, STEPS);
}

/* The straight way from an order to its end, as the search reads it: a good place to begin from. */
static void a_straight_life_keeps_the_claims(void **unused)
{
    static const uint8_t life[][VM_CLAIMS_BYTES] = {
        {VM_ON_VOLUME_READY},        {VM_ON_DOMAIN_UP},
        {VM_ON_REGISTERED, 0, 0, 1}, {VM_ON_LINK_UP},
        {VM_ON_PAIRED, 0, 1},        {VM_ON_DRIVE_ATTACHED},
        {VM_ON_DRIVES_ATTACHED},     {VM_ON_DRIVE_STATUS, 0, 0, VM_DRIVE_MOUNTED},
        {VM_ON_GUEST_READY},         {VM_ON_BRIDGE_OPENED, 0, 1},
        {VM_ON_BRIDGE_CLOSED},       {VM_ON_DESTROY_ASKED},
    };
    static const int states[] = {VM_IMAGE_CREATED, VM_BOOTED,      VM_REGISTERED,      VM_REGISTERED,
                                 VM_PAIRED,        VM_PAIRED,      VM_DRIVES_ATTACHED, VM_DRIVES_ATTACHED,
                                 VM_READY,         VM_SSH_PROXIED, VM_READY,           VM_DESTROYED};
    const int kind = 1 + 4 + 8; /* a drive, an owner, applications */
    int64_t now_ms = 1000;
    struct vm vm;
    struct fsm_fx fx;
    (void)unused;
    seed_write("vm_machine", "straight", kind, life, sizeof life);
    vm_claims_begin(&vm, kind, &fx);
    for (size_t i = 0; i < sizeof life / sizeof life[0]; i++) {
        struct vm_event event = vm_claims_event(life[i], &now_ms);
        assert_null(vm_claims_step(&vm, &event));
        assert_int_equal(vm.head.state, states[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(claims_hold_for_random_lives),
                                       cmocka_unit_test(a_straight_life_keeps_the_claims)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
