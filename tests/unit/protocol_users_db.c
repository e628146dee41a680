/* The user database: a good one read whole, and every fault named by its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "protocol/users_db.h"
#include "tests/unit/seed.h"

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA=="

static const char good[] =
    "{\"version\":1,"
    "\"groups\":[{\"name\":\"lab\",\"gid\":2000,\"members\":[\"anna\"]},{\"name\":\"guests\",\"gid\":2001}],"
    "\"users\":[{\"name\":\"anna\",\"uid\":1000,\"groups\":[\"lab\",\"guests\"],\"ssh_keys\":[\"" KEY "\"]},"
    "{\"name\":\"ben\",\"uid\":1001,\"groups\":[\"lab\"]}],"
    "\"directories\":[{\"path\":\"shared/data\",\"owner\":\"anna\",\"group\":\"lab\",\"mode\":\"2770\","
    "\"readers\":[\"@guests\"],\"writers\":[\"ben\"]}]}";

static bool nobody_taken(void *arg, const char *name)
{
    return strcmp(name, arg) == 0;
}

static int parse(const char *text, struct users_db **database, char place[USERS_DB_PLACE_BYTES])
{
    return users_db_parse(text, strlen(text), NULL, NULL, database, place);
}

static void a_good_database_is_read(void **state)
{
    struct users_db *database;
    char place[USERS_DB_PLACE_BYTES];
    (void)state;
    seed_write_text("users_db", "good", SEED_PLAIN, good);
    assert_int_equal(parse(good, &database, place), 0);
    assert_string_equal(place, "");
    assert_int_equal(database->nusers, 2);
    const struct users_db_group *lab = users_db_find_group(database, "lab");
    assert_int_equal(lab->members.count, 2);
    assert_string_equal(lab->members.items[0], "anna");
    assert_string_equal(lab->members.items[1], "ben");
    assert_int_equal(users_db_find_group(database, "guests")->members.count, 1);
    assert_int_equal(users_db_find_user(database, "anna")->ssh_keys.count, 1);
    assert_null(users_db_find_user(database, "carl"));
    assert_int_equal(database->directories[0].mode, 02770);
    assert_string_equal(database->directories[0].readers.items[0], "@guests");
    users_db_destroy(database);
}

static void the_smallest_database_is_good(void **state)
{
    struct users_db *database;
    char place[USERS_DB_PLACE_BYTES];
    (void)state;
    assert_int_equal(parse("{\"version\":1}", &database, place), 0);
    users_db_destroy(database);
}

/* Each row replaces one text of the good database. */
static const struct {
    const char *what, *with, *place;
} faults[] = {
    {"\"version\":1", "\"version\":2", "version: not 1"},
    {"\"uid\":1001", "\"uid\":1000", "users[1].uid: used by users[0]"},
    {"\"uid\":1001", "\"uid\":2000", "users[1].uid: used by groups[0]"},
    {"\"uid\":1001", "\"uid\":999", "users[1].uid: not in 1000 to 59999"},
    {"\"uid\":1001", "\"uid\":60000", "users[1].uid: not in 1000 to 59999"},
    {"\"uid\":1001", "\"uid\":\"1001\"", "users[1].uid: missing or of the wrong kind"},
    {"\"gid\":2001", "\"gid\":2000", "groups[1].gid: used by groups[0]"},
    {"\"name\":\"ben\"", "\"name\":\"anna\"", "users[1].name: used by users[0]"},
    {"\"name\":\"ben\"", "\"name\":\"lab\"", "users[1].name: used by groups[0]"},
    {"\"name\":\"ben\"", "\"name\":\"root\"", "users[1].name: an account of the system"},
    {"\"name\":\"ben\"", "\"name\":\"Ben\"", "users[1].name: not a name"},
    {"\"name\":\"ben\"", "\"name\":\"b:n\"", "users[1].name: not a name"},
    {"\"name\":\"ben\"", "\"name\":\"1ben\"", "users[1].name: not a name"},
    {"\"name\":\"guests\"", "\"name\":\"sudo\"", "groups[1].name: a group of the system"},
    {"\"name\":\"guests\"", "\"name\":\"lab\"", "groups[1].name: used by groups[0]"},
    {"\"members\":[\"anna\"]", "\"members\":[\"carl\"]", "groups[0].members[0]: no such user"},
    {"\"members\":[\"anna\"]", "\"members\":[7]", "groups[0].members[0]: not a string"},
    {"\"members\":[\"anna\"]", "\"members\":7", "groups[0].members: missing or of the wrong kind"},
    {"\"groups\":[\"lab\"]}", "\"groups\":[\"none\"]}", "users[1].groups[0]: no such group"},
    {KEY, "command=\\\"x\\\" " KEY, "users[0].ssh_keys[0]: not an OpenSSH public key"},
    {KEY, KEY "\\n" KEY, "users[0].ssh_keys[0]: not an OpenSSH public key"},
    {"shared/data", "/shared", "directories[0].path: not a path below the drive"},
    {"shared/data", "a/../b", "directories[0].path: not a path below the drive"},
    {"shared/data", "a//b", "directories[0].path: not a path below the drive"},
    {"shared/data", "./a", "directories[0].path: not a path below the drive"},
    {"shared/data", "a/", "directories[0].path: not a path below the drive"},
    {"shared/data", "", "directories[0].path: not a path below the drive"},
    {"shared/data", ".kiln/x", "directories[0].path: not a path below the drive"},
    {"\"mode\":\"2770\"", "\"mode\":\"0999\"", "directories[0].mode: not octal, as in 0750"},
    {"\"mode\":\"2770\"", "\"mode\":\"rwx\"", "directories[0].mode: not octal, as in 0750"},
    {"\"owner\":\"anna\"", "\"owner\":\"carl\"", "directories[0].owner: no such user"},
    {"\"group\":\"lab\"", "\"group\":\"none\"", "directories[0].group: no such group"},
    {"@guests", "guests", "directories[0].readers[0]: no such user or group"},
    {"\"writers\":[\"ben\"]", "\"writers\":[\"@ben\"]", "directories[0].writers[0]: no such user or group"},
    {"\"directories\":[", "\"directories\":[7,", "directories[0]: not an object"},
    {"\"directories\":[", "\"directories\":7,\"x\":[", "directories: not an array"},
    {"\"directories\":[",
     "\"directories\":[{\"path\":\"shared/data\",\"owner\":\"ben\",\"group\":\"ben\",\"mode\":\"700\"},",
     "directories[1].path: used by directories[0]"},
};

