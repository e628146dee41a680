/* links: kiln_protocol */
/* Targets of requests. Claims: a resource's target formats to the same text and fits the pattern of its own
 * parts alone; what is refused leaves the result as it was; a file's path stays below its folder. */
#include <string.h>

#include "fuzz/claim.h"
#include "protocol/api_path.h"

static void check_path(const char *target)
{
    struct api_path path, before;
    char again[API_TARGET_BYTES];
    const char *stars[API_STARS_MAX];
    memset(&path, 0x5a, sizeof path);
    before = path;
    if (api_path_parse(target, &path) < 0) {
        CLAIM(memcmp(&path, &before, sizeof path) == 0);
        return;
    }
    api_path_format(&path, again);
    CLAIM(strcmp(again, target) == 0);
    again[strcspn(again, "?")] = '\0';
    CLAIM(api_path_fits(&path, again, NULL));
    CLAIM(api_path_fits(&path, "/*", stars) == (path.nparts == 1));
    CLAIM(path.nparts != 1 || stars[0] == path.part[0]);
    CLAIM(!api_path_fits(&path, "/", stars) && !api_path_fits(&path, "", stars));
    if (api_path_fits(&path, "/v1/vms/*", stars))
        CLAIM(path.nparts == 3 && stars[0] == path.part[2] && stars[1] == NULL);
}

static void check_file(const char *target)
{
    char file[API_FILE_BYTES] = "before";
    if (api_file_parse(target, file) < 0) {
        CLAIM(strcmp(file, "before") == 0);
        return;
    }
    CLAIM(file[0] != '/' && file[0] != '.' && file[0] != '\0');
    CLAIM(strstr(file, "/.") == NULL && strstr(file, "//") == NULL && strpbrk(file, "%\\?#") == NULL);
    CLAIM(file[strlen(file) - 1] != '/');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = input_text(data, size);
    check_path(text);
    check_file(text);
    free(text);
    return 0;
}
