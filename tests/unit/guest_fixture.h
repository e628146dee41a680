/*
 * What tests of the guest share: a folder of their own, and a world in which /etc and /run are theirs alone.
 */
#ifndef KILN_TESTS_UNIT_GUEST_FIXTURE_H
#define KILN_TESTS_UNIT_GUEST_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "guest/tool.h"

static char fixture_folder[64]; /* of the test program */

static inline int fixture_run(const char *const argv[])
{
    char said[TOOL_SAID_MAX] = "";
    int result = tool_run(argv, NULL, said);
    if (result < 0)
        print_message("%s: %s\n", argv[0], said);
    return result;
}

#define RUN(...) assert_int_equal(fixture_run((const char *const[]){__VA_ARGS__, NULL}), 0)

static inline int fixture_make(void **state)
{
    (void)state;
    snprintf(fixture_folder, sizeof fixture_folder, "/tmp/kiln-guest-XXXXXX");
    return mkdtemp(fixture_folder) == NULL ? -1 : 0;
}

static inline int fixture_remove(void **state)
{
    (void)state;
    return fixture_run((const char *const[]){"/bin/rm", "-rf", "--one-file-system", fixture_folder, NULL});
}

/* The same, with a tmpfs there and on /run, and a copy of /etc over the real one: what the test does to
 * accounts ends with it. */
static inline int fixture_make_world(void **state)
{
    char copy[80];
    if (fixture_make(state) < 0 || unshare(CLONE_NEWNS) < 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("tmpfs", fixture_folder, "tmpfs", 0, "mode=0755") < 0)
        return -1;
    snprintf(copy, sizeof copy, "%s/etc", fixture_folder);
    if (fixture_run((const char *const[]){"/bin/cp", "-a", "/etc", copy, NULL}) < 0)
        return -1;
    if (mount(copy, "/etc", NULL, MS_BIND, NULL) < 0 || mount("tmpfs", "/run", "tmpfs", 0, "mode=0755") < 0)
        return -1;
    return 0;
}

static inline int fixture_remove_world(void **state)
{
    umount("/etc");
    umount("/run");
    umount2(fixture_folder, MNT_DETACH);
    return fixture_remove(state);
}

static inline const char *fixture_path(const char *name)
{
    static char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", fixture_folder, name);
    return path;
}

static inline void fixture_write(const char *path, const void *bytes, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    close(fd);
}

/* The whole of a small file, to be freed. */
static inline char *fixture_read(const char *path)
{
    char *text = calloc(1, 65536);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_true(read(fd, text, 65535) >= 0);
    close(fd);
    return text;
}

#endif
