/*
 * Users: a database that is wrong in any one place is refused with the place named, and makes nobody and
 * nothing; one that is right makes all. On the real tools and the real passwd, so it runs where those are the
 * test's own (case_users). In: the drive's folder as argument. Out: a cmocka report. Kept: what a good
 * database makes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/users.h"

#define LARGE_BYTES (10 * 1048576)

static const char *drive;

struct wrong {
    const char *text, *place; /* PLACE begins the detail */
};

#define USER "{\"name\":\"ada\",\"uid\":2000,\"groups\":[],\"ssh_keys\":[]}"
#define DATABASE(groups, users, directories)                                                                 \
    ("{\"version\":1,\"groups\":[" groups "],\"users\":[" users "],\"directories\":[" directories "]}")
#define ONE_USER(members) DATABASE("", "{" members "}", "")
#define ONE_GROUP(members) DATABASE("{" members "}", USER, "")
#define ONE_DIRECTORY(members) DATABASE("", USER, "{" members "}")
#define DIRECTORY(path, mode) "\"path\":" path ",\"owner\":\"ada\",\"group\":\"ada\",\"mode\":" mode

static const struct wrong wrongs[] = {
    {"", ""},
    {"{", ""},
    {"[]", ""},
    {"{\"version\":2,\"groups\":[],\"users\":[],\"directories\":[]}", "version"},
    {"{\"version\":1,\"groups\":{},\"users\":[],\"directories\":[]}", "groups"},
    {"{\"version\":1,\"groups\":[],\"users\":7,\"directories\":[]}", "users"},
    {"{\"version\":1,\"groups\":[],\"users\":[],\"directories\":\"x\"}", "directories"},
    {ONE_USER("\"uid\":2000,\"groups\":[],\"ssh_keys\":[]"), "users[0].name"},
    {ONE_USER("\"name\":\"Ada\",\"uid\":2000,\"groups\":[],\"ssh_keys\":[]"), "users[0].name"},
    {ONE_USER("\"name\":\"a:b\",\"uid\":2000,\"groups\":[],\"ssh_keys\":[]"), "users[0].name"},
    {ONE_USER("\"name\":\"root\",\"uid\":2000,\"groups\":[],\"ssh_keys\":[]"), "users[0].name"},
    {ONE_USER("\"name\":\"daemon\",\"uid\":2000,\"groups\":[],\"ssh_keys\":[]"), "users[0].name"},
    {ONE_USER("\"name\":\"ada\",\"groups\":[],\"ssh_keys\":[]"), "users[0].uid"},
    {ONE_USER("\"name\":\"ada\",\"uid\":0,\"groups\":[],\"ssh_keys\":[]"), "users[0].uid"},
    {ONE_USER("\"name\":\"ada\",\"uid\":999,\"groups\":[],\"ssh_keys\":[]"), "users[0].uid"},
    {ONE_USER("\"name\":\"ada\",\"uid\":60000,\"groups\":[],\"ssh_keys\":[]"), "users[0].uid"},
    {ONE_USER("\"name\":\"ada\",\"uid\":\"2000x\",\"groups\":[],\"ssh_keys\":[]"), "users[0].uid"},
    {ONE_USER("\"name\":\"ada\",\"uid\":2000,\"groups\":[\"nobodys\"],\"ssh_keys\":[]"), "users[0].groups"},
    {ONE_USER("\"name\":\"ada\",\"uid\":2000,\"groups\":[],\"ssh_keys\":[\"two\\nlines\"]"),
     "users[0].ssh_keys"},
    {DATABASE("", USER "," USER, ""), "users[1].name"},
    {DATABASE("", USER ",{\"name\":\"bob\",\"uid\":2000,\"groups\":[],\"ssh_keys\":[]}", ""), "users[1].uid"},
    {ONE_GROUP("\"gid\":3000,\"members\":[]"), "groups[0].name"},
    {ONE_GROUP("\"name\":\"root\",\"gid\":3000,\"members\":[]"), "groups[0].name"},
    {ONE_GROUP("\"name\":\"lab\",\"gid\":10,\"members\":[]"), "groups[0].gid"},
    {ONE_GROUP("\"name\":\"lab\",\"gid\":3000,\"members\":[\"nobodys\"]"), "groups[0].members"},
    {ONE_DIRECTORY(DIRECTORY("\"/data\"", "\"0750\"") ",\"readers\":[],\"writers\":[]"),
     "directories[0].path"},
    {ONE_DIRECTORY(DIRECTORY("\"../data\"", "\"0750\"") ",\"readers\":[],\"writers\":[]"),
     "directories[0].path"},
    {ONE_DIRECTORY(DIRECTORY("\"a/../../b\"", "\"0750\"") ",\"readers\":[],\"writers\":[]"),
     "directories[0].path"},
    {ONE_DIRECTORY(DIRECTORY("\"a//b\"", "\"0750\"") ",\"readers\":[],\"writers\":[]"),
     "directories[0].path"},
    {ONE_DIRECTORY(DIRECTORY("\"\"", "\"0750\"") ",\"readers\":[],\"writers\":[]"), "directories[0].path"},
    {ONE_DIRECTORY(DIRECTORY("\".kiln/x\"", "\"0750\"") ",\"readers\":[],\"writers\":[]"),
     "directories[0].path"},
    {ONE_DIRECTORY(DIRECTORY("\"link/x\"", "\"0750\"") ",\"readers\":[],\"writers\":[]"),
     "directories[0].path"},
    {ONE_DIRECTORY(DIRECTORY("\"data\"", "\"rwx\"") ",\"readers\":[],\"writers\":[]"), "directories[0].mode"},
    {ONE_DIRECTORY(DIRECTORY("\"data\"", "\"07777777\"") ",\"readers\":[],\"writers\":[]"),
     "directories[0].mode"},
    {ONE_DIRECTORY(DIRECTORY("\"data\"", "\"0750\"") ",\"readers\":[\"eve\"],\"writers\":[]"),
     "directories[0].readers"},
    {ONE_DIRECTORY(DIRECTORY("\"data\"", "\"0750\"") ",\"readers\":[],\"writers\":[\"@lab\"]"),
     "directories[0].writers"},
    {ONE_DIRECTORY("\"path\":\"data\",\"owner\":\"eve\",\"group\":\"ada\",\"mode\":\"0750\",\"readers\":[],"
                   "\"writers\":[]"),
     "directories[0].owner"},
};

