// SPDX-License-Identifier: Apache-2.0
/* While recording: one request upstream, and however many clients that wait for its answer. */
#ifndef STEP_FETCH_H
#define STEP_FETCH_H

#include <builder/step/server.h>

/* Answers what the lock does not have. */
bool step_fetch_answer(step_request *request, step_asked *asked);
/* Waits until nothing is on its way upstream any more; false: after so many seconds something still was. */
bool step_fetch_wait(step_server *server, unsigned seconds);

#endif
