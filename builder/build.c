// SPDX-License-Identifier: Apache-2.0
/*
 * `sbuild build`: what can be judged from files alone comes first, then one engine run per platform, then the
 * canonical image, and only when all of that succeeded does anything get a name.
 */
#include <builder/archive.h>
#include <builder/build_run.h>
#include <builder/engine.h>
#include <builder/output.h>
#include <builder/reproduce.h>

#include <sbuild/fs.h>
#include <sbuild/json.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { PLATFORMS_MAX = 64, OUTPUTS_MAX = 64 };

typedef struct job {
    sb_arena *arena;
    sb_project *project;
    sb_lock *lock;
    const sb_build_options *options;
    sb_engine *engine;
    const sb_engine_ops *ops;
    const char *platforms[PLATFORMS_MAX + 1];
    size_t platform_count;
    sb_output outputs[OUTPUTS_MAX];
    size_t output_count;
    bool want_load, want_push;
    const char **tags; /* NULL-terminated: --tag, and names of outputs */
    size_t tag_count, tag_cap;
    sb_canonical_options canonical; /* what is the same for all platforms */
    sb_memo memo;                   /* with the layout of the canonical images */
    sb_built results[PLATFORMS_MAX];
    sb_descriptor whole;           /* the image, or the index of several */
    sb_reproduction *reproduction; /* --check-reproducible */
} job;

static void job_clear(job *j)
{
    sb_reproduction_free(j->reproduction);
    sb_memo_close(&j->memo);
    sb_engine_free(j->engine);
    sb_lock_free(j->lock);
    sb_arena_free(j->arena);
}

/* --- Before anything runs --- */

static int add_tag(job *j, const char *tag, sb_error **err)
{
    sb_image_ref ref;

    if (j->options->allow_moving_tag ? sb_image_ref_parse(j->arena, sb_slice_z(tag), &ref, err) < 0
                                     : sb_check_tag(tag, err) < 0)
        return -1;
    *SB_ARENA_PUSH(j->arena, j->tags, j->tag_count, j->tag_cap) = tag;
    *SB_ARENA_PUSH(j->arena, j->tags, j->tag_count, j->tag_cap) = NULL;
    j->tag_count--;
    return 0;
}

static bool makes_file(const sb_output *output)
{
    return output->kind == SB_OUTPUT_ARCHIVE || (output->kind == SB_OUTPUT_FILES && output->tar);
}

static int plan_outputs(job *j, sb_error **err)
{
    const sb_build_options *options = j->options;

    for (size_t i = 0; options->tags && i < options->tag_count; i++)
        if (add_tag(j, options->tags[i], err) < 0)
            return -1;
    j->want_load = options->load;
    j->want_push = options->push;
    for (size_t i = 0; options->outputs && options->outputs[i]; i++) {
        sb_output *output = &j->outputs[j->output_count];

        if (i == OUTPUTS_MAX)
            return sb_fail(err, SB_ERR_LIMIT, "more than the maximum of %d outputs", OUTPUTS_MAX);
        if (sb_output_parse(j->arena, options->outputs[i], output, err) < 0)
            return -1;
        j->output_count++;
        if (makes_file(output) &&
            sb_output_check_file("--output", sb_arena_strdup(j->arena, output->dest), err) < 0)
            return -1;
        if (output->name.len && add_tag(j, sb_arena_strdup(j->arena, output->name), err) < 0)
            return -1;
        j->want_load |= output->kind == SB_OUTPUT_LOAD;
        j->want_push |= output->kind == SB_OUTPUT_PUSH;
    }
    if (sb_output_check_file("--iidfile", options->iidfile, err) < 0 ||
        sb_output_check_file("--metadata-file", options->metadata_file, err) < 0 ||
        sb_output_check_file("--report", options->report, err) < 0 ||
        sb_output_check_file("--attestation", options->attestation, err) < 0)
        return -1;
    if (options->report && !options->check_reproducible)
        return sb_fail(err, SB_ERR_USAGE, "--report is of --check-reproducible, which is not given");
    if (!j->output_count && !j->want_push)
        j->want_load = true;
    if (j->want_push && !j->tag_count)
        return sb_fail(err, SB_ERR_USAGE, "--push wants a name: add --tag REGISTRY/NAME:VERSION");
    if (j->platform_count > 1 && (j->want_load || j->want_push))
        return sb_fail(
            err, SB_ERR_USAGE,
            "an engine takes one platform at a time; build several with --output type=oci,dest=FILE, "
            "or one after the other");
    if (options->offline && j->want_push)
        return sb_fail(err, SB_ERR_USAGE, "--push needs the network that --offline takes away");
    return 0;
}

