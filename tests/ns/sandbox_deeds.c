/*
 * Sandbox deeds: see sandbox_deeds.h.
 */
#include "tests/ns/sandbox_deeds.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <unistd.h>

static int read_file(const char *path)
{
    return open(path, O_RDONLY | O_CLOEXEC);
}

static int write_file(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

static int run_program(const char *path)
{
    char *const argv[] = {(char *)path, NULL};
    return execve(path, argv, argv + 1);
}

static int make_process(const char *word)
{
    (void)word;
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    return child;
}

static int trace(const char *pid)
{
    return (int)ptrace(PTRACE_ATTACH, atoi(pid), NULL, NULL);
}

static int signal_other(const char *pid)
{
    return kill(atoi(pid), 0);
}

static int make_code(const char *word)
{
    (void)word;
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
                   MAP_FAILED
               ? -1
               : 0;
}

static int turn_into_code(const char *word)
{
    (void)word;
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

/* "PORT" of 127.0.0.1, where somebody listens. */
static int connect_tcp(const char *port)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)atoi(port)),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd < 0 ? -1 : connect(fd, (const struct sockaddr *)&address, sizeof address);
}

static int listen_tcp(const char *word)
{
    const struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    (void)word;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd < 0 ? -1 : bind(fd, (const struct sockaddr *)&address, sizeof address);
}

static int open_netlink(const char *word)
{
    (void)word;
    return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
}

static void *do_nothing(void *arg)
{
    return arg;
}

static void *trace_in_thread(void *pid)
{
    trace(pid);
    return NULL;
}

/* Not refused to kilnd. */
static int make_thread(const char *word)
{
    pthread_t thread;
    (void)word;
    errno = pthread_create(&thread, NULL, do_nothing, NULL);
    return errno != 0 ? -1 : pthread_join(thread, NULL);
}

static int trace_by_thread(const char *pid)
{
    pthread_t thread;
    errno = pthread_create(&thread, NULL, trace_in_thread, (void *)pid);
    return errno != 0 ? -1 : pthread_join(thread, NULL);
}

int sandbox_try(const char *deed, const char *word)
{
    static const struct {
        const char *name;
        int (*run)(const char *word);
    } deeds[] = {{"read", read_file},
                 {"write", write_file},
                 {"exec", run_program},
                 {"fork", make_process},
                 {"ptrace", trace},
                 {"kill", signal_other},
                 {"code", make_code},
                 {"mprotect", turn_into_code},
                 {"connect", connect_tcp},
                 {"listen", listen_tcp},
                 {"netlink", open_netlink},
                 {"thread", make_thread},
                 {"ptrace-in-thread", trace_by_thread}};
    for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) {
        if (strcmp(deeds[i].name, deed) != 0)
            continue;
        bool refused = deeds[i].run(word) < 0;
        const char *why = refused ? strerrorname_np(errno) : NULL;
        printf("%s%s\n", refused ? "refused " : "done", why != NULL ? why : "");
        /* By write and _exit alone: what stdio does at an end is no part of the list. */
        fflush(stdout);
        return refused ? 0 : 1;
    }
    return 2;
}
