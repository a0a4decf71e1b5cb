// SPDX-License-Identifier: Apache-2.0
/*
 * BuildKit's checks. They judge as `docker build --check` does and report the same lines; what they say and
 * what `--fix` makes of it is ours.
 */
#include <rules/lint/buildkit.h>

#define CHECK(variable, check, level, mends, what, how)                                                      \
    const sb_rule variable = {.id = (check),                                                                 \
                              .name = (check),                                                               \
                              .summary = (what),                                                             \
                              .remedy = (how),                                                               \
                              .severity = SB_SEVERITY_##level,                                               \
                              .fixes = (mends)}

CHECK(bk_stage_name_casing, "StageNameCasing", WARNING, true,
      "A stage's name has capital letters, and FROM finds it in small letters only",
      "write the name in small letters, here and where it is used");
CHECK(bk_from_as_casing, "FromAsCasing", WARNING, true, "FROM and its AS are not written in the same case",
      "write both in the same case");
CHECK(bk_no_empty_continuation, "NoEmptyContinuation", WARNING, true,
      "An instruction goes on across an empty line, which a later BuildKit will refuse",
      "take the empty line away, or make it a comment");
CHECK(bk_consistent_instruction_casing, "ConsistentInstructionCasing", WARNING, true,
      "A keyword is not written in the case that most of the file's keywords have",
      "write all keywords in one case, capitals by custom");
CHECK(bk_duplicate_stage_name, "DuplicateStageName", WARNING, false,
      "Two stages have the same name, and which one is meant depends on where it is used",
      "give each stage a name of its own");
CHECK(bk_reserved_stage_name, "ReservedStageName", WARNING, false,
      "A stage is called like something that BuildKit knows by that name", "choose another name");
CHECK(bk_json_args_recommended, "JSONArgsRecommended", WARNING, true,
      "The program is started by a shell, which keeps signals such as SIGTERM from it",
      "write the command as a JSON array");
CHECK(bk_maintainer_deprecated, "MaintainerDeprecated", WARNING, true, "MAINTAINER is deprecated",
      "use LABEL org.opencontainers.image.authors=");
CHECK(bk_undefined_arg_in_from, "UndefinedArgInFrom", WARNING, false,
      "FROM uses an argument that no ARG above the first FROM declares",
      "declare it with ARG before the first FROM");
CHECK(bk_workdir_relative_path, "WorkdirRelativePath", WARNING, false,
      "A relative WORKDIR begins wherever the base image happens to be", "begin with an absolute path");
CHECK(bk_undefined_var, "UndefinedVar", WARNING, false,
      "A variable is used that neither ARG nor ENV sets before", "declare it, or correct its name");
CHECK(bk_multiple_instructions, "MultipleInstructionsDisallowed", WARNING, false,
      "Of several CMD, ENTRYPOINT or HEALTHCHECK in a stage only the last one counts",
      "keep the one that is meant");
CHECK(bk_legacy_key_value, "LegacyKeyValueFormat", WARNING, true,
      "Key and value are separated by a blank, the form of old", "write key=value");
CHECK(bk_invalid_base_image_platform, "InvalidBaseImagePlatform", WARNING, false,
      "The base image is made for another platform than the one that is built",
      "use an image that has the platform, or say the one that is meant with --platform");
CHECK(bk_redundant_target_platform, "RedundantTargetPlatform", WARNING, true,
      "FROM --platform=$TARGETPLATFORM says what holds anyway", "leave it out");
CHECK(bk_secrets_in_arg_or_env, "SecretsUsedInArgOrEnv", INFO, false,
      "By its name, an ARG or ENV holds a secret, which stays in the image", "use RUN --mount=type=secret");
CHECK(bk_invalid_default_arg_in_from, "InvalidDefaultArgInFrom", WARNING, false,
      "Without build arguments FROM has no valid name of an image", "give the ARG a default that is one");
CHECK(bk_from_platform_const, "FromPlatformFlagConstDisallowed", WARNING, false,
      "FROM --platform has a fixed value, so the image can be built for that platform only",
      "use $BUILDPLATFORM or an ARG, or name the stage after the platform");
CHECK(bk_copy_ignored_file, "CopyIgnoredFile", WARNING, false,
      "What is copied is left out of the context by .dockerignore",
      "do not copy it, or change .dockerignore");
CHECK(bk_invalid_definition_description, "InvalidDefinitionDescription", INFO, false,
      "The comment above an ARG or FROM does not begin with the name that it describes (experimental: only "
      "when asked for)",
      "begin the comment with the name, or put a line with # alone between");
CHECK(bk_expose_proto_casing, "ExposeProtoCasing", WARNING, true,
      "The protocol of EXPOSE has capital letters", "write it in small letters");
CHECK(bk_expose_invalid_format, "ExposeInvalidFormat", WARNING, false,
      "EXPOSE has an address or a port of the host, which a later BuildKit will refuse",
      "name the container's port alone");

static const sb_rule *const rules[] = {
    &bk_stage_name_casing,
    &bk_from_as_casing,
    &bk_no_empty_continuation,
    &bk_consistent_instruction_casing,
    &bk_duplicate_stage_name,
    &bk_reserved_stage_name,
    &bk_json_args_recommended,
    &bk_maintainer_deprecated,
    &bk_undefined_arg_in_from,
    &bk_workdir_relative_path,
    &bk_undefined_var,
    &bk_multiple_instructions,
    &bk_legacy_key_value,
    &bk_invalid_base_image_platform,
    &bk_redundant_target_platform,
    &bk_secrets_in_arg_or_env,
    &bk_invalid_default_arg_in_from,
    &bk_from_platform_const,
    &bk_copy_ignored_file,
    &bk_invalid_definition_description,
    &bk_expose_proto_casing,
    &bk_expose_invalid_format,
};