static int plan_platforms(job *j, sb_error **err)
{
    const char *const *wanted = j->options->platforms;

    for (size_t i = 0; wanted && wanted[i]; i++) {
        sb_df_platform platform;

        if (i == PLATFORMS_MAX)
            return sb_fail(err, SB_ERR_LIMIT, "more than the maximum of %d platforms", PLATFORMS_MAX);
        if (sb_df_platform_parse(j->arena, sb_slice_z(wanted[i]), &platform, err) < 0)
            return -1;
        j->platforms[j->platform_count++] =
            sb_arena_strdup(j->arena, sb_df_platform_format(j->arena, &platform));
    }
    if (!j->platform_count)
        j->platforms[j->platform_count++] = sb_host_platform();
    return 0;
}

/* The lock covers the Dockerfile under these arguments, on every platform. */
static int check_frozen(job *j, sb_error **err)
{
    for (size_t i = 0; i < j->platform_count; i++) {
        SB_AUTO(sb_df_view) view = NULL;
        sb_frozen_options frozen = {
            .build_args = j->options->build_args,
            .build_arg_count = j->options->build_arg_count,
            .target = j->options->target,
            .platform = j->platforms[i],
        };
        const char **names = NULL, **arguments;

        if (sb_plan_user_contexts(j->options, j->arena, &names, &arguments, &frozen.context_count, err) < 0)
            return -1;
        frozen.contexts = names;
        if (sb_frozen_view(j->project, j->lock, &frozen, &view, err) < 0)
            return -1;
    }
    return 0;
}

/* What would open the network that --offline closes. */
static bool is_online(sb_slice name, sb_slice value)
{
    if (sb_slice_eqz(name, "network"))
        return !sb_slice_eqz(value, "none");
    if (sb_slice_eqz(name, "allow"))
        return sb_slice_find(value, SB_LIT("network")) >= 0;
    if (sb_slice_eqz(name, "cache-from") || sb_slice_eqz(name, "cache-to"))
        return sb_slice_find(value, SB_LIT("type=local")) < 0 &&
               sb_slice_find(value, SB_LIT("type=inline")) < 0;
    return false;
}

static int check_arguments(const job *j, sb_error **err)
{
    if (j->options->offline && j->options->allow_network && j->options->allow_network[0])
        return sb_fail(err, SB_ERR_USAGE, "--allow-network and --offline contradict each other");
    for (size_t i = 0; j->options->offline && i < j->options->engine_argument_count; i++) {
        sb_slice value = SB_NIL, name = sb_engine_option(j->options->engine_arguments[i], &value);

        if (is_online(name, value))
            return sb_fail(err, SB_ERR_USAGE, "--%" SB_FMT " and --offline contradict each other",
                           SB_ARG(name));
    }
    return sb_engine_takes(j->engine, j->options->engine_arguments, j->options->engine_argument_count, err);
}

/* --- One platform --- */

static int canonicalize(job *j, const sb_plan *plan, const char *from_path, const sb_digest *manifest,
                        sb_built *result, sb_error **err)
{
    SB_AUTO(sb_layout) from = NULL;
    sb_autofree char *key = NULL;
    sb_canonical_options options = j->canonical;

    options.epoch = j->lock->epoch;
    options.base_layers = plan->base_layers;
    if (sb_layout_open(from_path, false, &from, err) < 0 ||
        sb_memo_key(plan, from, manifest, &options, &key, err) < 0)
        return -1;
    if (!sb_memo_find(&j->memo, key, j->arena, &result->image)) {
        if (sb_memo_make_room(&j->memo, err) < 0)
            return -1;
        if (sb_image_canonicalize(from, manifest, &options, j->memo.layout, j->arena, &result->image, err) <
            0)
            return sb_wrap(err, "while making the canonical image");
        sb_memo_add(&j->memo, key, &result->image);
    }
    result->base_layers = plan->base_layers;
    result->platform = sb_arena_dup(j->arena, plan->platform);
    result->image.platform = result->platform;
    return 0;
}

static int build_platform(job *j, size_t index, sb_error **err)
{
    SB_AUTO(sb_plan) plan = NULL;
    sb_slice layout;
    sb_digest manifest;

    if (sb_build_run(j->project, j->lock, j->options, j->engine, j->platforms[index], &plan, &layout,
                     &manifest, err) < 0 ||
        canonicalize(j, plan, layout.ptr, &manifest, &j->results[index], err) < 0)
        return -1;
    /* It has served its purpose, and may be large. */
    return sb_remove_tree(plan->dirfd, "result", err);
}

