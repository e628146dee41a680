/*
 * What must hold between the entries of a user database. Lookups are by sorted names, because a hostile
 * database of 1 MiB must not cost quadratic time.
 */
#include "protocol/users_db_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Accounts and groups of every Debian, which no database may name. */
static const char *const system_names[] = {
    "root",
    "daemon",
    "bin",
    "sys",
    "sync",
    "games",
    "man",
    "lp",
    "mail",
    "news",
    "uucp",
    "proxy",
    "www-data",
    "backup",
    "list",
    "irc",
    "gnats",
    "nobody",
    "nogroup",
    "_apt",
    "adm",
    "tty",
    "disk",
    "dialout",
    "fax",
    "voice",
    "cdrom",
    "floppy",
    "tape",
    "sudo",
    "audio",
    "dip",
    "operator",
    "src",
    "shadow",
    "utmp",
    "video",
    "sasl",
    "plugdev",
    "staff",
    "users",
    "kmem",
    "input",
    "sgx",
    "kvm",
    "render",
    "crontab",
    "netdev",
    "messagebus",
    "sshd",
    "systemd-network",
    "systemd-resolve",
    "systemd-timesync",
    "systemd-journal",
    "systemd-coredump",
};

static bool name_taken(const struct users_db_reading *reading, const char *name)
{
    for (size_t i = 0; i < sizeof system_names / sizeof *system_names; i++)
        if (strcmp(system_names[i], name) == 0)
            return true;
    return reading->taken && reading->taken(reading->arg, name);
}

