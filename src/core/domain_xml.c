/*
 * A VM's domain, part by part in the order of libvirt's own output. What each part is for, and what is left
 * out on purpose (USB, graphics, video, balloon, guest agent), is the hardware that every brick sees.
 */
#include "src/core/domain_xml.h"

#include "src/core/virt_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void domain_xml_overlay_name(const char *uuid, char ret_name[static VIRT_NAME_BYTES])
{
    snprintf(ret_name, VIRT_NAME_BYTES, "vm-%s.qcow2", uuid);
}

void domain_xml_domain_name(const char *uuid, char ret_name[static VIRT_NAME_BYTES])
{
    snprintf(ret_name, VIRT_NAME_BYTES, "kiln-%s", uuid);
}

void domain_xml_drive_name(const char *drive, char ret_name[static VIRT_NAME_BYTES])
{
    snprintf(ret_name, VIRT_NAME_BYTES, "drive-%s.raw", drive);
}

static void put_identity(struct virt_text *text, const struct virt_vm_spec *spec)
{
    char name[VIRT_NAME_BYTES];

    domain_xml_domain_name(spec->uuid, name);
    virt_text_put(text, "  <name>%s</name>\n  <uuid>%s</uuid>\n", name, spec->uuid);
    virt_text_put(text,
                  "  <metadata>\n    <" KILN_METADATA_PREFIX ":vm xmlns:" KILN_METADATA_PREFIX
                  "='" KILN_METADATA_URI
                  "' uuid='%s' boot='%lu' brick='%s' host='%s' address='%s'/>\n  </metadata>\n",
                  spec->uuid, (unsigned long)spec->boot, spec->brick, spec->host_identity, spec->address);
    /* dumpCore: a dump of the guest's memory would hold the keys of its drives. */
    virt_text_put(text, "  <memory unit='b' dumpCore='off'>%lu</memory>\n",
                  (unsigned long)spec->memory_bytes);
    virt_text_put(text, "  <vcpu placement='static'>%lu</vcpu>\n", (unsigned long)spec->vcpus);
}

/* The boot secret goes in by a file, because libvirt writes SMBIOS strings to QEMU's command line and its
 * log. */
static void put_boot_data(struct virt_text *text, const struct virt_vm_spec *spec)
{
    virt_text_put(text, "  <sysinfo type='smbios'>\n    <oemStrings>\n");
    virt_text_put(text, "      <entry>kiln:url=%s</entry>\n", spec->guest_url);
    virt_text_put(text, "      <entry>kiln:edge=%s</entry>\n", spec->edge);
    virt_text_put(text, "      <entry>kiln:host=%s</entry>\n", spec->host_identity);
    virt_text_put(text, "      <entry>kiln:brick=%s</entry>\n", spec->brick_hash);
    virt_text_put(text, "    </oemStrings>\n  </sysinfo>\n");
    virt_text_put(text,
                  "  <sysinfo type='fwcfg'>\n    <entry name='opt/org.kiln/boot-secret' file='%s'/>\n"
                  "  </sysinfo>\n",
                  spec->boot_secret_path);
}

static void put_boot(struct virt_text *text, const struct virt_vm_spec *spec,
                     const struct domain_xml_host *host)
{
    virt_text_put(text, "  <os>\n    <type arch='x86_64' machine='q35'>hvm</type>\n");
    if (host->kernel_path)
        virt_text_put(text, "    <kernel>%s</kernel>\n", host->kernel_path);
    if (host->kernel_path && host->initrd_path)
        virt_text_put(text, "    <initrd>%s</initrd>\n", host->initrd_path);
    if (host->kernel_path && spec->cmdline[0])
        virt_text_put(text, "    <cmdline>%s</cmdline>\n", spec->cmdline);
    virt_text_put(text, "    <boot dev='hd'/>\n    <smbios mode='sysinfo'/>\n  </os>\n");
}

