// SPDX-License-Identifier: Apache-2.0
/* SB3xx: the rules, the walk over all stages, and how a finding is put. */
#include <rules/lint/execute.h>
#include <rules/lint/internal.h>
#include <rules/lint/operands.h>

const sb_rule sb_rule_pipe_to_shell = {
    .id = "SB301",
    .name = "pipe-to-shell",
    .summary = "What is downloaded is run as it comes, and nobody can check it",
    .remedy = "download it to a file, check that against a sha256 in the Dockerfile (echo \"HASH  FILE\" | "
              "sha256sum -c -) or a signature, and run it then; or ADD --checksum=sha256:HASH URL FILE",
    .severity = SB_SEVERITY_ERROR,
};
const sb_rule sb_rule_download_then_run = {
    .id = "SB302",
    .name = "download-then-run",
    .summary = "A downloaded file is run before its checksum or signature was checked",
    .remedy =
        "check it between download and run: echo \"HASH  FILE\" | sha256sum -c -, or gpg --verify with a "
        "key whose fingerprint is in the Dockerfile; or ADD --checksum=sha256:HASH URL FILE",
    .severity = SB_SEVERITY_ERROR,
};
const sb_rule sb_rule_package_file = {
    .id = "SB303",
    .name = "package-from-download",
    .summary = "A downloaded package is installed before its checksum or signature was checked",
    .remedy = "check its sha256 between download and installation, or take it from a signed repository: a "
              "package's scripts run as root, and no signature is looked at for a single file",
    .severity = SB_SEVERITY_ERROR,
};
static const sb_rule weak_check = {
    .id = "SB304",
    .name = "weak-check",
    .summary = "A downloaded file is run after a check that can be fooled: MD5, SHA-1 or a CRC",
    .remedy = "compare its SHA-256 or SHA-512 instead",
    .severity = SB_SEVERITY_WARNING,
};
static const sb_rule same_place = {
    .id = "SB305",
    .name = "checksum-from-same-place",
    .summary = "A downloaded file is checked against a checksum from the same server",
    .remedy =
        "write the checksum into the Dockerfile, or check the signature of the list: who can change the "
        "file there can change the list as well",
    .severity = SB_SEVERITY_INFO,
};
static const sb_rule locked_code = {
    .id = "SB306",
    .name = "locked-but-unverified",
    .summary = "A locked step runs a download that nobody vouches for",
    .remedy = "its bytes are fixed by the lock; have them vouched for by a checksum or signature in the "
              "Dockerfile",
    .severity = SB_SEVERITY_INFO,
};
static const sb_rule *const rules[] = {&sb_rule_pipe_to_shell,
                                       &sb_rule_download_then_run,
                                       &sb_rule_package_file,
                                       &weak_check,
                                       &same_place,
                                       &locked_code};
const sb_rule_set sb_rules_execute = {"Fetch and execute", rules, SB_COUNT(rules)};

/* --- Origins --- */

static int add_origin(sb_execute *x, sb_origin origin)
{
    if (x->origin_count == SB_ORIGINS_MAX)
        return -1;
    *SB_ARENA_PUSH(x->lint->arena, x->origins, x->origin_count, x->origin_cap) = origin;
    return (int)x->origin_count - 1;
}

int sb_execute_origin(sb_execute *x, sb_slice url, const sb_sh_command *cmd)
{
    return add_origin(x, (sb_origin){.url = url,
                                     .instruction = x->run->instruction,
                                     .run = x->run,
                                     .command = cmd,
                                     .locked = x->run->locked});
}

void sb_execute_checked(sb_execute *x, int origin, sb_origin_check check)
{
    if (origin < 0)
        return;
    if (check > x->origins[origin].check)
        x->origins[origin].check = check;
    if (x->origins[origin].said)
        x->pending[x->origins[origin].said - 1].checked_later = true;
}

void sb_execute_ran(sb_execute *x, const sb_rule *rule, int origin, const sb_sh_command *cmd, sb_slice what)
{
    sb_origin *o;

    if (origin < 0)
        return;
    o = &x->origins[origin];
    if (o->said || o->check == SB_CHECK_GOOD || (o->locked && o->check == SB_CHECK_SAME_PLACE))
        return;
    if (o->locked)
        rule = &locked_code;
    else if (o->check == SB_CHECK_SAME_PLACE)
        rule = &same_place;
    else if (o->check == SB_CHECK_WEAK)
        rule = &weak_check;
    *SB_ARENA_PUSH(x->lint->arena, x->pending, x->pending_count, x->pending_cap) =
        (sb_pending){.rule = rule, .run = x->run, .command = cmd, .origin = origin, .what = what};
    o->said = x->pending_count;
}

