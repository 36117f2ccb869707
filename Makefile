# Builds and tests Seekr. 'make help' lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := all

JAR := target/seekr.jar
LIB := build/native/lib/libseekr_cpu.so
# Folders too: a file that goes away changes its folder.
SOURCES := $(shell find src/main) pom.xml

JDK := $(shell scripts/find-jdk javac 2>/dev/null)
# Maven's own libraries call what newer JDKs warn about; the settings silence that and change nothing else. -C: what is fetched must have the checksum
# that is published with it.
MVN = JAVA_HOME=$(JDK) \
  MAVEN_OPTS="--sun-misc-unsafe-memory-access=allow --enable-native-access=ALL-UNNAMED $(MVN_LOG)" mvn -B -C -ntp -Dstyle.color=never
# Only warnings, and what the tests say: the output ends in their counts.
TEST_LOG := -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
  -Dorg.slf4j.simpleLogger.log.org.apache.maven.plugin.surefire=info
# All CPUs, unless make was told how many.
NATIVE = $(MAKE) --no-print-directory -C native $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))

CUDA = $(MAKE) --no-print-directory -C cuda $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))

DEMO ?= full

# Benchmarks: a JMH pattern and options, and where the results go.
BENCH ?= .
RESULTS ?= build/bench.jsonl

.PHONY: help all build compiled cuda-tests native mpi mpi-test slurm-test pbs-test test-isa cuda cuda-emulated test-cuda gpu-pack demo bench bench-ratios test native-test disk-test page-test screenshots verify fidelity method-mutants settings results pictures soak fuzz proofs format check tidy javadoc sbom asan tsan clean tools golden
help:
	@echo "make               build: the kernels (native), then $(JAR)"
	@echo "make native        the kernel library alone"
	@echo "make compiled      the same and all tests, without running them"
	@echo "make mpi           the library for runs of several processes, with this site's mpicc (MPICC): docs/cluster.md"
	@echo "make mpi-test      the tests of several processes connected by MPI, on this machine"
	@echo "make slurm-test    test the batch scripts of examples/slurm in a Slurm of two nodes on this machine; pbs-test: those of examples/pbs"
	@echo "make demo          build, then train on a sequence of small tasks (DEMO=short: a minute or so)"
	@echo "make test          all tests: kernels, then Java"
	@echo "make page-test     test the report page in headless Chromium, in the widths of a phone and a screen"
	@echo "make test-isa      the result tests on instruction sets other than the best (ISAS='avx2 scalar')"
	@echo "make disk-test     test runs on a full or read-only disk (needs mount namespaces)"
	@echo "make cuda          the kernel library for NVIDIA GPUs (minutes); then 'make' puts it into the jar"
	@echo "make test-cuda     the CUDA tests on a GPU; 'make test' runs them on an emulated one"
	@echo "make gpu-pack      an archive with all checks that need a GPU, for a machine without JDK, Maven and network: see scripts/gpu"
	@echo "make verify        compare with reference results (GOLDEN=their folder)"
	@echo "make fidelity      write docs/fidelity.md: the evidence that each method is implemented correctly"
	@echo "make method-mutants  run mutants of the methods, each of which a reference test must detect (MUTANT='part of a name'); docs/method-mutants.md"
	@echo "make settings      write docs/settings.md and docs/seekr.schema.json: every key, its meaning and allowed values"
	@echo "make results       rewrite the tables in documents that show committed runs (docs/results)"
	@echo "make pictures      redraw docs/forgetting.svg, docs/speed.svg and docs/report.html; part of results"
	@echo "make screenshots   screenshots of docs/report.html, or of REPORT=page, for the documents"
	@echo "make bench         JMH benchmarks, results in RESULTS=$(RESULTS) (BENCH='AttentionBench -p T=512': selection and JMH options)"
	@echo "make bench-ratios  compare two such files (OLD=file NEW=file)"
	@echo "make fuzz          generate inputs for all file readers, FUZZ_SECONDS=$(FUZZ_SECONDS) in all; findings in build/fuzz"
	@echo "make soak          kill KILLS=$(KILLS) runs at random and make FAULTS=$(FAULTS) operations of each kind fail; all runs must end bit-identical"
	@echo "make proofs        what is too long for every change: the whole soak, an hour of fuzzing, all sanitizers and kernel mutations (hours)"
	@echo "make format        format the Java, C++ and CUDA sources"
	@echo "make check         fail if a source is not formatted, a package imports one above it, or a benchmark does not compile"
	@echo "make tidy          run clang-tidy on C++ and CUDA; part of check"
	@echo "make javadoc       the API pages, in target/reports/apidocs"
	@echo "make sbom          the shipped libraries as CycloneDX, in target/seekr.cdx.json; fails if NOTICE differs"
	@echo "make asan, tsan    the kernel tests under the address and undefined-behaviour, or thread, sanitizers"
	@echo "make clean         remove what was built"

