/*
 * Account: see account.h.
 */
#include "guest/account.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/sshd.h"
#include "protocol/users_db.h"

#define NAMES_MAX 4096 /* of users and groups of an earlier database */

static bool id_is_ours(unsigned id)
{
    return id >= USERS_DB_ID_MIN && id <= USERS_DB_ID_MAX;
}

bool account_is_system(void *arg, const char *name)
{
    (void)arg;
    const struct passwd *user = getpwnam(name);
    const struct group *group = getgrnam(name);
    return (user != NULL && !id_is_ours(user->pw_uid)) || (group != NULL && !id_is_ours(group->gr_gid));
}

bool account_is_user(const char *name)
{
    /* The loop asks this while the job thread may be using the static results of getpwnam(3). */
    char text[1024];
    struct passwd user, *found = NULL;
    return getpwnam_r(name, &user, text, sizeof text, &found) == 0 && found != NULL &&
           id_is_ours(user.pw_uid);
}

static int check_user(const struct users_db_user *user, size_t index, char *place, size_t max_bytes)
{
    const struct passwd *there = getpwnam(user->name);
    if (there == NULL || there->pw_uid == user->uid)
        return 0;
    snprintf(place, max_bytes, "users[%zu].uid: %s has uid %u in this VM already", index, user->name,
             (unsigned)there->pw_uid);
    return -EINVAL;
}

static int check_group(const struct users_db_group *group, size_t index, char *place, size_t max_bytes)
{
    const struct group *there = getgrnam(group->name);
    if (there == NULL || there->gr_gid == group->gid)
        return 0;
    snprintf(place, max_bytes, "groups[%zu].gid: %s has gid %u in this VM already", index, group->name,
             (unsigned)there->gr_gid);
    return -EINVAL;
}

int account_check(const struct users_db *database, char *ret_place, size_t max_bytes)
{
    int result = 0;
    for (size_t i = 0; result == 0 && i < database->ngroups; i++)
        result = check_group(&database->groups[i], i, ret_place, max_bytes);
    for (size_t i = 0; result == 0 && i < database->nusers; i++)
        result = check_user(&database->users[i], i, ret_place, max_bytes);
    return result;
}

static int make_group(const char *name, uint32_t gid, char said[TOOL_SAID_MAX])
{
    char number[16];
    if (getgrnam(name) != NULL)
        return 0;
    snprintf(number, sizeof number, "%u", gid);
    const char *const argv[] = {"/usr/sbin/groupadd", "--gid", number, name, NULL};
    return tool_run(argv, NULL, said);
}

static int make_user(const struct users_db_user *user, const char *homes, char said[TOOL_SAID_MAX])
{
    char number[16], home[256];
    snprintf(number, sizeof number, "%u", user->uid);
    snprintf(home, sizeof home, "%s/%s", homes, user->name);
    if (getpwnam(user->name) != NULL)
        return 0;
    int result = make_group(user->name, user->uid, said);
    if (result < 0)
        return result;
    /* '*' is no password and no lock: sshd lets nobody in whose password begins with '!'. */
    const char *const argv[] = {
        "/usr/sbin/useradd", "--uid",   number,      "--gid",      number, "--home-dir", home,
        "--no-create-home",  "--shell", "/bin/bash", "--password", "*",    user->name,   NULL};
    return tool_run(argv, NULL, said);
}

static int set_members(const struct users_db_group *group, char said[TOOL_SAID_MAX])
{
    size_t room = group->members.count * USERS_DB_NAME_BYTES + 1, len = 0;
    char *list = calloc(1, room);
    if (list == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < group->members.count; i++)
        len += (size_t)snprintf(list + len, room - len, "%s%s", i > 0 ? "," : "", group->members.items[i]);
    const char *const argv[] = {"/usr/bin/gpasswd", "--members", list, group->name, NULL};
    int result = tool_run(argv, NULL, said);
    free(list);
    return result;
}

static int remove_user(const char *name, char said[TOOL_SAID_MAX])
{
    /* With force: a process of the user's may still run, and its home belongs to the drive. */
    const char *const argv[] = {"/usr/sbin/userdel", "--force", name, NULL};
    int result = tool_run(argv, NULL, said);
    if (result < 0)
        return result;
    result = sshd_forget(name);
    if (result < 0)
        snprintf(said, TOOL_SAID_MAX, "the keys of %s: %s", name, strerror(-result));
    return result;
}

static int remove_group(const char *name, char said[TOOL_SAID_MAX])
{
    const char *const argv[] = {"/usr/sbin/groupdel", "--force", name, NULL};
    return tool_run(argv, NULL, said);
}

struct names {
    char name[NAMES_MAX][USERS_DB_NAME_BYTES];
    size_t count;
};

static void keep_name(struct names *names, const char *name)
{
    if (names->count < NAMES_MAX)
        snprintf(names->name[names->count++], USERS_DB_NAME_BYTES, "%s", name);
}

static int remove_users(const struct users_db *database, struct names *names, char said[TOOL_SAID_MAX])
{
    int result = 0;
    names->count = 0;
    setpwent();
    for (struct passwd *user; (user = getpwent()) != NULL;)
        if (id_is_ours(user->pw_uid) && users_db_find_user(database, user->pw_name) == NULL)
            keep_name(names, user->pw_name);
    endpwent();
    for (size_t i = 0; result == 0 && i < names->count; i++)
        result = remove_user(names->name[i], said);
    return result;
}

static int remove_groups(const struct users_db *database, struct names *names, char said[TOOL_SAID_MAX])
{
    int result = 0;
    names->count = 0;
    setgrent();
    for (struct group *group; (group = getgrent()) != NULL;)
        if (id_is_ours(group->gr_gid) && users_db_find_group(database, group->gr_name) == NULL &&
            users_db_find_user(database, group->gr_name) == NULL)
            keep_name(names, group->gr_name);
    endgrent();
    for (size_t i = 0; result == 0 && i < names->count; i++)
        result = remove_group(names->name[i], said);
    return result;
}

static int remove_others(const struct users_db *database, char said[TOOL_SAID_MAX])
{
    struct names *names = malloc(sizeof *names);
    if (names == NULL)
        return -ENOMEM;
    int result = remove_users(database, names, said);
    if (result == 0)
        result = remove_groups(database, names, said);
    free(names);
    return result;
}

int account_apply(const struct users_db *database, const char *homes, char said[TOOL_SAID_MAX])
{
    int result = remove_others(database, said);
    for (size_t i = 0; result == 0 && i < database->ngroups; i++)
        result = make_group(database->groups[i].name, database->groups[i].gid, said);
    for (size_t i = 0; result == 0 && i < database->nusers; i++)
        result = make_user(&database->users[i], homes, said);
    for (size_t i = 0; result == 0 && i < database->ngroups; i++)
        result = set_members(&database->groups[i], said);
    return result;
}
