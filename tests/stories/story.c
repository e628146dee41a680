/*
 * story.c - runs stories: `story MACHINE FILE...`. README.md shows the form of a story.
 *
 * In:   story files.   Out: exit status 0 when each went as told; else FILE:LINE and what differs, and 1.
 * Kept: where the running story is.
 */
#include "tests/stories/story.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STORY_STEP_MS = 1000, STORY_RECORD_MAX = 16384 };

struct story {
    const struct story_machine *machine;
    const char *path;
    unsigned line;
    int64_t now_ms;
    bool begun;
    struct fsm_fx fx;
    size_t fx_told; /* effects that the story has named so far */
    bool failed;
};

static void complain(struct story *story, const char *what, const char *detail)
{
    fprintf(stderr, "%s:%u: %s%s%s\n", story->path, story->line, what, *detail ? ": " : "", detail);
    story->failed = true;
}

/* Cuts the next word off `*text`, ended by a blank; blanks within quotes do not end it. NULL at the end. */
static char *word_cut(char **text)
{
    char *from = *text + strspn(*text, " ");
    char *at = from;
    bool quoted = false;
    if (!*from)
        return NULL;
    for (; *at && (quoted || *at != ' '); at++)
        if (*at == '"')
            quoted = !quoted;
    *text = *at ? at + 1 : at;
    *at = '\0';
    return from;
}

static void words_split(char *text, struct story_words *words)
{
    words->count = 0;
    for (char *word = word_cut(&text); word && words->count < STORY_WORDS_MAX; word = word_cut(&text)) {
        char *value = strchr(word, '=');
        if (value)
            *value++ = '\0';
        if (value && *value == '"') {
            value[strlen(value) - 1] = '\0';
            value++;
        }
        words->word[words->count++] = (struct story_word){word, value ? value : ""};
    }
}

static int name_find(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return (int)i;
    return -1;
}

/* Every effect must have been told before the story goes on. */
static void effects_end(struct story *story)
{
    if (story->fx.overflow)
        complain(story, "more effects than there is room for", "");
    for (; story->fx_told < story->fx.count; story->fx_told++)
        complain(story, "wants also", story->machine->fsm->effect_names[story->fx.list[story->fx_told].what]);
}

static void effect_line(struct story *story, char *text)
{
    const struct fsm_machine *fsm = story->machine->fsm;
    char *name = word_cut(&text);
    char *which = word_cut(&text);
    int what = name_find(fsm->effect_names, fsm->neffects, name);
    if (what < 0) {
        complain(story, "no such effect", name);
        return;
    }
    if (story->fx_told == story->fx.count) {
        complain(story, "does not want", name);
        return;
    }
    struct fsm_effect effect = story->fx.list[story->fx_told++];
    if (effect.what != what)
        complain(story, "wants instead", fsm->effect_names[effect.what]);
    else if (effect.which != (which ? strtoul(which, NULL, 10) : 0))
        complain(story, "wants it for another one than", which ? which : "0");
}

static void fact_line(struct story *story, char *text)
{
    char is[STORY_FACT_MAX];
    char *name = word_cut(&text);
    if (!name || !story->machine->fact(name, is)) {
        complain(story, "no such fact", name ? name : "");
        return;
    }
    if (strcmp(is, text) != 0) {
        complain(story, name, is);
    }
}

static void state_check(struct story *story, const char *expected)
{
    char is[STORY_FACT_MAX];
    story->machine->fact("state", is);
    if (strcmp(is, expected) != 0)
        complain(story, "the state is", is);
}

