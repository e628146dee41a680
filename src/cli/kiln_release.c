/*
 * kiln release: makes release keys and publishes controllers (protocol/README 4.1, 10.3, 10.4). No daemon is
 * asked.
 *
 * In: files. Out: a key pair; a release folder, in which each file is replaced whole, the manifest last.
 * Kept: nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/crypto.h"
#include "protocol/manifest.h"
#include "src/cli/common_file.h"
#include "src/cli/kiln.h"
#include "src/io/random.h"

enum { CONTROLLERS_MAX = 4, COPY_BYTES = 65536 };

static int random_source(void *arg, uint8_t *out, size_t len)
{
    (void)arg;
    random_fill(out, len);
    return 0;
}

/* ---- keys ---- */

/* FLAGS beside O_WRONLY. */
static int write_file(const char *path, int flags, mode_t mode, const char *text)
{
    size_t len = strlen(text);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, mode);
    if (fd < 0)
        return cli_local_error("%s: %s", path, strerror(errno));
    bool whole = write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
    if (close(fd) < 0 || !whole)
        return cli_local_error("%s cannot be written", path);
    return CLI_OK;
}

static int write_public_half(const struct crypto_ec *key, const char *path)
{
    uint8_t spki[CRYPTO_SPKI_MAX];
    char pem[CRYPTO_PEM_MAX], name[4096];
    size_t len;
    if (crypto_ec_encode_public(key, spki, &len) || crypto_spki_encode_pem(spki, len, pem))
        return cli_local_error("the key cannot be encoded");
    snprintf(name, sizeof name, "%s.pub", path);
    return write_file(name, O_TRUNC, 0644, pem);
}

/* An existing key is never overwritten: bricks trust it. */
static int keygen(const struct kiln *kiln, int argc, char **argv)
{
    struct cli_words words;
    struct crypto_ec *key;
    char pem[CRYPTO_PEM_MAX];
    int exit_code = cli_words_read(argc, argv, NULL, 1, 1, &words);
    (void)kiln;
    if (exit_code != CLI_OK)
        return exit_code;
    if (crypto_ec_generate(random_source, NULL, &key))
        return cli_local_error("no key could be made");
    exit_code = crypto_ec_encode_pem(key, pem) ? cli_local_error("the key cannot be encoded")
                                               : write_file(words.word[0], O_EXCL, 0600, pem);
    if (exit_code == CLI_OK)
        exit_code = write_public_half(key, words.word[0]);
    crypto_wipe(pem, sizeof pem);
    crypto_ec_destroy(key);
    return exit_code;
}

static int read_key(const char *path, struct crypto_ec **ret_key)
{
    char *pem;
    size_t len;
    int error = cli_file_read(path, CRYPTO_PEM_MAX, &pem, &len);
    if (error)
        return cli_local_error("%s: %s", path, strerror(-error));
    error = crypto_ec_decode_pem(pem, random_source, NULL, ret_key);
    crypto_wipe(pem, len);
    free(pem);
    if (!error && crypto_ec_is_private(*ret_key))
        return CLI_OK;
    if (!error)
        crypto_ec_destroy(*ret_key);
    return cli_local_error("%s: no PEM with a private P-256 key", path);
}

/* ---- the folder ---- */

/* Copies what FROM holds into TO and hashes it on the way. */
static bool copy_bytes(int from, int to, uint8_t hash[CRYPTO_HASH_BYTES])
{
    char *buffer = malloc(COPY_BYTES);
    struct crypto_hash *state = NULL;
    ssize_t got = buffer && crypto_hash_create(&state) == 0 ? 1 : -1;
    while (got > 0) {
        got = read(from, buffer, COPY_BYTES);
        if (got > 0 && write(to, buffer, (size_t)got) != got)
            got = -1;
        if (got > 0)
            crypto_hash_update(state, buffer, (size_t)got);
    }
    if (got == 0)
        crypto_hash_value(state, hash);
    crypto_hash_destroy(state);
    free(buffer);
    return got == 0;
}

