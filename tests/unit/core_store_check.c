/*
 * Store check: a store that is whole passes, whatever was done to it; one that is not is never opened as
 * something else than it was: every page in turn is damaged in every way that a disk knows.
 */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "src/core/store_sum.h"
#include "tests/unit/core_store_fixture.h"

static struct store_folder stored;

/* ---- chance, repeatable ---- */

static uint64_t chance_state;

static uint32_t chance(uint32_t below)
{
    chance_state = chance_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(chance_state >> 33) % below;
}

/* ---- the truth ---- */

/* All records as one number, as they are read through LMDB. */
static int truth_add(void *arg, const void *key, size_t key_len, const void *value, size_t value_len)
{
    struct store_sums *sums = arg;
    store_sums_add(sums, STORE_META, key, key_len, value, value_len);
    return 0;
}

/* Not the format's and not the sums of the records: those of the test. */
static struct store_sum truth_read(struct store *store)
{
    struct store_sums sums = {0};
    for (int database = STORE_META + 1; database < STORE_DATABASE_COUNT; database++)
        assert_int_equal(store_each(store, (enum store_database)database, NULL, 0, 0, truth_add, &sums), 0);
    return sums.of[STORE_META];
}

/* A few hundred records of all sizes, rewritten often enough for the free list to be in use. */
static void fill(unsigned transactions, unsigned keys)
{
    static uint8_t value[9000];
    for (unsigned i = 0; i < transactions; i++) {
        struct store_batch *batch = stored_batch(&stored);
        for (unsigned j = chance(30); j <= 30; j++) {
            enum store_database database = (enum store_database)chance(STORE_DATABASE_COUNT);
            uint8_t key[64] = {0};
            size_t key_len = 1 + chance(sizeof key);
            memset(value, (int)chance(256), sizeof value);
            memset(key, 'k', sizeof key);
            key[0] = (uint8_t)chance(keys);
            size_t len = chance(8) ? chance(400) : chance(sizeof value);
            if (chance(3))
                store_put(batch, database, key, key_len, value, len);
            else
                store_delete(batch, database, key, key_len);
        }
        stored_commit(&stored, batch);
    }
}

static void whatever_is_put_and_deleted_the_store_stays_whole(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 60; round++) {
        struct store_verdict verdict = {0};
        char error[STORE_ERROR_LEN] = "";
        chance_state = round;
        fill(10, 1 + chance(200));
        if (stored_check(&stored, &verdict, error))
            fail_msg("round %u: %s", round, error);
        assert_int_equal(verdict.format, STORE_FORMAT);
        assert_int_equal(verdict.walked.transaction, store_transaction(stored.store));
        assert_int_equal(verdict.walked.lost_pages, 0);
        if (round % 7 == 0) {
            struct store_sum before = truth_read(stored.store);
            stored_close(&stored);
            store_folder_open(&stored);
            struct store_sum after = truth_read(stored.store);
            assert_true(store_sum_same(&before, &after));
        }
    }
}

/* ---- damage ---- */

enum { PAGE = 4096 };

struct image {
    uint8_t *bytes; /* of the pages in use */
    size_t pages;
    off_t file_bytes;
};

enum damage {
    ZEROED,
    ONES,
    NOISE,
    LOST_TAIL, /* half of it was never written */
    SWAPPED,   /* another page was written in its place */
    BIT,       /* one bit of its head */
    BYTE,      /* one byte anywhere */
    BYTE_AGAIN,
    DAMAGES
};

static void page_damage(uint8_t *page, const struct image *image, enum damage damage)
{
    switch (damage) {
    case ZEROED:
    case ONES:
        memset(page, damage == ONES ? 0xff : 0, PAGE);
        return;
    case NOISE:
        for (size_t i = 0; i < PAGE; i++)
            page[i] = (uint8_t)chance(256);
        return;
    case LOST_TAIL:
        memset(page + PAGE / 2, 0, PAGE / 2);
        return;
    case SWAPPED:
        memcpy(page, image->bytes + chance((uint32_t)image->pages) * PAGE, PAGE);
        return;
    case BIT:
        page[chance(152)] ^= (uint8_t)(1u << chance(8));
        return;
    default:
        page[chance(PAGE)] ^= (uint8_t)(1 + chance(255));
        return;
    }
}

static void image_write(const struct image *image)
{
    int fd = stored_file(&stored, O_RDWR | O_TRUNC);
    assert_int_equal(pwrite(fd, image->bytes, image->pages * PAGE, 0), image->pages * PAGE);
    assert_int_equal(ftruncate(fd, image->file_bytes), 0);
    close(fd);
}

