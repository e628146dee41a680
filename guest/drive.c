/*
 * Drive: see drive.h.
 */
#include "guest/drive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "guest/blank.h"
#include "guest/device.h"
#include "guest/mount.h"

#define DEVICE_WAIT_MS                                                                                       \
    15000 /* the host attached it before it told us; the guest's kernel may be a little behind */

/* What one unlocking goes through; each step returns 0 or has called fail. */
struct unlock {
    const struct drive_order *order;
    struct drive_outcome *outcome;
    char device[DEVICE_PATH_MAX];
    int held; /* owned: while it is open the kernel gives DEVICE's name to no other disk; -1: not yet */
    char mapping[40]; /* its name for the device mapper */
    char mapped[64];  /* its node */
};

__attribute__((format(printf, 3, 4))) static int fail(struct unlock *unlock, enum kiln_code code,
                                                      const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(unlock->outcome->detail, sizeof unlock->outcome->detail, format, args);
    va_end(args);
    unlock->outcome->code = code;
    return -EIO;
}

void drive_path(const char *name, char ret_path[DRIVE_PATH_MAX])
{
    snprintf(ret_path, DRIVE_PATH_MAX, DRIVE_FOLDER "/%s", name);
}

static void name_mapping(const char *serial, char mapping[40])
{
    snprintf(mapping, 40, "kiln-%s", serial);
}

static int find_device(struct unlock *unlock)
{
    int result = device_find(unlock->order->serial, DEVICE_WAIT_MS, unlock->device);
    if (result < 0)
        return fail(unlock, CODE_DRIVE_UNKNOWN, "no disk with serial %s: %s", unlock->order->serial,
                    strerror(-result));
    unlock->held = open(unlock->device, O_RDONLY | O_CLOEXEC);
    if (unlock->held < 0)
        return fail(unlock, CODE_DRIVE_MOUNT_FAILED, "%s: %s", unlock->device, strerror(errno));
    return 0;
}

static int probe(struct unlock *unlock, enum blank_state *ret_state)
{
    char found[BLANK_FOUND_MAX] = "";
    bool readonly = device_is_readonly(unlock->held);
    int result = blank_probe(unlock->held, ret_state, found);
    if (unlock->order->writer && readonly)
        return fail(unlock, CODE_DRIVE_MODE, "%s", "the drive is attached read-only");
    if (result < 0)
        return fail(unlock, CODE_DRIVE_MOUNT_FAILED, "%s cannot be read: %s", unlock->device,
                    strerror(-result));
    if (*ret_state == BLANK_OCCUPIED)
        return fail(unlock, CODE_DRIVE_NOT_BLANK, "the drive carries %s", found);
    return 0;
}

static int open_container(struct unlock *unlock)
{
    char said[LUKS_SAID_MAX] = "";
    int result = luks_open(unlock->device, unlock->mapping, unlock->order->key, !unlock->order->writer, said);
    if (result == -EPERM)
        return fail(unlock, CODE_DRIVE_KEY_WRONG, "%s", "the key opens none of the drive's key slots");
    if (result < 0 && result != -EEXIST)
        return fail(unlock, CODE_DRIVE_MOUNT_FAILED, "opening: %s",
                    said[0] != '\0' ? said : strerror(-result));
    return 0;
}

static int format_drive(struct unlock *unlock)
{
    char said[LUKS_SAID_MAX] = "";
    if (!unlock->order->writer)
        return fail(unlock, CODE_DRIVE_MODE, "%s", "a drive attached for reading cannot be formatted");
    if (!unlock->order->format)
        return fail(unlock, CODE_DRIVE_BLANK, "%s",
                    "the drive is blank and the owner has not said to format it");
    int result = luks_make(unlock->device, unlock->order->key, said);
    if (result < 0)
        return fail(unlock, CODE_DRIVE_MOUNT_FAILED, "formatting: %s",
                    said[0] != '\0' ? said : strerror(-result));
    result = open_container(unlock);
    if (result < 0)
        return result;
    result = mount_make_ext4(unlock->mapped, said);
    if (result < 0) {
        luks_close(unlock->mapping);
        return fail(unlock, CODE_DRIVE_MOUNT_FAILED, "formatting: %s",
                    said[0] != '\0' ? said : strerror(-result));
    }
    unlock->outcome->formatted = true;
    return 0;
}

/* A container that was being made when the power went has nothing in it yet. */
static int open_or_format(struct unlock *unlock, enum blank_state state)
{
    if (state == BLANK_LUKS2 && (!unlock->order->format || luks_is_half_made(unlock->device) != 1))
        return open_container(unlock);
    return format_drive(unlock);
}

int drive_settle_making(const char *device, const char *mapped, char said[LUKS_SAID_MAX])
{
    enum blank_state state;
    char found[BLANK_FOUND_MAX] = "";
    int half_made = luks_is_half_made(device);
    if (half_made <= 0)
        return half_made;
    int fd = open(mapped, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int result = blank_probe(fd, &state, found);
    close(fd);
    if (result < 0)
        return result;
    return strncmp(found, "ext4", 4) == 0 ? luks_finish_making(device, said) : -ENODATA;
}

static int settle(struct unlock *unlock)
{
    char said[LUKS_SAID_MAX] = "";
    int result = unlock->order->writer ? drive_settle_making(unlock->device, unlock->mapped, said) : 0;
    if (result == -ENODATA)
        return fail(unlock, CODE_DRIVE_BLANK, "%s",
                    "the drive's formatting was cut off and the owner has not said to format it");
    if (result < 0)
        return fail(unlock, CODE_DRIVE_MOUNT_FAILED, "finishing its formatting: %s",
                    said[0] != '\0' ? said : strerror(-result));
    return 0;
}

static void mount_drive(struct unlock *unlock)
{
    int result = settle(unlock);
    if (result == 0) {
        result = mount_ext4(unlock->mapped, unlock->outcome->path, !unlock->order->writer);
        if (result < 0)
            fail(unlock, CODE_DRIVE_MOUNT_FAILED, "mounting at %s: %s", unlock->outcome->path,
                 result == -EBUSY ? "another drive of this name is there" : strerror(-result));
    }
    if (result < 0)
        luks_close(unlock->mapping);
}

void drive_unlock(const struct drive_order *order, struct drive_outcome *ret_outcome)
{
    *ret_outcome = (struct drive_outcome){.code = CODE_NONE};
    struct unlock unlock = {.order = order, .outcome = ret_outcome, .held = -1};
    drive_path(order->name, ret_outcome->path);
    name_mapping(order->serial, unlock.mapping);
    snprintf(unlock.mapped, sizeof unlock.mapped, "/dev/mapper/%s", unlock.mapping);
    if (drive_is_mounted(order->name, order->serial))
        return;
    enum blank_state state;
    bool open_already = luks_is_open(unlock.mapping);
    if (find_device(&unlock) == 0 &&
        (open_already || (probe(&unlock, &state) == 0 && open_or_format(&unlock, state) == 0)))
        mount_drive(&unlock);
    if (unlock.held >= 0)
        close(unlock.held);
}

bool drive_is_mounted(const char *name, const char *serial)
{
    char path[DRIVE_PATH_MAX], mapping[40], mapped[64];
    drive_path(name, path);
    name_mapping(serial, mapping);
    snprintf(mapped, sizeof mapped, "/dev/mapper/%s", mapping);
    return mount_is_of(path, mapped) && luks_is_open(mapping);
}
