/*
 * Users from a database: made as it says, made again without change, and nothing made when anything is wrong.
 * /etc is a copy; the drive is a tmpfs, which knows ACLs.
 */
#include "tests/unit/guest_fixture.h"

#include <grp.h>
#include <pwd.h>
#include <sys/xattr.h>

#include "guest/users.h"
#include "guest/users_file.h"

static const char database[] =
    "{\"version\": 1,"
    " \"groups\": [{\"name\": \"team\", \"gid\": 2000, \"members\": [\"ada\", \"bob\"]}],"
    " \"users\": [{\"name\": \"ada\", \"uid\": 1500, \"groups\": [\"team\"], \"ssh_keys\": []},"
    "             {\"name\": \"bob\", \"uid\": 1501, \"groups\": [], \"ssh_keys\": []}],"
    " \"directories\": [{\"path\": \"shared/data\", \"owner\": \"ada\", \"group\": \"team\", \"mode\": "
    "\"2750\","
    "                   \"readers\": [\"bob\"], \"writers\": [\"@team\"]}]}";

static struct users_outcome apply(const char *text)
{
    char drive[PATH_MAX];
    snprintf(drive, sizeof drive, "%s", fixture_path("drive"));
    const struct users_order order = {
        .drive = drive, .writable = true, .text = text, .len_bytes = text != NULL ? strlen(text) : 0};
    struct users_outcome outcome;
    users_apply(&order, &outcome);
    return outcome;
}

static int make_drive(void **state)
{
    (void)state;
    fixture_run((const char *const[]){"/bin/rm", "-rf", fixture_path("drive"), NULL});
    return mkdir(fixture_path("drive"), 0755);
}

static void test_default(void **state)
{
    (void)state;
    struct users_outcome outcome = apply(NULL);
    assert_int_equal(outcome.code, CODE_NONE);
    assert_int_equal(outcome.users, 1);
    assert_string_equal(outcome.first_user, "researcher");
    assert_int_equal(getpwnam("researcher")->pw_uid, 1000);
    char *text = fixture_read(fixture_path("drive/.kiln/users.json"));
    assert_string_equal(text, users_file_default);
    free(text);
    struct stat st;
    assert_int_equal(stat(fixture_path("drive/home/researcher"), &st), 0);
    assert_int_equal(st.st_uid, 1000);
    assert_int_equal(st.st_mode & 07777, 0700);
}

static void test_made(void **state)
{
    (void)state;
    struct users_outcome outcome = apply(database);
    if (outcome.code != CODE_NONE)
        fail_msg("%s", outcome.detail);
    assert_int_equal(outcome.users, 2);
    assert_int_equal(outcome.groups, 1);
    assert_int_equal(outcome.directories, 1);
    /* The user of the database before is gone: the database is the whole truth. */
    assert_null(getpwnam("researcher"));
    assert_int_equal(getpwnam("ada")->pw_uid, 1500);
    assert_string_equal(getpwnam("ada")->pw_shell, "/bin/bash");
    const struct group *team = getgrnam("team");
    assert_int_equal(team->gr_gid, 2000);
    assert_string_equal(team->gr_mem[0], "ada");
    assert_string_equal(team->gr_mem[1], "bob");
    struct stat st;
    assert_int_equal(stat(fixture_path("drive/shared/data"), &st), 0);
    assert_int_equal(st.st_uid, 1500);
    assert_int_equal(st.st_gid, 2000);
    assert_int_equal(st.st_mode & S_ISGID, S_ISGID);
}

static bool can(const char *user, const char *test, const char *path)
{
    return fixture_run((const char *const[]){"/usr/sbin/runuser", "-u", user, "--", "/usr/bin/test", test,
                                             path, NULL}) == 0;
}

