// SPDX-License-Identifier: Apache-2.0
/*
 * The Dockerfile front end: bytes → instructions → stages → references, and exact edits back to bytes.
 * Pure functions over (pointer, length): no files, no network. The grammar is BuildKit's.
 *
 * Every slice and array of a parsed Dockerfile or view lives in that object's arena and dies with it. A span
 * is a half-open byte range of the file as it was given (a BOM and CRs included), so an edit of a span
 * changes these bytes and no others; {0, 0} means that the thing has no place of its own in the file (a
 * trigger from a base image). Lines and columns count from 1; columns in bytes.
 */
#ifndef SBUILD_DOCKERFILE_H
#define SBUILD_DOCKERFILE_H

#include <sbuild/arena.h>
#include <sbuild/buf.h>
#include <sbuild/error.h>

typedef struct sb_span {
    size_t start;
    size_t end;
} sb_span;

typedef enum sb_df_keyword {
    SB_DF_ADD,
    SB_DF_ARG,
    SB_DF_CMD,
    SB_DF_COPY,
    SB_DF_ENTRYPOINT,
    SB_DF_ENV,
    SB_DF_EXPOSE,
    SB_DF_FROM,
    SB_DF_HEALTHCHECK,
    SB_DF_LABEL,
    SB_DF_MAINTAINER,
    SB_DF_ONBUILD,
    SB_DF_RUN,
    SB_DF_SHELL,
    SB_DF_STOPSIGNAL,
    SB_DF_USER,
    SB_DF_VOLUME,
    SB_DF_WORKDIR,
    SB_DF_UNKNOWN, /* only in a tree parsed with SB_DF_SYNTAX_ONLY */
} sb_df_keyword;

typedef struct sb_df_word {
    sb_slice text; /* as the parser splits it, quotes kept where the form keeps them */
    sb_span span;  /* from its first to its last byte; a continuation inside is part of it */
} sb_df_word;

typedef struct sb_df_flag {
    sb_slice text;  /* "--chown=1:1", after quote removal */
    sb_slice name;  /* "chown" */
    sb_slice value; /* absent without "=" */
    sb_span span;   /* the whole flag as written */
} sb_df_flag;

typedef struct sb_df_pair { /* ENV, LABEL, ARG */
    sb_slice key;           /* raw */
    sb_slice value;         /* raw; absent for an ARG without a default */
    sb_slice sep;           /* "=" or "" (the legacy `ENV key value`) */
    sb_span key_span;
    sb_span value_span;
} sb_df_pair;

typedef struct sb_df_heredoc {
    sb_slice name;
    unsigned fd;   /* 0 unless digits stand before << */
    bool expand;   /* no quotes in the delimiter word */
    bool chomp;    /* <<- : leading tabs go */
    sb_slice body; /* raw, as written, without the terminator line */
    sb_span span;  /* the body's bytes */
} sb_df_heredoc;

typedef struct sb_df_comment { /* a comment line right above an instruction, text behind the # */
    sb_slice text;
    unsigned line;
} sb_df_comment;

typedef struct sb_df_instruction sb_df_instruction;
struct sb_df_instruction {
    sb_df_keyword keyword;
    sb_slice keyword_text; /* lower case */
    sb_df_flag *flags;
    size_t flag_count;
    sb_df_word *args;
    size_t arg_count;
    sb_df_pair *pairs;
    size_t pair_count;
    bool json; /* exec form */
    sb_df_heredoc *heredocs;
    size_t heredoc_count;
    sb_df_instruction *trigger; /* ONBUILD: the nested instruction */
    sb_df_comment *comments;    /* the unbroken block of comment lines directly above, in order */
    size_t comment_count;
    unsigned start_line;
    unsigned end_line; /* heredoc terminators included */
    sb_span span;      /* from the keyword's first byte to the last byte before the final line end */
    sb_span keyword_span;
    sb_slice rest;     /* what is behind the flags on the logical line, its continuations joined */
    sb_span rest_span; /* the same in the file; empty span at its place if nothing is */
    sb_slice original; /* the logical line as BuildKit's Node.Original has it */
    int stage; /* index of the stage it stands in; -1 before the first FROM and for triggers of base images */
};

typedef struct sb_df_directive {
    sb_slice name; /* lower case */
    sb_slice value;
    sb_span value_span;
    unsigned line;
} sb_df_directive;

typedef struct sb_df_warning {
    const char *rule; /* BuildKit's name of the check, e.g. "NoEmptyContinuation" */
    unsigned line;
} sb_df_warning;

