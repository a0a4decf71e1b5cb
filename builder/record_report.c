// SPDX-License-Identifier: Apache-2.0
/* What recording tells in the end: a line per step, and what a reviewer should know of it. */
#include <builder/record.h>

#include <builder/scrubbed.h>

void sb_record_report_free(sb_record_report *report)
{
    if (!report)
        return;
    sb_arena_free(report->arena);
    free(report);
}

/* --- Warnings --- */

/* Told at once, since what comes after may fail, and again in the report. */
static void warn(sb_recorder *r, const sb_run_step *step, const char *kind, sb_slice text)
{
    sb_record_report *report = r->report;
    sb_arena *arena = report->arena;
    sb_autofree char *file = sb_printable(r->project->dockerfile_name);

    *SB_ARENA_PUSH(arena, report->warnings, report->warning_count, report->warning_cap) =
        (sb_record_warning){.line = step->line,
                            .label = sb_arena_dup(arena, step->label),
                            .kind = kind,
                            .text = sb_arena_dup(arena, text)};
    sb_progress_line(r->project->progress, SB_EVENT_WARNING, "%s:%u: %" SB_FMT " %" SB_FMT, file, step->line,
                     SB_ARG(step->label), SB_ARG(text));
}

static const struct {
    const char *kind;
    const char *what; /* before the URL */
    const char *so;   /* behind it */
} phrases[] = {
    [SB_NOTE_POST] = {"post", "sends data to ", "; builds get the answer that was recorded"},
    [SB_NOTE_NO_STORE] = {"no-store", "gets an answer that is not meant to be kept from ", ""},
    [SB_NOTE_FAILED] = {"failed", "gets no answer from ", ""},
    [SB_NOTE_UNRECORDABLE] = {"unrecordable", "uses the network in a way that cannot be recorded: ", ""},
    [SB_NOTE_SCRUBBED] = {"scrubbed", "takes its environment from a client: ", ""},
    [SB_NOTE_OTHER] = {"note", "tells: ", ""},
};

void sb_record_add_notes(sb_recorder *r, const sb_run_step *step, const sb_taken *taken)
{
    for (size_t i = 0; i < taken->note_count; i++) {
        const sb_record_note *note = &taken->notes[i];
        sb_slice gap = note->url.len && note->text.len ? SB_LIT(": ") : SB_LIT("");

        warn(r, step, phrases[note->kind].kind,
             sb_arena_printf(r->arena, "%s%" SB_FMT "%" SB_FMT "%" SB_FMT "%s", phrases[note->kind].what,
                             SB_ARG(note->url), SB_ARG(gap), SB_ARG(note->text), phrases[note->kind].so));
    }
    if (taken->notes_left_out)
        warn(r, step, "note", sb_arena_printf(r->arena, "tells %zu things more", taken->notes_left_out));
}

/* The shell's text; of an exec form the words. */
static sb_slice command_text(sb_arena *arena, const sb_run_step *step)
{
    const sb_df_instruction *ins = step->instruction;
    sb_autobuf out = SB_BUF_INIT(SB_DOCKERFILE_MAX);

    if (!ins->json)
        return step->text;
    for (size_t i = 0; i < ins->arg_count; i++) {
        sb_buf_addz(&out, i ? " " : "");
        sb_buf_adds(&out, ins->args[i].text);
    }
    return sb_arena_dup(arena, sb_buf_slice(&out));
}

void sb_record_add_worries(sb_recorder *r, const sb_run_step *step)
{
    static const sb_note_kind kinds[] = {
        [SB_WORRY_SCRUBBED] = SB_NOTE_SCRUBBED, [SB_WORRY_UNRECORDABLE] = SB_NOTE_UNRECORDABLE};
    sb_step_worry *worries;
    size_t count;

    sb_step_worries(command_text(r->arena, step), r->arena, &worries, &count);
    for (size_t i = 0; i < count; i++) {
        sb_note_kind kind = kinds[worries[i].kind];

        warn(r, step, phrases[kind].kind,
             sb_arena_printf(r->arena, "%s\"%" SB_FMT "\"; %" SB_FMT, phrases[kind].what,
                             SB_ARG(worries[i].phrase), SB_ARG(worries[i].remedy)));
    }
}

