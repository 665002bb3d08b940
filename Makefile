# Every target does its own set-up: a virtualenv in .venv with everything in it and, as root on Debian, the packages that needs.
PYTHON ?= python3
BIN := .venv/bin
VENV_PACKAGES := python3-venv
# package:program, as tests look for it. Tests start them on ports and folders of their own; RUNLEVEL=1 below keeps Debian from starting them, too
TEST_PACKAGES := chromium npm openssl openssh-client:ssh-keygen prometheus prometheus-alertmanager redis-server rabbitmq-server postgresql:pg_createcluster systemd:systemd-analyze
CLUSTER_TESTS ?= cluster
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo test test-slow cluster cluster-down test-cluster lint bench samples wheel clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: .venv/ready  ## run the embedded shop through an outage it survives and one it does not (about a minute)
	@$(BIN)/gameday demo

test: .venv/ready-dev  ## the tests without load or timing (a few minutes)
	@$(BIN)/python -m pytest -q -m "not slow and not long and not cluster" -n 2 --dist loadfile

test-slow: .venv/ready-dev  ## load and timing one after the other; whole runs, kills and browsers three at a time
	@$(BIN)/python -m pytest -q -m "slow and not cluster" -p no:xdist --durations=15
	@$(BIN)/python -m pytest -q -m long -n 3 --dist loadfile --no-loadscope-reorder --durations=15 tests/journey tests/contract tests/integration

cluster: .venv/ready-dev  ## start a real Kubernetes cluster (built once, about 7 minutes; as root on Debian 12, or with Docker and kind)
	@$(BIN)/python -m tests.cluster.machine up

cluster-down: .venv/ready-dev  ## end that cluster; nothing of it is left but the build
	@$(BIN)/python -m tests.cluster.machine down

test-cluster: .venv/ready-dev  ## the tests on that cluster, or on the one that GAMEDAY_TEST_KUBECONFIG names
	@$(BIN)/python -m pytest -q -m "$(CLUSTER_TESTS)" -p no:xdist --durations=15 tests/cluster

lint: .venv/ready-dev  ## ruff, mypy strict, pyright strict, import contracts, dependencies
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/pyright
	@$(BIN)/lint-imports
	@$(BIN)/deptry .

bench: .venv/ready-dev  ## ratios of ours to a peer, each measured in one run
	@for script in bench/*.py; do echo "== $$script"; \
	case $$script in */soak.py) seconds=60;; *) seconds=;; esac; $(BIN)/python $$script $$seconds || exit 1; done

samples: .venv/ready-dev  ## write the sample reports of docs/samples again
	@$(BIN)/python -m tests.fakes.showcase docs/samples

wheel: .venv/ready-dev  ## build the wheel into dist/
	@rm -rf dist && $(BIN)/python -m build -q --wheel --outdir dist

clean:  ## remove what these targets made
	rm -rf .venv dist build

# A fresh Debian has no venv module: as root we install it, otherwise we name the one line that does.
.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "gameday needs Python 3.11 or newer: make PYTHON=python3.12 …"; exit 1; }
	@rm -rf .venv; \
	if ! $(PYTHON) -m venv .venv >/dev/null 2>&1; then \
	  rm -rf .venv; \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $(VENV_PACKAGES) >/dev/null; \
	  else echo "Python's venv module is missing; run: sudo apt-get install -y $(VENV_PACKAGES)"; exit 1; fi; \
	  $(PYTHON) -m venv .venv; \
	fi
	@$(BIN)/python -m pip install -q --disable-pip-version-check -U 'pip>=25.1'

.venv/ready: pyproject.toml | .venv/bin/python
	@echo "installing gameday into .venv …"
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e . && touch $@

.venv/ready-dev: pyproject.toml | .venv/ready
	@echo "installing the test tools into .venv …"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --group dev && touch $@
	@missing=""; for one in $(TEST_PACKAGES); do PATH="$$PATH:/usr/sbin" command -v $${one#*:} >/dev/null || missing="$$missing $${one%:*}"; done; \
	if [ -z "$$missing" ]; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "installing Debian packages:$$missing …"; \
	  apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	else echo "some tests will be skipped; for them run: sudo apt-get install -y$$missing"; fi
