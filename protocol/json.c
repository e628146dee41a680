/*
 * JSON text to a tree, by yajl's events. In: text and limits. Out: a tree. Kept: the tree. See json.h.
 *
 * yajl is laxer than we want in three things, so these are checked here: UTF-8 and escaped surrogates (before
 * it), keys that come twice and NULs in strings (in its events).
 */
#include "protocol/json.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "protocol/json_blocks.h"

enum {
    JSON_DEPTH_WALL = 64, /* no limit may allow more */
    YAJL_BLOCKS_MAX = 16, /* at once; it has half of that */
    ITEMS_FIRST = 64,
    MEMBERS_FEW = 24 /* compared each with each, which costs less than sorting */
};

/* All of it, and all that it points to, lies in the blocks of its tree. */
struct json {
    enum json_kind kind;
    bool truth;
    const char *key; /* of a member */
    size_t key_len;
    const char *text;    /* string, or a number as it was written */
    struct json **items; /* members or elements */
    size_t count;
};

/* What json_parse gives is the root of one. */
struct tree {
    struct json root;
    struct json_blocks blocks; /* owned */
};

const struct json_limits json_limits_message = {65536, 16, 1024};
const struct json_limits json_limits_edge = {262144, 16, 1024};
const struct json_limits json_limits_channel = {2 * 1048576, 16, 262144};

struct opened {
    struct json *value;
    size_t first; /* of its items in `items` */
};

struct parse {
    const struct json_limits *limits;
    struct tree *tree;                   /* in its own first block */
    struct json_blocks blocks;           /* owned until it is the tree's */
    struct opened open[JSON_DEPTH_WALL]; /* arrays and objects not yet closed */
    struct json **items;                 /* owned: of all that are open */
    size_t count, room;
    unsigned depth, members;
    const char *key; /* read, and waiting for its value */
    size_t key_len;
    int error;
};

static int parse_stop(struct parse *parse, int error)
{
    parse->error = error;
    return 0;
}

/* NULL with the parse's error set. */
static void *take(struct parse *parse, size_t len, bool aligned)
{
    void *bytes = json_blocks_take(&parse->blocks, len, aligned);
    if (!bytes)
        parse->error = -ENOMEM;
    return bytes;
}

static const char *copy_bytes(struct parse *parse, const void *bytes, size_t len)
{
    char *copy = take(parse, len + 1, false);
    if (!copy)
        return NULL;
    memcpy(copy, bytes, len);
    copy[len] = '\0';
    return copy;
}

/* Grows by half, so that a large array costs no quadratic time. */
static int item_push(struct parse *parse, struct json *item)
{
    if (parse->count == parse->room) {
        size_t room = parse->room + parse->room / 2 + ITEMS_FIRST;
        struct json **items = realloc(parse->items, room * sizeof *items);
        if (!items)
            return -ENOMEM;
        parse->items = items;
        parse->room = room;
    }
    parse->items[parse->count++] = item;
    return 0;
}

static struct json *value_take(struct parse *parse)
{
    if (parse->depth)
        return take(parse, sizeof(struct json), true);
    parse->tree = take(parse, sizeof *parse->tree, true);
    return parse->tree ? &parse->tree->root : NULL;
}

/* Makes a value and hangs it where the parse stands. NULL with the parse's error set. */
static struct json *parse_add(struct parse *parse, enum json_kind kind)
{
    if (parse->members++ > parse->limits->members_max) {
        parse->error = -EMSGSIZE;
        return NULL;
    }
    struct json *value = value_take(parse);
    if (!value || (parse->depth && item_push(parse, value) < 0)) {
        parse->error = -ENOMEM;
        return NULL;
    }
    *value = (struct json){.kind = kind, .key = parse->key, .key_len = parse->key_len};
    parse->key = NULL;
    parse->key_len = 0;
    return value;
}

static int on_null(void *arg)
{
    return parse_add(arg, JSON_NULL) != NULL;
}

static int on_bool(void *arg, int truth)
{
    struct json *value = parse_add(arg, JSON_BOOL);
    if (value)
        value->truth = truth;
    return value != NULL;
}

static int parse_add_text(struct parse *parse, enum json_kind kind, const void *bytes, size_t len)
{
    if (memchr(bytes, '\0', len))
        return parse_stop(parse, -EBADMSG);
    struct json *value = parse_add(parse, kind);
    if (!value)
        return 0;
    value->text = copy_bytes(parse, bytes, len);
    return value->text != NULL;
}

