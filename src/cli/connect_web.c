/*
 * kiln-connect web: the owner's page from this machine (protocol/README 8.7), so that an edge which was taken
 * over cannot change the code that handles the key.
 *
 * In: a folder with the page's files. Out: the page and the edge's API on a port of loopback; a browser that
 * shows it. Kept: the gate's secrets, while it runs; a file that leads the browser to the first address,
 * until that was used.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "protocol/api_path.h"
#include "protocol/json_write.h"
#include "src/cli/common_file.h"
#include "src/cli/connect.h"
#include "src/cli/connect_gate.h"
#include "src/cli/connect_pass.h"
#include "src/io/http_parse.h"
#include "src/io/http_server.h"
#include "src/io/loop.h"
#include "src/io/page.h"
#include "src/io/random.h"
#include "src/io/ws.h"

#define FILES_FOLDER "/usr/share/kiln/web"
#define LEADER_FILE "web.html"

enum {
    BODY_BYTES = 65536,
    CONNECTIONS_MAX = 256,
    REQUEST_TIMEOUT_MS = 30000,
    IDLE_TIMEOUT_MS = 60000,
    URL_BYTES = 160
};

struct web {
    struct connect *connect; /* borrowed */
    struct connect_gate gate;
    struct connect_ducts ducts;
    struct http_server *server; /* owned */
    int files_fd;               /* owned */
    bool led;                   /* the file that leads to the first address is there */
    bool done;
};

static void remove_leader(struct web *web)
{
    char path[CONNECT_PATH_BYTES];
    if (!web->led)
        return;
    connect_path(web->connect, LEADER_FILE, path);
    unlink(path);
    web->led = false;
}

/* The first address, exchanged for the cookie. Whoever was led there by a file is led on by the page itself:
 * a redirection would still count as the file's, and browsers send the cookie to nobody from elsewhere. */
static void begin(struct web *web, struct http_request *request)
{
    /* A page that names no icon has the browser ask for one. */
    static const char body[] =
        "<!doctype html><title>Kiln</title><link rel=\"icon\" href=\"data:,\"><a href=\"/\">Kiln</a>";
    char cookie[160];
    const char *site = http_head_field(http_request_head(request), "Sec-Fetch-Site");
    bool led = site != NULL && strcmp(site, "none") != 0;
    snprintf(cookie, sizeof cookie, "%s=%s; HttpOnly; SameSite=Strict; Path=/", web->gate.name,
             web->gate.cookie);
    http_request_add_header(request, "Set-Cookie", cookie);
    http_request_add_header(request, "Cache-Control", "no-store");
    http_request_add_header(request, led ? "Refresh" : "Location", led ? "0; url=/" : "/");
    http_answer(request, led ? 200 : 303, "text/html; charset=utf-8", body, sizeof body - 1);
    crypto_wipe(cookie, sizeof cookie);
    remove_leader(web);
}

static void go_home(struct http_request *request)
{
    http_request_add_header(request, "Location", "/");
    http_request_add_header(request, "Cache-Control", "no-store");
    http_answer(request, 303, NULL, NULL, 0);
}

/* Whom the page came from (README 8.6). */
static void tell_origin(struct web *web, struct http_request *request)
{
    const struct connect *connect = web->connect;
    struct json_writer body = json_writer_init(0);
    bool v6 = strchr(connect->host, ':') != NULL;
    json_write_object_begin(&body, NULL);
    json_write_text(&body, "served_by", "kiln-connect");
    json_write_text(&body, "version", KILN_VERSION);
    json_write_format(&body, "edge", "https://%s%s%s:%u", v6 ? "[" : "", connect->host, v6 ? "]" : "",
                      (unsigned)connect->port);
    json_write_hex(&body, "identity", connect->identity_fingerprint, CRYPTO_HASH_BYTES);
    json_write_object_end(&body);
    http_request_add_header(request, "Cache-Control", "no-store");
    http_answer(request, 200, "application/json", body.text, body.len);
    json_writer_finish(&body);
}

static void serve_file(struct web *web, struct http_request *request)
{
    const struct http_head *head = http_request_head(request);
    char file[API_FILE_BYTES];
    if (strcmp(head->method, "GET") != 0 && strcmp(head->method, "HEAD") != 0)
        connect_pass_refuse(request, CODE_METHOD_NOT_ALLOWED, head->method);
    else if (api_file_parse(head->target, file) < 0 || page_answer(request, web->files_fd, file) < 0)
        connect_pass_refuse(request, CODE_NOT_FOUND, "");
}

static void serve(struct web *web, struct http_request *request, bool websocket)
{
    const char *path = http_request_head(request)->path;
    if (strcmp(path, "/v1/origin") == 0)
        tell_origin(web, request);
    else if (strncmp(path, "/v1/", 4) != 0)
        serve_file(web, request);
    else if (websocket)
        connect_pass_websocket(web->connect, &web->ducts, request);
    else
        connect_pass_request(web->connect, request);
}

