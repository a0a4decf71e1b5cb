// SPDX-License-Identifier: Apache-2.0
/* SB0xx: what lint has to say about its own work. */
#include <rules/lint/internal.h>

const sb_rule sb_rule_not_understood = {
    .id = "SB000",
    .name = "not-understood",
    .summary = "A part of the Dockerfile could not be read, so the other rules did not look at it",
    .remedy = "write it in a simpler way, or look at this part yourself",
    .severity = SB_SEVERITY_WARNING,
};
const sb_rule sb_rule_no_reason = {
    .id = "SB001",
    .name = "ignore-without-reason",
    .summary = "A comment silences rules and does not say why",
    .remedy = "add reason=… to the comment; without it the comment does not count",
    .severity = SB_SEVERITY_WARNING,
};
const sb_rule sb_rule_idle_ignore = {
    .id = "SB002",
    .name = "idle-ignore",
    .summary = "A comment silences nothing: it names no rule, or its rule finds nothing here",
    .remedy = "correct the name of the rule, or remove the comment",
    .severity = SB_SEVERITY_INFO,
};

static const sb_rule *const rules[] = {&sb_rule_not_understood, &sb_rule_no_reason, &sb_rule_idle_ignore};
const sb_rule_set sb_rules_general = {"General", rules, SB_COUNT(rules)};

/* Once per file: who writes for another shell does so everywhere. */
static void tell_other_shell(sb_lint *lint, const sb_lint_run *run, bool *told)
{
    sb_finding *finding;

    if (*told)
        return;
    *told = true;
    finding =
        sb_lint_say(lint, &sb_rule_not_understood, run->instruction->span,
                    "this RUN, and others like it, are for a program that is no POSIX shell; the rules do "
                    "not look into its text");
    sb_lint_help(lint, finding, "look at these instructions yourself");
    if (finding && !sb_lint_is_set(lint, &sb_rule_not_understood))
        finding->severity = SB_SEVERITY_INFO;
}

void sb_lint_general(sb_lint *lint)
{
    bool told = false;

    for (size_t i = 0; i < lint->run_count; i++) {
        const sb_lint_run *run = &lint->runs[i];

        if (run->dialect == SB_SH_OTHER)
            tell_other_shell(lint, run, &told);
        else if (run->reading.trouble)
            sb_lint_say(lint, &sb_rule_not_understood, sb_lint_run_span(lint, run, run->reading.trouble_span),
                        "the shell text of this RUN could not be read to its end: %s", run->reading.trouble);
        else if (run->reading.cut)
            sb_lint_say(lint, &sb_rule_not_understood, run->instruction->span,
                        "this RUN has more than %d commands; the rules looked at the first ones",
                        SB_SH_COMMANDS_MAX);
    }
}
