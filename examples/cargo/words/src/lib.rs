// SPDX-License-Identifier: Apache-2.0

/// How many words there are, as spaces part them.
pub fn count(text: &str) -> usize {
    memchr::memchr_iter(b' ', text.trim().as_bytes()).count() + 1
}
