/*
 * The libvirt room against a real libvirtd and real guests: tests/virt/run starts it in a world of its own,
 * with KILN_VIRT_KIT naming the folder of kernel and initrd.
 */
#include "tests/virt/virt_world.h"

static int setup(void **state)
{
    struct virt_config config = {
        .uri = "qemu:///system",
        .pool = "kiln",
        .pool_path = POOL,
        .network = "kiln",
        .bridge = "kiln0",
        .host_address = HOST,
        .netmask = "255.255.255.0",
        .guest_port = GUEST_PORT,
    };
    const char *type = getenv("KILN_DOMAIN_TYPE");

    (void)state;
    assert_non_null(getenv("KILN_VIRT_KIT"));
    alarm(LIMIT_S);
    config.domain_type = type && strcmp(type, "kvm") == 0 ? VIRT_TYPE_AUTO : VIRT_TYPE_QEMU;
    write_secret();
    assert_int_equal(loop_create(&loop), 0);
    assert_int_equal(virt_create(loop, &config, on_event, NULL, &virt), 0);
    assert_int_equal(wait_answer(virt_domain_list(virt, on_answer, NULL)),
                     virt_is_connected(virt) ? 0 : -ENOTCONN);
    wait_event(0, VIRT_EVENT_BACK, "");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    virt_destroy(virt);
    if (loop)
        loop_destroy(loop);
    return 0;
}

static void test_host_objects_are_made_once(void **state)
{
    (void)state;
    assert_int_equal(wait_answer(virt_ensure_host(virt, on_answer, NULL)), 0);
    assert_int_equal(wait_answer(virt_ensure_host(virt, on_answer, NULL)), 0);
    shell("virsh -q pool-info kiln | grep -q 'State: *running'");
    shell("virsh -q net-info kiln | grep -q 'Active: *yes'");
    shell("virsh -q nwfilter-dumpxml kiln-vm >/dev/null");
}

static void test_volumes(void **state)
{
    char line[128];
    FILE *sum;

    (void)state;
    assert_int_equal(wait_answer(virt_ensure_overlay(virt, VM_A, "image.qcow2", on_answer, NULL)), -ENOENT);
    shell("cp $KILN_VIRT_KIT/vmlinuz $KILN_VIRT_KIT/initrd " POOL "/ && printf 'golden bytes 01\\n' >" POOL
          "/seed && truncate -s 4M " POOL "/seed && qemu-img convert -O qcow2 " POOL "/seed " POOL
          "/image.qcow2 && rm " POOL "/seed");
    assert_int_equal(wait_answer(virt_volume_hash(virt, "image.qcow2", on_answer, NULL)), 0);
    sum = popen("sha256sum " POOL "/image.qcow2", "r");
    assert_non_null(fgets(line, sizeof(line), sum));
    assert_int_equal(pclose(sum), 0);
    assert_memory_equal(line, got.volume.sha256, VIRT_HASH_BYTES - 1);
    assert_int_equal(got.volume.capacity_bytes, 4 << 20);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(wait_answer(virt_ensure_overlay(virt, VM_A, "image.qcow2", on_answer, NULL)), 0);
        assert_int_equal(wait_answer(virt_ensure_drive(virt, DRIVE, 16 << 20, on_answer, NULL)), 0);
        assert_int_equal(got.volume.capacity_bytes, 16 << 20);
    }
    assert_int_equal(wait_answer(virt_ensure_drive(virt, DRIVE, 8 << 20, on_answer, NULL)), -EEXIST);
    shell("qemu-img info " POOL "/vm-" VM_A ".qcow2 | grep -q 'backing file: " POOL "/image.qcow2'");
}

/* By a mistake of the operator's; the host is not ensured anew before libvirt goes and comes. */
static void test_what_was_stopped_is_started_by_who_needs_it(void **state)
{
    struct virt_vm_spec a = make_spec(VM_A, 10, "probe", "10.77.0.11");

    (void)state;
    shell("virsh -q pool-destroy kiln >/dev/null && virsh -q net-destroy kiln >/dev/null");
    assert_int_equal(wait_answer(virt_ensure_overlay(virt, VM_A, "image.qcow2", on_answer, NULL)), 0);
    assert_int_equal(wait_answer(virt_ensure_address(virt, &a, on_answer, NULL)), 0);
    shell("virsh -q pool-info kiln | grep -q 'State: *running'");
    shell("virsh -q net-dumpxml kiln | grep -q ip=.10.77.0.10.");
    assert_int_equal(wait_answer(virt_address_gone(virt, &a, on_answer, NULL)), 0);
}

