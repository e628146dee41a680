/*
 * Malice: see malice.h.
 */
#include "tests/ns/malice.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "src/io/log.h"

static const char *armed_path;

void malice_init(const char *path)
{
    armed_path = path;
}

bool malice_armed(const char *name, char *ret_words, size_t max_bytes)
{
    char line[256] = "";
    FILE *file = fopen(armed_path, "re");
    if (file == NULL)
        return false;
    bool read = fgets(line, sizeof line, file) != NULL;
    fclose(file);
    line[strcspn(line, "\n")] = '\0';
    char *words = strchr(line, ' ');
    if (words != NULL)
        *words++ = '\0';
    if (!read || strcmp(line, name) != 0)
        return false;
    if (ret_words != NULL)
        snprintf(ret_words, max_bytes, "%s", words != NULL ? words : "");
    return true;
}

void malice_done(const char *name)
{
    unlink(armed_path);
    log_info("malice", "done", "name=%s", name);
}
