/*
 * Owners and operators: they order VMs, come to them, send keys, and go on until they have what they want.
 *
 * In: a plan. Out: orders to kilnd, channels, bridges. Kept: what each of them knows.
 */
#ifndef KILN_TESTS_SIM_PEOPLE_H
#define KILN_TESTS_SIM_PEOPLE_H

#include <stdbool.h>
#include <stdint.h>

struct plan;

/* Users, drives and a brick, once for all lives: what they are called is in people.c. */
void people_order_objects(void);
bool people_have_objects(void);

void people_begin(const struct plan *plan);
/* Index of the VM in the plan, by the name it was given. */
int people_index(const char *name);
/* Its newest id; NULL before it was ordered. */
const uint8_t *people_vm(int index);

/* Whether its owner comes at all. */
bool people_come(int index);

void people_leave(int index, int64_t for_us);
/* One more session of the same owner's. */
void people_come_again(int index);
void people_assign(int index, int owner);
void people_bridge(int index, int64_t for_us);
void people_destroy(int index, bool force);
void people_drive_add(int number);
void people_drive_remove(int number);
/* Nobody is away any more; and everything is to be destroyed. */
void people_return(void);
void people_destroy_all(void);

#endif
