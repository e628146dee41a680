/*
 * Files: see files.h.
 */
#include "src/edge/files.h"

#include "src/edge/failure.h"
#include "src/io/file_below.h"
#include "src/io/http_server.h"

void files_answer(struct http_request *request, int folder_fd, const char *path)
{
    struct stat info;
    int fd;
    if (file_below_open(folder_fd, path, &fd, &info) < 0)
        failure_answer(request, CODE_NOT_FOUND, NULL);
    else
        http_answer_file(request, "application/octet-stream", fd);
}
