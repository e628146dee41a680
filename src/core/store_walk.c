/*
 * Store walk: see store_walk.h.
 */
#include "src/core/store_walk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct walk {
    struct store_pages pages;
    store_walk_fn *each;
    void *arg;
    uint64_t free_pages;
};

struct tree_walk;
typedef int tree_record_fn(struct tree_walk *tree, uint64_t page, const struct store_node *node,
                           const uint8_t *value);

/* A tree on its way: what was counted, and the last key. */
struct tree_walk {
    struct walk *walk;
    const struct store_tree *tree;
    bool is_free;  /* keys are numbers of this machine's order */
    bool may_same; /* the last key came from a branch: the next may be the same */
    uint64_t branch_pages, leaf_pages, overflow_pages, entries;
    uint8_t last[STORE_PAGE_KEY_MAX];
    size_t last_len_bytes; /* 0: there was none */
    tree_record_fn *record;
    uint8_t *open[STORE_PAGE_DEPTH_MAX + 1]; /* owned: by depth, the page that is being looked at */
};

/* ---- keys ---- */

static int key_compare(const struct tree_walk *tree, const uint8_t *key, size_t len_bytes)
{
    uint64_t ours, last;
    if (tree->is_free) {
        memcpy(&ours, key, sizeof ours);
        memcpy(&last, tree->last, sizeof last);
        return (ours > last) - (ours < last);
    }
    size_t shared = len_bytes < tree->last_len_bytes ? len_bytes : tree->last_len_bytes;
    int order = memcmp(key, tree->last, shared);
    return order ? order : (len_bytes > tree->last_len_bytes) - (len_bytes < tree->last_len_bytes);
}

/* Keys ascend; one of a branch lies above all before it and not above the first below it. */
static int key_take(struct tree_walk *tree, uint64_t page, const struct store_node *node, bool is_branch)
{
    struct store_pages *pages = &tree->walk->pages;
    if (!node->key_len_bytes || (tree->is_free && node->key_len_bytes != sizeof(uint64_t)))
        return store_pages_damaged(pages, page, "a key makes no sense");
    if (tree->last_len_bytes) {
        int order = key_compare(tree, node->key, node->key_len_bytes);
        if (order < 0 || (order == 0 && (is_branch || !tree->may_same)))
            return store_pages_damaged(pages, page, "its keys are out of order");
    }
    memcpy(tree->last, node->key, node->key_len_bytes);
    tree->last_len_bytes = node->key_len_bytes;
    tree->may_same = is_branch;
    return 0;
}

/* ---- a tree ---- */

static int leaf_node_walk(struct tree_walk *tree, uint64_t page, const struct store_node *node)
{
    uint8_t *bytes = NULL;
    uint64_t count = 0;
    int rc = key_take(tree, page, node, false);
    if (!rc && node->kind == STORE_NODE_OVERFLOW)
        rc = store_page_read_value(&tree->walk->pages, node, &bytes, &count);
    if (rc)
        return rc;
    tree->overflow_pages += count;
    tree->entries++;
    rc = tree->record(tree, page, node, bytes ? bytes : node->value);
    free(bytes);
    return rc;
}

static int page_walk(struct tree_walk *tree, uint64_t number, unsigned depth);

static int branch_walk(struct tree_walk *tree, uint64_t number, const struct store_page *page, unsigned depth)
{
    int rc = 0;
    /* LMDB leaves a branch with one child nowhere but in the free tree. */
    if (page->nodes < 2 && !tree->is_free)
        return store_pages_damaged(&tree->walk->pages, number, "a branch with one child");
    tree->branch_pages++;
    for (size_t i = 0; !rc && i < page->nodes; i++) {
        struct store_node node;
        store_page_node(page, i, &node);
        /* The first key of a branch stands for all that is below the second. */
        rc = i ? key_take(tree, number, &node, true) : 0;
        if (!rc)
            rc = page_walk(tree, node.child, depth + 1);
    }
    return rc;
}

static int leaf_walk(struct tree_walk *tree, uint64_t number, const struct store_page *page)
{
    int rc = 0;
    tree->leaf_pages++;
    for (size_t i = 0; !rc && i < page->nodes; i++) {
        struct store_node node;
        store_page_node(page, i, &node);
        rc = leaf_node_walk(tree, number, &node);
    }
    return rc;
}

static int page_walk(struct tree_walk *tree, uint64_t number, unsigned depth)
{
    struct store_pages *pages = &tree->walk->pages;
    struct store_page page;
    if (!tree->open[depth] && !(tree->open[depth] = malloc(pages->page_bytes)))
        return -ENOMEM;
    int rc = store_page_read(pages, number, tree->open[depth], &page);
    if (!rc && page.is_branch != (depth < tree->tree->depth))
        rc = store_pages_damaged(pages, number, "it is not as deep as its tree says");
    if (!rc)
        rc = page.is_branch ? branch_walk(tree, number, &page, depth) : leaf_walk(tree, number, &page);
    return rc;
}

