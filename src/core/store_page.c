/*
 * Store pages: see store_page.h.
 */
#include "src/core/store_page.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define META_MAGIC 0xBEEFC0DEu

enum {
    META_VERSION = 1,
    METAS = 2,
    PAGE_BRANCH = 1,
    PAGE_LEAF = 2,
    PAGE_OVERFLOW = 4,
    PAGE_META = 8,
    NODE_OVERFLOW = 1,
    NODE_TREE = 2,
    TREE_INTEGER_KEYS = 8,
    PAGE_BYTES_MIN = 512,
    TRANSACTION_BITS_MAX = 56, /* a host that commits a million times a second gets there in 2,000 years */
    LAST_PAGE_BITS_MAX = 40
};

struct page_head {
    uint64_t number;
    uint16_t pad, flags;
    uint16_t lower, upper; /* of a value's first page: the number of its pages, 32 bits */
};

struct node_head {
    uint16_t low, high, flags, key_len_bytes;
};

/* What LMDB writes on the machines that Kiln runs on is what these structs are. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && sizeof(size_t) == 8, "another LMDB file format");
_Static_assert(sizeof(struct page_head) == 16 && sizeof(struct node_head) == 8, "no padding");
_Static_assert(sizeof(struct store_tree) == 48 && sizeof(struct store_meta) == 136, "no padding");

int store_pages_damaged(struct store_pages *pages, uint64_t number, const char *words)
{
    snprintf(pages->error, STORE_ERROR_LEN, "damaged: page %llu (%.16s): %s", (unsigned long long)number,
             pages->database, words);
    return -EUCLEAN;
}

static int bytes_read(struct store_pages *pages, uint64_t number, void *bytes, size_t len_bytes)
{
    uint64_t at = number * pages->page_bytes;
    for (size_t done = 0; done < len_bytes;) {
        ssize_t got = pread(pages->fd, (uint8_t *)bytes + done, len_bytes - done, (off_t)(at + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            snprintf(pages->error, STORE_ERROR_LEN, "page %llu cannot be read: %s",
                     (unsigned long long)number, strerror(errno));
            return -errno;
        }
        if (got == 0)
            return store_pages_damaged(pages, number, "the file ends before it");
        done += (size_t)got;
    }
    return 0;
}

/* ---- the beginning of the file ---- */

static int meta_read(struct store_pages *pages, unsigned index, struct store_meta *ret_meta)
{
    uint8_t bytes[sizeof(struct page_head) + sizeof *ret_meta];
    struct page_head head;
    int rc = bytes_read(pages, index, bytes, sizeof bytes);
    if (rc)
        return rc;
    memcpy(&head, bytes, sizeof head);
    memcpy(ret_meta, bytes + sizeof head, sizeof *ret_meta);
    if (head.number != index || head.flags != PAGE_META || ret_meta->magic != META_MAGIC || ret_meta->address)
        return store_pages_damaged(pages, index, "it is no beginning of a store");
    if (ret_meta->version != META_VERSION) {
        snprintf(pages->error, STORE_ERROR_LEN, "another LMDB wrote it (data version %u)", ret_meta->version);
        return -ENOTSUP;
    }
    /* LMDB writes its transactions to both in turn; a new file has 0 in both. */
    if (ret_meta->transaction % METAS != index && ret_meta->transaction != 0)
        return store_pages_damaged(pages, index, "its transaction belongs to the other one");
    return 0;
}

static int page_size_read(struct store_pages *pages)
{
    struct store_meta meta;
    pages->page_bytes = PAGE_BYTES_MIN;
    int rc = meta_read(pages, 0, &meta);
    if (rc)
        return rc;
    size_t size = meta.free.pad;
    if (size < PAGE_BYTES_MIN || size > STORE_PAGE_BYTES_MAX || (size & (size - 1)))
        return store_pages_damaged(pages, 0, "its page size is none");
    pages->page_bytes = size;
    return 0;
}

static int meta_check(struct store_pages *pages, const struct store_meta *meta)
{
    unsigned number = meta->transaction % METAS;
    if (meta->free.pad != pages->page_bytes || meta->free.flags != TREE_INTEGER_KEYS || meta->main.flags ||
        meta->main.pad || meta->transaction >> TRANSACTION_BITS_MAX)
        return store_pages_damaged(pages, number, "what it says of the store makes no sense");
    if (meta->last_page < METAS - 1 || meta->last_page >> LAST_PAGE_BITS_MAX ||
        (meta->last_page + 1) * pages->page_bytes > pages->file_bytes)
        return store_pages_damaged(pages, number, "the file is shorter than it says");
    return 0;
}

