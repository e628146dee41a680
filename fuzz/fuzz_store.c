/* links: kiln_core */
/*
 * The store's file, as a bad disk may leave it. Input: all of it. Claims: it is read without harm; what is
 * refused is refused with words; what passes reads the same twice, and each of its records can be shown.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/claim.h"
#include "src/core/record_view.h"
#include "src/core/store_check.h"

static int show(void *arg, enum store_database database, const void *key, size_t key_len, const void *value,
                size_t value_len)
{
    struct json_writer out = json_writer_init(0);
    (void)arg;
    record_view(&out, database, key, key_len, value, value_len);
    CLAIM(json_writer_end(&out) == 0);
    json_writer_finish(&out);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct store_verdict verdict = {0}, again = {0};
    char error[STORE_ERROR_LEN] = "";
    int fd = memfd_create("store", MFD_CLOEXEC);
    CLAIM(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    int rc = store_check(fd, 0, show, NULL, &verdict, error);
    CLAIM(rc <= 0 && (rc == 0) == (error[0] == 0));
    if (!rc) {
        CLAIM(store_check(fd, verdict.walked.transaction, NULL, NULL, &again, error) == 0 ||
              verdict.walked.transaction == 0);
        CLAIM(memcmp(&verdict.sums, &again.sums, sizeof again.sums) == 0 || verdict.walked.transaction == 0);
    }
    close(fd);
    return 0;
}
