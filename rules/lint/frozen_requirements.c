// SPDX-License-Identifier: Apache-2.0
/* SB507: what is in the requirements files that pip is told to install from. */
#include <rules/lint/python.h>

enum {
    DEPTH_MAX = 5,  /* files that include files */
    TRIES_MAX = 40, /* paths of the context that one file is looked for at */
    CONSTRAINTS_MAX = 5000,
};

static sb_slice dir_name(sb_slice path)
{
    ptrdiff_t slash = sb_slice_rchr(path, '/');

    return sb_slice_sub(path, 0, (size_t)(slash + 1));
}

/* The file in a directory of the context: under its whole path, or what remains without the destination. */
static sb_slice read_in(const sb_frozen *f, sb_slice dir, sb_slice dest, sb_slice path, sb_slice *ret_path)
{
    sb_slice tries[3] = {path, sb_path_last(path), SB_NIL};

    while (sb_slice_ends(dir, SB_LIT("/")))
        dir.len--;
    if (dest.len > 1 && sb_slice_starts(path, dest))
        tries[2] = sb_slice_sub(path, dest.len, path.len);
    for (size_t i = SB_COUNT(tries); i-- > 0;) {
        sb_slice name, text;

        if (!tries[i].len)
            continue;
        name = sb_arena_printf(f->lint->arena, "%" SB_FMT "/%" SB_FMT, SB_ARG(dir), SB_ARG(tries[i]));
        text = sb_lint_read(f->lint, name);
        if (text.ptr) {
            *ret_path = name;
            return text;
        }
    }
    return SB_NIL;
}

/* RUN --mount=type=bind,source=… */
static sb_slice mount_source(sb_slice value)
{
    while (value.ptr) {
        sb_slice field = sb_slice_cut(&value, ','), key = sb_slice_cut(&field, '=');

        if (field.ptr && sb_word_in(key, "source src"))
            return field;
    }
    return SB_NIL;
}

/* The text of a file that the step finds at `path`; absent when it cannot be told which one that is. */
static sb_slice read_copied(const sb_frozen *f, sb_slice path, sb_slice *ret_path)
{
    const sb_df_instruction *run = f->run->instruction;
    const sb_dockerfile *df = f->lint->df;
    size_t tries = 0;
    sb_slice text;

    if (f->lint->context_fd < 0 || !path.len || sb_slice_chr(path, '$') >= 0)
        return SB_NIL;
    while (sb_slice_starts(path, SB_LIT("./")))
        path = sb_slice_sub(path, 2, path.len);
    for (size_t i = df->instruction_count; i-- > 0;) {
        const sb_df_instruction *ins = &df->instructions[i];
        const sb_df_expanded *words = &f->lint->view->expanded[i];

        if ((ins->keyword != SB_DF_COPY && ins->keyword != SB_DF_ADD) || sb_df_find_flag(ins, "from") ||
            ins->span.start > run->span.start || !sb_lint_builds_on(f->lint, f->run->stage, ins->stage))
            continue;
        for (size_t j = 0; j + 1 < words->count && tries < TRIES_MAX; j++, tries++) {
            sb_slice source = words->words[j];

            if (sb_slice_eq(sb_path_last(source), sb_path_last(path))) {
                text = sb_lint_read(f->lint, source);
                *ret_path = source;
            } else {
                text = read_in(f, source, words->words[words->count - 1], path, ret_path);
            }
            if (text.ptr)
                return text;
        }
    }
    for (size_t i = 0; i < run->flag_count; i++) {
        sb_slice source =
            sb_slice_eqz(run->flags[i].name, "mount") ? mount_source(run->flags[i].value) : SB_NIL;

        if (source.len && sb_slice_eq(sb_path_last(source), sb_path_last(path))) {
            *ret_path = source;
            return sb_lint_read(f->lint, source);
        }
    }
    return SB_NIL;
}

/* --- Lines --- */

/* The next requirement or option, comments and continuations taken off; absent at the end. */
static sb_slice next_entry(sb_slice *rest, bool *ret_hashed)
{
    while (rest->ptr) {
        sb_slice line = sb_slice_trim(sb_slice_cut(rest, '\n')), entry;
        ptrdiff_t comment = sb_slice_find(line, SB_LIT(" #")), hash;

        if (!line.len || line.ptr[0] == '#')
            continue;
        if (comment > 0)
            line = sb_slice_trim(sb_slice_sub(line, 0, (size_t)comment));
        entry = line;
        *ret_hashed = false;
        while (sb_slice_ends(line, SB_LIT("\\")) && rest->ptr) {
            line = sb_slice_trim(sb_slice_cut(rest, '\n'));
            *ret_hashed = *ret_hashed || sb_slice_find(line, SB_LIT("--hash=")) >= 0;
        }
        if (sb_slice_ends(entry, SB_LIT("\\")))
            entry = sb_slice_trim(sb_slice_sub(entry, 0, entry.len - 1));
        hash = sb_slice_find(entry, SB_LIT(" --"));
        if (hash > 0) {
            *ret_hashed = *ret_hashed || sb_slice_find(entry, SB_LIT("--hash=")) >= 0;
            entry = sb_slice_trim(sb_slice_sub(entry, 0, (size_t)hash));
        }
        return entry;
    }
    return SB_NIL;
}

