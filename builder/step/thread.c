// SPDX-License-Identifier: Apache-2.0
#include <builder/step/server.h>

#include <signal.h>

bool step_thread(void *(*work)(void *), void *arg)
{
    sigset_t all, before;
    pthread_attr_t attr;
    pthread_t thread;
    bool started;

    /* Signals are the main thread's business; SIGPIPE is nobody's. */
    sigfillset(&all);
    if (pthread_attr_init(&attr) != 0)
        return false;
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, STEP_THREAD_STACK);
    started = pthread_create(&thread, &attr, work, arg) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return started;
}
