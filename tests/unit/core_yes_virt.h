/*
 * A libvirt that says yes to everything, on the loop's next turn.
 *
 * In: the core's calls. Out: answers. Kept: how many are owed.
 */
#ifndef KILN_TESTS_UNIT_CORE_YES_VIRT_H
#define KILN_TESTS_UNIT_CORE_YES_VIRT_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/virt_ops.h"
#include "src/io/loop.h"

static struct loop *yes_loop;
static size_t yes_owed; /* answers not yet given */

struct yes {
    virt_answer_fn *answered;
    void *arg;
};

static void yes_said(void *arg)
{
    struct yes *yes = arg;
    struct virt_answer answer = {.words = ""};
    memset(answer.volume.sha256, 'a', 64);
    yes_owed--;
    yes->answered(yes->arg, &answer);
    free(yes);
}

static int say_yes(virt_answer_fn *answered, void *arg)
{
    struct yes *yes = malloc(sizeof *yes);
    *yes = (struct yes){answered, arg};
    yes_owed++;
    return loop_post(yes_loop, yes_said, yes);
}

static bool yes_connected(const struct virt *virt)
{
    (void)virt;
    return true;
}

static int yes_host(struct virt *virt, virt_answer_fn *answered, void *arg)
{
    (void)virt;
    return say_yes(answered, arg);
}

/* Of no domain it says that it is not there: two such lists, ten seconds apart, end every VM. */
static int yes_list(struct virt *virt, virt_answer_fn *answered, void *arg)
{
    (void)virt;
    (void)answered;
    (void)arg;
    return -ENOTCONN;
}

static int yes_name(struct virt *virt, const char *name, virt_answer_fn *answered, void *arg)
{
    (void)virt;
    (void)name;
    return say_yes(answered, arg);
}

static int yes_overlay(struct virt *virt, const char *uuid, const char *image, virt_answer_fn *answered,
                       void *arg)
{
    (void)image;
    return yes_name(virt, uuid, answered, arg);
}

static int yes_drive(struct virt *virt, const char *drive, uint64_t size, virt_answer_fn *answered, void *arg)
{
    (void)size;
    return yes_name(virt, drive, answered, arg);
}

static int yes_spec(struct virt *virt, const struct virt_vm_spec *spec, virt_answer_fn *answered, void *arg)
{
    (void)virt;
    (void)spec;
    return say_yes(answered, arg);
}

static int yes_held(struct virt *virt, uint8_t (*held)[4], size_t nheld, virt_answer_fn *answered, void *arg)
{
    (void)nheld;
    free(held);
    return yes_host(virt, answered, arg);
}

static int yes_attached(struct virt *virt, const char *uuid, const char *drive, bool readonly,
                        virt_answer_fn *answered, void *arg)
{
    (void)drive;
    (void)readonly;
    return yes_name(virt, uuid, answered, arg);
}

static int yes_console(struct virt *virt, const char *uuid, virt_console_line_fn *line, void *line_arg,
                       virt_answer_fn *answered, void *arg)
{
    (void)line;
    (void)line_arg;
    return yes_name(virt, uuid, answered, arg);
}

static void yes_uuid(struct virt *virt, const char *uuid)
{
    (void)virt;
    (void)uuid;
}

static size_t yes_tail(const struct virt *virt, const char *uuid, char *ret_text, size_t size)
{
    (void)virt;
    (void)uuid;
    (void)size;
    ret_text[0] = '\0';
    return 0;
}

static const struct virt_ops yes_ops = {
    .is_connected = yes_connected,
    .ensure_host = yes_host,
    .ensure_overlay = yes_overlay,
    .overlay_gone = yes_name,
    .ensure_drive = yes_drive,
    .drive_gone = yes_name,
    .volume_hash = yes_name,
    .ensure_address = yes_spec,
    .address_gone = yes_spec,
    .addresses_keep = yes_held,
    .ensure_domain = yes_spec,
    .domain_gone = yes_name,
    .domain_list = yes_list,
    .ensure_attached = yes_attached,
    .ensure_console = yes_console,
    .console_tail = yes_tail,
    .console_forget = yes_uuid,
};

#endif
