/*
 * story_guest.c - the controller's machine as the story runner sees it. Kept: the controller under test.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/machine.h"
#include "tests/stories/story.h"

static struct guest guest;
static struct guest_event happening;

static bool given(const struct story_words *words)
{
    return words->count == 0;
}

static void begin(int64_t at_ms, struct fsm_fx *fx)
{
    guest_begin(&guest, at_ms, fx);
}

static bool body_trouble(const struct story_words *words, struct guest_trouble *trouble)
{
    const char *detail = story_word(words, "detail");
    trouble->code = story_code(words);
    snprintf(trouble->detail, sizeof trouble->detail, "%s", detail ? detail : "");
    return trouble->code >= 0;
}

static bool body_drives(const struct story_words *words, struct guest_drives *drives)
{
    long count = story_number(words, "drives");
    if (count < 0 || count > GUEST_DRIVES_MAX)
        return false;
    drives->count = (uint8_t)count;
    for (int i = 0; i < count; i++)
        drives->drive[i].id[0] = (uint8_t)i;
    return true;
}

static bool body(const struct story_words *words)
{
    struct guest_event *event = &happening;
    switch (event->head.on) {
    case GUEST_ON_REGISTERED:
    case GUEST_ON_ASSIGNED:
        event->owner.known = story_word(words, "owner") != NULL;
        event->owner.fingerprint[0] = (uint8_t)story_number(words, "owner");
        return true;
    case GUEST_ON_OWNER_AUTHENTICATED:
    case GUEST_ON_CHANNEL_CLOSED:
        event->count = (uint32_t)story_number(words, "count");
        return true;
    case GUEST_ON_DRIVES_TOLD:
        return body_drives(words, &event->drives);
    case GUEST_ON_DRIVE_MOUNTED:
    case GUEST_ON_DRIVE_FAILED:
    case GUEST_ON_UNLOCK_ASKED:
        event->drive.id[0] = (uint8_t)story_number(words, "drive");
        return body_trouble(words, &event->drive.trouble);
    default:
        return body_trouble(words, &event->trouble);
    }
}

static const char *exit_name(void)
{
    static const char *const names[] = {"none", "failed", "shutdown", "update"};
    return names[guest.exit];
}

static bool drive_fact(const char *name, char text[STORY_FACT_MAX])
{
    unsigned index = (unsigned)strtoul(name, NULL, 10);
    if (index >= guest.drives.count)
        return false;
    snprintf(text, STORY_FACT_MAX, "%s", guest_drive_status_name(guest.drives.drive[index].status));
    return true;
}

static bool fact(const char *name, char text[STORY_FACT_MAX])
{
    if (strcmp(name, "code") == 0)
        story_code_write(guest.code, text);
    else if (strncmp(name, "drive.", 6) == 0)
        return drive_fact(name + 6, text);
    else if (strcmp(name, "state") == 0)
        snprintf(text, STORY_FACT_MAX, "%s", guest_state_name(guest.head.state));
    else if (strcmp(name, "detail") == 0)
        snprintf(text, STORY_FACT_MAX, "%s", guest.detail);
    else if (strcmp(name, "story") == 0)
        snprintf(text, STORY_FACT_MAX, "%s", guest.head.story);
    else if (strcmp(name, "exit") == 0)
        snprintf(text, STORY_FACT_MAX, "%s", exit_name());
    else if (strcmp(name, "channels") == 0)
        snprintf(text, STORY_FACT_MAX, "%u", guest.channels);
    else if (strcmp(name, "tries") == 0)
        snprintf(text, STORY_FACT_MAX, "%u", guest.failed_tries);
    else if (strcmp(name, "link") == 0)
        snprintf(text, STORY_FACT_MAX, "%d", guest.link_up);
    else if (strcmp(name, "owner") == 0)
        snprintf(text, STORY_FACT_MAX, "%u", guest.owned ? guest.owner[0] : 0);
    else
        return false;
    return true;
}

const struct story_machine story_guest = {
    .fsm = &guest_machine,
    .given = given,
    .begin = begin,
    .record = &guest,
    .record_bytes = sizeof guest,
    .event = &happening,
    .event_bytes = sizeof happening,
    .body = body,
    .fact = fact,
};
