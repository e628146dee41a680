/*
 * Release: see release.h. Three calls, one after the other; each file is checked before the next is asked
 * for.
 */
#include "guest/release.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "protocol/crypto.h"
#include "src/io/http_client.h"
#include "src/io/loop.h"

#define CALL_TIMEOUT_MS 20000
#define CONFIG_MAX 65536
#define CONTROLLER_MAX (64 * 1048576) /* bytes; a controller has less than one of them */

struct release {
    struct loop *loop; /* borrowed */
    struct release_source source;
    void (*fn)(void *arg, const struct release_outcome *outcome);
    void *arg;              /* borrowed */
    struct http_call *call; /* owned, while one is under way */
    struct manifest manifest;
    struct release_outcome outcome;
};

static void finish(struct release *release)
{
    void (*fn)(void *, const struct release_outcome *) = release->fn;
    void *arg = release->arg;
    struct release_outcome outcome = release->outcome;
    release->outcome.controller_fd = -1;
    release_cancel(release);
    fn(arg, &outcome);
}

__attribute__((format(printf, 3, 4))) static void fail(struct release *release, enum kiln_code code,
                                                       const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(release->outcome.detail, sizeof release->outcome.detail, format, args);
    va_end(args);
    release->outcome.code = code;
    if (release->outcome.controller_fd >= 0)
        close(release->outcome.controller_fd);
    release->outcome.controller_fd = -1;
    finish(release);
}

/* Whether the answer is a whole 200; else the failure is told with CODE. */
static bool is_good(struct release *release, const struct http_answer *answer, const char *what,
                    enum kiln_code code)
{
    release->call = NULL;
    release->outcome.network = answer->error == -ECONNREFUSED || answer->error == -ENETUNREACH ||
                               answer->error == -EHOSTUNREACH || answer->error == -ETIMEDOUT ||
                               answer->error == -EADDRNOTAVAIL || answer->error == -EKEYREJECTED ||
                               answer->error == -ECONNRESET;
    release->outcome.passing = answer->error != 0 || answer->status >= 500 || answer->status == 429;
    if (answer->error == -EKEYREJECTED)
        fail(release, CODE_HOST_UNREACHABLE, "%s: the certificate is not the one named at boot", what);
    else if (release->outcome.network && code == CODE_CONTROLLER_UNAVAILABLE &&
             release->manifest.version == 0)
        fail(release, CODE_HOST_UNREACHABLE, "%s port %u: %s", release->source.host, release->source.port,
             strerror(-answer->error));
    else if (answer->error != 0)
        fail(release, code, "%s: %s", what, strerror(-answer->error));
    else if (answer->status != 200)
        fail(release, code, "%s: HTTP status %d", what, answer->status);
    else
        return true;
    return false;
}

static void get(struct release *release, const char *target, size_t max_bytes, int body_fd,
                void (*fn)(void *arg, const struct http_answer *answer))
{
    const struct http_client_request request = {.method = "GET",
                                                .host = release->source.host,
                                                .port = release->source.port,
                                                .target = target,
                                                .body_fd = body_fd,
                                                .answer_max_bytes = max_bytes,
                                                .timeout_ms = CALL_TIMEOUT_MS};
    int result = http_client_call(release->loop, release->source.tls, &request, fn, release, &release->call);
    if (result < 0) {
        release->outcome.network = release->outcome.passing = true;
        fail(release, CODE_HOST_UNREACHABLE, "%s port %u: %s", release->source.host, release->source.port,
             strerror(-result));
    }
}

/* The hash of what a descriptor holds, read from its start. */
static int hash_file(int fd, uint8_t out[CRYPTO_HASH_BYTES])
{
    struct crypto_hash *hash;
    uint8_t piece[16384];
    int result = crypto_hash_create(&hash);
    if (result < 0)
        return result;
    ssize_t len;
    off_t at = 0;
    while ((len = pread(fd, piece, sizeof piece, at)) > 0) {
        crypto_hash_update(hash, piece, (size_t)len);
        at += len;
    }
    crypto_hash_value(hash, out);
    crypto_hash_destroy(hash);
    return len < 0 ? -errno : 0;
}