/* What a kilnd that is gone had pinned, after the next one had it taken back; an operator's pins stay. */
static void test_addresses_of_nobody_are_taken_back(void **state)
{
    struct virt_vm_spec a = make_spec(VM_A, 10, "probe", "10.77.0.11");
    uint8_t(*held)[4] = calloc(2, sizeof *held);

    (void)state;
    assert_int_equal(wait_answer(virt_ensure_address(virt, &a, on_answer, NULL)), 0);
    shell("for host in \"mac='52:54:00:4d:00:20' ip='10.77.0.32'\" \"mac='02:00:00:00:00:01' "
          "ip='10.77.0.33'\"; do"
          " virsh -q net-update kiln add ip-dhcp-host \"<host $host/>\" --live >/dev/null || exit 1; done");
    memcpy(held[0], (const uint8_t[]){10, 77, 0, 200}, 4);
    memcpy(held[1], (const uint8_t[]){10, 77, 0, 10}, 4);
    assert_int_equal(wait_answer(virt_addresses_keep(virt, held, 2, on_answer, NULL)), 0);
    assert_int_equal(got.ntaken, 1);
    shell("test \"$(virsh -q net-dumpxml kiln | grep -o \"ip='10.77.0.[0-9]*'\" | sort | tr '\\n' ' ')\" = "
          "\"ip='10.77.0.10' ip='10.77.0.33' \"");
    shell("virsh -q net-update kiln delete ip-dhcp-host \"<host mac='02:00:00:00:00:01' ip='10.77.0.33'/>\" "
          "--live "
          ">/dev/null");
    assert_int_equal(wait_answer(virt_address_gone(virt, &a, on_answer, NULL)), 0);
}

static void test_a_guest_runs_with_its_boot_data(void **state)
{
    struct virt_vm_spec a = make_spec(VM_A, 10, "probe", "10.77.0.11");
    struct virt_vm_spec b = make_spec(VM_B, 11, "idle", "10.77.0.10");
    int64_t began_ms;

    (void)state;
    (void)listen_on(GUEST_PORT);
    (void)listen_on(CLOSED_PORT);
    start(&b, console[1]);
    wait_console(console[1], "GUEST idle");
    began_ms = loop_monotonic_ms();
    start(&a, console[0]);
    wait_event(0, VIRT_EVENT_STARTED, VM_A);
    wait_console(console[0], "GUEST address 10.77.0.10");
    print_message("from start to address: %d ms\n", (int)(loop_monotonic_ms() - began_ms));
    assert_non_null(strstr(console[0], "GUEST uuid " VM_A));
    assert_non_null(strstr(console[0], "GUEST oem kiln:url=https://10.77.0.1:8443"));
    assert_non_null(strstr(console[0], "GUEST oem kiln:brick=bbbb"));
    assert_non_null(strstr(console[0], "GUEST oem kiln:edge=eeee"));
    assert_non_null(strstr(console[0], "GUEST oem kiln:host=cccc"));
    /* SHA-256 of 32 zero bytes. */
    assert_non_null(strstr(console[0], "GUEST secret 66687aadf862bd776c8fc18b8e9f8e20"));
    assert_non_null(strstr(console[0], "GUEST system golden bytes 01"));
    /* QEMU has read it: from here on nobody needs the file, not even to end the domain. */
    shell("rm " SECRET);
}

static void test_asking_again_changes_nothing(void **state)
{
    struct virt_vm_spec a = make_spec(VM_A, 10, "probe", "10.77.0.11");
    size_t from = nevents;

    (void)state;
    start(&a, console[0]);
    assert_int_equal(got.error, 0);
    a.boot = 2;
    assert_int_equal(wait_answer(virt_ensure_domain(virt, &a, on_answer, NULL)), -EEXIST);
    assert_int_equal(wait_answer(virt_domain_query(virt, VM_A, on_answer, NULL)), 0);
    assert_int_equal(got.domain.state, VIRT_DOMAIN_RUNNING);
    assert_int_equal(got.domain.boot, 1);
    assert_string_equal(got.domain.brick, "kit & <brick>");
    assert_int_equal(nevents, from);
}

static void test_the_filter_lets_through_what_it_must_and_no_more(void **state)
{
    (void)state;
    wait_console(console[0], "GUEST idle");
    assert_non_null(strstr(console[0], "GUEST reach listener yes"));
    assert_non_null(strstr(console[0], "GUEST reach restored yes"));
    assert_non_null(strstr(console[0], "GUEST reach closed no"));
    assert_non_null(strstr(console[0], "GUEST reach other-vm no"));
    assert_non_null(strstr(console[0], "GUEST reach from-22 no"));
    assert_non_null(strstr(console[0], "GUEST ping no"));
    assert_non_null(strstr(console[0], "GUEST reach spoofed-ip no"));
    assert_non_null(strstr(console[0], "GUEST reach spoofed-mac no"));
    assert_true(reaches("10.77.0.10", 22));
    assert_true(reaches("10.77.0.11", 22));
    assert_false(reaches("10.77.0.10", 23));
}

