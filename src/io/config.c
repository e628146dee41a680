/*
 * Config: see config.h. One table of keys says name, kind, place, limits and default; the rest reads by it.
 */
#include "src/io/config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/json.h"
#include "src/io/log.h"

enum key_kind { KEY_PATH, KEY_TEXT, KEY_LEVEL, KEY_NAME, KEY_ADDRESS, KEY_SUBNET, KEY_NUMBER, KEY_CHOICE };

struct key {
    const char *section; /* NULL: at the top */
    const char *name;
    enum key_kind kind;
    size_t offset;        /* in struct config: char *, uint32_t or an enum */
    uint32_t least, most; /* of a number */
    const char *fallback; /* the default, as text; NULL: set in set_defaults */
    const char *choices;  /* of a choice, "a|b|c": the value is the position */
};

#define AT(field) offsetof(struct config, field)
#define DAY_S 86400u

static const struct key keys[] = {
    {NULL, "state_dir", KEY_PATH, AT(state_dir), 0, 0, "/var/lib/kiln", NULL},
    {NULL, "edge_state_dir", KEY_PATH, AT(edge_state_dir), 0, 0, "/var/lib/kiln-edge", NULL},
    {NULL, "run_dir", KEY_PATH, AT(run_dir), 0, 0, "/run/kiln", NULL},
    {NULL, "release_dir", KEY_PATH, AT(release_dir), 0, 0, "/var/lib/kiln/release", NULL},
    {NULL, "web_dir", KEY_PATH, AT(web_dir), 0, 0, "/usr/share/kiln/web", NULL},
    {NULL, "libvirt_uri", KEY_TEXT, AT(libvirt_uri), 0, 0, "qemu:///system", NULL},
    {NULL, "domain_type", KEY_CHOICE, AT(domain_type), 0, 0, "auto", "auto|kvm|qemu"},
    {NULL, "pool", KEY_NAME, AT(pool), 0, 0, "kiln", NULL},
    {NULL, "pool_path", KEY_PATH, AT(pool_path), 0, 0, "/var/lib/kiln/pool", NULL},
    {"network", "name", KEY_NAME, AT(network.name), 0, 0, "kiln", NULL},
    {"network", "bridge", KEY_NAME, AT(network.bridge), 0, 0, "kiln0", NULL},
    {"network", "subnet", KEY_SUBNET, AT(network.subnet), 0, 0, "10.77.0.0/24", NULL},
    {NULL, "guest_listen", KEY_ADDRESS, AT(guest_listen), 0, 0, "10.77.0.1:8443", NULL},
    {NULL, "owner_listen", KEY_ADDRESS, AT(owner_listen), 0, 0, "127.0.0.1:9443", NULL},
    {NULL, "bridge_listen", KEY_ADDRESS, AT(bridge_listen), 0, 0, "127.0.0.1:9022", NULL},
    {"deadlines_s", "requested", KEY_NUMBER, AT(deadlines.requested_s), 0, 30 * DAY_S, "120", NULL},
    {"deadlines_s", "image-created", KEY_NUMBER, AT(deadlines.image_created_s), 0, 30 * DAY_S, "120", NULL},
    {"deadlines_s", "booted", KEY_NUMBER, AT(deadlines.booted_s), 0, 30 * DAY_S, "300", NULL},
    {"deadlines_s", "registered", KEY_NUMBER, AT(deadlines.registered_s), 0, 30 * DAY_S, "900", NULL},
    {"deadlines_s", "paired", KEY_NUMBER, AT(deadlines.paired_s), 0, 30 * DAY_S, "120", NULL},
    {"deadlines_s", "drives-attached", KEY_NUMBER, AT(deadlines.drives_attached_s), 0, 30 * DAY_S, "600",
     NULL},
    {NULL, "retention_s", KEY_NUMBER, AT(retention_s), 0, 3650 * DAY_S, "2592000", NULL},
    {NULL, "orphans", KEY_CHOICE, AT(orphans), 0, 0, "report", "report|reap"},
    {NULL, "orphan_grace_s", KEY_NUMBER, AT(orphan_grace_s), 0, DAY_S, "60", NULL},
    {NULL, "max_boots", KEY_NUMBER, AT(max_boots), 1, 1024, NULL, NULL},
    {NULL, "edge_absent_s", KEY_NUMBER, AT(edge_absent_s), 1, 3600, "60", NULL},
    {NULL, "log_level", KEY_LEVEL, AT(log_level), 0, 0, "info", NULL},
};

