/*
 * Store tool: see store_tool.h.
 */
#include "src/core/store_tool.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/wire.h"
#include "src/core/audit.h"
#include "src/core/core.h"
#include "src/core/record.h"
#include "src/core/record_view.h"
#include "src/core/store.h"
#include "src/core/store_backup.h"
#include "src/core/store_head.h"
#include "src/io/config.h"
#include "src/io/loop.h"

/* Guests take no number below one that they have seen; between backup and restore fewer were given. */
#define ASSIGNMENTS_SKIPPED (UINT64_C(1) << 32)

static int fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int fail(int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("kilnd: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return code;
}

/* What is no file is not waited for. */
static int file_open(const char *path, int *ret_fd)
{
    struct stat file;
    *ret_fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (*ret_fd < 0)
        return fail(-errno, "%s: %s", path, strerror(errno));
    if (fstat(*ret_fd, &file) == 0 && S_ISREG(file.st_mode))
        return 0;
    close(*ret_fd);
    return fail(-EINVAL, "%s: it is no regular file", path);
}

static int file_check(int fd, const char *path, struct store_verdict *ret_verdict)
{
    char words[STORE_ERROR_LEN] = "";
    int rc = store_check(fd, 0, NULL, NULL, ret_verdict, words);
    return rc ? fail(rc, "%s: %s", path, words) : 0;
}

static void verdict_print(const struct store_verdict *verdict, const char *what)
{
    char head[AUDIT_END_TEXT_BYTES];
    uint64_t records = 0;
    struct audit end = audit_end_decode(verdict->audit_end);
    for (int i = 0; i < STORE_DATABASE_COUNT; i++)
        records += verdict->records[i];
    audit_end_format(&end, head);
    printf("%s: %llu records in %llu pages, transaction %llu\naudit head %s\n", what,
           (unsigned long long)records, (unsigned long long)verdict->walked.pages,
           (unsigned long long)verdict->walked.transaction, head);
}

int store_tool_check(const char *path)
{
    struct store_verdict verdict;
    int fd, rc = file_open(path, &fd);
    if (rc)
        return rc;
    rc = file_check(fd, path, &verdict);
    close(fd);
    if (!rc)
        verdict_print(&verdict, "good");
    return rc;
}

/* ---- dump ---- */

static int record_print(void *arg, enum store_database database, const void *key, size_t key_len_bytes,
                        const void *value, size_t value_len_bytes)
{
    struct json_writer out = json_writer_init(0);
    (void)arg;
    record_view(&out, database, key, key_len_bytes, value, value_len_bytes);
    int rc = json_writer_end(&out);
    if (!rc && puts(out.text) == EOF)
        rc = -EIO;
    json_writer_finish(&out);
    return rc;
}

int store_tool_dump(const char *path)
{
    struct store_verdict verdict;
    char words[STORE_ERROR_LEN] = "";
    int fd, rc = file_open(path, &fd);
    if (rc)
        return rc;
    rc = file_check(fd, path, &verdict);
    if (!rc && (rc = store_check(fd, 0, record_print, NULL, &verdict, words)))
        fail(rc, "%s: %s", path, words[0] ? words : strerror(-rc));
    close(fd);
    return rc;
}

/* ---- restore ---- */

/* What is made belongs to kilnd's user, and is made with no more rights than its own. */
static int user_become(const char *state_dir)
{
    struct stat folder;
    if (stat(state_dir, &folder) < 0)
        return fail(-errno, "state_dir %s: %s", state_dir, strerror(errno));
    if (geteuid() != 0 || folder.st_uid == 0)
        return 0;
    if (setgroups(0, NULL) < 0 || setgid(folder.st_gid) < 0 || setuid(folder.st_uid) < 0)
        return fail(-errno, "cannot become the user of %s: %s", state_dir, strerror(errno));
    return 0;
}

/* The end of the chain that the backup does not have, "" when nothing tells of it. */
static void lost_end_read(const char *folder, char ret_text[static AUDIT_END_TEXT_BYTES])
{
    char path[PATH_MAX];
    struct store_head head;
    int fd;
    ret_text[0] = 0;
    if (store_head_path(folder, path, sizeof path) || store_head_open(path, &fd, &head))
        return;
    close(fd);
    struct audit end = audit_end_decode(head.audit_end);
    audit_end_format(&end, ret_text);
}

static int assignment_put(struct store *store, struct store_batch *batch)
{
    uint8_t value[8] = {0}, *kept;
    size_t len_bytes;
    int rc =
        store_get(store, STORE_META, CORE_ASSIGNMENT_KEY, sizeof CORE_ASSIGNMENT_KEY - 1, &kept, &len_bytes);
    if (rc && rc != -ENOENT)
        return rc;
    wire_put_u64(value, (!rc && len_bytes == sizeof value ? wire_get_u64(kept) : 0) + ASSIGNMENTS_SKIPPED);
    store_put(batch, STORE_META, CORE_ASSIGNMENT_KEY, sizeof CORE_ASSIGNMENT_KEY - 1, value, sizeof value);
    if (!rc)
        free(kept);
    return 0;
}

/* A VM may be far beyond what the backup knows of it: it gets the time to say so. By no clock of a boot, as
 * that of the backup's time may have been another's. */
static int deadline_renew(void *arg, const void *key, size_t key_len_bytes, const void *value,
                          size_t value_len_bytes)
{
    struct vm vm;
    uint64_t seq;
    uint8_t *bytes;
    size_t len_bytes;
    int rc = record_vm_decode(value, value_len_bytes, &vm, &seq);
    if (rc || vm.head.state == VM_DESTROYED || !vm.head.deadline_at_ms)
        return rc;
    vm.head.deadline_at_ms = loop_wall_ms() + vm.timeout_ms[vm.head.state];
    vm.clock_boot = 0;
    vm.clock_ahead_ms = 0;
    rc = record_vm_encode(&vm, seq, &bytes, &len_bytes);
    if (rc)
        return rc;
    store_put(arg, STORE_VMS, key, key_len_bytes, bytes, len_bytes);
    free(bytes);
    return 0;
}

static int restored_put(struct store *store, struct store_batch *batch, const struct audit_deed *deed)
{
    struct audit audit;
    int rc = audit_load(&audit, store);
    if (!rc)
        rc = audit_append(&audit, batch, loop_wall_ms(), deed);
    if (!rc)
        rc = store_each(store, STORE_VMS, NULL, 0, 0, deadline_renew, batch);
    return rc ? rc : assignment_put(store, batch);
}

static void kept_tell(void *arg)
{
    *(bool *)arg = true;
}

/* The first transaction after it says so. A disk that is full is waited for; the log says so. */
static int restored_keep(const char *folder, const struct audit_deed *deed)
{
    char words[STORE_ERROR_LEN] = "";
    struct loop *loop;
    struct store *store;
    struct store_batch *batch;
    bool is_kept = false;
    int rc = loop_create(&loop);
    if (rc)
        return fail(rc, "no event loop: %s", strerror(-rc));
    rc = store_open(folder, loop, &store, words);
    if (!rc) {
        rc = store_batch_create(store, &batch);
        if (!rc && (rc = restored_put(store, batch, deed)))
            store_batch_destroy(batch);
        if (!rc)
            rc = store_commit(batch, kept_tell, &is_kept);
        while (!rc && !is_kept)
            rc = loop_step(loop, true);
        store_close(store);
    }
    loop_destroy(loop);
    return rc ? fail(rc, "%s", words[0] ? words : strerror(-rc)) : 0;
}

int store_tool_restore(const struct config *config, const char *path)
{
    char folder[PATH_MAX], error[STORE_ERROR_LEN] = "", actor[VM_WHO_LEN], object[VM_NAME_LEN];
    char lost[AUDIT_END_TEXT_BYTES], story[VM_DETAIL_LEN];
    struct audit_deed deed = {.actor = actor, .what = "store.restore", .object = object, .story = story};
    struct store_verdict verdict;
    int fd, rc = file_open(path, &fd);
    if (rc)
        return rc;
    core_actor_uid(actor, getuid());
    rc = user_become(config->state_dir);
    snprintf(folder, sizeof folder, "%s/store", config->state_dir);
    if (!rc) {
        lost_end_read(folder, lost);
        if ((rc = store_restore(folder, fd, path, &verdict, error)))
            fail(rc, "%s", error);
    }
    close(fd);
    if (rc)
        return rc;
    snprintf(object, sizeof object, "transaction %llu", (unsigned long long)verdict.walked.transaction);
    snprintf(story, sizeof story, "the chain before it went on to %s", lost[0] ? lost : "nobody knows where");
    rc = restored_keep(folder, &deed);
    if (!rc)
        verdict_print(&verdict, "restored");
    return rc;
}
