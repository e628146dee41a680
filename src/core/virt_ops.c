/*
 * Virt ops: the table of libvirt's side; see virt_ops.h.
 */
#include "src/core/virt_ops.h"

const struct virt_ops virt_ops_libvirt = {
    .is_connected = virt_is_connected,
    .ensure_host = virt_ensure_host,
    .ensure_overlay = virt_ensure_overlay,
    .overlay_gone = virt_overlay_gone,
    .ensure_drive = virt_ensure_drive,
    .drive_gone = virt_drive_gone,
    .volume_hash = virt_volume_hash,
    .ensure_address = virt_ensure_address,
    .address_gone = virt_address_gone,
    .addresses_keep = virt_addresses_keep,
    .ensure_domain = virt_ensure_domain,
    .domain_gone = virt_domain_gone,
    .domain_list = virt_domain_list,
    .ensure_attached = virt_ensure_attached,
    .ensure_console = virt_ensure_console,
    .console_tail = virt_console_tail,
    .console_forget = virt_console_forget,
};
