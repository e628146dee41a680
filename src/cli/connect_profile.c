/*
 * kiln-connect: the profile, a folder of the user's own (0700).
 *
 * In and out: profile.json {url, host_identity}, key.pem, public.pem. Kept: those files.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/cli/common_file.h"
#include "src/cli/connect.h"

static const char profile_name[] = "profile.json";

void connect_path(const struct connect *connect, const char *name, char out[CONNECT_PATH_BYTES])
{
    snprintf(out, CONNECT_PATH_BYTES, "%.*s/%s", CONNECT_FOLDER_MAX, connect->folder, name);
}

/* Makes every part of the path that is missing. */
static int make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int failed = mkdir(path, 0700) < 0 && errno != EEXIST;
        *slash = '/';
        if (failed)
            return -errno;
    }
    return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

int connect_profile_find(struct connect *connect)
{
    const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    int len;
    if (connect->profile_option)
        len = snprintf(connect->folder, sizeof connect->folder, "%s", connect->profile_option);
    else if (base && *base == '/')
        len = snprintf(connect->folder, sizeof connect->folder, "%s/kiln", base);
    else
        len = snprintf(connect->folder, sizeof connect->folder, "%s/.config/kiln", home ? home : "");
    if (len <= 0 || len > CONNECT_FOLDER_MAX)
        return cli_local_error("the profile's folder has no usable name: set HOME or give --profile");
    int error = make_folders(connect->folder);
    struct stat found;
    if (error || stat(connect->folder, &found) < 0)
        return cli_local_error("%s: %s", connect->folder, strerror(error ? -error : errno));
    if (!S_ISDIR(found.st_mode) || found.st_uid != geteuid() || (found.st_mode & 077))
        return cli_local_error("%s must be a folder of yours with mode 0700", connect->folder);
    return CLI_OK;
}

int connect_url_parse(const char *url, char ret_host[CONNECT_HOST_BYTES], uint16_t *ret_port)
{
    static const char scheme[] = "https://";
    if (strncmp(url, scheme, strlen(scheme)) != 0)
        return -EINVAL;
    url += strlen(scheme);
    bool bracketed = *url == '[';
    const char *end = bracketed ? strstr(++url, "]:") : strchr(url, ':');
    size_t len = end ? (size_t)(end - url) : 0;
    if (len == 0 || len >= CONNECT_HOST_BYTES || strcspn(url, "/?#@ \r\n") < len)
        return -EINVAL;
    const char *digits = end + (bracketed ? 2 : 1);
    size_t count = strspn(digits, "0123456789");
    unsigned long port = strtoul(digits, NULL, 10);
    if (count == 0 || count > 5 || (digits[count] && strcmp(digits + count, "/") != 0) || port == 0 ||
        port > 65535)
        return -EINVAL;
    memcpy(ret_host, url, len);
    ret_host[len] = '\0';
    *ret_port = (uint16_t)port;
    return 0;
}

static int parse_profile(const char *path, const char *text, size_t len, struct connect_profile *profile)
{
    struct json *tree;
    if (json_parse(text, len, NULL, &tree) < 0)
        return cli_local_error("%s: not JSON", path);
    struct json_reader reader = json_reader_init(tree);
    const char *url = json_read_text(&reader, "url");
    if (strlen(url) >= sizeof profile->url)
        json_reader_fail(&reader, "url");
    else
        strcpy(profile->url, url);
    json_read_hex(&reader, "host_identity", profile->identity, sizeof profile->identity);
    profile->pinned = true;
    int exit_code =
        json_reader_end(&reader) < 0 ? cli_local_error("%s: '%s' is wrong", path, reader.wrong) : CLI_OK;
    json_destroy(tree);
    return exit_code;
}

int connect_profile_read(struct connect *connect, struct connect_profile *ret_profile)
{
    char path[CONNECT_PATH_BYTES], *text = NULL;
    size_t len = 0;
    struct connect_profile profile = {.pinned = false};
    connect_path(connect, profile_name, path);
    int error = cli_file_read(path, 65536, &text, &len);
    int exit_code = CLI_OK;
    if (error && error != -ENOENT)
        return cli_local_error("%s: %s", path, strerror(-error));
    if (!error) {
        exit_code = parse_profile(path, text, len, &profile);
        free(text);
    }
    if (exit_code == CLI_OK)
        *ret_profile = profile;
    return exit_code;
}

int connect_profile_write(struct connect *connect, const struct connect_profile *profile)
{
    char path[CONNECT_PATH_BYTES];
    struct json_writer out = json_writer_init(0);
    connect_path(connect, profile_name, path);
    json_write_object_begin(&out, NULL);
    json_write_text(&out, "url", profile->url);
    json_write_hex(&out, "host_identity", profile->identity, sizeof profile->identity);
    json_write_object_end(&out);
    int error = json_writer_end(&out);
    if (!error)
        error = cli_file_write(path, out.text, out.len, false);
    json_writer_finish(&out);
    return error ? cli_local_error("%s: %s", path, strerror(-error)) : CLI_OK;
}
