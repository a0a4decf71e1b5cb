// SPDX-License-Identifier: Apache-2.0
/* Finding an engine, and running its programs. */
#include <builder/engine.h>

#include <sbuild/process.h>

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum { ANSWER_MAX = 4 << 20, ANSWER_SECONDS = 60 };

/* The order of choice. */
static const sb_engine_ops *const all_ops[] = {&sb_engine_docker, &sb_engine_podman, &sb_engine_buildah};

const sb_engine_ops *sb_engine_ops_of(sb_engine_kind kind)
{
    for (size_t i = 0; i < SB_COUNT(all_ops); i++)
        if (all_ops[i]->kind == kind)
            return all_ops[i];
    return NULL;
}

/* --- Argument vectors --- */

void sb_argv_add(sb_argv *argv, const char *arg)
{
    *SB_ARENA_PUSH(argv->arena, argv->items, argv->count, argv->cap) =
        sb_arena_strdup(argv->arena, sb_slice_z(arg));
}

void sb_argv_addf(sb_argv *argv, const char *fmt, ...)
{
    sb_autofree char *text = NULL;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0)
        text = sb_strdup("");
    sb_argv_add(argv, text);
}

const char *const *sb_argv_end(sb_argv *argv)
{
    *SB_ARENA_PUSH(argv->arena, argv->items, argv->count, argv->cap) = NULL;
    argv->count--;
    return argv->items;
}

void sb_argv_add_contexts(sb_argv *argv, const sb_plan *plan)
{
    for (size_t i = 0; i < plan->context_count; i++) {
        sb_argv_add(argv, "--build-context");
        sb_argv_addf(argv, "%" SB_FMT "=%" SB_FMT, SB_ARG(plan->contexts[i].name),
                     SB_ARG(plan->contexts[i].path));
    }
}

void sb_argv_add_user(sb_argv *argv, const sb_plan *plan)
{
    static const char frontend[] = "BUILDKIT_SYNTAX";
    const sb_build_options *options = plan->options;

    for (size_t i = 0; i < options->build_arg_count; i++)
        if (!sb_slice_eqz(options->build_args[i].key, frontend))
            sb_argv_addf(argv, "--build-arg=%" SB_FMT "=%" SB_FMT, SB_ARG(options->build_args[i].key),
                         SB_ARG(options->build_args[i].value));
    if (plan->frontend_named)
        sb_argv_addf(argv, "--build-arg=%s=%" SB_FMT, frontend, SB_ARG(plan->frontend));
    for (size_t i = 0; i < plan->user_context_count; i++) {
        sb_argv_add(argv, "--build-context");
        sb_argv_add(argv, plan->user_contexts[i]);
    }
}

/* --- Options of the user's --- */

sb_slice sb_engine_option(const char *argument, sb_slice *ret_value)
{
    sb_slice rest = sb_slice_z(argument);
    sb_slice name = sb_slice_cut(&rest, '=');

    *ret_value = rest;
    return sb_slice_starts(name, SB_LIT("--")) ? sb_slice_sub(name, 2, name.len) : name;
}

int sb_engine_takes(const sb_engine *engine, const char *const *arguments, size_t count, sb_error **err)
{
    const sb_engine_ops *ops = sb_engine_ops_of(engine->kind);

    for (size_t i = 0; i < count; i++) {
        sb_slice value = SB_NIL, name = sb_engine_option(arguments[i], &value);
        const char *why = ops->refuses(engine, name, value);

        if (why)
            return sb_fail(err, SB_ERR_ENGINE,
                           "--%" SB_FMT " cannot be handed to %" SB_FMT " %" SB_FMT ": %s", SB_ARG(name),
                           SB_ARG(engine->name), SB_ARG(engine->version), why);
    }
    return 0;
}

/* --- Programs --- */

sb_slice sb_engine_last_line(sb_slice text)
{
    ptrdiff_t newline;

    text = sb_slice_trim(text);
    newline = sb_slice_rchr(text, '\n');
    return newline < 0 ? text : sb_slice_trim(sb_slice_sub(text, (size_t)newline + 1, text.len));
}

static int ask(sb_arena *arena, const char *const *argv, const char *const *unset, int input,
               unsigned timeout, sb_slice *ret_output, sb_error **err)
{
    sb_autobuf output = SB_BUF_INIT(ANSWER_MAX);
    sb_autobuf errors = SB_BUF_INIT(ANSWER_MAX);
    sb_process_options options = {.argv = argv,
                                  .unset = unset,
                                  .input_fd = input,
                                  .output = &output,
                                  .errors = &errors,
                                  .timeout = timeout};
    sb_autofree char *said = NULL;
    int status;

    if (sb_process_run(&options, &status, err) < 0)
        return -1;
    if (sb_interrupted)
        return sb_fail(err, SB_ERR_INTERRUPTED, "interrupted");
    if (status == 0) {
        *ret_output = sb_arena_dup(arena, sb_slice_trim(sb_buf_slice(&output)));
        return 0;
    }
    said = sb_printable(sb_engine_last_line(sb_buf_slice(errors.len ? &errors : &output)));
    return sb_fail(err, SB_ERR_ENGINE, "\"%s %s\" failed: %s", argv[0], argv[1] ? argv[1] : "", said);
}