/* The same, twice and under different conditions. */
static int check_platform(job *j, size_t index, sb_error **err)
{
    sb_built *result = &j->results[index];
    const sb_reproduced *made;

    if (sb_reproduce(j->project, j->lock, j->options, j->engine, j->platforms[index], &j->canonical, &j->memo,
                     j->reproduction, err) < 0)
        return -1;
    made = &j->reproduction->items[index];
    result->platform = result->image.platform = made->platform;
    if (made->same)
        *result = (sb_built){made->platform, made->image, made->base_layers};
    return 0;
}

/* --- The whole --- */

static json_t *describe(const sb_descriptor *image)
{
    sb_autofree char *digest = sb_digest_dup(&image->digest);
    json_t *json = json_object();

    sb_json_set_str(json, "mediaType", image->media_type);
    sb_json_set_strz(json, "digest", digest);
    json_object_set_new(json, "size", json_integer((json_int_t)image->size));
    return json;
}

/* An index of all platforms, in their order. */
static int make_index(job *j, sb_error **err)
{
    sb_autojson *index =
        json_pack("{s:i, s:s, s:[]}", "schemaVersion", 2, "mediaType", SB_MEDIA_OCI_INDEX, "manifests");
    sb_autobuf out = SB_BUF_INIT(SB_MANIFEST_MAX);

    for (size_t i = 0; i < j->platform_count; i++) {
        json_t *entry = describe(&j->results[i].image);
        json_t *platform = json_object();
        sb_df_platform parsed;

        if (sb_df_platform_parse(j->arena, j->results[i].platform, &parsed, err) < 0) {
            json_decref(entry);
            json_decref(platform);
            return -1;
        }
        sb_json_set_str(platform, "architecture", parsed.arch);
        sb_json_set_str(platform, "os", parsed.os);
        if (parsed.variant.len)
            sb_json_set_str(platform, "variant", parsed.variant);
        json_object_set_new(entry, "platform", platform);
        json_array_append_new(json_object_get(index, "manifests"), entry);
    }
    if (sb_json_write(index, &out, err) < 0 ||
        sb_layout_write(j->memo.layout, sb_buf_slice(&out), &j->whole.digest, err) < 0)
        return -1;
    j->whole.media_type = SB_LIT(SB_MEDIA_OCI_INDEX);
    j->whole.size = out.len;
    return 0;
}

static int write_archive(job *j, const char *dest, sb_error **err)
{
    SB_AUTO(sb_newfile) file = NULL;

    if (strcmp(dest, "-") == 0)
        return sb_image_write_archive(j->memo.layout, &j->whole.digest, j->tags, 0, STDOUT_FILENO, err);
    if (sb_newfile_begin(AT_FDCWD, dest, 0666, &file, err) < 0 ||
        sb_image_write_archive(j->memo.layout, &j->whole.digest, j->tags, 0, sb_newfile_fd(file), err) < 0)
        return -1;
    return sb_newfile_commit(file, err);
}

/* The image of the scratch directory, with index.json naming it, as a directory of the user's. */
static int write_layout(job *j, const char *dest, sb_error **err)
{
    SB_AUTO(sb_layout) layout = NULL;

    if (sb_layout_open(dest, true, &layout, err) < 0)
        return -1;
    for (size_t i = 0; i < j->platform_count; i++)
        if (sb_result_copy(j->memo.layout, layout, &j->results[i].image.digest, err) < 0)
            return -1;
    if (j->platform_count > 1 && sb_result_copy(j->memo.layout, layout, &j->whole.digest, err) < 0)
        return -1;
    return sb_layout_tag(layout, &j->whole, j->tag_count ? sb_slice_z(j->tags[0]) : SB_NIL, err);
}

/* The root file system; of several platforms, each in a directory or file of its own. */
static int write_files(job *j, const sb_output *output, const char *dest, sb_error **err)
{
    for (size_t i = 0; i < j->platform_count; i++) {
        const sb_digest *image = &j->results[i].image.digest;
        sb_autofree char *platform = sb_slice_dup(j->results[i].platform);
        sb_autofree char *path = NULL;
        SB_AUTO(sb_newfile) file = NULL;

        for (char *p = platform; *p; p++)
            if (*p == '/')
                *p = '_';
        if (j->platform_count == 1)
            path = sb_strdup(dest);
        else
            path = sb_asprintf(output->tar ? "%s.%s" : "%s/%s", dest, platform);
        if (!output->tar) {
            if (sb_image_write_directory(j->memo.layout, image, path, err) < 0)
                return -1;
        } else if (strcmp(dest, "-") == 0) {
            if (sb_image_write_rootfs(j->memo.layout, image, STDOUT_FILENO, err) < 0)
                return -1;
        } else if (sb_newfile_begin(AT_FDCWD, path, 0666, &file, err) < 0 ||
                   sb_image_write_rootfs(j->memo.layout, image, sb_newfile_fd(file), err) < 0 ||
                   sb_newfile_commit(file, err) < 0) {
            return -1;
        }
    }
    return 0;
}

