// SPDX-License-Identifier: Apache-2.0
/* From a Dockerfile to its findings: parse, expand, walk, and let each family look at the whole. */
#include <rules/lint/ignores.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include <lock/frozen.h>
#include <sbuild/fs.h>

static const struct {
    const sb_rule_set *rules;
    sb_lint_family look;
} families[] = {
    {&sb_rules_general, sb_lint_general},     {&sb_rules_root, sb_lint_root},
    {&sb_rules_updates, sb_lint_updates},     {&sb_rules_execute, sb_lint_execute},
    {&sb_rules_tags, sb_lint_tags},           {&sb_rules_frozen, sb_lint_frozen},
    {&sb_rules_downloads, sb_lint_downloads}, {&sb_rules_buildkit, sb_lint_buildkit},
};

static bool is_wanted(const sb_lint *lint, const sb_rule_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        if (sb_lint_severity(lint, set->rules[i]))
            return true;
    return false;
}

/* Made when the first file is looked at, and kept: they are the same for all. */
static sb_secret_rules *secret_rules;

static void make_secret_rules(void)
{
    sb_secret_rules_new(NULL, &secret_rules, NULL);
}

static const sb_secret_rules *shared_secret_rules(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, make_secret_rules);
    return secret_rules;
}

/* --- What is looked at --- */

typedef struct source { /* a Dockerfile and what is beside it */
    sb_slice text;
    const char *name;    /* in findings */
    const char *context; /* NULL: nothing is looked at */
    int context_fd, dirfd;
    const char *file;  /* the Dockerfile's name in dirfd */
    const char *path;  /* of the Dockerfile, for patterns; NULL for a text */
    sb_dockerfile *df; /* NULL: it cannot be parsed */
    sb_project *project;
    sb_lock *lock;
    const sb_lint_settings *settings; /* NULL: none */
    sb_lint_listing **listing;        /* of the context, from one Dockerfile to the next; or NULL */
    sb_secret_scanner *own_scanner;   /* without a place that has one for many files */
    sb_lint_shared *shared;           /* may be NULL */
} source;

static void source_clear(source *s)
{
    sb_lock_free(s->lock);
    sb_project_free(s->project);
    sb_df_free(s->df);
    sb_secret_scanner_free(s->own_scanner);
    sb_closep(&s->context_fd);
    sb_closep(&s->dirfd);
}
#define autosource __attribute__((cleanup(source_clear))) source

static int make_view(const source *s, const sb_lint_options *options, const sb_dockerfile *df,
                     sb_df_view **ret_view, sb_error **err)
{
    const char *host = sb_host_platform();
    sb_df_inputs inputs = {.build_args = options->build_args,
                           .build_arg_count = options->build_arg_count,
                           .target = options->target && *options->target ? options->target : NULL,
                           .build_platform = host,
                           .target_platform = options->platform ? options->platform : host,
                           .lenient = true};
    sb_frozen_options frozen = {.build_args = options->build_args,
                                .build_arg_count = options->build_arg_count,
                                .target = options->target,
                                .platform = options->platform,
                                .lenient = true};
    SB_AUTO(sb_error) missing = NULL;

    if (!s->lock)
        return sb_df_view_new(df, &inputs, ret_view, err);
    return sb_frozen_expand(s->project, s->lock, &frozen, host, ret_view, &missing, err);
}

static void look(sb_lint *lint)
{
    /* First, wanted or not: what it finds is hidden in what the others say. */
    sb_lint_secrets(lint);
    for (size_t i = 0; i < SB_COUNT(families); i++)
        if (is_wanted(lint, families[i].rules))
            families[i].look(lint);
}

/* Making one costs more than to look at a Dockerfile. */
static sb_secret_scanner *scanner_of(source *s)
{
    sb_secret_scanner **scanner = s->shared ? sb_lint_shared_scanner(s->shared) : &s->own_scanner;

    if (!*scanner)
        *scanner = sb_secret_scanner_new(shared_secret_rules());
    return *scanner;
}

/* The path without the directory, if it lies beneath it. */
static const char *beneath(const char *path, const char *dir)
{
    size_t len = strlen(dir);

    while (len && dir[len - 1] == '/')
        len--;
    return len && strncmp(path, dir, len) == 0 && path[len] == '/' ? path + len + 1 : path;
}

static const char *path_for_patterns(const source *s)
{
    return s->path && s->settings ? beneath(s->path, s->settings->dir) : s->path;
}

/* What a fingerprint knows the file by: the same however its path is written. */
static sb_slice name_in_prints(sb_slice shown)
{
    sb_autofree char *here = shown.len && shown.ptr[0] == '/' ? getcwd(NULL, 0) : NULL;

    return here ? sb_slice_z(beneath(shown.ptr, here)) : shown;
}

