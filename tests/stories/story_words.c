/*
 * story_words.c - the words of a story's line, by name.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/code.h"
#include "tests/stories/story.h"

const char *story_word(const struct story_words *words, const char *name)
{
    for (size_t i = 0; i < words->count; i++)
        if (strcmp(words->word[i].name, name) == 0)
            return words->word[i].value;
    return NULL;
}

long story_number(const struct story_words *words, const char *name)
{
    const char *value = story_word(words, name);
    return value ? strtol(value, NULL, 10) : 0;
}

int story_code(const struct story_words *words)
{
    const char *name = story_word(words, "code");
    const struct code_info *code = name ? code_find(name) : NULL;
    if (!name)
        return CODE_NONE;
    return code ? (int)code->code : -1;
}

void story_code_write(int code, char text[STORY_FACT_MAX])
{
    const struct code_info *info = code ? code_info((enum kiln_code)code) : NULL;
    snprintf(text, STORY_FACT_MAX, "%s", info ? info->name : "none");
}
