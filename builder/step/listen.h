// SPDX-License-Identifier: Apache-2.0
/* The ports of loopback on which the server listens. */
#ifndef STEP_LISTEN_H
#define STEP_LISTEN_H

#include <builder/step/server.h>

#include <netinet/in.h>

enum { STEP_LISTENERS_MAX = 16 };

typedef struct step_listener {
    int fd;
    step_entrance entrance;
} step_listener;

struct step_listeners {
    pthread_mutex_t lock;
    step_listener all[STEP_LISTENERS_MAX];
    size_t count;
    char transparent[STEP_LISTENERS_MAX][INET6_ADDRSTRLEN]; /* addresses that were asked for */
    size_t transparent_count;
    int wake; /* an eventfd: there is another one, or the end has come */
    pthread_t thread;
    bool running;
};

int step_listen_as_proxy(step_server *server, sb_error **err);
/* The thread that accepts looks again. */
void step_listen_wake(const struct step_listeners *listeners);

#endif
