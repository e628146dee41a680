/*
 * People: which user something is for (people.c also performs the users' effect).
 */
#ifndef KILN_GUEST_PEOPLE_H
#define KILN_GUEST_PEOPLE_H

struct controller;

/* The user that NAME ("": the first of the database) means, NULL when the VM has no such one: never root,
 * never a system account. Borrowed from NAME or the controller. */
const char *people_choose(const struct controller *controller, const char *name);

#endif