typedef struct sb_dockerfile {
    sb_arena *arena;
    sb_slice name; /* the file's name for messages */
    sb_slice text; /* the caller's bytes, which must outlive this */
    char escape;
    sb_df_directive *directives;
    size_t directive_count;
    sb_slice syntax; /* the frontend's reference (up to the first space); absent without one */
    sb_span syntax_span;
    sb_df_instruction *instructions;
    size_t instruction_count;
    sb_df_warning *warnings;
    size_t warning_count;
} sb_dockerfile;

enum { SB_DF_SYNTAX_ONLY = 1 }; /* stop before any instruction's own rules */

/* Errors: SB_ERR_PARSE with "NAME:LINE: message" or "NAME:LINE:COLUMN: message". */
int sb_df_parse(sb_slice text, const char *name, unsigned flags, sb_dockerfile **ret_df, sb_error **err);
void sb_df_free(sb_dockerfile *df);
SB_DEFINE_CLEANUP(sb_dockerfile, sb_df_free)

const char *sb_df_keyword_name(sb_df_keyword keyword); /* "FROM" */
/* NULL when there is no such flag. */
const sb_df_flag *sb_df_find_flag(const sb_df_instruction *ins, const char *name);
/* Line and column of a byte offset. */
void sb_df_position(const sb_dockerfile *df, size_t offset, unsigned *ret_line, unsigned *ret_column);
/* The file offset of byte `at` of ins->rest; of its end when `at` is rest's length. */
size_t sb_df_rest_offset(const sb_dockerfile *df, const sb_df_instruction *ins, size_t at);
typedef struct sb_df_piece { /* bytes that are neighbours in the file, too: up to the next piece */
    size_t at;               /* in the text that was made of them */
    size_t offset;           /* in the file */
} sb_df_piece;
/* The pieces of ins->rest, in order; in `arena`. */
void sb_df_rest_pieces(const sb_dockerfile *df, const sb_df_instruction *ins, sb_arena *arena,
                       sb_df_piece **ret_pieces, size_t *ret_count);

/* --- Expansion (dockerfile/expand.c) --- */

typedef struct sb_df_var {
    sb_slice key;
    sb_slice value;
} sb_df_var;

/*
 * An environment for expansion: the last entry of a name counts. An entry with an absent value is declared,
 * but not set. Entries that sb_df_env_set() made are found through an index.
 */
typedef struct sb_df_env {
    sb_df_var *vars;
    size_t count;
    size_t cap;
    uint32_t *slots; /* hash table of positions in vars, plus one; NULL: no index */
    size_t slot_count;
} sb_df_env;

/* Absent slice when the name is not set. */
sb_slice sb_df_env_get(const sb_df_env *env, sb_slice key);
void sb_df_env_set(sb_arena *arena, sb_df_env *env, sb_slice key, sb_slice value);
/* Is the name among the first `count` entries, set or not? */
bool sb_df_env_has(const sb_df_env *env, size_t count, sb_slice key);
/* Index among the first `count` of the name that may have been meant: at most two changes away, case
 * ignored; -1: there is none. */
ptrdiff_t sb_df_nearest(sb_slice name, const sb_df_env *env, size_t count);

/*
 * What an expansion may add to the bytes that it is given, and how many steps of pattern matching one may
 * take: SB_ERR_LIMIT beyond.
 */
enum { SB_DF_EXPAND_MAX = 16 << 20, SB_DF_EXPAND_STEPS_MAX = 256 << 20 };

/* BuildKit's ProcessWord: quotes removed, variables expanded. The result may be the word itself. */
int sb_df_expand(sb_arena *arena, sb_slice word, const sb_df_env *env, char escape, sb_slice *ret_text,
                 sb_error **err);
/* ProcessWords: the multi-word mode of EXPOSE and the heredoc scan. */
int sb_df_expand_words(sb_arena *arena, sb_slice word, const sb_df_env *env, char escape,
                       sb_slice **ret_words, size_t *ret_count, sb_error **err);
/*
 * Tells of every variable that an expansion of the word looks up, nested ones included. `heredoc`: the word
 * is a heredoc's body. The names are parts of the word, or live in the arena.
 */
typedef void (*sb_df_variable_used)(void *ctx, sb_slice name);
int sb_df_each_variable(sb_arena *arena, sb_slice word, char escape, bool heredoc, sb_df_variable_used used,
                        void *ctx, sb_error **err);
