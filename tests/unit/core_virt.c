/*
 * Calls, answers, events and consoles over libvirt's own test driver: real libvirt code, no QEMU, no daemon.
 */
#include "src/core/virt_private.h"

#include "src/io/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <libvirt/libvirt.h>

#define UUID "0a1b2c3d-4e5f-4071-8293-a4b5c6d7e8f9"
#define FOREIGN "6695eb01-f6a4-8304-79aa-97f2502e193f" /* the driver's own domain "test" */

enum { OVERLAYS = 64 };

struct fixture {
    struct loop *loop;
    struct virt *virt;
    virConnectPtr outside; /* what somebody else does on the same host */
    bool back;
    struct virt_event events[16];
    size_t nevents;
    int answers;
    int error;
    struct virt_answer answer;
    struct virt_domain_info domains[4];
};

static void on_event(void *arg, const struct virt_event *event)
{
    struct fixture *fixture = arg;

    if (event->kind == VIRT_EVENT_BACK)
        fixture->back = true;
    else
        fixture->events[fixture->nevents++] = *event;
}

static void on_answer(void *arg, const struct virt_answer *answer)
{
    struct fixture *fixture = arg;

    fixture->answers++;
    fixture->error = answer->error;
    assert_int_equal(answer->error < 0, answer->words[0] != '\0');
    fixture->answer = *answer;
    for (size_t i = 0; i < answer->ndomains; i++)
        fixture->domains[i] = answer->domains[i];
}

static int wait_answer(struct fixture *fixture, int result)
{
    int before = fixture->answers;

    assert_int_equal(result, 0);
    while (fixture->answers == before)
        assert_int_equal(loop_step(fixture->loop, true), 0);
    return fixture->error;
}

static void wait_events(struct fixture *fixture, size_t n)
{
    while (fixture->nevents < n)
        assert_int_equal(loop_step(fixture->loop, true), 0);
}

static int setup(void **state)
{
    static const struct virt_config config = {
        .uri = "test:///default", .pool = "default-pool", .network = "default", .guest_port = 8443};
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_int_equal(loop_create(&fixture->loop), 0);
    assert_int_equal(virt_create(fixture->loop, &config, on_event, fixture, &fixture->virt), 0);
    while (!fixture->back)
        assert_int_equal(loop_step(fixture->loop, true), 0);
    fixture->outside = virConnectOpen("test:///default");
    assert_non_null(fixture->outside);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    virConnectClose(fixture->outside);
    virt_destroy(fixture->virt);
    loop_destroy(fixture->loop);
    free(fixture);
    return 0;
}

/* A domain as kilnd would have started it, but of the driver's own type. */
static void start_domain(struct fixture *fixture, const char *metadata)
{
    char xml[1024];
    virDomainPtr domain;

    snprintf(xml, sizeof(xml),
             "<domain type='test'><name>kiln-vm</name><uuid>" UUID "</uuid><metadata>%s</metadata>"
             "<memory unit='MiB'>64</memory><os><type>hvm</type></os></domain>",
             metadata);
    domain = virDomainCreateXML(fixture->outside, xml, 0);
    assert_non_null(domain);
    virDomainFree(domain);
}

#define METADATA "<kiln:vm xmlns:kiln='urn:kiln:vm:1' uuid='" UUID "' boot='7' brick='deb' host='cc'/>"

