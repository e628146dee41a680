/*
 * Reads the user database: each entry by itself. What must hold between entries is in users_db_check.c.
 */
#include "protocol/users_db.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/users_db_internal.h"

enum { PATH_BYTES_MAX = 1024, KEY_BYTES_MAX = 8192 };

int users_db_fault(struct users_db_reading *reading, const char *format, ...)
{
    va_list args;
    if (reading->place[0])
        return -EINVAL;
    va_start(args, format);
    vsnprintf(reading->place, USERS_DB_PLACE_BYTES, format, args);
    va_end(args);
    return -EINVAL;
}

bool users_db_name_valid(const char *text)
{
    size_t len = strlen(text);
    if (len == 0 || len >= USERS_DB_NAME_BYTES || *text == '-' || (*text >= '0' && *text <= '9'))
        return false;
    return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-") == len;
}

static bool no_control_characters(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return false;
    return true;
}

/* Each part must be a name, so that no path leaves the drive. The database's own folder is nobody's. */
static bool path_valid(const char *path)
{
    if (!*path || strlen(path) > PATH_BYTES_MAX || !no_control_characters(path))
        return false;
    for (const char *part = path;; part++) {
        size_t len = strcspn(part, "/");
        if (len == 0 || (len == 1 && part[0] == '.') || (len == 2 && part[0] == '.' && part[1] == '.'))
            return false;
        if (part == path && len == 5 && strncmp(part, ".kiln", 5) == 0)
            return false;
        part += len;
        if (!*part)
            return true;
    }
}

static bool ssh_key_valid(const char *line)
{
    bool kind =
        strncmp(line, "ssh-", 4) == 0 || strncmp(line, "ecdsa-", 6) == 0 || strncmp(line, "sk-", 3) == 0;
    return kind && strchr(line, ' ') && strlen(line) <= KEY_BYTES_MAX && no_control_characters(line);
}

/* A mode in octal, "0750" or "750". */
static bool parse_mode(const char *text, unsigned *ret_mode)
{
    size_t len = strlen(text);
    if (len < 3 || len > 4 || strspn(text, "01234567") != len)
        return false;
    *ret_mode = (unsigned)strtoul(text, NULL, 8);
    return true;
}

/* A list of strings into the database's pool, which has room for all of them. */
static int read_list(struct users_db_reading *reading, struct json_reader *entry, const char *where,
                     size_t index, const char *key, struct users_db_list *ret_list)
{
    struct users_db *database = reading->database;
    const struct json *list = json_read_array_or_null(entry, key);
    *ret_list = (struct users_db_list){database->strings + database->nstrings, json_count(list)};
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *item = json_at(list, i);
        if (!json_is_text(item))
            return users_db_fault(reading, "%s[%zu].%s[%zu]: not a string", where, index, key, i);
        database->strings[database->nstrings++] = json_text(item);
    }
    return 0;
}

static int entry_end(struct users_db_reading *reading, const struct json_reader *entry, const char *where,
                     size_t index)
{
    if (json_reader_end(entry) < 0)
        return users_db_fault(reading, "%s[%zu].%s: missing or of the wrong kind", where, index,
                              entry->wrong);
    return 0;
}

static int check_name(struct users_db_reading *reading, const char *where, size_t index, const char *name)
{
    if (!users_db_name_valid(name))
        return users_db_fault(reading, "%s[%zu].name: not a name", where, index);
    return 0;
}

static int read_id(struct users_db_reading *reading, struct json_reader *entry, const char *where,
                   size_t index, const char *key, uint32_t *ret_id)
{
    int64_t id = json_read_int(entry, key, INT64_MIN, INT64_MAX);
    if (!entry->wrong && (id < USERS_DB_ID_MIN || id > USERS_DB_ID_MAX))
        return users_db_fault(reading, "%s[%zu].%s: not in %d to %d", where, index, key, USERS_DB_ID_MIN,
                              USERS_DB_ID_MAX);
    *ret_id = (uint32_t)id;
    return 0;
}

static int read_group(struct users_db_reading *reading, const struct json *value, size_t index)
{
    struct users_db_group *group = &reading->database->groups[index];
    struct json_reader entry = json_reader_init(value);
    group->name = json_read_text(&entry, "name");
    int error = read_id(reading, &entry, "groups", index, "gid", &group->gid);
    if (error == 0)
        error = read_list(reading, &entry, "groups", index, "members", &group->members);
    if (error == 0)
        error = entry_end(reading, &entry, "groups", index);
    return error ? error : check_name(reading, "groups", index, group->name);
}

static int read_user(struct users_db_reading *reading, const struct json *value, size_t index)
{
    struct users_db_user *user = &reading->database->users[index];
    struct json_reader entry = json_reader_init(value);
    user->name = json_read_text(&entry, "name");
    int error = read_id(reading, &entry, "users", index, "uid", &user->uid);
    if (error == 0)
        error = read_list(reading, &entry, "users", index, "groups", &user->groups);
    if (error == 0)
        error = read_list(reading, &entry, "users", index, "ssh_keys", &user->ssh_keys);
    if (error == 0)
        error = entry_end(reading, &entry, "users", index);
    if (error == 0)
        error = check_name(reading, "users", index, user->name);
    for (size_t i = 0; error == 0 && i < user->ssh_keys.count; i++)
        if (!ssh_key_valid(user->ssh_keys.items[i]))
            error = users_db_fault(reading, "users[%zu].ssh_keys[%zu]: not an OpenSSH public key", index, i);
    return error;
}

