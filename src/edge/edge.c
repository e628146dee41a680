/*
 * Edge: see edge.h. Opens the parts in the order in which they need each other and closes them in reverse.
 */
#include "src/edge/edge.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/edge/bridges.h"
#include "src/edge/certificate.h"
#include "src/edge/events.h"
#include "src/edge/guest_api.h"
#include "src/edge/kilnd.h"
#include "src/edge/limits.h"
#include "src/edge/links.h"
#include "src/edge/owner_api.h"
#include "src/edge/relays.h"
#include "src/io/http_server.h"
#include "src/io/known.h"
#include "src/io/log.h"
#include "src/io/rates.h"

#define CONNECTIONS_MAX 1024
#define GUEST_CONNECTIONS_PER_ADDRESS_MAX 32
#define OWNER_CONNECTIONS_PER_ADDRESS_MAX 128
/* A handshake costs some 3 ms of a core. An institute behind one address, or a page with its files, takes a
 * burst. */
#define ADDRESS_HANDSHAKES_PER_SECOND 100
#define ADDRESS_HANDSHAKES_BURST 512
#define STRANGERS_PER_SECOND 200
#define STRANGERS_BURST 512
/* Log in takes two; nothing else needs a request without a session. A guest needs four, and then its link. */
#define STRANGER_REQUESTS_PER_SECOND 40
#define STRANGER_REQUESTS_BURST 240
/* A guest keeps one link; each that comes and goes is two entries in the audit, for ever. */
#define RELINKS_PER_SECOND 1
#define RELINKS_BURST 60
#define ADDRESSES_KNOWN_MAX 1024
#define KNOWN_MS (15 * 60 * 1000) /* as a session that is not used */
#define HANDSHAKE_TIMEOUT_MS 10000
#define REQUEST_TIMEOUT_MS 30000
#define IDLE_TIMEOUT_MS 60000

/* Makes the certificate on the first start; an operator may put another one in its place. */
static int open_tls(struct edge *edge)
{
    char certificate[512], key[512];
    const char *folder = edge->config->edge_state_dir;
    if (snprintf(certificate, sizeof(certificate), "%s/tls.crt", folder) >= (int)sizeof(certificate) ||
        snprintf(key, sizeof(key), "%s/tls.key", folder) >= (int)sizeof(key))
        return -ENAMETOOLONG;
    int error = 0;
    if (access(certificate, F_OK) < 0 && errno == ENOENT) {
        error = tls_certificate_make(certificate, key, "kiln-edge");
        log_info("edge", "made a certificate", "path=%s error=%d", certificate, -error);
    }
    if (error == 0)
        error = tls_server_create(certificate, key, &edge->tls);
    if (error < 0) {
        log_error("edge", "no certificate and key that fit", "certificate=%s key=%s error=%d", certificate,
                  key, -error);
        return error;
    }
    tls_server_fingerprint(edge->tls, edge->fingerprint);
    return 0;
}

static int open_folder(const char *path)
{
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        log_warning("edge", "no folder to serve from", "path=%s error=%d", path, errno);
    return fd;
}

static int open_server(struct edge *edge, const struct http_server_config *config, const char *address,
                       struct http_server **ret_server)
{
    int error = http_server_create(edge->loop, config, ret_server);
    if (error == 0)
        error = http_server_listen(*ret_server, address, NULL);
    if (error < 0)
        log_error("edge", "cannot listen", "address=%s error=%d words=%s", address, -error, strerror(-error));
    else
        log_info("edge", "listening", "address=%s", address);
    return error;
}

static struct http_server_config server_config(struct edge *edge)
{
    return (struct http_server_config){.tls = edge->tls,
                                       .arg = edge,
                                       .connections_max = CONNECTIONS_MAX,
                                       .makes_room = true,
                                       .handshake_timeout_ms = HANDSHAKE_TIMEOUT_MS,
                                       .request_timeout_ms = REQUEST_TIMEOUT_MS,
                                       .idle_timeout_ms = IDLE_TIMEOUT_MS};
}

static int open_servers(struct edge *edge)
{
    struct http_server_config guest = server_config(edge);
    guest.routes = guest_routes;
    guest.nroutes = nguest_routes;
    guest.connections_per_address_max = GUEST_CONNECTIONS_PER_ADDRESS_MAX;
    guest.address_rate = edge->guest_handshakes;
    guest.strangers_rate = edge->guest_strangers;
    struct http_server_config owner = server_config(edge);
    owner.routes = owner_routes_http;
    owner.nroutes = nowner_routes_http;
    owner.common_headers = owner_headers;
    owner.connections_per_address_max = OWNER_CONNECTIONS_PER_ADDRESS_MAX;
    owner.known = edge->known;
    owner.address_rate = edge->owner_handshakes;
    owner.strangers_rate = edge->owner_strangers;
    int error = open_server(edge, &guest, edge->config->guest_listen, &edge->guest_server);
    if (error == 0)
        error = open_server(edge, &owner, edge->config->owner_listen, &edge->owner_server);
    return error;
}

