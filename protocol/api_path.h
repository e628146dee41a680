/*
 * Targets of requests (README 8.8): which resource, page or file a request's line asks for.
 * In: a target as it was sent. Out: its parts, or the path of a file below a folder. Nothing is kept.
 *
 * A target has one spelling: nothing of it is %-escaped, no part is empty or begins with '.', so none leads
 * out of where it begins. What does not read so names nothing.
 */
#ifndef KILN_PROTOCOL_API_PATH_H
#define KILN_PROTOCOL_API_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    API_PARTS_MAX = 5,
    API_PART_BYTES = 65,    /* the longest is a fingerprint, with the NUL */
    API_AFTER_BYTES = 129,  /* the longest is a name, id or number, with the NUL */
    API_STARS_MAX = 2,      /* of a pattern */
    API_TARGET_BYTES = 512, /* of a whole target, with the NUL */
    API_FILE_BYTES = 256,   /* of a file's path, with the NUL */
};

/* A resource, and where its list or stream goes on. */
struct api_path {
    char part[API_PARTS_MAX][API_PART_BYTES];
    size_t nparts;               /* 1 or more */
    char after[API_AFTER_BYTES]; /* of "?after=", "" when there is none */
    int64_t since;               /* of "?since=", -1 when there is none */
};

/* -EBADMSG when TARGET is no such target. RET_PATH is written on success only. */
int api_path_parse(const char *target, struct api_path *ret_path);
/* The one target of PATH, which api_path_parse made. */
void api_path_format(const struct api_path *path, char out[API_TARGET_BYTES]);
/* Whether PATH is PATTERN's ("/v1/vms/" and so on), in which a part "*" stands for any part; RET_STARS (may
 * be NULL) borrows those from PATH, and is written on success only. */
bool api_path_fits(const struct api_path *path, const char *pattern, const char *ret_stars[API_STARS_MAX]);

/* The file that TARGET names below a folder: "index.html" for "/", "js/app.js" for "/js/app.js?v=2". -ENOENT
 * when it names none. RET_FILE is written on success only. */
int api_file_parse(const char *target, char ret_file[API_FILE_BYTES]);

#endif
