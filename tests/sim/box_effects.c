/*
 * The guest inside a domain: what the controller's machine wants. Registration, link and what the host is
 * told are the real ones of guest/; keys, port, drives and users are simple stand-ins that take their time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest/channels.h"
#include "guest/effects.h"
#include "guest/host_link.h"
#include "guest/host_tell.h"
#include "guest/owner.h"
#include "guest/registration.h"
#include "protocol/console_line.h"
#include "src/io/loop.h"
#include "tests/sim/box.h"
#include "tests/sim/edge.h"
#include "tests/sim/false_loop.h"
#include "tests/sim/false_virt.h"
#include "tests/sim/hypervisor.h"

enum { KEY_US = 300000, MOUNT_US = 500000, CHECK_US = 60000, USERS_US = 400000, LAST_WORDS_US = 300000 };

/* An effect that takes time; the controller that wants it may be gone by then, and its loop's work with it.
 */
struct effect {
    struct box *box; /* borrowed: it outlives its loop's work */
    uint8_t drive[GUEST_ID_LEN];
    int status;
};

static void later(struct box *box, int64_t typical_us, void (*fn)(void *), const uint8_t *drive, int status)
{
    struct effect *effect = calloc(1, sizeof *effect);
    if (!effect)
        abort();
    effect->box = box;
    effect->status = status;
    if (drive)
        memcpy(effect->drive, drive, sizeof effect->drive);
    clock_after_freed(chance_delay_us(CHANCE_GUEST, typical_us), fn, effect, loop_owner(box->loop));
}

/* ---- key, port, drives, users ---- */

static void key_made(void *arg)
{
    struct controller *controller = ((struct effect *)arg)->box->controller;
    if (chance_hits(CHANCE_GUEST, 500))
        controller_happen_trouble(controller, GUEST_ON_FATAL, CODE_INTERNAL, "the VM's key: no memory");
    else
        controller_happen_plain(controller, GUEST_ON_KEY_MADE);
}

static void bind_port(struct controller *controller, const struct box *box)
{
    if (box->port_taken)
        controller_happen_trouble(controller, GUEST_ON_PORT_TAKEN, CODE_PORT_22_TAKEN, "sshd, process 1");
    else
        controller_happen_plain(controller, GUEST_ON_PORT_BOUND);
}

static void checked(void *arg)
{
    struct box *box = ((struct effect *)arg)->box;
    const struct guest_drives drives = box->controller->machine.drives;
    for (int i = 0; i < drives.count; i++)
        if (box_is_mounted(box, drives.drive[i].id))
            controller_happen_drive(box->controller, GUEST_ON_DRIVE_MOUNTED, drives.drive[i].id, CODE_NONE,
                                    "");
}

static enum kiln_code mount(struct box *box, const uint8_t *drive)
{
    const struct hypervisor_domain *domain = hypervisor_find(box->id);
    if (box_is_mounted(box, drive))
        return CODE_NONE;
    if (!hypervisor_drive(domain, drive))
        return CODE_DRIVE_MOUNT_FAILED;
    if (box->mounts_fail) {
        box->mounts_fail--;
        return CODE_DRIVE_KEY_WRONG;
    }
    memcpy(box->mounted[box->nmounted++], drive, GUEST_ID_LEN);
    return CODE_NONE;
}

static void unlocked(void *arg)
{
    const struct effect *effect = arg;
    enum kiln_code code = mount(effect->box, effect->drive);
    controller_happen_drive(effect->box->controller, code ? GUEST_ON_DRIVE_FAILED : GUEST_ON_DRIVE_MOUNTED,
                            effect->drive, code, code ? "it does not open" : "");
}

static void users_applied(void *arg)
{
    struct box *box = ((struct effect *)arg)->box;
    box->controller->users_busy = false;
    if (!box->users_fail) {
        controller_happen_plain(box->controller, GUEST_ON_USERS_APPLIED);
        return;
    }
    box->users_fail--;
    controller_happen_trouble(box->controller, GUEST_ON_USERS_FAILED, CODE_USERS_MALFORMED, "line 1");
}

static void apply_users(struct controller *controller, struct box *box)
{
    if (!controller->users_busy)
        later(box, USERS_US, users_applied, NULL, 0);
    controller->users_busy = true;
}

/* ---- channels ---- */

unsigned channels_list(const struct channels *channels, uint64_t *ret_numbers, unsigned max)
{
    unsigned count = channels->count < max ? channels->count : max;
    memcpy(ret_numbers, channels->numbers, count * sizeof *ret_numbers);
    return count;
}

/* Nobody looks at an owner's page here. */
void channels_tell_state(struct channels *channels)
{
    (void)channels;
}

void channels_tell_drive(struct channels *channels, const struct guest_drive *drive)
{
    (void)channels;
    (void)drive;
}

static void tell_count(struct box *box, enum guest_event_kind kind)
{
    const struct guest_event event = {.head.on = kind, .count = box->controller->channels->count};
    controller_happen(box->controller, &event);
}

void box_channel_open(struct box *box, uint64_t relay)
{
    struct channels *channels = box->controller->channels;
    unsigned at = channels->count++;
    channels->numbers[at] = channels->next_number++;
    channels->relays[at] = relay;
    box->paired_ever = true;
    tell_count(box, GUEST_ON_OWNER_AUTHENTICATED);
}