static int snapshot_find(struct store_pages *pages, uint64_t transaction, struct store_meta *ret_meta)
{
    struct store_meta metas[METAS];
    for (unsigned i = 0; i < METAS; i++) {
        int rc = meta_read(pages, i, &metas[i]);
        if (rc)
            return rc;
    }
    unsigned newest = metas[0].transaction < metas[1].transaction;
    unsigned wanted = transaction ? transaction % METAS : newest;
    if (transaction && metas[wanted].transaction != transaction) {
        snprintf(pages->error, STORE_ERROR_LEN, "it was changed too fast to be read");
        return -ESTALE;
    }
    *ret_meta = metas[wanted];
    return meta_check(pages, ret_meta);
}

int store_pages_init(struct store_pages *pages, int fd, uint64_t transaction, struct store_meta *ret_meta,
                     char error[STORE_ERROR_LEN])
{
    struct stat file;
    *pages = (struct store_pages){.fd = fd, .database = "beginning", .error = error};
    if (fstat(fd, &file) < 0) {
        snprintf(error, STORE_ERROR_LEN, "it cannot be read: %s", strerror(errno));
        return -errno;
    }
    pages->file_bytes = (uint64_t)file.st_size;
    if (!pages->file_bytes) {
        snprintf(error, STORE_ERROR_LEN, "the file is empty");
        return -ENODATA;
    }
    int rc = page_size_read(pages);
    if (!rc)
        rc = snapshot_find(pages, transaction, ret_meta);
    if (rc)
        return rc;
    pages->count = ret_meta->last_page + 1;
    pages->met = calloc(pages->count / 8 + 1, 1);
    if (!pages->met) {
        snprintf(error, STORE_ERROR_LEN, "no memory to read it");
        return -ENOMEM;
    }
    return store_pages_take(pages, 0, METAS);
}

void store_pages_finish(struct store_pages *pages)
{
    free(pages->met);
    pages->met = NULL;
}

/* ---- which pages are whose ---- */

int store_pages_take(struct store_pages *pages, uint64_t number, uint64_t count)
{
    if (number >= pages->count || count > pages->count - number)
        return store_pages_damaged(pages, number, "there is no such page");
    for (uint64_t page = number; page < number + count; page++) {
        uint8_t bit = (uint8_t)(1u << page % 8);
        if (pages->met[page / 8] & bit)
            return store_pages_damaged(pages, page, "it is used twice");
        pages->met[page / 8] |= bit;
    }
    return 0;
}

uint64_t store_pages_lost(const struct store_pages *pages)
{
    uint64_t lost = 0;
    for (uint64_t page = 0; page < pages->count; page++)
        lost += !(pages->met[page / 8] >> page % 8 & 1);
    return lost;
}

/* ---- pages of trees ---- */

static struct page_head page_head(const uint8_t *bytes)
{
    struct page_head head;
    memcpy(&head, bytes, sizeof head);
    return head;
}

static size_t node_offset(const uint8_t *bytes, size_t index)
{
    uint16_t offset;
    memcpy(&offset, bytes + sizeof(struct page_head) + index * sizeof offset, sizeof offset);
    return offset;
}

/* The bytes that a node takes, its head included; 0 when it makes no sense. */
static size_t node_size(const struct node_head *head, bool is_branch)
{
    size_t size = sizeof *head + head->key_len_bytes;
    if (head->key_len_bytes > STORE_PAGE_KEY_MAX)
        return 0;
    if (!is_branch) {
        size_t value_len_bytes = head->low | (size_t)head->high << 16;
        bool is_tree = head->flags == NODE_TREE && value_len_bytes == sizeof(struct store_tree);
        if (head->key_len_bytes == 0 || (head->flags > NODE_OVERFLOW && !is_tree))
            return 0;
        size += head->flags == NODE_OVERFLOW ? sizeof(uint64_t) : value_len_bytes;
    }
    return (size + 1) & ~(size_t)1;
}

/* The size of the node at AT, 0 when it makes no sense or does not fit the page. */
static size_t node_size_at(const uint8_t *bytes, size_t at, const struct page_head *head, size_t page_bytes)
{
    struct node_head node;
    if (at + sizeof node > page_bytes)
        return 0;
    memcpy(&node, bytes + at, sizeof node);
    size_t size = node_size(&node, head->flags == PAGE_BRANCH);
    return size > page_bytes - at ? 0 : size;
}

