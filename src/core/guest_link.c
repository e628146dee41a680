/*
 * Guest links: connections, records, and what is sent. What a guest says is in guest_report.c; guest_link.h
 * says the rules.
 */
#include "src/core/guest_link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/json_write.h"
#include "src/core/edge_link.h"
#include "src/core/guest_link_private.h"
#include "src/core/identity.h"
#include "src/core/machine.h"
#include "src/core/store.h"
#include "src/io/log.h"
#include "src/io/loop.h"
#include "src/io/random.h"
#include "src/io/rpc.h"

static void link_free(struct guest_link *link)
{
    rpc_peer_destroy(link->peer);
    loop_timer_destroy(link->silence);
    link_session_finish(&link->session);
    free(link);
}

static void list_free(struct guest_link **list)
{
    while (*list) {
        struct guest_link *link = *list;
        *list = link->next;
        link_free(link);
    }
}

static void on_reap(void *arg)
{
    list_free(&((struct guest_links *)arg)->ended);
}

int guest_links_create(struct verbs *verbs, struct guest_links **ret_links)
{
    struct guest_links *links = calloc(1, sizeof *links);
    if (!links)
        return -ENOMEM;
    links->verbs = verbs;
    int error = loop_timer_create(verbs->core->loop, on_reap, links, &links->reap);
    if (error) {
        free(links);
        return error;
    }
    *ret_links = links;
    return 0;
}

/* Takes it out and tells the machine. It is freed in a later turn, because a call of its own may be
 * running. */
static void link_end(struct guest_link *link)
{
    struct guest_links *links = link->links;
    struct guest_link **at = &links->list;
    while (*at != link)
        at = &(*at)->next;
    *at = link->next;
    link->next = links->ended;
    links->ended = link;
    links->count--;
    link->ended = true;
    loop_timer_arm(links->reap, 0);
    loop_timer_disarm(link->silence);
    if (link->stage == GUEST_LINK_PROVED && !link->replaced)
        machine_post_kind(links->verbs->core, link->uuid, VM_ON_LINK_DOWN);
}

void guest_link_end(struct guest_link *link, const char *why)
{
    char id[VIRT_UUID_BYTES];
    if (link->ended)
        return;
    core_uuid_text(link->uuid, id);
    log_info("guest", "link closed", "vm=%s why=\"%s\"", id, why);
    edge_close_link(link->links->verbs->edge, link->number);
    link_end(link);
}

void guest_links_drop(struct guest_links *links)
{
    while (links->list)
        link_end(links->list);
}

void guest_links_destroy(struct guest_links *links)
{
    if (!links)
        return;
    list_free(&links->list);
    list_free(&links->ended);
    loop_timer_destroy(links->reap);
    free(links);
}

static struct guest_link *find_number(const struct guest_links *links, uint64_t number)
{
    struct guest_link *link = links->list;
    while (link && link->number != number)
        link = link->next;
    return link;
}

struct guest_link *guest_link_find(const struct guest_links *links, const uint8_t *uuid)
{
    struct guest_link *link = links->list;
    while (link &&
           (link->stage != GUEST_LINK_PROVED || link->replaced || memcmp(link->uuid, uuid, VM_UUID_LEN) != 0))
        link = link->next;
    return link;
}

static void on_silence(void *arg)
{
    guest_link_end(arg, "silent");
}

/* Newest first, so the last that is found is the oldest. */
static void make_room(struct guest_links *links, const uint8_t *uuid)
{
    struct guest_link *oldest = NULL;
    int count = 0;
    for (struct guest_link *link = links->list; link; link = link->next) {
        if (memcmp(link->uuid, uuid, VM_UUID_LEN) != 0)
            continue;
        count++;
        if (link->stage != GUEST_LINK_PROVED)
            oldest = link;
    }
    if (count >= GUEST_LINKS_PER_VM_MAX && oldest)
        guest_link_end(oldest, "too many that prove nothing");
}

static struct guest_link *link_create(struct guest_links *links, uint64_t number, const uint8_t *uuid)
{
    struct guest_link *link = calloc(1, sizeof *link);
    if (!link)
        return NULL;
    link->links = links;
    link->number = number;
    link->serial = ++links->last_serial;
    memcpy(link->uuid, uuid, sizeof link->uuid);
    if (loop_timer_create(links->verbs->core->loop, on_silence, link, &link->silence)) {
        free(link);
        return NULL;
    }
    return link;
}