static void test_a_domain_is_told_of_asked_for_and_ended(void **state)
{
    struct fixture *fixture = *state;

    assert_true(virt_is_connected(fixture->virt));
    start_domain(fixture, METADATA);
    wait_events(fixture, 1);
    assert_int_equal(fixture->events[0].kind, VIRT_EVENT_STARTED);
    assert_string_equal(fixture->events[0].uuid, UUID);
    assert_int_equal(wait_answer(fixture, virt_domain_query(fixture->virt, UUID, on_answer, fixture)), 0);
    assert_int_equal(fixture->answer.domain.state, VIRT_DOMAIN_RUNNING);
    assert_int_equal(fixture->answer.domain.boot, 7);
    assert_string_equal(fixture->answer.domain.brick, "deb");
    for (int i = 0; i < 2; i++)
        assert_int_equal(wait_answer(fixture, virt_domain_gone(fixture->virt, UUID, on_answer, fixture)), 0);
    wait_events(fixture, 2);
    assert_int_equal(fixture->events[1].kind, VIRT_EVENT_STOPPED);
    assert_int_equal(wait_answer(fixture, virt_domain_query(fixture->virt, UUID, on_answer, fixture)), 0);
    assert_int_equal(fixture->answer.domain.state, VIRT_DOMAIN_ABSENT);
    assert_string_equal(fixture->answer.domain.uuid, UUID);
}

static void test_only_domains_with_metadata_are_listed(void **state)
{
    struct fixture *fixture = *state;

    start_domain(fixture, METADATA);
    assert_int_equal(wait_answer(fixture, virt_domain_list(fixture->virt, on_answer, fixture)), 0);
    assert_int_equal(fixture->answer.ndomains, 1);
    assert_string_equal(fixture->domains[0].uuid, UUID);
    assert_int_equal(wait_answer(fixture, virt_domain_gone(fixture->virt, UUID, on_answer, fixture)), 0);
}

static void test_foreign_domains_are_left_alone(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(wait_answer(fixture, virt_domain_query(fixture->virt, FOREIGN, on_answer, fixture)),
                     -EEXIST);
    assert_int_equal(wait_answer(fixture, virt_domain_gone(fixture->virt, FOREIGN, on_answer, fixture)),
                     -EEXIST);
    start_domain(fixture,
                 "<kiln:vm xmlns:kiln='urn:kiln:vm:1' uuid='" FOREIGN "' boot='7' brick='deb' host='cc'/>");
    /* Metadata that names another VM is nobody's proof. */
    assert_int_equal(wait_answer(fixture, virt_domain_gone(fixture->virt, UUID, on_answer, fixture)),
                     -EEXIST);
    virDomainPtr domain = virDomainLookupByUUIDString(fixture->outside, UUID);
    assert_int_equal(virDomainIsActive(domain), 1);
    virDomainDestroy(domain);
    virDomainFree(domain);
}

static void test_pause_and_resume_are_told(void **state)
{
    struct fixture *fixture = *state;
    virDomainPtr domain;

    start_domain(fixture, METADATA);
    domain = virDomainLookupByUUIDString(fixture->outside, UUID);
    virDomainSuspend(domain);
    virDomainResume(domain);
    wait_events(fixture, 3);
    assert_int_equal(fixture->events[1].kind, VIRT_EVENT_PAUSED);
    assert_int_equal(fixture->events[2].kind, VIRT_EVENT_RESUMED);
    virDomainDestroy(domain);
    virDomainFree(domain);
    wait_events(fixture, 4);
    assert_int_equal(fixture->events[3].kind, VIRT_EVENT_STOPPED);
}

static void test_drive_volumes_are_made_once_and_go_once(void **state)
{
    struct fixture *fixture = *state;
    struct virt *virt = fixture->virt;

    for (int i = 0; i < 2; i++) {
        assert_int_equal(wait_answer(fixture, virt_ensure_drive(virt, UUID, 1 << 20, on_answer, fixture)), 0);
        assert_int_equal(fixture->answer.volume.capacity_bytes, 1 << 20);
    }
    assert_int_equal(wait_answer(fixture, virt_ensure_drive(virt, UUID, 2 << 20, on_answer, fixture)),
                     -EEXIST);
    for (int i = 0; i < 2; i++)
        assert_int_equal(wait_answer(fixture, virt_drive_gone(virt, UUID, on_answer, fixture)), 0);
}

