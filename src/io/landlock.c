/*
 * Landlock: see landlock.h. Its three system calls have no wrappers in glibc, and Debian 12's header knows
 * the first two versions only.
 */
#include "src/io/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "src/io/log.h"

/* Of later kernels than the header's: truncate (ABI 3), TCP (4), ioctl on devices (5), scopes (6). */
#define FS_TRUNCATE (1ULL << 14)
#define FS_IOCTL_DEV (1ULL << 15)
#define NET_BIND_TCP (1ULL << 0)
#define NET_CONNECT_TCP (1ULL << 1)
#define SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0)
#define SCOPE_SIGNAL (1ULL << 1)
#define RULE_NET_PORT 2

/* The kernel takes as many of the bytes as it knows, if the rest is zero. */
struct ruleset {
    uint64_t files, network, scopes;
};

#define FS_FIRST (LANDLOCK_ACCESS_FS_MAKE_SYM * 2 - 1) /* all rights of ABI 1 */
#define FS_NEVER                                                                                             \
    (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK |             \
     LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM)

/* What is refused unless a rule allows it. */
static struct ruleset handled(const struct landlock_needs *needs, int version)
{
    struct ruleset set = {.files = needs->writes ? FS_NEVER : FS_FIRST};
    if (!needs->writes && version >= 2)
        set.files |= LANDLOCK_ACCESS_FS_REFER;
    if (!needs->writes && version >= 3)
        set.files |= FS_TRUNCATE;
    if (version >= 4)
        set.network = NET_BIND_TCP | NET_CONNECT_TCP;
    if (!needs->writes && version >= 5)
        set.files |= FS_IOCTL_DEV;
    if (version >= 6)
        set.scopes = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL;
    return set;
}

static int allow_reading(int set_fd, const char *folder)
{
    struct landlock_path_beneath_attr rule = {.allowed_access =
                                                  LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
                                              .parent_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC)};
    if (rule.parent_fd < 0)
        return 0;
    long rc = syscall(SYS_landlock_add_rule, set_fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    int error = rc < 0 ? -errno : 0;
    close(rule.parent_fd);
    return error;
}

static int allow_port(int set_fd, uint16_t port)
{
    const uint64_t rule[] = {NET_CONNECT_TCP, port}; /* what is allowed, and where */
    return syscall(SYS_landlock_add_rule, set_fd, RULE_NET_PORT, rule, 0) < 0 ? -errno : 0;
}

static int add_rules(int set_fd, const struct landlock_needs *needs, int version)
{
    int error = 0;
    for (size_t i = 0; i < needs->nfolders && !needs->writes && error == 0; i++)
        error = allow_reading(set_fd, needs->folders[i]);
    if (error == 0 && version >= 4 && needs->connect_port > 0)
        error = allow_port(set_fd, needs->connect_port);
    return error;
}

int landlock_restrict(const struct landlock_needs *needs)
{
    int version = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1) {
        log_warning("sandbox", "the kernel has no Landlock: only users and modes guard files", "error=%d",
                    errno);
        return 0;
    }
    struct ruleset set = handled(needs, version);
    int fd = (int)syscall(SYS_landlock_create_ruleset, &set, sizeof(set), 0);
    int error = fd < 0 ? -errno : add_rules(fd, needs, version);
    if (error == 0 && syscall(SYS_landlock_restrict_self, fd, 0) < 0)
        error = -errno;
    if (fd >= 0)
        close(fd);
    if (error < 0)
        log_error("sandbox", "Landlock refuses", "error=%d words=%s", -error, strerror(-error));
    else
        log_info("sandbox", "Landlock is in force", "version=%d", version);
    return error;
}
