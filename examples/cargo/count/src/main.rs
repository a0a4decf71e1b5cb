// SPDX-License-Identifier: Apache-2.0

fn main() {
    let text = std::env::args().nth(1).unwrap_or_default();
    println!("{} words", itoa::Buffer::new().format(words::count(&text)));
}