/* Puts a copy of FROM into FOLDER under NAME, whole or not at all. */
static int publish_file(const char *from, const char *folder, const char *name, mode_t mode,
                        uint8_t hash[CRYPTO_HASH_BYTES])
{
    char path[4096], fresh[4096];
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path ||
        snprintf(fresh, sizeof fresh, "%s/.%s.new", folder, name) >= (int)sizeof fresh)
        return cli_local_error("%s: the name is too long", folder);
    int source = open(from, O_RDONLY | O_CLOEXEC);
    if (source < 0)
        return cli_local_error("%s: %s", from, strerror(errno));
    int to = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    bool whole = to >= 0 && copy_bytes(source, to, hash) && fsync(to) == 0;
    int error = errno;
    close(source);
    if (to >= 0)
        close(to);
    if (whole && rename(fresh, path) == 0)
        return CLI_OK;
    if (!whole)
        unlink(fresh);
    return cli_local_error("%s: %s", path, strerror(whole ? errno : error));
}

static int publish_manifest(const struct manifest *manifest, const char *folder)
{
    char path[4096], fresh[4096];
    struct json_writer out = json_writer_init(MANIFEST_TEXT_MAX);
    manifest_write(&out, manifest);
    if (json_writer_end(&out) ||
        snprintf(path, sizeof path, "%s/manifest.json", folder) >= (int)sizeof path ||
        snprintf(fresh, sizeof fresh, "%s/.manifest.new", folder) >= (int)sizeof fresh) {
        json_writer_finish(&out);
        return cli_local_error("%s: the manifest cannot be written", folder);
    }
    int exit_code = write_file(fresh, O_TRUNC, 0644, out.text);
    json_writer_finish(&out);
    if (exit_code == CLI_OK && rename(fresh, path) < 0)
        exit_code = cli_local_error("%s: %s", path, strerror(errno));
    return exit_code;
}

/* ---- publish ---- */

struct release {
    const char *key, *folder, *version, *config;
    const char *controller[CONTROLLERS_MAX]; /* "x86_64=FILE" */
};

static int add_controller(struct manifest *manifest, const char *folder, const char *argument)
{
    char architecture[MANIFEST_ARCHITECTURE_BYTES], name[64];
    uint8_t hash[CRYPTO_HASH_BYTES];
    size_t length = strcspn(argument, "=");
    if (length == 0 || length >= sizeof architecture || !argument[length])
        return cli_usage_error("--controller takes ARCHITECTURE=FILE");
    snprintf(architecture, sizeof architecture, "%.*s", (int)length, argument);
    snprintf(name, sizeof name, "controller-%s", architecture);
    if (strchr(architecture, '/'))
        return cli_usage_error("'%s' is no architecture", architecture);
    int exit_code = publish_file(argument + length + 1, folder, name, 0755, hash);
    if (exit_code == CLI_OK && manifest_add_controller(manifest, architecture, hash))
        exit_code = cli_usage_error("'%s' is no architecture, or there twice", architecture);
    return exit_code;
}

/* Before anything is replaced: a release that cannot be made whole leaves the one before it alone. */
static int check_sources(const struct release *release)
{
    if (access(release->config, R_OK) < 0)
        return cli_local_error("%s: %s", release->config, strerror(errno));
    for (size_t i = 0; i < CONTROLLERS_MAX && release->controller[i]; i++) {
        const char *file = strchr(release->controller[i], '=');
        if (!file)
            return cli_usage_error("--controller takes ARCHITECTURE=FILE");
        if (access(file + 1, R_OK) < 0)
            return cli_local_error("%s: %s", file + 1, strerror(errno));
    }
    return CLI_OK;
}

