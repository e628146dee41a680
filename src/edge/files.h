/*
 * Files: serves files below a folder, and none outside it.
 * In: a folder's descriptor, a file's path. Out: an answer. Nothing is kept.
 */
#ifndef KILN_EDGE_FILES_H
#define KILN_EDGE_FILES_H

struct http_request;

/* Answers with FOLDER_FD's file PATH (as of api_file_parse); NOT_FOUND when it is not a regular file below
 * the folder or a symbolic link is on the way. FOLDER_FD may be -1. */
void files_answer(struct http_request *request, int folder_fd, const char *path);

#endif