void box_channel_end(struct box *box, uint64_t relay)
{
    struct channels *channels = box->controller ? box->controller->channels : NULL;
    for (unsigned i = 0; channels && i < channels->count; i++) {
        if (channels->relays[i] != relay)
            continue;
        channels->count--;
        memmove(channels->numbers + i, channels->numbers + i + 1,
                (channels->count - i) * sizeof *channels->numbers);
        memmove(channels->relays + i, channels->relays + i + 1,
                (channels->count - i) * sizeof *channels->relays);
        tell_count(box, GUEST_ON_CHANNEL_CLOSED);
        return;
    }
}

/* The channels go without a word to the machine, which asked for it. */
static void close_channels(struct controller *controller)
{
    struct channels *channels = controller->channels;
    channels->wanted = false;
    while (channels->count)
        edge_channel_close(channels->relays[--channels->count]);
}

/* The binding is read and believed: what signs it is not what is tried here. */
int owner_take(struct controller *controller, const struct owner_claim *claim)
{
    struct kept *kept = &controller->secrets->kept;
    struct binding binding;
    uint8_t owner[CRYPTO_HASH_BYTES];
    crypto_fingerprint(claim->public_key.bytes, claim->public_key.len, owner);
    if (binding_decode(claim->binding.bytes, claim->binding.len, &binding))
        return -EBADMSG;
    if (memcmp(binding.uuid, controller->boot.uuid, sizeof binding.uuid) != 0 ||
        memcmp(binding.nonce_v, kept->request.nonce_v, sizeof binding.nonce_v) != 0 ||
        memcmp(binding.owner_key, owner, sizeof owner) != 0 ||
        (kept->owned &&
         (memcmp(kept->owner, owner, sizeof owner) != 0 || binding.assignment < kept->assignment)))
        return -EACCES;
    if (!controller->owner.key &&
        crypto_rsa_decode_public(claim->public_key.bytes, claim->public_key.len, &controller->owner.key))
        return -EBADMSG;
    controller->owner.assignment = kept->assignment = binding.assignment;
    kept->owned = true;
    memcpy(kept->owner, owner, sizeof owner);
    controller_keep(controller);
    return 0;
}

/* ---- the end ---- */

static void report_failure(struct controller *controller, struct box *box)
{
    char line[CONSOLE_LINE_MAX];
    console_line_format(code_info((enum kiln_code)controller->machine.code)->name, controller->machine.detail,
                        line);
    if (box->console_open)
        false_virt_line(box->id, line);
    host_tell(controller->link);
}

static void ended(void *arg)
{
    const struct effect *effect = arg;
    box_controller_ended(effect->box, effect->status);
}

static int exit_status(const struct guest *machine)
{
    static const int statuses[] = {[GUEST_EXIT_NONE] = EXIT_FAILURE,
                                   [GUEST_EXIT_FAILED] = HANDOVER_FAILED,
                                   [GUEST_EXIT_SHUTDOWN] = HANDOVER_SHUTDOWN,
                                   [GUEST_EXIT_UPDATE] = HANDOVER_UPDATE};
    bool away = machine->exit == GUEST_EXIT_FAILED &&
                (machine->code == CODE_HOST_UNREACHABLE || machine->code == CODE_WEBSOCKET_FAILED);
    return away ? HANDOVER_UNREACHABLE : statuses[machine->exit];
}

/* ---- the table ---- */

static void perform(struct controller *controller, struct box *box, const struct fsm_effect *effect)
{
    switch (effect->what) {
    case GUEST_FX_MAKE_KEY:
        later(box, KEY_US, key_made, NULL, 0);
        return;
    case GUEST_FX_BIND_PORT:
        bind_port(controller, box);
        return;
    case GUEST_FX_REGISTER:
        registration_start(controller->registration);
        return;
    case GUEST_FX_OPEN_LINK:
        host_link_open(controller->link);
        return;
    case GUEST_FX_OPEN_CHANNEL:
        controller->channels->wanted = true;
        return;
    case GUEST_FX_TELL_HOST:
        host_tell(controller->link);
        return;
    case GUEST_FX_CHECK_DRIVES:
        later(box, CHECK_US, checked, NULL, 0);
        return;
    case GUEST_FX_UNLOCK:
        later(box, MOUNT_US, unlocked, controller->machine.drives.drive[effect->which].id, 0);
        return;
    case GUEST_FX_APPLY_USERS:
        apply_users(controller, box);
        return;
    case GUEST_FX_CLOSE_CHANNELS:
        close_channels(controller);
        return;
    case GUEST_FX_REPORT_FAILURE:
        report_failure(controller, box);
        return;
    case GUEST_FX_EXIT:
        later(box, LAST_WORDS_US, ended, NULL, exit_status(&controller->machine));
        return;
    default: /* keys in memory, the gate, logins and terminals are not simulated */
        return;
    }
}

void effects_perform(struct controller *controller, const struct fsm_fx *fx)
{
    struct box *box = box_of(controller);
    for (size_t i = 0; i < fx->count; i++)
        perform(controller, box, &fx->list[i]);
}
