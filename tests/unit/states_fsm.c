/*
 * The engine on a machine of three states: order of hooks, refusal, deadlines, effects.
 */
#include "fsm_walk.h"

enum { A, B, END };
enum { GO, STAY, AGAIN, GUARDED, DIE, TIMEOUT, NOBODY };
enum { FX_ACT, FX_LEAVE_A, FX_ENTER_A, FX_ENTER_B, FX_ENTER_END };

struct toy {
    struct fsm_head head;
    bool open;
    int acts;
    int64_t timeout_ms;
};

static void push_act(void *record, const void *event, struct fsm_fx *fx)
{
    (void)event;
    ((struct toy *)record)->acts++;
    fsm_fx_push(fx, FX_ACT, 0);
}

static bool is_open(const void *record, const void *event)
{
    (void)event;
    return ((const struct toy *)record)->open;
}

static void enter_a(const void *record, struct fsm_fx *fx)
{
    (void)record;
    fsm_fx_push(fx, FX_ENTER_A, 0);
}

static void leave_a(const void *record, struct fsm_fx *fx)
{
    /* The act has happened, the assignment has not. */
    assert_int_equal(((const struct toy *)record)->head.state, A);
    fsm_fx_push(fx, FX_LEAVE_A, 0);
}

static void enter_b(const void *record, struct fsm_fx *fx)
{
    assert_int_equal(((const struct toy *)record)->head.state, B);
    fsm_fx_push(fx, FX_ENTER_B, 0);
}

static void enter_end(const void *record, struct fsm_fx *fx)
{
    (void)record;
    fsm_fx_push(fx, FX_ENTER_END, 0);
}

static const struct fsm_row rows_a[] = {
    {GO, NULL, push_act, B, "goes"},
    {STAY, NULL, push_act, FSM_STAY, "stays"},
    {AGAIN, NULL, push_act, FSM_AGAIN, "enters again"},
    {GUARDED, is_open, NULL, B, "was open"},
    {TIMEOUT, NULL, push_act, FSM_STAY, "late, and stays"},
};
static const struct fsm_row rows_b[] = {
    {GO, NULL, NULL, A, "goes back"},
};
static const struct fsm_row rows_any[] = {
    {DIE, NULL, NULL, END, "ends"},
    {GO, NULL, NULL, END, "the state's own row comes first"},
};
static const struct fsm_state state_a = {
    .name = "a", .story = "in a", .timeout_ms = 1, .enter = enter_a, .leave = leave_a, FSM_ROWS(rows_a)};
static const struct fsm_state state_b = {.name = "b", .story = "in b", .enter = enter_b, FSM_ROWS(rows_b)};
static const struct fsm_state state_end = {
    .name = "end", .story = "ended", .final = true, .enter = enter_end};
static const struct fsm_state state_any = {.name = "any", .story = "anywhere", FSM_ROWS(rows_any)};
static const struct fsm_state *const states[] = {&state_a, &state_b, &state_end};

static int64_t timeout_ms(const void *record, int state)
{
    return state == A ? ((const struct toy *)record)->timeout_ms : 0;
}

static const struct fsm_machine machine = {
    .name = "toy",
    .states = states,
    .nstates = 3,
    .any = &state_any,
    .on_timeout = TIMEOUT,
    .timeout_ms = timeout_ms,
};

static struct toy begin(int64_t timeout, struct fsm_fx *fx)
{
    struct toy toy = {.timeout_ms = timeout};
    fsm_fx_init(fx);
    fsm_begin(&machine, &toy, A, 1000, fx);
    return toy;
}

static const struct fsm_row *step(struct toy *toy, int on, int64_t at_ms, struct fsm_fx *fx)
{
    struct fsm_event event = {.on = on, .at_ms = at_ms};
    fsm_fx_init(fx);
    return fsm_step(&machine, toy, &event, fx);
}

static void begins_in_the_first_state(void **unused)
{
    struct fsm_fx fx;
    struct toy toy = begin(50, &fx);
    (void)unused;
    assert_int_equal(toy.head.state, A);
    assert_int_equal(toy.head.entered_at_ms, 1000);
    assert_int_equal(toy.head.deadline_at_ms, 1050);
    assert_string_equal(toy.head.story, "in a");
    assert_int_equal(fx.count, 1);
    assert_true(fsm_fx_has(&fx, FX_ENTER_A, 0));
}

