/*
 * Store backup: a copy of one moment, taken while the store is written to, is exactly that moment; put in the
 * store's place it is the store; a file that is no good one changes nothing.
 */
#include "protocol/wire.h"
#include "src/core/store_backup.h"
#include "src/core/store_head.h"
#include "tests/unit/core_store_fixture.h"
#include "tests/unit/seed.h"
#include <errno.h>

static struct store_folder stored;
static char backup_path[96];

static int setup(void **state)
{
    (void)state;
    store_folder_make(&stored);
    snprintf(backup_path, sizeof backup_path, "%s/backup", stored.folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    store_folder_remove(&stored);
    return 0;
}

/* Two records that are always changed together. */
static struct store_batch *pair_batch(uint64_t number)
{
    struct store_batch *batch = stored_batch(&stored);
    uint8_t value[5000] = {0};
    wire_put_u64(value, number);
    store_put(batch, STORE_BRICKS, "first", 5, value, 8);
    store_put(batch, STORE_CONSOLES, value, 8, value, sizeof value);
    store_put(batch, STORE_VMS, "second", 6, value, 8);
    return batch;
}

static uint64_t number_of(enum store_database database, const char *key)
{
    uint8_t *bytes;
    size_t len;
    assert_int_equal(store_get(stored.store, database, key, strlen(key), &bytes, &len), 0);
    uint64_t number = wire_get_u64(bytes);
    free(bytes);
    return number;
}

static void back_up(void)
{
    struct store_verdict verdict;
    char error[STORE_ERROR_LEN] = "";
    if (store_backup(stored.store, backup_path, &verdict, error))
        fail_msg("%s", error);
}

static void back_up_as_seed(const char *name)
{
    uint8_t bytes[65536];
    back_up();
    int fd = open(backup_path, O_RDONLY | O_CLOEXEC);
    ssize_t len = read(fd, bytes, sizeof bytes);
    assert_true(len > 0 && len < (ssize_t)sizeof bytes);
    seed_write("store", name, SEED_PLAIN, bytes, (size_t)len);
    close(fd);
}

static int put_back(char error[STORE_ERROR_LEN])
{
    struct store_verdict verdict;
    int fd = open(backup_path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    int rc = store_restore(stored.path, fd, backup_path, &verdict, error);
    close(fd);
    return rc;
}

static void restore(void)
{
    char error[STORE_ERROR_LEN] = "";
    stored_close(&stored);
    if (put_back(error))
        fail_msg("%s", error);
    store_folder_open(&stored);
}

static void what_is_restored_is_the_moment_of_the_backup(void **state)
{
    struct stat file;
    (void)state;
    stored_commit(&stored, pair_batch(1));
    uint64_t transaction = store_transaction(stored.store);
    back_up_as_seed("small");
    assert_int_equal(stat(backup_path, &file), 0);
    assert_int_equal(file.st_mode & 07777, 0600);
    for (uint64_t number = 2; number < 9; number++)
        stored_commit(&stored, pair_batch(number));
    restore();
    assert_int_equal(store_transaction(stored.store), transaction);
    assert_int_equal(number_of(STORE_BRICKS, "first"), 1);
    assert_int_equal(number_of(STORE_VMS, "second"), 1);
    stored_commit(&stored, pair_batch(20));
    stored_close(&stored);
    store_folder_open(&stored);
    assert_int_equal(number_of(STORE_VMS, "second"), 20);
}

/* A job beside the loop, as kilnd has it. */
struct job {
    struct store_verdict verdict;
    char error[STORE_ERROR_LEN];
    int rc;
    unsigned done;
};

static void job_backup(void *arg)
{
    struct job *job = arg;
    job->rc = store_backup(stored.store, backup_path, &job->verdict, job->error);
}

static void job_check(void *arg)
{
    struct job *job = arg;
    job->rc = store_check_live(stored.store, &job->verdict, job->error);
}

static void job_done(void *arg)
{
    ((struct job *)arg)->done++;
}

/* The loop goes on writing while the job runs. */
static void job_run(store_job_fn *run, uint64_t number)
{
    struct job job = {0};
    assert_int_equal(store_job(stored.store, run, job_done, &job), 0);
    assert_int_equal(store_job(stored.store, run, job_done, &job), -EBUSY);
    for (; !job.done; number++) {
        assert_int_equal(store_commit(pair_batch(number), NULL, NULL), 0);
        loop_step(stored.loop, false);
    }
    if (job.rc)
        fail_msg("%s", job.error);
    assert_int_equal(job.verdict.format, STORE_FORMAT);
}

static void a_store_is_backed_up_and_checked_while_it_is_written_to(void **state)
{
    (void)state;
    for (uint64_t number = 1; number < 200; number++)
        stored_commit(&stored, pair_batch(number));
    for (int i = 0; i < 5; i++) {
        job_run(job_check, 1000);
        job_run(job_backup, 2000);
        restore();
        assert_int_equal(number_of(STORE_BRICKS, "first"), number_of(STORE_VMS, "second"));
        unlink(backup_path);
    }
}

static void a_job_that_runs_when_the_store_closes_is_told(void **state)
{
    struct job job = {0};
    (void)state;
    stored_commit(&stored, pair_batch(1));
    assert_int_equal(store_job(stored.store, job_check, job_done, &job), 0);
    stored_close(&stored);
    assert_int_equal(job.done, 1);
    store_folder_open(&stored);
}

static void a_file_that_is_there_is_not_written_over(void **state)
{
    struct store_verdict verdict;
    char error[STORE_ERROR_LEN] = "";
    (void)state;
    back_up();
    assert_int_equal(store_backup(stored.store, backup_path, &verdict, error), -EEXIST);
    assert_non_null(strstr(error, backup_path));
    snprintf(backup_path, sizeof backup_path, "%s/nowhere/backup", stored.folder);
    assert_int_equal(store_backup(stored.store, backup_path, &verdict, error), -ENOENT);
}

/* Each page of a backup in turn. */
static void a_damaged_backup_changes_nothing(void **state)
{
    char error[STORE_ERROR_LEN] = "";
    struct store_verdict verdict;
    uint8_t page[4096], wrong[4096] = {0};
    unsigned refused = 0;
    (void)state;
    for (uint64_t number = 1; number < 5; number++)
        stored_commit(&stored, pair_batch(number));
    back_up();
    assert_int_equal(store_check_live(stored.store, &verdict, error), 0);
    stored_close(&stored);
    for (uint64_t number = 0; number < verdict.walked.pages; number++) {
        int fd = open(backup_path, O_RDWR | O_CLOEXEC);
        assert_int_equal(pread(fd, page, sizeof page, (off_t)(number * sizeof page)), sizeof page);
        assert_int_equal(pwrite(fd, wrong, sizeof wrong, (off_t)(number * sizeof page)), sizeof page);
        int rc = store_check(fd, 0, NULL, NULL, &verdict, error);
        if (rc) {
            assert_int_equal(put_back(error), -EUCLEAN);
            assert_non_null(strstr(error, backup_path));
            refused++;
        }
        assert_int_equal(pwrite(fd, page, sizeof page, (off_t)(number * sizeof page)), sizeof page);
        close(fd);
    }
    assert_true(refused > 5);
    store_folder_open(&stored);
    assert_int_equal(number_of(STORE_VMS, "second"), 4);
}

static void a_store_in_use_is_not_restored(void **state)
{
    char error[STORE_ERROR_LEN] = "";
    (void)state;
    back_up();
    assert_int_equal(put_back(error), -EBUSY);
    assert_non_null(strstr(error, "another kilnd"));
}

/* Whatever of a restore was done when it was cut short, the store is refused until it is done again. */
static void a_restore_that_is_cut_short_is_done_again(void **state)
{
    char error[STORE_ERROR_LEN] = "", command[256];
    struct store *store;
    (void)state;
    stored_commit(&stored, pair_batch(1));
    back_up();
    stored_commit(&stored, pair_batch(2));
    stored_close(&stored);
    snprintf(command, sizeof command, "mv %s/data.mdb %s/data.mdb.replaced", stored.path, stored.path);
    assert_int_equal(system(command), 0);
    assert_int_equal(store_open(stored.path, stored.loop, &store, error), -EUCLEAN);
    snprintf(command, sizeof command, "cp %s %s/data.mdb", backup_path, stored.path);
    assert_int_equal(system(command), 0);
    assert_int_equal(store_open(stored.path, stored.loop, &store, error), -EUCLEAN);
    restore();
    assert_int_equal(number_of(STORE_VMS, "second"), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_is_restored_is_the_moment_of_the_backup),
        TEST(a_store_is_backed_up_and_checked_while_it_is_written_to),
        TEST(a_job_that_runs_when_the_store_closes_is_told),
        TEST(a_file_that_is_there_is_not_written_over),
        TEST(a_damaged_backup_changes_nothing),
        TEST(a_store_in_use_is_not_restored),
        TEST(a_restore_that_is_cut_short_is_done_again),
    };
    return cmocka_run_group_tests_name("core_store_backup", tests, NULL, NULL);
}
