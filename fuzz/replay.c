/*
 * replay.c - runs a fuzz target over kept inputs with any compiler: each argument is a file or a folder of
 * files.
 *
 * A folder that is not there is an empty one. Exit status 1 when a file cannot be read; a broken claim
 * aborts.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path, size_t size_bytes)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return 1;
    }
    /* Exactly as long as the input, so that a sanitizer sees every byte read beyond it. */
    uint8_t *data = malloc(size_bytes ? size_bytes : 1);
    int failed = !data || fread(data, 1, size_bytes, file) != size_bytes;
    if (!failed) {
        fprintf(stderr, "%s\n", path);
        LLVMFuzzerTestOneInput(data, size_bytes);
    }
    free(data);
    fclose(file);
    return failed;
}

static int replay_path(const char *path);

static int replay_folder(const char *path)
{
    int failed = 0;
    DIR *folder = opendir(path);
    if (!folder)
        return 1;
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        char inner[PATH_MAX];
        if (entry->d_name[0] == '.')
            continue;
        if (snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name) >= (int)sizeof inner)
            failed = 1;
        else
            failed |= replay_path(inner);
    }
    closedir(folder);
    return failed;
}

static int replay_path(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return errno != ENOENT;
    return S_ISDIR(info.st_mode) ? replay_folder(path) : replay_file(path, (size_t)info.st_size);
}

int main(int argc, char **argv)
{
    int failed = 0;
    for (int i = 1; i < argc; i++)
        failed |= replay_path(argv[i]);
    return failed;
}
