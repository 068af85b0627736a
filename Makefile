# The two commands of a newcomer are `make demo` and `make test`. Everything is installed into this folder, pinned by
# lock files, and only once.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help web test-web api setup build node install install-files demo test test-contracts standard-json invariants-long lint lint-keys deny chaos chaos-long fuzz bench halmos slither mutants coverage lint-deploy

AGENT := $(or $(CARGO_TARGET_DIR),target)/release/veriregime-agent
BUNDLE ?= models/btc-regime-4h-v1
# The platform package itself: its launcher package would fetch it in an install script.
FORGE := node_modules/@foundry-rs/forge-linux-amd64/bin/forge

help: ## Show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  make demo PERIODS=12 CANDLES=btc.parquet FROM=2024-08-04   on real candles of a file"
	@echo "  make demo SOURCE=binance                                   on the live exchange"
	@echo "  make demo JOBS=3                                           one node, two chains, a model over three markets"
	@echo "  make demo VERIFY=halo2 | VERIFY=direct                     proven without EZKL | computed by the chain, no proof"
	@echo "  make demo KEEP=1 | JSON=1 | SEED=n                         leave chain and dashboard up | for machines | another market"

setup: .venv/.installed node_modules/.installed web/dist/.built ## Install EZKL and foundry into this folder, and build the dashboard's page

.venv/.installed: prover/requirements.txt
	python3 -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r $<
	@touch $@

node_modules/.installed: package-lock.json
	npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

web/node_modules/.installed: web/package-lock.json
	cd web && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# What the program embeds. Built again only when something of it changed: cargo compiles the agent again whenever it is.
WEB := $(shell find web/src web/public web/scripts -type f 2>/dev/null) web/index.html web/vite.config.ts web/tsconfig.json web/package.json
web/dist/.built: web/node_modules/.installed $(WEB)
	cd web && npm run --silent build
	@touch $@