const sb_rule_set sb_rules_buildkit = {"BuildKit's checks", rules, SB_COUNT(rules)};

/* --- What the checks ask --- */

sb_span bk_place(const sb_lint *lint, const bk_instruction *bk, sb_span span)
{
    const sb_df_instruction *at = bk->at;
    sb_span first = at->keyword_span;

    if (bk->ins != at || span.start < at->span.start || span.end > at->span.end || span.start == span.end)
        return first;
    if (memchr(lint->df->text.ptr + first.start, '\n', span.start - first.start))
        return first;
    return span;
}

bool bk_is_upper(sb_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] >= 'a' && text.ptr[i] <= 'z')
            return false;
    return true;
}

bool bk_is_lower(sb_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] >= 'A' && text.ptr[i] <= 'Z')
            return false;
    return true;
}

bool bk_is_looked_at(const sb_lint *lint, const sb_df_stage *stage)
{
    return !stage->replaced && (!lint->options->target || stage->reachable);
}

/* --- The walk --- */

static void check_instruction(bk_stage *s, const bk_instruction *bk)
{
    bk_check_variables(s, bk);
    switch (bk->ins->keyword) {
    case SB_DF_ARG:
    case SB_DF_ENV:
    case SB_DF_LABEL:
        bk_check_pairs(s, bk);
        break;
    case SB_DF_ADD:
    case SB_DF_COPY:
        bk_check_copy(s, bk);
        break;
    case SB_DF_CMD:
        bk_check_cmd(s, bk);
        break;
    case SB_DF_ENTRYPOINT:
        bk_check_entrypoint(s, bk);
        break;
    case SB_DF_HEALTHCHECK:
        bk_check_healthcheck(s, bk);
        break;
    case SB_DF_SHELL:
        s->shell_set = true;
        break;
    case SB_DF_WORKDIR:
        bk_check_workdir(s, bk);
        break;
    case SB_DF_EXPOSE:
        bk_check_expose(s, bk);
        break;
    case SB_DF_FROM:
    case SB_DF_MAINTAINER:
    case SB_DF_ONBUILD:
    case SB_DF_RUN:
    case SB_DF_STOPSIGNAL:
    case SB_DF_UNKNOWN:
    case SB_DF_USER:
    case SB_DF_VOLUME:
        break;
    }
}

/* What the base has for the stages that start from it: its image's triggers, or its own ONBUILDs. */
static void check_triggers(bk_stage *s, const bk_stage *all)
{
    const sb_df_view *view = s->lint->view;
    const sb_df_instruction *from = &s->lint->df->instructions[s->stage->from];

    for (size_t i = 0; i < s->stage->trigger_count; i++)
        check_instruction(s, &(bk_instruction){.ins = &s->stage->triggers[i], .at = from});
    if (s->stage->base_kind != SB_BASE_STAGE || !all[s->stage->base_stage].has_triggers)
        return;
    for (size_t i = view->stages[s->stage->base_stage].from + 1; i < s->lint->df->instruction_count; i++) {
        const sb_df_instruction *ins = &s->lint->df->instructions[i];

        if (ins->keyword == SB_DF_FROM)
            break;
        if (ins->keyword == SB_DF_ONBUILD && ins->trigger)
            check_instruction(s, &(bk_instruction){.ins = ins->trigger, .at = from});
    }
}

static void check_stage(sb_lint *lint, const sb_df_stage *stage, bk_stage *all)
{
    bk_stage *s = &all[stage->index];

    *s = (bk_stage){.lint = lint, .stage = stage, .shell_set = stage->shell_count > 0};
    if (stage->base_kind == SB_BASE_STAGE) {
        s->workdir_set = all[stage->base_stage].workdir_set;
        s->shell_set = all[stage->base_stage].shell_set;
    }
    for (size_t i = stage->from + 1; i < lint->df->instruction_count; i++) {
        if (lint->df->instructions[i].keyword == SB_DF_FROM)
            break;
        s->has_triggers |= lint->df->instructions[i].keyword == SB_DF_ONBUILD;
    }
    if (!bk_is_looked_at(lint, stage))
        return;
    if (stage->reachable)
        check_triggers(s, all);
    for (size_t i = stage->from + 1; i < lint->df->instruction_count; i++) {
        const sb_df_instruction *ins = &lint->df->instructions[i];
        const sb_df_expanded *expanded = &lint->view->expanded[i];

        if (ins->keyword == SB_DF_FROM)
            break;
        check_instruction(s, &(bk_instruction){.ins = ins, .expanded = expanded, .at = ins});
    }
}

void sb_lint_buildkit(sb_lint *lint)
{
    bk_stage *all = sb_arena_array(lint->arena, bk_stage, lint->view->stage_count + 1);

    bk_check_comments(lint);
    bk_check_names(lint);
    bk_check_froms(lint);
    for (size_t i = 0; i < lint->view->stage_count; i++)
        check_stage(lint, &lint->view->stages[i], all);
}
