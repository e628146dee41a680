/*
 * kiln-connect web: passing on. connect_pass.h says what it does.
 */
#include "src/cli/connect_pass.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/api_failure.h"
#include "protocol/json_write.h"
#include "protocol/login.h"
#include "src/cli/connect.h"
#include "src/io/http_client.h"
#include "src/io/http_server.h"
#include "src/io/ws.h"

enum { HEADERS_BYTES = 8192, BUFFER_BYTES = 262144 };

void connect_pass_refuse(struct http_request *request, enum kiln_code code, const char *detail)
{
    const struct code_info *info = code_info(code);
    struct json_writer body = json_writer_init(0);
    api_failure_write(&body, code, detail);
    http_request_add_header(request, "Cache-Control", "no-store");
    http_answer(request, info->http_status, "application/json", body.text, body.len);
    json_writer_finish(&body);
}

/* Why the edge cannot be asked. */
static void refuse_for(struct http_request *request, int error)
{
    if (error == -EKEYREJECTED)
        connect_pass_refuse(request, CODE_IDENTITY_CHANGED,
                            "the edge's certificate is not the one that was checked");
    else
        connect_pass_refuse(request, CODE_UNAVAILABLE, strerror(-error));
}

/* ---- requests ---- */

struct pass {
    struct http_request *request; /* borrowed: to be answered */
    struct http_call *call;       /* owned */
};

/* Adds the request's field NAME, if it is there. False when there is no room. */
static bool copy_field(const struct http_head *head, const char *name, char *headers)
{
    const char *value = http_head_field(head, name);
    size_t len = strlen(headers);
    if (value == NULL)
        return true;
    return snprintf(headers + len, HEADERS_BYTES - len, "%s: %s\r\n", name, value) <
           (int)(HEADERS_BYTES - len);
}

static void give_back(struct http_request *request, const struct http_head *head, const char *name)
{
    const char *value = http_head_field(head, name);
    if (value != NULL)
        http_request_add_header(request, name, value);
}

/* Whether the API has such answers. Bytes behind a status that has no body would be the browser's next
 * answer, which may be to a request for a script. */
static bool is_of_api(int status)
{
    return status == 200 || status == 201 || status >= 400;
}

/* An edge that was taken over says what it likes, under the address that the page trusts as its own: it is
 * data, and never a page or a script. */
static void on_answer(void *arg, const struct http_answer *answer)
{
    struct pass *pass = arg;
    struct http_request *request = pass->request;
    http_request_on_gone(request, NULL, NULL);
    free(pass);
    if (answer->error < 0 || !is_of_api(answer->status)) {
        refuse_for(request, answer->error < 0 ? answer->error : -EPROTO);
        return;
    }
    give_back(request, answer->head, "Retry-After");
    http_request_add_header(request, "Cache-Control", "no-store");
    http_answer(request, answer->status, "application/json", answer->body, answer->body_bytes);
}

static void on_gone(void *arg)
{
    struct pass *pass = arg;
    http_call_cancel(pass->call);
    free(pass);
}

void connect_pass_request(struct connect *connect, struct http_request *request)
{
    const struct http_head *head = http_request_head(request);
    char headers[HEADERS_BYTES] = "";
    struct http_client_request ask = {.method = head->method,
                                      .host = connect->host,
                                      .port = connect->port,
                                      .target = head->target,
                                      .headers = headers,
                                      .body_fd = -1};
    ask.body = http_request_body(request, &ask.body_bytes);
    struct pass *pass = calloc(1, sizeof *pass);
    bool whole = copy_field(head, "Authorization", headers) && copy_field(head, "Kiln-Signature", headers) &&
                 copy_field(head, "Content-Type", headers);
    int error = pass == NULL || !whole ? -ENOMEM : 0;
    if (error == 0) {
        pass->request = request;
        error = http_client_call(connect->loop, connect->tls, &ask, on_answer, pass, &pass->call);
    }
    crypto_wipe(headers, sizeof headers);
    if (error < 0) {
        free(pass);
        refuse_for(request, error);
        return;
    }
    http_request_on_gone(request, on_gone, pass);
}

/* ---- WebSockets ---- */

struct duct;

struct duct_end {
    struct duct *duct; /* borrowed */
    struct ws *ws;     /* owned; NULL: not open yet */
};

struct duct {
    struct connect_ducts *ducts; /* borrowed */
    struct duct *previous, *next;
    struct http_request *request; /* borrowed: the page's, until it is accepted */
    struct duct_end page, edge;
    bool named; /* the page offered "kiln.v1" */
};

static struct duct *make_duct(struct connect_ducts *ducts)
{
    struct duct *duct = calloc(1, sizeof *duct);
    if (duct == NULL)
        return NULL;
    duct->ducts = ducts;
    duct->page.duct = duct->edge.duct = duct;
    duct->next = ducts->first;
    if (duct->next != NULL)
        duct->next->previous = duct;
    ducts->first = duct;
    return duct;
}