static void on_last_answer(void *arg, const struct virt_answer *answer)
{
    struct fixture *fixture = arg;

    assert_int_equal(fixture->answers, OVERLAYS);
    on_answer(arg, answer);
}

static void test_no_overlay_is_made_after_it_was_taken_away(void **state)
{
    struct fixture *fixture = *state;
    struct virt *virt = fixture->virt;

    for (int i = 0; i < OVERLAYS; i++)
        assert_int_equal(virt_ensure_overlay(virt, UUID, "none.qcow2", on_answer, fixture), 0);
    assert_int_equal(virt_overlay_gone(virt, UUID, on_last_answer, fixture), 0);
    while (fixture->answers <= OVERLAYS)
        assert_int_equal(loop_step(fixture->loop, true), 0);
    assert_int_equal(fixture->error, 0);
}

static void test_an_overlay_over_nothing_is_refused(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(
        wait_answer(fixture, virt_ensure_overlay(fixture->virt, UUID, "none.qcow2", on_answer, fixture)),
        -ENOENT);
    assert_int_equal(wait_answer(fixture, virt_overlay_gone(fixture->virt, UUID, on_answer, fixture)), 0);
    assert_int_equal(wait_answer(fixture, virt_volume_hash(fixture->virt, "none.qcow2", on_answer, fixture)),
                     -ENOENT);
}

static void test_drives_of_a_vm_that_is_not_there(void **state)
{
    struct fixture *fixture = *state;
    struct virt *virt = fixture->virt;

    assert_int_equal(wait_answer(fixture, virt_ensure_attached(virt, UUID, UUID, false, on_answer, fixture)),
                     -ENOENT);
    assert_int_equal(wait_answer(fixture, virt_ensure_detached(virt, UUID, UUID, on_answer, fixture)), 0);
    assert_int_equal(wait_answer(fixture, virt_drive_list(virt, UUID, on_answer, fixture)), -ENOENT);
}

static void ignore_line(void *arg, const char *uuid, const char *line)
{
    (void)arg;
    (void)uuid;
    (void)line;
}

static void test_a_console_of_a_vm_that_is_not_there(void **state)
{
    struct fixture *fixture = *state;
    char tail[16];

    for (int i = 0; i < 2; i++)
        assert_int_equal(wait_answer(fixture, virt_ensure_console(fixture->virt, UUID, ignore_line, NULL,
                                                                  on_answer, fixture)),
                         -ENOENT);
    assert_int_equal(virt_console_tail(fixture->virt, UUID, tail, sizeof(tail)), 0);
    virt_console_close(fixture->virt, UUID);
    virt_console_forget(fixture->virt, UUID);
    virt_console_forget(fixture->virt, UUID);
}

/* ---- ends ---- */

struct stuck {
    sem_t begun, go;
    int over;
};

static void stick(void *arg)
{
    struct stuck *stuck = arg;

    sem_post(&stuck->begun);
    sem_wait(&stuck->go);
}

static void unstuck(void *arg, bool ran)
{
    struct stuck *stuck = arg;

    assert_true(ran);
    stuck->over++;
}

static bool connection_is_there(struct virt *virt, enum virt_connection which)
{
    pthread_mutex_lock(&virt->lock);
    bool is_there = virt->links[which].connection && !virt->links[which].broken;
    pthread_mutex_unlock(&virt->lock);
    return is_there;
}

/* So that whatever needs the main connection fails; nobody is told to mend it. */
static void main_break(struct virt *virt, bool broken)
{
    pthread_mutex_lock(&virt->lock);
    virt->links[VIRT_MAIN].broken = broken;
    pthread_mutex_unlock(&virt->lock);
}

/* As boots would be: every thread that makes calls has one that does not return, on the connection that boots
 * have. */
