// SPDX-License-Identifier: Apache-2.0
#include <rules/lint/operands.h>
#include <rules/lint/options.h>

static void take_next(sb_options *w, sb_option *ret_option)
{
    if (w->at >= w->command->count)
        return;
    ret_option->arg = w->at;
    ret_option->value = w->command->args[w->at++].text;
    while (w->at < w->command->count && w->command->args[w->at].also)
        w->at++;
}

bool sb_option_next(sb_options *w, sb_option *ret_option)
{
    sb_slice text;
    ptrdiff_t equals;

    *ret_option = (sb_option){0};
    if (w->at >= w->command->count)
        return false;
    text = w->command->args[w->at].text;
    if (w->letter == 0) {
        if (text.len < 2 || text.ptr[0] != '-') {
            ret_option->value = text;
            w->at++;
            return true;
        }
        if (text.ptr[1] == '-') {
            w->at++;
            equals = sb_slice_chr(text, '=');
            ret_option->name = equals < 0 ? text : sb_slice_sub(text, 0, (size_t)equals);
            if (equals >= 0)
                ret_option->value = sb_slice_sub(text, (size_t)equals + 1, text.len);
            else if (sb_word_in(text, w->long_with_value))
                take_next(w, ret_option);
            return true;
        }
        w->letter = 1;
    }
    ret_option->letter = text.ptr[w->letter++];
    if (strchr(w->with_value, ret_option->letter)) {
        sb_slice rest = sb_slice_sub(text, w->letter, text.len);

        w->letter = 0;
        w->at++;
        if (rest.len)
            ret_option->value = rest;
        else
            take_next(w, ret_option);
    } else if (w->letter >= text.len) {
        w->letter = 0;
        w->at++;
    }
    return true;
}

bool sb_option_is(const sb_option *o, char letter, const char *name)
{
    return (letter && o->letter == letter) || (o->name.ptr && sb_slice_eqz(o->name, name));
}

bool sb_option_is_operand(const sb_option *o)
{
    return !o->letter && !o->name.ptr;
}