static void page_write(size_t number, const uint8_t *page)
{
    int fd = stored_file(&stored, O_RDWR);
    assert_int_equal(pwrite(fd, page, PAGE, (off_t)(number * PAGE)), PAGE);
    close(fd);
}

static struct image image_read(void)
{
    struct image image = {0};
    struct store_verdict verdict;
    struct stat file;
    char error[STORE_ERROR_LEN];
    assert_int_equal(stored_check(&stored, &verdict, error), 0);
    int fd = stored_file(&stored, O_RDONLY);
    assert_int_equal(fstat(fd, &file), 0);
    image.pages = verdict.walked.pages;
    image.file_bytes = file.st_size;
    image.bytes = malloc(image.pages * PAGE);
    assert_int_equal(pread(fd, image.bytes, image.pages * PAGE, 0), image.pages * PAGE);
    close(fd);
    return image;
}

enum outcome { REFUSED = 10, SAME, WRONG, WORDLESS };

/* What became of the store is written to as well: what LMDB would overwrite must not be in use. */
static enum outcome outcome_of(const struct store_sum *truth)
{
    char error[STORE_ERROR_LEN] = "";
    stored.store = NULL;
    if (store_open(stored.path, stored.loop, &stored.store, error))
        return strstr(error, stored.path) ? REFUSED : WORDLESS;
    struct store_sum found = truth_read(stored.store);
    if (!store_sum_same(&found, truth))
        return WRONG;
    for (unsigned i = 0; i < 3; i++) {
        struct store_batch *batch = stored_batch(&stored);
        store_put(batch, STORE_META, "after", 5, &i, sizeof i);
        stored_commit(&stored, batch);
    }
    found = truth_read(stored.store);
    stored_close(&stored);
    struct store_verdict verdict;
    return store_sum_same(&found, truth) && stored_check(&stored, &verdict, error) == 0 ? SAME : WRONG;
}

/* In a process of its own: a crash is an outcome too. */
static int outcome_try(const struct store_sum *truth)
{
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, STDERR_FILENO);
        _exit(outcome_of(truth));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void expect_refused_or_same(const struct store_sum *truth, const char *what, size_t page,
                                   unsigned counts[2])
{
    int outcome = outcome_try(truth);
    if (outcome != REFUSED && outcome != SAME)
        fail_msg("page %zu %s: %s (%d)", page, what,
                 outcome == WRONG      ? "opened as what it was not"
                 : outcome == WORDLESS ? "refused without words"
                                       : "ended the process",
                 outcome);
    counts[outcome == SAME]++;
}

static void head_keep(char *path, size_t size, uint8_t bytes[1024])
{
    snprintf(path, size, "%s.head", stored.path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(fd, bytes, 1024), 1024);
    close(fd);
}

static void head_put(const char *path, const uint8_t *bytes, size_t len)
{
    int fd = open(path, O_WRONLY | O_TRUNC | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, bytes, len), len);
    close(fd);
}

/* A store as it is in life, closed; its truth; its pages. */
static struct image image_make(struct store_sum *ret_truth)
{
    chance_state = 4711;
    fill(14, 12);
    *ret_truth = truth_read(stored.store);
    struct image image = image_read();
    stored_close(&stored);
    return image;
}

static void each_page_in_turn_is_refused_or_harmless(void **state)
{
    static const char *const names[DAMAGES] = {"zeroed",  "ones",    "noise",    "lost its tail",
                                               "swapped", "one bit", "one byte", "one byte"};
    struct store_sum truth;
    struct image image = image_make(&truth);
    char head_path[128];
    uint8_t head[1024], page[PAGE];
    unsigned counts[2] = {0};
    (void)state;
    head_keep(head_path, sizeof head_path, head);
    for (size_t number = 0; number < image.pages; number++)
        for (int damage = 0; damage < DAMAGES; damage++) {
            memcpy(page, image.bytes + number * PAGE, PAGE);
            page_damage(page, &image, (enum damage)damage);
            image_write(&image);
            head_put(head_path, head, sizeof head);
            page_write(number, page);
            expect_refused_or_same(&truth, names[damage], number, counts);
        }
    print_message("%zu pages: %u refused, %u the exact truth\n", image.pages, counts[0], counts[1]);
    assert_true(counts[0] > image.pages && counts[1] > 0);
    image_write(&image);
    head_put(head_path, head, sizeof head);
    free(image.bytes);
    store_folder_open(&stored);
}

