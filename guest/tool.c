/*
 * Tool: see tool.h. Output and complaints go to a memfd, so nothing can fill up while we wait.
 */
#include "guest/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static char *const tool_environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL};

/* Signals as a program expects them at its start, whatever the calling thread blocks or ignores. */
static void set_signals(posix_spawnattr_t *attributes)
{
    sigset_t none, fresh;
    sigemptyset(&none);
    sigemptyset(&fresh);
    sigaddset(&fresh, SIGPIPE);
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setsigdefault(attributes, &fresh);
    posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

static int spawn(const char *const argv[], int input, int output, pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    set_signals(&attributes);
    posix_spawn_file_actions_adddup2(&actions, input, 0);
    posix_spawn_file_actions_adddup2(&actions, output, 1);
    posix_spawn_file_actions_adddup2(&actions, output, 2);
    /* posix_spawn takes no const, and writes to none of it. */
    int error =
        posix_spawn(ret_pid, argv[0], &actions, &attributes, (char *const *)(size_t)argv, tool_environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return -error;
}

/* The last line that holds anything. */
static void read_last_line(int output, char said[TOOL_SAID_MAX])
{
    char tail[1024];
    off_t end = lseek(output, 0, SEEK_END);
    off_t from = end > (off_t)sizeof tail - 1 ? end - ((off_t)sizeof tail - 1) : 0;
    ssize_t len = pread(output, tail, sizeof tail - 1, from);
    if (len <= 0)
        return;
    while (len > 0 && tail[len - 1] == '\n')
        len--;
    tail[len] = '\0';
    const char *line = strrchr(tail, '\n');
    line = line == NULL ? tail : line + 1;
    if (*line != '\0')
        snprintf(said, TOOL_SAID_MAX, "%.*s", TOOL_SAID_MAX - 1, line);
}

static int wait_for(pid_t pid, const char *name, int output, char said[TOOL_SAID_MAX])
{
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
        snprintf(said, TOOL_SAID_MAX, "%s is not there", name);
        return -ENOENT;
    }
    snprintf(said, TOOL_SAID_MAX, "%s ended with status %d", name, status);
    read_last_line(output, said);
    return -EIO;
}

static int open_input(const char *input)
{
    int fd = input == NULL ? open("/dev/null", O_RDONLY | O_CLOEXEC) : memfd_create("input", MFD_CLOEXEC);
    if (fd >= 0 && input != NULL &&
        (write(fd, input, strlen(input)) != (ssize_t)strlen(input) || lseek(fd, 0, SEEK_SET) < 0)) {
        close(fd);
        return -EIO;
    }
    return fd < 0 ? -errno : fd;
}

int tool_run(const char *const argv[], const char *input, char said[TOOL_SAID_MAX])
{
    int in = open_input(input);
    int output = memfd_create("output", MFD_CLOEXEC);
    int result = in < 0 ? in : output < 0 ? -errno : 0;
    pid_t pid = -1;
    if (result == 0)
        result = spawn(argv, in, output, &pid);
    if (result < 0)
        snprintf(said, TOOL_SAID_MAX, "%s: %s", argv[0], strerror(-result));
    else
        result = wait_for(pid, argv[0], output, said);
    if (in >= 0)
        close(in);
    if (output >= 0)
        close(output);
    return result;
}
