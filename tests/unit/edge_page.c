/*
 * The page as the edge serves it: forms of a file, tags, headers; and requests of other origins' pages.
 */
#include "tests/unit/edge_world.h"

/* What an answer's head says of the field asked for. */
struct seen {
    const char *name;
    struct reply reply;
    char value[256];
};

static void on_seen(void *arg, const struct http_answer *answer)
{
    struct seen *seen = arg;
    on_reply(&seen->reply, answer);
    const char *field = answer->error < 0 ? NULL : http_head_field(answer->head, seen->name);
    snprintf(seen->value, sizeof(seen->value), "%s", field != NULL ? field : "");
}

/* GET of TARGET with HEADERS; what NAME says in the answer. */
static struct seen look(struct world *world, const char *target, const char *headers, const char *name)
{
    struct seen seen = {.name = name};
    struct http_client_request request = {.method = "GET",
                                          .host = "127.0.0.1",
                                          .port = owner_port(world),
                                          .target = target,
                                          .headers = headers};
    assert_int_equal(
        http_client_call(world->fixture.loop, world->fixture.client_tls, &request, on_seen, &seen, NULL), 0);
    FIXTURE_RUN_UNTIL(&world->fixture, seen.reply.done);
    return seen;
}

static void test_the_best_form_is_sent(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    world_write(world.web, "app.js", "plain");
    world_write(world.web, "app.js.gz", "zipped");
    world_write(world.web, "app.js.br", "brotli");
    world_write(world.web, "alone.css", "alone");
    struct seen seen = look(&world, "/app.js", "Accept-Encoding: gzip, br\r\n", "Content-Encoding");
    assert_string_equal(seen.reply.body, "brotli");
    assert_string_equal(seen.value, "br");
    seen = look(&world, "/app.js", "Accept-Encoding: gzip, br;q=0\r\n", "Content-Encoding");
    assert_string_equal(seen.reply.body, "zipped");
    assert_string_equal(seen.value, "gzip");
    seen = look(&world, "/app.js", NULL, "Content-Encoding");
    assert_string_equal(seen.reply.body, "plain");
    assert_string_equal(seen.value, "");
    seen = look(&world, "/app.js", "Accept-Encoding: br\r\n", "Content-Type");
    assert_string_equal(seen.value, "text/javascript; charset=utf-8");
    assert_string_equal(look(&world, "/app.js", NULL, "Vary").value, "Accept-Encoding");
    seen = look(&world, "/alone.css", "Accept-Encoding: br\r\n", "Content-Encoding");
    assert_string_equal(seen.reply.body, "alone");
    assert_string_equal(seen.value, "");
    world_finish(&world);
}

static void test_a_browser_that_has_it_gets_304(void **state)
{
    (void)state;
    struct world world;
    char has[320];
    world_init(&world);
    world_write(world.web, "index.html", "<p>one");
    struct seen seen = look(&world, "/", NULL, "ETag");
    assert_int_equal(seen.reply.status, 200);
    assert_true(seen.value[0] == '"');
    snprintf(has, sizeof(has), "If-None-Match: %s\r\n", seen.value);
    struct seen again = look(&world, "/", has, "ETag");
    assert_int_equal(again.reply.status, 304);
    assert_string_equal(again.reply.body, "");
    assert_string_equal(again.value, seen.value);
    /* Put in place anew, with as many bytes. */
    world_write(world.web, "new", "<p>two");
    char from[256], to[256];
    snprintf(from, sizeof(from), "%s/new", world.web);
    snprintf(to, sizeof(to), "%s/index.html", world.web);
    assert_int_equal(rename(from, to), 0);
    again = look(&world, "/", has, "ETag");
    assert_int_equal(again.reply.status, 200);
    assert_string_equal(again.reply.body, "<p>two");
    world_finish(&world);
}

static void test_how_long_what_is_kept(void **state)
{
    (void)state;
    struct world world;
    char folder[128];
    world_init(&world);
    snprintf(folder, sizeof(folder), "%s/assets", world.web);
    assert_int_equal(mkdir(folder, 0755), 0);
    world_write(folder, "app-1a2b.js", "1");
    world_write(world.web, "index.html", "1");
    assert_string_equal(look(&world, "/", NULL, "Cache-Control").value, "no-cache");
    assert_string_equal(look(&world, "/assets/app-1a2b.js", NULL, "Cache-Control").value,
                        "public, max-age=31536000, immutable");
    assert_string_equal(look(&world, "/nothing", NULL, "Cache-Control").value, "no-store");
    assert_string_equal(look(&world, "/v1/me", NULL, "Cache-Control").value, "no-store");
    assert_string_equal(look(&world, "/", NULL, "Strict-Transport-Security").value, "max-age=31536000");
    assert_string_equal(look(&world, "/", NULL, "X-Content-Type-Options").value, "nosniff");
    assert_string_equal(look(&world, "/", NULL, "Referrer-Policy").value, "no-referrer");
    world_finish(&world);
}

static void test_whom_the_page_came_from(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    struct seen seen = look(&world, "/v1/origin", NULL, "Cache-Control");
    assert_int_equal(seen.reply.status, 200);
    assert_non_null(strstr(seen.reply.body, "\"served_by\":\"kiln-edge\""));
    assert_string_equal(seen.value, "no-store");
    assert_int_equal(world.requests, 0);
    world_finish(&world);
}

static void test_pages_of_other_origins_are_refused(void **state)
{
    (void)state;
    struct world world;
    struct side side;
    char own[128], headers[512];
    world_init(&world);
    snprintf(own, sizeof(own), "Origin: https://127.0.0.1:%u\r\n", (unsigned)owner_port(&world));
    assert_int_equal(look(&world, "/v1/me", own, "ETag").reply.status, 201);
    assert_int_equal(world.requests, 1);
    struct seen seen = look(&world, "/v1/me", "Origin: https://evil.example\r\n", "ETag");
    assert_int_equal(seen.reply.status, 403);
    assert_non_null(strstr(seen.reply.body, "NOT_ALLOWED"));
    assert_int_equal(world.requests, 1);
    static const char *const targets[] = {"/v1/events", "/v1/vms/" VM "/channel"};
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        dial(&world, &side, owner_port(&world), targets[i], OWNER_HEADERS "Origin: https://evil.example\r\n");
        assert_int_equal(side.status, 403);
        assert_non_null(strstr(side.refusal, "NOT_ALLOWED"));
    }
    snprintf(headers, sizeof(headers), OWNER_HEADERS "%s", own);
    dial(&world, &side, owner_port(&world), "/v1/events", headers);
    assert_true(side.open);
    hang_up(&side);
    world_finish(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_best_form_is_sent),
        cmocka_unit_test(test_a_browser_that_has_it_gets_304),
        cmocka_unit_test(test_how_long_what_is_kept),
        cmocka_unit_test(test_whom_the_page_came_from),
        cmocka_unit_test(test_pages_of_other_origins_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