int sb_engine_ask(sb_arena *arena, const char *const *argv, sb_slice *ret_output, sb_error **err)
{
    return ask(arena, argv, NULL, -1, ANSWER_SECONDS, ret_output, err);
}

const char *const sb_engine_credentials[] = {"DOCKER_CONFIG", "REGISTRY_AUTH_FILE", NULL};

int sb_engine_move(sb_arena *arena, const char *const *argv, sb_slice *ret_output, sb_error **err)
{
    return ask(arena, argv, sb_engine_credentials, -1, 0, ret_output, err);
}

int sb_engine_work(sb_arena *arena, const char *const *argv, int input, sb_slice *ret_output, sb_error **err)
{
    return ask(arena, argv, NULL, input, 0, ret_output, err);
}

bool sb_version_at_least(sb_slice version, unsigned major, unsigned minor)
{
    unsigned found[2] = {0, 0};
    size_t i = 0;

    while (i < version.len && (version.ptr[i] < '0' || version.ptr[i] > '9'))
        i++;
    for (size_t part = 0; part < 2; part++) {
        for (; i < version.len && version.ptr[i] >= '0' && version.ptr[i] <= '9' && found[part] < 100000; i++)
            found[part] = found[part] * 10 + (unsigned)(version.ptr[i] - '0');
        if (i >= version.len || version.ptr[i] != '.')
            break;
        i++;
    }
    return found[0] > major || (found[0] == major && found[1] >= minor);
}

/* --- Probing and choosing --- */

static int probe(const sb_engine_ops *ops, const char *builder, sb_engine **ret_engine, sb_error **err)
{
    SB_AUTO(sb_engine) engine = sb_new(sb_engine);
    sb_autofree char *program = sb_process_find(ops->name);

    engine->arena = sb_arena_new();
    engine->kind = ops->kind;
    engine->name = sb_slice_z(ops->name);
    if (!program) {
        engine->problem = sb_arena_printf(engine->arena, "%s is not installed", ops->name);
    } else {
        engine->program = sb_arena_dup(engine->arena, sb_slice_z(program));
        if (ops->probe(engine, builder, err) < 0)
            return -1;
    }
    *ret_engine = SB_TAKE(engine);
    return 0;
}

int sb_engines_probe(sb_engine ***ret_engines, size_t *ret_count, sb_error **err)
{
    sb_autofree sb_engine **engines = sb_new_array(sb_engine *, SB_COUNT(all_ops));

    for (size_t i = 0; i < SB_COUNT(all_ops); i++) {
        if (probe(all_ops[i], NULL, &engines[i], err) < 0) {
            while (i > 0)
                sb_engine_free(engines[--i]);
            return -1;
        }
    }
    *ret_engines = SB_TAKE(engines);
    *ret_count = SB_COUNT(all_ops);
    return 0;
}

static int select_named(const char *name, const char *builder, sb_engine **ret_engine, sb_error **err)
{
    for (size_t i = 0; i < SB_COUNT(all_ops); i++) {
        SB_AUTO(sb_engine) engine = NULL;

        if (strcmp(all_ops[i]->name, name) != 0)
            continue;
        if (probe(all_ops[i], builder, &engine, err) < 0)
            return -1;
        if (engine->problem.len)
            return sb_fail(err, SB_ERR_ENGINE, "%" SB_FMT "; \"sbuild doctor\" shows which engines there are",
                           SB_ARG(engine->problem));
        *ret_engine = SB_TAKE(engine);
        return 0;
    }
    return sb_fail(err, SB_ERR_USAGE, "there is no engine \"%s\"; use docker, podman or buildah", name);
}

int sb_engine_select(const char *name, const char *builder, sb_engine **ret_engine, sb_error **err)
{
    sb_autobuf problems = SB_BUF_INIT(1 << 16);
    const char *wanted = getenv("SBUILD_ENGINE");

    if (!name && wanted && *wanted)
        name = wanted;
    /* Only Docker has builders. */
    if (!name && builder)
        name = "docker";
    if (name)
        return select_named(name, builder, ret_engine, err);
    for (size_t i = 0; i < SB_COUNT(all_ops); i++) {
        SB_AUTO(sb_engine) engine = NULL;

        if (probe(all_ops[i], NULL, &engine, err) < 0)
            return -1;
        if (!engine->problem.len) {
            *ret_engine = SB_TAKE(engine);
            return 0;
        }
        sb_buf_printf(&problems, "%s%" SB_FMT, i ? ", " : "", SB_ARG(engine->problem));
    }
    return sb_fail(err, SB_ERR_ENGINE,
                   "no engine works here (%" SB_FMT
                   "); install buildah (1.28 or newer), or Docker with buildx",
                   SB_ARG(sb_buf_slice(&problems)));
}

void sb_engine_free(sb_engine *engine)
{
    if (!engine)
        return;
    sb_arena_free(engine->arena);
    free(engine);
}