/* A heredoc body of ADD or COPY: only $ and \ are special; `chomp` strips leading tabs first. */
int sb_df_expand_heredoc(sb_arena *arena, const sb_df_heredoc *doc, const sb_df_env *env, sb_slice *ret_body,
                         sb_error **err);

/* --- Sources of ADD and COPY (dockerfile/source.c) --- */

typedef enum sb_df_source_kind { SB_SOURCE_LOCAL, SB_SOURCE_HTTP, SB_SOURCE_GIT } sb_df_source_kind;
sb_df_source_kind sb_df_source_classify(sb_slice expanded);

typedef struct sb_df_git_source {
    sb_slice remote;   /* the URL without fragment and query */
    sb_slice ref;      /* branch, tag, commit or refs/…; absent: the default branch */
    sb_slice subdir;   /* absent: the root */
    sb_slice checksum; /* hex prefix of a commit or tag object; absent without one */
    int keep_git_dir;  /* -1 not said, 0, 1 */
    int submodules;    /* -1 not said, 0, 1 */
} sb_df_git_source;
int sb_df_git_source_parse(sb_arena *arena, sb_slice expanded, sb_df_git_source *ret_source, sb_error **err);
/* The file name that ADD gives a URL whose destination ends in "/": path base, else "__unnamed__". */
sb_slice sb_df_url_filename(sb_arena *arena, sb_slice url);

/* --- Stages and references under given build arguments (dockerfile/view.c) --- */

typedef struct sb_df_platform {
    sb_slice os;
    sb_slice arch;
    sb_slice variant; /* empty when none */
} sb_df_platform;
/* "linux/arm64/v8" and friends, normalised as containerd does (x86_64 → amd64, arm64/v8 → arm64, arm → arm/v7
 * …). */
int sb_df_platform_parse(sb_arena *arena, sb_slice text, sb_df_platform *ret_platform, sb_error **err);
sb_slice sb_df_platform_format(sb_arena *arena, const sb_df_platform *platform);

/* What the view needs to know about a base image. The slices must outlive the view. */
typedef struct sb_df_image_config {
    const sb_slice *env; /* "KEY=value" */
    size_t env_count;
    const sb_slice *onbuild;
    size_t onbuild_count;
    const sb_slice *shell; /* SHELL; count 0: the default */
    size_t shell_count;
    sb_slice os, arch; /* what it is made for; absent when it does not say */
} sb_df_image_config;

/*
 * Asked once per stage that starts from an image. Returns 1 with the config, 0 when it is not known (the view
 * then treats unknown variables as `incomplete`), -1 on error.
 */
typedef int (*sb_df_image_lookup)(void *ctx, sb_slice image, sb_slice platform,
                                  sb_df_image_config *ret_config, sb_error **err);

typedef struct sb_df_inputs {
    const sb_df_var *build_args;
    size_t build_arg_count;
    const char *target;          /* NULL: the last stage */
    const char *build_platform;  /* NULL: "linux/amd64" */
    const char *target_platform; /* NULL: the build platform */
    const char *const *contexts; /* names of --build-context that replace stages or images */
    size_t context_count;
    sb_df_image_lookup lookup; /* NULL: nothing is known about images */
    void *lookup_ctx;
    /* For looking at a file, not for building from it: a FROM that expands to nothing (an ARG that wants a
     * value) is an image with an empty base_expanded, and what else fails for want of a value is left
     * unexpanded. */
    bool lenient;
} sb_df_inputs;

typedef enum sb_df_base_kind {
    SB_BASE_IMAGE,
    SB_BASE_STAGE,
    SB_BASE_SCRATCH,
    SB_BASE_CONTEXT
} sb_df_base_kind;

typedef struct sb_df_stage {
    int index;
    sb_slice name; /* lower case; empty when unnamed */
    size_t from;   /* index of its FROM instruction */
    sb_slice base; /* as written */
    sb_slice base_expanded;
    sb_slice platform; /* expanded and normalised; empty: the target platform */
    sb_df_base_kind base_kind;
    int base_stage;              /* SB_BASE_STAGE: its index */
    bool reachable;              /* from the target */
    bool replaced;               /* a named context stands for it: its instructions do not run */
    sb_df_instruction *triggers; /* ONBUILD triggers of the base, parsed, run right after FROM */
    sb_slice *trigger_texts;     /* the same as the base's config has them */
    size_t trigger_count;
    sb_slice *shell; /* SHELL of the base image; count 0: the default, or not known */
    size_t shell_count;
    bool base_known;          /* the lookup knew the base image: base_env is all that it sets */
    const sb_slice *base_env; /* "KEY=value" of the base image */
    size_t base_env_count;
    sb_slice base_os, base_arch; /* what the base image is made for; absent when not known */
    sb_df_env env;               /* at the end of the stage: ARG and ENV in force */
} sb_df_stage;

