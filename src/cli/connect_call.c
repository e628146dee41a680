/*
 * kiln-connect: requests of the owner API, one after another. In: method, path, body. Out: the answer's JSON.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/login.h"
#include "src/cli/connect.h"
#include "src/io/http_client.h"
#include "src/io/loop.h"
#include "src/io/ws.h"

enum { HEADERS_BYTES = 1024, PATH_BYTES = 512, PAGES_MAX = 10000 };

void connect_wait(struct connect *connect, const bool *done)
{
    while (!*done)
        loop_step(connect->loop, true);
}

static void on_time(void *arg)
{
    *(bool *)arg = true;
}

void connect_pause(struct connect *connect, uint64_t delay_ms)
{
    bool done = false;
    struct loop_timer *timer;
    if (loop_timer_create(connect->loop, on_time, &done, &timer) < 0)
        return;
    loop_timer_arm(timer, delay_ms);
    connect_wait(connect, &done);
    loop_timer_destroy(timer);
}

/* What came back. */
struct reply {
    bool done;
    int error, status;
    struct json *body; /* NULL when it is no JSON */
};

static void on_answer(void *arg, const struct http_answer *answer)
{
    struct reply *reply = arg;
    reply->done = true;
    reply->error = answer->error;
    if (answer->error)
        return;
    reply->status = answer->status;
    if (json_parse(answer->body, answer->body_bytes, &json_limits_channel, &reply->body) < 0)
        reply->body = NULL;
}

static int sign_request(struct connect *connect, const char *method, const char *path, const char *body,
                        char *header, size_t max)
{
    struct request_signature signature;
    char value[REQUEST_HEADER_MAX];
    struct request_target target = {
        connect->identity_fingerprint, method, path, {(const uint8_t *)body, strlen(body)}};
    int error =
        request_signature_sign(connect->key, connect_random, NULL, &target, loop_wall_ms(), &signature);
    if (error)
        return error;
    request_signature_format(&signature, value);
    snprintf(header, max, "Kiln-Signature: %s\r\n", value);
    return 0;
}

int connect_ask(struct connect *connect, const char *method, const char *path, const char *body, bool sign,
                int *ret_status, struct json **ret_body)
{
    char headers[HEADERS_BYTES + REQUEST_HEADER_MAX], authorization[128] = "",
                                                      signature[REQUEST_HEADER_MAX + 32] = "";
    struct reply reply = {.done = false};
    struct http_call *call;
    const char *content = body ? body : "";
    if (connect->token[0])
        snprintf(authorization, sizeof authorization, "Authorization: Bearer %s\r\n", connect->token);
    if (sign && sign_request(connect, method, path, content, signature, sizeof signature) < 0)
        return cli_local_error("the request cannot be signed");
    snprintf(headers, sizeof headers, "%s%s%s", authorization, signature,
             body ? "Content-Type: application/json\r\n" : "");
    struct http_client_request request = {.method = method,
                                          .host = connect->host,
                                          .port = connect->port,
                                          .target = path,
                                          .headers = headers,
                                          .body = content,
                                          .body_bytes = strlen(content),
                                          .body_fd = -1};
    int error = http_client_call(connect->loop, connect->tls, &request, on_answer, &reply, &call);
    if (!error)
        connect_wait(connect, &reply.done);
    if (error || reply.error)
        return cli_unreachable_error("%s:%u: %s", connect->host, connect->port,
                                     strerror(error ? -error : -reply.error));
    if (!reply.body)
        return cli_unreachable_error("%s:%u answers %d with no JSON", connect->host, connect->port,
                                     reply.status);
    *ret_status = reply.status;
    *ret_body = reply.body;
    return CLI_OK;
}

int connect_say_refusal(int status, const struct json *body)
{
    const struct json *error = json_member(body, "error");
    char words[64];
    snprintf(words, sizeof words, "the host answers %d", status);
    const char *name = connect_text(error, "code"), *message = connect_text(error, "message");
    return cli_failure(*name ? name : NULL, *message ? message : words, connect_text(error, "detail"));
}

int connect_say_close(const struct ws_close *close, const char *what)
{
    struct json *body = NULL;
    if (close->http_body)
        (void)json_parse(close->http_body, strlen(close->http_body), NULL, &body);
    int exit_code;
    if (close->http_status)
        exit_code = connect_say_refusal(close->http_status, body);
    else if (close->error)
        exit_code = cli_unreachable_error("%s: %s", what, strerror(-close->error));
    else
        exit_code =
            cli_unreachable_error("%s ended (%d %s)", what, close->code, close->reason ? close->reason : "");
    json_destroy(body);
    return exit_code;
}

int connect_call(struct connect *connect, const char *method, const char *path, const char *body, bool sign,
                 struct json **ret_body)
{
    struct json *answer = NULL;
    int status = 0;
    int exit_code = connect_ask(connect, method, path, body, sign, &status, &answer);
    if (exit_code != CLI_OK)
        return exit_code;
    if (status >= 300)
        exit_code = connect_say_refusal(status, answer);
    if (exit_code == CLI_OK && ret_body)
        *ret_body = answer;
    else
        json_destroy(answer);
    return exit_code;
}

/* Writes the path of the page behind AFTER; only what a name, id or number is made of goes into a query. */
static bool page_path(const char *path, const char *after, char out[PATH_BYTES])
{
    if (after[strspn(after, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:")])
        return false;
    int len = snprintf(out, PATH_BYTES, "%s%s%s", path, *after ? "?after=" : "", after);
    return len > 0 && len < PATH_BYTES;
}

int connect_each_of(struct connect *connect, const char *path, const char *key, connect_each *each, void *arg)
{
    char page[PATH_BYTES], after[128] = "";
    for (int pages = 0; pages < PAGES_MAX && page_path(path, after, page); pages++) {
        struct json *answer;
        int exit_code = connect_call(connect, "GET", page, NULL, false, &answer);
        if (exit_code != CLI_OK)
            return exit_code;
        const struct json *list = json_member(answer, key);
        for (size_t i = 0; exit_code == CLI_OK && i < json_count(list); i++)
            exit_code = each(connect, json_at(list, i), arg);
        const char *next = json_text(json_member(answer, "next"));
        snprintf(after, sizeof after, "%s", next ? next : "");
        json_destroy(answer);
        if (exit_code != CLI_OK || !*after)
            return exit_code;
    }
    return cli_unreachable_error("the host's list has no end");
}

const char *connect_text(const struct json *object, const char *key)
{
    const struct json *value = json_member(object, key);
    return json_is_text(value) ? json_text(value) : "";
}

const char *connect_shown(const struct json *object, const char *key)
{
    const char *text = connect_text(object, key);
    return *text ? text : "-";
}

int64_t connect_int(const struct json *object, const char *key)
{
    int64_t number;
    return json_int(json_member(object, key), &number) == 0 ? number : 0;
}

void connect_print_json(const struct json *value)
{
    struct json_writer out = json_writer_init(0);
    json_write_value(&out, NULL, value);
    cli_print_json(out.text);
    json_writer_finish(&out);
}