static void take_controller(void *arg, const struct http_answer *answer)
{
    struct release *release = arg;
    const uint8_t *wanted = manifest_find(&release->manifest, release->source.architecture);
    uint8_t hash[CRYPTO_HASH_BYTES];
    int fd = release->outcome.controller_fd;
    if (!is_good(release, answer, "the controller", CODE_CONTROLLER_UNAVAILABLE))
        return;
    /* Sealed first, so that what is hashed is what will run. */
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0 ||
        hash_file(fd, hash) < 0)
        fail(release, CODE_CONTROLLER_UNAVAILABLE, "the controller: %s", strerror(errno));
    else if (memcmp(hash, wanted, sizeof hash) != 0)
        fail(release, CODE_RELEASE_SIGNATURE_WRONG, "%s",
             "the controller is not the one that the manifest signs");
    else
        finish(release);
}

static void get_controller(struct release *release)
{
    char target[64];
    if (manifest_find(&release->manifest, release->source.architecture) == NULL) {
        fail(release, CODE_CONTROLLER_UNAVAILABLE, "there is no controller for %s",
             release->source.architecture);
        return;
    }
    release->outcome.controller_fd = memfd_create("kiln-controller", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (release->outcome.controller_fd < 0) {
        fail(release, CODE_CONTROLLER_UNAVAILABLE, "no memory for the controller: %s", strerror(errno));
        return;
    }
    snprintf(target, sizeof target, "/v1/controller/%s", release->source.architecture);
    get(release, target, CONTROLLER_MAX, release->outcome.controller_fd, take_controller);
}

static void take_config(void *arg, const struct http_answer *answer)
{
    struct release *release = arg;
    uint8_t hash[CRYPTO_HASH_BYTES];
    if (!is_good(release, answer, "the configuration", CODE_CONFIG_UNAVAILABLE))
        return;
    crypto_hash(answer->body, answer->body_bytes, hash);
    if (memcmp(hash, release->manifest.config, sizeof hash) != 0)
        fail(release, CODE_RELEASE_SIGNATURE_WRONG, "%s",
             "the configuration is not the one that the manifest signs");
    else
        get_controller(release);
}

static void take_manifest(void *arg, const struct http_answer *answer)
{
    struct release *release = arg;
    struct manifest *manifest = &release->manifest;
    if (!is_good(release, answer, "the manifest", CODE_CONTROLLER_UNAVAILABLE))
        return;
    if (manifest_parse(answer->body, answer->body_bytes, manifest) < 0) {
        fail(release, CODE_CONTROLLER_UNAVAILABLE, "%s", "the manifest is malformed");
        return;
    }
    if (manifest_verify(manifest, release->source.key) < 0) {
        fail(release, CODE_RELEASE_SIGNATURE_WRONG, "%s", "the manifest is not signed by the release key");
        return;
    }
    if (manifest->version < release->source.floor) {
        fail(release, CODE_VERSION_TOO_OLD, "version %llu is older than %llu, which was seen",
             (unsigned long long)manifest->version, (unsigned long long)release->source.floor);
        return;
    }
    release->outcome.version = manifest->version;
    release->outcome.newer = manifest->version > release->source.running;
    manifest_hash(manifest, release->outcome.manifest);
    memcpy(release->outcome.config, manifest->config, sizeof release->outcome.config);
    if (release->outcome.newer)
        get(release, "/v1/config", CONFIG_MAX, -1, take_config);
    else
        finish(release);
}

int release_fetch(struct loop *loop, const struct release_source *source,
                  void (*fn)(void *arg, const struct release_outcome *outcome), void *arg,
                  struct release **ret_release)
{
    struct release *release = calloc(1, sizeof *release);
    if (release == NULL)
        return -ENOMEM;
    *release = (struct release){.loop = loop, .source = *source, .fn = fn, .arg = arg};
    release->outcome.controller_fd = -1;
    const struct http_client_request request = {.method = "GET",
                                                .host = source->host,
                                                .port = source->port,
                                                .target = "/v1/manifest",
                                                .body_fd = -1,
                                                .answer_max_bytes = MANIFEST_TEXT_MAX,
                                                .timeout_ms = CALL_TIMEOUT_MS};
    int result = http_client_call(loop, source->tls, &request, take_manifest, release, &release->call);
    if (result < 0) {
        free(release);
        return result;
    }
    *ret_release = release;
    return 0;
}

void release_cancel(struct release *release)
{
    if (release == NULL)
        return;
    http_call_cancel(release->call);
    if (release->outcome.controller_fd >= 0)
        close(release->outcome.controller_fd);
    free(release);
}
