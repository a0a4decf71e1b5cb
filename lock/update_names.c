// SPDX-License-Identifier: Apache-2.0
/* What `--update` and `--update=NAME` mean. */
#include <lock/update.h>

static bool any_name(sb_updater *u, bool (*matches)(const void *ctx, sb_slice name), const void *ctx)
{
    bool found = false;

    for (size_t i = 0; u->options->update && u->options->update[i]; i++)
        if (matches(ctx, sb_slice_z(u->options->update[i]))) {
            u->update_used[i] = true;
            found = true;
        }
    return found || u->options->update_all;
}

typedef struct image_names {
    sb_slice names[6];
    size_t count;
    sb_slice repository;
} image_names;

/* The whole of one of its names, or of its repository's last components: "node" is not "node-exporter". */
static bool image_matches(const void *ctx, sb_slice name)
{
    const image_names *n = ctx;

    for (size_t i = 0; i < n->count; i++)
        if (sb_slice_eq(n->names[i], name))
            return true;
    return name.len < n->repository.len && sb_slice_ends(n->repository, name) &&
           n->repository.ptr[n->repository.len - name.len - 1] == '/';
}

bool sb_update_wants_image(sb_updater *u, const sb_image_ref *ref, sb_slice written)
{
    sb_image_ref bare = *ref, tagged = *ref;
    image_names names = {.repository = ref->repository};

    bare.tag = SB_NIL;
    bare.digest = SB_NIL;
    tagged.digest = SB_NIL;
    names.names[names.count++] = written;
    names.names[names.count++] = ref->repository;
    names.names[names.count++] = sb_image_ref_name(u->arena, ref);
    names.names[names.count++] = sb_image_ref_format(u->arena, &tagged);
    names.names[names.count++] = sb_image_ref_familiar(u->arena, &tagged);
    names.names[names.count++] = sb_image_ref_familiar(u->arena, &bare);
    return any_name(u, image_matches, &names);
}

static bool url_matches(const void *ctx, sb_slice name)
{
    const sb_slice *urls = ctx;

    return name.len && (sb_slice_find(urls[0], name) >= 0 || sb_slice_find(urls[1], name) >= 0);
}

bool sb_update_wants_url(sb_updater *u, sb_slice written, sb_slice expanded)
{
    sb_slice urls[2] = {written, expanded};

    return any_name(u, url_matches, urls);
}

/* --- RUN instructions: by line, id, or a part of the text --- */

static bool means_run(sb_slice name, const sb_run_step *step)
{
    uint64_t line;

    if (sb_slice_to_u64(name, &line) && line == step->line)
        return true;
    return sb_slice_eqz(name, step->id) || (name.len && sb_slice_find(step->text, name) >= 0);
}

int sb_update_match_runs(sb_updater *u, const sb_df_view *view, sb_error **err)
{
    sb_run_step *steps;
    size_t count;

    if (!u->options->update)
        return 0;
    if (sb_run_steps(view, u->arena, &steps, &count, err) < 0)
        return -1;
    for (size_t i = 0; u->options->update[i]; i++)
        for (size_t k = 0; k < count; k++)
            u->update_runs[i] |= means_run(sb_slice_z(u->options->update[i]), &steps[k]);
    return 0;
}

/* A name that is an image's or a part of a URL is not looked for in commands. */
static bool is_run_name(const sb_updater *u, size_t i)
{
    return u->update_runs[i] && !u->update_used[i];
}

const char *const *sb_update_run_names(const sb_updater *u, sb_arena *arena)
{
    const char **names = NULL;
    size_t count = 0, cap = 0;

    for (size_t i = 0; u->options->update && u->options->update[i]; i++)
        if (is_run_name(u, i))
            *SB_ARENA_PUSH(arena, names, count, cap) =
                sb_arena_strdup(arena, sb_slice_z(u->options->update[i]));
    *SB_ARENA_PUSH(arena, names, count, cap) = NULL;
    return names;
}

int sb_update_names_used(const sb_updater *u, sb_error **err)
{
    for (size_t i = 0; u->options->update && u->options->update[i]; i++)
        if (!u->update_used[i] && !u->update_runs[i])
            return sb_fail(
                err, SB_ERR_USAGE,
                "--update=%s: the Dockerfile takes nothing of this name from the network; an image's name, "
                "a part of a URL, or the line or a part of a RUN instruction is meant",
                u->options->update[i]);
    return 0;
}