static void event_step(struct story *story, int on, const struct story_words *words, const char *expected)
{
    static uint8_t before[STORY_RECORD_MAX];
    const struct story_machine *machine = story->machine;
    memcpy(before, machine->record, machine->record_bytes);
    memset(machine->event, 0, machine->event_bytes);
    *(struct fsm_event *)machine->event = (struct fsm_event){.on = on, .at_ms = story->now_ms};
    if (!machine->body(words)) {
        complain(story, "a word of this event means nothing", words->word[0].name);
        return;
    }
    const struct fsm_row *row = fsm_step(machine->fsm, machine->record, machine->event, &story->fx);
    if (strcmp(expected, "refused") != 0) {
        if (!row)
            complain(story, "refused", words->word[0].name);
        state_check(story, expected);
        return;
    }
    if (row)
        complain(story, "not refused", row->story);
    else if (memcmp(before, machine->record, machine->record_bytes) != 0)
        complain(story, "a refusal changed the record", "");
}

/* `+300s`: how long after the event before. */
static void time_pass(struct story *story, char **text)
{
    if (**text != '+') {
        story->now_ms += STORY_STEP_MS;
        return;
    }
    char *unit;
    const char *word = word_cut(text);
    long long amount = strtoll(word + 1, &unit, 10);
    if (strcmp(unit, "s") != 0 && strcmp(unit, "ms") != 0)
        complain(story, "not a time", word);
    story->now_ms += strcmp(unit, "s") == 0 ? amount * 1000 : amount;
}

static void event_line(struct story *story, char *text)
{
    const struct fsm_machine *fsm = story->machine->fsm;
    struct story_words words;
    char *arrow = strstr(text, " -> ");
    effects_end(story);
    if (!arrow) {
        complain(story, "no \"->\" and state", text);
        return;
    }
    *arrow = '\0';
    time_pass(story, &text);
    words_split(text, &words);
    fsm_fx_init(&story->fx);
    story->fx_told = 0;
    if (words.count && strcmp(words.word[0].name, "begin") == 0 && !story->begun) {
        story->machine->begin(story->now_ms, &story->fx);
        story->begun = true;
        state_check(story, arrow + 4);
        return;
    }
    int on = words.count ? name_find(fsm->event_names, fsm->nevents, words.word[0].name) : -1;
    if (on < 0 || !story->begun)
        complain(story, "no such event", words.count ? words.word[0].name : "");
    else
        event_step(story, on, &words, arrow + 4);
}

static void line_run(struct story *story, char *text)
{
    text[strcspn(text, "\n")] = '\0';
    if (!*text || *text == '#')
        return;
    if (strncmp(text, "  = ", 4) == 0)
        fact_line(story, text + 4);
    else if (strncmp(text, "  ", 2) == 0)
        effect_line(story, text + 2);
    else if (strncmp(text, "given ", 6) == 0) {
        struct story_words words;
        words_split(text + 6, &words);
        if (!story->machine->given(&words))
            complain(story, "a word of what is given means nothing", "");
    } else
        event_line(story, text);
}

static bool story_run(const struct story_machine *machine, const char *path)
{
    static const struct story_words nothing;
    struct story story = {.machine = machine, .path = path, .now_ms = 0};
    char text[STORY_LINE_MAX];
    FILE *file = fopen(path, "r");
    if (!file) {
        complain(&story, "cannot be read", strerror(errno));
        return false;
    }
    machine->given(&nothing);
    while (fgets(text, sizeof text, file)) {
        story.line++;
        line_run(&story, text);
    }
    effects_end(&story);
    if (!story.begun)
        complain(&story, "the story never begins", "");
    fclose(file);
    return !story.failed;
}

int main(int argc, char **argv)
{
    const struct story_machine *machine = NULL;
    bool all = true;
    if (argc >= 3 && strcmp(argv[1], "vm") == 0)
        machine = &story_vm;
    else if (argc >= 3 && strcmp(argv[1], "guest") == 0)
        machine = &story_guest;
    if (!machine) {
        fprintf(stderr, "usage: story vm|guest FILE...\n");
        return 2;
    }
    for (int i = 2; i < argc; i++)
        all = story_run(machine, argv[i]) && all;
    return all ? 0 : 1;
}
