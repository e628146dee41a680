/*
 * Releases: see releases.h.
 */
#include "src/core/releases.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "protocol/manifest.h"
#include "protocol/wire.h"
#include "src/core/core.h"
#include "src/core/store.h"
#include "src/io/log.h"
#include "src/io/loop.h"

enum { KEPT_BYTES = RELEASE_HASH_LEN + 8 }; /* of one: hash, then u64 since_ms */

static const char releases_key[] = "releases";

static void keep(struct core *core)
{
    uint8_t bytes[RELEASES_KEPT_MAX * KEPT_BYTES];
    struct store_batch *batch;
    for (size_t i = 0; i < core->releases.count; i++) {
        memcpy(bytes + i * KEPT_BYTES, core->releases.known[i].manifest, RELEASE_HASH_LEN);
        wire_put_u64(bytes + i * KEPT_BYTES + RELEASE_HASH_LEN, (uint64_t)core->releases.known[i].since_ms);
    }
    /* What cannot be kept is found again in the folder, but for what was in force before. */
    if (store_batch_create(core->store, &batch))
        return;
    store_put(batch, STORE_META, releases_key, sizeof releases_key - 1, bytes,
              core->releases.count * KEPT_BYTES);
    store_commit(batch, NULL, NULL);
}

static int read_manifest(const char *folder, struct release *ret_release)
{
    char path[4096], text[MANIFEST_TEXT_MAX];
    struct manifest manifest;
    struct stat info;
    snprintf(path, sizeof path, "%s/manifest.json", folder);
    FILE *file = fopen(path, "re");
    if (!file)
        return -errno;
    size_t len = fread(text, 1, sizeof text, file);
    int error = ferror(file) || fstat(fileno(file), &info) < 0 ? -EIO : 0;
    fclose(file);
    if (!error)
        error = manifest_parse(text, len, &manifest);
    if (error)
        return error;
    manifest_hash(&manifest, ret_release->manifest);
    /* The last change of the file itself: also of its name, by which a publisher puts it in its place. */
    ret_release->since_ms = info.st_ctim.tv_sec * INT64_C(1000) + info.st_ctim.tv_nsec / 1000000;
    return 0;
}

static bool is(const struct release *release, const uint8_t *manifest)
{
    return memcmp(release->manifest, manifest, sizeof release->manifest) == 0;
}

void releases_look(struct core *core)
{
    struct releases *releases = &core->releases;
    struct release found;
    char hex[2 * RELEASE_HASH_LEN + 1];
    int error = read_manifest(core->config.release_dir, &found);
    if (error) {
        log_warning("release", "the manifest cannot be read: the one before stays in force",
                    "release_dir=%s known=%zu error=\"%s\"", core->config.release_dir, releases->count,
                    strerror(-error));
        return;
    }
    if (releases->count > 0 && is(&releases->known[releases->count - 1], found.manifest))
        return;
    if (releases->count == RELEASES_KEPT_MAX)
        memmove(releases->known, releases->known + 1, --releases->count * sizeof found);
    releases->known[releases->count++] = found;
    keep(core);
    hex_encode(found.manifest, sizeof found.manifest, hex);
    log_info("release", "is in force: guests that start register with it alone", "manifest=%s", hex);
}

void releases_load(struct core *core)
{
    uint8_t *bytes;
    size_t len_bytes;
    if (store_get(core->store, STORE_META, releases_key, sizeof releases_key - 1, &bytes, &len_bytes) == 0) {
        size_t count = len_bytes / KEPT_BYTES;
        for (size_t i = 0; i < count && count <= RELEASES_KEPT_MAX; i++) {
            struct release *release = &core->releases.known[core->releases.count++];
            memcpy(release->manifest, bytes + i * KEPT_BYTES, RELEASE_HASH_LEN);
            release->since_ms = (int64_t)wire_get_u64(bytes + i * KEPT_BYTES + RELEASE_HASH_LEN);
        }
        free(bytes);
    }
    releases_look(core);
}

/* A time that is yet to come is from before the clock was set back, and says nothing: then only the release
 * in force will do. */
static bool was_there_first(const struct release *release, const struct vm *vm)
{
    return release->since_ms < vm->head.entered_at_ms || release->since_ms > loop_wall_ms();
}

enum kiln_code releases_check(struct core *core, const struct vm *vm,
                              const uint8_t manifest[static RELEASE_HASH_LEN])
{
    const struct releases *releases = &core->releases;
    releases_look(core);
    for (size_t i = releases->count; i-- > 0;) {
        if (i + 1 < releases->count && was_there_first(&releases->known[i + 1], vm))
            break;
        if (is(&releases->known[i], manifest))
            return CODE_NONE;
    }
    return releases->count > 0 ? CODE_RELEASE_NOT_CURRENT : CODE_CONTROLLER_UNAVAILABLE;
}