static int tree_walk(struct walk *walk, const struct store_tree *shape, bool is_free, tree_record_fn *record)
{
    struct tree_walk tree = {.walk = walk, .tree = shape, .is_free = is_free, .record = record};
    bool is_empty = shape->root == STORE_PAGE_NONE;
    if (is_empty != (shape->depth == 0) || shape->depth > STORE_PAGE_DEPTH_MAX)
        return store_pages_damaged(&walk->pages, shape->root, "a tree makes no sense");
    int rc = is_empty ? 0 : page_walk(&tree, shape->root, 1);
    for (size_t i = 0; i <= STORE_PAGE_DEPTH_MAX; i++)
        free(tree.open[i]);
    if (rc)
        return rc;
    if (tree.branch_pages != shape->branch_pages || tree.leaf_pages != shape->leaf_pages ||
        tree.overflow_pages != shape->overflow_pages || tree.entries != shape->entries)
        return store_pages_damaged(&walk->pages, shape->root, "a tree is not as large as it says");
    return 0;
}

/* ---- what is in the trees ---- */

/* A list of free pages: their count, then their numbers. */
static int free_record(struct tree_walk *tree, uint64_t page, const struct store_node *node,
                       const uint8_t *value)
{
    struct walk *walk = tree->walk;
    uint64_t count = 0, number, places = node->value_len_bytes / sizeof number;
    if (node->kind == STORE_NODE_TREE || places == 0)
        return store_pages_damaged(&walk->pages, page, "a list of free pages makes no sense");
    memcpy(&count, value, sizeof count);
    if (count > places - 1)
        return store_pages_damaged(&walk->pages, page, "a list of free pages is too short");
    uint64_t before = UINT64_MAX;
    for (uint64_t i = 1; i <= count; i++) {
        memcpy(&number, value + i * sizeof number, sizeof number);
        if (number >= before)
            return store_pages_damaged(&walk->pages, page, "a list of free pages is out of order");
        before = number;
        int rc = store_pages_take(&walk->pages, number, 1);
        if (rc)
            return rc;
    }
    walk->free_pages += count;
    return 0;
}

static int value_record(struct tree_walk *tree, uint64_t page, const struct store_node *node,
                        const uint8_t *value)
{
    struct walk *walk = tree->walk;
    if (node->kind == STORE_NODE_TREE)
        return store_pages_damaged(&walk->pages, page, "a tree in the place of a record");
    return walk->each(walk->arg, walk->pages.database, node->key, node->key_len_bytes, value,
                      node->value_len_bytes);
}

static int database_record(struct tree_walk *tree, uint64_t page, const struct store_node *node,
                           const uint8_t *value)
{
    struct walk *walk = tree->walk;
    struct store_tree shape;
    char name[STORE_PAGE_KEY_MAX + 1] = "";
    if (node->kind != STORE_NODE_TREE || memchr(node->key, 0, node->key_len_bytes))
        return store_pages_damaged(&walk->pages, page, "a record in the place of a tree");
    memcpy(name, node->key, node->key_len_bytes);
    memcpy(&shape, value, sizeof shape);
    if (shape.flags || shape.pad)
        return store_pages_damaged(&walk->pages, page, "a tree makes no sense");
    walk->pages.database = name;
    int rc = tree_walk(walk, &shape, false, value_record);
    walk->pages.database = "databases";
    return rc;
}

int store_walk(int fd, uint64_t transaction, store_walk_fn *each, void *arg, struct store_walked *ret_walked,
               char error[STORE_ERROR_LEN])
{
    struct walk walk = {.each = each, .arg = arg};
    struct store_meta meta;
    int rc = store_pages_init(&walk.pages, fd, transaction, &meta, error);
    if (!rc) {
        walk.pages.database = "free list";
        rc = tree_walk(&walk, &meta.free, true, free_record);
    }
    if (!rc) {
        walk.pages.database = "databases";
        rc = tree_walk(&walk, &meta.main, false, database_record);
    }
    if (!rc)
        *ret_walked = (struct store_walked){.transaction = meta.transaction,
                                            .pages = walk.pages.count,
                                            .free_pages = walk.free_pages,
                                            .lost_pages = store_pages_lost(&walk.pages),
                                            .map_bytes = meta.map_bytes,
                                            .page_bytes = walk.pages.page_bytes,
                                            .file_bytes = walk.pages.file_bytes};
    else if (rc == -ENOMEM)
        snprintf(error, STORE_ERROR_LEN, "no memory to read it");
    store_pages_finish(&walk.pages);
    return rc;
}
