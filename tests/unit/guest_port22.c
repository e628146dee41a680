/*
 * Port 22's gate on another port: who holds it is named, before ready connections end, after it they are
 * handed on.
 */
#include "tests/unit/guest_fixture.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "guest/port22.h"
#include "src/io/loop.h"

static int handed;

static void take(void *arg, int fd)
{
    (void)arg;
    handed++;
    close(fd);
}

/* A listener of this process on a port that the kernel chooses. */
static int listen_somewhere(uint16_t *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static int dial(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void test_taken(void **state)
{
    (void)state;
    struct loop *loop;
    struct port22 *port22;
    uint16_t port;
    char holder[PORT22_HOLDER_MAX] = "", wanted[32];
    int fd = listen_somewhere(&port);
    assert_int_equal(loop_create(&loop), 0);
    assert_int_equal(port22_open(loop, port, take, NULL, holder, &port22), -EADDRINUSE);
    snprintf(wanted, sizeof wanted, " pid %d", (int)getpid());
    assert_non_null(strstr(holder, wanted));
    assert_non_null(strstr(holder, "unit_guest_port"));
    close(fd);
    loop_destroy(loop);
}

static void test_gate(void **state)
{
    (void)state;
    struct loop *loop;
    struct port22 *port22;
    uint16_t port;
    char holder[PORT22_HOLDER_MAX], byte;
    close(listen_somewhere(&port));
    handed = 0;
    assert_int_equal(loop_create(&loop), 0);
    assert_int_equal(port22_open(loop, port, take, NULL, holder, &port22), 0);
    int fd = dial(port);
    loop_step(loop, true);
    assert_int_equal(read(fd, &byte, 1), 0);
    close(fd);
    assert_int_equal(handed, 0);
    port22_set_gate(port22, true);
    fd = dial(port);
    loop_step(loop, true);
    assert_int_equal(handed, 1);
    close(fd);
    port22_close(port22);
    loop_destroy(loop);
}

static void test_nobody(void **state)
{
    (void)state;
    char holder[PORT22_HOLDER_MAX];
    uint16_t port;
    close(listen_somewhere(&port));
    port22_find_holder(port, holder);
    assert_string_equal(holder, "an unknown process");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_taken), cmocka_unit_test(test_gate),
                                       cmocka_unit_test(test_nobody)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
