/*
 * TLS certificate: makes a P-256 key and a self-signed certificate with mbedTLS; see tls.h.
 */
#include "src/io/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <mbedtls/ecp.h>
#include <mbedtls/pk.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "src/io/random.h"
#include "src/io/tls_config.h"

#define PEM_MAX 4096
#define SERIAL_BYTES 16
#define VALID_S (10LL * 365 * 24 * 3600) /* trust is by fingerprint; expiry would only stop a service */

static int write_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t put = write(fd, text, len);
        if (put < 0)
            return -errno;
        text += put;
        len -= (size_t)put;
    }
    return fsync(fd) < 0 ? -errno : 0;
}

/* A file of that name has either its old content or all of TEXT. */
static int write_file(const char *path, mode_t mode, const char *text)
{
    char draft[4096];
    if (snprintf(draft, sizeof(draft), "%s.new", path) >= (int)sizeof(draft))
        return -ENAMETOOLONG;
    int fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return -errno;
    int error = fchmod(fd, mode) < 0 ? -errno : write_all(fd, text, strlen(text));
    close(fd);
    if (error == 0 && rename(draft, path) < 0)
        error = -errno;
    if (error < 0)
        unlink(draft);
    return error;
}

static bool set_serial(mbedtls_x509write_cert *writer)
{
    unsigned char serial[SERIAL_BYTES];
    random_fill(serial, sizeof(serial));
    serial[0] = (unsigned char)((serial[0] & 0x7f) | 0x01); /* positive, no leading zero (RFC 5280 4.1.2.2) */
#if MBEDTLS_VERSION_NUMBER >= 0x03040000
    return mbedtls_x509write_crt_set_serial_raw(writer, serial, sizeof(serial)) == 0;
#else
    mbedtls_mpi number;
    mbedtls_mpi_init(&number);
    bool set = mbedtls_mpi_read_binary(&number, serial, sizeof(serial)) == 0 &&
               mbedtls_x509write_crt_set_serial(writer, &number) == 0;
    mbedtls_mpi_free(&number);
    return set;
#endif
}

static bool set_times(mbedtls_x509write_cert *writer)
{
    char from[16], to[16];
    struct tm utc;
    time_t start = time(NULL) - 24 * 3600;
    time_t end = start + VALID_S;
    gmtime_r(&start, &utc);
    strftime(from, sizeof(from), "%Y%m%d%H%M%S", &utc);
    gmtime_r(&end, &utc);
    strftime(to, sizeof(to), "%Y%m%d%H%M%S", &utc);
    return mbedtls_x509write_crt_set_validity(writer, from, to) == 0;
}

static bool make_certificate(mbedtls_pk_context *key, const char *common_name, char *ret_pem)
{
    char name[128];
    mbedtls_x509write_cert writer;
    if (snprintf(name, sizeof(name), "CN=%s", common_name) >= (int)sizeof(name))
        return false;
    mbedtls_x509write_crt_init(&writer);
    mbedtls_x509write_crt_set_version(&writer, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(&writer, MBEDTLS_MD_SHA256);
    mbedtls_x509write_crt_set_subject_key(&writer, key);
    mbedtls_x509write_crt_set_issuer_key(&writer, key);
    bool made = mbedtls_x509write_crt_set_subject_name(&writer, name) == 0 &&
                mbedtls_x509write_crt_set_issuer_name(&writer, name) == 0 && set_serial(&writer) &&
                set_times(&writer) &&
                mbedtls_x509write_crt_pem(&writer, (unsigned char *)ret_pem, PEM_MAX, tls_random, NULL) == 0;
    mbedtls_x509write_crt_free(&writer);
    return made;
}

static bool make_key(mbedtls_pk_context *key, char *ret_pem)
{
    return mbedtls_pk_setup(key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)) == 0 &&
           mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(*key), tls_random, NULL) == 0 &&
           mbedtls_pk_write_key_pem(key, (unsigned char *)ret_pem, PEM_MAX) == 0;
}

int tls_certificate_make(const char *certificate_path, const char *key_path, const char *common_name)
{
    char key_pem[PEM_MAX], certificate_pem[PEM_MAX];
    mbedtls_pk_context key;
    mbedtls_pk_init(&key);
    int error = -EINVAL;
    /* The key first: a certificate without its key would stop the next start, a key alone is made anew. */
    if (make_key(&key, key_pem) && make_certificate(&key, common_name, certificate_pem))
        error = write_file(key_path, 0600, key_pem);
    if (error == 0)
        error = write_file(certificate_path, 0644, certificate_pem);
    mbedtls_platform_zeroize(key_pem, sizeof(key_pem));
    mbedtls_pk_free(&key);
    return error;
}
