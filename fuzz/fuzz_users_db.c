/* links: kiln_protocol */
/* User database: a good one has unique names and numbers, and nothing it names is missing; a bad one says
 * where. */
#include <string.h>

#include "fuzz/claim.h"
#include "protocol/users_db.h"

static void check(const struct users_db *database)
{
    for (size_t i = 0; i < database->nusers; i++) {
        const struct users_db_user *user = &database->users[i];
        CLAIM(users_db_name_valid(user->name) && users_db_find_user(database, user->name) == user);
        CLAIM(user->uid >= USERS_DB_ID_MIN && user->uid <= USERS_DB_ID_MAX &&
              strcmp(user->name, "root") != 0);
        for (size_t j = 0; j < user->ssh_keys.count; j++)
            CLAIM(!strchr(user->ssh_keys.items[j], '\n'));
    }
    for (size_t i = 0; i < database->ngroups; i++) {
        const struct users_db_group *group = &database->groups[i];
        CLAIM(users_db_find_group(database, group->name) == group &&
              !users_db_find_user(database, group->name));
        for (size_t j = 0; j < group->members.count; j++)
            CLAIM(users_db_find_user(database, group->members.items[j]));
    }
    for (size_t i = 0; i < database->ndirectories; i++) {
        const struct users_db_directory *directory = &database->directories[i];
        CLAIM(directory->path[0] && directory->path[0] != '/' && directory->mode <= 07777);
        CLAIM(!strstr(directory->path, "/../") && strncmp(directory->path, "../", 3) != 0);
        CLAIM(users_db_find_user(database, directory->owner));
    }
}

/* A name that the machine has: none of the database's may be it. */
static bool taken(void *arg, const char *name)
{
    return strcmp(arg, name) == 0;
}

/* Where each of its names is another's, the same database is refused. */
static void check_taken(const char *text, size_t len, const struct users_db *database)
{
    struct users_db *none = NULL;
    char place[USERS_DB_PLACE_BYTES];
    for (size_t i = 0; i < database->nusers && i < 4; i++)
        CLAIM(users_db_parse(text, len, taken, (void *)database->users[i].name, &none, place) < 0 &&
              place[0]);
    for (size_t i = 0; i < database->ngroups && i < 4; i++)
        CLAIM(users_db_parse(text, len, taken, (void *)database->groups[i].name, &none, place) < 0 &&
              place[0]);
    CLAIM(!none);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct users_db *database;
    char place[USERS_DB_PLACE_BYTES];
    int error = users_db_parse((const char *)data, size, NULL, NULL, &database, place);
    CLAIM((error == 0) == (place[0] == '\0'));
    if (error)
        return 0;
    check(database);
    check_taken((const char *)data, size, database);
    users_db_destroy(database);
    return 0;
}