all build: $(JAR)

native: tools
	@$(NATIVE)

# Compiled on site, since every MPI has types of its own, and anew each time, since another may be loaded; ./seekr names it to Java.
MPICC ?= mpicc
MPI := build/mpi/libseekr_mpi.so
mpi:
	@command -v $(MPICC) >/dev/null || { echo "$(MPICC) was not found: load this site's MPI (module load), or install the Debian package libopenmpi-dev" >&2; exit 69; }
	@mkdir -p $(dir $(MPI))
	@$(MPICC) -std=gnu11 -O2 -fPIC -shared -fvisibility=hidden -Wall -Wextra -Werror native/mpi/mpi.c -o $(MPI)
	@echo "built $(MPI)"

# Processes that MPI connects.
mpi-test: $(JAR)
	@! command -v $(MPICC) >/dev/null || $(MAKE) --no-print-directory mpi
	@$(MVN) -q test-compile
	@scripts/mpi-test $(JDK) target/test-classes:target/classes

# Batch scripts, run by what a batch system would run them by.
slurm-test pbs-test: $(JAR)
	@! command -v $(MPICC) >/dev/null || $(MAKE) --no-print-directory mpi
	@scripts/$@

# The CUDA kernels on the emulator.
cuda-emulated: tools
	@$(CUDA) -s test

# The library for GPUs; the jar carries it when it is there.
cuda: tools
	@$(CUDA)

# The same tests on a GPU. They fail where there is none.
test-cuda: native cuda
	@$(CUDA) -s test-device
	@$(MVN) test -Dcuda.device= -Dtest='NativeAccuracyTest,NativeOpsTest,NativeRepeatTest,OpTypesTest,CudaMemoryTest,CudaTrainTest'

# What scripts/gpu runs on a machine that has a GPU, and neither Java nor network.
gpu-pack:
	@MAKE="$(MAKE)" scripts/gpu pack

# Touched only when the library changed, so that the jar is as fresh as its contents.
$(LIB): native
	@:

$(JAR): $(SOURCES) $(LIB) | tools
	@$(MVN) -q package -Dmaven.test.skip=true
	@touch $@
	@echo "built $@: run ./seekr --help"

# All that tests run, and the fuzzer's libraries: Maven compiles tests again where others than these are asked for.
compiled: $(JAR) cuda-tests
	@$(MVN) -q -Pfuzz test-compile
cuda-tests: tools
	@$(CUDA) -s tests

demo: $(JAR)
	@DEMO=$(DEMO) scripts/demo

test: native-test cuda-emulated
	@$(MVN) test

# Results, not kernels: those are tested on every instruction set anyway; and nothing that no kernel computes, nor FidelityTest: methods are compared
# with their references on the best one, and everything they call is among the other tests.
# Most tests take less than a second, in which Java's better compiler takes longer than what it makes saves.
QUICK := -Dtest.jvm=-XX:TieredStopAtLevel=1
ISAS ?= avx2 scalar
test-isa: native
	@$(CUDA) -s emulator
	@for isa in $(ISAS); do echo "results on $$isa"; \
	  $(MVN) test $(QUICK) -Dtest.isa=$$isa -Dtest='dev.seekr.model.*Test,dev.seekr.method.*Test,!LongSequenceTest,!FidelityTest,!*FuzzTest' || exit 1; done

