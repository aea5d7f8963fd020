//! Scratch.
#![allow(missing_docs, clippy::all, clippy::pedantic)]
fn main() {
    let text = std::fs::read_to_string(std::env::args().nth(1).unwrap()).unwrap();
    let out = eaf_twin::world::run(&text).unwrap();
    print!("{}", out.text());
    println!("{:?}", out.error);
}