web: web/node_modules/.installed ## The dashboard's page while it is written: NODE=http://127.0.0.1:9464 is the node that it shows
	cd web && VERIREGIME_NODE=$(or $(NODE),http://127.0.0.1:9464) npm run dev

test-web: web/dist/.built ## Tests of the dashboard: units, and the pages in a browser; NODE=http://... opens those of a real node
	cd web && npm test && BASE_URL=$(NODE) npm run e2e

api: web/node_modules/.installed ## Write docs/openapi.json as the program serves it, and the page's types of it
	WRITE_OPENAPI=1 cargo test --release --locked --test it -- openapi::the_document
	cd web && npm run --silent api

build: setup ## Build the program with everything, training too
	cargo build --release --locked --bin veriregime-agent

# What the program there was built with is not taken from it.
BUILT_WITH = $(shell $(AGENT) --version 2>/dev/null)
HALO2 = $(if $(filter halo2,$(VERIFY))$(findstring +halo2,$(BUILT_WITH)),--features halo2)

node: setup ## Build the program without training: all that a node and the demo need; VERIFY=halo2 with that prover
	cargo build --release --locked --bin veriregime-agent --no-default-features $(HALO2)

PREFIX ?= /usr/local
INSTALLED := $(DESTDIR)$(PREFIX)
DATA := $(INSTALLED)/share/veriregime-agent
# What compiles verifiers, and the programs of a chain of one's own.
RUNTIME_PACKAGES := solc command-exists commander follow-redirects js-sha3 memorystream semver tmp \
	$(patsubst node_modules/%,%,$(wildcard node_modules/@foundry-rs/anvil-* node_modules/@foundry-rs/cast-*))

# What the demo of a vault puts on its chain.
HEDGE_ARTIFACTS := @uniswap/v3-core/artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json \
	@uniswap/v3-periphery/artifacts/contracts/SwapRouter.sol/SwapRouter.json \
	@uniswap/v3-periphery/artifacts/contracts/NonfungiblePositionManager.sol/NonfungiblePositionManager.json \
	@aave/core-v3/artifacts/contracts/mocks/tokens/MintableERC20.sol/MintableERC20.json

install: build ## Put the program and all that it needs under PREFIX, by default /usr/local
	@$(MAKE) --no-print-directory install-files

install-files:
	install -d $(INSTALLED)/bin $(DATA)/contracts $(DATA)/deploy $(INSTALLED)/share/doc/veriregime-agent
	install -m 755 $(AGENT) $(INSTALLED)/bin/veriregime-agent
	for bundle in $(dir $(wildcard models/*/manifest.json models/*/*/manifest.json)); do \
	    install -d $(DATA)/$$bundle && cp -R $$bundle. $(DATA)/$$bundle || exit 1; \
	done
	install -m 644 models/*.toml $(DATA)/models
	install -m 644 contracts/verifier.mjs contracts/verifier-input.mjs $(DATA)/contracts
	install -d $(DATA)/deploy/hedge-demo && install -m 644 deploy/hedge-demo/* $(DATA)/deploy/hedge-demo
	install -d $(DATA)/deploy/yield-demo && install -m 644 deploy/yield-demo/* $(DATA)/deploy/yield-demo
	for artifact in $(HEDGE_ARTIFACTS); do \
	    install -D -m 644 node_modules/$$artifact $(DATA)/node_modules/$$artifact || exit 1; \
	done
	install -m 644 deploy/policy.toml deploy/hedge.toml deploy/agent.toml deploy/veriregime-agent.service $(DATA)/deploy
	for package in $(RUNTIME_PACKAGES); do \
	    install -d $(DATA)/node_modules/$$package && cp -R node_modules/$$package/. $(DATA)/node_modules/$$package || exit 1; \
	done
	python3 -m venv --clear --without-pip $(DATA)/.venv
	cp -R .venv/lib/python3*/site-packages/. $(DATA)/.venv/lib/python3*/site-packages
	install -m 644 README.md CHANGELOG.md LICENSE docs/*.md docs/*.png $(INSTALLED)/share/doc/veriregime-agent
	$(AGENT) man $(INSTALLED)/share/man/man1
	install -d $(INSTALLED)/share/bash-completion/completions $(INSTALLED)/share/zsh/site-functions \
	    $(INSTALLED)/share/fish/vendor_completions.d
	$(AGENT) completions bash > $(INSTALLED)/share/bash-completion/completions/veriregime-agent
	$(AGENT) completions zsh > $(INSTALLED)/share/zsh/site-functions/_veriregime-agent
	$(AGENT) completions fish > $(INSTALLED)/share/fish/vendor_completions.d/veriregime-agent.fish

DEMO := $(if $(PERIODS),--periods $(PERIODS)) $(if $(CANDLES),--candles $(CANDLES)) $(if $(FROM),--from $(FROM)) \
	$(if $(SOURCE),--source $(SOURCE)) $(if $(SEED),--seed $(SEED)) $(if $(JOBS),--jobs $(JOBS)) \
	$(if $(VERIFY),--verify $(VERIFY)) $(if $(KEEP),--keep) $(if $(JSON),--json)

HEDGE_DEMO := $(if $(WEEKS),--weeks $(WEEKS)) $(if $(COUNTRY),--country $(COUNTRY)) $(if $(TABLES),--data $(TABLES)) \
	$(if $(SEED),--seed $(SEED)) $(if $(VERIFY),--verify $(VERIFY)) $(if $(KEEP),--keep) $(if $(JSON),--json)

YIELD_DEMO := $(if $(DAYS),--days $(DAYS)) $(if $(TABLES),--data $(TABLES)) $(if $(VERIFY),--verify $(VERIFY)) \
	$(if $(KEEP),--keep) $(if $(JSON),--json)

# Both programs lie in the same place. One with training is brought up to date and not replaced by one without.
demo: setup ## Watch candles become proven, on-chain risk parameters; JOB=hedge: electricity, and a vault that sells for it; JOB=yield: strategies
	@$(MAKE) --no-print-directory $(if $(findstring +training,$(BUILT_WITH)),build,node)
	@$(AGENT) $(if $(filter hedge,$(JOB)),hedge demo $(HEDGE_DEMO),$(if $(filter yield,$(JOB)),yield demo $(YIELD_DEMO),demo $(DEMO)))

# The gate takes nextest, which names what is slow and ends what hangs.
RUST_TESTS ?= cargo test --release --locked
MEMBERS := --workspace --exclude veriregime-fuzz

test: build test-contracts ## Run all tests
	$(RUST_TESTS) $(MEMBERS)

test-contracts: setup ## Run the tests of the contracts
	node contracts/snippets.mjs
	$(FORGE) build
	node contracts/artifacts.mjs --check
	node contracts/standard-json.mjs --check --bundle $(BUNDLE)
	node contracts/sizes.mjs
	$(FORGE) test
	node contracts/package.mjs $(FORGE)
	@git --no-pager diff --unified=0 -- contracts/snapshots 2>/dev/null || true

standard-json: setup ## Sources as Sourcify and Etherscan take them: BUNDLE=models/...
	$(FORGE) build contracts/src
	node contracts/standard-json.mjs --bundle $(BUNDLE)

invariants-long: setup ## More than a million random calls against the contracts
	FOUNDRY_PROFILE=long $(FORGE) test --match-contract Invariant -vv

.venv-contracts/.installed: contracts/symbolic/requirements.txt
	python3 -m venv .venv-contracts
	.venv-contracts/bin/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r $<
	@touch $@

CONTRACT_TOOLS := PATH="$(CURDIR)/.venv-contracts/bin:$(CURDIR)/$(dir $(FORGE)):$$PATH"

# Of the libraries alone. Solidity's panics count as failures: nothing overflows either.
halmos: node_modules/.installed .venv-contracts/.installed ## Prove properties of the contracts' arithmetic for every input
	$(CONTRACT_TOOLS) FOUNDRY_SRC=contracts/src/libraries FOUNDRY_TEST=contracts/test/symbolic FOUNDRY_OUT=out/symbolic \
	FOUNDRY_CACHE_PATH=cache/symbolic halmos --forge-build-out out/symbolic --no-status --panic-error-codes "*" \
	--solver-command ".venv-contracts/bin/python contracts/symbolic/solve.py" --solver-timeout-assertion 600s

slither: node_modules/.installed .venv-contracts/.installed ## Static analysis of the contracts; docs/SECURITY.md answers what is off
	$(CONTRACT_TOOLS) FOUNDRY_TEST=contracts/none FOUNDRY_SCRIPT=contracts/none FOUNDRY_OUT=out/slither \
	FOUNDRY_CACHE_PATH=cache/slither slither . --config-file contracts/slither.json --foundry-out-directory out/slither

# Hours; MUTANTS="RiskOracle.sol --every 5" takes a sample.
mutants: node_modules/.installed ## Change the contracts' core line by line and expect a test to fail
	python3 contracts/mutants.py $(CURDIR)/$(FORGE) $(MUTANTS)

# Without the optimizer, which generated verifiers and the newest Aave need to compile: their tests are left out. Tests that
# measure gas fail on such code, and some that depend on it: they run all the same.
coverage: node_modules/.installed ## Which lines of the contracts no test runs
	FOUNDRY_FUZZ_RUNS=32 FOUNDRY_INVARIANT_RUNS=2 FOUNDRY_INVARIANT_DEPTH=50 FORGE_SNAPSHOT_EMIT=false $(FORGE) coverage \
	--skip Proof --skip Verifier.sol --skip models/ --skip AaveOrigin --allow-failure --report lcov --report-file cache/lcov.info
	python3 contracts/coverage.py cache/lcov.info

lint: setup ## Formatting and lints of Rust and Solidity, documentation of the code
	cargo fmt --check
	cargo clippy --locked $(MEMBERS) --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps $(MEMBERS)
	cargo clippy --locked --no-default-features --all-targets -- -D warnings
	$(FORGE) fmt --check

.venv-deploy/.installed: deploy/lint/requirements.txt
	python3 -m venv .venv-deploy
	.venv-deploy/bin/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r $<
	@touch $@

# A build with the keys that are elsewhere: each has a tree of crates of its own.
lint-keys: ## Lints of the program with kms-aws, kms-gcp and ledger
	cargo clippy --locked --features kms-aws,kms-gcp,ledger -- -D warnings

.venv-ci/.installed: .ci/requirements.txt
	python3 -m venv .venv-ci
	.venv-ci/bin/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r $<
	@touch $@

CI_TOOLS := PATH="$(CURDIR)/.venv-ci/bin:$$PATH"

# The list of known holes is nothing that a registry of packages has.
deny: .venv-ci/.installed ## Licences and sources of every crate, and what is known against them
	$(CI_TOOLS) cargo deny --locked check licenses bans sources
	@if $(CI_TOOLS) cargo deny fetch db 2>/dev/null; then \
	    $(CI_TOOLS) cargo deny --locked check --disable-fetch advisories; \
	else \
	    echo "SKIPPED: the advisories cannot be fetched here; run make deny where they can"; \
	fi

lint-deploy: .venv-deploy/.installed ## Check container, compose, kubernetes and systemd files, dashboards and alerts
	.venv-deploy/bin/python deploy/lint/lint.py .venv-deploy/bin

chaos: build ## Kill daemon, prover and chains at random in ROUNDS=50 periods, of one job and of three; SEED=n draws otherwise
	CHAOS_ROUNDS=$(or $(ROUNDS),50) CHAOS_SEED=$(or $(SEED),1) cargo test --release --locked --test it -- chaos:: --nocapture

# Hours; SOAK_OUT=folder keeps a table and plots.
chaos-long: build ## 1,000 periods of three jobs with faults of RPCs, exchange, chains and processes at random
	SOAK_PERIODS=1000 cargo test --release --locked --test it -- soak:: --nocapture

.cargo-fuzz/bin/cargo-fuzz:
	cargo install cargo-fuzz --version 0.13.2 --locked --root .cargo-fuzz

# Without a sanitizer, since our code has no `unsafe`: so the stable compiler will do. New inputs rest in fuzz/found; one that
# fails is named, and belongs into fuzz/corpus, which the tests repeat.
FUZZ_RUNS ?= 2000000
fuzz: .cargo-fuzz/bin/cargo-fuzz ## Invent millions of inputs for every parser of bytes from outside: TARGETS=networks takes one
	@for target in $(or $(TARGETS),$(notdir $(wildcard fuzz/corpus/*))); do \
	    mkdir -p fuzz/found/$$target; \
	    CARGO_PROFILE_RELEASE_STRIP=none .cargo-fuzz/bin/cargo-fuzz run --sanitizer none --codegen-units 16 $$target \
	        fuzz/found/$$target fuzz/corpus/$$target -- -runs=$(FUZZ_RUNS) -max_len=16384 -timeout=10 -rss_limit_mb=2048 \
	        -verbosity=0 -print_final_stats=1 || exit 1; \
	done

bench: build ## Measure speed, size and gas
	@$(AGENT) bench