/* Nodes fill the page from `upper` to its end, one after the other, each with one offset that leads to it. */
static bool nodes_are_good(const uint8_t *bytes, const struct page_head *head, size_t page_bytes)
{
    uint8_t begins[STORE_PAGE_BYTES_MAX / 16]; /* a bit for every two bytes */
    size_t size, met = 0, nodes = (head->lower - sizeof *head) / 2;
    memset(begins, 0, page_bytes / 16);
    for (size_t i = 0; i < nodes; i++) {
        size_t at = node_offset(bytes, i);
        if (at >= page_bytes || at % 2)
            return false;
        begins[at / 16] |= (uint8_t)(1u << at / 2 % 8);
    }
    for (size_t at = head->upper; at < page_bytes; at += size, met++) {
        size = node_size_at(bytes, at, head, page_bytes);
        if (!size || !(begins[at / 16] >> at / 2 % 8 & 1))
            return false;
    }
    /* As many nodes as offsets, and to each node leads one. */
    return met == nodes;
}

int store_page_read(struct store_pages *pages, uint64_t number, uint8_t *bytes, struct store_page *ret_page)
{
    int rc = store_pages_take(pages, number, 1);
    if (!rc)
        rc = bytes_read(pages, number, bytes, pages->page_bytes);
    if (rc)
        return rc;
    struct page_head head = page_head(bytes);
    if (head.number != number || (head.flags != PAGE_BRANCH && head.flags != PAGE_LEAF))
        return store_pages_damaged(pages, number, "another page is in its place");
    if (head.lower <= sizeof head || head.lower % 2 || head.lower > head.upper ||
        head.upper > pages->page_bytes || !nodes_are_good(bytes, &head, pages->page_bytes))
        return store_pages_damaged(pages, number, "its entries make no sense");
    ret_page->is_branch = head.flags == PAGE_BRANCH;
    ret_page->nodes = (head.lower - sizeof head) / 2;
    ret_page->bytes = bytes;
    return 0;
}

void store_page_node(const struct store_page *page, size_t index, struct store_node *ret_node)
{
    const uint8_t *at = page->bytes + node_offset(page->bytes, index);
    struct node_head head;
    memcpy(&head, at, sizeof head);
    *ret_node = (struct store_node){.key = at + sizeof head, .key_len_bytes = head.key_len_bytes};
    if (page->is_branch) {
        ret_node->child = head.low | (uint64_t)head.high << 16 | (uint64_t)head.flags << 32;
        return;
    }
    ret_node->value = ret_node->key + head.key_len_bytes;
    ret_node->value_len_bytes = head.low | (size_t)head.high << 16;
    ret_node->kind = (enum store_node_kind)head.flags;
    if (ret_node->kind == STORE_NODE_OVERFLOW)
        memcpy(&ret_node->child, ret_node->value, sizeof ret_node->child);
}

int store_page_read_value(struct store_pages *pages, const struct store_node *node, uint8_t **ret_bytes,
                          uint64_t *ret_pages)
{
    uint8_t first[sizeof(struct page_head)];
    uint32_t count;
    if (node->child >= pages->count)
        return store_pages_damaged(pages, node->child, "there is no such page");
    int rc = bytes_read(pages, node->child, first, sizeof first);
    if (rc)
        return rc;
    struct page_head head = page_head(first);
    memcpy(&count, first + offsetof(struct page_head, lower), sizeof count);
    uint64_t room = (uint64_t)count * pages->page_bytes;
    if (head.number != node->child || head.flags != PAGE_OVERFLOW ||
        room < sizeof head + node->value_len_bytes)
        return store_pages_damaged(pages, node->child, "another page is in its place");
    rc = store_pages_take(pages, node->child, count);
    if (rc)
        return rc;
    uint8_t *bytes = malloc(sizeof head + node->value_len_bytes);
    if (!bytes)
        return -ENOMEM;
    rc = bytes_read(pages, node->child, bytes, sizeof head + node->value_len_bytes);
    if (rc) {
        free(bytes);
        return rc;
    }
    memmove(bytes, bytes + sizeof head, node->value_len_bytes);
    *ret_bytes = bytes;
    *ret_pages = count;
    return 0;
}
