// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dockerfile/tree.h>

#include <stdio.h>

static sb_dockerfile *parse_slice(sb_slice text, unsigned flags)
{
    SB_AUTO(sb_error) error = NULL;
    sb_dockerfile *df = NULL;

    if (sb_df_parse(text, "Dockerfile", flags, &df, &error) < 0)
        fail_msg("%s", error->message);
    return df;
}

static sb_dockerfile *parse(const char *text)
{
    return parse_slice(sb_slice_z(text), 0);
}

static void check_slice(sb_slice actual, const char *expected)
{
    sb_autofree char *shown = sb_slice_dup(actual);

    assert_non_null(actual.ptr);
    assert_string_equal(shown, expected);
    assert_int_equal(actual.len, strlen(expected));
}

/* What stands in the file at a span. */
static void check_span(const sb_dockerfile *df, sb_span span, const char *expected)
{
    assert_true(span.start <= span.end && span.end <= df->text.len);
    check_slice(sb_slice_sub(df->text, span.start, span.end), expected);
}

static void check_word(const sb_dockerfile *df, const sb_df_word *word, const char *text, const char *written)
{
    check_slice(word->text, text);
    check_span(df, word->span, written);
}

static void check_error(sb_slice text, unsigned flags, sb_errc code, const char *message)
{
    SB_AUTO(sb_error) error = NULL;
    sb_dockerfile *untouched = (sb_dockerfile *)&code, *df = untouched;

    assert_int_equal(sb_df_parse(text, "Dockerfile", flags, &df, &error), -1);
    assert_ptr_equal(df, untouched);
    assert_int_equal(error->code, code);
    assert_string_equal(error->message, message);
    assert_int_equal(sb_df_parse(text, "Dockerfile", flags, &df, NULL), -1);
}

static void test_words_know_their_bytes(void **state)
{
    SB_AUTO(sb_dockerfile)
    df = parse("FROM scratch\r\n"
               "COPY --from=a  b\\\r\n"
               "  c \t d\\\r\n"
               "e /f\r\n");
    const sb_df_instruction *copy = &df->instructions[1];

    (void)state;
    assert_int_equal(copy->arg_count, 4);
    check_word(df, &copy->args[0], "b", "b");
    check_word(df, &copy->args[1], "c", "c");
    check_word(df, &copy->args[2], "de", "d\\\r\ne");
    check_word(df, &copy->args[3], "/f", "/f");
    check_span(df, copy->flags[0].span, "--from=a");
    check_span(df, copy->keyword_span, "COPY");
    check_span(df, copy->rest_span, "b\\\r\n  c \t d\\\r\ne /f");
    check_span(df, copy->span, "COPY --from=a  b\\\r\n  c \t d\\\r\ne /f");
    check_slice(copy->original, "COPY --from=a  b  c \t de /f");
    assert_int_equal(copy->start_line, 2);
    assert_int_equal(copy->end_line, 4);
}

static void test_continued_keywords_and_flags(void **state)
{
    SB_AUTO(sb_dockerfile)
    df = parse("FROM a\n"
               "CO\\\n"
               "PY --fr\\\n"
               "# in between\n"
               "\n"
               "om='b'\\\n"
               " \\\n"
               "c d");
    const sb_df_instruction *copy = &df->instructions[1];

    (void)state;
    check_span(df, copy->keyword_span, "CO\\\nPY");
    check_slice(copy->keyword_text, "copy");
    check_slice(copy->flags[0].text, "--from=b");
    check_slice(copy->flags[0].name, "from");
    check_slice(copy->flags[0].value, "b");
    check_span(df, copy->flags[0].span, "--fr\\\n# in between\n\nom='b'");
    check_word(df, &copy->args[0], "c", "c");
    assert_int_equal(df->warning_count, 1);
    assert_string_equal(df->warnings[0].rule, "NoEmptyContinuation");
    assert_int_equal(df->warnings[0].line, 8);
}

static void test_flags_without_value_and_end_mark(void **state)
{
    SB_AUTO(sb_dockerfile) df = parse("FROM a\nCOPY --link --chown= -- --x /y\n");
    const sb_df_instruction *copy = &df->instructions[1];

    (void)state;
    assert_int_equal(copy->flag_count, 2);
    assert_null(sb_df_find_flag(copy, "link")->value.ptr);
    check_slice(sb_df_find_flag(copy, "chown")->value, "");
    assert_null(sb_df_find_flag(copy, "from"));
    check_span(df, copy->rest_span, "--x /y");
}