/* --- What to do instead, for what is installed like that most often --- */

static const struct {
    const char *part; /* of the URL */
    const char *remedy;
} better[] = {
    {"get.docker.com",
     "COPY --from=docker:VERSION-cli /usr/local/bin/docker /usr/local/bin/ for the client, or install "
     "Docker's packages from its signed repository"},
    {"sh.rustup.rs",
     "FROM rust:VERSION, or download rustup-init of a version (…/rustup/archive/VERSION/TARGET/rustup-init) "
     "and check its sha256"},
    {"nodesource.com",
     "COPY --from=node:VERSION the files of Node, or set up the repository by hand with a key whose "
     "fingerprint you check"},
    {"nvm-sh/nvm",
     "FROM node:VERSION, or download the Node archive of a version and check it against its signed "
     "SHASUMS256.txt"},
    {"astral.sh/uv", "COPY --from=ghcr.io/astral-sh/uv:VERSION /uv /uvx /bin/"},
    {"install.python-poetry.org", "pip install poetry==VERSION with hashes, in an environment of its own"},
    {"get-pip.py", "take pip from the Python image, or python -m ensurepip"},
    {"getcomposer.org", "COPY --from=composer:VERSION /usr/bin/composer /usr/local/bin/composer"},
    {"bun.sh/install", "COPY --from=oven/bun:VERSION /usr/local/bin/bun /usr/local/bin/"},
    {"deno.land", "COPY --from=denoland/deno:bin-VERSION /deno /usr/local/bin/deno"},
    {"get.pnpm.io",
     "npm install --global pnpm@VERSION, or corepack with the packageManager field of package.json"},
    {"cpanmin.us", "install the package cpanminus of the distribution"},
    {"get-helm",
     "COPY --from=alpine/helm:VERSION /usr/bin/helm /usr/local/bin/, or download a version and check its "
     "sha256"},
    {"script.deb.sh", "write the repository's list and key into files of your own and COPY them"},
    {"script.rpm.sh", "write the repository's list and key into files of your own and COPY them"},
    {"aquasecurity/trivy", "COPY --from=aquasec/trivy:VERSION /usr/local/bin/trivy /usr/local/bin/"},
    {"anchore/syft", "COPY --from=anchore/syft:VERSION /syft /usr/local/bin/"},
    {"anchore/grype", "COPY --from=anchore/grype:VERSION /grype /usr/local/bin/"},
    {"golangci", "COPY --from=golangci/golangci-lint:VERSION /usr/bin/golangci-lint /usr/local/bin/"},
    {"Miniconda",
     "FROM an image of Miniconda, or check the sha256 that is published for the installer of a version"},
    {"Miniforge",
     "FROM condaforge/miniforge3:VERSION, or check the sha256 that is published with the installer of a "
     "version"},
};

static void help(sb_lint *lint, sb_finding *finding, const sb_pending *p, sb_slice url)
{
    if (p->rule != &sb_rule_pipe_to_shell && p->rule != &sb_rule_download_then_run)
        return;
    for (size_t i = 0; i < SB_COUNT(better); i++)
        if (sb_slice_find(url, sb_slice_z(better[i].part)) >= 0) {
            sb_lint_help(lint, finding, "%s", better[i].remedy);
            return;
        }
}

/* --- Saying it --- */

static sb_span span_of(const sb_lint *lint, const sb_pending *p, const sb_origin *o)
{
    sb_span span = sb_lint_command_span(lint, p->run, p->command), from;

    if (p->rule != &sb_rule_pipe_to_shell || o->run != p->run)
        return span;
    from = sb_lint_command_span(lint, o->run, o->command);
    span.start = from.start < span.start ? from.start : span.start;
    span.end = from.end > span.end ? from.end : span.end;
    return span;
}

static unsigned line_of(const sb_lint *lint, const sb_origin *o)
{
    unsigned line = o->instruction->start_line, column;

    if (o->run)
        sb_df_position(lint->df, sb_lint_command_span(lint, o->run, o->command).start, &line, &column);
    return line;
}

