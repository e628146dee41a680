/*
 * Sessions, tickets, challenges: what is kept for how long, and who makes room for whom.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "src/core/challenge.h"
#include "src/core/session.h"
#include "src/core/ticket.h"

static const uint8_t alice[32] = {1}, bob[32] = {2};

static void a_session_ends_by_idleness_and_by_age(void **state)
{
    struct sessions *sessions;
    uint8_t token[32], user[32];
    (void)state;
    assert_int_equal(sessions_create(&sessions), 0);
    session_open(sessions, alice, 0, token);
    assert_true(session_use(sessions, token, SESSION_IDLE_MS - 1, user));
    assert_memory_equal(user, alice, 32);
    assert_true(session_use(sessions, token, 2 * (SESSION_IDLE_MS - 1), user));
    assert_false(session_use(sessions, token, 3 * SESSION_IDLE_MS, user));
    session_open(sessions, alice, 0, token);
    for (int64_t now = 0; now < SESSION_LIFE_MS; now += SESSION_IDLE_MS / 2)
        assert_true(session_use(sessions, token, now, user));
    assert_false(session_use(sessions, token, SESSION_LIFE_MS, user));
    sessions_destroy(sessions);
}

static void a_session_is_closed_once(void **state)
{
    struct sessions *sessions;
    uint8_t token[32], other[32], user[32];
    (void)state;
    assert_int_equal(sessions_create(&sessions), 0);
    session_open(sessions, alice, 0, token);
    session_open(sessions, bob, 0, other);
    assert_true(session_close(sessions, token));
    assert_false(session_close(sessions, token));
    assert_false(session_use(sessions, token, 1, user));
    assert_true(session_use(sessions, other, 1, user));
    sessions_close_user(sessions, bob);
    assert_false(session_use(sessions, other, 1, user));
    sessions_destroy(sessions);
}

static void nobody_pushes_out_anothers_session(void **state)
{
    struct sessions *sessions;
    uint8_t token[32], first[32], last[32], user[32];
    (void)state;
    assert_int_equal(sessions_create(&sessions), 0);
    session_open(sessions, bob, 0, token);
    session_open(sessions, alice, 1, first);
    for (int i = 0; i < 3 * SESSIONS_PER_USER_MAX; i++)
        session_open(sessions, alice, 2 + i, last);
    assert_true(session_use(sessions, token, 100, user));
    assert_false(session_use(sessions, first, 100, user));
    assert_true(session_use(sessions, last, 100, user));
    sessions_destroy(sessions);
}

static void a_ticket_serves_once_and_not_for_long(void **state)
{
    struct tickets *tickets;
    struct ticket_grant grant = {{3}, {1}}, got;
    uint8_t ticket[32], wrong[32] = {0};
    (void)state;
    assert_int_equal(tickets_create(&tickets), 0);
    assert_int_equal(ticket_issue(tickets, &grant, 0, ticket), 0);
    assert_false(ticket_redeem(tickets, wrong, 1, &got));
    assert_true(ticket_redeem(tickets, ticket, TICKET_LIFE_MS - 1, &got));
    assert_memory_equal(&got, &grant, sizeof got);
    assert_false(ticket_redeem(tickets, ticket, TICKET_LIFE_MS - 1, &got));
    assert_int_equal(ticket_issue(tickets, &grant, 0, ticket), 0);
    assert_false(ticket_redeem(tickets, ticket, TICKET_LIFE_MS, &got));
    tickets_destroy(tickets);
}

static void tickets_go_with_their_vm_and_user(void **state)
{
    struct tickets *tickets;
    struct ticket_grant grant = {{3}, {1}}, other = {{4}, {2}}, got;
    uint8_t first[32], second[32];
    (void)state;
    assert_int_equal(tickets_create(&tickets), 0);
    ticket_issue(tickets, &grant, 0, first);
    ticket_issue(tickets, &other, 0, second);
    tickets_revoke_vm(tickets, grant.vm);
    assert_false(ticket_redeem(tickets, first, 1, &got));
    tickets_revoke_user(tickets, other.user);
    assert_false(ticket_redeem(tickets, second, 1, &got));
    for (int i = 0; i < TICKETS_PER_USER_MAX; i++)
        assert_int_equal(ticket_issue(tickets, &grant, 0, first), 0);
    assert_int_not_equal(ticket_issue(tickets, &grant, 0, second), 0);
    assert_int_equal(ticket_issue(tickets, &other, 0, second), 0);
    assert_int_equal(ticket_issue(tickets, &grant, TICKET_LIFE_MS, second), 0);
    tickets_destroy(tickets);
}

static void a_challenge_serves_its_key_once(void **state)
{
    struct challenges *challenges, *others;
    uint8_t nonce[32];
    (void)state;
    assert_int_equal(challenges_create(&challenges), 0);
    assert_int_equal(challenges_create(&others), 0);
    challenge_give(challenges, alice, 0, nonce);
    assert_false(challenge_check(challenges, bob, nonce, 1));
    assert_false(challenge_check(others, alice, nonce, 1));
    assert_true(challenge_check(challenges, alice, nonce, 1));
    assert_int_equal(challenge_use(challenges, alice, nonce, 1), 0);
    assert_false(challenge_check(challenges, alice, nonce, 1));
    challenge_give(challenges, alice, 0, nonce);
    assert_true(challenge_check(challenges, alice, nonce, CHALLENGE_LIFE_MS - 1));
    assert_false(challenge_check(challenges, alice, nonce, CHALLENGE_LIFE_MS));
    for (size_t i = 0; i < sizeof nonce; i++) {
        challenge_give(challenges, alice, 0, nonce);
        nonce[i] ^= 1;
        assert_false(challenge_check(challenges, alice, nonce, 1));
    }
    challenges_destroy(challenges);
    challenges_destroy(others);
}

/* Strangers may ask for as many as they like, also for alice; who has her key, for as many as are of use. */
static void challenges_take_nobodys_place(void **state)
{
    struct challenges *challenges;
    uint8_t nonce[32], last[32], flood[32], key[32] = {7};
    (void)state;
    assert_int_equal(challenges_create(&challenges), 0);
    challenge_give(challenges, alice, 0, nonce);
    for (int i = 0; i < 100000; i++) {
        key[0] = (uint8_t)i;
        challenge_give(challenges, i % 2 ? alice : key, 0, flood);
    }
    assert_true(challenge_check(challenges, alice, nonce, 1));
    for (int i = 0; i < CHALLENGES_USED_PER_KEY_MAX; i++) {
        challenge_give(challenges, alice, 0, last);
        assert_int_equal(challenge_use(challenges, alice, last, 1), 0);
    }
    assert_int_equal(challenge_use(challenges, alice, nonce, 1), -ENOSPC);
    assert_false(challenge_check(challenges, alice, last, 1));
    challenge_give(challenges, bob, 0, flood);
    assert_int_equal(challenge_use(challenges, bob, flood, 1), 0);
    challenge_give(challenges, alice, CHALLENGE_LIFE_MS, nonce);
    assert_int_equal(challenge_use(challenges, alice, nonce, CHALLENGE_LIFE_MS), 0);
    challenges_destroy(challenges);
}

