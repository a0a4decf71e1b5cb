// SPDX-License-Identifier: Apache-2.0
/* Which commands take passwords, and which keep what they are given (secrets_tables.c). */
#ifndef SBUILD_RULES_LINT_SECRETS_TABLES_H
#define SBUILD_RULES_LINT_SECRETS_TABLES_H

#include <rules/lint/lint.h>

typedef enum sk_form {
    SK_FORM_PLAIN,
    SK_FORM_USER_AND_PASSWORD,   /* user:password */
    SK_FORM_USER_COMMA_PASSWORD, /* user,password */
    SK_FORM_PASS_PREFIX,         /* openssl's pass:… */
    SK_FORM_HEADER,              /* "Authorization: Bearer …" */
} sk_form;

typedef struct sk_password_option {
    const char *command; /* a word list; NULL ends the table */
    const char *verbs;   /* that it must have, in this order: "configure set"; may be "" */
    const char *option;
    sk_form form;
    bool attached;    /* "-psecret" only */
    const char *what; /* "a password" */
} sk_password_option;
extern const sk_password_option sk_password_options[];

typedef struct sk_password_operand {
    const char *command;
    const char *verbs;
    const char *behind; /* part of a word behind the verbs that must be there: "authToken"; NULL: none */
    size_t nth;         /* behind that word, or the verbs */
    const char *what;
} sk_password_operand;
extern const sk_password_operand sk_password_operands[];

typedef struct sk_config_command { /* keeps a secret in a file of its own */
    const char *command;
    const char *verbs;
    bool in_url;       /* the secret is part of a URL */
    const char *where; /* for people */
} sk_config_command;
extern const sk_config_command sk_config_commands[];

/* Is the command in one of the tables? Most are not, and need no more looking. */
bool sk_is_in_tables(sb_slice command);
/* Is a file of this name the command's configuration? ".npmrc" is npm's. */
bool sk_is_config_file(const char *command, sb_slice name);
/* What a header of HTTP gives away; empty when it is none of those. */
sb_slice sk_header_secret(sb_slice header);

#endif