static void test_an_end_waits_for_no_boot(void **state)
{
    struct fixture *fixture = *state;
    struct virt *virt = fixture->virt;
    struct stuck stuck = {.over = 0};

    sem_init(&stuck.begun, 0, 0);
    sem_init(&stuck.go, 0, 0);
    while (!connection_is_there(virt, VIRT_RESERVED))
        sched_yield();
    start_domain(fixture, METADATA);
    for (int i = 0; i < WORKER_NORMAL_THREADS; i++)
        assert_int_equal(worker_submit(virt->worker, WORKER_NORMAL, NULL, stick, unstuck, &stuck), 0);
    for (int i = 0; i < WORKER_NORMAL_THREADS; i++)
        sem_wait(&stuck.begun);
    main_break(virt, true);
    assert_int_equal(wait_answer(fixture, virt_domain_gone(virt, UUID, on_answer, fixture)), 0);
    assert_int_equal(wait_answer(fixture, virt_overlay_gone(virt, UUID, on_answer, fixture)), 0);
    main_break(virt, false);
    for (int i = 0; i < WORKER_NORMAL_THREADS; i++)
        sem_post(&stuck.go);
    while (stuck.over < WORKER_NORMAL_THREADS)
        assert_int_equal(loop_step(fixture->loop, true), 0);
    assert_int_equal(wait_answer(fixture, virt_domain_query(virt, UUID, on_answer, fixture)), 0);
    assert_int_equal(fixture->answer.domain.state, VIRT_DOMAIN_ABSENT);
}

/* ---- lost domains ---- */

/* As a QEMU, which holds a lock on its pid file for as long as it lives. */
struct process {
    pid_t pid;
    int alive; /* its life ends with this */
};

static void process_start(const char *folder, struct process *ret_process)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int ready[2], alive[2], fd;
    char path[128], byte;

    snprintf(path, sizeof(path), "%s/kiln-" UUID ".pid", folder);
    assert_int_equal(pipe(ready) | pipe(alive), 0);
    ret_process->pid = fork();
    if (ret_process->pid == 0) {
        fd = open(path, O_RDWR | O_CREAT, 0644);
        close(alive[1]);
        if (fcntl(fd, F_SETLK, &lock) == 0 && write(ready[1], "", 1) == 1)
            _exit(read(alive[0], &byte, 1) == 0 ? 0 : 1);
        _exit(1);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    close(alive[0]);
    ret_process->alive = alive[1];
}

static void process_end(const struct process *process)
{
    close(process->alive);
    assert_int_equal(waitpid(process->pid, NULL, 0), process->pid);
}

static enum virt_domain_state seen_as(struct fixture *fixture)
{
    assert_int_equal(wait_answer(fixture, virt_domain_query(fixture->virt, UUID, on_answer, fixture)), 0);
    return fixture->answer.domain.state;
}