native-test: native
	@$(NATIVE) test check-exports

test test-isa results fidelity method-mutants disk-test page-test: MVN_LOG = $(TEST_LOG)

# GOLDEN is a reference folder or holds several.
REFERENCES = $(sort $(dir $(wildcard $(GOLDEN)/config.json $(GOLDEN)/*/config.json)))
verify: golden $(JAR)
	@./seekr verify $(REFERENCES)

golden:
	$(if $(GOLDEN),,$(error GOLDEN is not set: make verify GOLDEN=folder of reference results))
	$(if $(REFERENCES),,$(error no reference folder (one with config.json) in $(GOLDEN)))
	@:

# A disk that is full or read-only, in a mount namespace.
disk-test: native
	@scripts/disk-test env $(MVN) test -Dtest=SmallDisk

# The report page in headless Chromium.
page-test: native
	@$(MVN) test -Dtest=PageInBrowser

# REPORT, a page of runs, as pictures for the documents.
REPORT ?= docs/report.html
screenshots: $(JAR)
	@$(MVN) -q test-compile dependency:build-classpath -DincludeScope=test -Dmdep.outputFile=target/test.classpath
	@$(TEST_JAVA) dev.seekr.page.Browser $(REPORT) docs/report.png docs/report-phone.png

# The page and the schema of all settings.
settings: $(JAR)
	@./seekr info --config=markdown > docs/settings.md
	@./seekr info --config=schema > docs/seekr.schema.json

results: native
	@$(MVN) test -Dtest=DocumentsTest -Ddocuments=write
	@$(MAKE) --no-print-directory pictures

# Of committed runs, and of the table in docs/speed.md.
pictures: $(JAR)
	@scripts/pictures.py docs/results/low
	@./seekr report docs/results/low -o docs/report.html

fidelity: native
	@$(MVN) test -Dtest=FidelityTest -Dfidelity=write

# MUTANT is part of a name; all if empty, and then the document is written.
method-mutants: native
	@$(MVN) test -Dtest=MethodMutants -Dmutants='$(MUTANT)'

# MKL multiplies for libtorch here as it does in PyTorch, and its memory is bounded by the machine's alone: maps of 4096 tokens take gigabytes.
BENCH_JAVA = $(JDK)/bin/java -Xmx4g --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
  -Dorg.bytedeco.openblas.load=mkl -Dorg.bytedeco.javacpp.maxphysicalbytes=0 -Dseekr.commit=$(shell git rev-parse --short HEAD 2>/dev/null) \
  -cp target/test-classes:target/classes:$$(cat target/bench.classpath)

bench: native
	@$(MVN) -q -Pbench,libtorch test-compile
	@mkdir -p $(dir $(RESULTS))
	@$(BENCH_JAVA) dev.seekr.jmh.Benchmarks $(RESULTS) $(BENCH)

bench-ratios: native
	$(if $(OLD),,$(error OLD is not set: make bench-ratios OLD=results NEW=results))
	$(if $(NEW),,$(error NEW is not set: make bench-ratios OLD=results NEW=results))
	@$(MVN) -q -Pbench test-compile
	@$(BENCH_JAVA) dev.seekr.jmh.BenchmarkRatios $(OLD) $(NEW)

# FUZZ names targets (FUZZ='RunConfig Manifest'), all if empty; FUZZ_SEED begins the random numbers.
FUZZ_SECONDS ?= 60
fuzz: native
	@$(MVN) -q -Pfuzz test-compile
	@FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_SEED=$(FUZZ_SEED) scripts/fuzz $(JDK) target/test-classes:target/classes:$$(cat target/fuzz.classpath) $(FUZZ)

# Hours. CI takes a few of both.
KILLS ?= 200
FAULTS ?= all
SEED ?= $(shell date +%s)
TEST_JAVA = $(JDK)/bin/java -Xmx2g --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
  -cp target/test-classes:target/classes:$$(cat target/test.classpath)
soak: $(JAR)
	@$(MVN) -q test-compile dependency:build-classpath -DincludeScope=test -Dmdep.outputFile=target/test.classpath
	@$(TEST_JAVA) dev.seekr.run.Soak $(KILLS) $(SEED)
	@$(TEST_JAVA) dev.seekr.run.FaultSweep $(FAULTS) $(SEED)

proofs: soak
	@$(MAKE) --no-print-directory fuzz FUZZ_SECONDS=3600
	@$(MAKE) --no-print-directory asan tsan
	@$(CUDA) -s layouts asan tsan mutations report

# C++ and CUDA; lines that clang-format leaves longer, comments and texts, are held to 110 too.
CXX_SOURCES = $(shell git ls-files '*.c' '*.cpp' '*.h' '*.cu' '*.cuh')

format: tools
	@$(MVN) -q spotless:apply
	@scripts/clang-format -i $(CXX_SOURCES)

# What ships, once: vectors of 512 bits, and CUDA as the emulator reads it. Tests compare values with themselves on purpose, which is what it looks for.
TIDY_CPU := -std=c++20 -DSK_ISA=avx512 -mavx512f -mavx512vl -mavx512bw -mavx512dq -mavx512bf16 -mfma -mf16c
TIDY_CUDA := -x c++ -std=c++17 -DSK_EMULATOR
tidy:
	@scripts/clang-tidy --version >/dev/null
	@{ git ls-files 'native/src/*.cpp' | sed 's|$$| -- $(TIDY_CPU)|'; \
	   git ls-files 'cuda/src/*.cu' 'cuda/src/*.cpp' 'cuda/emulator/*.cpp' 'cuda/bench/*.cpp' | sed 's|$$| -- $(TIDY_CUDA)|'; } | \
	  xargs -P $(shell nproc) -d '\n' -I FILE sh -c 'out=$$(scripts/clang-tidy --quiet FILE -w 2>&1) || { echo "$$out"; exit 1; }'
	@echo "clang-tidy: clean"

check: MVN_LOG = $(TEST_LOG)
check: native tidy
	@scripts/clang-format --dry-run -Werror $(CXX_SOURCES)
	@awk 'length > 110 { print FILENAME ":" FNR ": longer than 110 columns"; bad = 1 } END { exit bad }' $(CXX_SOURCES)
	@$(MVN) spotless:check
	@$(MVN) test -Dtest=LayeringTest
	@$(MVN) -q -Pbench test-compile

javadoc: tools
	@$(MVN) -q compile org.apache.maven.plugins:maven-javadoc-plugin:javadoc

sbom: tools
	@$(MVN) -q org.cyclonedx:cyclonedx-maven-plugin:makeBom
	@scripts/notice-check target/seekr.cdx.json

asan tsan: tools
	@$(NATIVE) $@

clean:
	rm -rf build target

# What is needed and which Debian package has it; one line each, and the first that is missing ends the build.
need = $(if $(shell command -v $(1)),,$(error $(1) was not found: install the Debian package $(2)))
tools:
	$(call need,g++,g++)
	$(call need,mvn,maven)
	$(if $(JDK),,$(error $(shell scripts/find-jdk javac 2>&1)))
	@echo "JDK    $$(sed -n 's/^JAVA_VERSION="\(.*\)"/\1/p' $(JDK)/release) in $(JDK)"
	@echo "g++    $$(g++ -dumpfullversion)"
	@echo "Maven  $$(JAVA_HOME=$(JDK) mvn --version 2>/dev/null | sed -n '1s/.*Maven \([0-9.]*\).*/\1/p')"
