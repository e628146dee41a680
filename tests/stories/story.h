/*
 * story.h - what the story runner asks of a machine, and the words of a line.
 *
 * In:   lines of a story.   Out: events, checked states, effects and facts.
 * Kept: the record under test, in the machine's own file.
 */
#ifndef KILN_TESTS_STORIES_STORY_H
#define KILN_TESTS_STORIES_STORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "states/fsm.h"

enum {
    STORY_LINE_MAX = 512,
    STORY_WORDS_MAX = 16,
    STORY_FACT_MAX = 256,
};

/* The words of a line: `name`, `name=value` or `name="some words"`; borrowed from the line. */
struct story_words {
    struct story_word {
        const char *name;
        const char *value; /* "" where there is none */
    } word[STORY_WORDS_MAX];
    size_t count;
};

/* A machine as the runner sees it. Functions that may fail return false: a word that means nothing there. */
struct story_machine {
    const struct fsm_machine *fsm;
    bool (*given)(const struct story_words *words);
    void (*begin)(int64_t at_ms, struct fsm_fx *fx);
    void *record, *event; /* the one under test, and the one that happens; an event begins with its head */
    size_t record_bytes, event_bytes;
    /* Fills in the body of the event, which is zero but for its head, from words[1..]. */
    bool (*body)(const struct story_words *words);
    /* Writes a fact of the record as text. */
    bool (*fact)(const char *name, char text[STORY_FACT_MAX]);
};

extern const struct story_machine story_vm;
extern const struct story_machine story_guest;

/* Value of a word, or NULL when it is not there; and as a number, 0 when it is not. */
const char *story_word(const struct story_words *words, const char *name);
long story_number(const struct story_words *words, const char *name);

/* The number of the word `code`, by its name in protocol/code.h; -1 when there is no such code. */
int story_code(const struct story_words *words);

/* Writes the name of a code number, "none" for 0. */
void story_code_write(int code, char text[STORY_FACT_MAX]);

#endif
