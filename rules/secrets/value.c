// SPDX-License-Identifier: Apache-2.0
/* What can be told of a value without knowing its format: how random it is, whether people wrote it as a
 * stand-in. */
#include <rules/secrets/engine.h>

#include <math.h>

enum { RUN_OF_SAME = 6, RUN_OF_STEPS = 8, WORD_LEAST = 4, WORDS_PERCENT = 40 };

unsigned secret_entropy(sb_slice text)
{
    unsigned counts[256] = {0};
    double sum = 0;

    if (!text.len)
        return 0;
    for (size_t i = 0; i < text.len; i++)
        counts[(unsigned char)text.ptr[i]]++;
    for (unsigned c = 0; c < 256; c++)
        if (counts[c])
            sum -= counts[c] * log2((double)counts[c] / (double)text.len);
    return (unsigned)(100 * sum / (double)text.len + 0.5);
}

static bool is_letter(char c)
{
    c = sb_ascii_lower(c);
    return c >= 'a' && c <= 'z';
}

/* The pairs of letters that make up six sevenths of all that stand in words: [first], bit second. Of random
 * letters a third are such. */
static const uint32_t usual[26] = {
    0x1beb94e, 0x0164911, 0x01edd95, 0x0164919, 0x1afb97f, 0x01e5931, 0x0062911, 0x0024111, 0x22ef87f,
    0x0000000, 0x0040110, 0x11c4919, 0x014d113, 0x01c617d, 0x07ef96f, 0x01ec995, 0x0100000, 0x11ef95d,
    0x11edd9d, 0x11ed9bd, 0x00eb937, 0x0041131, 0x0000111, 0x0088000, 0x0008000, 0x0000010,
};

/* How many letters from `at` on have the shape of one word: "word", "Word", "WORD". */
static size_t run_of_letters(sb_slice text, size_t at)
{
    size_t end = at;

    while (end < text.len && text.ptr[end] >= 'A' && text.ptr[end] <= 'Z')
        end++;
    if (end - at > 1)
        return end - at;
    while (end < text.len && text.ptr[end] >= 'a' && text.ptr[end] <= 'z')
        end++;
    return end - at;
}

unsigned secret_wordiness(sb_slice text)
{
    size_t in_words = 0, run;

    for (size_t i = 0; i < text.len; i += run ? run : 1) {
        size_t known = 0;

        run = run_of_letters(text, i);
        for (size_t j = i; j + 1 < i + run; j++)
            known += usual[sb_ascii_lower(text.ptr[j]) - 'a'] >> (sb_ascii_lower(text.ptr[j + 1]) - 'a') & 1;
        if (run >= WORD_LEAST && 4 * known >= 3 * (run - 1))
            in_words += run;
    }
    return text.len ? (unsigned)(100 * in_words / text.len) : 0;
}

bool secret_is_placeholder(sb_slice text)
{
    size_t same = 1, steps = 1;

    for (size_t i = 1; i < text.len; i++) {
        same = text.ptr[i] == text.ptr[i - 1] ? same + 1 : 1;
        steps = text.ptr[i] == text.ptr[i - 1] + 1 ? steps + 1 : 1;
        if (same >= RUN_OF_SAME || steps >= RUN_OF_STEPS)
            return true;
    }
    if (same == text.len)
        return true; /* "xxxx", "****" */
    if (!text.len)
        return true;
    for (size_t i = 0; i + 1 < text.len; i++)
        if ((text.ptr[i] == '$' && strchr("{(", text.ptr[i + 1])) ||
            (text.ptr[i] == '{' && text.ptr[i + 1] == '{') ||
            (text.ptr[i] == '%' && strchr("({", text.ptr[i + 1])) ||
            (text.ptr[i] == '<' && text.ptr[i + 1] == '%') || (text.ptr[i] == '#' && text.ptr[i + 1] == '{'))
            return true;
    return (text.ptr[0] == '$' && text.len > 1 && (is_letter(text.ptr[1]) || text.ptr[1] == '_')) ||
           (text.ptr[0] == '<' && text.ptr[text.len - 1] == '>') ||
           (text.ptr[0] == '[' && text.ptr[text.len - 1] == ']') ||
           (text.ptr[0] == '{' && text.ptr[text.len - 1] == '}') ||
           (text.ptr[0] == '%' && text.ptr[text.len - 1] == '%') ||
           (text.ptr[0] == '@' && text.ptr[text.len - 1] == '@') ||
           (text.ptr[0] == '_' && text.ptr[text.len - 1] == '_');
}

