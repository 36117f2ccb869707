package dev.seekr.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.seekr.Failure;
import dev.seekr.evaluation.RunSummary;
import dev.seekr.evaluation.ScoreFiles;
import dev.seekr.evaluation.ScoreMatrix;
import dev.seekr.report.Table;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Puts finished runs side by side. */
@Command(
    name = "summary",
    description =
        "Compares finished runs: OP, BWT, time and memory by method; several seeds as mean ± standard deviation.")
final class Summary implements Runnable {
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "RUN", arity = "1..*", description = "Folders of finished runs.")
  private List<Path> folders;

  private record Run(ScoreMatrix scores, double seconds, double peak, double stored) {}

  @Override
  public void run() {
    Map<String, List<Run>> byMethod = new LinkedHashMap<>();
    for (Path folder : folders) {
      JsonNode start = event(folder, "run"), end = event(folder, "end");
      var run =
          new Run(
              ScoreFiles.loadJson(folder.resolve("scores.json")),
              end.path("seconds").asDouble(),
              end.path("peak_rss_bytes").asDouble(),
              end.path("stored_bytes").asDouble());
      byMethod.computeIfAbsent(start.path("method").asText(), m -> new ArrayList<>()).add(run);
    }
    var table =
        new Table(
            "method", "runs", "OP", "BWT (T-1)", "BWT (T)", "seconds", "peak MiB", "stored MiB");
    byMethod.forEach(
        (method, runs) -> {
          var summary = RunSummary.of(runs.stream().map(Run::scores).toList());
          table.row(
              method,
              runs.size(),
              spread(summary.op()),
              spread(summary.bwt()),
              spread(summary.bwtReleased()),
              number("%.1f", runs.stream().mapToDouble(Run::seconds).average().orElse(Double.NaN)),
              number("%.0f", runs.stream().mapToDouble(Run::peak).max().orElse(0) / (1 << 20)),
              number("%.2f", runs.stream().mapToDouble(Run::stored).max().orElse(0) / (1 << 20)));
        });
    PrintWriter out = spec.commandLine().getOut();
    out.print(table);
    out.flush();
  }

  private static String number(String format, double value) {
    return String.format(Locale.ROOT, format, value);
  }

  private static String spread(java.util.Optional<RunSummary.Spread> spread) {
    if (spread.isEmpty()) return "";
    var s = spread.get();
    return s.sd().isPresent()
        ? number("%.2f", s.mean()) + " ± " + number("%.2f", s.sd().getAsDouble())
        : number("%.2f", s.mean());
  }

  private static JsonNode event(Path folder, String type) {
    Path log = folder.resolve("log.jsonl");
    try {
      for (String line : Files.readAllLines(log)) {
        JsonNode event = new ObjectMapper().readTree(line);
        if (event.path("event").asText().equals(type)) return event;
      }
    } catch (IOException e) {
      throw Failure.input("%s: cannot be read; expected the log of a run: %s", log, e.getMessage());
    }
    throw Failure.data("%s: no \"%s\" event: the run is not finished", log, type);
  }
}
