/*
 * What must be true of every life, looked at after every step.
 *
 * In: the hypervisor, what is durable, kilnd. Out: the first claim that broke, with words. Kept: quiet time:
 * that in which kilnd runs, libvirt answers and the disk takes what is written, so that what is late has no
 * excuse.
 */
#ifndef KILN_TESTS_SIM_CLAIMS_H
#define KILN_TESTS_SIM_CLAIMS_H

#include <stdbool.h>
#include <stdint.h>

struct truth_vm;
struct vm;

/* Names a broken claim; the first counts. */
void claim_broken(const char *claim, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The claim that broke, or NULL; its words. */
const char *claims_broken(void);
const char *claims_words(void);

void claims_begin(void);
void claims_look(void);
void claims_grace_begins(void);
/* kilnd asks libvirt for what a VM in STATE wants, for its boot BOOT (0: any): whether that is what is
 * durable. */
void claims_asked(const uint8_t id[16], int state, uint32_t boot);
/* From now on nothing goes wrong any more: whoever still runs out of time was forgotten. */
void claims_quiet_begins(void);
/* A VM is destroyed: whether what it says of the cause is so. */
void claims_destroyed(const struct truth_vm *before, const struct vm *now);
/* Whether each VM has come to where it stays; the last look says which has not. */
bool claims_settled(bool last_look);
/* Whether every VM is destroyed and nothing is left of it; forgotten as well. */
bool claims_ended(bool last_look);
bool claims_forgotten(bool last_look);

#endif
