/*
 * TLS: the two contexts of tls.h; sessions are in tls_session.c.
 */
#include "src/io/tls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/io/tls_config.h"

struct tls_server {
    char *certificate_path, *key_path; /* owned */
    struct tls_config *config;         /* one reference */
};

struct tls_client {
    struct tls_config *config; /* one reference */
};

int tls_server_create(const char *certificate_path, const char *key_path, struct tls_server **ret_server)
{
    struct tls_server *server = calloc(1, sizeof(*server));
    if (server == NULL)
        return -ENOMEM;
    server->certificate_path = strdup(certificate_path);
    server->key_path = strdup(key_path);
    int error = -ENOMEM;
    if (server->certificate_path != NULL && server->key_path != NULL)
        error = tls_server_reload(server);
    if (error < 0) {
        tls_server_destroy(server);
        return error;
    }
    *ret_server = server;
    return 0;
}

int tls_server_reload(struct tls_server *server)
{
    struct tls_config *fresh;
    int error = tls_config_create_server(server->certificate_path, server->key_path, &fresh);
    if (error < 0)
        return error;
    tls_config_unref(server->config);
    server->config = fresh;
    return 0;
}

void tls_server_fingerprint(const struct tls_server *server, uint8_t ret_fingerprint[TLS_FINGERPRINT_BYTES])
{
    tls_config_fingerprint(server->config, ret_fingerprint);
}

int64_t tls_server_expires_ms(const struct tls_server *server)
{
    return tls_config_expires_ms(server->config);
}

void tls_server_destroy(struct tls_server *server)
{
    if (server == NULL)
        return;
    tls_config_unref(server->config);
    free(server->certificate_path);
    free(server->key_path);
    free(server);
}

int tls_client_create(const uint8_t pin[TLS_FINGERPRINT_BYTES], struct tls_client **ret_client)
{
    struct tls_client *client = calloc(1, sizeof(*client));
    if (client == NULL)
        return -ENOMEM;
    int error = tls_config_create_client(pin, &client->config);
    if (error < 0) {
        free(client);
        return error;
    }
    *ret_client = client;
    return 0;
}

void tls_client_destroy(struct tls_client *client)
{
    if (client == NULL)
        return;
    tls_config_unref(client->config);
    free(client);
}

int tls_server_session(struct tls_server *server, int fd, struct tls_session **ret_session)
{
    return tls_session_create(server->config, fd, ret_session);
}

int tls_client_session(struct tls_client *client, int fd, struct tls_session **ret_session)
{
    return tls_session_create(client->config, fd, ret_session);
}
