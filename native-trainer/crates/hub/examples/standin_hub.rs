//! The stand-in for the model hub as a program, for tests in other languages: `standin_hub ROOT [TOKEN]` serves the models
//! in ROOT, prints its address, and ends when standard input does. With TOKEN, their files are for those who send it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test's server fails")]
#![allow(clippy::print_stdout, reason = "the address is for the test that started it")]

#[path = "../tests/standin_hub/mod.rs"]
#[allow(dead_code, reason = "its faults are for the hub's own tests")]
mod standin_hub;

use standin_hub::StandinHub;
use std::io::{Read, Write};
use std::path::Path;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let hub = StandinHub::start(Path::new(&arguments[0])).unwrap();
    if let Some(token) = arguments.get(1) {
        hub.require_token(token);
    }
    println!("{}", hub.url);
    std::io::stdout().flush().unwrap();
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}