static void test_json_words_know_their_quotes(void **state)
{
    SB_AUTO(sb_dockerfile)
    df = parse("FROM a\nRUN [\"a\\\n b\", \"\\u0063\" ,\"\"]\nHEALTHCHECK CMD [\"x\"]\n");
    const sb_df_instruction *run = &df->instructions[1], *health = &df->instructions[2];

    (void)state;
    assert_true(run->json);
    assert_int_equal(run->arg_count, 3);
    check_word(df, &run->args[0], "a b", "\"a\\\n b\"");
    check_word(df, &run->args[1], "c", "\"\\u0063\"");
    check_word(df, &run->args[2], "", "\"\"");
    assert_true(health->json);
    check_word(df, &health->args[0], "CMD", "CMD");
    check_word(df, &health->args[1], "x", "\"x\"");
}

static void test_pairs_know_their_halves(void **state)
{
    SB_AUTO(sb_dockerfile)
    df = parse("FROM a\n"
               "ENV a=b \"c d\"='e\\\nf' g=\n"
               "ENV h  i j \n"
               "ARG k l=m=n\n");
    const sb_df_pair *env = df->instructions[1].pairs, *old = df->instructions[2].pairs;
    const sb_df_pair *arg = df->instructions[3].pairs;

    (void)state;
    assert_int_equal(df->instructions[1].pair_count, 3);
    assert_int_equal(df->instructions[1].arg_count, 0);
    check_slice(env[0].sep, "=");
    check_span(df, env[0].key_span, "a");
    check_span(df, env[0].value_span, "b");
    check_slice(env[1].key, "\"c d\"");
    check_slice(env[1].value, "'ef'");
    check_span(df, env[1].key_span, "\"c d\"");
    check_span(df, env[1].value_span, "'e\\\nf'");
    check_slice(env[2].value, "");
    assert_int_equal(env[2].value_span.start, env[2].key_span.end + 1);
    assert_int_equal(env[2].value_span.end, env[2].value_span.start);
    check_slice(old[0].sep, "");
    check_span(df, old[0].key_span, "h");
    check_span(df, old[0].value_span, "i j");
    assert_int_equal(df->instructions[3].pair_count, 2);
    assert_int_equal(df->instructions[3].arg_count, 2);
    assert_null(arg[0].value.ptr);
    check_slice(arg[0].sep, "");
    check_slice(arg[1].key, "l");
    check_slice(arg[1].value, "m=n");
    check_span(df, arg[1].value_span, "m=n");
}

static void test_heredocs_know_their_bodies(void **state)
{
    SB_AUTO(sb_dockerfile)
    df = parse("FROM a\n"
               "COPY <<A 3<<-\"B\" /c\n"
               "1\r\n"
               "A\n"
               "\t2\n"
               "\tB\r\n"
               "RUN b\n");
    const sb_df_instruction *copy = &df->instructions[1];

    (void)state;
    assert_int_equal(copy->heredoc_count, 2);
    check_slice(copy->heredocs[0].name, "A");
    check_slice(copy->heredocs[0].body, "1\r\n");
    check_span(df, copy->heredocs[0].span, "1\r\n");
    assert_true(copy->heredocs[0].expand && !copy->heredocs[0].chomp && copy->heredocs[0].fd == 0);
    check_slice(copy->heredocs[1].name, "B");
    check_span(df, copy->heredocs[1].span, "\t2\n");
    assert_true(!copy->heredocs[1].expand && copy->heredocs[1].chomp && copy->heredocs[1].fd == 3);
    check_span(df, copy->rest_span, "<<A 3<<-\"B\" /c");
    check_span(df, copy->span, "COPY <<A 3<<-\"B\" /c\n1\r\nA\n\t2\n\tB");
    assert_int_equal(copy->end_line, 6);
    assert_int_equal(df->instructions[2].start_line, 7);
}

static void test_triggers_have_places_too(void **state)
{
    SB_AUTO(sb_dockerfile) df = parse("FROM a\nONBUILD  COPY --from=x\\\n y /z <<E\nE\n");
    const sb_df_instruction *onbuild = &df->instructions[1], *copy = onbuild->trigger;

    (void)state;
    assert_non_null(copy);
    assert_int_equal(copy->keyword, SB_DF_COPY);
    check_span(df, copy->span, "COPY --from=x\\\n y /z <<E");
    check_span(df, copy->flags[0].span, "--from=x");
    check_word(df, &copy->args[1], "/z", "/z");
    check_slice(copy->original, "COPY --from=x y /z <<E");
    assert_int_equal(copy->start_line, 2);
    assert_int_equal(copy->end_line, 4);
    assert_int_equal(onbuild->heredoc_count, 1);
    assert_int_equal(onbuild->arg_count, 0);
}

