/*
 * Certificate: see certificate.h.
 */
#include "src/edge/certificate.h"

#include <errno.h>
#include <stdlib.h>

#include "src/edge/edge.h"
#include "src/io/log.h"
#include "src/io/loop.h"

#define DAY_MS 86400000LL

struct certificate {
    struct edge *edge;       /* borrowed */
    struct loop_timer *next; /* owned */
};

static void look(void *arg)
{
    struct certificate *certificate = arg;
    int64_t left_ms = tls_server_expires_ms(certificate->edge->tls) - loop_wall_ms();
    if (left_ms < 0)
        log_error("edge", "the certificate has expired: browsers refuse it", "days=%lld",
                  (long long)(-left_ms / DAY_MS));
    else if (left_ms < CERTIFICATE_WARN_DAYS * DAY_MS)
        log_warning("edge", "the certificate expires soon: put another in its place and send SIGHUP",
                    "days=%lld", (long long)(left_ms / DAY_MS));
    loop_timer_arm(certificate->next, DAY_MS);
}

int certificate_create(struct edge *edge, struct certificate **ret_certificate)
{
    struct certificate *certificate = calloc(1, sizeof(*certificate));
    if (certificate == NULL)
        return -ENOMEM;
    certificate->edge = edge;
    int error = loop_timer_create(edge->loop, look, certificate, &certificate->next);
    if (error < 0) {
        free(certificate);
        return error;
    }
    look(certificate);
    *ret_certificate = certificate;
    return 0;
}

void certificate_look(struct certificate *certificate)
{
    look(certificate);
}

void certificate_destroy(struct certificate *certificate)
{
    if (certificate == NULL)
        return;
    loop_timer_destroy(certificate->next);
    free(certificate);
}
