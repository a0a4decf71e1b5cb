// SPDX-License-Identifier: Apache-2.0
#include <fetch/git.h>

#include <sbuild/buf.h>
#include <sbuild/fs.h>

#include <fcntl.h>
#include <unistd.h>

enum { REF_MAX = 1024, ASK_SECONDS = 120, FETCH_SECONDS = 3600 };

/* By git's own rules for names (git-check-ref-format), so that no pattern and no option gets through. */
static bool is_ref(sb_slice ref)
{
    if (!ref.len || ref.len > REF_MAX || ref.ptr[0] == '-' || ref.ptr[0] == '/' ||
        sb_slice_find(ref, SB_LIT("..")) >= 0 || sb_slice_find(ref, SB_LIT("@{")) >= 0)
        return false;
    for (size_t i = 0; i < ref.len; i++) {
        unsigned char c = (unsigned char)ref.ptr[i];

        if (c <= ' ' || c == 0x7f || strchr("~^:?*[\\", c))
            return false;
    }
    return true;
}

static bool looks_abbreviated(sb_slice ref)
{
    for (size_t i = 0; i < ref.len; i++)
        if (!strchr("0123456789abcdef", ref.ptr[i]))
            return false;
    return ref.len >= 7;
}

/* A name that ls-remote told, and what it stands for. */
typedef struct candidate {
    sb_slice name;
    sb_slice oid;
    sb_slice peeled; /* what an annotated tag points to */
} candidate;

static void read_listing(sb_slice listing, candidate *candidates, size_t count, sb_slice *ret_head)
{
    while (listing.len) {
        sb_slice name = sb_slice_cut(&listing, '\n');
        sb_slice oid = sb_slice_cut(&name, '\t');

        if (!name.ptr)
            continue;
        if (sb_slice_starts(oid, SB_LIT("ref: ")) && sb_slice_eqz(name, "HEAD"))
            *ret_head = sb_slice_sub(oid, 5, oid.len);
        if (!sb_git_is_oid(oid))
            continue;
        for (size_t i = 0; i < count; i++) {
            candidate *c = &candidates[i];

            if (sb_slice_eq(name, c->name))
                c->oid = oid;
            else if (sb_slice_ends(name, SB_LIT("^{}")) &&
                     sb_slice_eq(sb_slice_sub(name, 0, name.len - 3), c->name))
                c->peeled = oid;
        }
    }
}

static sb_slice with_prefix(sb_arena *arena, const char *prefix, sb_slice ref)
{
    return sb_slice_starts(ref, sb_slice_z(prefix))
               ? ref
               : sb_arena_printf(arena, "%s%" SB_FMT, prefix, SB_ARG(ref));
}

static int fail_ref(const sb_git_remote *remote, sb_slice ref, sb_error **err)
{
    sb_autofree char *shown = sb_printable(ref);

    return sb_fail(err, SB_ERR_NOT_FOUND, "%s has no branch or tag \"%s\"%s", remote->shown.ptr, shown,
                   looks_abbreviated(ref) ? "; if this is a commit, give all 40 digits of it" : "");
}

