/*
 * kiln-edge in the simulator: see edge.h.
 */
#include "tests/sim/edge.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/json.h"
#include "protocol/json_write.h"
#include "protocol/link.h"
#include "protocol/text.h"
#include "src/core/core.h"
#include "src/core/ticket.h"
#include "src/core/verbs.h"
#include "src/io/loop.h"
#include "src/io/rpc.h"
#include "tests/sim/box.h"
#include "tests/sim/edge_private.h"
#include "tests/sim/false_loop.h"
#include "tests/sim/false_net.h"
#include "tests/sim/host.h"
#include "tests/sim/hypervisor.h"

enum { CALL_MS = 20000, JOIN_US = 150000 };

struct edge edge;

bool edge_up(void)
{
    return edge.loop != NULL;
}

bool edge_greeted(void)
{
    return edge.greeted;
}

struct loop *edge_loop(void)
{
    return edge.loop;
}

static struct json_writer begin(void)
{
    struct json_writer params = json_writer_init(0);
    json_write_object_begin(&params, NULL);
    return params;
}

static void notify(const char *method, struct json_writer *params)
{
    json_write_object_end(params);
    if (edge.greeted && json_writer_end(params) == 0)
        rpc_notify(edge.peer, method, params->text);
    json_writer_finish(params);
}

/* Whether it was asked: then FN is called. */
static bool call(const char *method, struct json_writer *params, rpc_answered *fn, void *arg)
{
    json_write_object_end(params);
    bool asked = edge.greeted && json_writer_end(params) == 0 &&
                 rpc_call(edge.peer, method, params->text, CALL_MS, fn, arg) == 0;
    json_writer_finish(params);
    return asked;
}

/* ---- guests' links ---- */

static struct link *link_of_wire(uint64_t wire)
{
    for (size_t i = 0; i < edge.nlinks; i++)
        if (edge.links[i].wire == wire)
            return &edge.links[i];
    return NULL;
}

struct link *edge_link_find(uint64_t number)
{
    for (size_t i = 0; number && i < edge.nlinks; i++)
        if (edge.links[i].number == number)
            return &edge.links[i];
    return NULL;
}

void edge_link_drop(struct link *link)
{
    *link = edge.links[--edge.nlinks];
}

static void link_say(const char *method, const struct link *link)
{
    struct json_writer params = begin();
    json_write_int(&params, "link", (int64_t)link->number);
    if (strcmp(method, "link.open") == 0)
        json_write_text(&params, "uuid", link->uuid);
    notify(method, &params);
}

static const struct code_info *refusal_of(const struct rpc_answer *answer)
{
    const struct code_info *info =
        answer->error ? code_info(CODE_UNAVAILABLE) : code_find(answer->name ? answer->name : "");
    return info ? info : code_info(CODE_INTERNAL);
}

static void token_looked_at(void *arg, const struct rpc_answer *answer)
{
    uint64_t *wire = arg;
    struct link *link = link_of_wire(*wire);
    if (link && (answer->error || answer->code)) {
        false_net_refuse(*wire, refusal_of(answer)->code);
        edge_link_drop(link);
    } else if (link) {
        link->number = ++edge.last_link;
        link_say("link.open", link);
        false_net_accept(*wire);
    }
    free(wire);
}

void edge_lie(const uint8_t id[16], bool refuses)
{
    uuid_format(id, edge.unknown);
    if (refuses)
        uuid_format(id, edge.refused);
}

/* Whether this VM is the one: then it is lied to no more. */
static bool is_lied_to(char *vm, const char *uuid)
{
    bool is = strcmp(vm, uuid) == 0;
    if (is)
        vm[0] = 0;
    return is;
}

void edge_wire_connect(uint64_t wire, const char *uuid, const char *token)
{
    if (is_lied_to(edge.unknown, uuid)) {
        false_net_refuse(wire, CODE_NOT_REGISTERED);
        return;
    }
    uint64_t *asked = malloc(sizeof *asked);
    if (!asked || edge.nlinks == EDGE_LINKS)
        abort();
    *asked = wire;
    struct link *link = &edge.links[edge.nlinks++];
    *link = (struct link){.wire = wire};
    memcpy(link->uuid, uuid, sizeof link->uuid);
    struct json_writer params = begin();
    json_write_text(&params, "uuid", uuid);
    json_write_text(&params, "token", token);
    if (call("guest.token", &params, token_looked_at, asked))
        return;
    free(asked);
    false_net_refuse(wire, CODE_UNAVAILABLE);
    edge_link_drop(link);
}

