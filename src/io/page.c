/*
 * Page: see page.h.
 */
#include "src/io/page.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "src/io/file_below.h"
#include "src/io/http_parse.h"
#include "src/io/http_server.h"

#define PATH_MAX_BYTES 1024
#define TAG_MAX 64
#define HASHED "assets/" /* names below it change with the bytes */

/* How a file lies in the folder, best first. */
static const struct form {
    const char *coding, *ending;
} forms[] = {{"br", ".br"}, {"gzip", ".gz"}, {NULL, ""}};

static const char *type_of(const char *path)
{
    static const struct {
        const char *ending, *type;
    } types[] = {
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".mjs", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".json", "application/json"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".ico", "image/x-icon"},
        {".woff2", "font/woff2"},
        {".txt", "text/plain; charset=utf-8"},
        {".wasm", "application/wasm"},
        {".webmanifest", "application/manifest+json"},
    };
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot != NULL && i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(dot, types[i].ending) == 0)
            return types[i].type;
    }
    return "application/octet-stream";
}

/* The next word of a list divided by commas, without the space around it; NULL after the last. */
static const char *next_word(const char **at, size_t *ret_len)
{
    const char *word = *at + strspn(*at, " \t,");
    size_t len = strcspn(word, ",");
    if (*word == '\0')
        return NULL;
    *at = word + len;
    while (len > 0 && (word[len - 1] == ' ' || word[len - 1] == '\t'))
        len--;
    *ret_len = len;
    return word;
}

/* Whether what stands behind a coding is a weight of nothing: "; q=0.000". */
static bool is_refused(const char *rest, size_t len)
{
    char text[32];
    if (len >= sizeof(text))
        return true;
    snprintf(text, sizeof(text), "%.*s", (int)len, rest);
    const char *weight = strstr(text, "q=");
    return weight != NULL && weight[2] == '0' && strspn(weight + 2, "0.") == strlen(weight + 2);
}

bool page_takes_coding(const char *field, const char *coding)
{
    size_t len, wanted = strlen(coding);
    const char *at = field, *word;
    while (at != NULL && (word = next_word(&at, &len)) != NULL) {
        size_t name = strcspn(word, " \t;,");
        if (name == wanted && strncasecmp(word, coding, wanted) == 0)
            return !is_refused(word + name, len - name);
    }
    return false;
}

bool page_has_tag(const char *field, const char *tag)
{
    size_t len, wanted = strlen(tag);
    const char *at = field, *word;
    while (at != NULL && (word = next_word(&at, &len)) != NULL) {
        size_t weak = len > 2 && strncmp(word, "W/", 2) == 0 ? 2 : 0;
        if ((len == 1 && *word == '*') || (len - weak == wanted && strncmp(word + weak, tag, wanted) == 0))
            return true;
    }
    return false;
}

bool page_is_foreign(const struct http_head *head, const char *scheme)
{
    const char *origin = http_head_field(head, "Origin"), *host = http_head_field(head, "Host");
    size_t len = strlen(scheme);
    if (origin == NULL)
        return false;
    return host == NULL || strncasecmp(origin, scheme, len) != 0 || strncmp(origin + len, "://", 3) != 0 ||
           strcasecmp(origin + len + 3, host) != 0;
}

/* Opens the best form that is there and that the browser takes. */
static int open_form(const struct http_head *head, int folder_fd, const char *path,
                     const struct form **ret_form, int *ret_fd, struct stat *ret_info)
{
    char name[PATH_MAX_BYTES];
    const char *takes = http_head_field(head, "Accept-Encoding");
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (forms[i].coding != NULL && !page_takes_coding(takes, forms[i].coding))
            continue;
        int len = snprintf(name, sizeof(name), "%s%s", path, forms[i].ending);
        if (len < (int)sizeof(name) && file_below_open(folder_fd, name, ret_fd, ret_info) == 0) {
            *ret_form = &forms[i];
            return 0;
        }
    }
    return -ENOENT;
}

/* A file that is put in place anew has another time of change, though its name and size stay. */
static void make_tag(const struct stat *info, const struct form *form, char ret_tag[TAG_MAX])
{
    snprintf(ret_tag, TAG_MAX, "\"%llx-%lx-%llx%s\"", (unsigned long long)info->st_ctim.tv_sec,
             info->st_ctim.tv_nsec, (unsigned long long)info->st_size, form->ending);
}

int page_answer(struct http_request *request, int folder_fd, const char *path)
{
    char tag[TAG_MAX];
    const struct http_head *head = http_request_head(request);
    const struct form *form;
    struct stat info;
    int fd;
    int error = open_form(head, folder_fd, path, &form, &fd, &info);
    if (error < 0)
        return error;
    make_tag(&info, form, tag);
    http_request_add_header(request, "ETag", tag);
    http_request_add_header(request, "Vary", "Accept-Encoding");
    http_request_add_header(request, "Cache-Control",
                            strncmp(path, HASHED, strlen(HASHED)) == 0 ? "public, max-age=31536000, immutable"
                                                                       : "no-cache");
    if (page_has_tag(http_head_field(head, "If-None-Match"), tag)) {
        close(fd);
        http_answer(request, 304, NULL, NULL, 0);
        return 0;
    }
    if (form->coding != NULL)
        http_request_add_header(request, "Content-Encoding", form->coding);
    http_answer_file(request, type_of(path), fd);
    return 0;
}