static void put_platform(struct virt_text *text, const struct domain_xml_host *host)
{
    virt_text_put(text, "  <features>\n    <acpi/>\n    <apic/>\n  </features>\n");
    /* Five-level page tables cost an emulated CPU a fifth of its boot, and no brick has that much memory. */
    virt_text_put(text, host->kvm ? "  <cpu mode='host-passthrough' check='none' migratable='off'/>\n"
                                  : "  <cpu mode='maximum' check='none'>\n"
                                    "    <feature policy='disable' name='la57'/>\n  </cpu>\n");
    virt_text_put(text, "  <clock offset='utc'/>\n  <on_poweroff>destroy</on_poweroff>\n"
                        "  <on_reboot>restart</on_reboot>\n  <on_crash>destroy</on_crash>\n");
    virt_text_put(text, "  <pm>\n    <suspend-to-mem enabled='no'/>\n    <suspend-to-disk enabled='no'/>\n"
                        "  </pm>\n");
}

/* cache='unsafe': the thin volume never outlives the VM, so nothing waits for its flushes. */
static void put_system_disk(struct virt_text *text, const struct virt_vm_spec *spec, const char *pool)
{
    char name[VIRT_NAME_BYTES];

    domain_xml_overlay_name(spec->uuid, name);
    virt_text_put(text,
                  "    <disk type='volume' device='disk'>\n"
                  "      <driver name='qemu' type='qcow2' cache='unsafe' discard='unmap'/>\n"
                  "      <source pool='%s' volume='%s'/>\n"
                  "      <target dev='sda' bus='scsi'/>\n    </disk>\n",
                  pool, name);
}

static void put_interface(struct virt_text *text, const struct virt_vm_spec *spec,
                          const struct domain_xml_host *host)
{
    virt_text_put(text,
                  "    <interface type='network'>\n      <mac address='%s'/>\n"
                  "      <source network='%s'/>\n      <model type='virtio'/>\n"
                  "      <port isolated='yes'/>\n      <filterref filter='" KILN_FILTER_NAME "'>\n",
                  spec->mac, host->network);
    virt_text_put(text,
                  "        <parameter name='IP' value='%s'/>\n"
                  "        <parameter name='KILN_HOST' value='%s'/>\n"
                  "        <parameter name='KILN_PORT' value='%lu'/>\n",
                  spec->address, host->address, (unsigned long)host->guest_port);
    virt_text_put(text, "      </filterref>\n    </interface>\n");
}

static void put_devices(struct virt_text *text, const struct virt_vm_spec *spec,
                        const struct domain_xml_host *host)
{
    virt_text_put(text, "  <devices>\n    <controller type='usb' model='none'/>\n"
                        "    <controller type='scsi' index='0' model='virtio-scsi'/>\n");
    put_system_disk(text, spec, host->pool);
    put_interface(text, spec, host);
    virt_text_put(text, "    <serial type='pty'>\n      <target type='isa-serial' port='0'/>\n    </serial>\n"
                        "    <console type='pty'>\n      <target type='serial' port='0'/>\n    </console>\n");
    virt_text_put(text, "    <memballoon model='none'/>\n    <rng model='virtio'>\n"
                        "      <backend model='random'>/dev/urandom</backend>\n    </rng>\n  </devices>\n");
}

char *domain_xml_build(const struct virt_vm_spec *spec, const struct domain_xml_host *host)
{
    struct virt_text text;

    virt_text_begin(&text);
    virt_text_put(&text, "<domain type='%s'>\n", host->kvm ? "kvm" : "qemu");
    put_identity(&text, spec);
    put_boot_data(&text, spec);
    put_boot(&text, spec, host);
    put_platform(&text, host);
    put_devices(&text, spec, host);
    virt_text_put(&text, "</domain>\n");
    return virt_text_take(&text);
}

