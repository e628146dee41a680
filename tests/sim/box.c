/*
 * The guest inside a domain: see box.h. Here: the stub and the controller's life. box_effects.c performs what
 * the controller's machine wants.
 */
#include "tests/sim/box.h"

#include <stdlib.h>
#include <string.h>

#include "guest/host_link.h"
#include "guest/registration.h"
#include "src/core/identity.h"
#include "src/io/loop.h"
#include "tests/sim/edge.h"
#include "tests/sim/false_loop.h"
#include "tests/sim/false_net.h"
#include "tests/sim/false_parts.h"
#include "tests/sim/hypervisor.h"
#include "tests/sim/life.h"

enum { HEARTBEAT_S = 10, BOOT_US = 4000000, AGAIN_US = 300000, AWAY_US = 15000000, OFF_US = 1500000 };

static void controller_start(void *arg);

struct box *box_of(struct controller *controller)
{
    struct hypervisor_domain *domain = hypervisor_find(controller->boot.uuid);
    while (domain && (!domain->box || domain->box->controller != controller))
        domain = domain->next;
    if (!domain)
        abort();
    return domain->box;
}

void controller_keep(struct controller *controller)
{
    box_of(controller)->kept = controller->secrets->kept;
}

/* ---- the controller's life ---- */

/* What a controller has read before its machine begins. The key is one of the right form that nobody has. */
static void controller_fill(struct controller *controller, struct box *box)
{
    struct kept *kept = &controller->secrets->kept;
    controller->loop = box->loop;
    controller->settings.heartbeat_s = HEARTBEAT_S;
    memcpy(controller->boot.uuid, box->id, sizeof controller->boot.uuid);
    memcpy(controller->boot.data.identity, identity_fingerprint(NULL), sizeof controller->boot.data.identity);
    identity_boot_secret(NULL, box->id, box->boot, controller->secrets->boot_secret);
    register_derive_key(controller->secrets->boot_secret, controller->secrets->registration_key);
    *kept = box->kept;
    if (kept->request.public_key_len)
        return;
    memcpy(kept->request.uuid, box->id, sizeof kept->request.uuid);
    kept->request.public_key_len = false_public_key(kept->request.public_key);
    false_bytes(kept->request.nonce_v, sizeof kept->request.nonce_v);
    strcpy(kept->request.stub_version, "sim");
    strcpy(kept->request.controller_version, "sim");
}

static void controller_start(void *arg)
{
    struct box *box = arg;
    if (box->controller || box->given_up || box->shut_down || box->silent)
        return;
    struct controller *controller = calloc(1, sizeof *controller);
    struct secrets *secrets = calloc(1, sizeof *secrets);
    struct channels *channels = calloc(1, sizeof *channels);
    if (!controller || !secrets || !channels)
        abort();
    box->controller = controller;
    controller->secrets = secrets;
    controller->channels = channels;
    channels->next_number = 1;
    controller_fill(controller, box);
    controller_keep(controller);
    if (registration_create(controller, &controller->registration) ||
        host_link_create(controller, &controller->link))
        abort();
    controller_begin(controller);
}

static void controller_free(struct box *box)
{
    struct controller *controller = box->controller;
    if (!controller)
        return;
    host_link_destroy(controller->link);
    registration_destroy(controller->registration);
    crypto_rsa_destroy(controller->owner.key);
    controller_forget_events(controller);
    if (controller->end)
        loop_timer_destroy(controller->end);
    free(controller->channels);
    free(controller->secrets);
    free(controller);
    box->controller = NULL;
}

/* What the controller had under way goes with it, and its connections are closed by the kernel. */
static void controller_kill(struct box *box)
{
    edge_guest_gone(box->id);
    controller_free(box);
    clock_cancel_owner(loop_owner(box->loop));
}

static void power_off(void *arg)
{
    const struct box *box = arg;
    struct hypervisor_domain *domain = hypervisor_find(box->id);
    if (domain)
        hypervisor_stop(domain, VIRT_EVENT_STOPPED, "the guest shut itself down");
}

static void again(struct box *box, int64_t in_us)
{
    clock_after(in_us, controller_start, box, loop_owner(box->loop));
}

/* As guest/stub.c does. */
void box_controller_ended(struct box *box, int status)
{
    controller_kill(box);
    if (status == HANDOVER_SHUTDOWN) {
        box->shut_down = true;
        clock_after(chance_delay_us(CHANCE_GUEST, OFF_US), power_off, box, loop_owner(box->loop));
    } else if (status == HANDOVER_FAILED) {
        box->given_up = true;
    } else {
        again(box, status == HANDOVER_UNREACHABLE ? AWAY_US : AGAIN_US);
    }
}

void box_crash(struct box *box)
{
    if (!box->controller)
        return;
    controller_kill(box);
    again(box, AGAIN_US);
}

/* ---- the guest's life ---- */

struct box *box_create(const uint8_t id[GUEST_ID_LEN], uint32_t boot)
{
    struct box *box = calloc(1, sizeof *box);
    if (!box || loop_create(&box->loop))
        abort();
    memcpy(box->id, id, sizeof box->id);
    box->boot = boot;
    life_box_fill(box);
    again(box, chance_delay_us(CHANCE_GUEST, BOOT_US));
    return box;
}

void box_destroy(struct box *box)
{
    if (!box)
        return;
    edge_guest_gone(box->id);
    false_net_abrupt(true);
    controller_free(box);
    false_net_abrupt(false);
    loop_destroy(box->loop);
    free(box);
}

void box_freeze(struct box *box, bool frozen)
{
    loop_owner(box->loop)->frozen = frozen;
}

void box_reboot(struct box *box)
{
    controller_kill(box);
    memset(&box->kept, 0, sizeof box->kept);
    box->nmounted = 0;
    box->given_up = box->shut_down = false;
    again(box, chance_delay_us(CHANCE_GUEST, BOOT_US));
}

bool box_is_mounted(const struct box *box, const uint8_t drive[GUEST_ID_LEN])
{
    for (unsigned i = 0; i < box->nmounted; i++)
        if (memcmp(box->mounted[i], drive, GUEST_ID_LEN) == 0)
            return true;
    return false;
}
