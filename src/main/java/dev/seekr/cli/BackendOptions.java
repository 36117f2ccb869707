package dev.seekr.cli;

import dev.seekr.config.RunSettings;
import dev.seekr.config.RunSettings.Floats;
import picocli.CommandLine.Option;

/** What computes, for commands that take no configuration file. */
final class BackendOptions {
  @Option(
      names = "--backend",
      description = "auto, cpu, cuda or reference (slow, double accumulation); default auto.")
  private RunSettings.Backend backend = RunSettings.Backend.auto;

  @Option(names = "--dtype", description = "f32 (default) or bf16.")
  private Floats dtype = Floats.f32;

  @Option(names = "--threads", description = "Number of threads; 0 (default): one per CPU.")
  private int threads;

  @Option(names = "--isa", description = "auto (default), avx512, avx2 or scalar.")
  private RunSettings.Isa isa = RunSettings.Isa.auto;

  /** The same run with these choices. */
  RunSettings apply(RunSettings run) {
    return run.computedBy(backend, dtype, threads, isa);
  }
}
