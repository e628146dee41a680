/*
 * Inside of the owner API, for owner_*.c only.
 */
#ifndef KILN_CORE_OWNER_API_PRIVATE_H
#define KILN_CORE_OWNER_API_PRIVATE_H

#include "protocol/api_path.h"
#include "protocol/text.h"
#include "src/core/owner_api.h"
#include "src/core/session.h"

/* A request on its way through the checks. */
struct owner_request {
    struct owner_api *api; /* borrowed, as all below */
    struct ask *ask;
    const char *method, *path;    /* as signed */
    const char *peer;             /* the address as the edge has it; "" when it did not say */
    const char *signature_header; /* "" when there is none */
    struct bytes raw;             /* the body as signed */
    uint8_t token[SESSION_TOKEN_BYTES];
    bool has_token;
    struct api_path target;             /* what PATH says */
    const char *segment[API_STARS_MAX]; /* of target: what stood at the route's '*' */
    const char *after;                  /* of target, NULL when there is none */
    const struct json *body;            /* NULL when there is none */
};

/* What a route asks for. */
enum owner_access {
    OWNER_OPEN,    /* nothing */
    OWNER_SESSION, /* a session: reading, and what changes nothing */
    OWNER_SIGNED   /* a session, and the signature of its user */
};

struct owner_route {
    const char *method, *path; /* a pattern of api_path_fits */
    enum owner_access access;
    void (*handle)(struct owner_request *request); /* answers the ask */
};

/* Ends with a NULL method (owner_routes.c). */
extern const struct owner_route owner_routes[];

/* Log in (owner_login.c). */
void owner_login_challenge(struct owner_request *request);
void owner_login(struct owner_request *request);
void owner_login_destroy(struct owner_api *api);

struct held_back;

struct owner_api {
    struct verbs *verbs;    /* borrowed */
    struct rates *users;    /* owned: requests of each user */
    struct held_back *held; /* owned: failed log ins that are not yet answered */
    size_t nheld;
};

#endif
