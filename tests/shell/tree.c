// SPDX-License-Identifier: Apache-2.0
/*
 * What the shell reader makes of texts, which come from standard input with NUL between them; one line for
 * each.
 *
 *     tree tree        the tree in a normal form; compare.py makes the same of another parser's trees
 *     tree read        bytes, commands, trouble
 *     tree values      the arguments of "show" and "collect", where they are known; values.py asks a shell
 *     tree runs FILE…  the texts that RUN instructions of Dockerfiles give to a shell, NUL between them
 */
#include <sbuild/dockerfile.h>
#include <sbuild/shell.h>

#include <stdio.h>
#include <unistd.h>

enum { INPUT_MAX = 1 << 30 };

static void print_source(sb_slice text)
{
    putchar('"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if (c == '"' || c == '\\' || c < 0x20 || c >= 0x7f)
            printf("\\x%02x", c);
        else
            putchar(c);
    }
    putchar('"');
}

static sb_slice source_of(sb_slice text, sb_span span)
{
    return sb_slice_sub(text, span.start, span.end);
}

static void print_node(sb_slice text, const sb_sh_node *node);

/* The scripts inside a word, in order. Spans do not tell where those in backticks with backslashes are. */
static void print_scripts(sb_slice text, const sb_sh_word *word)
{
    for (size_t i = 0; i < word->count; i++) {
        const sb_sh_part *part = &word->parts[i];

        if (part->script) {
            bool changed = part->text.len && part->text.ptr[0] == '`' && sb_slice_chr(part->text, '\\') >= 0;

            printf(changed ? " (backticks" : " (sub ");
            if (!changed)
                print_node(text, part->script->root);
            putchar(')');
        }
        if (part->index)
            print_scripts(text, part->index);
        if (part->operand)
            print_scripts(text, part->operand);
    }
}

static void print_word(sb_slice text, const sb_sh_word *word)
{
    putchar(' ');
    print_source(source_of(text, word->span));
    print_scripts(text, word);
}

static void print_redirects(sb_slice text, const sb_sh_node *node)
{
    for (size_t i = 0; i < node->redirect_count; i++) {
        const sb_sh_redirect *redirect = &node->redirects[i];

        printf(" (redir ");
        if (redirect->fd >= 0)
            printf("%d", redirect->fd);
        if (redirect->variable.ptr)
            printf("{%" SB_FMT "}", SB_ARG(redirect->variable));
        printf("%" SB_FMT, SB_ARG(redirect->op));
        print_word(text, &redirect->target);
        putchar(')');
    }
}

static void print_children(sb_slice text, const char *name, const sb_sh_node *node)
{
    printf("(%s", name);
    for (size_t i = 0; i < node->child_count; i++) {
        putchar(' ');
        print_node(text, node->children[i]);
    }
    print_redirects(text, node);
    putchar(')');
}

static void print_words(sb_slice text, const char *name, const sb_sh_node *node)
{
    printf("(%s", name);
    for (size_t i = 0; i < node->word_count; i++)
        print_word(text, &node->words[i]);
}

static void print_command(sb_slice text, const sb_sh_node *node)
{
    printf("(command");
    for (size_t i = 0; i < node->assignment_count; i++) {
        const sb_sh_assignment *assignment = &node->assignments[i];

        printf(" (%s %" SB_FMT "%s", assignment->array ? "array" : "assign", SB_ARG(assignment->name),
               assignment->append ? "+" : "");
        for (size_t j = 0; j < assignment->count; j++)
            print_word(text, &assignment->values[j]);
        putchar(')');
    }
    for (size_t i = 0; i < node->word_count; i++)
        print_word(text, &node->words[i]);
    print_redirects(text, node);
    putchar(')');
}

static void print_part(sb_slice text, const sb_sh_node *node)
{
    putchar(' ');
    if (node)
        print_node(text, node);
    else
        printf("()");
}

