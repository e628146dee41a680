/*
 * Peer search: looks for a secret in every file below some folders, or in the memory of a process: as bytes,
 * as hex, and as base64 wherever in a longer text. In: a file that holds the secret; folders, or a process.
 * Out: each file or mapping that it is found in. Kept: nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/ns/peer.h"

enum { SECRET_MAX = 64, NEEDLES = 6, FOLDERS_AT_ONCE = 16, CHUNK_BYTES = 1 << 20, LINE_MAX_BYTES = 512 };

static struct {
    char bytes[SECRET_MAX * 2 + 1];
    size_t len;
} needles[NEEDLES];
static unsigned found, looked;

/* The characters of base64 that depend on the secret alone when SHIFT bytes stand before it. */
static void make_base64(const uint8_t *secret, size_t len, size_t shift, unsigned at)
{
    uint8_t shifted[SECRET_MAX + 2] = {0};
    char text[TEXT_BASE64_BYTES(SECRET_MAX + 2)];
    memcpy(shifted + shift, secret, len);
    base64_encode(shifted, shift + len, text);
    size_t begin = (shift * 8 + 5) / 6, end = (shift + len) * 8 / 6;
    memcpy(needles[at].bytes, text + begin, end - begin);
    needles[at].len = end - begin;
}

static void make_needles(const char *path)
{
    char secret[PEER_FILE_MAX];
    size_t len = peer_read(path, secret);
    if (len < 16 || len > SECRET_MAX)
        peer_die("%s holds no secret", path);
    memcpy(needles[0].bytes, secret, len);
    needles[0].len = len;
    for (unsigned i = 1; i < 3; i++) {
        for (size_t j = 0; j < len; j++)
            sprintf(needles[i].bytes + 2 * j, i == 1 ? "%02x" : "%02X", (unsigned char)secret[j]);
        needles[i].len = 2 * len;
    }
    for (unsigned shift = 0; shift < 3; shift++)
        make_base64((const uint8_t *)secret, len, shift, 3 + shift);
}

static void look_through(const char *bytes, size_t len, const char *where)
{
    looked++;
    for (unsigned i = 0; i < NEEDLES; i++)
        if (memmem(bytes, len, needles[i].bytes, needles[i].len) != NULL) {
            puts(where);
            found++;
        }
}

static int look(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)where;
    int fd =
        kind == FTW_F && S_ISREG(info->st_mode) && info->st_size > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return 0;
    char *bytes = mmap(NULL, (size_t)info->st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (bytes == MAP_FAILED)
        return 0;
    look_through(bytes, (size_t)info->st_size, path);
    munmap(bytes, (size_t)info->st_size);
    return 0;
}

/* search SECRET-FILE FOLDER...: status 0 when it is nowhere, 1 when it is somewhere, 2 when there was nothing
 * to look at. */
int peer_search(int argc, char **argv)
{
    if (argc < 2)
        peer_die("search SECRET-FILE FOLDER...");
    make_needles(argv[0]);
    for (int i = 1; i < argc; i++)
        nftw(argv[i], look, FOLDERS_AT_ONCE, FTW_PHYS);
    return looked == 0 ? 2 : found > 0;
}

/* One mapping, in chunks that overlap by more than the longest needle. */
static void look_at_mapping(int memory, off_t from, off_t to, const char *where)
{
    static char chunk[CHUNK_BYTES];
    const off_t overlap = sizeof needles[0].bytes;
    for (off_t at = from; at < to;) {
        size_t want = to - at < CHUNK_BYTES ? (size_t)(to - at) : CHUNK_BYTES;
        ssize_t got = pread(memory, chunk, want, at);
        if (got <= 0)
            return; /* a guard page, or gone since the list was read */
        look_through(chunk, (size_t)got, where);
        at += at + got < to && got > overlap ? got - overlap : got;
    }
}

/* memory SECRET-FILE PID: what PID can write to or wrote itself; files that it maps shared are on the disk.
 * Status as of search. */
int peer_memory(int argc, char **argv)
{
    char path[64], line[LINE_MAX_BYTES], mode[8];
    if (argc != 2)
        peer_die("memory SECRET-FILE PID");
    make_needles(argv[0]);
    snprintf(path, sizeof path, "/proc/%s/mem", argv[1]);
    int memory = open(path, O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof path, "/proc/%s/maps", argv[1]);
    FILE *maps = fopen(path, "re");
    if (memory < 0 || maps == NULL)
        peer_die("cannot read %s: %s", path, strerror(errno));
    while (fgets(line, sizeof line, maps) != NULL) {
        unsigned long long from, to;
        line[strcspn(line, "\n")] = '\0';
        if (sscanf(line, "%llx-%llx %7s", &from, &to, mode) == 3 && mode[0] == 'r' && mode[3] == 'p')
            look_at_mapping(memory, (off_t)from, (off_t)to, line);
    }
    fclose(maps);
    close(memory);
    return looked == 0 ? 2 : found > 0;
}