static int read_directory(struct users_db_reading *reading, const struct json *value, size_t index)
{
    struct users_db_directory *directory = &reading->database->directories[index];
    struct json_reader entry = json_reader_init(value);
    directory->path = json_read_text(&entry, "path");
    directory->owner = json_read_text(&entry, "owner");
    directory->group = json_read_text(&entry, "group");
    const char *mode = json_read_text(&entry, "mode");
    int error = read_list(reading, &entry, "directories", index, "readers", &directory->readers);
    if (error == 0)
        error = read_list(reading, &entry, "directories", index, "writers", &directory->writers);
    if (error == 0)
        error = entry_end(reading, &entry, "directories", index);
    if (error == 0 && !path_valid(directory->path))
        error = users_db_fault(reading, "directories[%zu].path: not a path below the drive", index);
    if (error == 0 && !parse_mode(mode, &directory->mode))
        error = users_db_fault(reading, "directories[%zu].mode: not octal, as in 0750", index);
    return error;
}

typedef int read_entry(struct users_db_reading *reading, const struct json *value, size_t index);

/* The array KEY into entries of SIZE bytes each. */
static int read_entries(struct users_db_reading *reading, struct json_reader *root, const char *key,
                        size_t max, size_t size, read_entry *read, void **ret_entries, size_t *ret_count)
{
    const struct json *list = json_read_array_or_null(root, key);
    if (json_count(list) > max)
        return users_db_fault(reading, "%s: more than %zu", key, max);
    *ret_entries = calloc(json_count(list) + 1, size);
    if (!*ret_entries)
        return -ENOMEM;
    *ret_count = json_count(list);
    for (size_t i = 0; i < *ret_count; i++) {
        if (json_kind(json_at(list, i)) != JSON_OBJECT)
            return users_db_fault(reading, "%s[%zu]: not an object", key, i);
        int error = read(reading, json_at(list, i), i);
        if (error)
            return error;
    }
    return 0;
}

/* How many strings a value holds, an upper bound for the pool of lists. */
static size_t count_strings(const struct json *value)
{
    size_t count = json_is_text(value);
    for (size_t i = 0; i < json_count(value); i++)
        count += count_strings(json_at(value, i));
    return count;
}

static int read_all(struct users_db_reading *reading, const struct json *value)
{
    struct users_db *database = reading->database;
    struct json_reader root = json_reader_init(value);
    if (json_kind(value) != JSON_OBJECT)
        return users_db_fault(reading, "not an object");
    if (json_read_int(&root, "version", 1, 1) != 1)
        return users_db_fault(reading, "version: not 1");
    int error = read_entries(reading, &root, "groups", USERS_DB_GROUPS_MAX, sizeof *database->groups,
                             read_group, (void **)&database->groups, &database->ngroups);
    if (error == 0)
        error = read_entries(reading, &root, "users", USERS_DB_USERS_MAX, sizeof *database->users, read_user,
                             (void **)&database->users, &database->nusers);
    if (error == 0)
        error = read_entries(reading, &root, "directories", USERS_DB_DIRECTORIES_MAX,
                             sizeof *database->directories, read_directory, (void **)&database->directories,
                             &database->ndirectories);
    if (error == 0 && json_reader_end(&root) < 0)
        error = users_db_fault(reading, "%s: not an array", root.wrong);
    return error;
}

int users_db_read(const struct json *value, users_db_taken *taken, void *arg, struct users_db **ret_database,
                  char place[USERS_DB_PLACE_BYTES])
{
    struct users_db *database = calloc(1, sizeof *database);
    struct users_db_reading reading = {database, taken, arg, place};
    place[0] = '\0';
    if (!database)
        return -ENOMEM;
    /* each membership may stand twice, with the user and with the group */
    database->strings = calloc(count_strings(value) * 2 + 1, sizeof *database->strings);
    int error = database->strings ? read_all(&reading, value) : -ENOMEM;
    if (error == 0)
        error = users_db_check_ids(&reading);
    if (error == 0)
        error = users_db_check_references(&reading);
    if (error == 0)
        error = users_db_check_paths(&reading);
    if (error) {
        users_db_destroy(database);
        return error;
    }
    *ret_database = database;
    return 0;
}

int users_db_parse(const char *text, size_t len, users_db_taken *taken, void *arg,
                   struct users_db **ret_database, char place[USERS_DB_PLACE_BYTES])
{
    struct json *tree;
    snprintf(place, USERS_DB_PLACE_BYTES, "not JSON within the limits");
    if (len > USERS_DB_TEXT_MAX)
        return -EMSGSIZE;
    int error = json_parse(text, len, &json_limits_channel, &tree);
    if (error)
        return error;
    error = users_db_read(tree, taken, arg, ret_database, place);
    if (error)
        json_destroy(tree);
    else
        (*ret_database)->tree = tree;
    return error;
}

void users_db_destroy(struct users_db *database)
{
    if (!database)
        return;
    free(database->groups);
    free(database->users);
    free(database->directories);
    free(database->strings);
    free(database->users_by_name);
    free(database->groups_by_name);
    json_destroy(database->tree);
    free(database);
}