void guest_link_open(struct guest_links *links, uint64_t number, const uint8_t uuid[VM_UUID_LEN])
{
    const struct vm_slot *slot = core_vm(links->verbs->core, uuid);
    struct guest_link *link = NULL;
    /* What a link brings would only wait for the disk; the guest comes again. */
    bool stored = store_error(links->verbs->core->store) == 0;
    if (slot && stored && vm_link_allowed(&slot->vm) && !find_number(links, number)) {
        make_room(links, uuid);
        if (links->count < GUEST_LINKS_MAX)
            link = link_create(links, number, uuid);
    }
    if (!link) {
        edge_close_link(links->verbs->edge, number);
        return;
    }
    link->next = links->list;
    links->list = link;
    links->count++;
    loop_timer_arm(link->silence, GUEST_SILENCE_MS);
}

/* The first message: the guest's nonce. Ours goes back, and both give the link its key. */
static bool take_nonce(struct guest_link *link, const uint8_t *nonce_g, size_t len_bytes)
{
    const struct core *core = link->links->verbs->core;
    const struct vm_slot *slot = core_vm(core, link->uuid);
    uint8_t secret[IDENTITY_SECRET_LEN], nonce_h[LINK_NONCE_BYTES];
    if (len_bytes != LINK_NONCE_BYTES || !slot || !vm_link_allowed(&slot->vm) ||
        identity_boot_secret(core->identity, link->uuid, slot->vm.boot_number, secret))
        return false;
    random_fill(nonce_h, sizeof nonce_h);
    link_session_init(&link->session, LINK_HOST, secret, slot->vm.registration.request_hash, nonce_g,
                      nonce_h);
    crypto_wipe(secret, sizeof secret);
    link->stage = GUEST_LINK_KEYED;
    edge_send_link(link->links->verbs->edge, link->number, nonce_h, sizeof nonce_h);
    return true;
}

static void emit(void *arg, const char *text, size_t len_bytes)
{
    struct guest_link *link = arg;
    size_t len;
    if (link->ended)
        return;
    uint8_t *record = malloc(len_bytes + LINK_OVERHEAD_BYTES);
    if (record && link_session_seal(&link->session, text, len_bytes, record, len_bytes + LINK_OVERHEAD_BYTES,
                                    &len) == 0)
        edge_send_link(link->links->verbs->edge, link->number, record, len);
    free(record);
}

/* The first good record: this link is the VM's now, and the one before it is not. */
static bool become_current(struct guest_link *link)
{
    struct verbs *verbs = link->links->verbs;
    struct guest_link *before = guest_link_find(link->links, link->uuid);
    const struct vm_slot *slot = core_vm(verbs->core, link->uuid);
    struct rpc_options options = {.methods = guest_report_methods, .emit = emit, .arg = link};
    if (!slot || !vm_link_allowed(&slot->vm) || rpc_peer_create(verbs->core->loop, &options, &link->peer))
        return false;
    if (before) {
        before->replaced = true;
        guest_link_end(before, "a newer one");
    }
    link->stage = GUEST_LINK_PROVED;
    return machine_post_kind(verbs->core, link->uuid, VM_ON_LINK_UP) == 0;
}

static bool take_record(struct guest_link *link, const uint8_t *record, size_t len_bytes)
{
    struct bytes body;
    if (link_session_open(&link->session, record, len_bytes, &body))
        return false;
    loop_timer_arm(link->silence, GUEST_SILENCE_MS);
    if (link->stage == GUEST_LINK_KEYED && !become_current(link))
        return false;
    return rpc_peer_feed(link->peer, (const char *)body.bytes, body.len) == 0;
}

void guest_link_data(struct guest_links *links, uint64_t number, const void *record, size_t len_bytes)
{
    struct guest_link *link = find_number(links, number);
    if (!link) {
        edge_close_link(links->verbs->edge, number);
        return;
    }
    if (link->stage == GUEST_LINK_OPEN ? !take_nonce(link, record, len_bytes)
                                       : !take_record(link, record, len_bytes))
        guest_link_end(link, "a record is wrong");
}

void guest_link_close(struct guest_links *links, uint64_t number)
{
    struct guest_link *link = find_number(links, number);
    if (link)
        link_end(link);
}

void guest_link_notify(struct guest_link *link, const char *method, struct json_writer *params)
{
    if (json_writer_end(params) == 0)
        rpc_notify(link->peer, method, params->text);
    json_writer_finish(params);
}
