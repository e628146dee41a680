/*
 * sim: lives of Kiln, many, each a function of its seed.
 *
 * In: seeds and how many, or a story. Out: the first life that broke a claim, as a story; how many rows were
 * taken.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/coverage.h"
#include "tests/sim/false_parts.h"
#include "tests/sim/life.h"
#include "tests/sim/shrink.h"

struct options {
    uint64_t seed, lives;
    const char *story, *save;
    enum virt_lie lie;
    bool verbose, rows, every_row, every_point, go_on;
};

static const char usage[] =
    "usage: sim [--seed N] [--lives N] [--lie WORD] [--save FILE] [--rows] [--every-row] [--go-on]\n"
    "       sim --story FILE [--verbose]\n"
    "       sim --every-point [--seed N] [--save FILE] [--go-on]\n"
    "  --seed N     of the first life; the next has the next (1)\n"
    "  --lives N    how many (1)\n"
    "  --lie WORD   a false part lies in every life (false_virt.h), so that a claim breaks\n"
    "  --every-point  kilnd is killed after each of its effects in turn, in lives that are else without "
    "trouble\n"
    "  --story FILE the life that FILE tells; succeeds when it ends as FILE says\n"
    "  --save FILE  where the story of a life that broke a claim is written (it is printed as well)\n"
    "  --verbose    prints what kilnd and guests log, with the time\n"
    "  --rows       prints how often each row of the machines' tables was taken\n"
    "  --every-row  fails when one never was\n"
    "  --go-on      after a broken claim\n";

/* LIE_COUNT for none of that name. */
static enum virt_lie lie_find(const char *word)
{
    int lie = 0;
    while (lie < VIRT_LIE_COUNT && strcmp(false_virt_lie_name((enum virt_lie)lie), word) != 0)
        lie++;
    return (enum virt_lie)lie;
}

static bool options_read(int argc, char **argv, struct options *options)
{
    static const struct option names[] = {
        {"seed", required_argument, NULL, 's'},  {"lives", required_argument, NULL, 'l'},
        {"story", required_argument, NULL, 'f'}, {"save", required_argument, NULL, 'o'},
        {"verbose", no_argument, NULL, 'v'},     {"rows", no_argument, NULL, 'r'},
        {"every-row", no_argument, NULL, 'e'},   {"go-on", no_argument, NULL, 'g'},
        {"lie", required_argument, NULL, 'i'},   {"every-point", no_argument, NULL, 'p'},
        {"help", no_argument, NULL, 'h'},        {NULL, 0, NULL, 0},
    };
    int option;
    *options = (struct options){.seed = 1, .lives = 1};
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (option == 's')
            options->seed = strtoull(optarg, NULL, 10);
        else if (option == 'l')
            options->lives = strtoull(optarg, NULL, 10);
        else if (option == 'f')
            options->story = optarg;
        else if (option == 'o')
            options->save = optarg;
        else if (option == 'v')
            options->verbose = true;
        else if (option == 'r')
            options->rows = true;
        else if (option == 'e')
            options->every_row = true;
        else if (option == 'i')
            options->lie = lie_find(optarg);
        else if (option == 'p')
            options->every_point = true;
        else if (option == 'g')
            options->go_on = true;
        else
            return false;
    }
    return optind == argc && options->lie < VIRT_LIE_COUNT;
}

static void end_print(const struct life_end *end)
{
    if (end->claim[0])
        printf("broken: %s: %s\n", end->claim, end->words);
    printf("ended after %" PRIu64 " steps, %" PRIu64 " effects, %.3f s, trace ", end->steps, end->points,
           (double)end->at_us / 1e6);
    for (size_t i = 0; i < 8; i++)
        printf("%02x", end->trace[i]);
    printf("\n");
}