typedef struct kinds {
    unsigned lower, upper, digit, hex, dash, dot, slash, colon, special;
    unsigned switches; /* between digits and others */
    unsigned changes;  /* between lower case, upper case, digits and others */
} kinds;

static int kind_of(char c)
{
    return sb_ascii_is_digit(c) ? 0 : !is_letter(c) ? 1 : c >= 'a' ? 2 : 3;
}

/* False when there is something that no secret has. */
static bool count(sb_slice text, kinds *ret_kinds)
{
    kinds k = {0};

    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (c <= ' ' || c > '~')
            return false;
        k.hex += sb_hex_value(c) >= 0;
        if (sb_ascii_is_digit(c))
            k.digit++;
        else if (is_letter(c))
            *(c >= 'a' ? &k.lower : &k.upper) += 1;
        else if (c == '-' || c == '_')
            k.dash++;
        else if (c == '.')
            k.dot++;
        else if (c == '/')
            k.slash++;
        else if (c == ':')
            k.colon++;
        else if (strchr("!@#^*~?&%$", c))
            k.special++;
        else if (!strchr("+=,;", c))
            return false;
        k.switches += i && sb_ascii_is_digit(c) != sb_ascii_is_digit(text.ptr[i - 1]);
        k.changes += i && kind_of(c) != kind_of(text.ptr[i - 1]);
    }
    *ret_kinds = k;
    return true;
}

static bool is_uuid(sb_slice text, const kinds *k)
{
    return text.len == 36 && k->hex == 32 && text.ptr[8] == '-' && text.ptr[13] == '-' && text.ptr[18] == '-';
}

/* config.password2, ns::name1, a/path/of/words2, 10.0.0.1:8080 */
static bool is_code(sb_slice text, const kinds *k)
{
    if (k->colon > 1 || (k->slash > 1 && secret_wordiness(text) > 25))
        return true;
    if (k->dot && k->digit + k->dot + k->colon + k->dash == text.len)
        return true;
    if ((text.ptr[0] == '/' && secret_wordiness(text) > 20) || text.ptr[0] == '.' || text.ptr[0] == '~' ||
        text.ptr[0] == '-' || text.ptr[0] == '%')
        return true;
    return k->dot > 2 || (k->dot && secret_wordiness(text) > 25);
}

bool secret_is_random(sb_slice text, bool quoted)
{
    unsigned entropy, words;
    kinds k;

    if (text.len < 8 || text.len > 256 || secret_is_placeholder(text) || !count(text, &k))
        return false;
    if (is_uuid(text, &k) || is_code(text, &k))
        return false;
    if (k.lower + k.upper == 0)
        return false;
    words = secret_wordiness(text);
    entropy = secret_entropy(text);
    if (k.hex == text.len)
        return text.len >= 16 && k.digit * 5 >= text.len && entropy >= 280;
    /* What people make up: letters, digits and something that stands in no name. */
    if (k.special && k.special <= 4 && k.digit && text.len <= 32 && !k.slash && !k.colon && !k.dot &&
        entropy >= 270 && k.lower + k.upper >= 3 && (quoted || (k.lower && k.upper)))
        return words < (quoted ? 90 : 60);
    if (k.special)
        return text.len >= 16 && k.digit && words < WORDS_PERCENT && entropy >= 350 &&
               k.special * 3 < text.len;
    if (words > WORDS_PERCENT || k.dash * 4 > text.len)
        return false;
    if (!quoted && k.dash && !k.upper && words > 20)
        return false; /* the name of a variable: private_key_pkcs8 */
    if (k.switches < 3 && k.changes * 3 < text.len)
        return false; /* words with a number, camelCase */
    if (!k.digit && (k.changes * (words ? 2 : 3) < text.len || words > 20))
        return false;
    if (text.len < 16) /* short ones must be mixed well */
        return text.len >= 10 && entropy >= 280 && k.changes * 5 >= text.len * 2 &&
               (quoted ? k.digit || words == 0 : k.digit && k.lower && k.upper);
    return entropy >= (text.len < 24 ? 320 : 350);
}

static int base64_value(unsigned char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

bool secret_is_base64(unsigned char c)
{
    return base64_value(c) >= 0 && c != '-' && c != '_';
}

size_t secret_base64_decode(sb_slice text, unsigned char *out, size_t max)
{
    uint32_t bits = 0;
    unsigned have = 0;
    size_t len = 0;

    for (size_t i = 0; i < text.len && len < max; i++) {
        int value = base64_value((unsigned char)text.ptr[i]);

        if (value < 0)
            break;
        bits = bits << 6 | (uint32_t)value;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[len++] = (unsigned char)(bits >> have & 0xff);
        }
    }
    return len;
}
