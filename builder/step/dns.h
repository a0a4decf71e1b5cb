// SPDX-License-Identifier: Apache-2.0
/*
 * The name server of a step, for clients that ignore proxies: outside names lead to an address on loopback
 * where the server answers too. dns_message.c is the protocol, dns.c the sockets.
 */
#ifndef STEP_DNS_H
#define STEP_DNS_H

#include <sbuild/error.h>
#include <sbuild/slice.h>

enum {
    STEP_DNS_NAME_SIZE = 256,
    STEP_DNS_ANSWER_SIZE = 512, /* no answer of ours is longer */
};

typedef struct step_dns_names {
    unsigned char outside[4]; /* the address of every outside name */
    const char *host;         /* the step's own name */
} step_dns_names;

typedef enum step_dns_kind {
    STEP_DNS_NONE,    /* no such name: single words, reserved domains, reverse look-ups */
    STEP_DNS_OWN,     /* localhost and the step's own name */
    STEP_DNS_OUTSIDE, /* everything else */
} step_dns_kind;

typedef struct step_dns_question {
    char name[STEP_DNS_NAME_SIZE]; /* printable, lower case */
    step_dns_kind kind;
    bool has_address; /* the answer holds one */
} step_dns_question;

/* Bytes of the answer; 0: none is due. *ret_question is set unless the question cannot be read. */
size_t step_dns_answer(const step_dns_names *names, sb_slice query, unsigned char out[STEP_DNS_ANSWER_SIZE],
                       step_dns_question *ret_question);

typedef struct step_dns step_dns;
/* Called, in a thread of its own, before an answer leads to the outside address. */
typedef void (*step_dns_outside)(void *ctx);

/*
 * Listens on UDP and TCP of 127.0.0.1:`port`. *ret_dns is NULL where that is not allowed or taken: a step as
 * an ordinary user, or one with a name server of its own.
 */
int step_dns_new(const char *outside, unsigned port, step_dns_outside hook, void *ctx, step_dns **ret_dns,
                 sb_error **err);
/* Starts to answer. */
int step_dns_run(step_dns *dns, sb_error **err);
/* Ends it. */
void step_dns_free(step_dns *dns);
SB_DEFINE_CLEANUP(step_dns, step_dns_free)

#endif