static int write_output(job *j, const sb_output *output, sb_error **err)
{
    sb_autofree char *dest = sb_slice_dup(output->dest);

    switch (output->kind) {
    case SB_OUTPUT_ARCHIVE:
        return write_archive(j, dest, err);
    case SB_OUTPUT_LAYOUT:
        return write_layout(j, dest, err);
    case SB_OUTPUT_FILES:
        return write_files(j, output, dest, err);
    case SB_OUTPUT_LOAD:
    case SB_OUTPUT_PUSH:
    case SB_OUTPUT_NOTHING:
        break;
    }
    return 0;
}

static int write_outputs(job *j, sb_error **err)
{
    for (size_t i = 0; i < j->output_count; i++)
        if (write_output(j, &j->outputs[i], err) < 0)
            return -1;
    return 0;
}

static int hand_over(job *j, sb_error **err)
{
    if (write_outputs(j, err) < 0)
        return -1;
    if ((j->want_load || j->want_push) && j->ops->load(j->engine, j->memo.layout, &j->results[0].image.digest,
                                                       j->results[0].base_layers, j->tags, err) < 0)
        return sb_wrap(err, "the image was built, but the engine does not take it");
    for (size_t i = 0; j->want_push && i < j->tag_count; i++)
        if (j->ops->push(j->engine, j->tags[i], err) < 0)
            return -1;
    return 0;
}

static int report(job *j, sb_build_result **ret_result, sb_error **err)
{
    sb_autobuf switched = SB_BUF_INIT(1 << 16);
    sb_outcome outcome = {
        .project = j->project,
        .lock = j->lock,
        .options = j->options,
        .engine = j->engine,
        .layout = j->memo.layout,
        .images = j->results,
        .image_count = j->platform_count,
        .whole = j->whole,
        .tags = j->tags,
    };

    sb_volatile_switched(&j->canonical, &switched);
    outcome.switched = sb_buf_slice(&switched);
    return sb_result_report(&outcome, ret_result, err);
}

int sb_build(sb_project *project, const sb_build_options *options, sb_build_result **ret_result,
             sb_error **err)
{
    __attribute__((cleanup(job_clear)))
    job j = {.arena = sb_arena_new(), .project = project, .options = options};
    SB_AUTO(sb_build_result) result = NULL;
    SB_AUTO(sb_build_result) findings = NULL;
    sb_autoclose int exclusive = -1;

    if (plan_platforms(&j, err) < 0 || plan_outputs(&j, err) < 0 ||
        sb_volatile_options(project->settings, options, j.arena, &j.canonical, err) < 0 ||
        sb_result_check_expected(options, err) < 0 || sb_lock_load(project, &j.lock, err) < 0 ||
        check_frozen(&j, err) < 0 || sb_engine_select(options->engine, options->builder, &j.engine, err) < 0)
        return -1;
    j.ops = sb_engine_ops_of(j.engine->kind);
    if (check_arguments(&j, err) < 0 || sb_project_exclusive(project, &exclusive, err) < 0 ||
        sb_memo_open(project, &j.memo, err) < 0)
        return -1;
    if (options->check_reproducible)
        j.reproduction = sb_reproduction_new(project);
    for (size_t i = 0; i < j.platform_count; i++)
        if ((j.reproduction ? check_platform : build_platform)(&j, i, err) < 0)
            return -1;
    if (j.reproduction && sb_reproduction_report(j.reproduction, options, &findings, err) < 0)
        return -1;
    if (findings && findings->differs) {
        *ret_result = SB_TAKE(findings);
        return 0;
    }
    if (j.platform_count == 1)
        j.whole = j.results[0].image;
    else if (make_index(&j, err) < 0)
        return -1;
    if (sb_memo_save(&j.memo, err) < 0 ||
        sb_result_expect(options, j.memo.layout, &j.results[0].image, &j.whole, err) < 0 ||
        hand_over(&j, err) < 0 || report(&j, &result, err) < 0)
        return -1;
    if (findings)
        result->findings = sb_arena_dup(result->arena, findings->findings);
    *ret_result = SB_TAKE(result);
    return 0;
}