char *domain_xml_build_drive(const char *pool, const char *drive, const char *target, bool readonly)
{
    char name[VIRT_NAME_BYTES], serial[VIRT_SERIAL_BYTES];
    struct virt_text text;

    domain_xml_drive_name(drive, name);
    virt_drive_serial(drive, serial);
    virt_text_begin(&text);
    virt_text_put(&text, "<disk type='volume' device='disk'>\n"
                         "  <driver name='qemu' type='raw' cache='writeback' discard='unmap'/>\n");
    virt_text_put(&text, "  <source pool='%s' volume='%s'/>\n  <target dev='%s' bus='scsi'/>\n", pool, name,
                  target);
    /* Not <shareable/>: readers share without it, and QEMU's lock then keeps them from a writer's drive. */
    if (readonly)
        virt_text_put(&text, "  <readonly/>\n");
    virt_text_put(&text, "  <serial>%s</serial>\n</disk>\n", serial);
    return virt_text_take(&text);
}

/* libvirt finds the element by its namespace and gives it back without. */
int domain_xml_parse_metadata(const char *element, struct virt_domain_info *ret_info)
{
    struct virt_domain_info info = {0};
    char boot[24], *end;
    int r;

    r = virt_text_attribute(element, "uuid", info.uuid, sizeof(info.uuid));
    r = r < 0 ? r : virt_text_attribute(element, "boot", boot, sizeof(boot));
    r = r < 0 ? r : virt_text_attribute(element, "brick", info.brick, sizeof(info.brick));
    r = r < 0 ? r : virt_text_attribute(element, "host", info.host_identity, sizeof(info.host_identity));
    if (r < 0)
        return -EBADMSG;
    if (virt_text_attribute(element, "address", info.address, sizeof(info.address)) < 0)
        info.address[0] = '\0';
    errno = 0;
    info.boot = strtoull(boot, &end, 10);
    if (errno || end == boot || *end != '\0')
        return -EBADMSG;
    *ret_info = info;
    return 0;
}

/* Serial of a disk element; false when it has none of the length of ours. */
static bool disk_serial(const char *disk, const char *end, char ret_serial[static VIRT_SERIAL_BYTES])
{
    const char *begin = memmem(disk, (size_t)(end - disk), "<serial>", 8);
    const char *close = begin ? strchr(begin + 8, '<') : NULL;

    if (!close || close > end || close - begin - 8 != VIRT_SERIAL_BYTES - 1)
        return false;
    memcpy(ret_serial, begin + 8, VIRT_SERIAL_BYTES - 1);
    ret_serial[VIRT_SERIAL_BYTES - 1] = '\0';
    return true;
}

size_t domain_xml_parse_serials(const char *xml, char (*ret_serials)[VIRT_SERIAL_BYTES], size_t max)
{
    const char *disk, *end;
    size_t n = 0;

    for (; n < max && (disk = virt_text_element(xml, "disk", &end)); xml = end) {
        if (disk_serial(disk, end, ret_serials[n]))
            n++;
    }
    return n;
}

char *domain_xml_find_drive(const char *xml, const char *serial)
{
    char found[VIRT_SERIAL_BYTES];
    const char *disk, *end;

    for (; (disk = virt_text_element(xml, "disk", &end)); xml = end) {
        if (disk_serial(disk, end, found) && strcmp(found, serial) == 0)
            return strndup(disk, (size_t)(end - disk));
    }
    return NULL;
}

void domain_xml_free_target(const char *xml, char ret_target[static 8])
{
    char used[32];

    for (int i = 1; i < 26 * 27; i++) {
        if (i < 26)
            snprintf(ret_target, 8, "sd%c", 'a' + i);
        else
            snprintf(ret_target, 8, "sd%c%c", 'a' + i / 26 - 1, 'a' + i % 26);
        snprintf(used, sizeof(used), "dev='%s'", ret_target);
        if (!strstr(xml, used))
            return;
    }
}
