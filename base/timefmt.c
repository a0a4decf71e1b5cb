// SPDX-License-Identifier: Apache-2.0
#include <sbuild/timefmt.h>

#include <stdio.h>
#include <time.h>

#include <curl/curl.h>

void sb_time_format(int64_t when, char ret_text[SB_TIME_TEXT])
{
    time_t t = (time_t)when;
    struct tm tm;

    if (!gmtime_r(&t, &tm))
        tm = (struct tm){.tm_mday = 1, .tm_year = 70};
    snprintf(ret_text, SB_TIME_TEXT, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1,
             tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* `digits` decimal digits followed by `end` (unless NUL); moves *s behind both. */
static bool number(sb_slice *s, size_t digits, char end, int *ret_value)
{
    uint64_t v;

    if (s->len < digits + (end != '\0') || !sb_slice_to_u64(sb_slice_sub(*s, 0, digits), &v))
        return false;
    if (end && s->ptr[digits] != end && !(end == 'T' && (s->ptr[digits] == 't' || s->ptr[digits] == ' ')))
        return false;
    *ret_value = (int)v;
    *s = sb_slice_sub(*s, digits + (end != '\0'), s->len);
    return true;
}

static int days_of_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

bool sb_time_parse(sb_slice text, int64_t *ret_when)
{
    struct tm tm = {0};
    int hours = 0, minutes = 0, sign;

    if (!number(&text, 4, '-', &tm.tm_year) || !number(&text, 2, '-', &tm.tm_mon) ||
        !number(&text, 2, 'T', &tm.tm_mday) || !number(&text, 2, ':', &tm.tm_hour) ||
        !number(&text, 2, ':', &tm.tm_min) || !number(&text, 2, '\0', &tm.tm_sec))
        return false;
    if (tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 ||
        tm.tm_mday > days_of_month(tm.tm_year, tm.tm_mon) || tm.tm_hour > 23 || tm.tm_min > 59 ||
        tm.tm_sec > 60)
        return false;
    if (text.len && text.ptr[0] == '.') {
        size_t n = 1;

        while (n < text.len && text.ptr[n] >= '0' && text.ptr[n] <= '9')
            n++;
        text = sb_slice_sub(text, n, text.len);
    }
    if (!text.len)
        return false;
    sign = text.ptr[0] == '-' ? -1 : 1;
    if (text.ptr[0] == 'Z' || text.ptr[0] == 'z') {
        if (text.len != 1)
            return false;
    } else if (text.ptr[0] == '+' || text.ptr[0] == '-') {
        text = sb_slice_sub(text, 1, text.len);
        if (!number(&text, 2, ':', &hours) || !number(&text, 2, '\0', &minutes) || text.len || hours > 23 ||
            minutes > 59)
            return false;
    } else {
        return false;
    }
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    *ret_when = (int64_t)timegm(&tm) - (int64_t)sign * (hours * 3600 + minutes * 60);
    return true;
}

bool sb_time_parse_http(sb_slice text, int64_t *ret_when)
{
    sb_autofree char *s = NULL;
    time_t t;

    if (text.len > 64)
        return false;
    s = sb_slice_dup(text);
    t = curl_getdate(s, NULL);
    if (t < 0)
        return false;
    *ret_when = (int64_t)t;
    return true;
}
