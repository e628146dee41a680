/*
 * Port 22: see port22.h.
 */
#include "guest/port22.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/io/loop.h"

#define BACKLOG 32
#define LISTENING 10 /* TCP_LISTEN, as /proc/net/tcp prints it (0A) */

struct port22 {
    int fd;                   /* owned */
    struct loop_watch *watch; /* owned */
    void (*fn)(void *arg, int fd);
    void *arg; /* borrowed */
    bool open;
};

/* The inode of a socket that listens on PORT, 0 when PATH shows none. */
static unsigned long find_listener(const char *path, uint16_t port)
{
    char line[512];
    unsigned long found = 0;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    while (found == 0 && fgets(line, sizeof line, file) != NULL) {
        unsigned local, state;
        unsigned long inode;
        if (sscanf(line, " %*d: %*[0-9A-F]:%x %*[0-9A-F]:%*x %x %*x:%*x %*x:%*x %*x %*u %*u %lu", &local,
                   &state, &inode) == 3 &&
            local == port && state == LISTENING)
            found = inode;
    }
    fclose(file);
    return found;
}

static bool has_socket(const char *pid, const char *wanted)
{
    char path[300], target[64];
    snprintf(path, sizeof path, "/proc/%s/fd", pid);
    DIR *fds = opendir(path);
    if (fds == NULL)
        return false;
    bool found = false;
    for (struct dirent *entry; !found && (entry = readdir(fds)) != NULL;) {
        ssize_t len = readlinkat(dirfd(fds), entry->d_name, target, sizeof target - 1);
        if (len <= 0)
            continue;
        target[len] = '\0';
        found = strcmp(target, wanted) == 0;
    }
    closedir(fds);
    return found;
}

static void name_process(const char *pid, char ret_holder[PORT22_HOLDER_MAX])
{
    char path[300], name[64] = "a process";
    snprintf(path, sizeof path, "/proc/%s/comm", pid);
    FILE *file = fopen(path, "re");
    if (file != NULL) {
        if (fgets(name, sizeof name, file) != NULL)
            name[strcspn(name, "\n")] = '\0';
        fclose(file);
    }
    snprintf(ret_holder, PORT22_HOLDER_MAX, "%s pid %.20s", name, pid);
}

void port22_find_holder(uint16_t port, char ret_holder[PORT22_HOLDER_MAX])
{
    snprintf(ret_holder, PORT22_HOLDER_MAX, "an unknown process");
    unsigned long inode = find_listener("/proc/net/tcp", port);
    if (inode == 0)
        inode = find_listener("/proc/net/tcp6", port);
    DIR *processes = inode != 0 ? opendir("/proc") : NULL;
    if (processes == NULL)
        return;
    char wanted[64];
    snprintf(wanted, sizeof wanted, "socket:[%lu]", inode);
    for (struct dirent *entry; (entry = readdir(processes)) != NULL;)
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && has_socket(entry->d_name, wanted)) {
            name_process(entry->d_name, ret_holder);
            break;
        }
    closedir(processes);
}

static void take_connections(int ready, void *arg)
{
    (void)ready;
    struct port22 *port22 = arg;
    int fd;
    while ((fd = accept4(port22->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        if (port22->open)
            port22->fn(port22->arg, fd);
        else
            close(fd);
    }
}

static int listen_on(int family, uint16_t port, int *ret_fd)
{
    int on = 1, off = 0;
    struct sockaddr_in6 six = {
        .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_ANY_INIT};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    /* Sessions of before a restart still use the port; only a listener may stand in the way. */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    const struct sockaddr *address =
        family == AF_INET6 ? (const struct sockaddr *)&six : (const struct sockaddr *)&four;
    if (bind(fd, address, family == AF_INET6 ? sizeof six : sizeof four) < 0 || listen(fd, BACKLOG) < 0) {
        int error = -errno;
        close(fd);
        return error;
    }
    *ret_fd = fd;
    return 0;
}

int port22_open(struct loop *loop, uint16_t port, void (*fn)(void *arg, int fd), void *arg,
                char holder[PORT22_HOLDER_MAX], struct port22 **ret_port22)
{
    struct port22 *port22 = calloc(1, sizeof *port22);
    if (port22 == NULL)
        return -ENOMEM;
    *port22 = (struct port22){.fd = -1, .fn = fn, .arg = arg};
    int result = listen_on(AF_INET6, port, &port22->fd);
    if (result == -EAFNOSUPPORT || result == -EADDRNOTAVAIL)
        result = listen_on(AF_INET, port, &port22->fd);
    if (result == -EADDRINUSE)
        port22_find_holder(port, holder);
    if (result == 0)
        result = loop_watch_create(loop, port22->fd, take_connections, port22, &port22->watch);
    if (result < 0) {
        port22_close(port22);
        return result;
    }
    loop_watch_set(port22->watch, LOOP_READ);
    *ret_port22 = port22;
    return 0;
}

void port22_set_gate(struct port22 *port22, bool open)
{
    port22->open = open;
}

void port22_close(struct port22 *port22)
{
    if (port22 == NULL)
        return;
    if (port22->watch != NULL)
        loop_watch_destroy(port22->watch);
    if (port22->fd >= 0)
        close(port22->fd);
    free(port22);
}
