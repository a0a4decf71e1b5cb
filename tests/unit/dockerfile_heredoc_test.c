// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dockerfile/heredoc.h>

#include <limits.h>

static void check_slice(sb_slice actual, const char *expected)
{
    sb_autofree char *shown = sb_slice_dup(actual);

    assert_string_equal(shown, expected);
}

/* Words that announce a heredoc: name, flags. */
static void test_words(void **state)
{
    static const struct {
        const char *word, *name;
        bool expand, chomp;
        unsigned fd;
    } words[] = {
        {"<<EOF", "EOF", true, false, 0},
        {"<<-EOF", "EOF", true, true, 0},
        {"<<--EOF", "-EOF", true, true, 0},
        {"<< \t EOF", "EOF", true, false, 0},
        {"<< -EOF", "-EOF", true, false, 0},
        {"3<<EOF", "EOF", true, false, 3},
        {"99999999999999999999<<EOF", "EOF", true, false, UINT_MAX},
        {"<<\"EOF\"", "EOF", false, false, 0},
        {"<<'EOF'", "EOF", false, false, 0},
        {"<<E\"O\"F", "EOF", false, false, 0},
        {"<<'a b'", "a b", false, false, 0},
        {"<<\\EOF", "EOF", true, false, 0},
        {"<<E\\'F", "E'F", true, false, 0},
        {"<<EOF)", "EOF)", true, false, 0},
        {"<<EOF>o", "EOF>o", true, false, 0},
        {"<<$a", "$a", true, false, 0},
        {"<<${a}", "${a}", true, false, 0},
        {"<<${a:-b}", "${a:-b}", true, false, 0},
        {"<<${a/b/c}", "${a/b/c}", true, false, 0},
        {"<<#", "#", true, false, 0},
        {"<<\xef\xbb\xbf"
         "EOF",
         "EOF", true, false, 0},
        {"<<\xff", "\xef\xbf\xbd", true, false, 0},
    };
    SB_AUTO(sb_arena) arena = sb_arena_new();

    (void)state;
    for (size_t i = 0; i < SB_COUNT(words); i++) {
        sb_df_heredoc doc;

        assert_int_equal(df_heredoc_word(arena, sb_slice_z(words[i].word), &doc, NULL), 1);
        check_slice(doc.name, words[i].name);
        assert_int_equal(doc.expand, words[i].expand);
        assert_int_equal(doc.chomp, words[i].chomp);
        assert_int_equal(doc.fd, words[i].fd);
    }
}

static void test_other_words(void **state)
{
    static const char *const words[] = {"",       "<",    "<<",    "<<-",    "<<  ", "EOF",     "a<<EOF",
                                        "<<<EOF", "<<a<", "<<a b", "<<\"\"", "-<<a", "\"<<a\"", "<<E${a:-b}"};
    SB_AUTO(sb_arena) arena = sb_arena_new();

    (void)state;
    for (size_t i = 0; i + 1 < SB_COUNT(words); i++) {
        sb_df_heredoc doc;

        assert_int_equal(df_heredoc_word(arena, sb_slice_z(words[i]), &doc, NULL), 0);
    }
}

static void test_malformed_words(void **state)
{
    static const struct {
        const char *word, *why;
    } words[] = {
        {"<<'a",
         "failed to process \"'a\": unexpected end of statement while looking for matching single-quote"},
        {"<<\"a",
         "failed to process \"\\\"a\": unexpected end of statement while looking for matching double-quote"},
        {"<<${a", "failed to process \"${a\": unsupported modifier in substitution"},
        {"<<${a:-b", "failed to process \"${a:-b\": syntax error: missing '}'"},
        {"<<${a/b}", "failed to process \"${a/b}\": syntax error: missing '/' in ${}"},
        {"<<${", "failed to process \"${\": syntax error: missing '}'"},
        {"<<${}", "failed to process \"${}\": syntax error: bad substitution"},
        {"<<${a:#b}", "failed to process \"${a:#b}\": unsupported modifier in substitution"},
    };
    SB_AUTO(sb_arena) arena = sb_arena_new();

    (void)state;
    for (size_t i = 0; i < SB_COUNT(words); i++) {
        SB_AUTO(sb_error) error = NULL;
        sb_df_heredoc doc;

        assert_int_equal(df_heredoc_word(arena, sb_slice_z(words[i].word), &doc, &error), -1);
        assert_int_equal(error->code, SB_ERR_PARSE);
        assert_string_equal(error->message, words[i].why);
    }
}

/* The names that a line announces, with a comma behind each. */
static void check_line(const char *line, const char *names)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_autobuf found = SB_BUF_INIT(1000);
    sb_df_heredoc *docs = NULL;
    size_t count;

    assert_int_equal(df_heredocs_of_line(arena, sb_slice_z(line), &docs, &count, NULL), 0);
    for (size_t i = 0; i < count; i++) {
        sb_buf_adds(&found, docs[i].name);
        sb_buf_addc(&found, ',');
    }
    assert_string_equal(found.data ? found.data : "", names);
}

static void test_lines(void **state)
{
    (void)state;
    check_line("RUN cat <<A", "A,");
    check_line("RUN cat <<A <<\"B C\" # <<D", "A,B C,D,");
    check_line("RUN << A cat", "A,");
    check_line("RUN <<- A cat", "");
    check_line("RUN cat<<A", "");
    check_line("RUN \"<<A\" '<<B' \\<<C", "");
    check_line("RUN a\\ <<B <<C", "C,");
    check_line("RUN echo it's <<A", "");
    check_line("RUN echo \"a <<A", "");
    check_line("RUN ${a:#b} <<A", "");
    check_line("RUN ${a:=b} ${a#\\*} ${a%%'x'} \"$a\" $$ $1 <<A", "A,");
    check_line("RUN ${a:-b <<B c} <<A", "B,A,");
    check_line("RUN \"${a:-b <<B c}\" <<A", "A,");
    check_line("RUN <<E${a:-b}", "");
    check_line("RUN <<${a:-b}c", "");
    check_line("RUN <<${a}c", "${a}c,");
    check_line("RUN ${a/x/ <<B } <<A", "B,A,");
    check_line("RUN echo $((1 << 2))", "2)),");
    check_line("RUN <<A\xe2\x80\x83<<B", "A,B,");
}

static void test_deep_nesting_ends(void **state)
{
    enum { DEPTH = 200000 };
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_autobuf line = SB_BUF_INIT(1 << 24);
    sb_df_heredoc *docs;
    size_t count = 1;

    (void)state;
    sb_buf_addz(&line, "RUN <<A ");
    for (int i = 0; i < DEPTH; i++)
        sb_buf_addz(&line, "\"${a:-");
    for (int i = 0; i < DEPTH; i++)
        sb_buf_addz(&line, "}\"");
    assert_int_equal(df_heredocs_of_line(arena, sb_buf_slice(&line), &docs, &count, NULL), 0);
    assert_int_equal(count, 0);
}

static void test_too_many(void **state)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_error) error = NULL;
    sb_autobuf line = SB_BUF_INIT(1 << 20);
    sb_df_heredoc *docs;
    size_t count;

    (void)state;
    for (int i = 0; i <= DF_HEREDOCS_MAX; i++)
        sb_buf_addz(&line, "<<A ");
    assert_int_equal(df_heredocs_of_line(arena, sb_buf_slice(&line), &docs, &count, &error), -1);
    assert_int_equal(error->code, SB_ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_other_words),
        cmocka_unit_test(test_malformed_words),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_deep_nesting_ends),
        cmocka_unit_test(test_too_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