/* Everything that a database can say, right: where each field stands, what is wrong in its place. */
static const char whole[] =
    "{\"version\":1,\"groups\":[{\"name\":\"lab\",\"gid\":3000,\"members\":[\"ada\"]}],"
    "\"users\":[{\"name\":\"ada\",\"uid\":2000,\"groups\":[\"lab\"],\"ssh_keys\":[\"ssh-ed25519 AAAA\"]}],"
    "\"directories\":[{\"path\":\"data\",\"owner\":\"ada\",\"group\":\"lab\",\"mode\":\"0750\","
    "\"readers\":[\"@lab\"],\"writers\":[\"ada\"]}]}";

enum kind { NUMBER, TEXT, LIST };

static const char *const wrong_values[][9] = {
    [NUMBER] = {"-1", "0", "\"2000\"", "true", "null", "{}", "[]", "[2000]"},
    [TEXT] = {"7", "\"\"", "true", "null", "{}", "[]", "[\"ada\"]", "\"a\\nb\""},
    [LIST] = {"7", "\"ada\"", "true", "{}", "[7]", "[null]", "[\"\"]", "[[]]"},
};

/* The field is `"KEY":GOOD`; a list of entries goes on behind GOOD, under another key. */
struct field {
    const char *key, *good, *place;
    enum kind kind;
    bool entries;
};

static const struct field fields[] = {
    {"version", "1", "version", NUMBER, false},
    {"groups", "[{", "groups", LIST, true},
    {"users", "[{", "users", LIST, true},
    {"directories", "[{", "directories", LIST, true},
    {"name", "\"lab\"", "groups[0].name", TEXT, false},
    {"gid", "3000", "groups[0].gid", NUMBER, false},
    {"members", "[\"ada\"]", "groups[0].members", LIST, false},
    {"name", "\"ada\"", "users[0].name", TEXT, false},
    {"uid", "2000", "users[0].uid", NUMBER, false},
    {"groups", "[\"lab\"]", "users[0].groups", LIST, false},
    {"ssh_keys", "[\"ssh-ed25519 AAAA\"]", "users[0].ssh_keys", LIST, false},
    {"path", "\"data\"", "directories[0].path", TEXT, false},
    {"owner", "\"ada\"", "directories[0].owner", TEXT, false},
    {"group", "\"lab\"", "directories[0].group", TEXT, false},
    {"mode", "\"0750\"", "directories[0].mode", TEXT, false},
    {"readers", "[\"@lab\"]", "directories[0].readers", LIST, false},
    {"writers", "[\"ada\"]", "directories[0].writers", LIST, false},
};

static bool is_there(const char *name)
{
    char path[256];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", drive, name);
    return lstat(path, &st) == 0;
}