static int publish_release(const struct release *release, struct crypto_ec *key, struct manifest *manifest)
{
    int exit_code = publish_file(release->config, release->folder, "config", 0644, manifest->config);
    for (size_t i = 0; exit_code == CLI_OK && i < CONTROLLERS_MAX && release->controller[i]; i++)
        exit_code = add_controller(manifest, release->folder, release->controller[i]);
    if (exit_code == CLI_OK && manifest_sign(manifest, key, random_source, NULL))
        exit_code = cli_local_error("the manifest cannot be signed");
    return exit_code == CLI_OK ? publish_manifest(manifest, release->folder) : exit_code;
}

/* Guests refuse what is older than what they have seen, so an older or equal version here is a mistake. */
static int check_version(const char *folder, uint64_t version)
{
    char path[4096], *text;
    struct manifest before;
    size_t len;
    snprintf(path, sizeof path, "%s/manifest.json", folder);
    int error = cli_file_read(path, MANIFEST_TEXT_MAX, &text, &len);
    if (error == -ENOENT)
        return CLI_OK;
    if (error)
        return cli_local_error("%s: %s", path, strerror(-error));
    bool older = manifest_parse(text, len, &before) == 0 && before.version >= version;
    free(text);
    if (older)
        return cli_failure("VERSION_TOO_OLD", NULL, "the folder holds this version or a newer one");
    return CLI_OK;
}

/* Each --controller fills the next place. */
static int read_release(int argc, char **argv, struct release *release)
{
    const struct cli_option options[] = {
        CLI_VALUE("--key", &release->key), CLI_VALUE("--dir", &release->folder),
        CLI_VALUE("--version", &release->version), CLI_VALUE("--config", &release->config), CLI_END};
    struct cli_words words;
    size_t count = 0;
    int left = 0;
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--controller") != 0) {
            argv[left++] = argv[i];
            continue;
        }
        if (i + 1 == argc || count == CONTROLLERS_MAX)
            return cli_usage_error("--controller takes ARCHITECTURE=FILE, at most %d times", CONTROLLERS_MAX);
        release->controller[count++] = argv[++i];
    }
    int exit_code = cli_words_read(left, argv, options, 0, 0, &words);
    if (exit_code == CLI_OK &&
        (!*release->key || !*release->folder || !*release->version || !*release->config || count == 0))
        exit_code =
            cli_usage_error("release publish needs --key, --dir, --version, --config and --controller");
    return exit_code;
}

static int publish(const struct kiln *kiln, int argc, char **argv)
{
    struct release release = {.key = "", .folder = "", .version = "", .config = ""};
    struct manifest manifest = {0};
    struct crypto_ec *key = NULL;
    char *end;
    int exit_code = read_release(argc, argv, &release);
    (void)kiln;
    if (exit_code != CLI_OK)
        return exit_code;
    manifest.version = strtoull(release.version, &end, 10);
    if (*end || manifest.version == 0 || manifest.version > INT64_C(1) << 53)
        return cli_usage_error("--version takes a number from 1");
    if (mkdir(release.folder, 0755) < 0 && errno != EEXIST)
        return cli_local_error("%s: %s", release.folder, strerror(errno));
    exit_code = check_sources(&release);
    if (exit_code == CLI_OK)
        exit_code = check_version(release.folder, manifest.version);
    if (exit_code == CLI_OK)
        exit_code = read_key(release.key, &key);
    if (exit_code != CLI_OK)
        return exit_code;
    exit_code = publish_release(&release, key, &manifest);
    crypto_ec_destroy(key);
    if (exit_code == CLI_OK)
        printf("version %llu is published in %s\n", (unsigned long long)manifest.version, release.folder);
    return exit_code;
}

const struct kiln_command kiln_release_commands[] = {
    {"release", "keygen", keygen, "FILE",
     "makes a release key (FILE) and its public half (FILE.pub), which goes into bricks"},
    {"release", "publish", publish,
     "--key FILE --dir DIR --version N --config FILE --controller ARCHITECTURE=FILE...",
     "signs and puts a controller and a configuration where the edge serves them"},
    {NULL, NULL, NULL, NULL, NULL},
};