static void say(sb_lint *lint, const sb_execute *x, const sb_pending *p)
{
    const sb_origin *o = &x->origins[p->origin];
    sb_span span = span_of(lint, p, o);
    sb_slice url = o->url.ptr ? sb_slice_z(sb_lint_shown(lint, o->url)) : SB_LIT("the network");
    sb_slice what = sb_slice_z(sb_lint_shown(lint, p->what));
    const char *checked = p->checked_later               ? "it is checked only after that"
                          : o->check == SB_CHECK_IGNORED ? "its check cannot fail the build"
                                                         : "nothing checks it";
    sb_finding *finding;

    if (p->rule == &sb_rule_pipe_to_shell)
        finding = sb_lint_say(lint, p->rule, span,
                              "%" SB_FMT " runs what comes from %" SB_FMT ", and nothing can check it",
                              SB_ARG(what), SB_ARG(url));
    else if (p->rule == &weak_check)
        finding = sb_lint_say(lint, p->rule, span,
                              "%" SB_FMT " from %" SB_FMT " is run after a check by MD5, SHA-1 or a CRC only",
                              SB_ARG(what), SB_ARG(url));
    else if (p->rule == &same_place)
        finding = sb_lint_say(lint, p->rule, span,
                              "%" SB_FMT
                              " is checked against a checksum that comes from the same server as the file",
                              SB_ARG(what));
    else if (p->rule == &locked_code)
        finding = sb_lint_say(lint, p->rule, span,
                              "what comes from %" SB_FMT
                              " is run; the lock fixes its bytes, but nobody vouches for them",
                              SB_ARG(url));
    else
        finding = sb_lint_say(
            lint, p->rule, span, "%" SB_FMT " from %" SB_FMT " (line %u) is %s here, and %s", SB_ARG(what),
            SB_ARG(url), line_of(lint, o), p->rule == &sb_rule_package_file ? "installed" : "run", checked);
    help(lint, finding, p, o->url);
}

/* --- ADD, COPY --from and WORKDIR --- */

typedef struct stage_end {
    sb_files files;
    sb_slice directory; /* absent: not known */
    bool errexit;       /* of SHELL */
    sb_slice *shell;    /* its words; none: /bin/sh */
    size_t shell_count;
} stage_end;

/* Somebody vouches for it in the lock; a list of checksums without a signature is a hint only. */
static bool is_vouched(const sb_lock_file *file)
{
    for (size_t i = 0; file && i < file->evidence_count; i++) {
        const sb_lock_evidence *e = &file->evidence[i];

        if (e->kind == SB_EVIDENCE_CHECKSUM || e->kind == SB_EVIDENCE_OPENPGP ||
            e->kind == SB_EVIDENCE_MINISIGN || (e->kind == SB_EVIDENCE_CHECKSUMS && e->signer_count > 0))
            return true;
    }
    return false;
}

static sb_slice joined(sb_arena *arena, sb_slice directory, sb_slice name)
{
    return sb_arena_printf(arena, "%" SB_FMT "/%" SB_FMT, SB_ARG(directory), SB_ARG(name));
}

static bool is_directory(const sb_df_expanded *words)
{
    sb_slice to = words->words[words->count - 1];

    return words->count > 2 || sb_slice_ends(to, SB_LIT("/")) || sb_slice_eqz(to, ".");
}

static void do_add(sb_execute *x, const sb_df_instruction *ins, const sb_df_expanded *words, stage_end *state)
{
    sb_lint *lint = x->lint;

    if (words->count < 2)
        return;
    for (size_t i = 0; i + 1 < words->count; i++) {
        sb_slice url = words->words[i], to = words->words[words->count - 1];
        const sb_lock_file *file;
        sb_origin origin = {.url = url, .instruction = ins};

        if (sb_df_source_classify(url) != SB_SOURCE_HTTP)
            continue;
        file = lint->lock ? sb_lock_find_file(lint->lock, url) : NULL;
        origin.locked = file != NULL;
        if (sb_df_find_flag(ins, "checksum") || is_vouched(file))
            origin.check = SB_CHECK_GOOD;
        if (sb_df_find_flag(ins, "unpack")) { /* no file that could be run */
            origin.path = to;
            add_origin(x, origin);
            continue;
        }
        if (is_directory(words))
            to = joined(lint->arena, to, sb_df_url_filename(lint->arena, url));
        origin.path = sb_files_path(lint->arena, state->directory, to);
        sb_files_put(lint->arena, &state->files, origin.path, add_origin(x, origin), SB_NIL);
    }
}

