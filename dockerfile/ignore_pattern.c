// SPDX-License-Identifier: Apache-2.0
#include <dockerfile/ignore_pattern.h>
#include <dockerfile/space.h>

#include <sbuild/utf8.h>

static uint32_t char_at(sb_slice s, size_t i)
{
    uint32_t c;

    if ((unsigned char)s.ptr[i] < 0x80)
        return (unsigned char)s.ptr[i];
    return sb_utf8_decode(s.ptr + i, s.len - i, &c) ? c : 0xfffd;
}

static int fail_syntax(sb_error **err)
{
    return sb_fail(err, SB_ERR_PARSE, "syntax error in pattern");
}

/* One character of a class, an escape resolved. False at the class's or the text's end. */
static bool class_char(sb_slice s, size_t *i, uint32_t *ret_char)
{
    if (*i < s.len && s.ptr[*i] == '\\')
        ++*i;
    else if (*i < s.len && (s.ptr[*i] == '-' || s.ptr[*i] == ']'))
        return false;
    if (*i >= s.len)
        return false;
    *ret_char = char_at(s, *i);
    *i += df_char_at(s, *i);
    return true;
}

/* Behind "[" and "^": is the character in the class? *ret_end is behind its "]"; -1 when it is malformed. */
static int read_class(sb_slice s, size_t i, uint32_t c, size_t *ret_end)
{
    bool found = false;
    uint32_t low, high;

    for (size_t ranges = 0; i < s.len; ranges++) {
        if (s.ptr[i] == ']' && ranges) {
            *ret_end = i + 1;
            return found;
        }
        if (!class_char(s, &i, &low))
            return -1;
        high = low;
        if (i < s.len && s.ptr[i] == '-') {
            i++;
            if (!class_char(s, &i, &high) || high < low)
                return -1;
        }
        found |= c >= low && c <= high;
    }
    return -1;
}

static bool in_class(sb_slice set, uint32_t c)
{
    bool negated = set.ptr[0] == '^';
    size_t end;

    return (read_class(set, negated, c, &end) == 1) != negated;
}

static int compile_class(sb_slice text, size_t *i, df_glob_token *token, sb_error **err)
{
    size_t start = *i + 1, end;

    if (read_class(text, start + (start < text.len && text.ptr[start] == '^'), 0, &end) < 0)
        return fail_syntax(err);
    *token = (df_glob_token){.op = OP_CLASS, .set = sb_slice_sub(text, start, end)};
    *i = end;
    return 0;
}

/* "**": at the start and at the end it turns the comparison into one of suffixes or prefixes. */
static void compile_tree(df_glob *glob, size_t *i, df_glob_token *token)
{
    bool first = *i == 0;

    *i += 2;
    if (*i < glob->text.len && glob->text.ptr[*i] == '/')
        ++*i;
    token->op = *i < glob->text.len ? OP_TREE_SLASH : OP_REST;
    if (token->op == OP_REST && glob->kind == GLOB_EXACT)
        glob->kind = GLOB_PREFIX;
    else
        glob->kind = GLOB_TOKENS;
    if (first)
        glob->kind = GLOB_SUFFIX;
}

int df_glob_compile(sb_arena *arena, df_glob *glob, sb_error **err)
{
    sb_slice text = glob->text;

    glob->kind = GLOB_EXACT;
    glob->tokens = sb_arena_array(arena, df_glob_token, text.len + 1);
    for (size_t i = 0; i < text.len;) {
        df_glob_token *token = &glob->tokens[glob->count++];

        if (text.ptr[i] == '*' && i + 1 < text.len && text.ptr[i + 1] == '*') {
            compile_tree(glob, &i, token);
            continue;
        }
        if (text.ptr[i] == '*' || text.ptr[i] == '?') {
            token->op = text.ptr[i] == '*' ? OP_STAR : OP_ANY;
            glob->kind = GLOB_TOKENS;
            i++;
            continue;
        }
        if (text.ptr[i] == '[') {
            glob->kind = GLOB_TOKENS;
            if (compile_class(text, &i, token, err) < 0)
                return -1;
            continue;
        }
        if (text.ptr[i] == '\\') {
            glob->kind = GLOB_TOKENS;
            if (++i >= text.len)
                return fail_syntax(err);
        } else if (text.ptr[i] == ']') {
            glob->kind = GLOB_TOKENS;
        }
        *token = (df_glob_token){.op = OP_CHAR, .c = char_at(text, i)};
        i += df_char_at(text, i);
    }
    return 0;
}

