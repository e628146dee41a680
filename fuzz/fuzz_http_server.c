/* links: kiln_io */
/*
 * Requests of a hostile client, one after the other. Claims: a handler sees whole requests within its route's
 * limit; each is answered once, in order, and at most one refusal ends the connection; how the bytes were cut
 * changes nothing.
 */
#include "fuzz/pair_server.h"
#include "src/io/http_parse.h"

enum { BODY_MAX = 64 };

struct seen {
    uint64_t sum;
    size_t handled;
};

static void handle(struct http_request *request, void *arg)
{
    struct seen *seen = arg;
    const struct http_head *head = http_request_head(request);
    size_t len;
    const char *body = http_request_body(request, &len);
    CLAIM(len == (head->content_length > 0 ? (size_t)head->content_length : 0));
    CLAIM(len <= (strcmp(head->path, "/echo") == 0 ? BODY_MAX : 0) && (len == 0 || body[len] == '\0'));
    CLAIM(head->path[0] == '/' && http_head_field(head, "Host"));
    seen->sum = pair_mix(seen->sum, head->path, strlen(head->path) + 1);
    seen->sum = pair_mix(seen->sum, body, len);
    seen->handled++;
    http_answer(request, 200, "text/plain", body, len);
}

static const struct http_route routes[] = {{"POST", "/echo", BODY_MAX, handle},
                                           {"GET", "/echo/*", 0, handle}};

/* How many answers the client got. The last may lack its body: HEAD may have been refused. */
static size_t count_answers(const char *text, size_t len)
{
    size_t answers = 0;
    while (len > 0) {
        struct http_head head;
        size_t whole = http_head_length(text, len);
        CLAIM(whole > 0 && http_parse_answer(text, whole, &head) == 0);
        size_t body = head.content_length > 0 ? (size_t)head.content_length : 0;
        answers += head.status != 100;
        CLAIM(head.status == 100 || head.status == 200 || (head.status >= 400 && !head.keep_alive));
        http_head_finish(&head);
        if (body > len - whole || (body > 0 && memcmp(text + whole, "HTTP/1.", 7) == 0))
            body = 0;
        text += whole + body;
        len -= whole + body;
    }
    return answers;
}

static struct seen play(const uint8_t *data, size_t size, bool whole)
{
    static struct pair pair;
    static struct pair_server server;
    static struct seen seen;
    if (server.server == NULL) {
        close(pair_open(&pair));
        close(pair.far);
        pair_server_open(&server, pair.loop,
                         (struct http_server_config){
                             .routes = routes, .nroutes = sizeof routes / sizeof routes[0], .arg = &seen});
    }
    seen = (struct seen){.handled = 0};
    pair_server_play(&server, &pair, data, size, whole);
    CLAIM(http_server_connections(server.server) == 0);
    if (pair.answer_len < sizeof pair.answer) {
        size_t answers = count_answers(pair.answer, pair.answer_len);
        CLAIM(answers == seen.handled || answers == seen.handled + 1);
    }
    return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seen whole = play(data, size, true), cut = play(data, size, false);
    CLAIM(whole.handled == cut.handled && whole.sum == cut.sum);
    return 0;
}
