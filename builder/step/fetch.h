// SPDX-License-Identifier: Apache-2.0
/* While recording: one request upstream, and however many clients that wait for its answer. */
#ifndef STEP_FETCH_H
#define STEP_FETCH_H

#include <builder/step/server.h>

struct step_fetch {
    step_server *server;
    step_asked *asked;
    sb_arena *arena;
    sb_step_request question;
    step_head head; /* of the client who came first */
    sb_slice target, body;
    pthread_mutex_t lock; /* for what follows */
    pthread_cond_t moved;
    unsigned refs;
    enum { FETCH_ASKS, FETCH_RECEIVES, FETCH_DONE, FETCH_FAILED } state;
    bool answered; /* `answer` and `fd` are there, and stay */
    step_head answer;
    int fd;           /* the body as far as it has come; -1: none comes */
    uint64_t size;    /* so far */
    unsigned failure; /* status for the client */
    char *why;
};

/* Answers what the lock does not have. */
bool step_fetch_answer(step_request *request, step_asked *asked);
/* relay.c: hands on what comes, as it comes. */
bool step_fetch_relay(step_request *request, step_fetch *fetch);
/* Waits until nothing is on its way upstream any more; false: after so many seconds something still was. */
bool step_fetch_wait(step_server *server, unsigned seconds);

#endif
