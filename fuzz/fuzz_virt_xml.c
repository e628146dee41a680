/* links: kiln_core */
/*
 * XML as libvirt hands it over, and values on their way into it. Claims: an element lies inside the text and
 * begins with its name; any value that is put into an attribute is read back the same.
 */
#include <string.h>

#include "fuzz/claim.h"
#include "src/core/virt_text.h"
#include "src/core/virt_xml.h"

static const struct virt_config config = {.pool = "kiln",
                                          .pool_path = "/pool",
                                          .network = "kiln",
                                          .bridge = "kiln0",
                                          .host_address = "10.77.0.1",
                                          .netmask = "255.255.255.0"};

static void check_elements(const char *xml, size_t len)
{
    static const char *const names[] = {"ip", "host", "target", "backingStore", "bridge"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *end = NULL, *at = virt_text_element(xml, names[i], &end);
        CLAIM(!at || (at >= xml && end > at && end <= xml + len && end[-1] == '>'));
        CLAIM(!at || strncmp(at + 1, names[i], strlen(names[i])) == 0);
    }
}

static void check_volume(const char *xml)
{
    char format[16] = "before", backing[VIRT_PATH_BYTES] = "before", address[18] = "";
    if (virt_xml_parse_volume(xml, format, backing) < 0)
        CLAIM(strcmp(format, "before") == 0 && strcmp(backing, "before") == 0);
    CLAIM(strlen(format) < sizeof format && strlen(backing) < sizeof backing);
    if (virt_xml_find_host(xml, "mac", "52:54:00:00:00:01", "ip", address))
        CLAIM(strlen(address) < sizeof address);
    virt_xml_network_fits(xml, &config);
}

static void check_value(const char *value)
{
    struct virt_text text;
    char back[512];
    virt_text_begin(&text);
    virt_text_put(&text, "<e a='%s' b=\"%s\"/>", value, value);
    char *xml = virt_text_take(&text);
    if (!xml)
        return;
    for (const char *name = "ab"; *name; name++) {
        int error = virt_text_attribute(xml, (char[]){*name, '\0'}, back, sizeof back);
        CLAIM((error == 0) == (strlen(value) < sizeof back));
        CLAIM(error < 0 || strcmp(back, value) == 0);
    }
    free(xml);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = input_text(data, size);
    check_elements(text, size);
    check_volume(text);
    check_value(text);
    free(text);
    return 0;
}