static void print_case(sb_slice text, const sb_sh_node *node)
{
    print_words(text, "case", node);
    for (size_t i = 0; i < node->arm_count; i++) {
        printf(" (arm");
        for (size_t j = 0; j < node->arms[i].pattern_count; j++)
            print_word(text, &node->arms[i].patterns[j]);
        print_part(text, node->arms[i].body);
        putchar(')');
    }
}

/* What is between the first and the last byte of a compound command, and the scripts in it. */
static void print_whole(sb_slice text, const char *name, const sb_sh_node *node)
{
    size_t end = node->redirect_count ? node->redirects[0].span.start : node->span.end;

    printf("(%s ", name);
    print_source(sb_slice_trim(source_of(text, (sb_span){node->span.start, end})));
    for (size_t i = 0; i < node->word_count; i++)
        print_scripts(text, &node->words[i]);
}

static void print_compound(sb_slice text, const sb_sh_node *node)
{
    switch ((int)node->kind) {
    case SB_SH_IF:
        printf("(if");
        print_part(text, node->condition);
        print_part(text, node->body);
        print_part(text, node->otherwise);
        break;
    case SB_SH_WHILE:
    case SB_SH_UNTIL:
        printf(node->kind == SB_SH_WHILE ? "(while" : "(until");
        print_part(text, node->condition);
        print_part(text, node->body);
        break;
    case SB_SH_FOR:
    case SB_SH_SELECT:
        if (node->name.len) {
            printf("(%s %" SB_FMT "%s", node->kind == SB_SH_FOR ? "for" : "select", SB_ARG(node->name),
                   node->words_given ? " in" : "");
            for (size_t i = 0; i < node->word_count; i++)
                print_word(text, &node->words[i]);
        } else {
            printf("(for");
        }
        print_part(text, node->body);
        break;
    case SB_SH_CASE:
        print_case(text, node);
        break;
    case SB_SH_FUNCTION:
        printf("(function %" SB_FMT, SB_ARG(node->name));
        print_part(text, node->body);
        break;
    case SB_SH_TEST:
        print_whole(text, "test", node);
        break;
    case SB_SH_ARITH_COMMAND:
        print_whole(text, "arithmetic", node);
        break;
    default:
        break;
    }
    print_redirects(text, node);
    putchar(')');
}

static void print_node(sb_slice text, const sb_sh_node *node)
{
    switch ((int)node->kind) {
    case SB_SH_SIMPLE:
        print_command(text, node);
        break;
    case SB_SH_PIPELINE:
        printf(node->negated ? "(not " : "");
        if (node->child_count > 1)
            print_children(text, "pipe", node);
        else
            print_node(text, node->children[0]);
        printf(node->negated ? ")" : "");
        break;
    case SB_SH_AND:
        print_children(text, "and", node);
        break;
    case SB_SH_OR:
        print_children(text, "or", node);
        break;
    case SB_SH_LIST:
        print_children(text, "list", node);
        break;
    case SB_SH_GROUP:
        print_children(text, "group", node);
        break;
    case SB_SH_SUBSHELL:
        print_children(text, "subshell", node);
        break;
    case SB_SH_BACKGROUND:
        print_children(text, "background", node);
        break;
    default:
        print_compound(text, node);
    }
}

static void print_tree(sb_slice text)
{
    SB_AUTO(sb_arena) arena = sb_arena_new();
    const sb_sh_script *script = sb_sh_parse(text, SB_SH_BASH, arena);

    if (script->trouble)
        printf("trouble %zu-%zu: %s", script->trouble_span.start, script->trouble_span.end, script->trouble);
    else
        print_node(text, script->root);
    putchar('\n');
}

static void print_reading(sb_slice text)
{
    static const sb_sh_options options = {.dialect = SB_SH_BASH};
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_sh_reading reading;

    sb_sh_read(text, &options, arena, &reading);
    printf("%zu bytes, %zu commands", text.len, reading.count);
    if (reading.trouble)
        printf(", at %zu: %s: ", reading.trouble_span.start, reading.trouble);
    if (reading.trouble)
        print_source(source_of(text, reading.trouble_span));
    putchar('\n');
}

