/*
 * Index: against a plain array, with keys that differ in their first bytes, in their last, and in none.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "src/core/index.h"

enum { ITEMS = 300, ROUNDS = 20000, KEY_BYTES = 12 };

struct item {
    int other;
    uint8_t key[KEY_BYTES];
};

static struct item items[ITEMS];
static struct item *held[ITEMS]; /* in no order */
static size_t nheld;

static int by_key(const void *a, const void *b)
{
    return memcmp((*(struct item *const *)a)->key, (*(struct item *const *)b)->key, KEY_BYTES);
}

/* A third of the keys share their first eight bytes, among them greater ones than a signed byte holds. */
static void key_make(struct item *item, unsigned number)
{
    memset(item->key, number % 3 ? 0xc3 : 0, KEY_BYTES);
    item->key[number % 3 == 1 ? KEY_BYTES - 2 : 0] = (uint8_t)(number >> 8);
    item->key[number % 3 == 1 ? KEY_BYTES - 1 : 5] = (uint8_t)number;
}

static size_t held_find(const struct item *item)
{
    size_t at = 0;
    while (at < nheld && held[at] != item)
        at++;
    return at;
}

static void compare_all(const struct index *index)
{
    qsort(held, nheld, sizeof held[0], by_key);
    assert_int_equal(index->count, nheld);
    for (size_t i = 0; i < nheld; i++) {
        assert_ptr_equal(index->items[i], held[i]);
        assert_int_equal(index_after(index, held[i]->key), i + 1);
        assert_ptr_equal(index_next(index, held[i]->key), i + 1 < nheld ? held[i + 1] : NULL);
    }
}

static void finds_what_a_plain_array_finds(void **state)
{
    struct index index;
    unsigned chance = 1;
    (void)state;
    index_init(&index, offsetof(struct item, key), KEY_BYTES);
    for (unsigned i = 0; i < ITEMS; i++)
        key_make(&items[i], i);
    for (unsigned round = 0; round < ROUNDS; round++) {
        chance = chance * 1103515245 + 12345;
        struct item *item = &items[(chance >> 16) % ITEMS];
        size_t at = held_find(item);
        assert_ptr_equal(index_find(&index, item->key), at < nheld ? item : NULL);
        if (chance & 1 << 8) {
            assert_int_equal(index_add(&index, item), at < nheld ? -EEXIST : 0);
            held[at] = item;
            nheld += at == nheld;
        } else {
            assert_ptr_equal(index_remove(&index, item->key), at < nheld ? item : NULL);
            if (at < nheld)
                held[at] = held[--nheld];
        }
        if (round % 500 == 0)
            compare_all(&index);
    }
    compare_all(&index);
    index_finish(&index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(finds_what_a_plain_array_finds)};
    return cmocka_run_group_tests_name("core_index", tests, NULL, NULL);
}