#define NKEYS (sizeof(keys) / sizeof(keys[0]))
#define OPERATORS "operators"

struct reading {
    const char *file;
    struct config config; /* owned until it is handed out */
    char *error;          /* CONFIG_ERROR_MAX bytes */
};

static int wrong(struct reading *reading, const char *section, const char *name, const char *why)
{
    snprintf(reading->error, CONFIG_ERROR_MAX, "%s: %s%s%s: %s", reading->file,
             section == NULL ? "" : section, section == NULL ? "" : ".", name, why);
    return -EINVAL;
}

/* Edits that turn A into B (Levenshtein), for names of at most 31 characters; longer ones count as far
 * away. */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[32];
    size_t len_a = strlen(a), len_b = strlen(b);
    if (len_a > 31 || len_b > 31)
        return UINT_MAX;
    for (size_t j = 0; j <= len_b; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= len_a; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= len_b; j++) {
            unsigned change = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            unsigned insert = row[j - 1] + 1, remove = row[j] + 1;
            row[j] = insert < remove ? insert : remove;
            row[j] = change < row[j] ? change : row[j];
        }
    }
    return row[len_b];
}

static bool same_section(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Names a key of SECTION, or at the top also a section. */
static const char *name_in(const struct key *key, const char *section)
{
    if (same_section(key->section, section))
        return key->name;
    return section == NULL ? key->section : NULL;
}

static int unknown(struct reading *reading, const char *section, const char *name)
{
    char why[96];
    const char *nearest = section == NULL ? OPERATORS : "";
    unsigned best = distance(nearest, name);
    for (size_t i = 0; i < NKEYS; i++) {
        const char *known = name_in(&keys[i], section);
        unsigned edits = known == NULL ? UINT_MAX : distance(known, name);
        if (edits < best || *nearest == '\0') {
            best = edits;
            nearest = known != NULL ? known : nearest;
        }
    }
    snprintf(why, sizeof(why), "unknown key; the nearest known one is %s", nearest);
    return wrong(reading, section, name, why);
}

static bool is_subnet(const char *text)
{
    unsigned part[4], bits;
    int end = 0;
    if (sscanf(text, "%3u.%3u.%3u.%3u/%2u%n", &part[0], &part[1], &part[2], &part[3], &bits, &end) != 5)
        return false;
    for (int i = 0; i < 4; i++) {
        if (part[i] > 255)
            return false;
    }
    uint32_t address = part[0] << 24 | part[1] << 16 | part[2] << 8 | part[3];
    /* Room for the host, one guest and the broadcast address; no bits set beyond the prefix. */
    return text[end] == '\0' && bits >= 8 && bits <= 29 && (address & (UINT32_MAX >> bits)) == 0;
}

static bool is_name(const char *text)
{
    size_t len = strlen(text);
    return len > 0 && len < 64 &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == len;
}

/* NULL when TEXT is good for the kind, else why not. */
static const char *check_text(enum key_kind kind, const char *text)
{
    char host[CONFIG_HOST_MAX];
    uint16_t port;
    enum log_level level;
    switch (kind) {
    case KEY_LEVEL:
        return log_level_parse(text, &level) == 0 ? NULL : "must be debug, info, warning or error";
    case KEY_PATH:
        return text[0] == '/' && strlen(text) < PATH_MAX / 2 ? NULL : "must be an absolute path";
    case KEY_NAME:
        return is_name(text) ? NULL : "must be a name of letters, digits, '_', '.', '-'";
    case KEY_ADDRESS:
        return config_split_address(text, host, &port) == 0 ? NULL : "must be ADDRESS:PORT";
    case KEY_SUBNET:
        return is_subnet(text) ? NULL : "must be an IPv4 network like 10.77.0.0/24, from /8 to /29";
    default:
        return text[0] != '\0' ? NULL : "must not be empty";
    }
}

static int set_choice(struct reading *reading, const struct key *key, const char *text)
{
    char why[96];
    int position = 0;
    const char *at = key->choices;
    for (;; position++) {
        size_t len = strcspn(at, "|");
        if (strlen(text) == len && strncmp(at, text, len) == 0) {
            memcpy((char *)&reading->config + key->offset, &position, sizeof(position));
            return 0;
        }
        if (at[len] == '\0')
            break;
        at += len + 1;
    }
    snprintf(why, sizeof(why), "must be one of %s", key->choices);
    return wrong(reading, key->section, key->name, why);
}

static int set_text(struct reading *reading, const struct key *key, const char *text)
{
    if (key->kind == KEY_CHOICE)
        return set_choice(reading, key, text);
    const char *why = check_text(key->kind, text);
    if (why != NULL)
        return wrong(reading, key->section, key->name, why);
    char **place = (char **)((char *)&reading->config + key->offset);
    char *copy = strdup(text);
    if (copy == NULL)
        return wrong(reading, key->section, key->name, "no memory");
    free(*place);
    *place = copy;
    return 0;
}

static int set_number(struct reading *reading, const struct key *key, int64_t number)
{
    char why[64];
    if (number < key->least || number > key->most) {
        snprintf(why, sizeof(why), "must be from %u to %u", key->least, key->most);
        return wrong(reading, key->section, key->name, why);
    }
    uint32_t value = (uint32_t)number;
    memcpy((char *)&reading->config + key->offset, &value, sizeof(value));
    return 0;
}

/* A boot keeps a core busy, all of it where there is no KVM. One that waits for its disk leaves room for
 * another. */
static uint32_t boots_of_cores(void)
{
    cpu_set_t cores;
    int count = sched_getaffinity(0, sizeof(cores), &cores) == 0 ? CPU_COUNT(&cores) : 1;
    return count < 2 ? 2 : (uint32_t)count;
}

static int set_defaults(struct reading *reading)
{
    reading->config.max_boots = boots_of_cores();
    for (size_t i = 0; i < NKEYS; i++) {
        if (keys[i].fallback == NULL)
            continue;
        int error = keys[i].kind == KEY_NUMBER ? set_number(reading, &keys[i], atoll(keys[i].fallback))
                                               : set_text(reading, &keys[i], keys[i].fallback);
        if (error < 0)
            return error;
    }
    return 0;
}

static int set_value(struct reading *reading, const struct key *key, const struct json *value)
{
    int64_t number;
    if (key->kind == KEY_NUMBER) {
        if (json_kind(value) != JSON_NUMBER || json_int(value, &number) < 0)
            return wrong(reading, key->section, key->name, "must be a whole number");
        return set_number(reading, key, number);
    }
    if (!json_is_text(value))
        return wrong(reading, key->section, key->name, "must be a string");
    return set_text(reading, key, json_text(value));
}

static int add_operator(struct reading *reading, const struct json *value)
{
    int64_t number;
    struct config *config = &reading->config;
    if (config->noperators == CONFIG_OPERATORS_MAX)
        return wrong(reading, NULL, OPERATORS, "at most 32");
    if (json_is_text(value)) {
        const struct passwd *user = getpwnam(json_text(value));
        if (user == NULL)
            return wrong(reading, NULL, OPERATORS, "names a user that this machine does not have");
        number = user->pw_uid;
    } else if (json_int(value, &number) < 0 || number < 0 || number > UINT32_MAX) {
        return wrong(reading, NULL, OPERATORS, "each must be a user name or a uid");
    }
    config->operators[config->noperators++] = (uint32_t)number;
    return 0;
}

static int read_operators(struct reading *reading, const struct json *value)
{
    if (json_kind(value) != JSON_ARRAY)
        return wrong(reading, NULL, OPERATORS, "must be an array of user names or uids");
    for (size_t i = 0; i < json_count(value); i++) {
        int error = add_operator(reading, json_at(value, i));
        if (error < 0)
            return error;
    }
    return 0;
}

static int read_object(struct reading *reading, const char *section, const struct json *object);

static int read_member(struct reading *reading, const char *section, const char *name,
                       const struct json *value)
{
    if (section == NULL && strcmp(name, OPERATORS) == 0)
        return read_operators(reading, value);
    for (size_t i = 0; i < NKEYS; i++) {
        if (same_section(keys[i].section, section) && strcmp(keys[i].name, name) == 0)
            return set_value(reading, &keys[i], value);
        if (section == NULL && keys[i].section != NULL && strcmp(keys[i].section, name) == 0)
            return read_object(reading, keys[i].section, value);
    }
    return unknown(reading, section, name);
}

static int read_object(struct reading *reading, const char *section, const struct json *object)
{
    if (json_kind(object) != JSON_OBJECT)
        return wrong(reading, NULL, section == NULL ? "the file" : section, "must be an object");
    for (size_t i = 0; i < json_count(object); i++) {
        int error = read_member(reading, section, json_key_at(object, i), json_at(object, i));
        if (error < 0)
            return error;
    }
    return 0;
}

int config_parse(const char *name, const char *text, size_t len_bytes, struct config *ret_config,
                 char error[CONFIG_ERROR_MAX])
{
    struct reading reading = {.file = name, .error = error};
    struct json *tree;
    int result = json_parse(text, len_bytes, NULL, &tree);
    if (result < 0) {
        snprintf(error, CONFIG_ERROR_MAX, "%s: is not JSON (a key given twice counts as that, too)", name);
        return -EINVAL;
    }
    result = set_defaults(&reading);
    if (result == 0)
        result = read_object(&reading, NULL, tree);
    json_destroy(tree);
    if (result < 0)
        config_finish(&reading.config);
    else
        *ret_config = reading.config;
    return result;
}

/* The whole file into TEXT. Its length, or a negative errno; -EFBIG. */
static ssize_t read_file(const char *path, char text[CONFIG_FILE_MAX + 1])
{
    size_t len = 0;
    ssize_t got = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    while (len <= CONFIG_FILE_MAX && (got = read(fd, text + len, CONFIG_FILE_MAX + 1 - len)) > 0)
        len += (size_t)got;
    int error = got < 0 ? -errno : 0;
    close(fd);
    if (error < 0)
        return error;
    return len > CONFIG_FILE_MAX ? -EFBIG : (ssize_t)len;
}

int config_load(const char *path, struct config *ret_config, char error[CONFIG_ERROR_MAX])
{
    char text[CONFIG_FILE_MAX + 1];
    ssize_t len = read_file(path, text);
    if (len < 0) {
        snprintf(error, CONFIG_ERROR_MAX, "%s: cannot be read: %s", path, strerror((int)-len));
        return (int)len;
    }
    return config_parse(path, text, (size_t)len, ret_config, error);
}

void config_finish(struct config *config)
{
    for (size_t i = 0; i < NKEYS; i++) {
        if (keys[i].kind != KEY_NUMBER && keys[i].kind != KEY_CHOICE)
            free(*(char **)((char *)config + keys[i].offset));
    }
    memset(config, 0, sizeof(*config));
}

int config_split_address(const char *text, char ret_host[CONFIG_HOST_MAX], uint16_t *ret_port)
{
    const char *colon = strrchr(text, ':');
    if (colon == NULL || colon == text)
        return -EINVAL;
    size_t digits = strspn(colon + 1, "0123456789");
    if (digits == 0 || digits > 5 || colon[1 + digits] != '\0' || atoi(colon + 1) > UINT16_MAX)
        return -EINVAL;
    const char *host = text;
    size_t len = (size_t)(colon - text);
    if (text[0] == '[' && colon[-1] == ']') {
        host++;
        len -= 2;
    } else if (memchr(text, ':', len) != NULL) {
        return -EINVAL;
    }
    if (len == 0 || len >= CONFIG_HOST_MAX)
        return -EINVAL;
    memcpy(ret_host, host, len);
    ret_host[len] = '\0';
    *ret_port = (uint16_t)atoi(colon + 1);
    return 0;
}
