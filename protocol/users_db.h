/*
 * The user database /.kiln/users.json (README 7.6). In: its JSON. Out: a checked struct, or the place that is
 * wrong. Kept: the struct, until users_db_destroy.
 */
#ifndef KILN_PROTOCOL_USERS_DB_H
#define KILN_PROTOCOL_USERS_DB_H

#include "protocol/json.h"

enum {
    USERS_DB_TEXT_MAX = 1048576,
    USERS_DB_NAME_BYTES = 33,
    USERS_DB_USERS_MAX = 1024,
    USERS_DB_GROUPS_MAX = 1024,
    USERS_DB_DIRECTORIES_MAX = 4096,
    USERS_DB_ID_MIN = 1000,
    USERS_DB_ID_MAX = 59999,
    USERS_DB_PLACE_BYTES = 256,
};

/* Strings of an object of the database; each ends with a NUL. */
struct users_db_list {
    const char **items; /* owned by the database */
    size_t count;
};

struct users_db_group {
    const char *name;
    uint32_t gid;
    struct users_db_list members; /* user names, also those of users whose `groups` name it; each once */
};

struct users_db_user {
    const char *name;
    uint32_t uid;                  /* also the gid of the user's own group */
    struct users_db_list groups;   /* as written; members of the groups are the whole truth */
    struct users_db_list ssh_keys; /* OpenSSH lines */
};

struct users_db_directory {
    const char *path; /* relative to the drive */
    const char *owner, *group;
    unsigned mode;                         /* 0 to 07777 */
    struct users_db_list readers, writers; /* "user" or "@group" */
};

struct users_db {
    struct users_db_group *groups;
    size_t ngroups;
    struct users_db_user *users;
    size_t nusers;
    struct users_db_directory *directories;
    size_t ndirectories;
    /* Owned, of users_db_*.c alone: what the lists and the strings point into, and both sorted by name. */
    const char **strings;
    size_t nstrings;
    const struct users_db_user **users_by_name;
    const struct users_db_group **groups_by_name;
    struct json *tree; /* when parsed from text */
};

/* Whether a name belongs to an account or group of the system; NULL: only the names every Debian has are
 * refused. */
typedef bool users_db_taken(void *arg, const char *name);

/* From text (at most USERS_DB_TEXT_MAX). -EBADMSG or -EMSGSIZE when it is no JSON, -EINVAL wrong, -ENOMEM;
 * PLACE then says where and why, as in "users[3].uid: used by users[1]". */
int users_db_parse(const char *text, size_t len, users_db_taken *taken, void *arg,
                   struct users_db **ret_database, char place[USERS_DB_PLACE_BYTES]);
/* From a value already read, borrowed as long as the database lives. */
int users_db_read(const struct json *value, users_db_taken *taken, void *arg, struct users_db **ret_database,
                  char place[USERS_DB_PLACE_BYTES]);
void users_db_destroy(struct users_db *database);
const struct users_db_user *users_db_find_user(const struct users_db *database, const char *name);
const struct users_db_group *users_db_find_group(const struct users_db *database, const char *name);
/* The bare name that goes with users and groups: [a-z_][a-z0-9_-]{0,31}. */
bool users_db_name_valid(const char *text);

#endif
