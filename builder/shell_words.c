// SPDX-License-Identifier: Apache-2.0
#include <builder/shell_words.h>

#include <sbuild/buf.h>

typedef struct words_reader {
    sb_arena *arena;
    sb_slice text;
    size_t at;
    sb_shell_command *commands;
    size_t count, cap;
    sb_shell_command now; /* the command being read */
} words_reader;

/* Words that a command follows. */
static const char *const before_commands[] = {"if",    "then",    "elif", "else", "while",   "until",
                                              "do",    "!",       "{",    "exec", "command", "time",
                                              "nohup", "builtin", "eval", "("};
/* Programs that start another: their options and numbers are skipped, the rest is a command too. */
static const char *const starters[] = {"sudo",    "xargs",  "env",    "nice",   "timeout", "setpriv", "gosu",
                                       "su-exec", "chroot", "stdbuf", "ionice", "flock",   "runuser"};

static bool is_among(sb_slice word, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (sb_slice_eqz(word, list[i]))
            return true;
    return false;
}

static bool is_assignment(sb_slice word)
{
    for (size_t i = 0; i < word.len; i++) {
        char c = sb_ascii_lower(word.ptr[i]);

        if (c == '=')
            return i > 0;
        if (!((c >= 'a' && c <= 'z') || c == '_' || (i && c >= '0' && c <= '9')))
            return false;
    }
    return false;
}

static void push_command(words_reader *reader, const sb_slice *words, size_t count)
{
    sb_shell_command *command;

    if (!count || reader->count == SB_SHELL_COMMANDS_MAX)
        return;
    command = SB_ARENA_PUSH(reader->arena, reader->commands, reader->count, reader->cap);
    *command = (sb_shell_command){.count = count, .cap = count};
    command->words = sb_arena_array(reader->arena, sb_slice, count);
    memcpy(command->words, words, count * sizeof(*words));
}

/* Also the command that this one starts: "sudo -E npm ci" is "npm ci" too. */
static void end_command(words_reader *reader)
{
    const sb_slice *words = reader->now.words;
    size_t count = reader->now.count;
    size_t i = 0;

    reader->now = (sb_shell_command){0};
    while (i < count &&
           (is_assignment(words[i]) || is_among(words[i], before_commands, SB_COUNT(before_commands))))
        i++;
    while (i < count) {
        push_command(reader, words + i, count - i);
        if (!is_among(words[i], starters, SB_COUNT(starters)))
            return;
        i++;
        while (i < count &&
               (!words[i].len || strchr("-0123456789", words[i].ptr[0]) || is_assignment(words[i])))
            i++;
    }
}

static bool at_end(const words_reader *reader)
{
    return reader->at >= reader->text.len;
}

/* Up to the closing quote; in double quotes a backslash quotes the next byte. */
static void read_quoted(words_reader *reader, char quote, sb_buf *word)
{
    for (reader->at++; !at_end(reader) && reader->text.ptr[reader->at] != quote; reader->at++) {
        if (quote == '"' && reader->text.ptr[reader->at] == '\\' && reader->at + 1 < reader->text.len)
            reader->at++;
        sb_buf_addc(word, reader->text.ptr[reader->at]);
    }
    reader->at++;
}

static void read_word(words_reader *reader)
{
    sb_autobuf word = SB_BUF_INIT(reader->text.len + 1);

    while (!at_end(reader)) {
        char c = reader->text.ptr[reader->at];

        if (c == '\'' || c == '"') {
            read_quoted(reader, c, &word);
        } else if (c == '\\' && reader->at + 1 < reader->text.len) {
            char next = reader->text.ptr[reader->at + 1];

            reader->at += 2;
            if (next != '\n')
                sb_buf_addc(&word, next);
        } else if (strchr(" \t\r\n;&|()<>`", c)) {
            break;
        } else {
            sb_buf_addc(&word, c);
            reader->at++;
        }
    }
    *SB_ARENA_PUSH(reader->arena, reader->now.words, reader->now.count, reader->now.cap) =
        sb_arena_dup(reader->arena, sb_slice_of(word.data ? word.data : "", word.len));
}

void sb_shell_commands(sb_slice text, sb_arena *arena, sb_shell_command **ret_commands, size_t *ret_count)
{
    words_reader reader = {.arena = arena, .text = text};

    while (!at_end(&reader)) {
        char c = text.ptr[reader.at];

        if (strchr(" \t\r<>", c) && c) {
            reader.at++;
        } else if (c == '\\' && reader.at + 1 < text.len && text.ptr[reader.at + 1] == '\n') {
            reader.at += 2;
        } else if (c == '#') {
            while (!at_end(&reader) && text.ptr[reader.at] != '\n')
                reader.at++;
        } else if (!c || strchr("\n;&|()`", c)) {
            end_command(&reader);
            reader.at++;
        } else {
            read_word(&reader);
        }
    }
    end_command(&reader);
    *ret_commands = reader.commands;
    *ret_count = reader.count;
}
