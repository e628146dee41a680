/*
 * Virt ops: the calls of virt.h that the machine's effects need, as a table, so that tests can answer for
 * libvirt with faults that libvirt does not make on demand. kilnd uses `virt_ops_libvirt`.
 */
#ifndef KILN_CORE_VIRT_OPS_H
#define KILN_CORE_VIRT_OPS_H

#include "src/core/virt.h"

struct virt_ops {
    bool (*is_connected)(const struct virt *);
    int (*ensure_host)(struct virt *, virt_answer_fn *, void *);
    int (*ensure_overlay)(struct virt *, const char *uuid, const char *image, virt_answer_fn *, void *);
    int (*overlay_gone)(struct virt *, const char *uuid, virt_answer_fn *, void *);
    int (*ensure_drive)(struct virt *, const char *drive, uint64_t size_bytes, virt_answer_fn *, void *);
    int (*drive_gone)(struct virt *, const char *drive, virt_answer_fn *, void *);
    int (*volume_hash)(struct virt *, const char *volume, virt_answer_fn *, void *);
    int (*ensure_address)(struct virt *, const struct virt_vm_spec *, virt_answer_fn *, void *);
    int (*address_gone)(struct virt *, const struct virt_vm_spec *, virt_answer_fn *, void *);
    int (*addresses_keep)(struct virt *, uint8_t (*held)[4], size_t nheld, virt_answer_fn *, void *);
    int (*ensure_domain)(struct virt *, const struct virt_vm_spec *, virt_answer_fn *, void *);
    int (*domain_gone)(struct virt *, const char *uuid, virt_answer_fn *, void *);
    int (*domain_list)(struct virt *, virt_answer_fn *, void *);
    int (*ensure_attached)(struct virt *, const char *uuid, const char *drive, bool readonly,
                           virt_answer_fn *, void *);
    int (*ensure_console)(struct virt *, const char *uuid, virt_console_line_fn *, void *line_arg,
                          virt_answer_fn *, void *);
    size_t (*console_tail)(const struct virt *, const char *uuid, char *ret_text, size_t size);
    void (*console_forget)(struct virt *, const char *uuid);
};

extern const struct virt_ops virt_ops_libvirt;

#endif