static void test_empty_rest_has_a_place(void **state)
{
    SB_AUTO(sb_dockerfile) df = parse("FROM a\nRUN  --network=none  \nCMD\n");
    const sb_df_instruction *run = &df->instructions[1], *cmd = &df->instructions[2];

    (void)state;
    assert_int_equal(run->rest_span.start, run->rest_span.end);
    assert_int_equal(run->rest_span.start, strlen("FROM a\nRUN  --network=none"));
    assert_int_equal(cmd->rest_span.start, cmd->rest_span.end);
    assert_int_equal(cmd->rest_span.start, cmd->keyword_span.end);
    check_span(df, run->span, "RUN  --network=none  ");
}

static void test_stages_are_counted(void **state)
{
    SB_AUTO(sb_dockerfile) df = parse("ARG a\nFROM a\nRUN a\nFROM b\nONBUILD RUN a\n");
    static const int stages[] = {-1, 0, 0, 1, 1};

    (void)state;
    for (size_t i = 0; i < SB_COUNT(stages); i++)
        assert_int_equal(df->instructions[i].stage, stages[i]);
    assert_int_equal(df->instructions[4].trigger->stage, 1);
}

static void test_comments_directly_above(void **state)
{
    SB_AUTO(sb_dockerfile)
    df = parse("# syntax=a/b:1 x\n"
               "# lost\n"
               "\n"
               "# one \n"
               "  #two\n"
               "#\n"
               "FROM a\n"
               "RUN b \\\n"
               "# inside\n"
               " c\n"
               "RUN d\n");
    const sb_df_instruction *from = &df->instructions[0];

    (void)state;
    assert_int_equal(from->comment_count, 3);
    check_slice(from->comments[0].text, "one");
    assert_int_equal(from->comments[0].line, 4);
    check_slice(from->comments[1].text, "two");
    check_slice(from->comments[2].text, "");
    assert_int_equal(df->instructions[1].comment_count, 0);
    assert_int_equal(df->instructions[2].comment_count, 0);
    check_slice(df->syntax, "a/b:1");
    check_span(df, df->syntax_span, "a/b:1");
    check_span(df, df->directives[0].value_span, "a/b:1 x");
}

static void test_a_long_block_of_comments_keeps_the_nearest(void **state)
{
    enum { LINES = 5000 };
    sb_autobuf text = SB_BUF_INIT(1 << 20);
    SB_AUTO(sb_dockerfile) df = NULL;
    const sb_df_instruction *from;

    (void)state;
    for (int i = 1; i <= LINES; i++)
        sb_buf_printf(&text, "# %d\n", i);
    sb_buf_addz(&text, "FROM a\n");
    df = parse_slice(sb_buf_slice(&text), 0);
    from = &df->instructions[0];
    assert_true(from->comment_count >= 1000 && from->comment_count <= 2000);
    assert_int_equal(from->comments[from->comment_count - 1].line, LINES);
    check_slice(from->comments[from->comment_count - 1].text, "5000");
    assert_int_equal(from->comments[0].line, LINES - from->comment_count + 1);
}

static void check_directive(const sb_dockerfile *df, size_t i, const char *name, const char *value,
                            unsigned line)
{
    check_slice(df->directives[i].name, name);
    check_slice(df->directives[i].value, value);
    check_span(df, df->directives[i].value_span, value);
    assert_int_equal(df->directives[i].line, line);
}

static void test_directives(void **state)
{
    SB_AUTO(sb_dockerfile)
    df = parse("\xef\xbb\xbf# check=skip=all\r\n#Escape = ` \r\n# syntax=a \r\nFROM `\r\n a\r\n");

    (void)state;
    assert_int_equal(df->directive_count, 3);
    check_directive(df, 0, "check", "skip=all", 1);
    check_directive(df, 1, "escape", "`", 2);
    check_directive(df, 2, "syntax", "a", 3);
    assert_int_equal(df->escape, '`');
    check_slice(df->instructions[0].args[0].text, "a");
}

static void test_syntax_of_other_frontends(void **state)
{
    SB_AUTO(sb_dockerfile) slashes = parse_slice(SB_LIT("// syntax=a/b c\nx\n"), SB_DF_SYNTAX_ONLY);
    SB_AUTO(sb_dockerfile)
    json = parse_slice(SB_LIT("{\"syntax\": \"a/b\",\n \"x\": [1]}\n"), SB_DF_SYNTAX_ONLY);
    SB_AUTO(sb_dockerfile) none = parse("FROM a\n");

    (void)state;
    check_slice(slashes->syntax, "a/b");
    check_span(slashes, slashes->syntax_span, "a/b");
    check_slice(json->syntax, "a/b");
    assert_int_equal(json->syntax_span.end, 0);
    assert_null(none->syntax.ptr);
    assert_int_equal(none->directive_count, 0);
}

