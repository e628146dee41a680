/*
 * Device: see device.h. The kernel's own view (/sys/block, uevents); no udev rule has to have run.
 */
#include "guest/device.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/io/loop.h"

#define PAGE_HEAD_BYTES 4 /* of a vital product data page, before its text */
#define PAGE_MAX 260

static bool has_serial(const char *disk, const char *serial)
{
    char path[300];
    uint8_t page[PAGE_MAX];
    snprintf(path, sizeof path, "/sys/block/%s/device/vpd_pg80", disk);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t len = read(fd, page, sizeof page);
    close(fd);
    size_t wanted = strlen(serial);
    return len == (ssize_t)(PAGE_HEAD_BYTES + wanted) && memcmp(page + PAGE_HEAD_BYTES, serial, wanted) == 0;
}

static int scan_disks(const char *serial, char ret_path[DEVICE_PATH_MAX])
{
    DIR *disks = opendir("/sys/block");
    if (disks == NULL)
        return -errno;
    int result = -ENOENT;
    for (struct dirent *disk; result < 0 && (disk = readdir(disks)) != NULL;) {
        if (strncmp(disk->d_name, "sd", 2) != 0 || strlen(disk->d_name) > 16 ||
            !has_serial(disk->d_name, serial))
            continue;
        snprintf(ret_path, DEVICE_PATH_MAX, "/dev/%.16s", disk->d_name);
        result = access(ret_path, F_OK) == 0 ? 0 : -ENOENT;
    }
    closedir(disks);
    return result;
}

static int open_uevents(void)
{
    const struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = 1};
    int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
    if (fd < 0)
        return -errno;
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
        int error = -errno;
        close(fd);
        return error;
    }
    return fd;
}

static void drain(int fd)
{
    char text[4096];
    /* ENOBUFS only says that some were lost, and the disks are looked at anyway. */
    while (recv(fd, text, sizeof text, 0) >= 0 || errno == ENOBUFS)
        ;
}

int device_find(const char *serial, int64_t timeout_ms, char ret_path[DEVICE_PATH_MAX])
{
    /* Events first, then the look, so that a disk that comes in between is not missed. */
    int events = open_uevents();
    if (events < 0)
        return events;
    int64_t end_ms = loop_monotonic_ms() + timeout_ms;
    int result;
    while ((result = scan_disks(serial, ret_path)) == -ENOENT) {
        int64_t left_ms = end_ms - loop_monotonic_ms();
        struct pollfd wait = {.fd = events, .events = POLLIN};
        if (left_ms <= 0 || poll(&wait, 1, (int)left_ms) == 0)
            break;
        drain(events);
    }
    close(events);
    return result;
}

bool device_is_readonly(int fd)
{
    int readonly = 0;
    return ioctl(fd, BLKROGET, &readonly) == 0 && readonly != 0;
}
