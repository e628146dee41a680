/*
 * Status: what the owner sees of the VM from inside (README 7.4, `status`).
 * In: the controller, the kernel's counters. Out: JSON. Kept: nothing.
 */
#ifndef KILN_GUEST_STATUS_H
#define KILN_GUEST_STATUS_H

struct controller;
struct json_writer;

/* Writes the result of `status` as one object. */
void status_write(struct json_writer *writer, const struct controller *controller);
/* Writes one drive with its place and sizes, as an element of an array. */
struct guest_drive;
void status_write_drive(struct json_writer *writer, const struct guest_drive *drive);

#endif