static void test_positions(void **state)
{
    static const struct {
        size_t offset;
        unsigned line, column;
    } places[] = {{0, 1, 1},  {3, 1, 4},  {6, 1, 7},  {7, 2, 1}, {12, 4, 1},
                  {16, 4, 5}, {20, 5, 2}, {22, 6, 1}, {99, 7, 1}};
    SB_AUTO(sb_dockerfile) df = parse("FROM a\n#bc\n\nRUN a\\\n b\nCMD\n");

    (void)state;
    for (size_t i = 0; i < SB_COUNT(places); i++) {
        unsigned line, column;

        sb_df_position(df, places[i].offset, &line, &column);
        assert_int_equal(line, places[i].line);
        assert_int_equal(column, places[i].column);
    }
}

static bool is_blank_or_comment(sb_slice line)
{
    line = sb_slice_trim(line);
    return line.len == 0 || line.ptr[0] == '#';
}

/* With the instructions cut out, nothing but comments, directives and empty lines is left. */
static void test_instructions_cover_the_file(void **state)
{
    SB_AUTO(sb_dockerfile)
    df = parse("# escape=`\r\n"
               "# hello\n"
               "  FROM a `\n"
               "  # c\n"
               "\n"
               "  AS b  \r\n"
               "\n"
               "RUN <<E `\n"
               " x\n"
               "FROM nowhere\n"
               "E\n"
               "# x\n"
               "ENV a=b `");
    sb_autobuf rest = SB_BUF_INIT(1 << 16);
    size_t done = 0;
    sb_slice left;

    (void)state;
    assert_int_equal(df->instruction_count, 3);
    for (size_t i = 0; i < df->instruction_count; i++) {
        assert_true(df->instructions[i].span.start >= done);
        sb_buf_adds(&rest, sb_slice_sub(df->text, done, df->instructions[i].span.start));
        done = df->instructions[i].span.end;
    }
    sb_buf_adds(&rest, sb_slice_sub(df->text, done, df->text.len));
    left = sb_buf_slice(&rest);
    while (left.ptr)
        assert_true(is_blank_or_comment(sb_slice_cut(&left, '\n')));
}

static void test_text_that_is_no_utf8(void **state)
{
    SB_AUTO(sb_dockerfile)
    df = parse_slice(SB_LIT("FROM a\nENV a=\xff\xc3\xa9 b=c\nRUN \xff\nCMD [\"\xff\"]\nRUN --mount=\xff x\n"),
                     SB_DF_SYNTAX_ONLY);
    const sb_df_pair *pairs = df->instructions[1].pairs;

    (void)state;
    check_slice(pairs[0].value, "\xef\xbf\xbd\xc3\xa9");
    check_span(df, pairs[0].value_span, "\xff\xc3\xa9");
    check_span(df, pairs[1].key_span, "b");
    check_slice(df->instructions[2].args[0].text, "\xff");
    check_slice(df->instructions[3].args[0].text, "\xef\xbf\xbd");
    check_span(df, df->instructions[3].args[0].span, "\"\xff\"");
    check_slice(df->instructions[4].flags[0].text, "--mount=\xc3\xbf");
    check_span(df, df->instructions[4].flags[0].span, "--mount=\xff");
}

static void test_errors_have_places(void **state)
{
    (void)state;
    check_error(SB_LIT("FROM a\nXYZZY\n"), 0, SB_ERR_PARSE, "Dockerfile:2:1: unknown instruction: XYZZY");
    check_error(SB_LIT("FROM a\nCOPY a \\\n # c\n --b <<c\nc\n"), 0, SB_ERR_PARSE,
                "Dockerfile:4:6: COPY cannot accept a heredoc as a destination");
    check_error(SB_LIT("FROM a\n\nENV a=1 \\\n b\n"), 0, SB_ERR_PARSE,
                "Dockerfile:4:2: Syntax error - can't find = in \"b\". Must be of the form: name=value");
    check_error(SB_LIT("FROM a\n  RUN <<E\nx\n"), SB_DF_SYNTAX_ONLY, SB_ERR_PARSE,
                "Dockerfile:2:3: unterminated heredoc");
}