static void test_access(void **state)
{
    (void)state;
    assert_int_equal(apply(database).code, CODE_NONE);
    const char *path = fixture_path("drive/shared/data");
    assert_true(can("ada", "-w", path));
    assert_true(can("bob", "-r", path));
    assert_false(can("nobody", "-r", path));
    /* A named user's entry counts before the group's: bob may read, though his group may write. */
    assert_false(can("bob", "-w", path));
    assert_true(getxattr(path, "system.posix_acl_default", NULL, 0) > 0);
}

static void test_again(void **state)
{
    (void)state;
    assert_int_equal(apply(database).code, CODE_NONE);
    char *before = fixture_read("/etc/passwd");
    assert_int_equal(apply(NULL).code, CODE_NONE);
    char *after = fixture_read("/etc/passwd");
    assert_string_equal(before, after);
    free(before);
    free(after);
}

static void test_previous_is_kept(void **state)
{
    (void)state;
    assert_int_equal(apply(NULL).code, CODE_NONE);
    assert_int_equal(apply(database).code, CODE_NONE);
    char *previous = fixture_read(fixture_path("drive/.kiln/users.json.previous"));
    char *now = fixture_read(fixture_path("drive/.kiln/users.json"));
    assert_string_equal(previous, users_file_default);
    assert_string_equal(now, database);
    free(previous);
    free(now);
}

/* A file of DEPTH arrays, one in the other, as it would be read for an answer. */
static int read_nested(size_t depth, struct json **ret_tree)
{
    char text[64];
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    int result = users_file_write(fixture_path("drive"), text, 2 * depth);
    return result < 0 ? result : users_file_read_json(fixture_path("drive"), ret_tree);
}

static void test_too_deep_for_an_answer(void **state)
{
    (void)state;
    struct json *tree = NULL;
    assert_int_equal(read_nested(14, &tree), 0);
    json_destroy(tree);
    assert_int_equal(read_nested(15, &tree), -EBADMSG);
}

/* One thing wrong at a time: WRONG stands where RIGHT stood. */
static const struct {
    const char *right, *wrong, *place;
} faults[] = {
    {"\"version\": 1", "\"version\": 2", "version"},
    {"\"name\": \"ada\"", "\"name\": \"Ada\"", "users[0].name"},
    {"\"name\": \"ada\"", "\"name\": \"root\"", "users[0].name"},
    {"\"name\": \"ada\"", "\"name\": \"sshd\"", "users[0].name"},
    {"\"uid\": 1500", "\"uid\": 0", "users[0].uid"},
    {"\"uid\": 1500", "\"uid\": 65534", "users[0].uid"},
    {"\"uid\": 1500", "\"uid\": 1501", "users[1].uid"},
    {"\"gid\": 2000", "\"gid\": \"2000\"", "groups[0].gid"},
    {"\"groups\": [\"team\"]", "\"groups\": [\"wheel\"]", "users[0].groups"},
    {"\"members\": [\"ada\", \"bob\"]", "\"members\": [\"eve\"]", "groups[0].members"},
    {"\"owner\": \"ada\"", "\"owner\": \"root\"", "directories[0].owner"},
    {"\"group\": \"team\"", "\"group\": \"shadow\"", "directories[0].group"},
    {"\"mode\": \"2750\"", "\"mode\": \"rwx\"", "directories[0].mode"},
    {"shared/data", "../outside", "directories[0].path"},
    {"shared/data", "/etc", "directories[0].path"},
    {"shared/data", "shared//data", "directories[0].path"},
    {"shared/data", ".kiln/own", "directories[0].path"},
    {"shared/data", "link/data", "directories[0].path"},
    {"shared/data", "file/data", "directories[0].path"},
    {"[\"@team\"]", "[\"@nobody\"]", "directories[0].writers"},
    {"]}", "", ""},
};

static char *replace(const char *right, const char *wrong)
{
    const char *at = strstr(database, right);
    char *text;
    assert_non_null(at);
    assert_true(asprintf(&text, "%.*s%s%s", (int)(at - database), database, wrong, at + strlen(right)) > 0);
    return text;
}

