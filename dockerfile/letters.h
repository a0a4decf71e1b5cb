// SPDX-License-Identifier: Apache-2.0
/* Letters and digits as Unicode has them: a variable's name may hold any. */
#ifndef SBUILD_DOCKERFILE_LETTERS_H
#define SBUILD_DOCKERFILE_LETTERS_H

#include <stdbool.h>
#include <stdint.h>

bool df_is_letter(uint32_t c);
bool df_is_digit(uint32_t c);

#endif