static int on_number(void *arg, const char *digits, size_t len)
{
    return parse_add_text(arg, JSON_NUMBER, digits, len);
}

static int on_string(void *arg, const unsigned char *bytes, size_t len)
{
    return parse_add_text(arg, JSON_TEXT, bytes, len);
}

static int on_key(void *arg, const unsigned char *bytes, size_t len)
{
    struct parse *parse = arg;
    if (memchr(bytes, '\0', len))
        return parse_stop(parse, -EBADMSG);
    parse->key = copy_bytes(parse, bytes, len);
    parse->key_len = len;
    return parse->key != NULL;
}

static int parse_open(struct parse *parse, enum json_kind kind)
{
    if (parse->depth == parse->limits->depth_max || parse->depth == JSON_DEPTH_WALL)
        return parse_stop(parse, -EMSGSIZE);
    struct json *value = parse_add(parse, kind);
    if (!value)
        return 0;
    parse->open[parse->depth++] = (struct opened){value, parse->count};
    return 1;
}

static int on_object_begin(void *arg)
{
    return parse_open(arg, JSON_OBJECT);
}

static int on_array_begin(void *arg)
{
    return parse_open(arg, JSON_ARRAY);
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int check_few_keys_unique(const struct json *object)
{
    for (size_t i = 1; i < object->count; i++)
        for (size_t j = 0; j < i; j++)
            if (object->items[i]->key_len == object->items[j]->key_len &&
                memcmp(object->items[i]->key, object->items[j]->key, object->items[i]->key_len) == 0)
                return -EBADMSG;
    return 0;
}

/* By sorting: an object of many members must not cost quadratic time. */
static int check_keys_unique(const struct json *object)
{
    if (!object->items)
        return 0;
    if (object->count <= MEMBERS_FEW)
        return check_few_keys_unique(object);
    const char **keys = calloc(object->count, sizeof *keys);
    int error = 0;
    if (!keys)
        return -ENOMEM;
    for (size_t i = 0; i < object->count; i++)
        keys[i] = object->items[i]->key;
    qsort(keys, object->count, sizeof *keys, compare_keys);
    for (size_t i = 1; i < object->count; i++)
        if (strcmp(keys[i - 1], keys[i]) == 0)
            error = -EBADMSG;
    free(keys);
    return error;
}

static struct json *parse_close(struct parse *parse)
{
    const struct opened *opened = &parse->open[--parse->depth];
    struct json *value = opened->value;
    value->count = parse->count - opened->first;
    parse->count = opened->first;
    if (!value->count)
        return value;
    value->items = take(parse, value->count * sizeof *value->items, true);
    if (!value->items)
        return NULL;
    memcpy(value->items, parse->items + opened->first, value->count * sizeof *value->items);
    return value;
}

static int on_object_end(void *arg)
{
    struct parse *parse = arg;
    const struct json *object = parse_close(parse);
    int error = object ? check_keys_unique(object) : -ENOMEM;
    return error ? parse_stop(parse, error) : 1;
}

static int on_array_end(void *arg)
{
    return parse_close(arg) != NULL;
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_bool,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_object_begin,
    .yajl_map_key = on_key,
    .yajl_end_map = on_object_end,
    .yajl_start_array = on_array_begin,
    .yajl_end_array = on_array_end,
};

/* The value of \uXXXX at AT, or -1. */
static int escaped_unit(const char *at, size_t left)
{
    char digits[5] = "";
    char *end;
    if (left < 6 || at[0] != '\\' || at[1] != 'u')
        return -1;
    memcpy(digits, at + 2, 4);
    long unit = strtol(digits, &end, 16);
    return *end ? -1 : (int)unit;
}

/* Whether escaped surrogates come in pairs only. A backslash stands nowhere but in strings. */
static bool surrogates_paired(const char *text, size_t len)
{
    const char *found;
    size_t i = 0;
    while (i + 1 < len && (found = memchr(text + i, '\\', len - i))) {
        i = (size_t)(found - text);
        int unit = escaped_unit(text + i, len - i);
        if (unit >= 0xdc00 && unit <= 0xdfff)
            return false;
        if (unit >= 0xd800 && unit <= 0xdbff) {
            int second = escaped_unit(text + i + 6, len - i - 6);
            if (second < 0xdc00 || second > 0xdfff)
                return false;
            i += 6;
        }
        i += 2;
    }
    return true;
}

/* What yajl holds. It looks at no allocation whether it failed, so it is left by a jump when one does. */
struct yajl_memory {
    void *blocks[YAJL_BLOCKS_MAX]; /* owned; NULL: free */
    jmp_buf out;
};

static void **yajl_block(struct yajl_memory *memory, const void *block)
{
    for (size_t i = 0; i < YAJL_BLOCKS_MAX; i++)
        if (memory->blocks[i] == block)
            return &memory->blocks[i];
    return NULL;
}

static void *yajl_grow(void *arg, void *block, size_t len)
{
    struct yajl_memory *memory = arg;
    void **place = yajl_block(memory, block);
    void *grown = place ? realloc(block, len) : NULL;
    if (!grown)
        longjmp(memory->out, 1);
    *place = grown;
    return grown;
}

static void *yajl_take(void *arg, size_t len)
{
    return yajl_grow(arg, NULL, len);
}

static void yajl_give_back(void *arg, void *block)
{
    void **place = yajl_block(arg, block);
    free(block);
    if (place)
        *place = NULL;
}

static int feed_yajl(struct parse *parse, struct yajl_memory *memory, const char *text, size_t len)
{
    yajl_alloc_funcs heap = {yajl_take, yajl_grow, yajl_give_back, memory};
    if (setjmp(memory->out) != 0)
        return -ENOMEM;
    yajl_handle handle = yajl_alloc(&callbacks, &heap, parse);
    yajl_status status = yajl_parse(handle, (const unsigned char *)text, len);
    if (status == yajl_status_ok)
        status = yajl_complete_parse(handle);
    yajl_free(handle);
    if (status == yajl_status_ok)
        return 0;
    return parse->error ? parse->error : -EBADMSG;
}

static int run_yajl(struct parse *parse, const char *text, size_t len)
{
    struct yajl_memory memory = {.blocks = {NULL}};
    int error = feed_yajl(parse, &memory, text, len);
    for (size_t i = 0; i < YAJL_BLOCKS_MAX; i++)
        free(memory.blocks[i]);
    return error;
}

int json_parse(const char *text, size_t len, const struct json_limits *limits, struct json **ret_tree)
{
    struct parse parse = {.limits = limits ? limits : &json_limits_message};
    if (len > parse.limits->text_max_bytes)
        return -EMSGSIZE;
    if (utf8_valid_prefix(text, len) != len || !surrogates_paired(text, len))
        return -EBADMSG;
    int error = run_yajl(&parse, text, len);
    free(parse.items);
    if (error || !parse.tree) {
        json_blocks_finish_wiped(&parse.blocks);
        return error ? error : -EBADMSG;
    }
    parse.tree->blocks = parse.blocks;
    *ret_tree = &parse.tree->root;
    return 0;
}

/* Of the tree whose root, its first member, ROOT is. */
static struct json_blocks blocks_of(struct json *root)
{
    const struct json_blocks none = {NULL};
    return root ? ((struct tree *)root)->blocks : none;
}

void json_destroy(struct json *tree)
{
    struct json_blocks blocks = blocks_of(tree);
    json_blocks_finish(&blocks);
}

void json_destroy_wiped(struct json *tree)
{
    struct json_blocks blocks = blocks_of(tree);
    json_blocks_finish_wiped(&blocks);
}

enum json_kind json_kind(const struct json *value)
{
    return value ? value->kind : JSON_NULL;
}

size_t json_count(const struct json *value)
{
    return value ? value->count : 0;
}

const struct json *json_at(const struct json *value, size_t index)
{
    return index < json_count(value) ? value->items[index] : NULL;
}

const char *json_key_at(const struct json *object, size_t index)
{
    return json_kind(object) == JSON_OBJECT && index < object->count ? object->items[index]->key : NULL;
}

const struct json *json_member(const struct json *object, const char *key)
{
    if (json_kind(object) != JSON_OBJECT)
        return NULL;
    for (size_t i = 0; i < object->count; i++)
        if (strcmp(object->items[i]->key, key) == 0)
            return object->items[i];
    return NULL;
}

const char *json_text(const struct json *value)
{
    return value ? value->text : NULL;
}

bool json_is_text(const struct json *value)
{
    return json_kind(value) == JSON_TEXT;
}

int json_int(const struct json *value, int64_t *ret_number)
{
    char *end;
    if (json_kind(value) != JSON_NUMBER)
        return -EINVAL;
    errno = 0;
    intmax_t number = strtoimax(value->text, &end, 10);
    if (errno || *end || number < INT64_MIN || number > INT64_MAX)
        return -EINVAL;
    *ret_number = number;
    return 0;
}

bool json_bool(const struct json *value)
{
    return json_kind(value) == JSON_BOOL && value->truth;
}
