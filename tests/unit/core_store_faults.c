/*
 * Store: a disk that is full or fails. The old truth stands, it is said, and all of it comes when the disk
 * takes again.
 *
 * The full disk is a real one, a small tmpfs in a mount namespace of the test's own, which takes root. What
 * no disk does on demand, an I/O error at one certain write, comes from this program's own pwrite, writev and
 * fdatasync, which the linker puts before the C library's.
 */
#include <errno.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "protocol/wire.h"
#include "tests/unit/core_store_fixture.h"

static struct store_folder stored;

/* ---- what fails ---- */

enum { META_WRITE_BYTES = 120 }; /* what makes a transaction valid is written so, and nothing else is */

static struct {
    bool pages, sync, meta, meta_taken; /* meta_taken: it is on the disk, and is said to have failed */
    _Atomic unsigned failures;
    bool slow; /* a sync begins, and ends when it may go on */
    _Atomic bool begun;
    sem_t goes_on;
} faults;

static ssize_t fails(void)
{
    faults.failures++;
    errno = EIO;
    return -1;
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    bool is_meta = len == META_WRITE_BYTES;
    if ((is_meta && faults.meta) || (!is_meta && len >= 4096 && faults.pages))
        return fails();
    ssize_t put = syscall(SYS_pwrite64, fd, bytes, len, at);
    return is_meta && faults.meta_taken ? fails() : put;
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    return faults.pages ? fails() : syscall(SYS_writev, fd, parts, count);
}

int fdatasync(int fd)
{
    if (faults.slow) {
        faults.begun = true;
        while (sem_wait(&faults.goes_on) < 0)
            continue;
    }
    return faults.sync ? (int)fails() : (int)syscall(SYS_fdatasync, fd);
}

/* ---- numbers that are kept ---- */

static void number_commit(uint64_t number, size_t ballast, unsigned *done)
{
    struct store_batch *batch = stored_batch(&stored);
    uint8_t key[8];
    char *bytes = calloc(1, ballast + 1);
    wire_put_u64(key, number);
    store_put(batch, STORE_META, "last", 4, key, sizeof key);
    store_put(batch, STORE_CONSOLES, key, sizeof key, bytes, ballast + 1);
    free(bytes);
    assert_int_equal(store_commit(batch, stored_count, done), 0);
}

static uint64_t number_last(void)
{
    uint8_t *bytes;
    size_t len;
    int rc;
    /* While the store looks at its file again nothing can be read. */
    do
        rc = store_get(stored.store, STORE_META, "last", 4, &bytes, &len);
    while (rc == -EIO && store_error(stored.store));
    assert_int_equal(rc, 0);
    uint64_t number = wire_get_u64(bytes);
    free(bytes);
    return number;
}

static void settle(const unsigned *done, unsigned wanted)
{
    while (*done < wanted)
        assert_int_equal(loop_step(stored.loop, true), 0);
}

static void look_again(void *arg)
{
    (void)arg;
    if (!store_error(stored.store))
        loop_post(stored.loop, look_again, NULL);
}

static void settle_failed(void)
{
    look_again(NULL);
    while (!store_error(stored.store))
        assert_int_equal(loop_step(stored.loop, true), 0);
}

static void expect_whole(uint64_t last)
{
    struct store_verdict verdict;
    char words[STORE_ERROR_LEN] = "";
    assert_int_equal(number_last(), last);
    assert_int_equal(store_error(stored.store), 0);
    assert_string_equal(store_error_words(stored.store, words), "");
    if (stored_check(&stored, &verdict, words))
        fail_msg("%s", words);
    stored_close(&stored);
    store_folder_open(&stored);
    assert_int_equal(number_last(), last);
}

/* ---- a disk that fails ---- */

