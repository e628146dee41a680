/*
 * Effects: what the machine wants to be true, made true, each by the file of its noun.
 */
#ifndef KILN_GUEST_EFFECTS_H
#define KILN_GUEST_EFFECTS_H

#include "states/fsm.h"

struct controller;

/* Performs the effects in their order. Events that come of it are queued. */
void effects_perform(struct controller *controller, const struct fsm_fx *fx);

#endif