static void every_fault_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        char text[2048], place[USERS_DB_PLACE_BYTES];
        struct users_db *database = NULL;
        const char *at = strstr(good, faults[i].what);
        assert_non_null(at);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - good), good, faults[i].with,
                 at + strlen(faults[i].what));
        int error = parse(text, &database, place);
        if (error != -EINVAL || strcmp(place, faults[i].place) != 0)
            fail_msg("%s: %d '%s' and not '%s'", faults[i].with, error, place, faults[i].place);
        assert_null(database);
    }
}

static void accounts_of_the_caller_are_refused(void **state)
{
    struct users_db *database;
    char place[USERS_DB_PLACE_BYTES], ben[] = "ben";
    (void)state;
    assert_int_equal(users_db_parse(good, sizeof good - 1, nobody_taken, ben, &database, place), -EINVAL);
    assert_string_equal(place, "users[1].name: an account of the system");
}

static void what_is_no_json_is_refused(void **state)
{
    struct users_db *database;
    char place[USERS_DB_PLACE_BYTES];
    (void)state;
    assert_int_equal(parse("{", &database, place), -EBADMSG);
    assert_int_equal(parse("[]", &database, place), -EINVAL);
    assert_string_equal(place, "not an object");
}

/* A large database must not cost quadratic time. */
static void a_full_database_is_read_in_time(void **state)
{
    size_t room = USERS_DB_TEXT_MAX, len = 0;
    char *text = malloc(room), place[USERS_DB_PLACE_BYTES];
    struct users_db *database;
    (void)state;
    len += (size_t)sprintf(text + len, "{\"version\":1,\"users\":[");
    for (int i = 0; i < 1024; i++)
        len += (size_t)sprintf(text + len, "%s{\"name\":\"u%d\",\"uid\":%d}", i ? "," : "", i, 1000 + i);
    len += (size_t)sprintf(text + len, "],\"groups\":[");
    for (int g = 0; g < 120; g++) {
        len += (size_t)sprintf(text + len, "%s{\"name\":\"g%d\",\"gid\":%d,\"members\":[", g ? "," : "", g,
                               3000 + g);
        for (int i = 0; i < 900; i++)
            len += (size_t)sprintf(text + len, "%s\"u%d\"", i ? "," : "", i);
        len += (size_t)sprintf(text + len, "]}");
    }
    len += (size_t)sprintf(text + len, "]}");
    clock_t begun = clock();
    assert_int_equal(users_db_parse(text, len, NULL, NULL, &database, place), 0);
    assert_int_equal(database->groups[119].members.count, 900);
    users_db_destroy(database);
    assert_true((clock() - begun) / CLOCKS_PER_SEC < 5);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_database_is_read),    cmocka_unit_test(the_smallest_database_is_good),
        cmocka_unit_test(every_fault_is_named),       cmocka_unit_test(accounts_of_the_caller_are_refused),
        cmocka_unit_test(what_is_no_json_is_refused), cmocka_unit_test(a_full_database_is_read_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