static void test_drives_come_and_go_by_serial(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++)
        assert_int_equal(wait_answer(virt_ensure_attached(virt, VM_B, DRIVE, false, on_answer, NULL)), 0);
    wait_console(console[1], "GUEST disks " SERIAL ":0:32768");
    assert_int_equal(wait_answer(virt_drive_list(virt, VM_B, on_answer, NULL)), 0);
    assert_int_equal(got.nserials, 1);
    assert_string_equal(got.serials[0], SERIAL);
    assert_int_equal(wait_answer(virt_ensure_attached(virt, VM_B, DRIVE, true, on_answer, NULL)), -EEXIST);
    /* QEMU's own lock: a writer shares with nobody, whatever Kiln believes. */
    assert_true(wait_answer(virt_ensure_attached(virt, VM_A, DRIVE, true, on_answer, NULL)) < 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(wait_answer(virt_ensure_detached(virt, VM_B, DRIVE, on_answer, NULL)), 0);
    assert_int_equal(wait_answer(virt_drive_list(virt, VM_B, on_answer, NULL)), 0);
    assert_int_equal(got.nserials, 0);
    assert_int_equal(wait_answer(virt_ensure_attached(virt, VM_A, DRIVE, true, on_answer, NULL)), 0);
    assert_int_equal(wait_answer(virt_ensure_attached(virt, VM_B, DRIVE, true, on_answer, NULL)), 0);
    wait_console(console[0], "GUEST disks " SERIAL ":1:32768");
    wait_console(console[1], "GUEST disks " SERIAL ":1:32768");
}

static void test_a_killed_qemu_is_seen_at_once(void **state)
{
    size_t from = nevents;
    int64_t killed_ms;

    (void)state;
    killed_ms = loop_monotonic_ms();
    shell("kill -KILL $(cat /run/libvirt/qemu/kiln-" VM_A ".pid)");
    wait_event(from, VIRT_EVENT_CRASHED, VM_A);
    print_message("seen after %d ms\n", (int)(events[nevents - 1].at_ms - killed_ms));
    assert_true(events[nevents - 1].at_ms - killed_ms < 1000);
    assert_int_equal(wait_answer(virt_domain_query(virt, VM_A, on_answer, NULL)), 0);
    assert_int_equal(got.domain.state, VIRT_DOMAIN_ABSENT);
    assert_int_equal(wait_answer(virt_domain_gone(virt, VM_A, on_answer, NULL)), 0);
}

static void test_a_restart_of_libvirtd_is_ridden_out(void **state)
{
    size_t from = nevents;
    char *text = console[1];

    (void)state;
    shell("kill -KILL $(pidof libvirtd)");
    wait_event(from, VIRT_EVENT_LOST, "");
    assert_false(virt_is_connected(virt));
    assert_int_equal(wait_answer(virt_domain_query(virt, VM_B, on_answer, NULL)), -ENOTCONN);
    shell("libvirtd -d");
    wait_event(from, VIRT_EVENT_BACK, "");
    assert_int_equal(wait_answer(virt_domain_query(virt, VM_B, on_answer, NULL)), 0);
    assert_int_equal(got.domain.state, VIRT_DOMAIN_RUNNING);
    assert_null(find_event(from, VIRT_EVENT_STOPPED, VM_B));
    assert_null(find_event(from, VIRT_EVENT_CRASHED, VM_B));
    text[0] = '\0';
    assert_int_equal(wait_answer(virt_ensure_console(virt, VM_B, on_line, text, on_answer, NULL)), 0);
    assert_int_equal(wait_answer(virt_ensure_detached(virt, VM_B, DRIVE, on_answer, NULL)), 0);
    wait_console(text, "GUEST disks");
    assert_true(reaches("10.77.0.11", 22));
}

static void test_only_our_domains_are_listed_and_ended(void **state)
{
    (void)state;
    shell(
        "virsh -q create /dev/stdin <<'XML' >/dev/null\n"
        "<domain type='qemu'><name>foreign</name><uuid>f0000000-0000-4000-8000-00000000000f</uuid>"
        "<memory unit='MiB'>32</memory><os><type arch='x86_64' machine='q35'>hvm</type></os></domain>\nXML");
    assert_int_equal(wait_answer(virt_domain_list(virt, on_answer, NULL)), 0);
    assert_int_equal(got.ndomains, 1);
    assert_string_equal(got.domains[0].uuid, VM_B);
    assert_int_equal(
        wait_answer(virt_domain_gone(virt, "f0000000-0000-4000-8000-00000000000f", on_answer, NULL)),
        -EEXIST);
    shell("virsh -q domstate foreign | grep -q running && virsh -q destroy foreign >/dev/null");
}

