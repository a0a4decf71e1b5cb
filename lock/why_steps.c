// SPDX-License-Identifier: Apache-2.0
/* Which RUN downloads something, and who vouches for it. */
#include <lock/why.h>

#include <lock/packages.h>
#include <lock/project.h>
#include <lock/purl.h>

/* Of one kind: a question as wide as "debian" is not to be answered with 10,000 downloads. */
enum { ANSWERS_MAX = 200 };

static void note_places(sb_why *why)
{
    for (size_t v = 0; v < why->view_count; v++) {
        SB_AUTO(sb_error) ignored = NULL;
        sb_run_step *steps;
        size_t count;

        if (sb_run_steps(why->views[v], why->arena, &steps, &count, &ignored) == 0)
            sb_step_places_add(why->arena, &why->places, steps, count);
    }
}

static void step_id(const sb_lock_step *step, char ret_id[SB_STEP_ID_LEN + 1])
{
    sb_step_id(step->stage, &step->text, step->nth, step->platform, ret_id);
}

static void add_needed_by(sb_why *why, const sb_lock_step *step)
{
    char id[SB_STEP_ID_LEN + 1];

    step_id(step, id);
    sb_why_line(why, "needed by", "%" SB_FMT "%s",
                SB_ARG(sb_step_places_show(&why->places, why->project, step, why->arena)),
                sb_step_places_line(&why->places, id) ? "" : ", which is in the Dockerfile no more");
}

static const sb_lock_step *step_of(const sb_lock *lock, sb_slice id)
{
    for (size_t i = 0; i < lock->step_count; i++) {
        char own[SB_STEP_ID_LEN + 1];

        step_id(&lock->steps[i], own);
        if (sb_slice_eqz(id, own))
            return &lock->steps[i];
    }
    return NULL;
}

static void add_vouched(sb_why *why, const sb_lock_package *package)
{
    sb_autofree char *vouched = sb_printable(sb_package_vouched(package));
    sb_autofree char *hash = sb_printable(package->integrity.len ? package->integrity : SB_LIT(""));

    if (*hash)
        sb_why_line(why, "integrity", "%s", hash);
    sb_why_line(why, "vouched by", "%s", vouched);
}

/* --- Packages --- */

static bool package_matches(const sb_why *why, const sb_lock_package *package)
{
    sb_slice kind, name, version;

    if (sb_why_text_matches(why, package->purl) || sb_why_digest_matches(why, &package->digest))
        return true;
    /* As people write it, without percent signs. */
    sb_purl_parts(why->arena, package->purl, &kind, &name, &version);
    return sb_why_text_matches(
        why, sb_arena_printf(why->arena, "%" SB_FMT "@%" SB_FMT, SB_ARG(name), SB_ARG(version)));
}

static void tell_package(sb_why *why, const sb_lock_package *package)
{
    sb_why_begin(why, "package", package->purl);
    for (size_t i = 0; i < package->step_count; i++) {
        const sb_lock_step *step = step_of(why->lock, package->steps[i]);

        if (step)
            add_needed_by(why, step);
    }
    sb_why_digest(why, "digest", &package->digest);
    add_vouched(why, package);
}

/* --- Downloads --- */

static const sb_lock_package *package_of(const sb_lock *lock, const sb_digest *digest)
{
    for (size_t i = 0; i < lock->package_count; i++)
        if (sb_digest_eq(&lock->packages[i].digest, digest))
            return &lock->packages[i];
    return NULL;
}

static void tell_download(sb_why *why, const sb_lock_step *step, const sb_step_request *request)
{
    const sb_lock_package *package = request->has_content ? package_of(why->lock, &request->digest) : NULL;
    sb_autofree char *method = sb_printable(request->method);

    sb_why_begin(why, "download", request->url);
    add_needed_by(why, step);
    sb_why_line(why, "answer", "%s, status %u, %llu bytes", method, request->status,
                (unsigned long long)request->size);
    if (request->has_content)
        sb_why_digest(why, "digest", &request->digest);
    if (package) {
        sb_autofree char *purl = sb_printable(package->purl);

        sb_why_line(why, "package", "%s", purl);
        add_vouched(why, package);
    }
}

static int answer_downloads(sb_why *why, sb_error **err)
{
    size_t told = 0, more = 0;

    for (size_t i = 0; i < why->lock->step_count; i++) {
        const sb_lock_step *step = &why->lock->steps[i];
        SB_AUTO(sb_step_manifest) manifest = NULL;

        if (!step->has_manifest || !sb_project_find(why->project, &step->manifest))
            continue;
        if (sb_lock_read_manifest(why->project, step, &manifest, err) < 0)
            return -1;
        for (size_t k = 0; k < manifest->count; k++) {
            const sb_step_request *request = &manifest->requests[k];
            bool by_digest = request->has_content && sb_why_digest_matches(why, &request->digest) &&
                             !package_of(why->lock, &request->digest);

            if (!by_digest && !sb_why_text_matches(why, request->url))
                continue;
            if (told++ < ANSWERS_MAX)
                tell_download(why, step, request);
            else
                more++;
        }
    }
    if (more)
        sb_buf_printf(why->out, "\n… and %zu more downloads; ask for more of the name\n", more);
    return 0;
}

/* --- Steps --- */

static void tell_step(sb_why *why, const sb_lock_step *step, const char *id)
{
    sb_autofree char *platform = sb_printable(step->platform);
    size_t packages = 0;

    sb_why_begin(why, "step", sb_arena_printf(why->arena, "RUN %" SB_FMT, SB_ARG(step->command)));
    add_needed_by(why, step);
    sb_why_line(why, "id", "%s, for %s", id, platform);
    if (step->network.len) {
        sb_autofree char *network = sb_printable(step->network);

        sb_why_line(why, "network", "%s: it is not sealed", network);
    }
    for (size_t i = 0; i < why->lock->package_count; i++)
        for (size_t k = 0; k < why->lock->packages[i].step_count; k++)
            packages += sb_slice_eqz(why->lock->packages[i].steps[k], id);
    sb_why_line(why, "asks for", "%zu request%s, %llu bytes, %zu package%s", step->requests,
                step->requests == 1 ? "" : "s", (unsigned long long)step->size, packages,
                packages == 1 ? "" : "s");
    if (step->has_manifest)
        sb_why_digest(why, "manifest", &step->manifest);
}

int sb_why_steps(sb_why *why, sb_error **err)
{
    size_t told = 0, more = 0;

    note_places(why);
    for (size_t i = 0; i < why->lock->step_count; i++) {
        const sb_lock_step *step = &why->lock->steps[i];
        char id[SB_STEP_ID_LEN + 1];

        step_id(step, id);
        if ((why->what.len >= 6 && sb_slice_starts(sb_slice_z(id), why->what)) ||
            (step->has_manifest && sb_why_digest_matches(why, &step->manifest)) ||
            sb_why_text_matches(why, sb_arena_printf(why->arena, "RUN %" SB_FMT, SB_ARG(step->command))))
            tell_step(why, step, id);
    }
    for (size_t i = 0; i < why->lock->package_count; i++) {
        if (!package_matches(why, &why->lock->packages[i]))
            continue;
        if (told++ < ANSWERS_MAX)
            tell_package(why, &why->lock->packages[i]);
        else
            more++;
    }
    if (more)
        sb_buf_printf(why->out, "\n… and %zu more packages; ask for more of the name\n", more);
    return answer_downloads(why, err);
}
