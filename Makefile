PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
MOTO := .venv-moto
MOTO_READY := $(MOTO)/.ready
export PYTHONDONTWRITEBYTECODE =

.PHONY: demo test test-long test-bare check format lock clean picture kinds shapes torture bench cluster cluster-quiet cluster-charts faults hostile test-accounts keys pictures frames

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $(READY)

$(MOTO_READY): requirements.moto.lock # apart from ours: moto wants another python-dateutil than kubernetes does
	$(PYTHON) -m venv $(MOTO)
	$(MOTO)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements.moto.lock
	touch $(MOTO_READY)

demo: $(READY) ## open the console on a rehearsal of a whole launch
	$(BIN)/launch-console rehearse

test: $(READY) $(MOTO_READY) ## every test but the long ones
	$(BIN)/python -m pytest -n 3 --dist worksteal -m "not alone and not long"
	$(BIN)/python -m pytest -m "alone and not long"

test-long: $(READY) $(MOTO_READY) ## the long ones: whole launches, both helms, a control plane, every case
	$(BIN)/python -m pytest -n 3 --dist worksteal -m "long and not alone"
	$(BIN)/python -m pytest -m "long and alone"

test-accounts: $(READY) ## a whole launch that three Unix accounts drive; wants root and an idle machine, a minute or two
	LAUNCH_CONSOLE_ACCOUNTS=1 $(BIN)/python -m pytest -q -p no:cacheprovider tests/console/rehearsal/autopilot/test_three_accounts.py

test-bare: $(READY) ## what drives other programs, where none of them is: all of it is skipped, nothing is red
	$(BIN)/python -m tests.bare -rs -m "needs or wire or tmux"

check: $(READY) ## lint, format, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

RUNS ?= 3

frames: $(READY) ## draw the canonical frames RUNS times: none may differ
	for run in $$(seq $(RUNS)); do $(BIN)/python -m pytest -q -p no:cacheprovider tests/screens/test_frames.py || exit 1; done

pictures: $(READY) ## draw every picture of README and docs
	$(BIN)/python -m tests.pictures

kinds: $(READY) ## write docs/checks.md from the kinds of checks
	$(BIN)/launch-console checks page >docs/checks.md

shapes: $(READY) ## give every kind of check every answer of the wrong shape
	LAUNCH_CONSOLE_SHAPES=all $(BIN)/python -m pytest -q -s -p no:cacheprovider tests/checks/test_wrong_shapes.py

faults: $(READY) ## every fault of the rehearsal's catalogue, each judged by every item, and every odd world
	FAULT_TABLE=whole $(BIN)/python -m pytest -q -p no:cacheprovider -n 2 tests/console/rehearsal/dotmac/faults/test_fault_table.py

SCRATCH ?= /tmp/launch-console-torture

torture: $(READY) ## kill writers and launches, cut the power, fail every system call: for hours
	rm -rf $(SCRATCH)
	mkdir -p $(SCRATCH)/writers $(SCRATCH)/power
	$(BIN)/python -m tests.torture.kills $(SCRATCH)/writers
	$(BIN)/python -m tests.torture.stress $(SCRATCH)/rounds
	$(BIN)/python -m tests.torture.powerloss $(SCRATCH)/power
	$(BIN)/python -m tests.torture.syscalls $(SCRATCH)/calls --every
	LOG_FLIPS=20000 $(BIN)/python -m pytest -q -p no:cacheprovider -k flipped tests/state/log/test_verify.py
	$(BIN)/python -m tests.torture.rehearsals $(SCRATCH)/launches

hostile: $(READY) ## 2,000 hostile requests, logs, outputs, answers and bytes of terminals each; SEED draws them
	@seed="$${SEED:-$$(date +%s)}"; echo "SEED=$$seed"; \
	  HOSTILE_EXAMPLES=2000 $(BIN)/python -m pytest -p no:cacheprovider --timeout 3600 --hypothesis-seed="$$seed" tests/hostile

bench: $(READY) ## figures beside their goals; wants an idle machine
	rm -rf $(SCRATCH)/bench
	$(BIN)/python -m tests.torture.bench $(SCRATCH)/bench
	$(BIN)/python -m tests.bench.sweep
	$(BIN)/python -m tests.bench.conditions

CLUSTER ?= /tmp/launch-console-cluster

keys: $(READY) ## every sentence into every dialog, and every binding on every screen in random order: minutes
	EVERY_SENTENCE=1 EVERY_BINDING=1 $(BIN)/python -m pytest -q -p no:cacheprovider -n auto \
	  tests/screens/dialogs/test_typing.py tests/screens/test_every_binding.py

cluster: $(READY) ## build (once) and start a real control plane on loopback, until Ctrl-C
	rm -rf $(CLUSTER)
	$(BIN)/python -m tests.cluster.serve $(CLUSTER)

cluster-quiet: $(READY) ## watch 300 pods of a real control plane for five minutes: what an engine asks, and its CPU
	LAUNCH_CONSOLE_QUIET_S=300 $(BIN)/python -m pytest -q -s -p no:cacheprovider tests/cluster/test_quiet.py

cluster-charts: $(READY) ## prove every chart of ours with both helms on a real control plane; SEED draws what is changed by hand, SEED=every changes it all
	$(BIN)/python -m tests.cluster.charts --seed "$${SEED:-$$(git rev-parse HEAD)}"

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: ## resolve the dependencies anew, without naming where they come from
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url --no-emit-find-links --group dev --upgrade pyproject.toml -o requirements.lock
	printf 'moto[s3]\nflask\nflask-cors\n' | $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --no-emit-index-url --no-emit-find-links --upgrade - -o requirements.moto.lock

clean:
	rm -rf $(VENV) $(MOTO) dist build .mypy_cache .ruff_cache .pytest_cache
