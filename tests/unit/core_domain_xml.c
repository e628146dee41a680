/*
 * A VM's domain against the file that says how it must look, and what is read back from libvirt's own output.
 */
#include "src/core/domain_xml.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define UUID "0a1b2c3d-4e5f-4071-8293-a4b5c6d7e8f9"

static struct virt_vm_spec make_spec(void)
{
    struct virt_vm_spec spec = {
        .uuid = UUID,
        .boot = 3,
        .brick = "A&B <\"1'>",
        .guest_url = "https://10.77.0.1:8443",
        .kernel = "debian.vmlinuz",
        .initrd = "debian.initrd",
        .cmdline = "root=/dev/sda console=ttyS0 note=<&>",
        .vcpus = 2,
        .memory_bytes = 1073741824,
        .mac = "52:54:00:4d:00:05",
        .address = "10.77.0.5",
        .boot_secret_path = "/run/kiln/boot/" UUID,
    };

    memset(spec.brick_hash, 'b', VIRT_HASH_BYTES - 1);
    memset(spec.host_identity, 'c', VIRT_HASH_BYTES - 1);
    memset(spec.edge, 'e', VIRT_HASH_BYTES - 1);
    return spec;
}

static struct domain_xml_host make_host(bool kvm)
{
    return (struct domain_xml_host){
        .kvm = kvm,
        .pool = "kiln",
        .network = "kiln",
        .address = "10.77.0.1",
        .guest_port = 8443,
        .kernel_path = "/var/lib/kiln/pool/debian.vmlinuz",
        .initrd_path = "/var/lib/kiln/pool/debian.initrd",
    };
}

static void assert_is_golden(const char *xml, const char *path)
{
    char golden[16384];
    FILE *file = fopen(path, "r");
    size_t len;

    assert_non_null(file);
    len = fread(golden, 1, sizeof(golden) - 1, file);
    golden[len] = '\0';
    fclose(file);
    assert_string_equal(xml, golden);
}

static void test_an_emulated_domain_is_as_in_the_file(void **state)
{
    struct virt_vm_spec spec = make_spec();
    struct domain_xml_host host = make_host(false);
    char *xml = domain_xml_build(&spec, &host);

    (void)state;
    assert_is_golden(xml, "tests/unit/core_domain_xml.golden.xml");
    free(xml);
}

static void test_kvm_changes_type_and_cpu_only(void **state)
{
    struct virt_vm_spec spec = make_spec();
    struct domain_xml_host host = make_host(true);
    char *xml = domain_xml_build(&spec, &host);

    (void)state;
    assert_non_null(strstr(xml, "<domain type='kvm'>"));
    assert_non_null(strstr(xml, "<cpu mode='host-passthrough'"));
    free(xml);
}

static void test_without_a_kernel_the_image_boots_itself(void **state)
{
    struct virt_vm_spec spec = make_spec();
    struct domain_xml_host host = make_host(false);
    char *xml;

    (void)state;
    host.kernel_path = NULL;
    xml = domain_xml_build(&spec, &host);
    assert_null(strstr(xml, "<kernel>"));
    assert_null(strstr(xml, "<initrd>"));
    assert_null(strstr(xml, "<cmdline>"));
    assert_non_null(strstr(xml, "<boot dev='hd'/>"));
    free(xml);
}

static void test_the_secret_is_named_by_its_file_only(void **state)
{
    struct virt_vm_spec spec = make_spec();
    struct domain_xml_host host = make_host(false);
    char *xml = domain_xml_build(&spec, &host);
    const char *strings = strstr(xml, "<oemStrings>"), *end = strstr(xml, "</oemStrings>");

    (void)state;
    assert_null(memmem(strings, (size_t)(end - strings), "secret", 6));
    assert_non_null(strstr(xml, "file='/run/kiln/boot/" UUID "'"));
    free(xml);
}

static void test_metadata_is_read_back(void **state)
{
    struct virt_domain_info info = {0};

    (void)state;
    /* As libvirt gives it back: without the namespace that it was found by. */
    assert_int_equal(domain_xml_parse_metadata("<vm uuid=\"" UUID "\" boot=\"18446744073709551615\" "
                                               "brick=\"A&amp;B &lt;1'&gt;\" host=\"cc\"/>",
                                               &info),
                     0);
    assert_string_equal(info.uuid, UUID);
    assert_true(info.boot == UINT64_MAX);
    assert_string_equal(info.brick, "A&B <1'>");
    assert_string_equal(info.host_identity, "cc");
    assert_string_equal(info.address, "");
    assert_int_equal(
        domain_xml_parse_metadata("<vm uuid='u' boot='1' brick='b' host='h' address='10.0.0.9'/>", &info), 0);
    assert_string_equal(info.address, "10.0.0.9");
}