static void assert_nobody_made(void)
{
    assert_null(getpwnam("ada"));
    assert_null(getpwnam("bob"));
    assert_null(getgrnam("ada"));
    assert_null(getgrnam("lab"));
    assert_false(is_there("home"));
    assert_false(is_there("data"));
    assert_false(is_there(".kiln/users.json"));
}

static struct users_outcome apply(const char *text)
{
    struct users_outcome outcome;
    const struct users_order order = {
        .drive = drive, .writable = true, .text = text, .len_bytes = text != NULL ? strlen(text) : 0};
    users_apply(&order, &outcome);
    return outcome;
}

static void test_each_fault_is_named_and_makes_nobody(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
        struct users_outcome outcome = apply(wrongs[i].text);
        if (outcome.code != CODE_USERS_MALFORMED ||
            strncmp(outcome.detail, wrongs[i].place, strlen(wrongs[i].place)) != 0)
            fail_msg("%s: code %d, detail %s", wrongs[i].text, outcome.code, outcome.detail);
        assert_true(outcome.detail[0] != '\0');
        assert_nobody_made();
    }
}

/* The whole database with VALUE in the place of the field; NULL: the field under another name. */
static const char *with(const struct field *field, const char *value)
{
    static char text[1024];
    char good[64];
    snprintf(good, sizeof good, "\"%s\":%s", field->key, field->good);
    const char *at = strstr(whole, good);
    assert_non_null(at);
    snprintf(text, sizeof text, "%.*s\"%s\":%s%s%s", (int)(at - whole), whole, value ? field->key : "other",
             value ? value : field->good, field->entries && value ? ",\"other\":[{" : "", at + strlen(good));
    return text;
}

static void expect_fault(const struct field *field, const char *value)
{
    const char *text = with(field, value);
    struct users_outcome outcome = apply(text);
    if (outcome.code != CODE_USERS_MALFORMED ||
        strncmp(outcome.detail, field->place, strlen(field->place)) != 0)
        fail_msg("%s: code %d, detail %s", text, outcome.code, outcome.detail);
    assert_nobody_made();
}

static void test_each_field_in_turn(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const char *const *values = wrong_values[fields[i].kind];
        for (size_t j = 0; values[j] != NULL; j++)
            expect_fault(&fields[i], values[j]);
        /* A missing list is an empty one. */
        if (fields[i].kind != LIST)
            expect_fault(&fields[i], NULL);
    }
}

static void test_ten_mebibytes_are_refused(void **state)
{
    (void)state;
    char path[256], *text = malloc(LARGE_BYTES + 1);
    assert_non_null(text);
    memset(text, ' ', LARGE_BYTES);
    text[LARGE_BYTES] = '\0';
    assert_int_equal(apply(text).code, CODE_USERS_MALFORMED);
    assert_nobody_made();
    /* The same when the drive brings them. */
    snprintf(path, sizeof path, "%s/.kiln", drive);
    mkdir(path, 0700);
    strcat(path, "/users.json");
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, text, LARGE_BYTES), LARGE_BYTES);
    close(fd);
    assert_int_equal(apply(NULL).code, CODE_USERS_MALFORMED);
    assert_int_equal(unlink(path), 0);
    assert_nobody_made();
    free(text);
}

static void test_a_good_one_makes_all(void **state)
{
    (void)state;
    struct users_outcome outcome = apply(whole);
    if (outcome.code != CODE_NONE)
        fail_msg("%d %s", outcome.code, outcome.detail);
    assert_int_equal(getpwnam("ada")->pw_uid, 2000);
    assert_int_equal(getgrnam("lab")->gr_gid, 3000);
    assert_true(is_there("home/ada"));
    assert_true(is_there("data"));
    assert_true(is_there(".kiln/users.json"));
}

static void test_a_bad_one_after_a_good_one_changes_nothing(void **state)
{
    (void)state;
    struct users_outcome outcome =
        apply(DATABASE("", "{\"name\":\"bob\",\"uid\":2000,\"groups\":[],\"ssh_keys\":[]}," USER, ""));
    assert_int_equal(outcome.code, CODE_USERS_MALFORMED);
    assert_null(getpwnam("bob"));
    assert_int_equal(getpwnam("ada")->pw_uid, 2000);
    assert_true(is_there("data"));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_fault_is_named_and_makes_nobody),
                                       cmocka_unit_test(test_each_field_in_turn),
                                       cmocka_unit_test(test_ten_mebibytes_are_refused),
                                       cmocka_unit_test(test_a_good_one_makes_all),
                                       cmocka_unit_test(test_a_bad_one_after_a_good_one_changes_nothing)};
    if (argc != 2)
        return 2;
    drive = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
