/*
 * Users: see users.h.
 */
#include "guest/users.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/account.h"
#include "guest/acl.h"
#include "guest/folder.h"
#include "guest/users_file.h"
#include "protocol/users_db.h"

#define SYSTEM_HOMES "/home"
#define OWN_FOLDER ".kiln"

struct apply {
    const struct users_order *order;
    struct users_outcome *outcome;
    const struct users_db *database; /* borrowed */
    int root;                        /* of the drive; -1: none */
};

__attribute__((format(printf, 3, 4))) static int fail(struct apply *apply, enum kiln_code code,
                                                      const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(apply->outcome->detail, sizeof apply->outcome->detail, format, args);
    va_end(args);
    apply->outcome->code = code;
    return -EINVAL;
}

static bool is_own_folder(const char *path)
{
    size_t len = sizeof OWN_FOLDER - 1;
    return strncmp(path, OWN_FOLDER, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

static int check_directory(struct apply *apply, size_t index)
{
    const char *path = apply->database->directories[index].path;
    if (apply->root < 0 || !apply->order->writable)
        return 0;
    if (is_own_folder(path))
        return fail(apply, CODE_USERS_MALFORMED, "directories[%zu].path: %s is Kiln's own", index,
                    OWN_FOLDER);
    int result = folder_check(apply->root, path);
    if (result == -ELOOP)
        return fail(apply, CODE_USERS_MALFORMED, "directories[%zu].path: a symbolic link is in the way",
                    index);
    if (result < 0)
        return fail(apply, CODE_USERS_MALFORMED, "directories[%zu].path: %s", index, strerror(-result));
    return 0;
}

static int check_all(struct apply *apply)
{
    char place[USERS_DB_PLACE_BYTES];
    int result = account_check(apply->database, place, sizeof place);
    if (result < 0)
        return fail(apply, CODE_USERS_MALFORMED, "%s", place);
    for (size_t i = 0; result == 0 && i < apply->database->ndirectories; i++)
        result = check_directory(apply, i);
    return result;
}

/* The entry of "user" or "@group". The database was checked: it is there. */
static struct acl_entry find_entry(const struct users_db *database, const char *name, bool write)
{
    struct acl_entry entry = {.group = name[0] == '@', .write = write};
    const struct users_db_group *group = entry.group ? users_db_find_group(database, name + 1) : NULL;
    const struct users_db_user *user = users_db_find_user(database, entry.group ? name + 1 : name);
    entry.id = group != NULL ? group->gid : user != NULL ? user->uid : 0;
    return entry;
}

/* Who is a writer is none of the readers too: a list names each once. */
static size_t add_entry(struct acl_entry *entries, size_t count, struct acl_entry entry)
{
    for (size_t i = 0; i < count; i++)
        if (entries[i].group == entry.group && entries[i].id == entry.id)
            return count;
    entries[count] = entry;
    return count + 1;
}

static int set_access(struct apply *apply, const struct users_db_directory *directory, int fd)
{
    const struct users_db *database = apply->database;
    uint32_t owner = find_entry(database, directory->owner, false).id;
    const struct users_db_group *named = users_db_find_group(database, directory->group);
    uint32_t group = named != NULL ? named->gid : find_entry(database, directory->group, false).id;
    size_t count = 0, room = directory->writers.count + directory->readers.count;
    struct acl_entry *entries = calloc(room + 1, sizeof *entries);
    if (entries == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < directory->writers.count; i++)
        count = add_entry(entries, count, find_entry(database, directory->writers.items[i], true));
    for (size_t i = 0; i < directory->readers.count; i++)
        count = add_entry(entries, count, find_entry(database, directory->readers.items[i], false));
    int result = fchown(fd, owner, group) < 0 ? -errno : acl_set(fd, directory->mode, entries, count);
    free(entries);
    return result;
}

static int make_directory(struct apply *apply, size_t index)
{
    const struct users_db_directory *directory = &apply->database->directories[index];
    int fd;
    int result = folder_make(apply->root, directory->path, &fd);
    if (result == 0) {
        result = set_access(apply, directory, fd);
        close(fd);
    }
    if (result < 0)
        return fail(apply, CODE_USERS_FAILED, "directories[%zu]: %s", index, strerror(-result));
    apply->outcome->directories++;
    return 0;
}

static int make_home(struct apply *apply, int homes, const struct users_db_user *user)
{
    int fd;
    int result = folder_make(homes, user->name, &fd);
    if (result == 0) {
        /* A home that was there keeps the mode its user gave it. */
        struct stat st;
        result = fstat(fd, &st) < 0 ? -errno : 0;
        if (result == 0 && st.st_uid != user->uid &&
            (fchown(fd, user->uid, user->uid) < 0 || fchmod(fd, 0700) < 0))
            result = -errno;
        close(fd);
    }
    return result < 0 ? fail(apply, CODE_USERS_FAILED, "the home of %s: %s", user->name, strerror(-result))
                      : 0;
}

static int make_homes(struct apply *apply, bool on_drive)
{
    int homes;
    int result = 0;
    if (on_drive)
        result = folder_make(apply->root, "home", &homes);
    else
        homes = open(SYSTEM_HOMES, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (result < 0 || homes < 0)
        return fail(apply, CODE_USERS_FAILED, "the folder of homes: %s",
                    strerror(result < 0 ? -result : errno));
    for (size_t i = 0; result == 0 && i < apply->database->nusers; i++)
        result = make_home(apply, homes, &apply->database->users[i]);
    close(homes);
    return result;
}

static int make_all(struct apply *apply)
{
    bool on_drive = apply->root >= 0 && apply->order->writable;
    char homes[256], said[TOOL_SAID_MAX] = "";
    snprintf(homes, sizeof homes, "%s%s", on_drive ? apply->order->drive : "", SYSTEM_HOMES);
    if (account_apply(apply->database, homes, said) < 0)
        return fail(apply, CODE_USERS_FAILED, "%s", said);
    int result = make_homes(apply, on_drive);
    for (size_t i = 0; on_drive && result == 0 && i < apply->database->ndirectories; i++)
        result = make_directory(apply, i);
    apply->outcome->users = apply->database->nusers;
    apply->outcome->groups = apply->database->ngroups;
    if (apply->database->nusers > 0)
        snprintf(apply->outcome->first_user, sizeof apply->outcome->first_user, "%s",
                 apply->database->users[0].name);
    return result;
}

static int keep_database(struct apply *apply, const char *text, size_t len_bytes)
{
    int result = users_file_write(apply->order->drive, text, len_bytes);
    return result < 0 ? fail(apply, CODE_USERS_FAILED, "writing users.json: %s", strerror(-result)) : 0;
}

/* Parses, checks, keeps (when KEEP) and makes. */
static void apply_text(struct apply *apply, const char *text, size_t len_bytes, bool keep)
{
    struct users_db *database;
    char place[USERS_DB_PLACE_BYTES] = "";
    if (users_db_parse(text, len_bytes, account_is_system, NULL, &database, place) < 0) {
        fail(apply, CODE_USERS_MALFORMED, "%s", place);
        return;
    }
    apply->database = database;
    if (check_all(apply) == 0 && (!keep || keep_database(apply, text, len_bytes) == 0))
        make_all(apply);
    users_db_destroy(database);
}

static void apply_kept(struct apply *apply)
{
    const struct users_order *order = apply->order;
    char *text = NULL;
    size_t len = 0;
    int result = order->drive != NULL ? users_file_read(order->drive, &text, &len) : -ENOENT;
    if (result == -ENOENT)
        apply_text(apply, users_file_default, strlen(users_file_default),
                   order->drive != NULL && order->writable);
    else if (result == -EFBIG)
        fail(apply, CODE_USERS_MALFORMED, "users.json is larger than %d bytes", USERS_DB_TEXT_MAX);
    else if (result < 0)
        fail(apply, CODE_USERS_FAILED, "reading users.json: %s", strerror(-result));
    else
        apply_text(apply, text, len, false);
    free(text);
}

void users_apply(const struct users_order *order, struct users_outcome *ret_outcome)
{
    *ret_outcome = (struct users_outcome){.code = CODE_NONE};
    struct apply apply = {.order = order, .outcome = ret_outcome, .root = -1};
    if (order->drive != NULL)
        apply.root = open(order->drive, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (order->drive != NULL && apply.root < 0)
        fail(&apply, CODE_USERS_FAILED, "%s: %s", order->drive, strerror(errno));
    else if (order->text == NULL)
        apply_kept(&apply);
    else if (order->drive == NULL || !order->writable)
        fail(&apply, CODE_DRIVE_MODE, "%s",
             "the first drive is not attached for writing: the database cannot be kept");
    else
        apply_text(&apply, order->text, order->len_bytes, true);
    if (apply.root >= 0)
        close(apply.root);
}