static void test_metadata_that_is_not_ours_changes_nothing(void **state)
{
    static const char *const bad[] = {
        "",
        "<vm/>",
        "<vm uuid='u' boot='1' brick='b'/>",
        "<vm uuid='u' boot='1x' brick='b' host='h'/>",
        "<vm uuid='u' boot='' brick='b' host='h'/>",
        "<vm uuid='u' boot='99999999999999999999999' brick='b' host='h'/>",
        "<vm uuid='" UUID UUID "' boot='1' brick='b' host='h'/>",
        "<vm x=\"uuid='u'\" boot='1' brick='b' host='h'/>",
        "<vm uuid='u' boot='1' brick='b' host='h",
    };
    struct virt_domain_info info = {.boot = 42};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(domain_xml_parse_metadata(bad[i], &info), -EBADMSG);
    assert_int_equal(info.boot, 42);
}

static void test_a_serial_is_twenty_digits_of_the_id(void **state)
{
    char serial[VIRT_SERIAL_BYTES];

    (void)state;
    virt_drive_serial(UUID, serial);
    assert_string_equal(serial, "0a1b2c3d4e5f40718293");
    virt_drive_serial("short", serial);
    assert_string_equal(serial, "short");
}

static void test_a_drive_is_read_only_for_readers(void **state)
{
    char *xml = domain_xml_build_drive("kiln", UUID, "sdb", false);

    (void)state;
    assert_null(strstr(xml, "<readonly/>"));
    assert_non_null(strstr(xml, "<source pool='kiln' volume='drive-" UUID ".raw'/>"));
    assert_non_null(strstr(xml, "<serial>0a1b2c3d4e5f40718293</serial>"));
    free(xml);
    xml = domain_xml_build_drive("kiln", UUID, "sdb", true);
    assert_non_null(strstr(xml, "<readonly/>"));
    free(xml);
}

static const char live[] =
    "<domain><devices>"
    "<disk type='volume'><target dev='sda' bus='scsi'/></disk>"
    "<disk type='volume'><target dev='sdb'/><serial>0a1b2c3d4e5f40718293</serial></disk>"
    "<disk type='file'><target dev='sdc'/><serial>somebody's</serial></disk>"
    "<disk type='volume'><target dev='sde'/><serial>ffffffffffffffffffff</serial></disk>"
    "</devices></domain>";

static void test_drives_are_found_in_a_live_domain(void **state)
{
    char serials[4][VIRT_SERIAL_BYTES];
    char target[8];
    char *disk;

    (void)state;
    assert_int_equal(domain_xml_parse_serials(live, serials, 4), 2);
    assert_string_equal(serials[0], "0a1b2c3d4e5f40718293");
    assert_string_equal(serials[1], "ffffffffffffffffffff");
    assert_int_equal(domain_xml_parse_serials(live, serials, 1), 1);
    disk = domain_xml_find_drive(live, "ffffffffffffffffffff");
    assert_string_equal(
        disk, "<disk type='volume'><target dev='sde'/><serial>ffffffffffffffffffff</serial></disk>");
    free(disk);
    assert_null(domain_xml_find_drive(live, "0000000000000000ffff"));
    domain_xml_free_target(live, target);
    assert_string_equal(target, "sdd");
}

static void test_targets_go_on_after_sdz(void **state)
{
    char xml[1024] = "", target[8];

    (void)state;
    for (char c = 'b'; c <= 'z'; c++) {
        char used[16];

        snprintf(used, sizeof(used), "dev='sd%c' ", c);
        strcat(xml, used);
    }
    domain_xml_free_target(xml, target);
    assert_string_equal(target, "sdaa");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_emulated_domain_is_as_in_the_file),
        cmocka_unit_test(test_kvm_changes_type_and_cpu_only),
        cmocka_unit_test(test_without_a_kernel_the_image_boots_itself),
        cmocka_unit_test(test_the_secret_is_named_by_its_file_only),
        cmocka_unit_test(test_metadata_is_read_back),
        cmocka_unit_test(test_metadata_that_is_not_ours_changes_nothing),
        cmocka_unit_test(test_a_serial_is_twenty_digits_of_the_id),
        cmocka_unit_test(test_a_drive_is_read_only_for_readers),
        cmocka_unit_test(test_drives_are_found_in_a_live_domain),
        cmocka_unit_test(test_targets_go_on_after_sdz),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