static void ignore(void *arg, const struct virt_answer *answer)
{
    *(int *)arg = answer->error;
}

static void test_gone_overtakes_a_start_and_leaves_nothing(void **state)
{
    struct virt_vm_spec a = make_spec(VM_A, 10, "idle", "10.77.0.11");
    int started = 1, queried = 1;

    (void)state;
    write_secret();
    assert_int_equal(virt_ensure_domain(virt, &a, ignore, &started), 0);
    assert_int_equal(virt_domain_query(virt, VM_A, ignore, &queried), 0);
    assert_int_equal(wait_answer(virt_domain_gone(virt, VM_A, on_answer, NULL)), 0);
    assert_int_not_equal(started, 1);
    assert_int_not_equal(queried, 1);
    assert_int_equal(wait_answer(virt_domain_query(virt, VM_A, on_answer, NULL)), 0);
    assert_int_equal(got.domain.state, VIRT_DOMAIN_ABSENT);
}

static void test_the_end_leaves_nothing_behind(void **state)
{
    struct virt_vm_spec a = make_spec(VM_A, 10, "idle", "10.77.0.11");
    struct virt_vm_spec b = make_spec(VM_B, 11, "idle", "10.77.0.10");
    char tail[VIRT_CONSOLE_TAIL_BYTES + 1];
    char hash[VIRT_HASH_BYTES];
    size_t from = nevents;

    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(wait_answer(virt_domain_gone(virt, VM_B, on_answer, NULL)), 0);
        assert_int_equal(wait_answer(virt_overlay_gone(virt, VM_B, on_answer, NULL)), 0);
        assert_int_equal(wait_answer(virt_overlay_gone(virt, VM_A, on_answer, NULL)), 0);
        assert_int_equal(wait_answer(virt_address_gone(virt, &a, on_answer, NULL)), 0);
        assert_int_equal(wait_answer(virt_address_gone(virt, &b, on_answer, NULL)), 0);
        assert_int_equal(wait_answer(virt_drive_gone(virt, DRIVE, on_answer, NULL)), 0);
    }
    wait_event(from, VIRT_EVENT_STOPPED, VM_B);
    assert_true(virt_console_tail(virt, VM_B, tail, sizeof(tail)) > 0);
    assert_non_null(strstr(tail, "GUEST disks"));
    virt_console_forget(virt, VM_B);
    assert_int_equal(virt_console_tail(virt, VM_B, tail, sizeof(tail)), 0);
    shell("test -z \"$(virsh -q list --all)\"");
    shell("test \"$(ls " POOL ")\" = \"$(printf 'image.qcow2\\ninitrd\\nvmlinuz')\"");
    shell("! virsh -q net-dumpxml kiln | grep '<host'");
    shell("! ip -o link | grep vnet");
    shell("! ebtables-save 2>/dev/null | grep vnet; ! iptables-save | grep vnet");
    /* The image is as it was: hashed before the guests wrote to their system disks (R1). */
    assert_int_equal(wait_answer(virt_volume_hash(virt, "image.qcow2", on_answer, NULL)), 0);
    memcpy(hash, got.volume.sha256, sizeof(hash));
    shell("qemu-img convert -O raw " POOL "/image.qcow2 /run/world/raw");
    shell("head -c 16 /run/world/raw | grep -q 'golden bytes 01'");
    shell("test $(tr -d '\\0' </run/world/raw | wc -c) = 16");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_host_objects_are_made_once),
        cmocka_unit_test(test_volumes),
        cmocka_unit_test(test_what_was_stopped_is_started_by_who_needs_it),
        cmocka_unit_test(test_addresses_of_nobody_are_taken_back),
        cmocka_unit_test(test_a_guest_runs_with_its_boot_data),
        cmocka_unit_test(test_asking_again_changes_nothing),
        cmocka_unit_test(test_the_filter_lets_through_what_it_must_and_no_more),
        cmocka_unit_test(test_drives_come_and_go_by_serial),
        cmocka_unit_test(test_a_killed_qemu_is_seen_at_once),
        cmocka_unit_test(test_a_restart_of_libvirtd_is_ridden_out),
        cmocka_unit_test(test_only_our_domains_are_listed_and_ended),
        cmocka_unit_test(test_gone_overtakes_a_start_and_leaves_nothing),
        cmocka_unit_test(test_the_end_leaves_nothing_behind),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
