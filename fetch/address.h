// SPDX-License-Identifier: Apache-2.0
/* Addresses that lead to this machine, its link or its cloud's metadata service: not for what others tell us
 * to fetch. */
#ifndef SBUILD_FETCH_ADDRESS_H
#define SBUILD_FETCH_ADDRESS_H

#include <sbuild/slice.h>

#include <sys/socket.h>

/* Loopback, link-local, unspecified, broadcast and metadata addresses; also when wrapped in IPv6. */
bool sb_address_is_local(const struct sockaddr *address);
/* The text of an address ("127.0.0.1", "fe80::1%eth0") that is such one; false for names and other addresses.
 */
bool sb_address_text_is_local(sb_slice text);
/* "localhost", a name below it, or the text of a loopback address: no name of others'. */
bool sb_host_is_loopback(sb_slice name);
/* Does the text of an address lie within "10.0.0.0/8"? */
bool sb_address_in_block(sb_slice text, sb_slice block);

#endif
