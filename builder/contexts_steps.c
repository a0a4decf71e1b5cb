// SPDX-License-Identifier: Apache-2.0
/*
 * The context of sealed steps on disk: program/ARCH/sbuild-step, and for each step a directory with
 * step.json, its manifest and the bodies that the manifest names.
 */
#include <builder/contexts.h>
#include <builder/step_program.h>

#include <sbuild/fs.h>
#include <sbuild/json.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { STEP_JSON_MAX = 1 << 20, SCOPE_MAX = 64 << 20 };

static const char *mode_name(sb_step_mode mode)
{
    static const char *const names[] = {
        [SB_STEP_REPLAY] = "replay", [SB_STEP_RECORD] = "record", [SB_STEP_OPEN] = "open"};

    return names[mode];
}

/* --- What a step is told --- */

/* Engines do not take the id of a cache mount for a difference: a step whose recording goes elsewhere must be
 * another one to them. The id itself is not for the step to know. */
static void set_recording(json_t *json, sb_slice cache)
{
    char hex[SB_DIGEST_HEX];
    sb_digest digest;

    sb_digest_of(SB_HASH_SHA256, cache, &digest);
    sb_digest_hex(&digest, hex);
    sb_json_set_str(json, "recording", sb_slice_of(hex, 12));
}

static int format_settings(const sb_plan *plan, const sb_plan_step *step, sb_buf *out, sb_error **err)
{
    sb_autojson *json = json_object();

    json_object_set_new(json, "version", json_integer(1));
    sb_json_set_strz(json, "id", step->run.id);
    sb_json_set_str(json, "label", step->run.label);
    sb_json_set_strz(json, "mode", mode_name(step->mode));
    json_object_set_new(json, "epoch", json_integer((json_int_t)plan->lock->epoch));
    if (step->mode == SB_STEP_REPLAY)
        json_object_set_new(json, "tolerate-expiry", json_true());
    if (step->mode == SB_STEP_RECORD) {
        json_t *servers = json_array();

        for (size_t i = 0; i < plan->record->nameserver_count; i++)
            json_array_append_new(
                servers, json_stringn(plan->record->nameservers[i].ptr, plan->record->nameservers[i].len));
        json_object_set_new(json, "nameservers", servers);
        set_recording(json, step->cache);
    }
    if (sb_json_write(json, out, err) < 0)
        return -1;
    sb_buf_addc(out, '\n');
    return sb_buf_check(out, "step.json", err);
}

int sb_seal_tell(const sb_plan *plan, sb_plan_step *step, sb_arena *arena, sb_digest *ret_digest,
                 sb_error **err)
{
    sb_autobuf out = SB_BUF_INIT(STEP_JSON_MAX + SB_STEP_MANIFEST_MAX);
    sb_slice told;
    size_t settings, all;

    if (format_settings(plan, step, &out, err) < 0)
        return -1;
    settings = out.len;
    if (sb_step_manifest_format(step->manifest, &out, err) < 0)
        return -1;
    all = out.len;
    if (step->mode == SB_STEP_RECORD)
        sb_buf_adds(&out, plan->record->upstream_ca);
    if (sb_buf_check(&out, "what a step is told", err) < 0)
        return -1;
    sb_digest_of(SB_HASH_SHA256, sb_buf_slice(&out), ret_digest);
    told = sb_arena_dup(arena, sb_slice_sub(sb_buf_slice(&out), 0, all));
    step->settings_text = sb_slice_sub(told, 0, settings);
    step->manifest_text = sb_slice_sub(told, settings, all);
    return 0;
}

static void add_digest(sb_buf *out, const sb_digest *digest)
{
    char text[SB_DIGEST_TEXT];

    sb_digest_format(digest, text);
    sb_buf_addz(out, text);
    sb_buf_addc(out, '\n');
}

int sb_seal_cache_scope(const sb_plan *plan, sb_arena *arena, sb_slice *ret_scope, sb_error **err)
{
    const sb_lock *lock = plan->lock;
    sb_autobuf out = SB_BUF_INIT(SCOPE_MAX);
    char hex[SB_DIGEST_HEX];
    sb_digest digest;

    if (plan->record) {
        *ret_scope = plan->record->cold;
        return 0;
    }
    for (size_t i = 0; i < lock->image_count; i++)
        add_digest(&out, &lock->images[i].digest);
    for (size_t i = 0; i < lock->file_count; i++)
        add_digest(&out, &lock->files[i].digest);
    for (size_t i = 0; i < lock->git_count; i++)
        add_digest(&out, &lock->git[i].archive);
    for (size_t i = 0; i < lock->step_count; i++)
        if (lock->steps[i].has_manifest)
            add_digest(&out, &lock->steps[i].manifest);
    if (sb_buf_check(&out, "the lock", err) < 0)
        return -1;
    sb_digest_of(SB_HASH_SHA256, sb_buf_slice(&out), &digest);
    sb_digest_hex(&digest, hex);
    *ret_scope = sb_arena_printf(arena, "sbuild-%.12s", hex);
    return 0;
}

