// SPDX-License-Identifier: Apache-2.0
/* Certificates for the hosts that a step talks to, made when they are first asked for. */
#ifndef STEP_CA_H
#define STEP_CA_H

#include <builder/step/step.h>

#include <openssl/types.h>

/*
 * Makes this TLS connection a server named `host` (a DNS name or an address). Any thread. False: no
 * certificate can be made for such a name.
 */
bool step_ca_use(step_ca *ca, SSL *ssl, sb_slice host);

#endif
