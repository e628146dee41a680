/*
 * Verbs: what people, the edge and guests may ask of kilnd, and what it tells them.
 *
 * In: control.sock (operators), edge.sock (owners' requests, registrations, guests' links), core's changes.
 * Out: answers, events, messages to guests; events and orders into the machines.
 * Kept: sessions, tickets, links, bridges and readers of events, in memory only.
 */
#ifndef KILN_CORE_VERBS_H
#define KILN_CORE_VERBS_H

#include "src/core/core.h"

struct bridges;
struct control;
struct edge_link;
struct events;
struct guest_links;
struct challenges;
struct owner_api;
struct owner_events;
struct replay;
struct sessions;
struct tickets;

/* What the files of the verbs share. Fields are owned, made by verbs.c and written by the file of their
 * name. */
struct verbs {
    struct core *core; /* borrowed */
    bool serves;       /* verbs_serve was called */
    struct sessions *sessions;
    struct tickets *tickets;
    struct challenges *challenges;
    struct replay *replay;
    struct events *events;
    struct owner_api *owner_api;
    struct owner_events *owner_events;
    struct bridges *bridges;
    struct guest_links *links;
    struct edge_link *edge;
    struct control *control;
};

/* Sets core->ports and opens run_dir/control.sock and run_dir/edge.sock. After core_open. Until verbs_serve
 * daemon.status is answered, and every other call waits. Negative errno; ERROR says what failed in words. */
int verbs_start(struct core *core, struct verbs **ret_verbs, char error[static CORE_ERROR_LEN]);
/* After core_start: takes every call, and those that waited first. Errors as above. */
int verbs_serve(struct verbs *verbs, char error[static CORE_ERROR_LEN]);

/* core_reload; then guests are told to look for a newer release. */
int verbs_reload(struct verbs *verbs, char error[static CONFIG_ERROR_MAX]);

/* Closes both sockets. Before core_close, which still tells what became durable: that finds everything else.
 * NULL does nothing, here and below. */
void verbs_stop(struct verbs *verbs);
/* Forgets every session, link and reader. After core_close, while the loop is there. */
void verbs_destroy(struct verbs *verbs);

#endif