void edge_wire_data(uint64_t wire, const void *bytes, size_t len)
{
    const struct link *link = link_of_wire(wire);
    if (!link || !link->number)
        return;
    struct json_writer params = begin();
    json_write_int(&params, "link", (int64_t)link->number);
    json_write_base64(&params, "data", bytes, len);
    notify("link.data", &params);
}

void edge_wire_closed(uint64_t wire)
{
    struct link *link = link_of_wire(wire);
    if (!link)
        return;
    if (link->number)
        link_say("link.close", link);
    edge_link_drop(link);
}

void edge_links_close(void)
{
    while (edge.nlinks) {
        false_net_close(edge.links[edge.nlinks - 1].wire);
        edge.nlinks--;
    }
}

/* ---- registrations ---- */

static void refuse(uint64_t number, const struct code_info *info)
{
    struct json_writer body = begin();
    json_write_object_begin(&body, "error");
    json_write_text(&body, "code", info->name);
    json_write_object_end(&body);
    json_write_object_end(&body);
    if (json_writer_end(&body) == 0)
        false_net_answer(number, info->http_status, body.text, body.len);
    json_writer_finish(&body);
}

static void registered(void *arg, const struct rpc_answer *answer)
{
    uint64_t number = *(uint64_t *)arg;
    free(arg);
    if (answer->error || answer->code) {
        refuse(number, refusal_of(answer));
        return;
    }
    struct json_writer body = json_writer_init(0);
    json_write_value(&body, NULL, answer->result);
    if (json_writer_end(&body) == 0)
        false_net_answer(number, 200, body.text, body.len);
    json_writer_finish(&body);
}

/* A guest that was linked before asks once more: others would believe it. */
static bool asks_again(const char *uuid)
{
    uint8_t id[16];
    const struct hypervisor_domain *domain = uuid_parse(uuid, id) ? NULL : hypervisor_find(id);
    const struct controller *controller = domain && domain->box ? domain->box->controller : NULL;
    return controller && controller->machine.head.state >= GUEST_WAITING;
}

static bool is_refused(const struct json *tree)
{
    const char *uuid = json_text(json_member(tree, "uuid"));
    return uuid && asks_again(uuid) && is_lied_to(edge.refused, uuid);
}

void edge_register(uint64_t number, const char *body, size_t len)
{
    struct json *tree;
    uint64_t *asked = malloc(sizeof *asked);
    if (!asked || json_parse(body, len, NULL, &tree))
        abort();
    *asked = number;
    if (is_refused(tree)) {
        json_destroy(tree);
        free(asked);
        refuse(number, code_info(CODE_PROOF_WRONG));
        return;
    }
    struct json_writer params = begin();
    json_write_text(&params, "peer", "10.77.0.9");
    for (size_t i = 0; i < json_count(tree); i++)
        json_write_value(&params, json_key_at(tree, i), json_at(tree, i));
    json_destroy(tree);
    if (call("guest.register", &params, registered, asked))
        return;
    free(asked);
    refuse(number, code_info(CODE_UNAVAILABLE));
}

/* ---- relays ---- */

static struct relay *relay_add(const uint8_t id[16], bool bridge, uint64_t number)
{
    if (edge.nrelays == EDGE_RELAYS)
        abort();
    struct relay *relay = &edge.relays[edge.nrelays++];
    *relay = (struct relay){.number = number, .bridge = bridge};
    memcpy(relay->id, id, sizeof relay->id);
    return relay;
}

void edge_relay_write(struct json_writer *params, const struct relay *relay)
{
    json_write_int(params, "relay", (int64_t)relay->number);
    json_write_uuid(params, "vm", relay->id);
    json_write_text(params, "kind", relay->bridge ? "bridge" : "channel");
}

static void relay_say(const char *method, const struct relay *relay)
{
    struct json_writer params = begin();
    edge_relay_write(&params, relay);
    notify(method, &params);
}

/* A channel's relay is gone: its guest sees that a little later. */
struct channel_end {
    uint8_t id[16];
    uint64_t relay;
};

static struct box *box_find(const uint8_t id[16])
{
    const struct hypervisor_domain *domain = hypervisor_find(id);
    return domain ? domain->box : NULL;
}

static void channel_ended(void *arg)
{
    const struct channel_end *end = arg;
    box_channel_end(box_find(end->id), end->relay);
}

static void relay_drop(struct relay *relay)
{
    struct relay gone = *relay;
    struct box *box = box_find(gone.id);
    *relay = edge.relays[--edge.nrelays];
    relay_say("relay.closed", &gone);
    if (gone.bridge || !box)
        return;
    struct channel_end *end = malloc(sizeof *end);
    if (!end)
        abort();
    end->relay = gone.number;
    memcpy(end->id, gone.id, sizeof end->id);
    clock_after_freed(chance_delay_us(CHANCE_NET, JOIN_US), channel_ended, end, loop_owner(box->loop));
}