static int compare_users(const void *a, const void *b)
{
    const struct users_db_user *const *left = a, *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

static int compare_groups(const void *a, const void *b)
{
    const struct users_db_group *const *left = a, *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

const struct users_db_user *users_db_find_user(const struct users_db *database, const char *name)
{
    struct users_db_user wanted = {.name = name};
    const struct users_db_user *key = &wanted;
    const struct users_db_user **found =
        bsearch(&key, database->users_by_name, database->nusers, sizeof key, compare_users);
    return found ? *found : NULL;
}

const struct users_db_group *users_db_find_group(const struct users_db *database, const char *name)
{
    struct users_db_group wanted = {.name = name};
    const struct users_db_group *key = &wanted;
    const struct users_db_group **found =
        bsearch(&key, database->groups_by_name, database->ngroups, sizeof key, compare_groups);
    return found ? *found : NULL;
}

static int sort_by_name(struct users_db *database)
{
    database->users_by_name = calloc(database->nusers + 1, sizeof *database->users_by_name);
    database->groups_by_name = calloc(database->ngroups + 1, sizeof *database->groups_by_name);
    if (!database->users_by_name || !database->groups_by_name)
        return -ENOMEM;
    for (size_t i = 0; i < database->nusers; i++)
        database->users_by_name[i] = &database->users[i];
    for (size_t i = 0; i < database->ngroups; i++)
        database->groups_by_name[i] = &database->groups[i];
    qsort(database->users_by_name, database->nusers, sizeof *database->users_by_name, compare_users);
    qsort(database->groups_by_name, database->ngroups, sizeof *database->groups_by_name, compare_groups);
    return 0;
}

/* Who has a number, by number: a user's own group has the user's uid as its gid, so there is one space for
 * both. */
struct id_holders {
    const char *where[USERS_DB_ID_MAX - USERS_DB_ID_MIN + 1]; /* "users" or "groups" */
    size_t index[USERS_DB_ID_MAX - USERS_DB_ID_MIN + 1];
};

static int claim_id(struct users_db_reading *reading, struct id_holders *holders, const char *where,
                    size_t index, uint32_t id)
{
    size_t at = id - USERS_DB_ID_MIN;
    if (holders->where[at])
        return users_db_fault(reading, "%s[%zu].%s: used by %s[%zu]", where, index,
                              *where == 'u' ? "uid" : "gid", holders->where[at], holders->index[at]);
    holders->where[at] = where;
    holders->index[at] = index;
    return 0;
}

static int check_numbers(struct users_db_reading *reading)
{
    const struct users_db *database = reading->database;
    struct id_holders *holders = calloc(1, sizeof *holders);
    int error = holders ? 0 : -ENOMEM;
    for (size_t i = 0; error == 0 && i < database->ngroups; i++)
        error = claim_id(reading, holders, "groups", i, database->groups[i].gid);
    for (size_t i = 0; error == 0 && i < database->nusers; i++)
        error = claim_id(reading, holders, "users", i, database->users[i].uid);
    free(holders);
    return error;
}

static int check_user_names(struct users_db_reading *reading)
{
    const struct users_db *database = reading->database;
    for (size_t i = 0; i < database->nusers; i++) {
        const struct users_db_user *user = database->users_by_name[i];
        size_t index = (size_t)(user - database->users);
        if (name_taken(reading, user->name))
            return users_db_fault(reading, "users[%zu].name: an account of the system", index);
        if (i > 0 && strcmp(database->users_by_name[i - 1]->name, user->name) == 0)
            return users_db_fault(reading, "users[%zu].name: used by users[%zu]", index,
                                  (size_t)(database->users_by_name[i - 1] - database->users));
        const struct users_db_group *group = users_db_find_group(database, user->name);
        if (group)
            return users_db_fault(reading, "users[%zu].name: used by groups[%zu]", index,
                                  (size_t)(group - database->groups));
    }
    return 0;
}

static int check_group_names(struct users_db_reading *reading)
{
    const struct users_db *database = reading->database;
    for (size_t i = 0; i < database->ngroups; i++) {
        const struct users_db_group *group = database->groups_by_name[i];
        size_t index = (size_t)(group - database->groups);
        if (name_taken(reading, group->name))
            return users_db_fault(reading, "groups[%zu].name: a group of the system", index);
        if (i > 0 && strcmp(database->groups_by_name[i - 1]->name, group->name) == 0)
            return users_db_fault(reading, "groups[%zu].name: used by groups[%zu]", index,
                                  (size_t)(database->groups_by_name[i - 1] - database->groups));
    }
    return 0;
}

int users_db_check_ids(struct users_db_reading *reading)
{
    int error = sort_by_name(reading->database);
    if (error == 0)
        error = check_group_names(reading);
    if (error == 0)
        error = check_user_names(reading);
    return error ? error : check_numbers(reading);
}

/* One user in one group. */
struct membership {
    size_t group;
    const char *user;
};

struct memberships {
    struct membership *list; /* owned */
    size_t count;
};

static int compare_memberships(const void *a, const void *b)
{
    const struct membership *left = a, *right = b;
    if (left->group != right->group)
        return left->group < right->group ? -1 : 1;
    return strcmp(left->user, right->user);
}

static int collect_from_groups(struct users_db_reading *reading, struct memberships *all)
{
    const struct users_db *database = reading->database;
    for (size_t g = 0; g < database->ngroups; g++) {
        const struct users_db_list *members = &database->groups[g].members;
        for (size_t i = 0; i < members->count; i++) {
            if (!users_db_find_user(database, members->items[i]))
                return users_db_fault(reading, "groups[%zu].members[%zu]: no such user", g, i);
            all->list[all->count++] = (struct membership){g, members->items[i]};
        }
    }
    return 0;
}

static int collect_from_users(struct users_db_reading *reading, struct memberships *all)
{
    const struct users_db *database = reading->database;
    for (size_t u = 0; u < database->nusers; u++) {
        const struct users_db_list *groups = &database->users[u].groups;
        for (size_t i = 0; i < groups->count; i++) {
            const struct users_db_group *group = users_db_find_group(database, groups->items[i]);
            if (!group)
                return users_db_fault(reading, "users[%zu].groups[%zu]: no such group", u, i);
            all->list[all->count++] =
                (struct membership){(size_t)(group - database->groups), database->users[u].name};
        }
    }
    return 0;
}

/* Gives each group its members, each once. */
static void hand_out(struct users_db *database, struct memberships *all)
{
    qsort(all->list, all->count, sizeof *all->list, compare_memberships);
    for (size_t g = 0; g < database->ngroups; g++)
        database->groups[g].members = (struct users_db_list){NULL, 0};
    for (size_t i = 0; i < all->count; i++) {
        if (i > 0 && compare_memberships(&all->list[i - 1], &all->list[i]) == 0)
            continue;
        struct users_db_list *members = &database->groups[all->list[i].group].members;
        if (members->count == 0)
            members->items = database->strings + database->nstrings;
        database->strings[database->nstrings++] = all->list[i].user;
        members->count++;
    }
}

/* A reader or writer: "user" or "@group". */
static bool somebody(const struct users_db *database, const char *text)
{
    return *text == '@' ? users_db_find_group(database, text + 1) != NULL
                        : users_db_find_user(database, text) != NULL;
}

static int check_access(struct users_db_reading *reading, size_t index, const char *key,
                        const struct users_db_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (!somebody(reading->database, list->items[i]))
            return users_db_fault(reading, "directories[%zu].%s[%zu]: no such user or group", index, key, i);
    return 0;
}

static int check_directories(struct users_db_reading *reading)
{
    const struct users_db *database = reading->database;
    for (size_t i = 0; i < database->ndirectories; i++) {
        const struct users_db_directory *directory = &database->directories[i];
        bool own = users_db_find_user(database, directory->group) != NULL;
        if (!users_db_find_user(database, directory->owner))
            return users_db_fault(reading, "directories[%zu].owner: no such user", i);
        if (!own && !users_db_find_group(database, directory->group))
            return users_db_fault(reading, "directories[%zu].group: no such group", i);
        int error = check_access(reading, i, "readers", &directory->readers);
        if (error == 0)
            error = check_access(reading, i, "writers", &directory->writers);
        if (error)
            return error;
    }
    return 0;
}

int users_db_check_references(struct users_db_reading *reading)
{
    struct memberships all = {calloc(reading->database->nstrings + 1, sizeof *all.list), 0};
    int error = all.list ? collect_from_groups(reading, &all) : -ENOMEM;
    if (error == 0)
        error = collect_from_users(reading, &all);
    if (error == 0)
        hand_out(reading->database, &all);
    free(all.list);
    return error ? error : check_directories(reading);
}

static int compare_paths(const void *a, const void *b)
{
    const struct users_db_directory *const *left = a, *const *right = b;
    return strcmp((*left)->path, (*right)->path);
}

int users_db_check_paths(struct users_db_reading *reading)
{
    const struct users_db *database = reading->database;
    const struct users_db_directory **sorted = calloc(database->ndirectories + 1, sizeof *sorted);
    int error = sorted ? 0 : -ENOMEM;
    for (size_t i = 0; error == 0 && i < database->ndirectories; i++)
        sorted[i] = &database->directories[i];
    if (error == 0)
        qsort(sorted, database->ndirectories, sizeof *sorted, compare_paths);
    for (size_t i = 1; error == 0 && i < database->ndirectories; i++)
        if (strcmp(sorted[i - 1]->path, sorted[i]->path) == 0)
            error = users_db_fault(reading, "directories[%zu].path: used by directories[%zu]",
                                   (size_t)(sorted[i] - database->directories),
                                   (size_t)(sorted[i - 1] - database->directories));
    free(sorted);
    return error;
}