typedef enum sb_df_ref_kind {
    SB_REF_FROM,
    SB_REF_COPY,
    SB_REF_MOUNT,
    SB_REF_SYNTAX,
    SB_REF_ADD_URL,
    SB_REF_ADD_GIT,
} sb_df_ref_kind;

typedef struct sb_df_ref {
    sb_df_ref_kind kind;
    sb_slice text; /* as written */
    sb_slice expanded;
    sb_slice checksum;  /* ADD --checksum, expanded; absent without one */
    bool incomplete;    /* uses a variable that only an unknown base image could set */
    int resolved_stage; /* the stage that it names, or -1: an image, URL or git source */
    bool context;       /* a named build context replaces it */
    int stage;          /* the stage that it stands in; -1 for `# syntax` */
    bool reachable;
    sb_slice platform; /* of the image it names: --platform of FROM, else the target platform */
    const sb_df_instruction *instruction; /* NULL for `# syntax` */
    int trigger;            /* index of the base image's ONBUILD trigger that it comes from, else -1 */
    const sb_df_flag *flag; /* COPY --from and RUN --mount: the flag that holds it */
    sb_span span; /* the reference itself where it can be told exactly, else the word or flag that holds it */
    unsigned line;
} sb_df_ref;

typedef struct sb_df_expanded { /* of one instruction, in the order of its args (pairs: key, value, key, value
                                   …) */
    sb_slice *words;
    size_t count;
    size_t env_count; /* names that are known before it: the first so many of its stage's env */
} sb_df_expanded;

typedef struct sb_df_view {
    sb_arena *arena;
    const sb_dockerfile *df; /* must outlive the view */
    sb_df_stage *stages;
    size_t stage_count;
    int target; /* stage index */
    sb_slice target_platform;
    sb_df_ref *refs; /* in file order; triggers' references behind their FROM */
    size_t ref_count;
    sb_df_expanded *expanded; /* one per instruction of df; count 0 where nothing expands */
    sb_df_env global;         /* global ARGs at the end of the preamble */
    /* Names of build args that reached a FROM, an image or a source reference: changing one can change the
     * lock. */
    sb_slice *locked_args;
    size_t locked_arg_count;
} sb_df_view;

int sb_df_view_new(const sb_dockerfile *df, const sb_df_inputs *inputs, sb_df_view **ret_view,
                   sb_error **err);
void sb_df_view_free(sb_df_view *view);
SB_DEFINE_CLEANUP(sb_df_view, sb_df_view_free)

const char *
sb_df_ref_kind_name(sb_df_ref_kind kind); /* "from", "copy", "mount", "syntax", "add-url", "add-git" */

/* --- Exact edits (dockerfile/edit.c) --- */

typedef struct sb_df_edit {
    sb_span span; /* an empty span inserts before its start */
    sb_slice text;
} sb_df_edit;
/* Applies non-overlapping edits in any order; SB_ERR_INTERNAL when two overlap. */
int sb_df_apply(sb_slice text, const sb_df_edit *edits, size_t count, sb_buf *out, sb_error **err);

/* --- .dockerignore (dockerfile/ignore.c) --- */

typedef struct sb_ignore sb_ignore;
int sb_ignore_parse(sb_slice text, const char *name, sb_ignore **ret_ignore, sb_error **err);
void sb_ignore_free(sb_ignore *ignore);
SB_DEFINE_CLEANUP(sb_ignore, sb_ignore_free)
/* Is this path (relative, "/"-separated, no leading "./") left out? Parents' matches count as Docker has it.
 */
bool sb_ignore_matches(const sb_ignore *ignore, sb_slice path);
/* As Go's path.Clean: "./a//b/../c/" is "a/c". */
sb_slice sb_df_clean_path(sb_arena *arena, sb_slice path);
/* Is there a "!" rule? Then a path that is left out may stand for something that is not. */
bool sb_ignore_brings_back(const sb_ignore *ignore);
/* Is there a rule for everything: "*" or "**"? */
bool sb_ignore_leaves_out_all(const sb_ignore *ignore);
/* False when some "!" rule may bring back something below this excluded directory, so it must be walked. */
bool sb_ignore_prunes(const sb_ignore *ignore, sb_slice dir);

#endif