static int lint_tree(source *s, const sb_dockerfile *df, const sb_lint_options *options, sb_report *report,
                     sb_error **err)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_df_view) view = NULL;
    sb_autofree char *name = sb_printable(sb_slice_z(s->name));
    struct sb_lint_private own = {.first = report->count,
                                  .dirfd = s->dirfd,
                                  .path = path_for_patterns(s),
                                  .settings = s->settings,
                                  .require_reason = options->require_reason ||
                                                    (s->settings && s->settings->require_reason)};
    sb_run_step *steps = NULL;
    size_t step_count = 0;
    sb_lint lint = {.arena = arena,
                    .df = df,
                    .lock = s->lock,
                    .context_fd = s->context_fd,
                    .options = options,
                    .report = report,
                    .private = &own};

    if (make_view(s, options, df, &view, err) < 0)
        return -1;
    if (s->lock && sb_run_steps(view, arena, &steps, &step_count, err) < 0)
        return -1;
    own.listing = s->listing;
    own.name = lint.name = sb_arena_dup(report->arena, sb_slice_z(name));
    own.print_name = name_in_prints(own.name);
    own.ignore_name = s->file ? sb_arena_printf(arena, "%s.dockerignore", s->file).ptr : NULL;
    lint.view = view;
    lint.secrets = shared_secret_rules();
    if (!lint.secrets)
        return sb_fail(err, SB_ERR_INTERNAL, "the built-in rules for secrets cannot be loaded");
    lint.scanner = scanner_of(s);
    sb_lint_walk(&lint, steps, step_count);
    look(&lint);
    sb_lint_silence(&lint);
    sb_lint_fingerprints(&lint);
    sb_ignore_free(own.ignore);
    return 0;
}

/* --- What cannot be parsed is a finding like others --- */

/* "NAME:LINE:COLUMN: message", the column maybe missing. */
static void split_message(sb_slice name, sb_slice *message, unsigned *ret_line, unsigned *ret_column)
{
    unsigned *places[] = {ret_line, ret_column};
    sb_slice rest = *message;

    if (!sb_slice_starts(rest, name) || rest.len <= name.len || rest.ptr[name.len] != ':')
        return;
    rest = sb_slice_sub(rest, name.len + 1, rest.len);
    for (size_t i = 0; i < SB_COUNT(places); i++) {
        sb_slice after = rest, number = sb_slice_cut(&after, ':');
        uint64_t value;

        if (!after.ptr || !sb_slice_to_u64(number, &value) || value > INT32_MAX)
            break;
        *places[i] = (unsigned)value;
        rest = after;
    }
    *message = sb_slice_trim(rest);
}

/* Without an excerpt: what could be a secret in it is known of parsed files only. */
static bool mask_match(void *ctx, const sb_secret_match *match)
{
    memset((char *)ctx + match->offset, '*', match->len);
    return true;
}

/* The parser quotes what it does not understand. */
static void mask_secrets(char *message)
{
    const sb_secret_rules *rules = shared_secret_rules();
    SB_AUTO(sb_secret_scanner) scanner = rules ? sb_secret_scanner_new(rules) : NULL;
    sb_autofree char *text = sb_strdup(message);

    if (!scanner)
        return;
    sb_secret_scan_begin(scanner, SB_LIT("Dockerfile"), mask_match, message);
    sb_secret_scan_add(scanner, text, strlen(text));
    sb_secret_scan_end(scanner);
}

static void tell_unparsable(const source *s, const sb_lint_options *options, const sb_error *error,
                            sb_report *report)
{
    sb_autofree char *shown = sb_printable(sb_slice_z(s->name));
    sb_finding *finding = sb_report_add(report, &sb_rule_not_understood);
    sb_autofree char *text = sb_strdup(error->message);
    sb_slice message = sb_slice_z(text);
    unsigned line = 1, column = 1;

    if (!finding)
        return;
    mask_secrets(text);
    split_message(sb_slice_z(shown), &message, &line, &column);
    finding->severity = SB_SEVERITY_ERROR;
    finding->file = sb_arena_dup(report->arena, sb_slice_z(shown));
    finding->message =
        sb_arena_printf(report->arena, "this is no Dockerfile that can be built: %" SB_FMT, SB_ARG(message));
    finding->remedy =
        sb_arena_dup(report->arena, SB_LIT("correct it; no other rule has looked at this file"));
    finding->line = finding->end_line = line;
    finding->column = finding->end_column = column;
    finding->fingerprint =
        sb_fingerprint(report->arena, finding->rule, name_in_prints(finding->file), message, 0);
    if (!options->no_ignore)
        sb_lint_except(s->settings, path_for_patterns(s), report, finding);
}

