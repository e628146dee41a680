/*
 * The simulator's time, and its dice: see clock.h.
 */
#include "tests/sim/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_FIRST = 256, HELD_AGAIN_US = 100000 };
#define WALL_BEGIN_MS INT64_C(1700000000000)

struct clock_item {
    int64_t at_us;
    uint64_t order; /* of two at the same time the first asked for is first */
    size_t place;
    void (*fn)(void *arg);
    void *arg;
    struct clock_owner *owner;
    bool frees; /* `arg` */
};

static struct {
    struct clock_item **heap;
    size_t count, room;
    int64_t now_us, jumped_ms;
    uint64_t order;
    uint64_t cups[CHANCE_COUNT];
    bool calm;
} state;

/* ---- dice ---- */

/* SplitMix64 (Steele, Lea, Flood 2014). */
uint64_t chance_next(uint64_t *stream)
{
    uint64_t z = *stream += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t chance(enum chance cup, uint64_t below)
{
    return chance_next(&state.cups[cup]) % below;
}

bool chance_hits(enum chance cup, uint64_t once_in)
{
    return chance(cup, once_in) == 0 && !state.calm;
}

int64_t chance_delay_us(enum chance cup, int64_t typical_us)
{
    uint64_t kind = chance(cup, 32), part = chance(cup, 1024);
    if (state.calm)
        return typical_us;
    int64_t delay = typical_us / 2 + typical_us * (int64_t)part / 683;
    return kind == 0 ? delay * 10 : kind == 1 ? delay / 10 : delay;
}

/* ---- the heap ---- */

static bool is_before(const struct clock_item *a, const struct clock_item *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

static void put(struct clock_item *item, size_t place)
{
    state.heap[place] = item;
    item->place = place;
}

static void rise(struct clock_item *item)
{
    size_t place = item->place;
    while (place > 0 && is_before(item, state.heap[(place - 1) / 2])) {
        put(state.heap[(place - 1) / 2], place);
        place = (place - 1) / 2;
    }
    put(item, place);
}

static void sink(struct clock_item *item)
{
    size_t place = item->place;
    for (;;) {
        size_t child = 2 * place + 1;
        if (child + 1 < state.count && is_before(state.heap[child + 1], state.heap[child]))
            child++;
        if (child >= state.count || !is_before(state.heap[child], item))
            break;
        put(state.heap[child], place);
        place = child;
    }
    put(item, place);
}

static void take_out(struct clock_item *item)
{
    struct clock_item *last = state.heap[--state.count];
    if (last == item)
        return;
    put(last, item->place);
    rise(last);
    sink(last);
}

static void add(struct clock_item *item)
{
    if (state.count == state.room) {
        state.room = state.room ? state.room * 2 : ROOM_FIRST;
        state.heap = realloc(state.heap, state.room * sizeof *state.heap);
        if (!state.heap)
            abort();
    }
    item->order = state.order++;
    item->place = state.count++;
    rise(item);
}

/* ---- time ---- */

static void item_free(struct clock_item *item)
{
    if (item->frees)
        free(item->arg);
    free(item);
}

void clock_end(void)
{
    for (size_t i = 0; i < state.count; i++)
        item_free(state.heap[i]);
    state.count = 0;
}

void clock_begin(uint64_t seed, bool calm)
{
    clock_end();
    state.now_us = state.jumped_ms = 0;
    state.order = 0;
    state.calm = calm;
    for (int cup = 0; cup < CHANCE_COUNT; cup++)
        state.cups[cup] = chance_next(&seed);
}

int64_t clock_us(void)
{
    return state.now_us;
}

int64_t clock_wall_ms(void)
{
    return WALL_BEGIN_MS + state.now_us / MS + state.jumped_ms;
}

void clock_jump(int64_t by_ms)
{
    state.jumped_ms += by_ms;
}

struct clock_item *clock_after(int64_t delay_us, void (*fn)(void *arg), void *arg, struct clock_owner *owner)
{
    struct clock_item *item = malloc(sizeof *item);
    if (!item)
        abort();
    *item = (struct clock_item){
        .at_us = state.now_us + (delay_us > 0 ? delay_us : 0), .fn = fn, .arg = arg, .owner = owner};
    add(item);
    return item;
}

void clock_after_freed(int64_t delay_us, void (*fn)(void *arg), void *arg, struct clock_owner *owner)
{
    clock_after(delay_us, fn, arg, owner)->frees = true;
}

void clock_cancel(struct clock_item *item)
{
    if (!item)
        return;
    take_out(item);
    free(item);
}

void clock_cancel_owner(const struct clock_owner *owner)
{
    size_t kept = 0;
    for (size_t i = 0; i < state.count; i++)
        if (state.heap[i]->owner == owner)
            item_free(state.heap[i]);
        else
            state.heap[kept++] = state.heap[i];
    state.count = 0;
    /* What is left is a heap no more: it is put in again, each with the order that it had. */
    for (size_t i = 0; i < kept; i++) {
        state.heap[i]->place = state.count++;
        rise(state.heap[i]);
    }
}

bool clock_step(void)
{
    if (state.count == 0)
        return false;
    struct clock_item *item = state.heap[0];
    take_out(item);
    if (item->at_us > state.now_us)
        state.now_us = item->at_us;
    if (item->owner && item->owner->frozen) {
        item->at_us = state.now_us + HELD_AGAIN_US;
        add(item);
        return true;
    }
    /* Who is called may arm its timer anew, but has none to take back: the item is out of its hands. */
    item->fn(item->arg);
    item_free(item);
    return true;
}
