/* links: kiln_guest */
/*
 * Bytes as the SMBIOS structure that the firmware shows. Claims: what is complete was in the structure, each
 * string of it; what is refused leaves the result untouched and says why.
 */
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz/claim.h"
#include "guest/boot.h"

#define TABLE "/sys/firmware/dmi/entries/11-0/raw"
#define UUID "/sys/class/dmi/id/product_uuid"

static char root[] = "/tmp/kiln-fuzz-boot-XXXXXX";

/* Makes a file below the root, with its folders. */
static void put_file(const char *path, const void *bytes, size_t len)
{
    char whole[PATH_MAX];
    snprintf(whole, sizeof whole, "%s%s", root, path);
    for (char *at = whole + sizeof root; (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        mkdir(whole, 0700);
        *at = '/';
    }
    int fd = open(whole, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CLAIM(fd >= 0 && write(fd, bytes, len) == (ssize_t)len && close(fd) == 0);
}

static void remove_root(void)
{
    char command[PATH_MAX];
    snprintf(command, sizeof command, "rm -r %s", root);
    CLAIM(system(command) == 0);
}

static void make_root(void)
{
    static const char uuid[] = "00112233-4455-6677-8899-AABBCCDDEEFF\n";
    static bool made;
    if (made)
        return;
    CLAIM(mkdtemp(root) != NULL && atexit(remove_root) == 0);
    put_file(UUID, uuid, sizeof uuid - 1);
    made = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct boot boot, untouched;
    char error[BOOT_ERROR_MAX] = "", text[BOOT_DATA_STRING_BYTES];
    make_root();
    put_file(TABLE, data, size);
    memset(&boot, 0x5a, sizeof boot);
    memset(&untouched, 0x5a, sizeof untouched);
    if (boot_read(root, &boot, error) < 0) {
        CLAIM(memcmp(&boot, &untouched, sizeof boot) == 0);
        CLAIM(error[0] && memchr(error, '\0', sizeof error));
        return 0;
    }
    CLAIM(boot_data_complete(&boot.data) && boot.uuid[15] == 0xff);
    for (unsigned i = 0; i < BOOT_DATA_STRINGS; i++) {
        boot_data_format(&boot.data, i, text);
        CLAIM(memmem(data, size, text, strlen(text) + 1) != NULL);
    }
    return 0;
}