static void test_messages_are_printable(void **state)
{
    SB_AUTO(sb_error) error = NULL;
    sb_dockerfile *df = NULL;

    (void)state;
    assert_int_equal(sb_df_parse(SB_LIT("FROM a\n\x1b[31m x\n"), "D\x1b", 0, &df, &error), -1);
    assert_null(strchr(error->message, 0x1b));
    assert_non_null(strstr(error->message, ":2:1: unknown instruction: "));
}

static void test_limits(void **state)
{
    sb_autobuf text = SB_BUF_INIT(1 << 20);

    (void)state;
    check_error(SB_LIT(""), 0, SB_ERR_PARSE, "Dockerfile:1: the Dockerfile cannot be empty");
    check_error(sb_slice_of("x", (size_t)DF_TEXT_MAX + 1), 0, SB_ERR_LIMIT,
                "Dockerfile: larger than 128 MiB");
    sb_buf_addz(&text, "FROM a\n");
    for (int i = 0; i < DF_ONBUILD_DEPTH_MAX + 2; i++)
        sb_buf_addz(&text, "ONBUILD ");
    sb_buf_addz(&text, "RUN a\n");
    check_error(sb_buf_slice(&text), SB_DF_SYNTAX_ONLY, SB_ERR_LIMIT,
                "Dockerfile:2: ONBUILD is nested deeper than 64 levels");
}

/* A hundred thousand of anything takes no longer per piece than a few. */
static void test_many_instructions(void **state)
{
    enum { COUNT = 100000 };
    sb_autobuf text = SB_BUF_INIT(1 << 24);
    SB_AUTO(sb_dockerfile) df = NULL;
    unsigned line, column;

    (void)state;
    sb_buf_addz(&text, "FROM a\n");
    for (int i = 1; i < COUNT; i++)
        sb_buf_printf(&text, "ENV a%d=b \\\n c=d\n", i);
    df = parse_slice(sb_buf_slice(&text), 0);
    assert_int_equal(df->instruction_count, COUNT);
    for (size_t i = 1; i < COUNT; i++) {
        sb_df_position(df, df->instructions[i].pairs[1].key_span.start, &line, &column);
        assert_int_equal(line, df->instructions[i].end_line);
        assert_int_equal(column, 2);
    }
}

static void test_long_logical_lines(void **state)
{
    enum { LINES = 200000 };
    sb_autobuf text = SB_BUF_INIT(1 << 24);
    SB_AUTO(sb_dockerfile) df = NULL;
    const sb_df_instruction *volume;

    (void)state;
    sb_buf_addz(&text, "FROM a\nVOLUME \\\n");
    for (int i = 0; i < LINES; i++)
        sb_buf_printf(&text, " w%d\\\n", i);
    sb_buf_addz(&text, "\n");
    df = parse_slice(sb_buf_slice(&text), 0);
    volume = &df->instructions[1];
    assert_int_equal(volume->arg_count, LINES);
    check_word(df, &volume->args[LINES - 1], "w199999", "w199999");
    assert_int_equal(volume->start_line, 2);
}

static void test_keyword_names(void **state)
{
    (void)state;
    assert_string_equal(sb_df_keyword_name(SB_DF_FROM), "FROM");
    assert_string_equal(sb_df_keyword_name(SB_DF_WORKDIR), "WORKDIR");
    assert_string_equal(sb_df_keyword_name(SB_DF_UNKNOWN), "an unknown instruction");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_know_their_bytes),
        cmocka_unit_test(test_continued_keywords_and_flags),
        cmocka_unit_test(test_flags_without_value_and_end_mark),
        cmocka_unit_test(test_json_words_know_their_quotes),
        cmocka_unit_test(test_pairs_know_their_halves),
        cmocka_unit_test(test_heredocs_know_their_bodies),
        cmocka_unit_test(test_triggers_have_places_too),
        cmocka_unit_test(test_empty_rest_has_a_place),
        cmocka_unit_test(test_stages_are_counted),
        cmocka_unit_test(test_comments_directly_above),
        cmocka_unit_test(test_a_long_block_of_comments_keeps_the_nearest),
        cmocka_unit_test(test_directives),
        cmocka_unit_test(test_syntax_of_other_frontends),
        cmocka_unit_test(test_positions),
        cmocka_unit_test(test_instructions_cover_the_file),
        cmocka_unit_test(test_text_that_is_no_utf8),
        cmocka_unit_test(test_errors_have_places),
        cmocka_unit_test(test_messages_are_printable),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_many_instructions),
        cmocka_unit_test(test_long_logical_lines),
        cmocka_unit_test(test_keyword_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
