// SPDX-License-Identifier: Apache-2.0
#include <builder/scrubbed.h>

#include <sbuild/buf.h>
#include <sbuild/shell.h>

enum { PHRASE_WORDS = 4, PHRASE_MAX = 80 };

typedef struct worry_look {
    sb_arena *arena;
    sb_step_worry *worries;
    size_t count, cap;
} worry_look;

typedef struct phrase { /* a command, or what stands from "sudo" on before one */
    const sb_sh_arg *words;
    size_t count;
} phrase;

/* The first words of the command, and the one that matters if it stands further behind. */
static sb_slice phrase_of(sb_arena *arena, const phrase *command, size_t word)
{
    sb_autobuf text = SB_BUF_INIT(8 * PHRASE_MAX);
    sb_autobuf shown = SB_BUF_INIT(8 * PHRASE_MAX);
    size_t count = command->count < PHRASE_WORDS ? command->count : PHRASE_WORDS;

    for (size_t i = 0; i < count && text.len < PHRASE_MAX; i++)
        sb_buf_printf(&text, "%s%" SB_FMT, i ? " " : "", SB_ARG(command->words[i].text));
    if (word >= count)
        sb_buf_printf(&text, " … %" SB_FMT, SB_ARG(command->words[word].text));
    sb_buf_add_printable(&shown, sb_buf_slice(&text), 2 * PHRASE_MAX);
    return sb_arena_dup(arena, sb_buf_slice(&shown));
}

static void add(worry_look *look, sb_step_worry_kind kind, const phrase *command, size_t word,
                sb_slice remedy)
{
    sb_slice shown = phrase_of(look->arena, command, word);

    for (size_t i = 0; i < look->count; i++)
        if (sb_slice_eq(look->worries[i].phrase, shown))
            return;
    if (look->count < SB_STEP_WORRIES_MAX)
        *SB_ARENA_PUSH(look->arena, look->worries, look->count, look->cap) =
            (sb_step_worry){kind, shown, remedy};
}

/* --- The environment ----------------------------------------------------------------------------------- */

typedef struct scrubber {
    const char *program;
    const char *const *options; /* of which one makes it scrub … */
    bool unless;                /* … or, true: of which one keeps it from scrubbing */
    const char *remedy;
} scrubber;

static const char *const login_options[] = {"-", "-l", "--login", NULL};
static const char *const env_options[] = {"-", "-i", "--ignore-environment", NULL};
static const char *const setpriv_options[] = {"--reset-env", NULL};
static const char *const sudo_options[] = {"-E", "--preserve-env", NULL};

static const scrubber scrubbers[] = {
    {"su", login_options, false,
     "it drops the variables by which clients find the lock's server; leave the dash out (\"su USER -c …\"), "
     "or "
     "use the instruction USER"},
    {"runuser", login_options, false,
     "it drops the variables by which clients find the lock's server; leave \"-l\" out (\"runuser -u USER -- "
     "…\"), or use the instruction USER"},
    {"env", env_options, false,
     "it drops the variables by which clients find the lock's server; take away single ones (\"env -u "
     "NAME\")"},
    {"setpriv", setpriv_options, false,
     "it drops the variables by which clients find the lock's server; leave \"--reset-env\" out"},
    {"sudo", sudo_options, true,
     "it drops the variables by which clients find the lock's server; say \"sudo -E\", or use the "
     "instruction "
     "USER"},
};

/* Short options may stand together ("-lc"), long ones may have a value. */
static bool is_option(sb_slice word, const char *option)
{
    sb_slice wanted = sb_slice_z(option);

    if (sb_slice_eq(word, wanted))
        return true;
    if (sb_slice_starts(wanted, SB_LIT("--")))
        return sb_slice_starts(word, wanted) && word.ptr[wanted.len] == '=';
    return wanted.len == 2 && word.len > 2 && word.ptr[0] == '-' && word.ptr[1] != '-' &&
           memchr(word.ptr, wanted.ptr[1], word.len) != NULL;
}

/* Options before the first operand alone: what follows is somebody else's. "su" takes them behind the user
 * too. */
static bool has_option(const phrase *command, const scrubber *wanted)
{
    bool everywhere = strcmp(wanted->program, "su") == 0;

    for (size_t i = 1; i < command->count; i++) {
        sb_slice word = command->words[i].text;

        if (!word.len || word.ptr[0] != '-' || sb_slice_eqz(word, "--")) {
            if (!everywhere || sb_slice_eqz(word, "--"))
                return false;
            continue;
        }
        for (size_t j = 0; wanted->options[j]; j++)
            if (is_option(word, wanted->options[j]))
                return true;
        if (everywhere && is_option(word, "-c"))
            return false; /* a command follows */
    }
    return false;
}

