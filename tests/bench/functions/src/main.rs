//! Measures the release builds as Lambda would run them: start, first and warm requests, memory, size; beside an empty function, one with the
//! same SDK calls and nothing else, and the same in Node. `tests/bench/functions/run` builds what is missing and calls it.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "it measures real time, and stops at its first surprise"
)]

mod bench;
mod http;
mod measure;
mod report;
mod runtime;
mod store;
mod stub;
mod tls;
mod world;

use bench::Options;

fn main() {
    let options = Options::of(std::env::args().skip(1));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let results = bench::run(&options, &runtime);
    report::write(&options, &results);
}