/* --- Matching: all positions in the pattern that the path so far may have led to --- */

enum { HERE = 1, INSIDE = 2 }; /* before the token; within the directories that OP_TREE_SLASH takes */

static void reach(const df_glob *glob, unsigned char *set, size_t i)
{
    for (;; i++) {
        df_glob_op op = glob->tokens[i].op;

        set[i] |= HERE;
        if (i >= glob->count || (op != OP_STAR && op != OP_TREE_SLASH && op != OP_REST))
            return;
    }
}

static void step(const df_glob *glob, const unsigned char *now, unsigned char *then, size_t i, uint32_t c)
{
    const df_glob_token *token = &glob->tokens[i];

    switch (token->op) {
    case OP_CHAR:
        if (token->c == c)
            reach(glob, then, i + 1);
        return;
    case OP_ANY:
        if (c != '/')
            reach(glob, then, i + 1);
        return;
    case OP_STAR:
        if (c != '/')
            reach(glob, then, i);
        return;
    case OP_CLASS:
        if (in_class(token->set, c))
            reach(glob, then, i + 1);
        return;
    case OP_TREE_SLASH:
        if (c == '\n')
            return;
        if (now[i] & (HERE | INSIDE))
            then[i] |= INSIDE;
        if (c == '/')
            reach(glob, then, i + 1);
        return;
    case OP_REST:
        if (c != '\n')
            reach(glob, then, i);
        return;
    }
}

static bool match_tokens(const df_glob *glob, sb_slice path)
{
    sb_autofree unsigned char *sets = sb_calloc(2, glob->count + 1);
    unsigned char *now = sets, *then = sets + glob->count + 1;

    reach(glob, now, 0);
    for (size_t i = 0; i < path.len; i += df_char_at(path, i)) {
        unsigned char *swap = now;

        for (size_t k = 0; k < glob->count; k++)
            if (now[k])
                step(glob, now, then, k, char_at(path, i));
        now = then;
        then = swap;
        memset(then, 0, glob->count + 1);
    }
    return now[glob->count] & HERE;
}

bool df_glob_match(const df_glob *glob, sb_slice path)
{
    sb_slice part;

    switch (glob->kind) {
    case GLOB_EXACT:
        return sb_slice_eq(path, glob->text);
    case GLOB_PREFIX:
        return sb_slice_starts(path, sb_slice_sub(glob->text, 0, glob->text.len - 2));
    case GLOB_SUFFIX:
        part = sb_slice_sub(glob->text, 2, glob->text.len);
        return sb_slice_ends(path, part) ||
               (part.len && part.ptr[0] == '/' && sb_slice_eq(path, sb_slice_sub(part, 1, part.len)));
    case GLOB_TOKENS:
        break;
    }
    return match_tokens(glob, path);
}

bool df_glob_reaches_below(const df_glob *glob, sb_slice dir)
{
    sb_slice pattern = glob->text;

    while (dir.ptr) {
        sb_slice name = sb_slice_cut(&dir, '/'), part;

        if (!pattern.ptr)
            return false;
        part = sb_slice_cut(&pattern, '/');
        if (sb_slice_find(part, SB_LIT("**")) >= 0 || sb_slice_chr(part, '[') >= 0)
            return true;
        if (sb_slice_chr(part, '*') < 0 && sb_slice_chr(part, '?') < 0 && sb_slice_chr(part, '\\') < 0 &&
            !sb_slice_eq(part, name))
            return false;
    }
    return pattern.ptr != NULL;
}