static int story_run(const struct options *options)
{
    struct plan plan;
    struct life_end end;
    if (plan_read(options->story, &plan))
        return 2;
    false_log_show(options->verbose);
    life_run(&plan, &end);
    end_print(&end);
    if (strcmp(end.claim, plan.breaks) == 0)
        return 0;
    printf("%s: was to break \"%s\"\n", options->story, plan.breaks);
    return 1;
}

static void story_tell(const struct options *options, const struct plan *plan)
{
    printf("--- story\n");
    plan_write(stdout, plan);
    printf("--- replay it with: sim --story FILE --verbose\n");
    FILE *file = options->save ? fopen(options->save, "we") : NULL;
    if (!file)
        return;
    plan_write(file, plan);
    fclose(file);
}

/* Whether the life went well; else tells its story. */
static bool life_try(const struct options *options, struct plan *plan, uint64_t *ret_points)
{
    struct life_end end;
    life_run(plan, &end);
    *ret_points = end.points;
    if (!end.claim[0])
        return true;
    printf("seed %" PRIu64 " breaks a claim\n", plan->seed);
    shrink(plan, &end);
    end_print(&end);
    story_tell(options, plan);
    fflush(stdout);
    return false;
}

/* Two owners, two VMs that read one drive, one that writes another; one VM is left to its deadline. */
static void plan_of_point(uint64_t seed, unsigned point, int64_t down_ms, struct plan *ret_plan)
{
    *ret_plan = (struct plan){.seed = seed,
                              .vms = {{.at_ms = 1000,
                                       .owner = 0,
                                       .applications = true,
                                       .drives = {0, 1},
                                       .writes = {true},
                                       .ndrives = 2},
                                      {.at_ms = 1500, .owner = 1, .drives = {1}, .ndrives = 1},
                                      {.at_ms = 2000, .owner = 1, .loses_owner = true}},
                              .nvms = 3,
                              .acts = {{.at_ms = 10, .kind = PLAN_ACT_KILL, .numbers = {point, down_ms}},
                                       {.at_ms = 20000, .kind = PLAN_ACT_BRIDGE, .numbers = {8000}},
                                       {.at_ms = 40000, .kind = PLAN_ACT_DESTROY},
                                       {.at_ms = 40500, .kind = PLAN_ACT_DESTROY, .vm = 1, .numbers = {1}}},
                              .nacts = 4};
}

static int points_run(const struct options *options)
{
    static const int64_t downs_ms[] = {40, 3000, 70000};
    uint64_t lives = 0, broken = 0;
    for (size_t i = 0; i < sizeof downs_ms / sizeof downs_ms[0]; i++) {
        uint64_t passed = 1;
        for (unsigned point = 1; point <= passed && (!broken || options->go_on); point++) {
            struct plan plan;
            plan_of_point(options->seed, point, downs_ms[i], &plan);
            broken += !life_try(options, &plan, &passed);
            lives++;
        }
    }
    printf("sim: killed after each effect: %" PRIu64 " of %" PRIu64 " lives broke a claim\n", broken, lives);
    return broken != 0;
}

static int lives_run(const struct options *options)
{
    uint64_t broken = 0;
    printf("sim: seed %" PRIu64 ", %" PRIu64 " lives\n", options->seed, options->lives);
    fflush(stdout);
    for (uint64_t i = 0; i < options->lives && (!broken || options->go_on); i++) {
        struct plan plan;
        uint64_t points;
        plan_make(options->seed + i, &plan);
        plan.lie = options->lie;
        broken += !life_try(options, &plan, &points);
    }
    bool whole = (options->rows || options->every_row) ? coverage_report(options->rows) : true;
    printf("sim: %" PRIu64 " of %" PRIu64 " lives broke a claim\n", broken, options->lives);
    return broken || (options->every_row && !whole);
}

int main(int argc, char **argv)
{
    struct options options;
    if (!options_read(argc, argv, &options)) {
        fputs(usage, stderr);
        return 2;
    }
    life_prepare();
    int rc = options.story         ? story_run(&options)
             : options.every_point ? points_run(&options)
                                   : lives_run(&options);
    life_finish();
    return rc;
}