static void failures_are_held_back_longer_each_time(void **state)
{
    struct challenges *challenges;
    bool slower;
    (void)state;
    assert_int_equal(challenges_create(&challenges), 0);
    assert_int_equal(challenge_failed(challenges, alice, 0, &slower), 250);
    assert_true(slower);
    assert_int_equal(challenge_failed(challenges, alice, 1, &slower), 500);
    assert_int_equal(challenge_failed(challenges, bob, 1, &slower), 250);
    for (int i = 0; i < 10; i++)
        challenge_failed(challenges, alice, 2, &slower);
    assert_int_equal(challenge_failed(challenges, alice, 3, &slower), 8000);
    assert_false(slower);
    challenge_passed(challenges, alice);
    assert_int_equal(challenge_failed(challenges, alice, 4, &slower), 250);
    assert_true(slower);
    challenges_destroy(challenges);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_ends_by_idleness_and_by_age),
        cmocka_unit_test(a_session_is_closed_once),
        cmocka_unit_test(nobody_pushes_out_anothers_session),
        cmocka_unit_test(a_ticket_serves_once_and_not_for_long),
        cmocka_unit_test(tickets_go_with_their_vm_and_user),
        cmocka_unit_test(a_challenge_serves_its_key_once),
        cmocka_unit_test(challenges_take_nobodys_place),
        cmocka_unit_test(failures_are_held_back_longer_each_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
