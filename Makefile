# Everything that a person or CI does with this checkout. `make help` lists it.
SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := build

HOST        := $(shell uname -m)
# ARCH=arm64 cross-builds, into bin/arm64 and artifacts/arm64.
ARCH        := $(HOST)
override ARCH := $(patsubst arm64,aarch64,$(ARCH))
CROSS       := $(if $(filter-out $(HOST),$(ARCH)),arm64)
OUT         := artifacts$(CROSS:%=/%)
BINARY      := bin$(CROSS:%=/%)/veil
SYSTEM_ROOT := $(if $(CROSS),$(shell eng/arm64-root))
BPF_ARCH    := $(if $(filter aarch64,$(ARCH)),arm64,x86)
BPF_SOURCES := $(wildcard src/Veil.Modules/*/*.bpf.c)
BPF_HEADERS := $(wildcard bpf/veil/*.h) $(wildcard src/Veil.Modules/*/*.bpf.h)
BPF_OBJECTS := $(patsubst %.bpf.c,$(OUT)/bpf/%.bpf.o,$(notdir $(BPF_SOURCES)))
CS_SOURCES  := $(shell find src -name '*.cs' -o -name '*.csproj') $(wildcard src/Veil.Cli/Native/*.[ch]) Directory.Build.props Directory.Packages.props
PREFIX      ?= /usr/local
CLANG       ?= clang
# Lines of inlined functions are most of what a line table holds, and it goes into the executable.
BPF_FLAGS   := -O2 -g -gno-inline-line-tables -target bpf -D__TARGET_ARCH_$(BPF_ARCH) -Wall -Wextra -Werror -Wno-unused-parameter \
               -ffile-prefix-map=$(CURDIR)=. -Ibpf -I$(SYSTEM_ROOT)/usr/include/$(ARCH)-linux-gnu
DOTNET      := dotnet
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

vpath %.bpf.c $(sort $(dir $(BPF_SOURCES)))

.PHONY: always test-new-module test-kernels guest help setup generate build test bench demo fmt lint install clean syscalls man microbench reproducible release lock tarball deb rpm image test-packages test-kubernetes

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: artifacts/setup.stamp ## install what the build needs (apt, once)

artifacts/setup.stamp: eng/setup
	@eng/setup
	@mkdir -p $(@D) && touch $@

generate: $(BPF_OBJECTS) ## compile the BPF programs

$(OUT)/bpf/%.bpf.o: %.bpf.c $(BPF_HEADERS) Makefile | artifacts/setup.stamp
	@mkdir -p $(@D)
	$(CLANG) $(BPF_FLAGS) -c $< -o $@
	@llvm-strip -g $@ # DWARF; BTF stays
	@zstd -19 -qf $@ # what goes into the executable

artifacts/test-bpf/%.bpf.o: tests/bpf/%.bpf.c $(BPF_HEADERS) | artifacts/setup.stamp
	@mkdir -p $(@D)
	@$(CLANG) $(BPF_FLAGS) -c $< -o $@

build: $(BINARY) ## bin/veil: one native file (the default); ARCH=arm64 makes bin/arm64/veil

$(BINARY): $(BPF_OBJECTS) $(CS_SOURCES) eng/publish artifacts/version | artifacts/setup.stamp
	@eng/publish $(CROSS)
	@touch $@

# Changes when the commit does, so that `veil --version` is true.
artifacts/version: always
	@mkdir -p $(@D)
	@eng/version | cmp -s - $@ || eng/version >$@

always:

test: build artifacts/workloads.stamp artifacts/test-bpf/binding.bpf.o ## build and run all tests (as root: the kernel's too)
	@eng/setup browser || echo "test: there is no browser here: the tests of the page are skipped"
	@eng/run-tests

artifacts/workloads.stamp: $(wildcard tests/workloads/*.[ch] tests/workloads/*/*.[ch] tests/workloads/*/*.cpp tests/workloads/Makefile) | artifacts/setup.stamp
	@$(MAKE) --no-print-directory -C tests/workloads
	@touch $@

test-new-module: build artifacts/workloads.stamp artifacts/test-bpf/binding.bpf.o ## follow docs/adding-a-module.md in a copy, build and test what it makes (root)
	@eng/test-new-module

test-kernels: build artifacts/workloads.stamp artifacts/test-bpf/binding.bpf.o ## try every module on Debian's kernels in QEMU (KERNEL=6.1 for one)
	@eng/test-kernels $(KERNEL)

guest: build artifacts/workloads.stamp ## a shell in a virtual machine, with veil: make guest KERNEL=6.1
	@eng/setup guests && eng/guests/image && eng/guests/boot $(or $(KERNEL),6.1)

bench: build artifacts/workloads.stamp ## the figures: ratios against the floor and the peers, in one run
	@$(MAKE) --no-print-directory -C bench/floor
	@PATH="$$(eng/peers):$$PATH" VEIL_PEERS="$$(eng/peers --versions)" eng/tracefs with $(DOTNET) run --project bench/Veil.Bench -c Release -- $(or $(BENCH_ARGS),--into docs/performance.md)

microbench: $(BPF_OBJECTS) ## the parts of an event's way in userspace, each alone (BenchmarkDotNet)
	@$(DOTNET) run --project bench/Veil.MicroBench -c Release -- $(BENCH_ARGS)

demo: build artifacts/workloads.stamp ## trace a small workload for some seconds
	@eng/demo

syscalls: | artifacts/setup.stamp ## refresh the system call tables from Debian's newest kernel headers
	@eng/make-syscalls

man: build ## refresh docs/veil.1 and the tables of modules in the docs from what modules declare
	@bin/veil __man >docs/veil.1
	@bin/veil __tables README.md docs/usage.md

fmt: | artifacts/setup.stamp ## format C# and C
	@$(DOTNET) format Veil.slnx
	@clang-format -i bpf/veil/*.h src/Veil.Modules/*/*.bpf.[ch] src/Veil.Cli/Native/*.[ch] tests/bpf/*.c tests/workloads/*.[ch] tests/workloads/*/*.[ch] bench/floor/*.[ch]

lint: $(BPF_OBJECTS) | artifacts/setup.stamp ## formatting and analyzers, without changing anything
	@eng/lint

reproducible: build ## build once more in another folder and compare the bytes (takes as long as a build)
	@eng/reproducible

lock: | artifacts/setup.stamp ## refresh the lock files after a package's or the SDK's version changed
	@eng/lock

install: build ## install to PREFIX (/usr/local)
	@install -Dm755 bin/veil $(DESTDIR)$(PREFIX)/bin/veil
	@install -Dm644 docs/veil.1 $(DESTDIR)$(PREFIX)/share/man/man1/veil.1
	@install -Dm644 -t $(DESTDIR)$(PREFIX)/share/doc/veil README.md LICENSE LICENSES/GPL-2.0-or-later.txt THIRD-PARTY-NOTICES artifacts/publish/dotnet-notices.txt
	@install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(PREFIX)/share/zsh/site-functions $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	@bin/veil completion bash >$(DESTDIR)$(PREFIX)/share/bash-completion/completions/veil
	@bin/veil completion zsh >$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_veil
	@bin/veil completion fish >$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/veil.fish

release: build ## artifacts/release: the archive, its SBOM (CycloneDX) and SHA256SUMS
	@eng/release

tarball: release ## the same as release

deb: build ## artifacts/packages: a Debian package
	@eng/setup packages && ARCH=$(ARCH) eng/package deb

rpm: build ## artifacts/packages: an RPM package
	@eng/setup packages && ARCH=$(ARCH) eng/package rpm

image: build ## artifacts/packages: an OCI image (load it with podman, skopeo or docker) and its SBOM
	@eng/setup packages && ARCH=$(ARCH) eng/package image

test-kubernetes: build ## check packaging/kubernetes against the schemas of the API (kubectl, npm)
	@eng/test-kubernetes

test-packages: deb rpm image ## install, start, upgrade and purge them in a fresh Debian root; needs root
	@eng/test-packages

clean: ## remove what was built (not what was installed)
	@rm -rf artifacts bin
