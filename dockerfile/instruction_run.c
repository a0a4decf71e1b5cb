// SPDX-License-Identifier: Apache-2.0
/* The flags of RUN, as far as they are read before variables are expanded. */
#include <dockerfile/instruction.h>

enum { FIELD_MAX = 65536 };

typedef struct csv {
    sb_slice text;
    size_t i;
    bool done;
} csv;

static int fail_csv(const df_parser *p, const sb_df_flag *flag, size_t column, const char *what,
                    sb_error **err)
{
    return df_fail(p, flag->span.start, err, "failed to parse csv %ss: parse error on line 1, column %zu: %s",
                   sb_slice_eqz(flag->name, "mount") ? "mount" : "device", column, what);
}

/* The next field into `out`, quotes removed. */
static int next_field(const df_parser *p, const sb_df_flag *flag, csv *in, sb_buf *out, sb_error **err)
{
    sb_slice text = in->text;
    size_t i = in->i;

    sb_buf_reset(out);
    if (i < text.len && text.ptr[i] == '"') {
        for (i++;; i++) {
            if (i >= text.len)
                return fail_csv(p, flag, i + 1, "extraneous or missing \" in quoted-field", err);
            if (text.ptr[i] != '"') {
                sb_buf_addc(out, text.ptr[i]);
                continue;
            }
            if (i + 1 >= text.len || text.ptr[i + 1] == ',')
                break;
            if (text.ptr[i + 1] != '"')
                return fail_csv(p, flag, i + 1, "extraneous or missing \" in quoted-field", err);
            sb_buf_addc(out, '"');
            i++;
        }
        i++;
    } else {
        for (; i < text.len && text.ptr[i] != ','; i++) {
            if (text.ptr[i] == '"')
                return fail_csv(p, flag, i + 1, "bare \" in non-quoted-field", err);
            sb_buf_addc(out, text.ptr[i]);
        }
    }
    in->done = i >= text.len;
    in->i = i + 1;
    return sb_buf_check(out, "a flag of RUN", err);
}

/* What BuildKit's reader does first: one line end is no part of it, and nothing is an error. */
static int start_csv(const df_parser *p, const sb_df_flag *flag, csv *ret_csv, sb_error **err)
{
    if (flag->value.len == 0)
        return df_fail(p, flag->span.start, err, "failed to parse csv %ss: EOF",
                       sb_slice_eqz(flag->name, "mount") ? "mount" : "device");
    *ret_csv = (csv){.text = flag->value};
    return 0;
}

static int check_mount(const df_parser *p, const sb_df_flag *flag, sb_buf *field, sb_error **err)
{
    csv in = {0};

    if (start_csv(p, flag, &in, err) < 0)
        return -1;
    while (!in.done) {
        sb_slice value, key;
        ptrdiff_t dollar;

        if (next_field(p, flag, &in, field, err) < 0)
            return -1;
        value = sb_buf_slice(field);
        key = sb_slice_cut(&value, '=');
        if (!value.ptr || !sb_slice_eq_nocase(key, SB_LIT("from")))
            continue;
        dollar = sb_slice_chr(value, '$');
        if (dollar >= 0 && (size_t)dollar + 1 != value.len)
            return df_fail(p, flag->span.start, err,
                           "'from' doesn't support variable expansion, define alias stage instead");
    }
    return 0;
}

static bool is_bool(sb_slice value)
{
    static const char *const words[] = {"1", "t", "T", "TRUE",  "true",  "True",
                                        "0", "f", "F", "FALSE", "false", "False"};

    for (size_t i = 0; i < SB_COUNT(words); i++) {
        if (sb_slice_eqz(value, words[i]))
            return true;
    }
    return false;
}

/* One field of --device; *named tells that the device has its name. */
static int check_device_field(const df_parser *p, const sb_df_flag *flag, sb_slice field, bool *named,
                              sb_error **err)
{
    sb_slice value = field, key = sb_slice_cut(&value, '=');
    sb_autofree char *shown = sb_printable(field), *shown_key = NULL;

    if (sb_slice_eq_nocase(key, SB_LIT("required"))) {
        sb_autofree char *shown_value = sb_printable(value);

        if (!value.ptr || is_bool(value))
            return 0;
        return df_fail(p, flag->span.start, err, "invalid value for required: %s", shown_value);
    }
    if (!*named) {
        *named = (value.ptr && sb_slice_eq_nocase(key, SB_LIT("name")) ? value : field).len > 0;
        return 0;
    }
    if (!value.ptr)
        return df_fail(p, flag->span.start, err, "invalid field '%s' must be a key=value pair", shown);
    if (sb_slice_eq_nocase(key, SB_LIT("name")))
        return df_fail(p, flag->span.start, err, "device name already set; '%s' sets it again", shown);
    shown_key = sb_printable(key);
    return df_fail(p, flag->span.start, err, "unexpected key '%s' in '%s'", shown_key, shown);
}

static int check_device(const df_parser *p, const sb_df_flag *flag, sb_buf *field, sb_error **err)
{
    bool named = false;
    csv in = {0};

    if (start_csv(p, flag, &in, err) < 0)
        return -1;
    while (!in.done) {
        if (next_field(p, flag, &in, field, err) < 0 ||
            check_device_field(p, flag, sb_buf_slice(field), &named, err) < 0)
            return -1;
    }
    return 0;
}

static bool is_one_of(sb_slice value, const char *const *words)
{
    for (; *words; words++) {
        if (sb_slice_eqz(value, *words))
            return true;
    }
    return false;
}

static int check_flag(const df_parser *p, const sb_df_flag *flag, sb_buf *field, sb_error **err)
{
    static const char *const networks[] = {"default", "none", "host", NULL};
    static const char *const securities[] = {"sandbox", "insecure", NULL};
    sb_autofree char *shown = NULL;

    if (sb_slice_eqz(flag->name, "mount"))
        return check_mount(p, flag, field, err);
    if (sb_slice_eqz(flag->name, "device"))
        return check_device(p, flag, field, err);
    shown = df_quote(flag->value);
    if (sb_slice_eqz(flag->name, "network"))
        return is_one_of(flag->value, networks)
                   ? 0
                   : df_fail(p, flag->span.start, err, "invalid network mode %s", shown);
    return is_one_of(flag->value, securities)
               ? 0
               : df_fail(p, flag->span.start, err, "security %s is not valid", shown);
}

int df_check_run(const df_parser *p, const sb_df_instruction *ins, sb_error **err)
{
    sb_autobuf field = SB_BUF_INIT(FIELD_MAX);

    if (df_check_flags(p, ins, err) < 0)
        return -1;
    for (size_t i = 0; i < ins->flag_count; i++) {
        if (check_flag(p, &ins->flags[i], &field, err) < 0)
            return -1;
    }
    return 0;
}
