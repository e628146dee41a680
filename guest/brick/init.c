/*
 * The whole of a brick's initial RAM file system: loads the modules that the root disk, the network card, the
 * boot secret and the random numbers need, mounts the root disk and gives way to its init.
 *
 * In: /modules/00, 01 ... in loading order; `root=` on the kernel's command line. Out: the real system, or a
 * line on the console and a panic. Debian's own initrd does the same through udev and shell scripts, which
 * costs seconds where every instruction is emulated.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MODULES_MAX = 100, ROOT_WAIT_MS = 60000 };

static const char real_init[] = "/usr/lib/systemd/systemd";

/* Returning from pid 1 is a kernel panic, which panic= on the command line turns into the end of the
 * domain. */
static void die(const char *what)
{
    fprintf(stderr, "brick: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void load_modules(void)
{
    char path[32];

    for (int i = 0; i < MODULES_MAX; i++) {
        snprintf(path, sizeof path, "/modules/%02d", i);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            return;
        /* A device that this VM lacks makes its driver refuse: the root disk's absence is reported later. */
        if (syscall(SYS_finit_module, fd, "", 0) != 0 && errno != EEXIST && errno != ENODEV)
            fprintf(stderr, "brick: module %02d: %s\n", i, strerror(errno));
        close(fd);
    }
}

/* Copies the value of `root=` into `ret_root`. */
static void read_root_name(char *ret_root, size_t len_bytes)
{
    char line[4096];

    int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof line - 1);
    if (n < 0)
        die("/proc/cmdline");
    close(fd);
    line[n] = '\0';
    for (char *word = strtok(line, " \n"); word; word = strtok(NULL, " \n")) {
        if (strncmp(word, "root=", 5) == 0 && strlen(word + 5) < len_bytes) {
            strcpy(ret_root, word + 5);
            return;
        }
    }
    errno = EINVAL;
    die("no root= on the command line");
}

/* The disk is found by its driver some time after the module is in. */
static void wait_for(const char *device)
{
    char events[4096];

    int watch = inotify_init1(IN_CLOEXEC);
    if (watch < 0 || inotify_add_watch(watch, "/dev", IN_CREATE) < 0)
        die("cannot watch /dev");
    while (access(device, F_OK) != 0) {
        struct pollfd poll_fd = {.fd = watch, .events = POLLIN};
        if (poll(&poll_fd, 1, ROOT_WAIT_MS) <= 0)
            die(device);
        if (read(watch, events, sizeof events) < 0)
            die("cannot watch /dev");
    }
    close(watch);
}

/* The RAM that the modules and this program take is given back before they can no longer be named. */
static void empty_ram(void)
{
    char path[32];

    for (int i = 0; i < MODULES_MAX; i++) {
        snprintf(path, sizeof path, "/modules/%02d", i);
        if (unlink(path) != 0)
            break;
    }
    unlink("/init");
}

int main(void)
{
    char root[64];

    if (mount("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, "mode=0755") != 0 ||
        mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0)
        die("mount");
    read_root_name(root, sizeof root);
    load_modules();
    wait_for(root);
    /* A thin image starts as the brick left it, cleanly unmounted: there is nothing to check first. */
    if (mount(root, "/root", "ext4", MS_NOATIME, NULL) != 0)
        die(root);
    empty_ram();
    printf("brick: %s is mounted, starting %s\n", root, real_init);
    fflush(stdout);
    if (mount("/dev", "/root/dev", NULL, MS_MOVE, NULL) != 0 || umount("/proc") != 0 || chdir("/root") != 0 ||
        mount(".", "/", NULL, MS_MOVE, NULL) != 0 || chroot(".") != 0 || chdir("/") != 0)
        die("cannot change to the root disk");
    execl(real_init, real_init, (char *)NULL);
    die(real_init);
}
