// SPDX-License-Identifier: Apache-2.0
/* HEALTHCHECK, with durations in Go's syntax. */
#include <dockerfile/instruction.h>

enum { RETRIES_MAX = 2147483647 };

#define NANOSECONDS_MAX 9223372036854775807.0

static const struct {
    const char *name;
    double nanoseconds;
} units[] = {
    {"ns", 1},   {"us", 1e3}, {"\xc2\xb5s", 1e3}, {"\xce\xbcs", 1e3},
    {"ms", 1e6}, {"s", 1e9},  {"m", 60e9},        {"h", 3600e9},
};

/* Digits with at most one point among them; false when there are no digits. */
static bool take_number(sb_slice *s, double *ret_value)
{
    double value = 0, scale = 1;
    size_t i = 0, digits = 0;

    for (; i < s->len && sb_ascii_is_digit(s->ptr[i]); i++, digits++)
        value = value * 10 + (s->ptr[i] - '0');
    if (i < s->len && s->ptr[i] == '.') {
        for (i++; i < s->len && sb_ascii_is_digit(s->ptr[i]); i++, digits++)
            value += (s->ptr[i] - '0') * (scale /= 10);
    }
    *s = sb_slice_sub(*s, i, s->len);
    *ret_value = value;
    return digits > 0;
}

static double unit_value(sb_slice name)
{
    for (size_t i = 0; i < SB_COUNT(units); i++) {
        if (sb_slice_eqz(name, units[i].name))
            return units[i].nanoseconds;
    }
    return 0;
}

/* In nanoseconds; fails with what Go says about it. */
static int parse_duration(const df_parser *p, const sb_df_flag *flag, double *ret_nanoseconds, sb_error **err)
{
    sb_autofree char *shown = df_quote(flag->value);
    size_t place = flag->span.start;
    sb_slice s = flag->value;
    double total = 0, sign = 1;

    if (s.len > 0 && (s.ptr[0] == '-' || s.ptr[0] == '+')) {
        sign = s.ptr[0] == '-' ? -1 : 1;
        s = sb_slice_sub(s, 1, s.len);
    }
    if (sb_slice_eqz(s, "0")) {
        *ret_nanoseconds = 0;
        return 0;
    }
    if (s.len == 0)
        return df_fail(p, place, err, "time: invalid duration %s", shown);
    while (s.len > 0) {
        size_t len = 0;
        double value;
        sb_slice unit;

        if (!take_number(&s, &value))
            return df_fail(p, place, err, "time: invalid duration %s", shown);
        while (len < s.len && s.ptr[len] != '.' && !sb_ascii_is_digit(s.ptr[len]))
            len++;
        if (len == 0)
            return df_fail(p, place, err, "time: missing unit in duration %s", shown);
        unit = sb_slice_sub(s, 0, len);
        if (unit_value(unit) <= 0) {
            sb_autofree char *shown_unit = df_quote(unit);

            return df_fail(p, place, err, "time: unknown unit %s in duration %s", shown_unit, shown);
        }
        value *= unit_value(unit);
        total += value < NANOSECONDS_MAX ? (double)(uint64_t)value : value; /* whole ones */
        if (total > NANOSECONDS_MAX)
            return df_fail(p, place, err, "time: invalid duration %s", shown);
        s = sb_slice_sub(s, len, s.len);
    }
    *ret_nanoseconds = sign * total;
    return 0;
}

static int check_interval(const df_parser *p, const sb_df_instruction *ins, const char *name, sb_error **err)
{
    const sb_df_flag *flag = sb_df_find_flag(ins, name);
    double nanoseconds = 0;

    if (!flag || flag->value.len == 0)
        return 0;
    if (parse_duration(p, flag, &nanoseconds, err) < 0)
        return -1;
    if (nanoseconds < 0 || (nanoseconds > 0 && nanoseconds < 1e6))
        return df_fail(p, flag->span.start, err, "Interval \"%s\" cannot be less than 1ms", name);
    return 0;
}

static int check_retries(const df_parser *p, const sb_df_instruction *ins, sb_error **err)
{
    const sb_df_flag *flag = sb_df_find_flag(ins, "retries");
    sb_autofree char *shown = NULL;
    uint64_t value = 0;
    bool negative;
    sb_slice digits;

    if (!flag || flag->value.len == 0)
        return 0;
    shown = df_quote(flag->value);
    digits = flag->value;
    negative = digits.ptr[0] == '-';
    if (negative || digits.ptr[0] == '+')
        digits = sb_slice_sub(digits, 1, digits.len);
    for (size_t i = 0; i < digits.len; i++) {
        if (!sb_ascii_is_digit(digits.ptr[i]))
            return df_fail(p, flag->span.start, err, "strconv.ParseInt: parsing %s: invalid syntax", shown);
        if (value <= RETRIES_MAX)
            value = value * 10 + (uint64_t)(digits.ptr[i] - '0');
    }
    if (digits.len == 0)
        return df_fail(p, flag->span.start, err, "strconv.ParseInt: parsing %s: invalid syntax", shown);
    if (value > (uint64_t)RETRIES_MAX + negative)
        return df_fail(p, flag->span.start, err, "strconv.ParseInt: parsing %s: value out of range", shown);
    if (negative && value > 0)
        return df_fail(p, flag->span.start, err, "--retries cannot be negative (-%llu)",
                       (unsigned long long)value);
    return 0;
}

int df_check_health(const df_parser *p, const sb_df_instruction *ins, sb_error **err)
{
    static const char *const intervals[] = {"interval", "timeout", "start-period", "start-interval"};
    size_t place = ins->keyword_span.start;
    sb_slice type;

    if (ins->arg_count == 0)
        return df_fail(p, place, err, "HEALTHCHECK requires at least one argument");
    type = ins->args[0].text;
    if (sb_slice_eq_nocase(type, SB_LIT("NONE"))) {
        if (ins->arg_count > 1)
            return df_fail(p, ins->args[1].span.start, err, "HEALTHCHECK NONE takes no arguments");
        return 0;
    }
    if (df_check_flags(p, ins, err) < 0)
        return -1;
    if (!sb_slice_eq_nocase(type, SB_LIT("CMD"))) {
        sb_autofree char *upper = sb_slice_dup(type);
        sb_autofree char *shown = NULL;

        for (size_t i = 0; i < type.len; i++) {
            if (upper[i] >= 'a' && upper[i] <= 'z')
                upper[i] = (char)(upper[i] & ~0x20);
        }
        shown = df_quote(sb_slice_of(upper, type.len));
        return df_fail(p, ins->args[0].span.start, err, "Unknown type %s in HEALTHCHECK (try CMD)", shown);
    }
    if (ins->arg_count == 1)
        return df_fail(p, place, err, "Missing command after HEALTHCHECK CMD");
    for (size_t i = 0; i < SB_COUNT(intervals); i++) {
        if (check_interval(p, ins, intervals[i], err) < 0)
            return -1;
    }
    return check_retries(p, ins, err);
}