static int lint_whole(source *s, const sb_lint_options *options, sb_report *report, sb_error **err)
{
    SB_AUTO(sb_error) error = NULL;
    const sb_dockerfile *tree = s->project ? s->project->df : s->df;

    report->files++;
    if (!tree && sb_df_parse(s->text, s->name, 0, &s->df, &error) == 0)
        tree = s->df;
    if (tree && lint_tree(s, tree, options, report, &error) == 0)
        return 0;
    if (error->code != SB_ERR_PARSE && error->code != SB_ERR_LIMIT)
        return sb_fail(err, error->code, "%s", error->message);
    tell_unparsable(s, options, error, report);
    return 0;
}

/* --- The two ways in --- */

int sb_lint_text(sb_slice text, const char *name, const sb_lint_options *options, sb_report *report,
                 sb_error **err)
{
    autosource s = {.text = text, .name = name, .context_fd = -1, .dirfd = -1, .shared = options->shared};

    return lint_whole(&s, options, report, err);
}

/* The lock beside the Dockerfile, if there is one. */
static int read_lock(source *s, const char *dir, sb_error **err)
{
    sb_autofree char *file = sb_asprintf("%s.lock", s->file);
    sb_autofree char *path = strcmp(dir, ".") == 0 ? sb_strdup(file) : sb_path_join(dir, file);
    sb_autofree char *shown = sb_printable(sb_slice_z(path));
    sb_autofree char *data = NULL;
    bool missing;
    size_t len;

    if (sb_read_file(s->dirfd, file, SB_LOCK_MAX, &data, &len, &missing, err) < 0)
        return missing ? 0 : -1;
    return sb_lock_parse(sb_slice_of(data, len), shown, &s->lock, err);
}

/* What the lock names is in the project's store. A lock of another Dockerfile is none. */
static int open_project(source *s, const char *path, sb_error **err)
{
    sb_project_options options = {.context = s->context, .dockerfile = path};

    if (!s->lock)
        return 0;
    if (sb_project_open(&options, &s->project, err) < 0)
        return -1;
    if (sb_lock_check_owner(s->project, s->lock, NULL) == 0)
        return 0;
    sb_lock_free(s->lock);
    sb_project_free(s->project);
    s->lock = NULL;
    s->project = NULL;
    return 0;
}

static const char *without_dots(const char *path)
{
    while (path[0] == '.' && path[1] == '/')
        path += 2;
    return path;
}

/* The project has read the file; what is looked at may be another text for it. */
static int replace_text(sb_project *project, sb_slice text, sb_error **err)
{
    sb_autofree char *name = sb_slice_dup(project->dockerfile_name);

    sb_df_free(project->df);
    project->df = NULL;
    project->text = text;
    return sb_df_parse(text, name, 0, &project->df, err);
}

int sb_lint_source(sb_slice text, const char *path, const char *context, const sb_lint_options *options,
                   sb_lint_shared *shared, sb_report *report, sb_error **err)
{
    autosource s = {.text = text, .name = path, .path = without_dots(path), .context_fd = -1, .dirfd = -1};
    ptrdiff_t slash = sb_slice_rchr(sb_slice_z(s.path), '/');
    sb_autofree char *dir = slash < 0 ? sb_strdup(".") : sb_strndup(s.path, slash ? (size_t)slash : 1);
    sb_autofree char *data = NULL;
    sb_autofree char *guessed = NULL;
    size_t len;

    s.file = s.path + slash + 1;
    s.shared = shared;
    s.listing = sb_lint_shared_listing(shared);
    if (sb_lint_settings_for(shared, dir, context, &s.settings, err) < 0 ||
        sb_open_dir(dir, &s.dirfd, err) < 0)
        return -1;
    if (!text.ptr) {
        if (sb_read_file(AT_FDCWD, path, SB_DOCKERFILE_MAX, &data, &len, NULL, err) < 0)
            return -1;
        s.text = sb_slice_of(data, len);
    }
    /* What cannot be parsed is told as without anything beside it. */
    if (sb_df_parse(s.text, s.name, 0, &s.df, NULL) < 0)
        return lint_whole(&s, options, report, err);
    if (read_lock(&s, dir, err) < 0)
        return -1;
    guessed = context ? NULL : sb_lint_guess_context(s.df, s.path, dir, s.lock);
    s.context = context ? context : guessed;
    if (sb_open_dir(s.context, &s.context_fd, err) < 0 || open_project(&s, path, err) < 0)
        return -1;
    if (s.project && text.ptr && replace_text(s.project, text, err) < 0)
        return -1;
    return lint_whole(&s, options, report, err);
}

int sb_lint_file(const char *path, const char *context, const sb_lint_options *options, sb_report *report,
                 sb_error **err)
{
    SB_AUTO(sb_lint_shared) shared = options->shared ? NULL : sb_lint_shared_new();

    return sb_lint_source(SB_NIL, path, context, options, options->shared ? options->shared : shared, report,
                          err);
}
