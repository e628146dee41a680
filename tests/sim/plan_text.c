/*
 * What a life is, as a story: a word and its pairs a line (tests/sim/README.md).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/plan.h"

enum { LINE_MAX_BYTES = 512 };

struct act_words {
    const char *text;
    bool vm;
    const char *numbers[2];
};

static const struct act_words act_words[PLAN_ACT_COUNT] = {
#define X(upper, text, vm, a, b) {text, vm, {a, b}},
    PLAN_ACTS_LIST(X)
#undef X
};

static const char *const fault_names[] = {"none", "lost", "twice", "bent", "cut", "unknown", "refused"};

/* ---- write ---- */

static void number_write(FILE *file, const char *name, int64_t number)
{
    if (strcmp(name, "call") == 0)
        fprintf(file, " call=%s", false_virt_call_name((enum virt_call)number));
    else if (strcmp(name, "fault") == 0)
        fprintf(file, " fault=%s", fault_names[number]);
    else if (name[0])
        fprintf(file, " %s=%" PRId64, name, number);
}

static void vm_write(FILE *file, const struct plan_vm *vm)
{
    fprintf(file, "vm at-ms=%" PRId64, vm->at_ms);
    if (vm->owner >= 0)
        fprintf(file, " owner=%d", vm->owner);
    for (unsigned i = 0; i < vm->ndrives; i++)
        fprintf(file, " %s=%d", vm->writes[i] ? "writes" : "reads", vm->drives[i]);
    if (vm->applications)
        fprintf(file, " applications=1");
    if (vm->port_taken)
        fprintf(file, " port-taken=1");
    if (vm->silent)
        fprintf(file, " silent=1");
    if (vm->loses_owner)
        fprintf(file, " loses-owner=1");
    if (vm->mounts_fail)
        fprintf(file, " mounts-fail=%u", vm->mounts_fail);
    if (vm->users_fail)
        fprintf(file, " users-fail=%u", vm->users_fail);
    fprintf(file, "\n");
}

void plan_write(FILE *file, const struct plan *plan)
{
    fprintf(file, "seed %" PRIu64 "\n", plan->seed);
    if (plan->calm)
        fprintf(file, "calm\n");
    if (plan->lie)
        fprintf(file, "lie %s\n", false_virt_lie_name(plan->lie));
    for (unsigned i = 0; i < plan->nvms; i++)
        vm_write(file, &plan->vms[i]);
    for (unsigned i = 0; i < plan->nacts; i++) {
        const struct plan_act *act = &plan->acts[i];
        const struct act_words *words = &act_words[act->kind];
        fprintf(file, "at %" PRId64 " %s", act->at_ms, words->text);
        if (words->vm)
            fprintf(file, " vm=%d", act->vm);
        for (int j = 0; j < 2; j++)
            number_write(file, words->numbers[j], act->numbers[j]);
        fprintf(file, "\n");
    }
    if (plan->breaks[0])
        fprintf(file, "breaks %s\n", plan->breaks);
}

/* ---- read ---- */

static int word_find(const char *word, const char *(*name)(int), int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(word, name(i)) == 0)
            return i;
    return -1;
}

static const char *call_name(int number)
{
    return false_virt_call_name((enum virt_call)number);
}

static const char *lie_name(int number)
{
    return false_virt_lie_name((enum virt_lie)number);
}

static const char *fault_name(int number)
{
    return fault_names[number];
}

static const char *act_name(int number)
{
    return act_words[number].text;
}

/* The value of a pair: a number, or a name where names are. -1 below all that is right. */
static int64_t value_read(const char *key, const char *value)
{
    if (strcmp(key, "call") == 0)
        return word_find(value, call_name, VIRT_CALL_COUNT);
    if (strcmp(key, "fault") == 0)
        return word_find(value, fault_name, (int)(sizeof fault_names / sizeof fault_names[0]));
    return strtoll(value, NULL, 10);
}

/* Cuts the next "key=value" off *AT. */
static bool pair_next(char **at, const char **ret_key, const char **ret_value)
{
    char *pair = strsep(at, " \n");
    while (pair && !*pair)
        pair = strsep(at, " \n");
    char *equals = pair ? strchr(pair, '=') : NULL;
    if (!equals)
        return false;
    *equals = 0;
    *ret_key = pair;
    *ret_value = equals + 1;
    return true;
}