static void test_a_domain_is_not_gone_while_its_process_lives(void **state)
{
    struct virt_config config = {.uri = "test:///default", .pool = "default-pool"};
    struct fixture *fixture = *state;
    const struct virt_vm_spec spec = {.uuid = UUID, .boot = 7};
    struct process process;
    char command[128];

    strcpy(config.process_folder, "/tmp/kiln-virt-XXXXXX");
    assert_non_null(mkdtemp(config.process_folder));
    virt_destroy(fixture->virt);
    fixture->back = false;
    assert_int_equal(virt_create(fixture->loop, &config, on_event, fixture, &fixture->virt), 0);
    while (!fixture->back)
        assert_int_equal(loop_step(fixture->loop, true), 0);
    assert_int_equal(seen_as(fixture), VIRT_DOMAIN_ABSENT);

    process_start(config.process_folder, &process);
    assert_int_equal(seen_as(fixture), VIRT_DOMAIN_LOST);
    assert_int_equal(fixture->answer.domain.pid, process.pid);
    assert_int_equal(wait_answer(fixture, virt_domain_list(fixture->virt, on_answer, fixture)), 0);
    assert_int_equal(fixture->answer.ndomains, 1);
    assert_string_equal(fixture->domains[0].uuid, UUID);
    assert_int_equal(fixture->domains[0].state, VIRT_DOMAIN_LOST);
    assert_int_equal(fixture->domains[0].pid, process.pid);
    assert_int_equal(wait_answer(fixture, virt_domain_gone(fixture->virt, UUID, on_answer, fixture)), -EBUSY);
    assert_int_equal(wait_answer(fixture, virt_ensure_domain(fixture->virt, &spec, on_answer, fixture)),
                     -EBUSY);
    /* libvirt finds it again. */
    start_domain(fixture, METADATA);
    assert_int_equal(seen_as(fixture), VIRT_DOMAIN_RUNNING);
    assert_int_equal(wait_answer(fixture, virt_domain_list(fixture->virt, on_answer, fixture)), 0);
    assert_int_equal(fixture->answer.ndomains, 1);
    assert_int_equal(fixture->domains[0].state, VIRT_DOMAIN_RUNNING);
    assert_int_equal(wait_answer(fixture, virt_domain_gone(fixture->virt, UUID, on_answer, fixture)), 0);

    /* The file of one that has ended says nothing. */
    process_end(&process);
    assert_int_equal(seen_as(fixture), VIRT_DOMAIN_ABSENT);
    assert_int_equal(wait_answer(fixture, virt_domain_list(fixture->virt, on_answer, fixture)), 0);
    assert_int_equal(fixture->answer.ndomains, 0);
    assert_int_equal(wait_answer(fixture, virt_domain_gone(fixture->virt, UUID, on_answer, fixture)), 0);
    snprintf(command, sizeof(command), "rm -r %s", config.process_folder);
    assert_int_equal(system(command), 0);
}

static void test_destroying_answers_what_is_owed(void **state)
{
    struct fixture *fixture = *state;
    static const struct virt_config config = {.uri = "test:///default", .pool = "default-pool"};

    for (int i = 0; i < 20; i++)
        assert_int_equal(virt_domain_query(fixture->virt, UUID, on_answer, fixture), 0);
    virt_destroy(fixture->virt);
    assert_int_equal(fixture->answers, 20);
    assert_int_equal(virt_create(fixture->loop, &config, on_event, fixture, &fixture->virt), 0);
}

static void test_without_libvirt_every_answer_says_so(void **state)
{
    static const struct virt_config config = {.uri = "qemu+unix:///system?socket=/nonexistent/socket",
                                              .pool = "p"};
    struct fixture *fixture = *state;

    virt_destroy(fixture->virt);
    assert_int_equal(virt_create(fixture->loop, &config, on_event, fixture, &fixture->virt), 0);
    assert_false(virt_is_connected(fixture->virt));
    assert_int_equal(wait_answer(fixture, virt_domain_query(fixture->virt, UUID, on_answer, fixture)),
                     -ENOTCONN);
    assert_int_equal(wait_answer(fixture, virt_domain_gone(fixture->virt, UUID, on_answer, fixture)),
                     -ENOTCONN);
    assert_int_equal(wait_answer(fixture, virt_overlay_gone(fixture->virt, UUID, on_answer, fixture)),
                     -ENOTCONN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_domain_is_told_of_asked_for_and_ended, setup, teardown),
        cmocka_unit_test_setup_teardown(test_only_domains_with_metadata_are_listed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_foreign_domains_are_left_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pause_and_resume_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_drive_volumes_are_made_once_and_go_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_overlay_over_nothing_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_overlay_is_made_after_it_was_taken_away, setup, teardown),
        cmocka_unit_test_setup_teardown(test_drives_of_a_vm_that_is_not_there, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_console_of_a_vm_that_is_not_there, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_end_waits_for_no_boot, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_domain_is_not_gone_while_its_process_lives, setup, teardown),
        cmocka_unit_test_setup_teardown(test_destroying_answers_what_is_owed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_without_libvirt_every_answer_says_so, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
