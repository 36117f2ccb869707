package dev.seekr.cli;

import dev.seekr.Failure;
import dev.seekr.config.RunConfig;
import dev.seekr.model.LlamaConfig;
import dev.seekr.report.Table;
import dev.seekr.run.BytePlan;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The memory that training would take. */
@Command(
    name = "plan",
    description =
        "Prints the memory that training would take, from the model's config.json alone; exits 1 if it exceeds --memory.",
    footer = {
      "",
      "Example: seekr plan model.path=examples/llama2-7b run.dtype=bf16 run.backend=cuda train.state=bf16 train.recompute=layers --memory 80",
      "Only tensors are counted, not the process, the driver or libraries."
    })
final class Plan implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(
      index = "0..*",
      paramLabel = "CONFIG|KEY=VALUE",
      description = "As for train; model.path is required, data are not.")
  private List<String> arguments = List.of();

  @Option(names = "--memory", paramLabel = "GB", description = "Available memory, in 10^9 bytes.")
  private Double memory;

  @Option(
      names = "--ranks",
      paramLabel = "N",
      description = "Memory of one of N processes, sharded as dist.shard says; default 1.")
  private int ranks = 1;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  /**
   * @param fits null where --memory is not given
   */
  private record Json(
      String method,
      long parameters,
      int ranks,
      long bytes,
      long host,
      Map<String, Long> beside,
      Boolean fits,
      List<BytePlan.Phase> phases) {}

  @Override
  public Integer call() {
    if (memory != null && !(memory > 0 && memory < Double.MAX_VALUE))
      throw new ParameterException(
          spec.commandLine(), "--memory is %s; expected a size above 0".formatted(memory));
    if (ranks < 1)
      throw new ParameterException(
          spec.commandLine(), "--ranks is %d; expected 1 or more".formatted(ranks));
    RunConfig config = Settings.read(arguments).requireHeld();
    if (config.model().path() == null)
      throw Failure.config("model.path is not set: a folder with the model's config.json");
    var shape = LlamaConfig.read(Path.of(config.model().path()), config.model().ignored());
    var plan = BytePlan.of(config, shape, ranks);
    PrintWriter out = spec.commandLine().getOut();
    boolean fits = memory == null || plan.total() <= memory * 1e9;
    if (json) {
      JsonOutput.print(
          out,
          new Json(
              config.method().name().name(),
              shape.parameters(),
              ranks,
              plan.bytes(),
              plan.host(),
              plan.beside(),
              memory == null ? null : fits,
              plan.phases()));
      return fits ? 0 : 1;
    }
    out.printf(
        "%s, %,d weights in %s%s%n%n",
        config.method().name(),
        shape.parameters(),
        config.run().dtype(),
        ranks == 1
            ? ""
            : ", one of %d processes, dist.shard=%s".formatted(ranks, config.dist().shard()));
    out.print(table(plan));
    out.printf("%nall phases one after the other: %s GB%n", gigabytes(plan.bytes()));
    plan.beside().forEach((what, bytes) -> out.printf("%s: %s GB%n", what, gigabytes(bytes)));
    if (plan.host() > 0) out.printf("in the memory of the host: %s GB%n", gigabytes(plan.host()));
    if (memory != null) {
      double left = memory * 1e9 - plan.total();
      String words = fits ? "fits into %s GB, %s to spare%n" : "exceeds %s GB by %s%n";
      out.printf(words, gigabytes(memory * 1e9), gigabytes(Math.abs(left)));
    }
    out.flush();
    return fits ? 0 : 1;
  }

  private static Table table(BytePlan plan) {
    var phases = plan.phases();
    var headers = new String[1 + phases.size()];
    headers[0] = "GB at most";
    for (int i = 0; i < phases.size(); i++) headers[1 + i] = phases.get(i).name();
    var table = new Table(headers);
    var tags = new TreeSet<String>();
    phases.forEach(p -> tags.addAll(p.byTag().keySet()));
    for (String tag : tags)
      table.row(row(tag, phases.stream().map(p -> p.byTag().get(tag)).toList()));
    table.row(row("together", phases.stream().map(BytePlan.Phase::peak).toList()));
    return table;
  }

  private static Object[] row(String name, List<Long> bytes) {
    var cells = new Object[1 + bytes.size()];
    cells[0] = name;
    for (int i = 0; i < bytes.size(); i++)
      cells[1 + i] = bytes.get(i) == null || bytes.get(i) == 0 ? "" : gigabytes(bytes.get(i));
    return cells;
  }

  private static String gigabytes(double bytes) {
    return Bench.text("%.3f", bytes / 1e9);
  }
}