/* --- On disk --- */

static int write_program(const sb_plan *plan, const sb_plan_step *step, int dirfd, sb_error **err)
{
    sb_slice arch = sb_seal_architecture(plan->arena, step->run.platform);
    sb_slice path = sb_arena_printf(plan->arena, "program/%" SB_FMT, SB_ARG(arch));
    sb_autofree char *program = NULL;
    sb_autoclose int from = -1;
    sb_autoclose int dir = -1;

    if (faccessat(dirfd, path.ptr, F_OK, 0) == 0)
        return 0;
    if (sb_step_program(step->run.platform, &program, err) < 0)
        return -1;
    from = open(program, O_RDONLY | O_CLOEXEC);
    if (from < 0)
        return sb_fail(err, SB_ERR_IO, "cannot open %s: %s", program, strerror(errno));
    if (sb_plan_new_dir(dirfd, path.ptr, &dir, err) < 0 ||
        sb_plan_write_file(dir, SB_LIT(SB_STEP_PROGRAM), 0755, plan->lock->epoch, from, SB_NIL, err) < 0)
        return -1;
    return sb_plan_stamp(dir, 0755, plan->lock->epoch, err);
}

static int write_object(const sb_plan *plan, const sb_step_request *request, int dirfd, sb_error **err)
{
    char hex[SB_DIGEST_HEX];
    sb_autoclose int from = -1;

    sb_digest_hex(&request->digest, hex);
    if (faccessat(dirfd, hex, F_OK, 0) == 0)
        return 0;
    if (sb_plan_open_object(plan, &request->digest, request->url, &from, err) < 0)
        return -1;
    return sb_plan_write_file(dirfd, sb_slice_z(hex), 0644, plan->lock->epoch, from, SB_NIL, err);
}

static int write_objects(const sb_plan *plan, const sb_plan_step *step, int dirfd, sb_error **err)
{
    for (size_t i = 0; i < step->manifest->count; i++)
        if (step->manifest->requests[i].has_content &&
            write_object(plan, &step->manifest->requests[i], dirfd, err) < 0)
            return -1;
    return 0;
}

static int write_step(const sb_plan *plan, const sb_plan_step *step, int dirfd, sb_error **err)
{
    int64_t epoch = plan->lock->epoch;
    sb_autoclose int dir = -1;
    sb_autoclose int objects = -1;

    if (sb_plan_new_dir(dirfd, step->directory.ptr, &dir, err) < 0 ||
        sb_plan_new_dir(dir, "objects", &objects, err) < 0 || write_objects(plan, step, objects, err) < 0 ||
        sb_plan_stamp(objects, 0755, epoch, err) < 0 ||
        sb_plan_write_file(dir, SB_LIT("step.json"), 0644, epoch, -1, step->settings_text, err) < 0 ||
        sb_plan_write_file(dir, SB_LIT("manifest"), 0644, epoch, -1, step->manifest_text, err) < 0)
        return -1;
    if (step->mode != SB_STEP_OPEN && sb_plan_write_file(dir, SB_LIT("resolv.conf"), 0644, epoch, -1,
                                                         SB_LIT("nameserver 127.0.0.1\n"), err) < 0)
        return -1;
    if (step->mode == SB_STEP_RECORD && sb_plan_write_file(dir, SB_LIT("upstream-ca.pem"), 0644, epoch, -1,
                                                           plan->record->upstream_ca, err) < 0)
        return -1;
    return sb_plan_stamp(dir, 0755, epoch, err);
}

int sb_plan_fill_steps(const sb_plan *plan, int dirfd, sb_error **err)
{
    sb_autoclose int program = -1;

    if (sb_plan_new_dir(dirfd, "program", &program, err) < 0)
        return -1;
    for (size_t i = 0; i < plan->step_count; i++)
        if (plan->steps[i].directory.ptr && (write_program(plan, &plan->steps[i], dirfd, err) < 0 ||
                                             write_step(plan, &plan->steps[i], dirfd, err) < 0))
            return -1;
    return sb_plan_stamp(program, 0755, plan->lock->epoch, err);
}
