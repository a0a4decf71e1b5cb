// SPDX-License-Identifier: Apache-2.0
#include <builder/reproduce.h>

#include <builder/engine.h>
#include <sbuild/fs.h>

#include <errno.h>
#include <fcntl.h>
#include <time.h>

#define CHECK_DIR "check"
#define AGAIN CHECK_DIR "/again"
#define IMAGES CHECK_DIR "/images"

enum { REPORT_MAX = 64 << 20 };
enum { PAUSE_MS = 2100 }; /* between the end of a build and the next: no second is the same */

sb_reproduction *sb_reproduction_new(const sb_project *project)
{
    sb_reproduction *reproduction = sb_new(sb_reproduction);
    sb_autofree char *name = sb_printable(project->dockerfile_name);

    reproduction->arena = sb_arena_new();
    reproduction->dockerfile = sb_arena_dup(reproduction->arena, sb_slice_z(name));
    reproduction->same = true;
    return reproduction;
}

void sb_reproduction_free(sb_reproduction *reproduction)
{
    if (!reproduction)
        return;
    for (size_t i = 0; i < reproduction->count; i++)
        sb_comparison_free(reproduction->items[i].comparison);
    sb_arena_free(reproduction->arena);
    free(reproduction);
}

static int pause_between(sb_error **err)
{
    struct timespec left = {.tv_sec = PAUSE_MS / 1000, .tv_nsec = PAUSE_MS % 1000 * 1000000L};

    while (nanosleep(&left, &left) < 0 && errno == EINTR && !sb_interrupted)
        continue;
    return sb_interrupted ? sb_fail(err, SB_ERR_INTERRUPTED, "interrupted") : 0;
}

typedef struct check {
    sb_arena *arena; /* of the reproduction */
    sb_reproduced *item;
    sb_layout *layout; /* of the canonical images; owned */
} check;

static void check_clear(check *c)
{
    sb_layout_free(c->layout);
}

static int run_attempt(check *c, sb_attempt *attempt, sb_error **err)
{
    const sb_engine *engine = attempt->engine;
    SB_AUTO(sb_arena) arena = sb_arena_new();
    char text[SB_DIGEST_TEXT];
    sb_manifest manifest;
    sb_slice raw;
    size_t n = c->item->build_count;

    sb_progress_line(attempt->project->progress, SB_EVENT_NOTE, "build %zu, by %" SB_FMT "%s", n + 1,
                     SB_ARG(engine->name), attempt->changed ? ", under other conditions" : "");
    if (sb_attempt_run(attempt, err) < 0 ||
        sb_layout_read(c->layout, arena, &attempt->image.digest, SB_MANIFEST_MAX, &raw, err) < 0 ||
        sb_manifest_parse(arena, raw, SB_NIL, &manifest, err) < 0)
        return -1;
    c->item->builds[n].engine =
        sb_arena_printf(c->arena, "%" SB_FMT " %" SB_FMT, SB_ARG(engine->name), SB_ARG(engine->version));
    sb_digest_format(&manifest.config.digest, text);
    c->item->builds[n].image_id = sb_arena_dup(c->arena, sb_slice_z(text));
    sb_digest_format(&attempt->image.digest, text);
    c->item->builds[n].manifest = sb_arena_dup(c->arena, sb_slice_z(text));
    c->item->build_count++;
    return 0;
}

static sb_compared compared(const check *c, const sb_attempt *attempt)
{
    return (sb_compared){.layout = c->layout,
                         .manifest = attempt->image.digest,
                         .origins = attempt->origins,
                         .host = attempt->host,
                         .cpus = attempt->cpus};
}

static int compare(check *c, const sb_attempt *first, const sb_attempt *second, sb_error **err)
{
    sb_compared a = compared(c, first), b = compared(c, second);
    SB_AUTO(sb_comparison) comparison = NULL;

    if (sb_compare_images(&a, &b, &comparison, err) < 0)
        return sb_wrap(err, "while comparing the images");
    c->item->same = comparison->same;
    if (!comparison->same)
        c->item->comparison = SB_TAKE(comparison);
    return 0;
}