/* "-r other.txt", "--requirement=other.txt", "-c …", "-e …": the value; absent for another option. */
static sb_slice option_value(sb_slice entry, const char *letter, const char *name)
{
    static const char *const ends = "= \t";
    sb_slice options[2] = {sb_slice_z(letter), sb_slice_z(name)};

    for (size_t i = 0; i < 2; i++)
        if (sb_slice_starts(entry, options[i]) && entry.len > options[i].len &&
            (i == 0 || strchr(ends, entry.ptr[options[i].len]))) {
            entry = sb_slice_sub(entry, options[i].len, entry.len);
            while (entry.len && strchr(ends, entry.ptr[0]))
                entry = sb_slice_sub(entry, 1, entry.len);
            return entry;
        }
    return SB_NIL;
}

typedef struct requirements {
    const sb_frozen *f;
    const sb_constraints *constraints;
    size_t loose, all; /* entries */
    sb_slice first;    /* that is loose */
    sb_slice file;     /* that it is in */
    bool hashes;       /* --require-hashes */
} requirements;

static void count_loose(requirements *r, sb_slice text, sb_slice path, unsigned depth)
{
    sb_slice rest = text, entry;
    bool hashed;

    while ((entry = next_entry(&rest, &hashed)).ptr) {
        sb_slice file = option_value(entry, "-r", "--requirement"), found, included;
        sb_slice editable = option_value(entry, "-e", "--editable");

        if (file.len && depth < DEPTH_MAX) {
            found = sb_arena_printf(r->f->lint->arena, "%" SB_FMT "%" SB_FMT, SB_ARG(dir_name(path)),
                                    SB_ARG(file));
            included = sb_lint_read(r->f->lint, found);
            if (included.ptr)
                count_loose(r, included, found, depth + 1);
            continue;
        }
        r->hashes = r->hashes || sb_slice_starts(entry, SB_LIT("--require-hashes"));
        if (editable.len)
            entry = editable;
        else if (entry.ptr[0] == '-')
            continue;
        r->all++;
        switch (sb_requirement_of(entry)) {
        case SB_REQUIREMENT_PINNED:
        case SB_REQUIREMENT_LOCAL:
        case SB_REQUIREMENT_GIT_TAG:
            continue;
        case SB_REQUIREMENT_LOOSE:
            if (hashed ||
                (r->constraints &&
                 (!r->constraints->read ||
                  sb_constraints_pin(r->constraints, sb_requirement_name(r->f->lint->arena, entry)))))
                continue;
            break;
        case SB_REQUIREMENT_GIT_BRANCH:
            break;
        }
        if (!r->loose++) {
            r->first = entry;
            r->file = path;
        }
    }
}

void sb_requirements_look(const sb_frozen *f, const sb_sh_arg *arg, sb_slice path,
                          const sb_constraints *constraints)
{
    requirements r = {.f = f, .constraints = constraints};
    sb_slice found, text;

    /* uv takes pyproject.toml and the like as well, which say what is wanted, not what is installed. */
    if (!sb_slice_ends(path, SB_LIT(".txt")) && !sb_slice_ends(path, SB_LIT(".in")) &&
        !sb_slice_ends(path, SB_LIT(".pip")))
        return;
    text = read_copied(f, path, &found);
    if (!text.ptr)
        return;
    count_loose(&r, text, found, 0);
    if (r.hashes || !r.loose)
        return;
    sb_lint_say(f->lint, &sb507, sb_lint_arg_span(f->lint, f->run, arg),
                "%zu of %zu entries of %s have no exact version, as \"%s\" of %s", r.loose, r.all,
                sb_lint_shown(f->lint, path), sb_lint_shown(f->lint, r.first),
                sb_lint_shown(f->lint, r.file));
}

/* --- Constraints --- */

void sb_constraints_read(const sb_frozen *f, sb_slice path, sb_constraints *constraints)
{
    sb_slice found, rest = read_copied(f, path, &found), entry;
    bool hashed;

    if (!rest.ptr)
        return;
    constraints->read = true;
    while ((entry = next_entry(&rest, &hashed)).ptr && constraints->count < CONSTRAINTS_MAX)
        if (entry.ptr[0] != '-' && sb_requirement_of(entry) == SB_REQUIREMENT_PINNED)
            *SB_ARENA_PUSH(f->lint->arena, constraints->names, constraints->count, constraints->cap) =
                sb_requirement_name(f->lint->arena, entry);
}

bool sb_constraints_pin(const sb_constraints *constraints, sb_slice name)
{
    for (size_t i = 0; i < constraints->count; i++)
        if (sb_slice_eq(constraints->names[i], name))
            return true;
    return false;
}
