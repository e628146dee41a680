/* links: kiln_io fuzz/fault.c */
/*
 * Two ends of a JSON-RPC line over a socket pair, while memory runs out. Input: how the calls for memory are
 * picked that fail, then the parameter of the calls that one end makes of the other. Claims: a call has its
 * right answer or fails, or one end has gone down and says so: nobody waits for ever; nothing is still held.
 */
#include "fuzz/claim.h"
#include "fuzz/fault.h"
#include "fuzz/pair.h"
#include "protocol/json.h"
#include "src/io/log.h"
#include "src/io/rpc_line.h"
#include "src/io/stream.h"

enum { CALLS = 3, TURNS = 100, TRIES = 48 };

struct end {
    struct rpc_line *line;
    bool down;
};

struct rig {
    struct pair pair;
    struct end asks, answers;
    const char *params;
    size_t made, ended, right;
};

static void handle_echo(struct rpc_request *request, const struct json *params, void *arg)
{
    struct json_writer out = json_writer_init(0);
    (void)arg;
    json_write_value(&out, NULL, params);
    rpc_reply_json(request, &out);
}

static const struct rpc_method methods[] = {{"echo", handle_echo}, {NULL, NULL}};

static void call_ended(void *arg, const struct rpc_answer *answer)
{
    struct rig *rig = arg;
    rig->ended++;
    if (answer->error == 0 && answer->code == 0) {
        CLAIM(json_count(answer->result) == 1 && json_is_text(json_at(answer->result, 0)));
        rig->right++;
    }
}

static void line_down(void *arg, int error)
{
    struct end *end = arg;
    (void)error;
    CLAIM(!end->down);
    end->down = true;
}

static void open_end(struct rig *rig, struct end *end, int fd)
{
    struct rpc_options options = {.methods = methods};
    struct rpc_line_owner owner = {.on_down = line_down, .arg = end};
    struct stream *stream;
    end->down = false;
    CLAIM(rpc_line_create(rig->pair.loop, &options, &owner, &end->line) == 0);
    CLAIM(stream_accept(rig->pair.loop, fd, NULL, &rpc_line_ops, end->line, &stream) == 0);
    rpc_line_attach(end->line, stream);
}

/* Returns how many calls for memory there were. */
static size_t talk(const char *params, size_t failing, bool lasting)
{
    static struct rig rig;
    long held = fault_held();
    int near = pair_open(&rig.pair);
    open_end(&rig, &rig.asks, near);
    open_end(&rig, &rig.answers, rig.pair.far);
    rig.made = rig.ended = rig.right = 0;
    fault_begin(failing, lasting);
    for (int i = 0; i < CALLS; i++)
        rig.made += rpc_call(rpc_line_peer(rig.asks.line), "echo", params, 0, call_ended, &rig) == 0;
    for (int i = 0; i < TURNS; i++)
        CLAIM(loop_step(rig.pair.loop, false) == 0);
    size_t calls = fault_end();
    for (int i = 0; i < TURNS; i++)
        CLAIM(loop_step(rig.pair.loop, false) == 0);
    CLAIM(rig.ended == rig.made || rig.asks.down || rig.answers.down);
    CLAIM(failing > 0 || rig.right == CALLS);
    rpc_line_destroy(rig.asks.line);
    rpc_line_destroy(rig.answers.line);
    for (int i = 0; i < TURNS; i++)
        CLAIM(loop_step(rig.pair.loop, false) == 0);
    CLAIM(rig.ended == rig.made);
    /* What the loop keeps for the next time is there after the first. */
    CLAIM(failing == 0 || fault_held() == held);
    return calls;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json_writer params = json_writer_init(RPC_MESSAGE_MAX / 2);
    if (size == 0)
        return 0;
    log_set_level(LOG_LEVEL_ERROR);
    json_write_array_begin(&params, NULL);
    json_write_text_bytes(&params, NULL, (const char *)data + 1, size - 1);
    json_write_array_end(&params);
    if (json_writer_end(&params) == 0 && !memchr(data + 1, 0, size - 1)) {
        talk(params.text, 0, false);
        size_t calls = talk(params.text, 0, false), step = 1 + calls / TRIES;
        for (size_t failing = 1 + (data[0] >> 1) % step; failing <= calls; failing += step)
            talk(params.text, failing, data[0] & 1);
    }
    json_writer_finish(&params);
    return 0;
}
