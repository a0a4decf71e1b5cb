// SPDX-License-Identifier: Apache-2.0
#include <rules/lint/secrets.h>

#include <stdarg.h>
#include <stdio.h>

#define RULE(variable, number, kebab, level, what, how)                                                      \
    const sb_rule variable = {.id = (number),                                                                \
                              .name = (kebab),                                                               \
                              .summary = (what),                                                             \
                              .remedy = (how),                                                               \
                              .severity = SB_SEVERITY_##level}

RULE(sk_environment, "SB701", "secret-in-environment", ERROR,
     "A secret is given in ENV or as an ARG's default, and everybody who has the image can read it",
     "give it when the container starts, or to one RUN with --mount=type=secret; change it, it is known now");
RULE(sk_build_argument, "SB702", "secret-build-argument", WARNING,
     "A secret comes as a build argument, which the image's history and its provenance keep",
     "use RUN --mount=type=secret,id=NAME (or env=NAME) and docker build --secret id=NAME");
RULE(sk_value, "SB703", "secret-value", ERROR, "A token, key or password stands in the Dockerfile",
     "take it out and change it: it is known to everybody who has the repository or the image");
RULE(sk_likely_value, "SB704", "secret-like-value", WARNING,
     "Something that looks like a secret is assigned in the Dockerfile",
     "if it is one, take it out, change it, and use RUN --mount=type=secret");
RULE(sk_command_line, "SB705", "secret-on-command-line", ERROR,
     "A command in RUN is given a password, which the image's history keeps",
     "use RUN --mount=type=secret and let the command read it from the file; change it, it is known now");
RULE(sk_written, "SB706", "secret-written-to-layer", ERROR,
     "RUN puts a secret from a build argument or ENV into a file that stays in the layer",
     "mount the file instead: RUN --mount=type=secret,id=NAME,target=PATH");
RULE(sk_mount_copied, "SB707", "secret-mount-copied", ERROR,
     "RUN copies a mounted secret into the image, which the mount is there to avoid",
     "let the command read the secret where it is mounted; target= puts it where it is looked for");
RULE(sk_file_copied, "SB708", "secret-file-copied", ERROR,
     "A file that holds secrets is copied into the image",
     "leave it out, add it to .dockerignore, and mount it where it is needed: RUN --mount=type=secret");
RULE(sk_context, "SB709", "secrets-in-context", ERROR,
     "A whole directory is copied, and there are files with secrets in it that .dockerignore does not leave "
     "out",
     "add them to .dockerignore");
RULE(sk_removed, "SB710", "secret-removed-later", ERROR,
     "A file with a secret is removed in a later layer, and is still in the one that brought it",
     "do not bring it: RUN --mount=type=secret leaves nothing behind; squashing is no way out, since build "
     "cache and history keep the layer");

static const sb_rule *const rules[] = {
    &sk_environment, &sk_build_argument, &sk_value,       &sk_likely_value, &sk_command_line,
    &sk_written,     &sk_mount_copied,   &sk_file_copied, &sk_context,      &sk_removed,
};

const sb_rule_set sb_rules_secrets = {"Secrets", rules, SB_COUNT(rules)};

static sb_slice formatted(sb_arena *arena, const char *fmt, va_list ap)
{
    sb_autofree char *text = NULL;

    if (vasprintf(&text, fmt, ap) < 0)
        return sb_slice_z(fmt);
    return sb_arena_dup(arena, sb_slice_z(text));
}

sk_note *sk_say(sk_search *s, const sb_rule *rule, int stage, sb_span span, const char *fmt, ...)
{
    sk_note *note;
    va_list ap;

    if (s->note_count >= SK_NOTES_MAX)
        return NULL;
    note = SB_ARENA_PUSH(s->lint->arena, s->notes, s->note_count, s->note_cap);
    *note = (sk_note){.rule = rule, .span = span, .stage = stage};
    va_start(ap, fmt);
    note->message = formatted(s->lint->arena, fmt, ap);
    va_end(ap);
    return note;
}

void sk_help(sk_search *s, sk_note *note, const char *fmt, ...)
{
    va_list ap;

    if (!note)
        return;
    va_start(ap, fmt);
    note->help = formatted(s->lint->arena, fmt, ap);
    va_end(ap);
}

bool sk_is_known(const sk_search *s, sb_span span)
{
    for (size_t i = 0; i < s->known_count; i++)
        if (s->known[i].start < span.end && span.start < s->known[i].end)
            return true;
    return false;
}

void sk_add_file(sk_search *s, sb_slice path, int stage, unsigned line)
{
    if (s->file_count < SK_FILES_MAX)
        *SB_ARENA_PUSH(s->lint->arena, s->files, s->file_count, s->file_cap) =
            (sk_file){.path = path, .stage = stage, .line = line};
}

void sb_lint_secrets(sb_lint *lint)
{
    sk_search s = {.lint = lint};

    sk_find_values(&s);
    sk_find_declarations(&s);
    sk_find_copies(&s);
    sk_find_in_runs(&s);
    sk_tell_likely_values(&s);
    for (size_t i = 0; i < s.note_count; i++) {
        const sk_note *note = &s.notes[i];
        sb_finding *finding = sb_lint_say(lint, note->rule, note->span, "%" SB_FMT, SB_ARG(note->message));

        if (note->help.ptr)
            sb_lint_help(lint, finding, "%" SB_FMT, SB_ARG(note->help));
        if (finding && note->kind.ptr)
            finding->kind = note->kind;
        /* The image does not have it, but the build cache does, and who may read that. */
        if (finding && note->stage >= 0 && !sb_lint_ships(lint, note->stage) &&
            finding->severity == SB_SEVERITY_ERROR)
            finding->severity = SB_SEVERITY_WARNING;
    }
}
