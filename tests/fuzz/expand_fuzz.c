// SPDX-License-Identifier: Apache-2.0
/*
 * Word expansion in its three forms. The first byte chooses the escape character; the rest up to a line feed
 * is the value of a variable, and what follows is expanded. The same words then go through a whole view.
 */
#include <sbuild/dockerfile.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expand(sb_slice text, const sb_df_env *env, char escape)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_df_heredoc doc = {.body = text, .expand = true, .chomp = true};
    sb_slice result, *words;
    size_t count;

    if (sb_df_expand(arena, text, env, escape, &result, NULL) == 0) {
        sb_df_git_source git;

        (void)sb_df_source_classify(result);
        (void)sb_df_url_filename(arena, result);
        (void)sb_df_git_source_parse(arena, result, &git, NULL);
    }
    (void)sb_df_expand_words(arena, text, env, escape, &words, &count, NULL);
    (void)sb_df_expand_heredoc(arena, &doc, env, &result, NULL);
}

static void view(sb_slice text)
{
    SB_AUTO(sb_dockerfile) df = NULL;
    SB_AUTO(sb_df_view) made = NULL;
    sb_df_var arg = {SB_LIT("GIVEN"), SB_LIT("v")};
    const char *contexts[] = {"alpine", "base::linux/arm64"};
    sb_df_inputs inputs = {
        .build_args = &arg, .build_arg_count = 1, .contexts = contexts, .context_count = 2};

    if (sb_df_parse(text, "Dockerfile", 0, &df, NULL) < 0 || sb_df_view_new(df, &inputs, &made, NULL) < 0)
        return;
    for (size_t i = 0; i < made->ref_count; i++)
        if (made->refs[i].span.end > text.len || made->refs[i].span.start > made->refs[i].span.end)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_slice value, rest = sb_slice_of((const char *)data, size);
    sb_df_env env = {0};
    char escape;

    if (size < 2 || size > 1 << 14)
        return 0;
    escape = data[0] == '`' ? '`' : '\\';
    rest = sb_slice_sub(rest, 1, rest.len);
    view(rest);
    value = sb_slice_cut(&rest, '\n');
    if (!rest.ptr)
        return 0;
    sb_df_env_set(arena, &env, SB_LIT("A"), value);
    sb_df_env_set(arena, &env, SB_LIT("B"), SB_LIT(""));
    expand(rest, &env, escape);
    return 0;
}