static bool vm_read(char *at, struct plan_vm *vm)
{
    const char *key, *value;
    *vm = (struct plan_vm){.owner = -1};
    while (pair_next(&at, &key, &value)) {
        int number = atoi(value);
        bool drive = strcmp(key, "writes") == 0 || strcmp(key, "reads") == 0;
        if (drive && vm->ndrives < PLAN_VM_DRIVES) {
            vm->writes[vm->ndrives] = key[0] == 'w';
            vm->drives[vm->ndrives++] = number;
        } else if (strcmp(key, "at-ms") == 0)
            vm->at_ms = number;
        else if (strcmp(key, "owner") == 0)
            vm->owner = number;
        else if (strcmp(key, "applications") == 0)
            vm->applications = number;
        else if (strcmp(key, "port-taken") == 0)
            vm->port_taken = number;
        else if (strcmp(key, "silent") == 0)
            vm->silent = number;
        else if (strcmp(key, "loses-owner") == 0)
            vm->loses_owner = number;
        else if (strcmp(key, "mounts-fail") == 0)
            vm->mounts_fail = (unsigned)number;
        else if (strcmp(key, "users-fail") == 0)
            vm->users_fail = (unsigned)number;
        else
            return false;
    }
    return vm->owner < PLAN_OWNERS;
}

static bool act_read(char *at, struct plan_act *act)
{
    const char *key, *value, *time = strsep(&at, " \n"), *word = strsep(&at, " \n");
    int kind = word ? word_find(word, act_name, PLAN_ACT_COUNT) : -1;
    if (kind < 0)
        return false;
    *act = (struct plan_act){.at_ms = strtoll(time, NULL, 10), .kind = (enum plan_act_kind)kind};
    while (pair_next(&at, &key, &value)) {
        if (strcmp(key, "vm") == 0)
            act->vm = atoi(value);
        else if (strcmp(key, act_words[kind].numbers[0]) == 0)
            act->numbers[0] = value_read(key, value);
        else if (strcmp(key, act_words[kind].numbers[1]) == 0)
            act->numbers[1] = value_read(key, value);
        else
            return false;
    }
    return act->vm >= 0 && act->vm < PLAN_VMS;
}

static bool line_read(char *line, struct plan *plan)
{
    char *at = line;
    const char *word = strsep(&at, " \n");
    if (!*word || *word == '#')
        return true;
    if (strcmp(word, "seed") == 0)
        plan->seed = strtoull(at, NULL, 10);
    else if (strcmp(word, "calm") == 0)
        plan->calm = true;
    else if (strcmp(word, "lie") == 0) {
        int lie = word_find(strsep(&at, " \n"), lie_name, VIRT_LIE_COUNT);
        plan->lie = lie < 0 ? VIRT_LIE_NONE : (enum virt_lie)lie;
        return lie >= 0;
    } else if (strcmp(word, "breaks") == 0)
        snprintf(plan->breaks, sizeof plan->breaks, "%s", strsep(&at, " \n"));
    else if (strcmp(word, "vm") == 0 && plan->nvms < PLAN_VMS)
        return vm_read(at, &plan->vms[plan->nvms++]);
    else if (strcmp(word, "at") == 0 && plan->nacts < PLAN_ACTS)
        return act_read(at, &plan->acts[plan->nacts++]);
    else
        return false;
    return true;
}

int plan_read(const char *path, struct plan *ret_plan)
{
    char line[LINE_MAX_BYTES];
    int number = 0, rc = 0;
    FILE *file = fopen(path, "re");
    if (!file) {
        fprintf(stderr, "%s: cannot be read\n", path);
        return -1;
    }
    memset(ret_plan, 0, sizeof *ret_plan);
    while (!rc && fgets(line, sizeof line, file)) {
        number++;
        if (line_read(line, ret_plan))
            continue;
        fprintf(stderr, "%s:%d: what does this say?\n", path, number);
        rc = -1;
    }
    fclose(file);
    return rc;
}
