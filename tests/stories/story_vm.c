/*
 * story_vm.c - the VM's machine as the story runner sees it. Kept: the VM under test.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "states/vm.h"
#include "tests/stories/story.h"

static struct vm vm;
static struct vm_event happening;

static bool given_timeout(const char *state, const char *value)
{
    int index = vm_state_find(state);
    if (index < 0)
        return false;
    vm.timeout_ms[index] = strtoll(value, NULL, 10) * 1000;
    return true;
}

static bool given(const struct story_words *words)
{
    memset(&vm, 0, sizeof vm);
    vm_timeouts_init(&vm);
    vm.boots_max = 1;
    for (size_t i = 0; i < words->count; i++) {
        const char *name = words->word[i].name;
        const char *value = words->word[i].value;
        if (strcmp(name, "drives") == 0)
            vm.drives = (uint8_t)strtoul(value, NULL, 10);
        else if (strcmp(name, "assigned") == 0)
            vm.assigned = true;
        else if (strcmp(name, "applications") == 0)
            vm.offers_applications = true;
        else if (strcmp(name, "boots") == 0)
            vm.boots_max = (uint32_t)strtoul(value, NULL, 10);
        else if (strncmp(name, "timeout.", 8) != 0 || !given_timeout(name + 8, value))
            return false;
    }
    for (int i = 0; i < vm.drives; i++)
        vm.drive[i].id[0] = (uint8_t)i;
    return vm.drives <= VM_DRIVES_MAX;
}

static void begin(int64_t at_ms, struct fsm_fx *fx)
{
    vm_begin(&vm, at_ms, fx);
}

static bool drive_status(const struct story_words *words, uint8_t *ret_status)
{
    const char *name = story_word(words, "status");
    for (uint8_t i = 0; name && i < VM_DRIVE_STATUS_COUNT; i++) {
        if (strcmp(vm_drive_status_name(i), name) == 0) {
            *ret_status = i;
            return true;
        }
    }
    return !name;
}

static void keep_word(char *to, size_t size_bytes, const struct story_words *words, const char *name)
{
    const char *value = story_word(words, name);
    snprintf(to, size_bytes, "%s", value ? value : "");
}

static bool body_drive(const struct story_words *words, struct vm_drive_report *drive)
{
    drive->id[0] = (uint8_t)story_number(words, "drive");
    drive->trouble.code = story_code(words);
    keep_word(drive->trouble.detail, sizeof drive->trouble.detail, words, "detail");
    return drive_status(words, &drive->status) && drive->trouble.code >= 0;
}

static bool body(const struct story_words *words)
{
    struct vm_event *event = &happening;
    switch (event->head.on) {
    case VM_ON_REGISTERED:
        event->registration.request_hash[0] = (uint8_t)story_number(words, "request");
        return true;
    case VM_ON_PAIRED:
    case VM_ON_CHANNEL_CLOSED:
    case VM_ON_BRIDGE_OPENED:
    case VM_ON_BRIDGE_CLOSED:
        event->count = (uint32_t)story_number(words, "count");
        return true;
    case VM_ON_DRIVE_ATTACHED:
    case VM_ON_DRIVE_FAILED:
    case VM_ON_DRIVE_STATUS:
        return body_drive(words, &event->drive);
    case VM_ON_RECOVERED:
        event->sight.domain = story_word(words, "boot") != NULL;
        event->sight.boot = (uint32_t)story_number(words, "boot");
        return true;
    case VM_ON_ASSIGN:
        event->owner.fingerprint[0] = (uint8_t)story_number(words, "owner");
        return true;
    case VM_ON_GUEST_STATE:
        keep_word(event->guest_state, sizeof event->guest_state, words, "state");
        return true;
    case VM_ON_DESTROY_ASKED:
        keep_word(event->destroy.by, sizeof event->destroy.by, words, "by");
        keep_word(event->destroy.reason, sizeof event->destroy.reason, words, "reason");
        event->destroy.force = story_word(words, "force") != NULL;
        return true;
    default:
        event->trouble.code = story_code(words);
        keep_word(event->trouble.detail, sizeof event->trouble.detail, words, "detail");
        return event->trouble.code >= 0;
    }
}

static bool number_fact(const char *name, char text[STORY_FACT_MAX])
{
    const struct {
        const char *name;
        long long value;
    } facts[] = {
        {"deadline", vm.head.deadline_at_ms ? (vm.head.deadline_at_ms - vm.head.entered_at_ms) / 1000 : 0},
        {"boot", vm.boot_number},
        {"channels", vm.channels},
        {"bridges", vm.bridges},
        {"owner", vm.owner[0]},
        {"registered", vm.registered},
        {"link", vm.link_up},
        {"unreachable", vm.unreachable},
        {"paused", vm.paused},
        {"forced", vm.forced},
    };
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        if (strcmp(facts[i].name, name) == 0) {
            snprintf(text, STORY_FACT_MAX, "%lld", facts[i].value);
            return true;
        }
    }
    return false;
}

static bool text_fact(const char *name, char text[STORY_FACT_MAX])
{
    const struct {
        const char *name, *value;
    } facts[] = {
        {"state", vm_state_name(vm.head.state)},
        {"detail", vm.detail},
        {"story", vm.head.story},
        {"guest", vm.guest_state},
        {"by", vm.destroyed_by},
    };
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        if (strcmp(facts[i].name, name) == 0) {
            snprintf(text, STORY_FACT_MAX, "%s", facts[i].value);
            return true;
        }
    }
    return false;
}

static bool fact(const char *name, char text[STORY_FACT_MAX])
{
    if (strcmp(name, "code") == 0) {
        story_code_write(vm.code, text);
        return true;
    }
    if (strncmp(name, "drive.", 6) == 0) {
        unsigned index = (unsigned)strtoul(name + 6, NULL, 10);
        if (index >= vm.drives)
            return false;
        snprintf(text, STORY_FACT_MAX, "%s", vm_drive_status_name(vm.drive[index].status));
        return true;
    }
    return number_fact(name, text) || text_fact(name, text);
}

const struct story_machine story_vm = {
    .fsm = &vm_machine,
    .given = given,
    .begin = begin,
    .record = &vm,
    .record_bytes = sizeof vm,
    .event = &happening,
    .event_bytes = sizeof happening,
    .body = body,
    .fact = fact,
};
