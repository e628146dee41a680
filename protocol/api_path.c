/*
 * Targets of requests. See api_path.h.
 */
#include "protocol/api_path.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLAIN "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."

enum { SINCE_DIGITS_MAX = 16 }; /* numbers of changes stay below 2^53 */

/* Length of the part that TEXT begins with, 0 when it is none. */
static size_t part_length(const char *text)
{
    return *text == '.' ? 0 : strspn(text, PLAIN);
}

/* "after=VALUE" */
static int parse_after(const char *value, struct api_path *path)
{
    size_t len = strspn(value, PLAIN ":");
    if (len == 0 || len >= sizeof path->after || value[len] != '\0')
        return -EBADMSG;
    memcpy(path->after, value, len + 1);
    return 0;
}

/* "since=NUMBER" */
static int parse_since(const char *value, struct api_path *path)
{
    size_t len = strspn(value, "0123456789");
    if (len == 0 || len > SINCE_DIGITS_MAX || value[len] != '\0' || (len > 1 && *value == '0'))
        return -EBADMSG;
    path->since = strtoll(value, NULL, 10);
    return 0;
}

static int parse_query(const char *query, struct api_path *path)
{
    if (strncmp(query, "after=", 6) == 0)
        return parse_after(query + 6, path);
    if (strncmp(query, "since=", 6) == 0)
        return parse_since(query + 6, path);
    return -EBADMSG;
}

int api_path_parse(const char *target, struct api_path *ret_path)
{
    struct api_path path = {.since = -1};
    const char *at = target;
    int error = 0;
    while (*at == '/') {
        size_t len = part_length(++at);
        if (len == 0 || len >= API_PART_BYTES || path.nparts == API_PARTS_MAX)
            return -EBADMSG;
        memcpy(path.part[path.nparts++], at, len);
        at += len;
    }
    if (path.nparts == 0 || (*at != '\0' && *at != '?'))
        return -EBADMSG;
    if (*at == '?')
        error = parse_query(at + 1, &path);
    if (error == 0)
        *ret_path = path;
    return error;
}

void api_path_format(const struct api_path *path, char out[API_TARGET_BYTES])
{
    size_t len = 0;
    for (size_t i = 0; i < path->nparts; i++)
        len += (size_t)snprintf(out + len, API_TARGET_BYTES - len, "/%s", path->part[i]);
    if (*path->after)
        snprintf(out + len, API_TARGET_BYTES - len, "?after=%s", path->after);
    else if (path->since >= 0)
        snprintf(out + len, API_TARGET_BYTES - len, "?since=%" PRId64, path->since);
}

bool api_path_fits(const struct api_path *path, const char *pattern, const char *ret_stars[API_STARS_MAX])
{
    const char *stars[API_STARS_MAX] = {NULL, NULL};
    size_t nstars = 0, i = 0;
    for (; *pattern == '/' && i < path->nparts; i++) {
        size_t len = strcspn(++pattern, "/");
        bool star = len == 1 && *pattern == '*' && nstars < API_STARS_MAX;
        if (star)
            stars[nstars++] = path->part[i];
        else if (strlen(path->part[i]) != len || memcmp(path->part[i], pattern, len) != 0)
            return false;
        pattern += len;
    }
    if (*pattern != '\0' || i < path->nparts)
        return false;
    if (ret_stars)
        memcpy(ret_stars, stars, sizeof stars);
    return true;
}

int api_file_parse(const char *target, char ret_file[API_FILE_BYTES])
{
    static const char index[] = "/index.html";
    const char *at = target;
    if (strcmp(target, "/") == 0 || strncmp(target, "/?", 2) == 0)
        at = target = index;
    while (*at == '/') {
        size_t len = part_length(++at);
        if (len == 0)
            return -ENOENT;
        at += len;
    }
    size_t len = (size_t)(at - target);
    if (len == 0 || len > API_FILE_BYTES || (*at != '\0' && *at != '?'))
        return -ENOENT;
    memcpy(ret_file, target + 1, len - 1);
    ret_file[len - 1] = '\0';
    return 0;
}