/* Fails as `*fault` says until COUNT writes did; nothing is told meanwhile, and nothing changed. */
static void fail_and_heal(bool *fault, bool may_show, unsigned count)
{
    unsigned done = 0, late = 0;
    char words[STORE_ERROR_LEN];
    store_folder_make(&stored);
    number_commit(1, 100, &done);
    settle(&done, 1);
    faults.failures = 0;
    *fault = true;
    number_commit(2, 20000, &late);
    settle_failed();
    number_commit(3, 100, &late);
    while (faults.failures < count)
        assert_int_equal(loop_step(stored.loop, false), 0);
    assert_int_equal(late, 0);
    assert_int_equal(store_error(stored.store), -EIO);
    assert_string_equal(store_error_words(stored.store, words), strerror(EIO));
    assert_int_equal(store_waiting(stored.store), 2);
    /* What the disk took and denied may be seen before it is told, but not a part of it. */
    uint64_t last = number_last();
    assert_true(last == 1 || (may_show && last <= 3));
    *fault = false;
    settle(&late, 2);
    expect_whole(3);
    store_folder_remove(&stored);
}

static void pages_that_are_not_taken_leave_the_old_truth(void **state)
{
    (void)state;
    fail_and_heal(&faults.pages, false, 4);
}

static void a_sync_that_fails_leaves_the_old_truth(void **state)
{
    (void)state;
    fail_and_heal(&faults.sync, false, 4);
}

/* LMDB gives up for good after this one: the store looks at its file again. */
static void a_beginning_that_is_not_taken_leaves_the_old_truth(void **state)
{
    (void)state;
    fail_and_heal(&faults.meta, false, 6);
}

static void a_beginning_that_is_taken_and_denied_is_no_harm(void **state)
{
    (void)state;
    fail_and_heal(&faults.meta_taken, true, 6);
}

/* ---- a disk that is slow ---- */

static void step_again(void *arg)
{
    unsigned *left = arg;
    if (--*left)
        loop_post(stored.loop, step_again, left);
}

/* Everyone else is served meanwhile, and reads what was true before. */
static void a_sync_that_takes_long_holds_up_nobody(void **state)
{
    unsigned done = 0, late = 0, turns = 100;
    (void)state;
    store_folder_make(&stored);
    number_commit(1, 100, &done);
    settle(&done, 1);
    sem_init(&faults.goes_on, 0, 0);
    faults.slow = true;
    number_commit(2, 100, &late);
    while (!faults.begun)
        assert_int_equal(loop_step(stored.loop, false), 0);
    number_commit(3, 100, &late);
    loop_post(stored.loop, step_again, &turns);
    while (turns)
        assert_int_equal(loop_step(stored.loop, true), 0);
    assert_int_equal(late, 0);
    assert_int_equal(number_last(), 1);
    faults.slow = false;
    sem_post(&faults.goes_on);
    settle(&late, 2);
    expect_whole(3);
    store_folder_remove(&stored);
}

/* ---- a disk that is full ---- */