/* ls-remote of these names, wherever the repository has moved. */
static int list_remote(sb_arena *arena, const sb_settings *settings, const sb_git_remote *remote,
                       const candidate *candidates, size_t count, sb_slice *ret_listing, sb_error **err)
{
    const char *args[12] = {"ls-remote", "--symref", "--"};
    sb_git_remote place = *remote;
    sb_git_call call = {.args = args, .remote = &place, .timeout = ASK_SECONDS, .max_output = 4 << 20};
    sb_slice errors;
    size_t n = 4;
    int status;

    if (sb_git_remote_resolve(arena, settings, &place, &call.pin, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        args[n++] = sb_arena_strdup(arena, candidates[i].name);
        args[n++] = sb_arena_printf(arena, "%" SB_FMT "^{}", SB_ARG(candidates[i].name)).ptr;
    }
    for (int tries = 0;; tries++) {
        args[3] = place.url.ptr;
        if (sb_git_try(arena, &call, ret_listing, &errors, &status, err) < 0)
            return -1;
        if (status == 0)
            return 0;
        if (tries > 0 || !sb_git_was_redirected(&place, errors))
            return sb_git_fail(&call, errors, err);
        if (sb_git_remote_follow(arena, settings, remote, &place, &call.pin, err) < 0)
            return -1;
    }
}

int sb_git_resolve(sb_arena *arena, const sb_settings *settings, sb_slice remote, sb_slice ref,
                   sb_git_resolved *ret_resolved, sb_error **err)
{
    candidate candidates[3] = {{.name = SB_NIL}};
    sb_slice output, head = SB_NIL;
    sb_git_remote parsed;
    size_t count = 0;

    if (sb_git_remote_parse(arena, settings, remote, &parsed, err) < 0)
        return -1;
    if (sb_git_is_oid(ref)) {
        *ret_resolved = (sb_git_resolved){.ref = SB_LIT(""), .commit = sb_arena_dup(arena, ref)};
        return 0;
    }
    if (ref.ptr && !is_ref(ref))
        return fail_ref(&parsed, ref, err);
    if (!ref.ptr || sb_slice_eqz(ref, "HEAD")) {
        ref = SB_LIT("HEAD");
        candidates[count++].name = ref;
    } else {
        /* As git checkout does: a branch before a tag of the same name. */
        candidates[count++].name = with_prefix(arena, "refs/heads/", ref);
        candidates[count++].name = with_prefix(arena, "refs/tags/", ref);
        candidates[count++].name = with_prefix(arena, "refs/", ref);
    }
    if (list_remote(arena, settings, &parsed, candidates, count, &output, err) < 0)
        return -1;
    read_listing(output, candidates, count, &head);
    for (size_t i = 0; i < count; i++) {
        const candidate *c = &candidates[i];

        if (!c->oid.ptr)
            continue;
        *ret_resolved = (sb_git_resolved){
            .ref = sb_arena_dup(arena, head.ptr && sb_slice_eqz(c->name, "HEAD") ? head : c->name),
            .commit = sb_arena_dup(arena, c->peeled.ptr ? c->peeled : c->oid),
            .tag_object = c->peeled.ptr ? sb_arena_dup(arena, c->oid) : SB_NIL,
        };
        return 0;
    }
    return fail_ref(&parsed, ref, err);
}

/* --- Fetching --- */

typedef struct fetch {
    sb_arena *arena;
    const sb_settings *settings;
    const sb_git_remote *remote; /* as it was given */
    sb_git_remote place;         /* where it is */
    bool moved;
    const sb_git_resolved *resolved;
    const char *dir;
    sb_slice pin;
} fetch;

static int has_object(const fetch *f, const char *type, sb_slice oid, bool *ret_has, sb_error **err)
{
    const char *const args[] = {"cat-file", "-t", sb_arena_strdup(f->arena, oid), NULL};
    const sb_git_call call = {.args = args, .dir = f->dir};
    sb_slice output, errors;
    int status;

    if (sb_git_try(f->arena, &call, &output, &errors, &status, err) < 0)
        return -1;
    *ret_has = status == 0 && sb_slice_eqz(sb_slice_trim(output), type);
    if (status == 0 && !*ret_has)
        return sb_fail(err, SB_ERR_VERIFY, "%.*s of %s is no %s", (int)oid.len, oid.ptr, f->remote->shown.ptr,
                       type);
    return 0;
}

static int is_complete(const fetch *f, bool *ret_complete, sb_error **err)
{
    bool commit, tag = true;

    if (has_object(f, "commit", f->resolved->commit, &commit, err) < 0 ||
        (f->resolved->tag_object.len && has_object(f, "tag", f->resolved->tag_object, &tag, err) < 0))
        return -1;
    *ret_complete = commit && tag;
    return 0;
}

/* Does what git said leave the hope that asking in another way helps? */
static bool may_ask_otherwise(sb_slice errors)
{
    static const char *const words[] = {
        "not our ref", "unadvertised object", "does not allow request", "couldn't find remote ref",
        "shallow",     "bad object"};

    for (size_t i = 0; i < SB_COUNT(words); i++)
        if (sb_slice_find(errors, sb_slice_z(words[i])) >= 0)
            return true;
    return false;
}

static int try_fetch(fetch *f, const char *depth, const char *what, bool *ret_complete, sb_error **err)
{
    const char *const args[] = {"fetch",
                                "--quiet",
                                "--no-tags",
                                "--no-write-fetch-head",
                                "--no-recurse-submodules",
                                "--no-auto-maintenance",
                                "--update-shallow",
                                depth,
                                "--",
                                f->place.url.ptr,
                                what,
                                NULL};
    const sb_git_call call = {
        .args = args, .dir = f->dir, .remote = &f->place, .pin = f->pin, .timeout = FETCH_SECONDS};
    sb_slice output, errors;
    int status;

    if (sb_git_try(f->arena, &call, &output, &errors, &status, err) < 0)
        return -1;
    if (status != 0 && !f->moved && sb_git_was_redirected(&f->place, errors)) {
        f->moved = true;
        if (sb_git_remote_follow(f->arena, f->settings, f->remote, &f->place, &f->pin, err) < 0)
            return -1;
        return try_fetch(f, depth, what, ret_complete, err);
    }
    if (status != 0 && !may_ask_otherwise(errors))
        return sb_git_fail(&call, errors, err);
    return is_complete(f, ret_complete, err);
}

/* Exactly the commit when the server lets us, else its ref, else everything behind the ref, else everything.
 */
static int fetch_somehow(fetch *f, sb_error **err)
{
    static const char all[] = "--depth=2147483647";
    const sb_git_resolved *r = f->resolved;
    const char *want = sb_arena_strdup(f->arena, r->tag_object.len ? r->tag_object : r->commit);
    const char *ref = r->ref.len ? sb_arena_strdup(f->arena, r->ref) : NULL;
    const struct {
        const char *depth, *what;
    } ways[] = {{"--depth=1", want},
                {"--depth=1", ref},
                {all, ref},
                {all, "+refs/*:refs/sbuild/*"},
                {"--no-tags", "+refs/*:refs/sbuild/*"}};
    bool complete = false;

    for (size_t i = 0; i < SB_COUNT(ways) && !complete; i++)
        if (ways[i].what && try_fetch(f, ways[i].depth, ways[i].what, &complete, err) < 0)
            return -1;
    if (!complete)
        return sb_fail(err, SB_ERR_GONE, "%s no longer has the commit %s", f->remote->shown.ptr,
                       sb_arena_strdup(f->arena, r->commit));
    return 0;
}

static int make_repository(const fetch *f, sb_error **err)
{
    sb_autofree char *head = sb_path_join(f->dir, "HEAD");
    const char *const init[] = {"init",
                                "--quiet",
                                "--bare",
                                "--template=",
                                f->resolved->commit.len == 64 ? "--object-format=sha256"
                                                              : "--object-format=sha1",
                                "--",
                                f->dir,
                                NULL};
    const char *const config[] = {"config", SB_GIT_REMOTE_KEY, f->remote->url.ptr, NULL};
    const sb_git_call init_call = {.args = init};
    const sb_git_call config_call = {.args = config, .dir = f->dir};
    sb_slice output;

    if (access(head, F_OK) == 0)
        return 0;
    if (sb_git_run(f->arena, &init_call, &output, err) < 0 ||
        sb_git_run(f->arena, &config_call, &output, err) < 0)
        return -1;
    return 0;
}

/* The tag object that ls-remote told must be one of this very commit, under this very name. */
static int check_tag(const fetch *f, sb_error **err)
{
    const sb_git_resolved *r = f->resolved;
    const char *const args[] = {"rev-parse",
                                "--verify",
                                "--quiet",
                                "--end-of-options",
                                sb_arena_printf(f->arena, "%" SB_FMT "^{commit}", SB_ARG(r->tag_object)).ptr,
                                NULL};
    const sb_git_call call = {.args = args, .dir = f->dir};
    sb_slice output;

    if (sb_git_run(f->arena, &call, &output, err) < 0)
        return -1;
    if (!sb_slice_eq(sb_slice_trim(output), r->commit))
        return sb_fail(err, SB_ERR_VERIFY, "the tag object %s of %s is not of the commit %s",
                       sb_arena_strdup(f->arena, r->tag_object), f->remote->shown.ptr,
                       sb_arena_strdup(f->arena, r->commit));
    return 0;
}

int sb_git_fetch(const sb_settings *settings, sb_slice remote, const sb_git_resolved *resolved,
                 const char *cache_dir, sb_error **err)
{
    sb_autofree char *lock_path = sb_asprintf("%s.lock", cache_dir);
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_autoclose int lock = -1;
    sb_git_remote parsed;
    fetch f = {
        .arena = arena, .settings = settings, .remote = &parsed, .resolved = resolved, .dir = cache_dir};
    bool complete;

    if (!sb_git_is_oid(resolved->commit) ||
        (resolved->tag_object.len && !sb_git_is_oid(resolved->tag_object)) ||
        (resolved->ref.len && !is_ref(resolved->ref)))
        return sb_fail(err, SB_ERR_USAGE,
                       "this is no reference to a git commit; expected 40 or 64 hex digits");
    if (sb_git_remote_parse(arena, settings, remote, &parsed, err) < 0 || sb_mkdirs(cache_dir, err) < 0 ||
        sb_file_lock(AT_FDCWD, lock_path, NULL, NULL, &lock, err) < 0 || make_repository(&f, err) < 0 ||
        is_complete(&f, &complete, err) < 0)
        return -1;
    f.place = parsed;
    if (!complete &&
        (sb_git_remote_resolve(arena, settings, &parsed, &f.pin, err) < 0 || fetch_somehow(&f, err) < 0))
        return -1;
    return resolved->tag_object.len ? check_tag(&f, err) : 0;
}