/* --- A line per step --- */

static sb_slice size_text(sb_arena *arena, uint64_t size)
{
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB"};
    double value = (double)size;
    size_t unit = 0;

    while (value >= 1000 && unit + 1 < SB_COUNT(units)) {
        value /= 1000;
        unit++;
    }
    return sb_arena_printf(arena, unit && value < 10 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

static sb_slice pinned_text(sb_arena *arena, const sb_recording *recording, const sb_lock_step *entry)
{
    if (recording->networked)
        return sb_arena_printf(arena, "nothing: it keeps its network (--network=%" SB_FMT ")",
                               SB_ARG(recording->run.network));
    if (!entry || recording->stale)
        return entry ? SB_LIT("what it was; its inputs have changed since") : SB_LIT("nothing yet");
    if (!entry->requests)
        return SB_LIT("no requests");
    return sb_arena_printf(arena, "%zu request%s, %" SB_FMT, entry->requests, entry->requests == 1 ? "" : "s",
                           SB_ARG(size_text(arena, entry->size)));
}

static bool has_step(const sb_lock_package *package, const char *id)
{
    for (size_t i = 0; i < package->step_count; i++)
        if (sb_slice_eqz(package->steps[i], id))
            return true;
    return false;
}

/* "312 by package-lock.json, the rest by nobody (first use)" */
static sb_slice vouched_text(sb_recorder *r, const char *id)
{
    const sb_lock *lock = r->lock;
    sb_autobuf out = SB_BUF_INIT(1 << 16);
    sb_autofree bool *counted = sb_new_array(bool, lock->package_count + 1);

    for (size_t i = 0; i < lock->package_count; i++) {
        sb_slice by = lock->packages[i].vouched;
        size_t n = 0;

        if (!by.len || counted[i] || !has_step(&lock->packages[i], id))
            continue;
        for (size_t k = i; k < lock->package_count; k++)
            if (sb_slice_eq(lock->packages[k].vouched, by) && has_step(&lock->packages[k], id)) {
                counted[k] = true;
                n++;
            }
        sb_buf_printf(&out, "%zu by %" SB_FMT ", ", n, SB_ARG(by));
    }
    sb_buf_addz(&out, out.len ? "the rest by nobody (first use)" : "nobody (first use)");
    return sb_arena_dup(r->report->arena, sb_buf_slice(&out));
}

/* A step that was run again and asked for the same has not. */
static bool has_changed(const sb_recording *recording, const sb_lock_step *entry)
{
    const sb_lock_step *was = &recording->was;

    if (!entry || !recording->manifest)
        return false;
    return !recording->was_locked || was->has_manifest != entry->has_manifest ||
           (entry->has_manifest && !sb_digest_eq(&was->manifest, &entry->manifest));
}

void sb_record_report_steps(sb_recorder *r)
{
    sb_record_report *report = r->report;
    sb_arena *arena = report->arena;

    for (size_t i = 0; i < r->recording_count; i++) {
        const sb_recording *recording = &r->recordings[i];
        const sb_lock_step *entry = sb_lock_find_step(r->lock, &recording->run);
        sb_lock_change change = {.kind = "run", .name = sb_arena_dup(arena, recording->run.label)};

        if (!recording->sealed && !recording->networked)
            continue;
        change.pinned = pinned_text(arena, recording, entry);
        change.vouched = entry && entry->requests && !recording->networked
                             ? vouched_text(r, recording->run.id)
                             : SB_LIT("");
        change.changed = has_changed(recording, entry);
        report->unlocked += recording->sealed && (recording->stale || !entry);
        *SB_ARENA_PUSH(arena, report->changes, report->count, report->cap) = change;
        if (recording->networked)
            warn(r, &recording->run, "unlocked",
                 sb_arena_printf(arena,
                                 "keeps its network (--network=%" SB_FMT "); what it downloads is in no lock",
                                 SB_ARG(recording->run.network)));
    }
    if (r->engine)
        report->engine = sb_arena_printf(arena, "%" SB_FMT " %" SB_FMT, SB_ARG(r->engine->name),
                                         SB_ARG(r->engine->version));
}
