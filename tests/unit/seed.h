/*
 * seed.h - a unit test's inputs as seeds of the fuzz target that searches around them. In: bytes a test uses.
 * Out: with KILN_SEEDS set (`make seeds`), the file $KILN_SEEDS/fuzz_<target>.corpus/<name>. Kept: nothing.
 */
#ifndef KILN_TESTS_UNIT_SEED_H
#define KILN_TESTS_UNIT_SEED_H

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* For a target that takes nothing before the bytes. */
enum { SEED_PLAIN = -1 };

/* CHOICE is the first byte, by which a target tells kinds apart, or SEED_PLAIN. */
static inline void seed_write(const char *target, const char *name, int choice, const void *bytes, size_t len)
{
    const char *root = getenv("KILN_SEEDS");
    char path[PATH_MAX];
    if (!root)
        return;
    snprintf(path, sizeof path, "%s/fuzz_%s.corpus", root, target);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/fuzz_%s.corpus/%s", root, target, name);
    FILE *file = fopen(path, "wb");
    if (file && choice != SEED_PLAIN)
        fputc(choice, file);
    if (!file || fwrite(bytes, 1, len, file) != len || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

static inline void seed_write_text(const char *target, const char *name, int choice, const char *text)
{
    seed_write(target, name, choice, text, strlen(text));
}

#endif
