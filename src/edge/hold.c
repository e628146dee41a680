/*
 * Hold: see hold.h.
 */
#include "src/edge/hold.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "protocol/json_write.h"
#include "src/edge/edge.h"
#include "src/edge/failure.h"
#include "src/edge/kilnd.h"
#include "src/io/http_server.h"

static void on_gone(void *arg)
{
    struct hold *hold = arg;
    hold->request = NULL;
}

static void refuse(const struct hold *hold, const struct rpc_answer *answer)
{
    bool heard = answer->error == 0;
    if (heard && hold->refused != NULL)
        hold->refused(hold);
    failure_answer(hold->request, failure_code(answer), heard ? answer->detail : NULL);
}

static void on_answer(void *arg, const struct rpc_answer *answer)
{
    struct hold *hold = arg;
    bool good = answer->error == 0 && answer->code == 0;
    if (hold->request != NULL)
        http_request_on_gone(hold->request, NULL, NULL);
    if (hold->request == NULL && good && hold->gone != NULL)
        hold->gone(hold);
    else if (hold->request != NULL && good)
        hold->fn(hold, answer);
    else if (hold->request != NULL)
        refuse(hold, answer);
    free(hold);
}

struct hold *hold_call(struct edge *edge, struct http_request *request, const char *method,
                       struct json_writer *params,
                       void (*fn)(struct hold *hold, const struct rpc_answer *answer))
{
    struct hold *hold = calloc(1, sizeof(*hold));
    if (hold == NULL) {
        json_writer_finish_wiped(params);
        failure_answer(request, CODE_UNAVAILABLE, NULL);
        return NULL;
    }
    *hold = (struct hold){.edge = edge, .request = request, .fn = fn};
    int error = kilnd_call(edge->kilnd, method, params, on_answer, hold);
    if (error < 0) {
        free(hold);
        /* What was sent is deeper than a message may be. */
        if (error == -EINVAL)
            failure_answer(request, CODE_BAD_PARAMETER, "body");
        else
            failure_answer(request, CODE_UNAVAILABLE, NULL);
        return NULL;
    }
    http_request_on_gone(request, on_gone, hold);
    return hold;
}
