/*
 * The host's objects as XML, and what is read back of them.
 */
#include "src/core/virt_xml.h"

#include "src/core/virt_text.h"
#include "tests/unit/seed.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct virt_config config = {
    .pool = "kiln & co",
    .pool_path = "/var/lib/kiln/pool",
    .network = "kiln",
    .bridge = "kiln0",
    .host_address = "10.77.0.1",
    .netmask = "255.255.255.0",
};

static void test_values_are_escaped_and_formats_are_not(void **state)
{
    struct virt_text text;
    char *xml;

    (void)state;
    virt_text_begin(&text);
    virt_text_put(&text, "<a b='%s'>%lu</a>", "<&>'\"", 18446744073709551615UL);
    xml = virt_text_take(&text);
    assert_string_equal(xml, "<a b='&lt;&amp;&gt;&apos;&quot;'>18446744073709551615</a>");
    free(xml);
}

static void test_attributes_are_found_and_unescaped(void **state)
{
    char value[8];

    (void)state;
    assert_int_equal(virt_text_attribute("<e a='1' bc=\"&lt;2&quot;\"/>", "bc", value, sizeof(value)), 0);
    assert_string_equal(value, "<2\"");
    assert_int_equal(virt_text_attribute("<e a='b=2'/>", "b", value, sizeof(value)), -ENOENT);
    assert_int_equal(virt_text_attribute("<e ab='2'/>", "b", value, sizeof(value)), -ENOENT);
    assert_int_equal(virt_text_attribute("<e a='1'><f b='2'/></e>", "b", value, sizeof(value)), -ENOENT);
    assert_int_equal(virt_text_attribute("<e a='12345678'/>", "a", value, sizeof(value)), -EMSGSIZE);
    assert_int_equal(virt_text_attribute("<e a='1", "a", value, sizeof(value)), -ENOENT);
}

static void test_elements_are_found_with_their_end(void **state)
{
    static const char xml[] = "<diskless/><disk x='>'/><disk>two</disk>";
    const char *end;

    (void)state;
    assert_ptr_equal(virt_text_element(xml, "disk", &end), xml + 11);
    assert_ptr_equal(virt_text_element(end, "disk", &end), xml + 24);
    assert_ptr_equal(end, xml + strlen(xml));
    assert_null(virt_text_element(end, "disk", &end));
    assert_null(virt_text_element("<disk>never ended", "disk", &end));
}

static void test_a_network_of_ours_fits_and_others_do_not(void **state)
{
    char *xml = virt_xml_build_network(&config);
    struct virt_config other = config;

    (void)state;
    seed_write_text("virt_xml", "network", SEED_PLAIN, xml);
    assert_true(virt_xml_network_fits(xml, &config));
    strcpy(other.bridge, "br0");
    assert_false(virt_xml_network_fits(xml, &other));
    other = config;
    strcpy(other.host_address, "10.78.0.1");
    assert_false(virt_xml_network_fits(xml, &other));
    assert_false(virt_xml_network_fits("<network><forward mode='nat'/><bridge name='kiln0'/>"
                                       "<ip address='10.77.0.1'/></network>",
                                       &config));
    free(xml);
}

static void test_a_pool_has_its_name_escaped(void **state)
{
    char *xml = virt_xml_build_pool(&config);

    (void)state;
    assert_non_null(strstr(xml, "<name>kiln &amp; co</name>"));
    assert_non_null(strstr(xml, "<path>/var/lib/kiln/pool</path>"));
    free(xml);
}

static void test_the_filter_ends_with_a_drop_on_both_floors(void **state)
{
    char *xml = virt_xml_build_filter(NULL);
    char *again = virt_xml_build_filter("f0000000-0000-4000-8000-00000000000f");

    (void)state;
    assert_non_null(strstr(xml, "<rule action='drop' direction='inout' priority='-400'><mac/></rule>"));
    assert_non_null(strstr(xml, "<rule action='drop' direction='inout' priority='1000'><all/></rule>"));
    assert_null(strstr(xml, "<uuid>"));
    assert_non_null(strstr(again, "<uuid>f0000000-0000-4000-8000-00000000000f</uuid>"));
    free(xml);
    free(again);
}

static void test_volumes_are_read_back(void **state)
{
    char *xml = virt_xml_build_overlay("vm.qcow2", 1048576, "/pool/image.raw", "raw");
    char format[16] = "kept", backing[VIRT_PATH_BYTES] = "kept";

    (void)state;
    seed_write_text("virt_xml", "volume", SEED_PLAIN, xml);
    assert_int_equal(virt_xml_parse_volume(xml, format, backing), 0);
    assert_string_equal(format, "qcow2");
    assert_string_equal(backing, "/pool/image.raw");
    free(xml);
    xml = virt_xml_build_drive_volume("drive.raw", 1048576);
    assert_int_equal(virt_xml_parse_volume(xml, format, backing), 0);
    assert_string_equal(format, "raw");
    assert_string_equal(backing, "");
    free(xml);
    assert_int_equal(virt_xml_parse_volume("<volume><target/></volume>", format, backing), -EBADMSG);
    assert_string_equal(format, "raw");
}

static void test_pins_are_found_by_either_side(void **state)
{
    static const char xml[] = "<network><dhcp><host mac='52:54:00:00:00:01' ip='10.77.0.5'/>"
                              "<host mac='52:54:00:00:00:02' ip='10.77.0.50'/></dhcp></network>";
    char value[18];

    (void)state;
    seed_write_text("virt_xml", "hosts", SEED_PLAIN, xml);
    assert_true(virt_xml_find_host(xml, "mac", "52:54:00:00:00:02", "ip", value));
    assert_string_equal(value, "10.77.0.50");
    assert_true(virt_xml_find_host(xml, "ip", "10.77.0.5", "mac", value));
    assert_string_equal(value, "52:54:00:00:00:01");
    assert_false(virt_xml_find_host(xml, "ip", "10.77.0", "mac", value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_are_escaped_and_formats_are_not),
        cmocka_unit_test(test_attributes_are_found_and_unescaped),
        cmocka_unit_test(test_elements_are_found_with_their_end),
        cmocka_unit_test(test_a_network_of_ours_fits_and_others_do_not),
        cmocka_unit_test(test_a_pool_has_its_name_escaped),
        cmocka_unit_test(test_the_filter_ends_with_a_drop_on_both_floors),
        cmocka_unit_test(test_volumes_are_read_back),
        cmocka_unit_test(test_pins_are_found_by_either_side),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