void edge_relays_drop(const uint8_t *id, bool channels, bool bridges)
{
    for (size_t i = edge.nrelays; i > 0; i--) {
        struct relay *relay = &edge.relays[i - 1];
        if ((!id || memcmp(relay->id, id, sizeof relay->id) == 0) && (relay->bridge ? bridges : channels))
            relay_drop(relay);
    }
}

static unsigned relays_of(const uint8_t id[16], bool bridges)
{
    unsigned count = 0;
    for (size_t i = 0; i < edge.nrelays; i++)
        count +=
            edge.relays[i].bridge == bridges && memcmp(edge.relays[i].id, id, sizeof edge.relays[i].id) == 0;
    return count;
}

void edge_guest_gone(const uint8_t id[16])
{
    edge_relays_drop(id, true, false);
    if (!box_find(id))
        edge_relays_drop(id, false, true);
}

/* ---- owners ---- */

static void channel_joined(void *arg)
{
    const struct channel_end *joined = arg;
    struct box *box = box_find(joined->id);
    bool there = false;
    for (size_t i = 0; i < edge.nrelays; i++)
        there = there || (!edge.relays[i].bridge && edge.relays[i].number == joined->relay);
    if (!there)
        return;
    struct controller *controller = box->controller;
    if (controller && controller->channels->wanted && controller->channels->count < BOX_CHANNELS &&
        controller->machine.owned)
        box_channel_open(box, joined->relay);
    else
        edge_channel_close(joined->relay);
}

/* What owner.channel of kilnd says, and a guest that waits. */
void edge_channel_open(const uint8_t id[16], const uint8_t owner[32])
{
    struct box *box = box_find(id);
    const struct vm_slot *slot = host_up() ? core_vm(host_core(), id) : NULL;
    bool may = slot && slot->vm.assigned && memcmp(slot->vm.owner, owner, sizeof slot->vm.owner) == 0 &&
               vm_link_allowed(&slot->vm);
    if (!edge.greeted || !may || !box || !box->controller || !box->controller->channels->wanted)
        return;
    struct channel_end *joined = malloc(sizeof *joined);
    if (!joined)
        abort();
    memcpy(joined->id, id, sizeof joined->id);
    joined->relay = ++edge.last_relay;
    relay_say("relay.opened", relay_add(id, false, joined->relay));
    clock_after_freed(chance_delay_us(CHANCE_NET, JOIN_US), channel_joined, joined, loop_owner(box->loop));
}

void edge_channel_close(uint64_t number)
{
    for (size_t i = 0; i < edge.nrelays; i++)
        if (!edge.relays[i].bridge && edge.relays[i].number == number) {
            relay_drop(&edge.relays[i]);
            return;
        }
}

void edge_channels_leave(const uint8_t id[16])
{
    edge_relays_drop(id, true, false);
}

unsigned edge_channels(const uint8_t id[16])
{
    return relays_of(id, false);
}

static void redeemed(void *arg, const struct rpc_answer *answer)
{
    uint8_t *id = arg;
    int64_t number;
    if (!answer->error && !answer->code && json_int(json_member(answer->result, "bridge"), &number) == 0)
        relay_say("relay.opened", relay_add(id, true, (uint64_t)number));
    free(id);
}

void edge_bridge_open(const uint8_t id[16], const uint8_t owner[32])
{
    uint8_t ticket[TICKET_BYTES];
    struct ticket_grant grant;
    memcpy(grant.vm, id, sizeof grant.vm);
    memcpy(grant.user, owner, sizeof grant.user);
    if (!edge.greeted || !host_up() ||
        ticket_issue(host_verbs()->tickets, &grant, loop_monotonic_ms(), ticket))
        return;
    uint8_t *asked = malloc(sizeof grant.vm);
    if (!asked)
        abort();
    memcpy(asked, id, sizeof grant.vm);
    struct json_writer params = begin();
    json_write_hex(&params, "ticket", ticket, sizeof ticket);
    if (!call("bridge.redeem", &params, redeemed, asked))
        free(asked);
}

void edge_bridge_close(const uint8_t id[16])
{
    for (size_t i = 0; i < edge.nrelays; i++)
        if (edge.relays[i].bridge && memcmp(edge.relays[i].id, id, sizeof edge.relays[i].id) == 0) {
            relay_drop(&edge.relays[i]);
            return;
        }
}

unsigned edge_bridges(const uint8_t id[16])
{
    return relays_of(id, true);
}