static void free_duct(struct duct *duct)
{
    if (duct->previous != NULL)
        duct->previous->next = duct->next;
    else
        duct->ducts->first = duct->next;
    if (duct->next != NULL)
        duct->next->previous = duct->previous;
    free(duct);
}

void connect_ducts_finish(struct connect_ducts *ducts)
{
    while (ducts->first != NULL) {
        struct duct *duct = ducts->first;
        if (duct->request != NULL)
            http_request_on_gone(duct->request, NULL, NULL);
        ws_close(duct->page.ws, WS_ABNORMAL, NULL);
        ws_close(duct->edge.ws, WS_ABNORMAL, NULL);
        free_duct(duct);
    }
}

static struct duct_end *sister(struct duct_end *end)
{
    return end == &end->duct->page ? &end->duct->edge : &end->duct->page;
}

static void on_message(void *arg, enum ws_kind kind, const void *bytes, size_t len_bytes)
{
    struct duct_end *end = arg, *other = sister(end);
    ws_send(other->ws, kind, bytes, len_bytes);
    if (ws_queued_bytes(other->ws) > BUFFER_BYTES)
        ws_pause(end->ws);
}

static void on_drained(void *arg)
{
    struct duct_end *end = arg;
    if (sister(end)->ws != NULL)
        ws_resume(sister(end)->ws);
}

/* The edge refused, or cannot be reached: the page's request is answered instead. */
static void refuse_upgrade(struct http_request *request, const struct ws_close *close)
{
    http_request_on_gone(request, NULL, NULL);
    if (close->http_status >= 400 && close->http_body != NULL)
        http_answer(request, close->http_status, "application/json", close->http_body,
                    strlen(close->http_body));
    else
        refuse_for(request, close->error < 0 ? close->error : -ECONNRESET);
}

static void on_close(void *arg, const struct ws_close *close)
{
    struct duct_end *end = arg;
    struct duct *duct = end->duct;
    if (duct->request != NULL)
        refuse_upgrade(duct->request, close);
    else
        ws_close(sister(end)->ws, ws_code_passed_on(close->code), close->reason);
    free_duct(duct);
}

static void on_asker_gone(void *arg)
{
    struct duct *duct = arg;
    ws_close(duct->edge.ws, WS_ABNORMAL, NULL);
    free_duct(duct);
}

/* The edge has accepted: now the page's is too. */
static void on_open(void *arg)
{
    static const struct ws_ops ops = {
        .on_message = on_message, .on_drained = on_drained, .on_close = on_close};
    struct duct *duct = ((struct duct_end *)arg)->duct;
    struct http_request *request = duct->request;
    const struct ws_options options = {.protocol = duct->named ? "kiln.v1" : NULL};
    http_request_on_gone(request, NULL, NULL);
    duct->request = NULL;
    if (ws_accept(request, &options, &ops, &duct->page, &duct->page.ws) == 0)
        return;
    connect_pass_refuse(request, CODE_BAD_PARAMETER, "Upgrade");
    ws_close(duct->edge.ws, WS_GOING_AWAY, NULL);
    free_duct(duct);
}

static int dial(struct connect *connect, const struct http_head *head, struct duct *duct)
{
    static const struct ws_ops ops = {
        .on_open = on_open, .on_message = on_message, .on_drained = on_drained, .on_close = on_close};
    char token[LOGIN_TOKEN_TEXT], headers[LOGIN_TOKEN_TEXT + 32] = "";
    const char *offer = http_head_field(head, "Sec-WebSocket-Protocol");
    login_token_find(http_head_field(head, "Authorization"), offer, token);
    if (token[0] != '\0')
        snprintf(headers, sizeof headers, "Authorization: Bearer %s\r\n", token);
    const struct ws_target target = {
        .host = connect->host, .port = connect->port, .target = head->target, .headers = headers};
    int error = ws_connect(connect->loop, connect->tls, &target, NULL, &ops, &duct->edge, &duct->edge.ws);
    crypto_wipe(token, sizeof token);
    crypto_wipe(headers, sizeof headers);
    return error;
}

void connect_pass_websocket(struct connect *connect, struct connect_ducts *ducts,
                            struct http_request *request)
{
    const struct http_head *head = http_request_head(request);
    struct duct *duct = make_duct(ducts);
    if (duct == NULL) {
        refuse_for(request, -ENOMEM);
        return;
    }
    duct->request = request;
    duct->named = http_head_has_token(head, "Sec-WebSocket-Protocol", "kiln.v1");
    int error = dial(connect, head, duct);
    if (error < 0) {
        free_duct(duct);
        refuse_for(request, error);
        return;
    }
    http_request_on_gone(request, on_asker_gone, duct);
}