static int stage_named(const sb_lint *lint, sb_slice name, int before)
{
    uint64_t number;

    for (int i = 0; i < before; i++)
        if (lint->view->stages[i].name.len && sb_slice_eq_nocase(lint->view->stages[i].name, name))
            return i;
    return sb_slice_to_u64(name, &number) && number < (uint64_t)before ? (int)number : -1;
}

/* In a directory that is not known, a name may be that of the path's last part. */
static bool is_same(sb_slice path, sb_slice name)
{
    return sb_slice_eq(path, name) || (name.len > 0 && name.ptr[0] != '/' && path.len > name.len &&
                                       sb_slice_ends(path, name) && path.ptr[path.len - name.len - 1] == '/');
}

/* Files of a download that come from another stage: `path` of it becomes `to`, or goes into it. */
static void bring(sb_arena *arena, const sb_files *from, sb_slice path, sb_slice to, bool into,
                  sb_files *files)
{
    for (size_t i = 0; i < from->count; i++) {
        const sb_named *f = &from->items[i];
        sb_slice under = SB_NIL;

        if (f->origin < 0)
            continue;
        if (is_same(path, f->path))
            under = into ? sb_path_base(path) : SB_LIT("");
        else if (f->path.len > path.len && sb_slice_starts(f->path, path) && f->path.ptr[path.len] == '/')
            under = sb_slice_sub(f->path, path.len + 1, f->path.len);
        if (under.ptr)
            sb_files_put(arena, files, under.len ? joined(arena, to, under) : to, f->origin, SB_NIL);
    }
}

static void do_copy(sb_execute *x, const sb_df_instruction *ins, const sb_df_expanded *words,
                    stage_end *states, int stage)
{
    const sb_df_flag *from = sb_df_find_flag(ins, "from");
    int source = from && from->value.ptr ? stage_named(x->lint, from->value, stage) : -1;
    sb_arena *arena = x->lint->arena;

    if (source < 0 || words->count < 2)
        return;
    for (size_t i = 0; i + 1 < words->count; i++)
        bring(arena, &states[source].files, sb_files_path(arena, SB_LIT("/"), words->words[i]),
              sb_files_path(arena, states[stage].directory, words->words[words->count - 1]),
              is_directory(words), &states[stage].files);
}

/* RUN --mount=from=STAGE,source=…,target=… */
static void do_mounts(sb_execute *x, const sb_df_instruction *ins, stage_end *states, int stage)
{
    sb_arena *arena = x->lint->arena;

    for (size_t i = 0; i < ins->flag_count; i++) {
        sb_slice rest = ins->flags[i].value, field, path = SB_LIT("/"), to = SB_NIL;
        int source = -1;

        if (!sb_slice_eqz(ins->flags[i].name, "mount"))
            continue;
        while ((field = sb_slice_cut(&rest, ',')).ptr) {
            sb_slice value = field, key = sb_slice_cut(&value, '=');

            if (!value.ptr)
                continue;
            if (sb_slice_eqz(key, "from"))
                source = stage_named(x->lint, value, stage);
            else if (sb_slice_eqz(key, "source") || sb_slice_eqz(key, "src"))
                path = value;
            else if (sb_slice_eqz(key, "target") || sb_slice_eqz(key, "dst") ||
                     sb_slice_eqz(key, "destination"))
                to = value;
        }
        if (source >= 0 && to.ptr)
            bring(arena, &states[source].files, sb_files_path(arena, SB_LIT("/"), path),
                  sb_files_path(arena, states[stage].directory, to), false, &states[stage].files);
    }
}

/* --- The walk --- */

/* SHELL ["/bin/bash", "-euo", "pipefail", "-c"] */
static bool has_errexit(const sb_df_instruction *shell)
{
    for (size_t i = 1; i < shell->arg_count; i++)
        if (sb_slice_starts(shell->args[i].text, SB_LIT("-")) && sb_slice_chr(shell->args[i].text, 'e') > 0)
            return true;
    return false;
}

static void set_shell(sb_arena *arena, stage_end *state, const sb_df_instruction *ins)
{
    state->errexit = has_errexit(ins);
    state->shell = sb_arena_array(arena, sb_slice, ins->arg_count);
    state->shell_count = ins->arg_count;
    for (size_t i = 0; i < ins->arg_count; i++)
        state->shell[i] = ins->args[i].text;
}

