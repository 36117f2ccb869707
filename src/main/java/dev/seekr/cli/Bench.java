package dev.seekr.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.seekr.Failure;
import dev.seekr.backends.Backends;
import dev.seekr.bench.Rates;
import dev.seekr.bench.StepBench;
import dev.seekr.bench.TimedOps;
import dev.seekr.config.ConfigReader;
import dev.seekr.config.RunConfig;
import dev.seekr.config.TrainSettings.State;
import dev.seekr.disk.Disk;
import dev.seekr.disk.Scratch;
import dev.seekr.distributed.Collectives;
import dev.seekr.model.LlamaConfig;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.ModelFolder;
import dev.seekr.model.Role;
import dev.seekr.model.Weights;
import dev.seekr.ops.Ops;
import dev.seekr.report.ResidentMemory;
import dev.seekr.report.Table;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import org.apache.commons.math3.stat.StatUtils;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Speed and memory. */
@Command(
    name = "bench",
    description = "Measures speed and memory.",
    subcommands = BenchGenerate.class)
final class Bench implements Runnable {
  /** More than any step or cache that is measured here. */
  static final int MOST_TOKENS = 1 << 24;

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(), "Missing command: bench step or bench generate");
  }

  @Command(
      name = "step",
      description =
          "Times a training step by operation, against the speed of large matrix products.")
  void step(
      @Parameters(
              paramLabel = "MODEL",
              description = "Model folder; random weights if it has none.")
          Path folder,
      @Option(
              names = "--mode",
              defaultValue = "plain",
              description = "plain, seekr, importance, lora or prompt.")
          StepBench.Mode mode,
      @Option(names = "--sequences", defaultValue = "2", description = "Sequences per step.") int S,
      @Option(names = "--tokens", defaultValue = "512", description = "Tokens per sequence.") int T,
      @Option(names = "--warmup", defaultValue = "2", description = "Untimed steps.") int warmup,
      @Option(names = "--repeats", defaultValue = "5", description = "Timed steps.") int repeats,
      @Option(names = "--json", description = "Also write the results to this file.") Path json,
      @Option(
              names = "--set",
              paramLabel = "SETTING=VALUE",
              description =
                  "train.state, train.recompute or dist.shard, such as train.state=bf16; repeatable.")
          List<String> settings,
      @Mixin BackendOptions backend) {
    if (S < 1 || T < 8 || (long) S * T > MOST_TOKENS || warmup < 0 || repeats < 1) {
      throw new ParameterException(
          spec.commandLine(),
          "expected at least 1 sequence of 8 tokens, at most %d tokens in all, and 1 repeat; found %d of %d and %d (warm-up %d)"
              .formatted(MOST_TOKENS, S, T, repeats, warmup));
    }
    var set = new ArrayList<String>(List.of("train.micro_tokens=" + S * T));
    for (String setting : settings == null ? List.<String>of() : settings) {
      if (!setting.matches("train\\.(state|recompute)=.*|dist\\.shard=.*"))
        throw new ParameterException(
            spec.commandLine(),
            "--set %s: expected train.state=..., train.recompute=... or dist.shard=...; all else has options of its own"
                .formatted(setting));
      set.add(setting);
    }
    RunConfig parsed = ConfigReader.parse("", "bench", set);
    RunConfig config = parsed.computedBy(backend.apply(parsed.run())).requireHeld();
    if (config.train().state() != State.f32 && !mode.ofAllWeights())
      throw new ParameterException(
          spec.commandLine(),
          "train.state is of all weights: expected --mode plain or seekr, found " + mode);
    Processes.run(
        (Faults) spec.commandLine().getExecutionExceptionHandler(),
        all -> {
          if (all.ranks() > 1 && mode != StepBench.Mode.plain)
            throw Failure.config("several processes share --mode plain alone, found %s", mode);
          step(folder, config, mode, new StepBench.Shape(S, T), warmup, repeats, json, all);
        });
  }

  private void step(
      Path folder,
      RunConfig config,
      StepBench.Mode mode,
      StepBench.Shape steps,
      int warmup,
      int repeats,
      Path json,
      Collectives all) {
    LlamaConfig shape = LlamaConfig.read(folder);
    try (Ops ops = Backends.open(config.run(), all.localRank());
        var _ = Backends.connect(ops, all);
        var memory = new Memory("model")) {
      double rate = Rates.matmul(ops);
      var timed = new TimedOps(ops);
      Weights weights = weights(folder, shape, ops, memory);
      try (var scratch = Scratch.create();
          var bench =
              new StepBench(
                  config,
                  new LlamaModel(shape, weights, timed, config.train().recompute()),
                  timed,
                  steps,
                  scratch.folder(),
                  all)) {
        var result = bench.run(mode, warmup, repeats);
        if (!all.first()) return;
        report(result, mode, steps.S() * steps.T(), rate, ops.description(), json);
        if (all.ranks() == 1) return;
        double least = 2.0 * (all.ranks() - 1) / all.ranks() * weights.flat().size() * 4;
        var cost = result.cost();
        var out = spec.commandLine().getOut();
        out.printf(
            "%n%d processes; each sent %s MB a step, of %s that a sum of gradients in float32 takes at least; sums and exchanges took %s s a step, of which %s were waited for%n",
            all.ranks(),
            text("%.1f", cost.sent() / 1e6 / repeats),
            text("%.1f", least / 1e6),
            text("%.3f", cost.busy() / repeats),
            text("%.3f", cost.waited() / repeats));
        out.flush();
      }
    }
  }

  /** Of the folder, or random ones where it has none. */
  static Weights weights(Path folder, LlamaConfig shape, Ops ops, Memory memory) {
    var weights = new Weights(shape, ops, memory, "weights");
    if (Files.exists(folder.resolve("model.safetensors"))
        || Files.exists(folder.resolve("model.safetensors.index.json")))
      ModelFolder.load(folder, weights, ops);
    else randomize(weights, ops);
    return weights;
  }

  /** The same million normal numbers over and over: billions of draws would take minutes. */
  private static void randomize(Weights weights, Ops ops) {
    var random = new SplittableRandom(1);
    var numbers = new float[1 << 20];
    for (int i = 0; i < numbers.length; i++) numbers[i] = (float) (0.02 * random.nextGaussian());
    try (var memory = new Memory("random numbers")) {
      Tensor same = memory.allocate("bench", ops.dtype(), numbers.length);
      same.copyFrom(numbers);
      for (var block : weights.blocks()) {
        Tensor w = block.tensor();
        if (block.role() == Role.NORM) {
          var ones = new float[Math.toIntExact(w.size())];
          Arrays.fill(ones, 1);
          w.copyFrom(ones);
          continue;
        }
        long n;
        for (long from = 0; from < w.size(); from += n) {
          n = Math.min(numbers.length - from % 4093, w.size() - from);
          w.view(from, n).copyFrom(same.view(from % 4093, n));
        }
      }
    }
  }

  private void report(
      StepBench.Result r, StepBench.Mode mode, int tokens, double rate, String ops, Path json) {
    double bound = r.flops() / rate;
    PrintWriter out = spec.commandLine().getOut();
    out.println("backend: " + ops);
    out.print(
        new Table("", "")
            .row("mode", mode.name())
            .row(
                "seconds",
                text(
                    "%.3f (%.3f to %.3f)",
                    r.median(),
                    StatUtils.percentile(r.seconds(), 25),
                    StatUtils.percentile(r.seconds(), 75)))
            .row("tokens/s", text("%.1f", tokens / r.median()))
            .row("GFLOP", text("%.1f", r.flops() / 1e9))
            .row("GFLOP/s", text("%.1f", r.flops() / 1e9 / r.median()))
            .row("matrix products", text("%.1f GFLOP/s", rate / 1e9))
            .row("bound", text("%.3f s, of which %.1f %% reached", bound, 100 * bound / r.median()))
            .row("outside kernels", text("%.2f %%", 100 * r.outside()))
            .row("peak resident", text("%d MiB", ResidentMemory.peak() >> 20)));
    out.println();
    var byOp = new Table("operation", "seconds", "share");
    r.byOp().entrySet().stream()
        .sorted(Map.Entry.<String, Double>comparingByValue().reversed())
        .forEach(
            e ->
                byOp.row(
                    e.getKey(),
                    text("%.4f", e.getValue()),
                    text("%.1f %%", 100 * e.getValue() / r.mean())));
    out.print(byOp);
    out.println();
    var byTag = new Table("memory", "peak MiB");
    r.peak().forEach((tag, bytes) -> byTag.row(tag, text("%.1f", bytes / 1048576.0)));
    out.print(byTag);
    out.flush();
    if (json == null) return;
    var figures = new ObjectMapper().createObjectNode();
    figures.put("mode", mode.name()).put("backend", ops).put("seconds", r.median());
    figures.put("tokens_per_second", tokens / r.median()).put("flops", r.flops());
    figures.put("matmul_flops_per_second", rate).put("bound_reached", bound / r.median());
    figures.put("outside_kernels", r.outside()).put("peak_rss_bytes", ResidentMemory.peak());
    r.byOp().forEach(figures.putObject("seconds_by_op")::put);
    Disk.publish(json, figures + "\n");
  }

  static String text(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
