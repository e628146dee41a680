/* links: kiln_guest_machine */
/* Bytes as events of a controller's life, two an event. Claims: guest_claims.h, and that it can always be
 * shut down. */
#include "fuzz/claim.h"
#include "fuzz/guest_claims.h"

static void step(struct guest *guest, const struct guest_event *event)
{
    const char *broken = guest_claims_step(guest, event);
    if (broken)
        fprintf(stderr, "%s (%s in %s)\n", broken, guest_event_name(event->head.on),
                guest_state_name(guest->head.state));
    CLAIM(!broken);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct guest guest;
    struct guest_event end = {.head = {.on = GUEST_ON_SHUTDOWN_ASKED, .at_ms = 1}};
    struct fsm_fx fx;
    memset(&guest, 0, sizeof guest);
    fsm_fx_init(&fx);
    guest_begin(&guest, 1, &fx);
    for (size_t at = 0; at + GUEST_CLAIMS_BYTES <= size; at += GUEST_CLAIMS_BYTES) {
        struct guest_event event = guest_claims_event(data + at);
        step(&guest, &event);
    }
    step(&guest, &end);
    CLAIM(guest.head.state == GUEST_ENDING);
    return 0;
}