/* Runs TEST in a child with a mount namespace of its own, on a disk of a few MiB. */
static void on_a_small_disk(void (*test)(const char *folder))
{
    int status;
    char folder[] = "/tmp/kiln-small-XXXXXX";
    assert_int_equal(geteuid(), 0);
    assert_non_null(mkdtemp(folder));
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (unshare(CLONE_NEWNS) || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
            mount("small", folder, "tmpfs", 0, "size=4m"))
            _exit(2);
        test(folder);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    rmdir(folder);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* A claim in the child, where cmocka's would only end the test in the parent's eyes. */
static void claim(bool holds, int line)
{
    if (!holds) {
        fprintf(stderr, "%s:%d does not hold\n", __FILE__, line);
        _exit(1);
    }
}
#define CLAIM(holds) claim(holds, __LINE__)

static void disk_fill(const char *folder)
{
    char path[128], bytes[4096] = {1};
    snprintf(path, sizeof path, "%s/filler", folder);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CLAIM(fd >= 0);
    while (write(fd, bytes, sizeof bytes) > 0)
        continue;
    CLAIM(errno == ENOSPC);
    close(fd);
}

static void disk_free(const char *folder)
{
    char path[128];
    snprintf(path, sizeof path, "%s/filler", folder);
    CLAIM(unlink(path) == 0);
}

static void small_open(const char *folder)
{
    char error[STORE_ERROR_LEN];
    snprintf(stored.path, sizeof stored.path, "%s/store", folder);
    if (store_open(stored.path, stored.loop, &stored.store, error)) {
        fprintf(stderr, "%s\n", error);
        _exit(1);
    }
}

/* With number 1 in it, then a disk without room. */
static void full_open(const char *folder, unsigned *done)
{
    CLAIM(loop_create(&stored.loop) == 0);
    small_open(folder);
    number_commit(1, 1000, done);
    settle(done, 1);
    disk_fill(folder);
}

static void full_disk(const char *folder)
{
    unsigned done = 0, late = 0;
    full_open(folder, &done);
    number_commit(2, 100000, &late);
    number_commit(3, 10, &late);
    settle_failed();
    CLAIM(store_error(stored.store) == -ENOSPC);
    CLAIM(late == 0 && number_last() == 1);
    disk_free(folder);
    settle(&late, 2);
    CLAIM(store_error(stored.store) == 0 && number_last() == 3);
    stored_close(&stored);
    small_open(folder);
    CLAIM(number_last() == 3);
    stored_close(&stored);
    loop_destroy(stored.loop);
}

/* For a part of what is written. */
static void disk_with_some_room(const char *folder)
{
    char path[128];
    struct stat filler;
    unsigned done = 0;
    full_open(folder, &done);
    snprintf(path, sizeof path, "%s/filler", folder);
    CLAIM(stat(path, &filler) == 0 && truncate(path, filler.st_size - 8 * 4096) == 0);
    number_commit(2, 100000, &done);
    settle_failed();
    CLAIM(store_error(stored.store) == -ENOSPC);
    disk_free(folder);
    settle(&done, 2);
    CLAIM(number_last() == 2);
    stored_close(&stored);
    loop_destroy(stored.loop);
}

static void a_disk_that_fills_up_in_a_write_is_called_full(void **state)
{
    (void)state;
    on_a_small_disk(disk_with_some_room);
}

static void a_full_disk_heals_when_there_is_room(void **state)
{
    (void)state;
    on_a_small_disk(full_disk);
}

/* kilnd may end and start while the disk is full. */
static void start_on_a_full_disk(const char *folder)
{
    unsigned done = 0;
    full_open(folder, &done);
    number_commit(2, 100000, &done);
    settle_failed();
    stored_close(&stored);
    small_open(folder);
    CLAIM(number_last() == 1);
    number_commit(3, 100000, &done);
    settle_failed();
    CLAIM(number_last() == 1);
    disk_free(folder);
    settle(&done, 2);
    CLAIM(number_last() == 3);
    stored_close(&stored);
    loop_destroy(stored.loop);
}

static void a_store_opens_on_a_full_disk(void **state)
{
    (void)state;
    on_a_small_disk(start_on_a_full_disk);
}

/* Not even room for what LMDB maps: refused in words, and made once there is. */
static void begin_on_a_full_disk(const char *folder)
{
    char error[STORE_ERROR_LEN] = "", path[128];
    struct store *store;
    CLAIM(loop_create(&stored.loop) == 0);
    snprintf(path, sizeof path, "%s/store", folder);
    disk_fill(folder);
    CLAIM(store_open(path, stored.loop, &store, error) == -ENOSPC);
    CLAIM(strstr(error, strerror(ENOSPC)));
    disk_free(folder);
    small_open(folder);
    stored_close(&stored);
    loop_destroy(stored.loop);
}

static void a_new_store_on_a_full_disk_is_refused_in_words(void **state)
{
    (void)state;
    on_a_small_disk(begin_on_a_full_disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_that_are_not_taken_leave_the_old_truth),
        cmocka_unit_test(a_sync_that_fails_leaves_the_old_truth),
        cmocka_unit_test(a_beginning_that_is_not_taken_leaves_the_old_truth),
        cmocka_unit_test(a_beginning_that_is_taken_and_denied_is_no_harm),
        cmocka_unit_test(a_sync_that_takes_long_holds_up_nobody),
        cmocka_unit_test(a_disk_that_fills_up_in_a_write_is_called_full),
        cmocka_unit_test(a_full_disk_heals_when_there_is_room),
        cmocka_unit_test(a_store_opens_on_a_full_disk),
        cmocka_unit_test(a_new_store_on_a_full_disk_is_refused_in_words),
    };
    return cmocka_run_group_tests_name("core_store_faults", tests, NULL, NULL);
}
