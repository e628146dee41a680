/*
 * kiln: calls of control.sock, one connection each, which all pages of a list share.
 *
 * In: a method and its parameters. Out: the result, shown; or a failure, said. Kept: nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/cli/kiln.h"
#include "src/io/loop.h"
#include "src/io/rpc_socket.h"

struct call {
    const struct kiln *kiln;
    const char *method, *params;
    kiln_show *show; /* of the result */
    kiln_show *each; /* of notifications: goes on after the result */
    void *arg;
    struct pages *pages; /* borrowed; NULL: one answer is all */
    struct rpc_peer *peer;
    struct loop *loop;
    struct rpc_client *client;
    bool answered;
    int exit_code;
};

static bool ask_next_page(struct call *call, const struct json *result);

static void end(struct call *call, int exit_code)
{
    call->exit_code = exit_code;
    loop_stop(call->loop);
}

static int say_failure(const struct rpc_answer *answer)
{
    const char *name = json_text(json_member(answer->data, "code"));
    return cli_failure(name, answer->message, json_text(json_member(answer->data, "detail")));
}

static void on_answer(void *arg, const struct rpc_answer *answer)
{
    struct call *call = arg;
    call->answered = true;
    if (answer->error) {
        end(call, cli_unreachable_error("kilnd went away: %s", strerror(-answer->error)));
        return;
    }
    int exit_code = CLI_OK;
    /* Asked before this page is shown: kilnd makes the one while we print the other. */
    bool more = answer->result && call->pages && ask_next_page(call, answer->result);
    if (!answer->result)
        exit_code = say_failure(answer);
    else if (call->show)
        exit_code = call->show(call->kiln, answer->result, call->arg);
    if (exit_code != CLI_OK || !(call->each || more))
        end(call, exit_code);
}

static void ask(struct call *call)
{
    int error = rpc_call(call->peer, call->method, call->params, 0, on_answer, call);
    if (error)
        end(call, cli_local_error("%s: %s", call->method, strerror(-error)));
}

static void on_up(struct rpc_peer *peer, void *arg)
{
    struct call *call = arg;
    call->peer = peer;
    ask(call);
}

static void on_down(int error, void *arg)
{
    struct call *call = arg;
    if (!call->answered)
        end(call,
            cli_unreachable_error("kilnd cannot be reached at %s: %s", call->kiln->socket, strerror(-error)));
    else if (call->each)
        end(call, cli_unreachable_error("kilnd closed the connection"));
}

static void on_event(struct rpc_request *request, const struct json *params, void *arg)
{
    struct call *call = arg;
    rpc_reply(request, "{}");
    int exit_code = call->each ? call->each(call->kiln, params, call->arg) : CLI_OK;
    if (exit_code != CLI_OK)
        end(call, exit_code);
}

static const struct rpc_method notifications[] = {{"vm.event", on_event}, {NULL, NULL}};

static int run(struct call *call)
{
    struct rpc_client_options options = {
        .methods = notifications, .on_up = on_up, .on_down = on_down, .arg = call};
    int error = loop_create(&call->loop);
    if (error)
        return cli_local_error("no event loop: %s", strerror(-error));
    error = rpc_client_open(call->loop, call->kiln->socket, &options, &call->client);
    if (error) {
        call->exit_code = cli_unreachable_error("%s: %s", call->kiln->socket, strerror(-error));
    } else {
        loop_run(call->loop);
        call->answered = true;
        rpc_client_close(call->client);
    }
    loop_destroy(call->loop);
    fflush(stdout);
    return call->exit_code;
}

static int run_with(struct call *call, struct json_writer *params)
{
    int exit_code;
    if (params && json_writer_end(params))
        exit_code = cli_local_error("the parameters are too long");
    else {
        call->params = params ? params->text : "{}";
        exit_code = run(call);
    }
    if (params)
        json_writer_finish(params);
    return exit_code;
}

