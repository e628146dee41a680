/*
 * Views: VMs, bricks, drives, users and changes as JSON (protocol/README 6.2), in one place for control.sock,
 * the owner API and events.
 *
 * In: objects. Out: JSON. Kept: nothing.
 */
#ifndef KILN_CORE_VIEWS_H
#define KILN_CORE_VIEWS_H

#include "protocol/json_write.h"
#include "src/core/ask.h"

struct store_verdict;

void view_vm(struct json_writer *out, const char *key, const struct core *core, const struct vm_slot *slot);
void view_vm_history(struct json_writer *out, const char *key, const struct history *history);
/* The params of vm.event; VM is NULL for a change of the past. */
void view_vm_event(struct json_writer *out, const char *key, const struct history *history,
                   const struct vm *vm);
void view_brick(struct json_writer *out, const char *key, const struct brick *brick);
/* What an owner needs of it to choose. */
void view_brick_offer(struct json_writer *out, const char *key, const struct brick *brick);
/* With the ciphertext of the caller's own envelope only: 64 of them would not fit one message. */
void view_drive(struct json_writer *out, const char *key, const struct core *core, const struct drive *drive,
                const struct caller *caller);
void view_user(struct json_writer *out, const char *key, const struct user *user);
void view_audit(struct json_writer *out, const char *key, const struct audit_entry *entry,
                const uint8_t hash[RECORD_HASH_LEN]);

/* Members of an object that is open. (verb_store.c) */
void view_store_verdict(struct json_writer *out, const struct store_verdict *verdict);

/* "" for CODE_NONE and for a number that is none. */
const char *view_code_name(int32_t code);
/* The name of the user, or the fingerprint in hex when there is none (any more). */
const char *view_user_name(const struct core *core, const uint8_t fingerprint[RECORD_HASH_LEN],
                           char ret_name[VM_WHO_LEN]);

/* A list that fits one message of README 1.7: an array in an object, and after it "next" where to go on from,
 * when more is there. */
struct view_page {
    struct json_writer out;
    unsigned members;     /* about as many as a reader counts */
    unsigned members_max; /* the page is full beyond it; VIEW_PAGE_MEMBERS unless the list knows better */
    bool more;
};

enum {
    VIEW_PAGE_BYTES = 40 * 1024, /* an object of any kind still fits behind it */
    VIEW_PAGE_MEMBERS = 700
};

void view_page_begin(struct view_page *page, const char *key);
/* Counts an object of MEMBERS members that was just written. Returns whether the page is full. */
bool view_page_full(struct view_page *page, unsigned members);
/* Ends the list; NEXT is what the last object is known by, NULL when all are in it. */
void view_page_end(struct view_page *page, const char *next);

#endif