static void test_faults(void **state)
{
    (void)state;
    assert_int_equal(symlink("/tmp", fixture_path("drive/link")), 0);
    fixture_write(fixture_path("drive/file"), "x", 1);
    char *before = fixture_read("/etc/passwd");
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        char *text = replace(faults[i].right, faults[i].wrong);
        struct users_outcome outcome = apply(text);
        if (outcome.code != CODE_USERS_MALFORMED || strstr(outcome.detail, faults[i].place) == NULL)
            fail_msg("%s: %d \"%s\"", faults[i].wrong, outcome.code, outcome.detail);
        char *after = fixture_read("/etc/passwd");
        assert_string_equal(before, after);
        assert_int_equal(access(fixture_path("drive/shared"), F_OK), -1);
        assert_int_equal(access(fixture_path("drive/.kiln"), F_OK), -1);
        free(after);
        free(text);
    }
    free(before);
}

static void test_too_large(void **state)
{
    (void)state;
    size_t len = 10 * 1024 * 1024;
    char *text = malloc(len + 1);
    memset(text, ' ', len);
    memcpy(text, database, sizeof database - 1);
    text[len] = '\0';
    assert_int_equal(apply(text).code, CODE_USERS_MALFORMED);
    mkdir(fixture_path("drive/.kiln"), 0700);
    fixture_write(fixture_path("drive/.kiln/users.json"), text, len);
    assert_int_equal(apply(NULL).code, CODE_USERS_MALFORMED);
    free(text);
}

static void test_other_uid(void **state)
{
    (void)state;
    assert_int_equal(apply(database).code, CODE_NONE);
    char *text = replace("\"uid\": 1501", "\"uid\": 1502");
    struct users_outcome outcome = apply(text);
    assert_int_equal(outcome.code, CODE_USERS_MALFORMED);
    assert_non_null(strstr(outcome.detail, "users[1].uid"));
    free(text);
}

static void test_no_drive(void **state)
{
    (void)state;
    /* Another database first: a user that is there already keeps the home he has. */
    assert_int_equal(apply(database).code, CODE_NONE);
    struct users_order order = {.drive = NULL};
    struct users_outcome outcome;
    users_apply(&order, &outcome);
    assert_int_equal(outcome.code, CODE_NONE);
    assert_string_equal(getpwnam("researcher")->pw_dir, "/home/researcher");
    order.text = database;
    order.len_bytes = sizeof database - 1;
    users_apply(&order, &outcome);
    assert_int_equal(outcome.code, CODE_DRIVE_MODE);
}

static void test_links_in_the_way(void **state)
{
    (void)state;
    /* Whoever filled the drive before cannot lead us out of it. */
    assert_int_equal(symlink("/tmp", fixture_path("drive/home")), 0);
    assert_int_equal(apply(NULL).code, CODE_USERS_FAILED);
    unlink(fixture_path("drive/home"));
    RUN("/bin/rm", "-rf", fixture_path("drive/.kiln"));
    assert_int_equal(symlink("/etc", fixture_path("drive/.kiln")), 0);
    assert_int_equal(apply(database).code, CODE_USERS_FAILED);
    assert_int_equal(access("/etc/users.json", F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup(test_default, make_drive),
                                       cmocka_unit_test_setup(test_made, make_drive),
                                       cmocka_unit_test_setup(test_access, make_drive),
                                       cmocka_unit_test_setup(test_again, make_drive),
                                       cmocka_unit_test_setup(test_previous_is_kept, make_drive),
                                       cmocka_unit_test_setup(test_too_deep_for_an_answer, make_drive),
                                       cmocka_unit_test_setup(test_faults, make_drive),
                                       cmocka_unit_test_setup(test_too_large, make_drive),
                                       cmocka_unit_test_setup(test_other_uid, make_drive),
                                       cmocka_unit_test_setup(test_links_in_the_way, make_drive),
                                       cmocka_unit_test_setup(test_no_drive, make_drive)};
    return cmocka_run_group_tests(tests, fixture_make_world, fixture_remove_world);
}