int kiln_call_shown(const struct kiln *kiln, const char *method, struct json_writer *params, kiln_show *show,
                    void *arg)
{
    struct call call = {.kiln = kiln, .method = method, .show = show, .arg = arg};
    return run_with(&call, params);
}

int kiln_call(const struct kiln *kiln, const char *method, struct json_writer *params, kiln_show *show,
              void *arg)
{
    return kiln_call_shown(kiln, method, params, kiln->json ? kiln_show_json : show, arg);
}

int kiln_follow(const struct kiln *kiln, const char *method, struct json_writer *params, kiln_show *each,
                void *arg)
{
    struct call call = {
        .kiln = kiln, .method = method, .each = kiln->json ? kiln_show_json : each, .arg = arg};
    return run_with(&call, params);
}

/* ---- pages ---- */

struct pages {
    const char *after; /* the parameter that says where a page begins */
    void (*write_params)(struct json_writer *params, void *arg);
    void *arg;
    struct json_writer params;
};

/* The parameters of the page that begins at FROM; NULL: of the first. */
static int page_params(struct pages *pages, const char *from)
{
    json_writer_finish(&pages->params);
    pages->params = json_writer_init(0);
    json_write_object_begin(&pages->params, NULL);
    if (pages->write_params)
        pages->write_params(&pages->params, pages->arg);
    if (from && strcmp(pages->after, "since") == 0)
        json_write_int(&pages->params, pages->after, strtoll(from, NULL, 10));
    else if (from)
        json_write_text(&pages->params, pages->after, from);
    json_write_object_end(&pages->params);
    return json_writer_end(&pages->params);
}

/* False when RESULT is the last page. */
static bool ask_next_page(struct call *call, const struct json *result)
{
    const char *next = json_text(json_member(result, "next"));
    if (!next)
        return false;
    if (page_params(call->pages, next)) {
        end(call, cli_local_error("the parameters are too long"));
        return true;
    }
    call->params = call->pages->params.text;
    ask(call);
    return true;
}

int kiln_call_pages(const struct kiln *kiln, const char *method, const char *after,
                    void (*write_params)(struct json_writer *params, void *arg), kiln_show *show, void *arg)
{
    struct pages pages = {
        .after = after, .write_params = write_params, .arg = arg, .params = json_writer_init(0)};
    struct call call = {.kiln = kiln,
                        .method = method,
                        .show = kiln->json ? kiln_show_json : show,
                        .arg = arg,
                        .pages = &pages};
    int exit_code = page_params(&pages, NULL) ? cli_local_error("the parameters are too long") : CLI_OK;
    if (exit_code == CLI_OK) {
        call.params = pages.params.text;
        exit_code = run(&call);
    }
    json_writer_finish(&pages.params);
    return exit_code;
}

/* ---- parameters and results ---- */

struct json_writer kiln_params(const char *key, const char *value)
{
    struct json_writer params = json_writer_init(0);
    json_write_object_begin(&params, NULL);
    if (value)
        json_write_text(&params, key, value);
    json_write_object_end(&params);
    return params;
}

int kiln_show_json(const struct kiln *kiln, const struct json *result, void *arg)
{
    struct json_writer out = json_writer_init(0);
    (void)kiln;
    (void)arg;
    json_write_value(&out, NULL, result);
    if (json_writer_end(&out) == 0)
        cli_print_json(out.text);
    json_writer_finish(&out);
    fflush(stdout);
    return CLI_OK;
}

int kiln_show_lines(const struct kiln *kiln, const struct json *result, void *arg)
{
    const struct json *objects = json_member(result, arg);
    for (size_t i = 0; i < json_count(objects); i++)
        kiln_show_json(kiln, json_at(objects, i), NULL);
    return CLI_OK;
}

const char *kiln_text(const struct json *object, const char *key)
{
    const char *text = json_text(json_member(object, key));
    return text && *text ? text : "-";
}

int64_t kiln_int(const struct json *object, const char *key)
{
    int64_t value = 0;
    json_int(json_member(object, key), &value);
    return value;
}