static void add_note(check *c, bool varied, sb_slice text)
{
    sb_autofree char *shown = sb_printable(text);
    sb_slice copy = sb_arena_dup(c->arena, sb_slice_z(shown));

    if (varied)
        *SB_ARENA_PUSH(c->arena, c->item->varied, c->item->varied_count, c->item->varied_cap) = copy;
    else
        *SB_ARENA_PUSH(c->arena, c->item->fixed, c->item->fixed_count, c->item->fixed_cap) = copy;
}

static void add_notes(check *c, const sb_attempt *attempt)
{
    add_note(c, true, SB_LIT("time: the second build began two seconds after the end of the first"));
    for (size_t i = 0; i < attempt->varied_count; i++)
        add_note(c, true, attempt->varied[i]);
    for (size_t i = 0; i < attempt->fixed_count; i++)
        add_note(c, false, attempt->fixed[i]);
}

/* --- Another engine --- */

static bool takes_arguments(const sb_engine *engine, const sb_build_options *options)
{
    const sb_engine_ops *ops = sb_engine_ops_of(engine->kind);

    for (size_t i = 0; i < options->engine_argument_count; i++) {
        sb_slice value = sb_slice_z(options->engine_arguments[i]);
        sb_slice name = sb_slice_cut(&value, '=');

        if (sb_slice_starts(name, SB_LIT("--")))
            name = sb_slice_sub(name, 2, name.len);
        if (ops->refuses(engine, name, value))
            return false;
    }
    return true;
}

/* Docker before Buildah before Podman, which is Buildah inside; NULL in *ret_engine when there is none. */
static int other_engine(const sb_engine *engine, sb_engine **ret_engine, sb_error **err)
{
    static const sb_engine_kind order[] = {SB_ENGINE_DOCKER, SB_ENGINE_BUILDAH, SB_ENGINE_PODMAN};
    sb_autofree sb_engine **engines = NULL;
    size_t count, chosen = SIZE_MAX;

    if (sb_engines_probe(&engines, &count, err) < 0)
        return -1;
    for (size_t k = 0; k < SB_COUNT(order) && chosen == SIZE_MAX; k++)
        for (size_t i = 0; i < count; i++)
            if (engines[i]->kind == order[k] && engines[i]->kind != engine->kind && !engines[i]->problem.len)
                chosen = i;
    for (size_t i = 0; i < count; i++)
        if (i != chosen)
            sb_engine_free(engines[i]);
    *ret_engine = chosen == SIZE_MAX ? NULL : engines[chosen];
    return 0;
}

/* What another engine cannot build is no difference. */
static int try_other_engine(check *c, const sb_attempt *first, sb_error **err)
{
    SB_AUTO(sb_engine) engine = NULL;
    SB_AUTO(sb_error) problem = NULL;
    sb_build_options options = *first->options;
    sb_attempt attempt = *first;

    if (other_engine(first->engine, &engine, err) < 0)
        return -1;
    if (!engine) {
        add_note(c, false, SB_LIT("engine: there is no other one here"));
        return 0;
    }
    if (!takes_arguments(engine, first->options)) {
        add_note(c, false,
                 sb_arena_printf(c->arena, "engine: %" SB_FMT " does not take these options",
                                 SB_ARG(engine->name)));
        return 0;
    }
    options.engine = NULL;
    options.builder = NULL;
    attempt.options = &options;
    attempt.engine = engine;
    if (pause_between(err) < 0)
        return -1;
    if (run_attempt(c, &attempt, &problem) < 0) {
        if (problem->code == SB_ERR_INTERRUPTED)
            return sb_fail(err, SB_ERR_INTERRUPTED, "interrupted");
        add_note(c, false,
                 sb_arena_printf(c->arena, "engine: %" SB_FMT " could not build it: %s", SB_ARG(engine->name),
                                 problem->message));
        return 0;
    }
    add_note(c, true,
             sb_arena_printf(c->arena, "engine: %" SB_FMT " %" SB_FMT " in a third build",
                             SB_ARG(engine->name), SB_ARG(engine->version)));
    return compare(c, first, &attempt, err);
}