static void a_file_cut_at_any_page_is_refused(void **state)
{
    struct store_sum truth;
    struct image image = image_make(&truth);
    struct image cut = image;
    (void)state;
    for (size_t pages = 0; pages < image.pages; pages++) {
        cut.pages = pages;
        cut.file_bytes = (off_t)(pages * PAGE + (pages % 3) * 100);
        image_write(&cut);
        assert_int_equal(outcome_try(&truth), REFUSED);
    }
    image_write(&image);
    free(image.bytes);
    store_folder_open(&stored);
}

/* Both pages that a file of LMDB's begins with, and all of it. */
static void a_file_of_zeros_is_refused(void **state)
{
    struct store_sum truth;
    struct image image = image_make(&truth);
    const size_t zeroed[] = {2, image.pages};
    const uint8_t zeros[PAGE] = {0};
    (void)state;
    for (size_t i = 0; i < sizeof zeroed / sizeof zeroed[0]; i++) {
        for (size_t number = 0; number < zeroed[i]; number++)
            page_write(number, zeros);
        assert_int_equal(outcome_try(&truth), REFUSED);
    }
    image_write(&image);
    free(image.bytes);
    store_folder_open(&stored);
}

/* ---- the head ---- */

static void expect_words(const char *wanted)
{
    char error[STORE_ERROR_LEN] = "";
    struct store *store;
    int rc = store_open(stored.path, stored.loop, &store, error);
    if (rc != -EUCLEAN || !strstr(error, wanted))
        fail_msg("%d: %s, not %s", rc, error, wanted);
    assert_non_null(strstr(error, "kiln store restore"));
}

static void a_store_that_goes_back_or_away_is_refused(void **state)
{
    char head_path[128], command[256];
    uint8_t head[1024];
    (void)state;
    fill(3, 20);
    stored_close(&stored);
    snprintf(command, sizeof command, "cp %s/data.mdb %s/old", stored.path, stored.folder);
    assert_int_equal(system(command), 0);
    store_folder_open(&stored);
    fill(2, 20);
    stored_close(&stored);
    head_keep(head_path, sizeof head_path, head);
    snprintf(command, sizeof command, "cd %s && mv store/data.mdb new && cp old store/data.mdb",
             stored.folder);
    assert_int_equal(system(command), 0);
    expect_words("last 2 transactions are missing");
    snprintf(command, sizeof command, "rm -r %s", stored.path);
    assert_int_equal(system(command), 0);
    expect_words("not the one that its head tells of");
    snprintf(command, sizeof command, "mv %s/new %s/data.mdb", stored.folder, stored.path);
    assert_int_equal(system(command), 0);
    unlink(head_path);
    expect_words("head (the file beside it) is gone");
    uint8_t whole[sizeof head];
    memcpy(whole, head, sizeof head);
    head[20] ^= 1;
    head[532] ^= 1;
    head_put(head_path, head, sizeof head);
    expect_words("is damaged");
    head_put(head_path, whole, sizeof whole);
    store_folder_open(&stored);
}

/* After a power cut the head may be behind; and half of it may be an older one's. */
static void a_head_that_is_behind_is_none_the_worse(void **state)
{
    char head_path[128];
    uint8_t head[1024];
    (void)state;
    fill(2, 20);
    head_keep(head_path, sizeof head_path, head);
    fill(3, 20);
    stored_close(&stored);
    head_put(head_path, head, sizeof head);
    store_folder_open(&stored);
    uint64_t transaction = store_transaction(stored.store);
    fill(1, 20);
    stored_close(&stored);
    head_keep(head_path, sizeof head_path, head);
    memset(head + (transaction + 1) % 2 * 512, 0, 512);
    head_put(head_path, head, sizeof head);
    store_folder_open(&stored);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_prestate_setup_teardown(name, stored_setup, stored_teardown, &stored)
    const struct CMUnitTest tests[] = {
        TEST(whatever_is_put_and_deleted_the_store_stays_whole),
        TEST(each_page_in_turn_is_refused_or_harmless),
        TEST(a_file_cut_at_any_page_is_refused),
        TEST(a_file_of_zeros_is_refused),
        TEST(a_store_that_goes_back_or_away_is_refused),
        TEST(a_head_that_is_behind_is_none_the_worse),
    };
    return cmocka_run_group_tests_name("core_store_check", tests, NULL, NULL);
}
