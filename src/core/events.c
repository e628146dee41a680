/*
 * Events: events.h says how they are told.
 */
#include "src/core/events.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/views.h"
#include "src/io/loop.h"

/* A long history goes out in pieces: its carrier gives a peer up when too much waits for it, and the loop has
 * others to serve. */
enum { PIECE = 256, PIECE_EVERY_MS = 5 };

struct events_reader {
    struct events *events; /* borrowed */
    struct events_filter filter;
    events_send_fn *send;
    void *arg;
    uint64_t seq; /* of the last change it was offered */
    bool behind;  /* changes before the present ones are still owed to it */
    struct events_reader *next;
};

struct events {
    struct core *core; /* borrowed */
    struct core_watcher watcher;
    struct events_reader *readers; /* owned */
    struct loop_timer *piece;      /* owned: armed while a reader is behind */
};

static bool may_see(const struct events_reader *reader, const struct history *history, const struct vm *vm)
{
    const struct events_filter *filter = &reader->filter;
    if (filter->one_vm && memcmp(filter->vm, history->vm, sizeof filter->vm) != 0)
        return false;
    if (filter->all)
        return true;
    if (!vm) {
        const struct vm_slot *slot = core_vm(reader->events->core, history->vm);
        vm = slot ? &slot->vm : NULL;
    }
    return vm && vm->assigned && memcmp(vm->owner, filter->owner, sizeof vm->owner) == 0;
}

/* A change that was replayed and then told is offered once. */
static void offer(struct events_reader *reader, const struct history *history, const struct vm *vm)
{
    if (history->seq <= reader->seq)
        return;
    reader->seq = history->seq;
    if (!may_see(reader, history, vm))
        return;
    struct json_writer out = json_writer_init(0);
    view_vm_event(&out, NULL, history, vm);
    if (json_writer_end(&out) == 0)
        reader->send(reader->arg, out.text);
    json_writer_finish(&out);
}

static void changed(void *arg, const struct change *change)
{
    struct events *events = arg;
    struct events_reader *next;
    for (struct events_reader *reader = events->readers; reader; reader = next) {
        next = reader->next;
        /* Who is behind comes to it in its order. */
        if (!reader->behind)
            offer(reader, change->history, change->vm);
    }
}

struct piece {
    struct events_reader *reader;
    int left;
};

static int replay(void *arg, const struct history *history)
{
    struct piece *piece = arg;
    offer(piece->reader, history, NULL);
    return --piece->left == 0;
}

/* What the store cannot give now stays owed. */
static int replay_piece(struct events_reader *reader)
{
    struct events *events = reader->events;
    struct piece piece = {reader, PIECE};
    int rc = core_replay(events->core, reader->seq, replay, &piece);
    reader->behind = rc != 0;
    if (reader->behind)
        loop_timer_arm(events->piece, PIECE_EVERY_MS);
    return rc < 0 ? rc : 0;
}

static void on_piece(void *arg)
{
    struct events *events = arg;
    for (struct events_reader *reader = events->readers; reader; reader = reader->next)
        if (reader->behind)
            replay_piece(reader);
}

int events_create(struct core *core, struct events **ret_events)
{
    struct events *events = calloc(1, sizeof *events);
    if (!events)
        return -ENOMEM;
    events->core = core;
    int error = loop_timer_create(core->loop, on_piece, events, &events->piece);
    if (error) {
        free(events);
        return error;
    }
    events->watcher = (struct core_watcher){.changed = changed, .arg = events};
    core_watch(core, &events->watcher);
    *ret_events = events;
    return 0;
}

void events_destroy(struct events *events)
{
    if (!events)
        return;
    core_unwatch(events->core, &events->watcher);
    loop_timer_destroy(events->piece);
    free(events);
}

int events_reader_add(struct events *events, const struct events_filter *filter, events_send_fn *send,
                      void *arg, struct events_reader **ret_reader, uint64_t *ret_seq)
{
    struct events_reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        return -ENOMEM;
    *reader = (struct events_reader){
        .events = events, .filter = *filter, .send = send, .arg = arg, .next = events->readers};
    reader->seq = core_last_seq(events->core);
    events->readers = reader;
    *ret_reader = reader;
    *ret_seq = reader->seq;
    return 0;
}

int events_reader_replay(struct events_reader *reader, uint64_t since)
{
    if (since > core_last_seq(reader->events->core))
        return -ENOENT;
    reader->seq = since;
    return replay_piece(reader);
}

void events_reader_remove(struct events_reader *reader)
{
    if (!reader)
        return;
    struct events_reader **at = &reader->events->readers;
    while (*at != reader)
        at = &(*at)->next;
    *at = reader->next;
    free(reader);
}
