package dev.seekr.cli;

import static dev.seekr.cli.Bench.text;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.seekr.backends.Backends;
import dev.seekr.bench.GenerateBench;
import dev.seekr.bench.Rates;
import dev.seekr.config.RunConfig;
import dev.seekr.config.TrainSettings.Recompute;
import dev.seekr.disk.Disk;
import dev.seekr.model.LlamaConfig;
import dev.seekr.model.LlamaModel;
import dev.seekr.ops.Ops;
import dev.seekr.report.ResidentMemory;
import dev.seekr.report.Table;
import dev.seekr.tensor.Memory;
import java.io.PrintWriter;
import java.nio.file.Path;
import org.apache.commons.math3.stat.StatUtils;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Speed of answers. */
@Command(
    name = "generate",
    description = "Times greedy generation for a batch of prompts, against the memory bandwidth.")
final class BenchGenerate implements Runnable {
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "MODEL", description = "Model folder; random weights if it has none.")
  private Path folder;

  @Option(names = "--prompts", defaultValue = "16", description = "Prompts in the batch.")
  private int B;

  @Option(names = "--tokens", defaultValue = "128", description = "Tokens in a prompt.")
  private int T;

  @Option(
      names = "--new-tokens",
      defaultValue = "64",
      description = "Tokens to generate per prompt.")
  private int maxNew;

  @Option(names = "--warmup", defaultValue = "1", description = "Untimed batches.")
  private int warmup;

  @Option(names = "--repeats", defaultValue = "5", description = "Timed batches.")
  private int repeats;

  @Option(names = "--json", description = "Also write the results to this file.")
  private Path json;

  @Mixin private BackendOptions backend;

  @Override
  public void run() {
    long tokens = (long) B * ((long) T + maxNew);
    if (B < 1 || T < 1 || maxNew < 1 || tokens > Bench.MOST_TOKENS || warmup < 0 || repeats < 1) {
      throw new ParameterException(
          spec.commandLine(),
          "expected at least 1 prompt of 1 token, 1 new token, at most %d tokens in all, and 1 repeat; found %d of %d, %d and %d (warm-up %d)"
              .formatted(Bench.MOST_TOKENS, B, T, maxNew, repeats, warmup));
    }
    LlamaConfig shape = LlamaConfig.read(folder);
    try (Ops ops = Backends.open(backend.apply(RunConfig.DEFAULT.run()));
        var memory = new Memory("model")) {
      double bandwidth = Rates.bandwidth(ops);
      try (var model =
          new LlamaModel(shape, Bench.weights(folder, shape, ops, memory), ops, Recompute.none)) {
        var result =
            GenerateBench.run(model, new GenerateBench.Shape(B, T, maxNew), warmup, repeats);
        report(result, memory.bytes() / bandwidth, bandwidth, ops.description());
      }
    }
  }

  /** {@code pass}: seconds in which the weights are read once, as every step of an answer must. */
  private void report(GenerateBench.Result result, double pass, double bandwidth, String ops) {
    double median = StatUtils.percentile(result.seconds(), 50), bound = maxNew * pass;
    double speed = (double) B * maxNew / median;
    PrintWriter out = spec.commandLine().getOut();
    out.println("backend: " + ops);
    out.print(
        new Table("", "")
            .row("prompts", text("%d of %d tokens, %d new ones each", B, T, maxNew))
            .row("seconds", text("%.3f", median))
            .row("new tokens/s", text("%.1f", speed))
            .row("memory", text("%.1f GB/s read", bandwidth / 1e9))
            .row("bound", text("%.3f s to read the weights %d times", bound, maxNew))
            .row("reached", text("%.1f %%", 100 * bound / median))
            .row("sum of new ids", text("%d", result.checksum()))
            .row("peak resident", text("%d MiB", ResidentMemory.peak() >> 20)));
    out.flush();
    if (json == null) return;
    var figures = new ObjectMapper().createObjectNode();
    figures.put("mode", "generate").put("backend", ops).put("seconds", median);
    figures.put("tokens_per_second", speed).put("bytes_read_per_second", bandwidth);
    figures.put("bound_reached", bound / median).put("peak_rss_bytes", ResidentMemory.peak());
    figures.put("checksum", result.checksum());
    Disk.publish(json, figures + "\n");
  }
}
