# Two doors for a stranger: `make run` shows a factory at work, `make test` shows that it keeps its word.
.PHONY: run test bench
run:
	cargo run --release --locked -p eaf -- up --run examples/primes.toml
test:
	cargo test --release --locked --workspace
# JOBS=FILE is the full Philly trace, without which its tables are left out.
bench:
	cargo build --release --locked -p eaf && ./target/release/eaf bench all --markdown docs/benchmarks.md
	./target/release/eaf bench replay --all $(if $(JOBS),--jobs $(JOBS)) --markdown docs/benchmarks.md
	./target/release/eaf bench placement --all --markdown docs/benchmarks.md