static void look_for_scrubbers(worry_look *look, sb_slice program, const phrase *command)
{
    for (size_t i = 0; i < SB_COUNT(scrubbers); i++)
        if (sb_slice_eqz(program, scrubbers[i].program) && command->count > 1 &&
            has_option(command, &scrubbers[i]) != scrubbers[i].unless)
            add(look, SB_WORRY_SCRUBBED, command, 0, sb_slice_z(scrubbers[i].remedy));
}

/* --- Protocols ----------------------------------------------------------------------------------------- */

/* "git@host:path", and where the host ends. Nothing else has a user, a host and a path like that. */
static bool is_scp_like(sb_slice word, sb_slice *ret_host)
{
    ptrdiff_t at = sb_slice_chr(word, '@');
    ptrdiff_t colon = sb_slice_chr(word, ':');
    ptrdiff_t slash = sb_slice_chr(word, '/');

    if (at <= 0 || colon < at + 2 || (slash >= 0 && slash < colon) || (size_t)colon + 1 >= word.len ||
        word.ptr[colon + 1] == '/')
        return false;
    *ret_host = sb_slice_sub(word, (size_t)at + 1, (size_t)colon);
    return true;
}

/* Of "SCHEME://user@host:port/path" behind the scheme. */
static sb_slice host_of(sb_slice rest)
{
    size_t end = 0;
    ptrdiff_t at;

    while (end < rest.len && !strchr("/?#", rest.ptr[end]))
        end++;
    rest = sb_slice_sub(rest, 0, end);
    at = sb_slice_rchr(rest, '@');
    return at < 0 ? rest : sb_slice_sub(rest, (size_t)at + 1, rest.len);
}

/* What turns this beginning of a git URL into https. */
static sb_slice git_rewrite(sb_arena *arena, sb_slice host, sb_slice beginning)
{
    sb_slice name = host;
    ptrdiff_t colon = sb_slice_chr(host, ':');

    if (colon >= 0)
        name = sb_slice_sub(host, 0, (size_t)colon);
    return sb_arena_printf(arena,
                           "it is not HTTP, so it cannot be recorded; put RUN git config --global "
                           "url.https://%" SB_FMT "/.insteadOf %" SB_FMT " before it",
                           SB_ARG(name), SB_ARG(beginning));
}

static bool look_for_git_url(worry_look *look, const phrase *command, size_t i)
{
    static const char *const schemes[] = {"ssh://", "git://"};
    sb_slice word = command->words[i].text;
    sb_slice host;

    if (is_scp_like(word, &host)) {
        sb_slice beginning = sb_slice_sub(word, 0, (size_t)(host.ptr + host.len + 1 - word.ptr));

        add(look, SB_WORRY_UNRECORDABLE, command, i, git_rewrite(look->arena, host, beginning));
        return true;
    }
    for (size_t j = 0; j < SB_COUNT(schemes); j++) {
        /* Also in "git+ssh://…" and "name @ git+ssh://…". */
        ptrdiff_t at = sb_slice_find(word, sb_slice_z(schemes[j]));
        sb_slice rest, beginning;

        if (at < 0)
            continue;
        rest = sb_slice_sub(word, (size_t)at + strlen(schemes[j]), word.len);
        host = host_of(rest);
        beginning = sb_slice_sub(word, (size_t)at, (size_t)(host.ptr + host.len - word.ptr));
        if (host.len) {
            add(look, SB_WORRY_UNRECORDABLE, command, i,
                git_rewrite(look->arena, host,
                            sb_arena_printf(look->arena, "%" SB_FMT "/", SB_ARG(beginning))));
            return true;
        }
    }
    return false;
}

static const struct {
    const char *program;
    const char *word; /* that it has to have; NULL: any at all */
    const char *remedy;
} unrecordable[] = {
    {"ssh", NULL, "it is not HTTP, so it cannot be recorded; fetch over https"},
    {"scp", NULL, "it is not HTTP, so it cannot be recorded; fetch over https, or COPY the file"},
    {"sftp", NULL, "it is not HTTP, so it cannot be recorded; fetch over https, or COPY the file"},
    {"rsync", "rsync://", "it is not HTTP, so it cannot be recorded; fetch over https, or COPY the files"},
    {"rsync", "::", "it is not HTTP, so it cannot be recorded; fetch over https, or COPY the files"},
    {"ftp", NULL, "it is not HTTP, so it cannot be recorded; fetch over https"},
    {"lftp", "ftp://", "it is not HTTP, so it cannot be recorded; fetch over https"},
    {"curl", "ftp://", "it is not HTTP, so it cannot be recorded; most FTP servers answer under https too"},
    {"wget", "ftp://", "it is not HTTP, so it cannot be recorded; most FTP servers answer under https too"},
    {"svn", "svn://",
     "it is not HTTP, so it cannot be recorded; most Subversion servers answer under https too"},
};