static int create_rates(struct edge *edge)
{
    const struct rates_config address = {ADDRESS_HANDSHAKES_PER_SECOND, ADDRESS_HANDSHAKES_BURST,
                                         ADDRESSES_KNOWN_MAX};
    const struct rates_config all = {STRANGERS_PER_SECOND, STRANGERS_BURST, 1};
    const struct rates_config strangers = {STRANGER_REQUESTS_PER_SECOND, STRANGER_REQUESTS_BURST,
                                           ADDRESSES_KNOWN_MAX};
    const struct rates_config relinks = {RELINKS_PER_SECOND, RELINKS_BURST, ADDRESSES_KNOWN_MAX};
    int error = rates_create(&address, &edge->guest_handshakes);
    if (error == 0)
        error = rates_create(&address, &edge->owner_handshakes);
    if (error == 0)
        error = rates_create(&all, &edge->guest_strangers);
    if (error == 0)
        error = rates_create(&all, &edge->owner_strangers);
    if (error == 0)
        error = rates_create(&strangers, &edge->strangers);
    if (error == 0)
        error = rates_create(&strangers, &edge->guests);
    if (error == 0)
        error = rates_create(&relinks, &edge->relinks);
    return error == 0 ? known_create(ADDRESSES_KNOWN_MAX, KNOWN_MS, &edge->known) : error;
}

static int open_bridges(struct edge *edge)
{
    const char *address = edge->config->bridge_listen;
    int error = bridges_open(edge, address, &edge->bridges);
    if (error < 0)
        log_error("edge", "cannot listen", "address=%s error=%d words=%s", address, -error, strerror(-error));
    else
        log_info("edge", "listening for bridges", "address=%s", address);
    return error;
}

static int open_kilnd(struct edge *edge)
{
    char path[512];
    if (snprintf(path, sizeof(path), "%s/edge.sock", edge->config->run_dir) >= (int)sizeof(path))
        return -ENAMETOOLONG;
    return kilnd_open(edge, path, &edge->kilnd);
}

int edge_open(struct edge *edge, struct loop *loop, const struct config *config)
{
    *edge = (struct edge){.loop = loop, .config = config, .web_fd = -1, .release_fd = -1};
    int error = open_tls(edge);
    if (error == 0)
        error = certificate_create(edge, &edge->certificate);
    if (error == 0)
        error = limits_create(&edge->limits);
    if (error == 0)
        error = create_rates(edge);
    if (error == 0)
        error = links_create(edge, &edge->links);
    if (error == 0)
        error = relays_create(edge, &edge->relays);
    if (error == 0)
        error = events_create(edge, &edge->events);
    if (error == 0)
        error = open_bridges(edge);
    if (error == 0)
        error = open_servers(edge);
    if (error == 0)
        error = open_kilnd(edge);
    if (error < 0) {
        edge_close(edge);
        return error;
    }
    edge->web_fd = open_folder(config->web_dir);
    edge->release_fd = open_folder(config->release_dir);
    return 0;
}

void edge_reload(struct edge *edge)
{
    int error = tls_server_reload(edge->tls);
    if (error < 0) {
        log_error("edge", "the certificate and key in place do not fit; the old ones stay", "error=%d",
                  -error);
        return;
    }
    tls_server_fingerprint(edge->tls, edge->fingerprint);
    log_info("edge", "took certificate and key anew", "%s", "");
    certificate_look(edge->certificate);
    /* It signs the fingerprint that clients compare. */
    kilnd_greet(edge->kilnd);
}

static void close_folder(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void edge_close(struct edge *edge)
{
    /* Kilnd first: calls that wait for it end, and their requests get an answer. */
    kilnd_close(edge->kilnd);
    edge->kilnd = NULL;
    http_server_destroy(edge->owner_server);
    http_server_destroy(edge->guest_server);
    bridges_close(edge->bridges);
    events_destroy(edge->events);
    relays_destroy(edge->relays);
    links_destroy(edge->links);
    limits_destroy(edge->limits);
    certificate_destroy(edge->certificate);
    rates_destroy(edge->guest_handshakes);
    rates_destroy(edge->owner_handshakes);
    rates_destroy(edge->guest_strangers);
    rates_destroy(edge->owner_strangers);
    rates_destroy(edge->strangers);
    rates_destroy(edge->guests);
    rates_destroy(edge->relinks);
    known_destroy(edge->known);
    tls_server_destroy(edge->tls);
    close_folder(&edge->web_fd);
    close_folder(&edge->release_fd);
    *edge = (struct edge){.web_fd = -1, .release_fd = -1};
}