static void begin(const sb_df_stage *stage, stage_end *states)
{
    stage_end *state = &states[stage->index];

    *state = (stage_end){0};
    if (stage->base_kind == SB_BASE_STAGE && stage->base_stage < stage->index) {
        const stage_end *base = &states[stage->base_stage];

        state->directory = base->directory;
        state->errexit = base->errexit;
        state->shell = base->shell;
        state->shell_count = base->shell_count;
        state->files = base->files;
        state->files.shared = true;
    } else if (stage->base_kind == SB_BASE_SCRATCH) {
        state->directory = SB_LIT("/");
    }
}

static void do_run(sb_execute *x, const sb_lint_run *run, sb_files *files)
{
    if (run->dialect != SB_SH_OTHER) {
        sb_execute_run(x, run, files);
        return;
    }
    if (!run->locked && sb_fetch_powershell_runs(run->text))
        sb_lint_say(x->lint, &sb_rule_pipe_to_shell,
                    sb_lint_run_span(x->lint, run, (sb_span){0, run->text.len}),
                    "Invoke-Expression runs what comes from the network, and nothing can check it");
}

/*
 * CMD and ENTRYPOINT run in every container anew. Of the files of the image nothing is asked here: they were
 * told where they came in. What is merely downloaded at that time is no matter of the image's.
 */
static void do_start(sb_execute *x, const sb_df_instruction *ins, const stage_end *state, int stage)
{
    sb_lint *lint = x->lint;
    sb_lint_run *run = sb_arena_new_of(lint->arena, sb_lint_run);
    size_t first = x->origin_count;
    sb_files files = {0};

    run->stage = stage;
    run->reachable = true;
    run->map = sb_arena_new_of(lint->arena, sb_lint_map);
    sb_lint_read_run(lint, ins, state->shell, state->shell_count, run);
    if (run->dialect == SB_SH_OTHER)
        return;
    x->shell_errexit = state->errexit;
    sb_execute_run(x, run, &files);
    for (size_t i = first; i < x->origin_count; i++)
        x->origins[i].at_start = true;
}

const sb_execute *sb_lint_flow(sb_lint *lint)
{
    const sb_dockerfile *df = lint->df;
    sb_execute *x = lint->flow;
    stage_end *states;
    size_t next_run = 0;

    if (x)
        return x;
    x = lint->flow = sb_arena_new_of(lint->arena, sb_execute);
    x->lint = lint;
    states = sb_arena_array(lint->arena, stage_end, lint->stage_count + 1);
    for (size_t s = 0; s < lint->stage_count; s++) {
        const sb_df_stage *stage = &lint->view->stages[s];
        stage_end *state = &states[s];

        begin(stage, states);
        for (size_t i = stage->from + 1;
             i < df->instruction_count && df->instructions[i].keyword != SB_DF_FROM; i++) {
            const sb_df_instruction *ins = &df->instructions[i];
            const sb_df_expanded *words = &lint->view->expanded[i];
            const sb_df_instruction *runs = ins->keyword == SB_DF_ONBUILD ? ins->trigger : ins;

            if (runs && runs->keyword == SB_DF_RUN) {
                x->shell_errexit = state->errexit;
                do_mounts(x, runs, states, stage->index);
                if (next_run < lint->run_count && lint->runs[next_run].instruction == runs)
                    do_run(x, &lint->runs[next_run++], &state->files);
            } else if (ins->keyword == SB_DF_SHELL) {
                set_shell(lint->arena, state, ins);
            } else if (ins->keyword == SB_DF_CMD || ins->keyword == SB_DF_ENTRYPOINT) {
                do_start(x, ins, state, stage->index);
            } else if (ins->keyword == SB_DF_ADD) {
                do_add(x, ins, words, state);
            } else if (ins->keyword == SB_DF_COPY) {
                do_copy(x, ins, words, states, stage->index);
            } else if (ins->keyword == SB_DF_WORKDIR && words->count) {
                state->directory = sb_files_path(lint->arena, state->directory, words->words[0]);
            }
        }
    }
    return x;
}

void sb_lint_execute(sb_lint *lint)
{
    const sb_execute *x = sb_lint_flow(lint);

    for (size_t i = 0; i < x->pending_count; i++)
        say(lint, x, &x->pending[i]);
}
