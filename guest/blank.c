/*
 * Blank: see blank.h. The only file that speaks libblkid.
 */
#include "guest/blank.h"

#include <blkid/blkid.h>
#include <errno.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define EDGE_BYTES (1024 * 1024)
#define PIECE_BYTES 65536

static int read_size(int fd, uint64_t *ret_bytes)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (S_ISREG(st.st_mode)) {
        *ret_bytes = (uint64_t)st.st_size;
        return 0;
    }
    return ioctl(fd, BLKGETSIZE64, ret_bytes) < 0 ? -errno : 0;
}

/* 1 all zeroes, 0 not, or a negative errno. */
static int is_zero(int fd, uint64_t from, uint64_t to)
{
    static const char zero[PIECE_BYTES];
    char piece[PIECE_BYTES];
    while (from < to) {
        size_t wanted = to - from < sizeof piece ? (size_t)(to - from) : sizeof piece;
        ssize_t got = pread(fd, piece, wanted, (off_t)from);
        if (got <= 0)
            return got < 0 ? -errno : -EIO;
        if (memcmp(piece, zero, (size_t)got) != 0)
            return 0;
        from += (uint64_t)got;
    }
    return 1;
}

/* What one probe found, by whichever of its chains; "" when nothing. */
static void name_finding(blkid_probe probe, char found[BLANK_FOUND_MAX], bool *ret_luks2)
{
    const char *type = NULL, *version = NULL, *table = NULL;
    blkid_probe_lookup_value(probe, "TYPE", &type, NULL);
    blkid_probe_lookup_value(probe, "VERSION", &version, NULL);
    blkid_probe_lookup_value(probe, "PTTYPE", &table, NULL);
    if (type != NULL)
        snprintf(found, BLANK_FOUND_MAX, "%s%s%s", type, version != NULL ? " " : "",
                 version != NULL ? version : "");
    else if (table != NULL)
        snprintf(found, BLANK_FOUND_MAX, "partition table %s", table);
    else
        snprintf(found, BLANK_FOUND_MAX, "a signature");
    *ret_luks2 =
        type != NULL && strcmp(type, "crypto_LUKS") == 0 && version != NULL && strcmp(version, "2") == 0;
}

/* Every chain is asked one finding at a time: the "safe" probe answers "ambivalent" where two meet, and then
 * names neither. */
static int probe_signatures(blkid_probe probe, enum blank_state *ret_state, char found[BLANK_FOUND_MAX])
{
    int result;
    int findings = 0;
    bool luks2 = false;
    while ((result = blkid_do_probe(probe)) == 0) {
        /* A LUKS2 drive shows its header once; anything beside it makes the drive somebody else's. */
        bool this_luks2;
        name_finding(probe, found, &this_luks2);
        luks2 = findings++ == 0 && this_luks2;
        if (!luks2)
            break;
    }
    if (result < 0)
        return -EIO;
    *ret_state = findings == 0 ? BLANK_BLANK : luks2 ? BLANK_LUKS2 : BLANK_OCCUPIED;
    return 0;
}

static int probe_bytes(int fd, enum blank_state *ret_state, char found[BLANK_FOUND_MAX])
{
    uint64_t size = 0;
    int result = read_size(fd, &size);
    if (result < 0)
        return result;
    uint64_t first_end = size < EDGE_BYTES ? size : EDGE_BYTES;
    int first = is_zero(fd, 0, first_end);
    int last = first > 0 ? is_zero(fd, size - first_end, size) : 1;
    if (first < 0 || last < 0)
        return first < 0 ? first : last;
    if (first == 1 && last == 1)
        return 0;
    snprintf(found, BLANK_FOUND_MAX, "unknown data in the %s MiB", first == 0 ? "first" : "last");
    *ret_state = BLANK_OCCUPIED;
    return 0;
}

static blkid_probe make_probe(int fd)
{
    blkid_probe probe = blkid_new_probe();
    if (probe == NULL)
        return NULL;
    if (blkid_probe_set_device(probe, fd, 0, 0) == 0 && blkid_probe_enable_superblocks(probe, 1) == 0 &&
        blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_VERSION |
                                                     BLKID_SUBLKS_BADCSUM) == 0 &&
        blkid_probe_enable_partitions(probe, 1) == 0)
        return probe;
    blkid_free_probe(probe);
    return NULL;
}

int blank_probe(int fd, enum blank_state *ret_state, char found[BLANK_FOUND_MAX])
{
    blkid_probe probe = make_probe(fd);
    if (probe == NULL)
        return -EIO;
    enum blank_state state = BLANK_OCCUPIED;
    char name[BLANK_FOUND_MAX] = "";
    int result = probe_signatures(probe, &state, name);
    blkid_free_probe(probe);
    if (result == 0 && state == BLANK_BLANK)
        result = probe_bytes(fd, &state, name);
    if (result < 0)
        return result;
    *ret_state = state;
    memcpy(found, name, sizeof name);
    return 0;
}