/* --- The whole --- */

/* The options of a build without any cache; of the second one, with what its engine lets us change. */
static sb_build_options options_of(const sb_build_options *options, bool again)
{
    sb_build_options own = *options;

    own.no_cache = true;
    if (again) {
        own.scratch = AGAIN;
        own.step_host = SB_CHECK_HOST;
    }
    return own;
}

static int check_platform(check *c, sb_attempt *first, const sb_build_options *options, sb_error **err)
{
    sb_build_options plain = options_of(options, false);
    sb_build_options again = options_of(options, true);
    sb_attempt second = *first;

    first->options = &plain;
    second.options = &again;
    second.changed = true;
    if (run_attempt(c, first, err) < 0 || pause_between(err) < 0)
        return -1;
    if (run_attempt(c, &second, err) < 0)
        return sb_wrap(err, "the second build");
    add_notes(c, &second);
    if (compare(c, first, &second, err) < 0)
        return -1;
    return c->item->same ? try_other_engine(c, first, err) : 0;
}

int sb_reproduce(sb_project *project, const sb_lock *lock, const sb_build_options *options,
                 const sb_engine *engine, const char *platform, const sb_canonical_options *canonical,
                 sb_memo *memo, sb_reproduction *reproduction, sb_error **err)
{
    __attribute__((cleanup(check_clear))) check c = {.arena = reproduction->arena};
    sb_autofree char *scratch = NULL;
    sb_autofree char *path = NULL;
    sb_autoclose int fd = -1;
    sb_attempt first = {.project = project,
                        .lock = lock,
                        .engine = engine,
                        .platform = platform,
                        .canonical = canonical,
                        .arena = reproduction->arena};
    int result;

    if (sb_project_scratch(project, &fd, &scratch, err) < 0 || sb_remove_tree(fd, CHECK_DIR, err) < 0)
        return -1;
    path = sb_asprintf("%s/" IMAGES, scratch);
    if (sb_mkdirs(path, err) < 0 || sb_layout_open(path, true, &c.layout, err) < 0)
        return -1;
    first.layout = path;
    c.item = &reproduction->items[reproduction->count++];
    c.item->platform = sb_arena_dup(c.arena, sb_slice_z(platform));
    result = check_platform(&c, &first, options, err);
    if (result == 0 && c.item->same) {
        if (sb_memo_make_room(memo, err) < 0 ||
            sb_result_copy(c.layout, memo->layout, &first.image.digest, err) < 0)
            return -1;
        sb_memo_add(memo, first.memo_key, &first.image);
        c.item->image = first.image;
        c.item->base_layers = first.base_layers;
    }
    reproduction->same = reproduction->same && c.item->same;
    (void)sb_remove_tree(fd, CHECK_DIR, NULL);
    return result;
}

int sb_reproduction_report(const sb_reproduction *reproduction, const sb_build_options *options,
                           sb_build_result **ret_findings, sb_error **err)
{
    SB_AUTO(sb_build_result) findings = sb_new(sb_build_result);
    sb_autobuf text = SB_BUF_INIT(REPORT_MAX), page = SB_BUF_INIT(REPORT_MAX);

    findings->arena = sb_arena_new();
    findings->differs = !reproduction->same;
    sb_reproduction_text(reproduction, &text);
    findings->findings = sb_arena_dup(findings->arena, sb_buf_slice(&text));
    if (options->report) {
        sb_reproduction_html(reproduction, &page);
        if (sb_buf_check(&page, "the report", err) < 0 ||
            sb_write_file(AT_FDCWD, options->report, sb_buf_slice(&page), 0666, err) < 0)
            return -1;
    }
    *ret_findings = SB_TAKE(findings);
    return 0;
}
