/*
 * Calls: see calls.h.
 */
#include "src/io/calls.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/io/log.h"

enum { CALLS_MAX = 512, NAME_MAX_BYTES = 32, PROGRAM_MAX = 32, WORDS_MAX = 160 };

/* What the handler of SIGSYS says; it may neither allocate nor wait for a lock. */
static char names[CALLS_MAX][NAME_MAX_BYTES];
static char program_name[PROGRAM_MAX];

static void learn_names(const char *program)
{
    snprintf(program_name, sizeof program_name, "%s", program);
    for (int number = 0; number < CALLS_MAX; number++) {
        char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
        snprintf(names[number], NAME_MAX_BYTES, "%s", name != NULL ? name : "unknown");
        free(name);
    }
}

static size_t append(char *words, size_t at, const char *text)
{
    while (*text != '\0' && at < WORDS_MAX - 1)
        words[at++] = *text++;
    return at;
}

static size_t append_number(char *words, size_t at, unsigned number)
{
    char digits[12];
    size_t i = sizeof digits;
    digits[--i] = '\0';
    do
        digits[--i] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    return append(words, at, digits + i);
}

static void last_words(int signo, siginfo_t *info, void *context)
{
    char words[WORDS_MAX];
    int number = info->si_syscall;
    (void)context;
    size_t at = append(words, 0, program_name);
    at = append(words, at, ": ends: the call ");
    at = append(words, at, number >= 0 && number < CALLS_MAX ? names[number] : "unknown");
    at = append(words, at, " (");
    at = append_number(words, at, (unsigned)number);
    at = append(words, at, ") is not on its list\n");
    ssize_t put = write(STDERR_FILENO, words, at);
    (void)put;
    raise(signo);
}

static int add(scmp_filter_ctx filter, int call, uint32_t action, struct scmp_arg_cmp argument)
{
    return seccomp_rule_add(filter, action, call, 1, argument);
}

/* Allowed where ARGUMENT under MASK is VALUE. */
static int allow_masked(scmp_filter_ctx filter, int call, unsigned argument, uint64_t mask, uint64_t value)
{
    return add(filter, call, SCMP_ACT_ALLOW, SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, mask, value));
}

static int add_no_code(scmp_filter_ctx filter, int call)
{
    int rc = allow_masked(filter, call, 2, PROT_EXEC, 0);
    return rc ? rc
              : add(filter, call, SCMP_ACT_ERRNO(EACCES),
                    SCMP_CMP(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC));
}

static int add_socket(scmp_filter_ctx filter, int call, int last_family)
{
    int rc = 0;
    /* AF_UNIX is 1, AF_INET 2; nobody asks for AF_UNSPEC. */
    for (int family = AF_UNIX; family <= last_family && !rc; family++)
        rc = add(filter, call, SCMP_ACT_ALLOW, SCMP_CMP(0, SCMP_CMP_EQ, (scmp_datum_t)family, 0));
    return rc ? rc
              : add(filter, call, SCMP_ACT_ERRNO(EACCES),
                    SCMP_CMP(0, SCMP_CMP_GT, (scmp_datum_t)last_family, 0));
}

static int add_count(scmp_filter_ctx filter, int call)
{
    int rc = add(filter, call, SCMP_ACT_ALLOW, SCMP_CMP(1, SCMP_CMP_EQ, FIONREAD, 0));
    return rc ? rc : add(filter, call, SCMP_ACT_ERRNO(ENOTTY), SCMP_CMP(1, SCMP_CMP_NE, FIONREAD, 0));
}

static int add_rule(scmp_filter_ctx filter, const struct call_rule *rule)
{
    int call = seccomp_syscall_resolve_name(rule->name);
    if (call < 0)
        return 0;
    switch (rule->when) {
    case CALL_NO_CODE:
        return add_no_code(filter, call);
    case CALL_LOCAL:
        return add_socket(filter, call, AF_UNIX);
    case CALL_VM:
        return add_socket(filter, call, AF_INET);
    case CALL_COUNT:
        return add_count(filter, call);
    case CALL_SELF:
        return allow_masked(filter, call, 0, UINT32_MAX, (uint64_t)getpid());
    case CALL_THREAD:
        return allow_masked(filter, call, 0, CLONE_THREAD, CLONE_THREAD);
    case CALL_ABSENT:
        return seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), call, 0);
    default:
        return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);
    }
}

static int load(const struct call_rule *rules, size_t nrules)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);
    if (filter == NULL)
        return -ENOMEM;
    int rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    for (size_t i = 0; i < nrules && rc == 0; i++)
        rc = add_rule(filter, &rules[i]);
    if (rc == 0)
        rc = seccomp_load(filter);
    seccomp_release(filter);
    return rc;
}

int calls_restrict(const char *program, const struct call_rule *rules, size_t nrules)
{
    const struct sigaction ours = {.sa_sigaction = last_words,
                                   .sa_flags = SA_SIGINFO | SA_RESETHAND | SA_NODEFER};
    if (!KILN_LIMITS_CALLS) {
        log_warning("sandbox", "built with sanitizers: system calls are not limited", "%s", "");
        return 0;
    }
    learn_names(program);
    int error = sigaction(SIGSYS, &ours, NULL) < 0 ? -errno : load(rules, nrules);
    if (error < 0)
        log_error("sandbox", "the list of system calls is refused", "error=%d words=%s", -error,
                  strerror(-error));
    else
        log_info("sandbox", "system calls are limited", "calls=%zu", nrules);
    return error;
}