static bool has_word(const phrase *command, const char *end)
{
    for (size_t i = 0; i < command->count; i++)
        if (sb_slice_ends(command->words[i].text, sb_slice_z(end)))
            return true;
    return false;
}

/*
 * gpg's helper takes neither proxy nor certificates from its environment. Key servers without TLS are found
 * by name all the same; those with it, the default among them, are not trusted.
 */
static void look_for_key_servers(worry_look *look, sb_slice program, const phrase *command)
{
    static const char *const programs[] = {"gpg", "gpg2", "apt-key"};
    bool is_one = false, named = false, secure = false;
    size_t receives = 0;

    for (size_t i = 0; i < SB_COUNT(programs); i++)
        is_one = is_one || sb_slice_eqz(program, programs[i]);
    for (size_t i = 1; is_one && i < command->count; i++) {
        sb_slice word = command->words[i].text;

        named = named || sb_slice_starts(word, SB_LIT("--keyserver"));
        secure = secure || sb_slice_find(word, SB_LIT("hkps://")) >= 0;
        if (sb_slice_starts(word, SB_LIT("--recv-key")) || sb_slice_starts(word, SB_LIT("--receive-key")))
            receives = i;
    }
    if (receives && (secure || !named))
        add(look, SB_WORRY_UNRECORDABLE, command, receives,
            SB_LIT("gpg asks key servers by its own certificates, so this cannot be recorded; fetch the key "
                   "over "
                   "https (\"curl … | gpg --import\"), COPY it, or, as root, say --keyserver hkp://HOST"));
}

static void look_for_protocols(worry_look *look, sb_slice program, const phrase *command)
{
    for (size_t i = 0; i < SB_COUNT(unrecordable); i++) {
        if (!sb_slice_eqz(program, unrecordable[i].program))
            continue;
        for (size_t j = 1; j < command->count; j++) {
            if (unrecordable[i].word &&
                sb_slice_find(command->words[j].text, sb_slice_z(unrecordable[i].word)) < 0)
                continue;
            add(look, SB_WORRY_UNRECORDABLE, command, j, sb_slice_z(unrecordable[i].remedy));
            return;
        }
    }
    /* scp and rsync have host:path as well; theirs is another remedy. */
    if (sb_slice_eqz(program, "ssh") || sb_slice_eqz(program, "scp") || sb_slice_eqz(program, "echo") ||
        sb_slice_eqz(program, "printf") || has_word(command, ".insteadOf"))
        return;
    for (size_t j = 1; j < command->count; j++) {
        sb_slice host;

        if (sb_slice_eqz(program, "rsync")) {
            if (is_scp_like(command->words[j].text, &host))
                add(look, SB_WORRY_UNRECORDABLE, command, j, sb_slice_z(unrecordable[3].remedy));
        } else if (look_for_git_url(look, command, j)) {
            return;
        }
    }
}

/* --- All of it ----------------------------------------------------------------------------------------- */

/* The programs before a command that run it: "sudo -u app env -i make". */
static void look_at_wrappers(worry_look *look, const sb_sh_command *command)
{
    size_t before = command->word_count - command->count;

    for (size_t i = 0; i < before; i++) {
        sb_slice name = sb_path_last(command->words[i].text);
        phrase from_here = {command->words + i, command->word_count - i};
        bool is_wrapper = false;

        for (size_t j = 0; j < command->wrapper_count; j++)
            is_wrapper = is_wrapper || sb_slice_eq(command->wrappers[j], name);
        if (is_wrapper)
            look_for_scrubbers(look, name, &from_here);
    }
}

/* What is in its arguments is told of as commands of their own. */
static bool holds_commands(sb_slice program)
{
    return sb_sh_dialect_of(program) != SB_SH_OTHER || sb_slice_eqz(program, "eval") ||
           sb_slice_eqz(program, "su") || sb_slice_eqz(program, "runuser") || sb_slice_eqz(program, "find");
}

void sb_step_worries(sb_slice text, sb_arena *arena, sb_step_worry **ret_worries, size_t *ret_count)
{
    static const sb_sh_options options = {.dialect = SB_SH_BASH};
    worry_look look = {.arena = arena};
    sb_sh_reading reading;

    sb_sh_read(text, &options, arena, &reading);
    for (size_t i = 0; i < reading.count; i++) {
        const sb_sh_command *command = &reading.commands[i];
        phrase itself = {command->args, command->count};

        look_at_wrappers(&look, command);
        look_for_scrubbers(&look, command->name, &itself);
        if (holds_commands(command->name))
            continue;
        look_for_protocols(&look, command->name, &itself);
        look_for_key_servers(&look, command->name, &itself);
    }
    *ret_worries = look.worries;
    *ret_count = look.count;
}
