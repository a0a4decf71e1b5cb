// SPDX-License-Identifier: Apache-2.0
/* SB4xx: references that mean something else tomorrow. What the lock has is fixed, whatever it is called. */
#include <rules/lint/lint.h>
#include <rules/lint/operands.h>
#include <sbuild/reference.h>

static const sb_rule sb401 = {
    .id = "SB401",
    .name = "image-without-tag",
    .summary = "An image is named without tag and digest, so it is whatever is called latest on the day of "
               "the build",
    .remedy = "name a version, as in name:1.2.3, and run \"sbuild lock\" to fix its digest",
    .severity = SB_SEVERITY_WARNING,
};
static const sb_rule sb402 = {
    .id = "SB402",
    .name = "moving-tag",
    .summary = "The tag of an image moves by custom from version to version: latest, stable, edge, nightly",
    .remedy = "name a version, as in name:1.2.3, and run \"sbuild lock\" to fix its digest",
    .severity = SB_SEVERITY_WARNING,
};
static const sb_rule sb403 = {
    .id = "SB403",
    .name = "image-not-locked",
    .summary = "An image has neither a digest nor an entry in the lock, so its tag may mean another image "
               "tomorrow",
    .remedy = "run \"sbuild lock\" and commit Dockerfile.lock; or write the digest behind the tag: "
              "name:1.2.3@sha256:…",
    .severity = SB_SEVERITY_WARNING,
    .summarised = true,
};
static const sb_rule sb404 = {
    .id = "SB404",
    .name = "add-moving-url",
    .summary = "ADD downloads from a URL that always leads to the newest file",
    .remedy = "name the file of one release, and give its checksum with --checksum or run \"sbuild lock\"",
    .severity = SB_SEVERITY_WARNING,
};
static const sb_rule sb405 = {
    .id = "SB405",
    .name = "add-git-branch",
    .summary = "ADD takes a git repository at a branch, so every commit there changes the image",
    .remedy = "name a commit behind the #, all 40 digits, or run \"sbuild lock\"",
    .severity = SB_SEVERITY_WARNING,
};
static const sb_rule sb406 = {
    .id = "SB406",
    .name = "add-git-tag",
    .summary = "ADD takes a git repository at a tag, which its owner can move",
    .remedy = "name the commit behind the #, or add --checksum=COMMIT, or run \"sbuild lock\"",
    .severity = SB_SEVERITY_INFO,
};
static const sb_rule *const rules[] = {&sb401, &sb402, &sb403, &sb404, &sb405, &sb406};
const sb_rule_set sb_rules_tags = {"Moving tags", rules, SB_COUNT(rules)};

static const char *keyword_of(const sb_df_ref *ref)
{
    switch (ref->kind) {
    case SB_REF_FROM:
        return "FROM";
    case SB_REF_COPY:
        return "COPY --from";
    case SB_REF_MOUNT:
        return "RUN --mount";
    case SB_REF_SYNTAX:
        return "# syntax";
    case SB_REF_ADD_URL:
    case SB_REF_ADD_GIT:
        break;
    }
    return "ADD";
}

static void look_at_image(sb_lint *lint, const sb_df_ref *ref)
{
    SB_AUTO(sb_error) unreadable = NULL;
    sb_image_ref image;
    const char *shown;

    /* What is no reference is for the build to refuse; of an ARG that wants a value nothing can be told. */
    if (!ref->expanded.len || sb_image_ref_parse(lint->arena, ref->expanded, &image, &unreadable) < 0)
        return;
    if (image.digest.ptr || (lint->lock && sb_lock_find_image(lint->lock, ref->expanded)))
        return;
    shown = sb_lint_shown(lint, ref->expanded);
    if (image.tag_implied)
        sb_lint_say(lint, &sb401, ref->span, "%s %s has no tag, so it means %s:latest", keyword_of(ref),
                    shown, shown);
    else if (sb_tag_moves(image.tag))
        sb_lint_say(lint, &sb402, ref->span, "%s %s: the tag %s moves from version to version",
                    keyword_of(ref), shown, sb_lint_shown(lint, image.tag));
    else
        sb_lint_say(lint, &sb403, ref->span, "%s %s has no digest and is not in the lock", keyword_of(ref),
                    shown);
}

static void look_at_url(sb_lint *lint, const sb_df_ref *ref)
{
    sb_slice word;

    if (ref->checksum.len || !sb_url_moves(ref->expanded, &word))
        return;
    if (lint->lock && sb_lock_find_file(lint->lock, ref->expanded))
        return;
    sb_lint_say(lint, &sb404, ref->span, "ADD %s: \"%s\" leads to the newest file, another one every time",
                sb_lint_shown(lint, ref->expanded), sb_lint_shown(lint, word));
}

static void look_at_git(sb_lint *lint, const sb_df_ref *ref)
{
    SB_AUTO(sb_error) unreadable = NULL;
    sb_df_git_source git;

    if (ref->checksum.len || sb_df_git_source_parse(lint->arena, ref->expanded, &git, &unreadable) < 0 ||
        git.checksum.len)
        return;
    if (lint->lock && sb_lock_find_git(lint->lock, ref->expanded))
        return;
    switch (sb_git_ref_kind_of(git.ref)) {
    case SB_GIT_REF_COMMIT:
    case SB_GIT_REF_UNKNOWN:
        break;
    case SB_GIT_REF_TAG:
        sb_lint_say(lint, &sb406, ref->span, "ADD %s takes the tag %s, which its owner can move",
                    sb_lint_shown(lint, git.remote), sb_lint_shown(lint, git.ref));
        break;
    case SB_GIT_REF_BRANCH:
        if (git.ref.len)
            sb_lint_say(lint, &sb405, ref->span, "ADD %s takes the newest commit of %s",
                        sb_lint_shown(lint, git.remote), sb_lint_shown(lint, git.ref));
        else
            sb_lint_say(lint, &sb405, ref->span, "ADD %s takes the newest commit of its default branch",
                        sb_lint_shown(lint, git.remote));
        break;
    }
}

void sb_lint_tags(sb_lint *lint)
{
    for (size_t i = 0; i < lint->view->ref_count; i++) {
        const sb_df_ref *ref = &lint->view->refs[i];

        if (ref->resolved_stage >= 0 || ref->context || ref->incomplete || ref->trigger >= 0)
            continue;
        if (ref->kind == SB_REF_ADD_URL)
            look_at_url(lint, ref);
        else if (ref->kind == SB_REF_ADD_GIT)
            look_at_git(lint, ref);
        else
            look_at_image(lint, ref);
    }
}
