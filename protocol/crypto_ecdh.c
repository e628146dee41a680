/*
 * Ephemeral ECDH on P-256 over mbedTLS. See crypto.h.
 */
#include "protocol/crypto.h"

#include <errno.h>
#include <stdlib.h>

#include <mbedtls/ecdh.h>
#include <mbedtls/ecp.h>

struct crypto_ecdh {
    mbedtls_ecp_group group;
    mbedtls_mpi secret;
    mbedtls_ecp_point point;
};

int crypto_ecdh_create(crypto_random *random, void *arg, struct crypto_ecdh **ret_ecdh)
{
    struct crypto_ecdh *ecdh = malloc(sizeof *ecdh);
    if (!ecdh)
        return -ENOMEM;
    mbedtls_ecp_group_init(&ecdh->group);
    mbedtls_mpi_init(&ecdh->secret);
    mbedtls_ecp_point_init(&ecdh->point);
    if (mbedtls_ecp_group_load(&ecdh->group, MBEDTLS_ECP_DP_SECP256R1) != 0 ||
        mbedtls_ecdh_gen_public(&ecdh->group, &ecdh->secret, &ecdh->point, random, arg) != 0) {
        crypto_ecdh_destroy(ecdh);
        return -EIO;
    }
    *ret_ecdh = ecdh;
    return 0;
}

void crypto_ecdh_public(const struct crypto_ecdh *ecdh, uint8_t out[CRYPTO_POINT_BYTES])
{
    size_t len;
    mbedtls_ecp_point_write_binary(&ecdh->group, &ecdh->point, MBEDTLS_ECP_PF_UNCOMPRESSED, &len, out,
                                   CRYPTO_POINT_BYTES);
}

int crypto_ecdh_agree(struct crypto_ecdh *ecdh, const uint8_t peer[CRYPTO_POINT_BYTES], crypto_random *random,
                      void *arg, uint8_t ret_secret[32])
{
    mbedtls_ecp_point point;
    mbedtls_mpi shared;
    int error = -EBADMSG;
    mbedtls_ecp_point_init(&point);
    mbedtls_mpi_init(&shared);
    if (peer[0] == 4 && mbedtls_ecp_point_read_binary(&ecdh->group, &point, peer, CRYPTO_POINT_BYTES) == 0 &&
        mbedtls_ecp_check_pubkey(&ecdh->group, &point) == 0) {
        error = mbedtls_ecdh_compute_shared(&ecdh->group, &shared, &point, &ecdh->secret, random, arg) == 0 &&
                        mbedtls_mpi_write_binary(&shared, ret_secret, 32) == 0
                    ? 0
                    : -EIO;
    }
    mbedtls_mpi_free(&shared);
    mbedtls_ecp_point_free(&point);
    return error;
}

void crypto_ecdh_destroy(struct crypto_ecdh *ecdh)
{
    if (!ecdh)
        return;
    mbedtls_ecp_point_free(&ecdh->point);
    mbedtls_mpi_free(&ecdh->secret);
    mbedtls_ecp_group_free(&ecdh->group);
    free(ecdh);
}