static void handle_any(struct http_request *request, void *arg)
{
    struct web *web = arg;
    bool websocket = ws_is_upgrade(request);
    switch (connect_gate_judge(&web->gate, http_request_head(request), websocket)) {
    case GATE_BEGIN:
        begin(web, request);
        return;
    case GATE_HOME:
        go_home(request);
        return;
    case GATE_PASS:
        serve(web, request, websocket);
        return;
    case GATE_REFUSED:
        break;
    }
    connect_pass_refuse(
        request, CODE_NOT_ALLOWED,
        "this is kiln-connect's own page: open the address that it printed, once; run it again for "
        "another");
}

static int open_server(struct web *web, const char *port_text)
{
    static const struct http_route routes[] = {{NULL, "/*", BODY_BYTES, handle_any}};
    const struct http_server_config config = {.routes = routes,
                                              .nroutes = 1,
                                              .arg = web,
                                              .common_headers = PAGE_HEADERS,
                                              .connections_max = CONNECTIONS_MAX,
                                              .connections_per_address_max = CONNECTIONS_MAX,
                                              .handshake_timeout_ms = REQUEST_TIMEOUT_MS,
                                              .request_timeout_ms = REQUEST_TIMEOUT_MS,
                                              .idle_timeout_ms = IDLE_TIMEOUT_MS};
    uint8_t first[GATE_SECRET_BYTES], cookie[GATE_SECRET_BYTES];
    char address[32];
    uint16_t port = 0;
    snprintf(address, sizeof address, "127.0.0.1:%s", port_text ? port_text : "0");
    int error = http_server_create(web->connect->loop, &config, &web->server);
    if (error == 0)
        error = http_server_listen(web->server, address, &port);
    if (error < 0)
        return cli_local_error("%s: %s", address, strerror(-error));
    random_fill(first, sizeof first);
    random_fill(cookie, sizeof cookie);
    connect_gate_init(&web->gate, port, first, cookie);
    crypto_wipe(first, sizeof first);
    crypto_wipe(cookie, sizeof cookie);
    return CLI_OK;
}

/* The browser is given a file, not the address: arguments are everybody's to read. */
static void open_browser(struct web *web, const char *url)
{
    char path[CONNECT_PATH_BYTES], text[URL_BYTES + 128];
    char *const argv[] = {"xdg-open", path, NULL};
    pid_t pid;
    connect_path(web->connect, LEADER_FILE, path);
    int len = snprintf(text, sizeof text,
                       "<!doctype html><meta http-equiv=\"refresh\" content=\"0; url=%s\">\n", url);
    web->led = cli_file_write(path, text, (size_t)len, false) == 0;
    crypto_wipe(text, sizeof text);
    /* Whoever opens browsers need not be waited for. */
    signal(SIGCHLD, SIG_IGN);
    if (web->led && posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ) != 0)
        remove_leader(web);
}

static void on_end(int signo, void *arg)
{
    (void)signo;
    ((struct web *)arg)->done = true;
}

static int run(struct web *web, bool open)
{
    char url[URL_BYTES];
    struct loop *loop = web->connect->loop;
    snprintf(url, sizeof url, "http://%s" GATE_START "%s", web->gate.host, web->gate.first);
    loop_on_signal(loop, SIGINT, on_end, web);
    loop_on_signal(loop, SIGTERM, on_end, web);
    loop_on_signal(loop, SIGHUP, on_end, web);
    printf("%s\n", url);
    fflush(stdout);
    fprintf(stderr, "Open this address, once, in a browser on this machine. Ctrl-C ends it.\n");
    if (open)
        open_browser(web, url);
    crypto_wipe(url, sizeof url);
    connect_wait(web->connect, &web->done);
    remove_leader(web);
    return CLI_OK;
}

int connect_web_run(struct connect *connect, int argc, char **argv)
{
    struct cli_words words;
    struct web web = {.connect = connect, .files_fd = -1};
    const char *port = NULL, *files = FILES_FOLDER;
    bool no_open = false;
    const struct cli_option options[] = {CLI_VALUE("--port", &port), CLI_VALUE("--files", &files),
                                         CLI_FLAG("--no-open", &no_open), CLI_END};
    int exit_code = cli_words_read(argc, argv, options, 0, 0, &words);
    if (exit_code == CLI_OK && port &&
        (strlen(port) > 5 || !*port || strspn(port, "0123456789") != strlen(port)))
        exit_code = cli_usage_error("--port needs a number up to 65535");
    if (exit_code == CLI_OK) {
        web.files_fd = open(files, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (web.files_fd < 0)
            exit_code =
                cli_local_error("%s: %s: --files names the folder of the page", files, strerror(errno));
    }
    if (exit_code == CLI_OK)
        exit_code = connect_host_check(connect);
    if (exit_code == CLI_OK)
        exit_code = open_server(&web, port);
    if (exit_code == CLI_OK)
        exit_code = run(&web, !no_open);
    connect_ducts_finish(&web.ducts);
    http_server_destroy(web.server);
    if (web.files_fd >= 0)
        close(web.files_fd);
    connect_gate_finish(&web.gate);
    return exit_code;
}

const struct connect_command connect_web_commands[] = {
    {"web", NULL, connect_web_run, "[--port N] [--files FOLDER] [--no-open]",
     "the page in a browser, served by this program, not by the host"},
    {NULL, NULL, NULL, NULL, NULL},
};