static void print_shown(const sb_sh_command *command)
{
    bool known = true;

    for (size_t i = 1; i < command->count; i++)
        known = known && command->args[i].known && (!command->args[i].also || command->looped);
    if (!known)
        putchar('?');
    for (size_t i = 1; known && i < command->count; i++)
        print_source(command->args[i].text);
    putchar(';');
}

static void print_values(sb_slice text)
{
    static const sb_sh_options options = {.dialect = SB_SH_BASH};
    SB_AUTO(sb_arena) arena = sb_arena_new();
    sb_sh_reading reading;

    sb_sh_read(text, &options, arena, &reading);
    for (size_t i = 0; i < reading.count; i++)
        if (sb_slice_eqz(reading.commands[i].name, "show") ||
            sb_slice_eqz(reading.commands[i].name, "collect"))
            print_shown(&reading.commands[i]);
    putchar('\n');
}

/* --- RUN instructions ---------------------------------------------------------------------------------- */

static bool is_lone_heredoc(const sb_df_instruction *ins)
{
    sb_slice rest = sb_slice_trim(ins->rest);

    return ins->heredoc_count == 1 && sb_slice_starts(rest, SB_LIT("<<")) && sb_slice_chr(rest, ' ') < 0;
}

static void print_run(const sb_df_instruction *ins)
{
    if (ins->trigger)
        ins = ins->trigger;
    if (ins->keyword != SB_DF_RUN || ins->json)
        return;
    if (is_lone_heredoc(ins)) {
        fwrite(ins->heredocs[0].body.ptr, 1, ins->heredocs[0].body.len, stdout);
    } else {
        fwrite(ins->rest.ptr, 1, ins->rest.len, stdout);
        for (size_t i = 0; i < ins->heredoc_count; i++) {
            const sb_df_heredoc *doc = &ins->heredocs[i];

            printf("\n%" SB_FMT "%" SB_FMT, SB_ARG(doc->body), SB_ARG(doc->name));
        }
    }
    putchar('\0');
}

static void read_all(FILE *file, sb_buf *ret_text)
{
    char chunk[65536];
    size_t n;

    while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
        sb_buf_add(ret_text, chunk, n);
}

static void print_runs(const char *path)
{
    sb_autobuf text = SB_BUF_INIT(INPUT_MAX);
    SB_AUTO(sb_dockerfile) df = NULL;
    FILE *file = fopen(path, "rb");

    if (!file)
        return;
    read_all(file, &text);
    fclose(file);
    if (sb_df_parse(sb_buf_slice(&text), path, SB_DF_SYNTAX_ONLY, &df, NULL) < 0)
        return;
    for (size_t i = 0; i < df->instruction_count; i++)
        print_run(&df->instructions[i]);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*print)(sb_slice text);
    } modes[] = {{"tree", print_tree}, {"read", print_reading}, {"values", print_values}};
    void (*print)(sb_slice text) = NULL;
    sb_autobuf text = SB_BUF_INIT(INPUT_MAX);
    sb_slice rest;

    if (argc > 2 && strcmp(argv[1], "runs") == 0) {
        for (int i = 2; i < argc; i++)
            print_runs(argv[i]);
        return 0;
    }
    for (size_t i = 0; i < SB_COUNT(modes); i++)
        if (argc == 2 && strcmp(argv[1], modes[i].name) == 0)
            print = modes[i].print;
    if (!print) {
        fprintf(stderr, "usage: %s tree|read|values <TEXTS, or %s runs FILE…\n", argv[0], argv[0]);
        return 2;
    }
    read_all(stdin, &text);
    rest = sb_buf_slice(&text);
    while (rest.ptr && rest.len)
        print(sb_slice_cut(&rest, '\0'));
    return 0;
}