static void acts_leaves_assigns_enters_in_this_order(void **unused)
{
    struct fsm_fx fx;
    struct toy toy = begin(50, &fx);
    (void)unused;
    const struct fsm_row *row = step(&toy, GO, 1010, &fx);
    assert_ptr_equal(row, &rows_a[0]);
    assert_int_equal(fx.count, 3);
    assert_int_equal(fx.list[0].what, FX_ACT);
    assert_int_equal(fx.list[1].what, FX_LEAVE_A);
    assert_int_equal(fx.list[2].what, FX_ENTER_B);
    assert_int_equal(toy.head.state, B);
    assert_int_equal(toy.head.entered_at_ms, 1010);
    assert_int_equal(toy.head.deadline_at_ms, 0);
    assert_int_equal(toy.head.changes, 1);
    assert_string_equal(toy.head.story, "goes");
}

static void absence_of_a_row_changes_nothing(void **unused)
{
    struct fsm_fx fx;
    struct toy toy = begin(50, &fx);
    struct toy before;
    (void)unused;
    memcpy(&before, &toy, sizeof before);
    assert_null(step(&toy, NOBODY, 1010, &fx));
    assert_null(step(&toy, GUARDED, 1010, &fx));
    assert_int_equal(fx.count, 0);
    assert_memory_equal(&before, &toy, sizeof before);
    toy.open = true;
    assert_non_null(step(&toy, GUARDED, 1010, &fx));
    assert_int_equal(toy.head.state, B);
}

static void staying_keeps_entry_and_deadline(void **unused)
{
    struct fsm_fx fx;
    struct toy toy = begin(50, &fx);
    (void)unused;
    assert_non_null(step(&toy, STAY, 1010, &fx));
    assert_int_equal(fx.count, 1);
    assert_int_equal(toy.head.entered_at_ms, 1000);
    assert_int_equal(toy.head.deadline_at_ms, 1050);
    assert_non_null(step(&toy, AGAIN, 1020, &fx));
    assert_int_equal(fx.count, 2);
    assert_true(fsm_fx_has(&fx, FX_ENTER_A, 0));
    assert_int_equal(toy.head.entered_at_ms, 1000);
    assert_int_equal(toy.head.deadline_at_ms, 1050);
    assert_int_equal(toy.head.changes, 2);
}

static void a_timeout_counts_only_when_due(void **unused)
{
    struct fsm_fx fx;
    struct toy toy = begin(50, &fx);
    (void)unused;
    assert_null(step(&toy, TIMEOUT, 1049, &fx));
    assert_non_null(step(&toy, TIMEOUT, 1050, &fx));
    assert_int_equal(toy.head.deadline_at_ms, 0);
    assert_null(step(&toy, TIMEOUT, 2000, &fx));
    assert_int_equal(toy.acts, 1);
}

static void a_record_without_a_timeout_never_has_one(void **unused)
{
    struct fsm_fx fx;
    struct toy toy = begin(0, &fx);
    (void)unused;
    assert_int_equal(toy.head.deadline_at_ms, 0);
    assert_null(step(&toy, TIMEOUT, INT64_MAX, &fx));
}

static void a_final_state_has_its_own_rows_only(void **unused)
{
    struct fsm_fx fx;
    struct toy toy = begin(50, &fx);
    (void)unused;
    assert_non_null(step(&toy, DIE, 1010, &fx));
    assert_int_equal(toy.head.state, END);
    assert_null(step(&toy, DIE, 1020, &fx));
    assert_null(step(&toy, GO, 1020, &fx));
}

static void effects_are_wanted_once_and_bounded(void **unused)
{
    struct fsm_fx fx;
    (void)unused;
    fsm_fx_init(&fx);
    for (int i = 0; i < FSM_FX_MAX; i++) {
        fsm_fx_push(&fx, 1, i);
        fsm_fx_push(&fx, 1, i);
    }
    assert_int_equal(fx.count, FSM_FX_MAX);
    assert_false(fx.overflow);
    fsm_fx_push(&fx, 2, 0);
    assert_int_equal(fx.count, FSM_FX_MAX);
    assert_true(fx.overflow);
}

static void kept_text_is_cut_ended_and_printable(void **unused)
{
    char text[8];
    (void)unused;
    memset(text, 'x', sizeof text);
    fsm_text_keep(text, sizeof text, "a\x1b[b\n\xc3\xa9 long");
    assert_string_equal(text, "a?[b???");
    fsm_text_keep(text, sizeof text, "");
    assert_memory_equal(text, "\0\0\0\0\0\0\0\0", sizeof text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begins_in_the_first_state),
        cmocka_unit_test(acts_leaves_assigns_enters_in_this_order),
        cmocka_unit_test(absence_of_a_row_changes_nothing),
        cmocka_unit_test(staying_keeps_entry_and_deadline),
        cmocka_unit_test(a_timeout_counts_only_when_due),
        cmocka_unit_test(a_record_without_a_timeout_never_has_one),
        cmocka_unit_test(a_final_state_has_its_own_rows_only),
        cmocka_unit_test(effects_are_wanted_once_and_bounded),
        cmocka_unit_test(kept_text_is_cut_ended_and_printable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
