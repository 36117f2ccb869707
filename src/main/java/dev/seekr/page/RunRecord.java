package dev.seekr.page;

import com.fasterxml.jackson.databind.JsonNode;
import dev.seekr.Failure;
import dev.seekr.config.RunConfig;
import dev.seekr.disk.RunFolder;
import dev.seekr.evaluation.GraftedScores;
import dev.seekr.evaluation.ScoreFiles;
import dev.seekr.evaluation.ScoreMatrix;
import dev.seekr.report.RunLog;
import dev.seekr.run.Run;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What a run's folder tells: settings, scores, and the events of its log with the lines they stand
 * in, counted from 1.
 *
 * @param name of the folder
 * @param events by line
 * @param steps of all tasks in a row
 * @param settings as texts by their keys; for a backend chosen by auto, that backend
 */
public record RunRecord(
    String name,
    RunFolder folder,
    RunConfig config,
    ScoreMatrix scores,
    List<JsonNode> events,
    List<Step> steps,
    Map<String, String> settings) {

  /**
   * A step of the log.
   *
   * @param line of the log
   * @param at steps of the run so far, this one too
   * @param losses means of the terms
   * @param rate tokens a second
   */
  public record Step(
      int line,
      int at,
      String task,
      double loss,
      Map<String, Double> losses,
      double lr,
      double norm,
      double rate) {}

  /** A number of a run, and the line of its log that says it; 0: it follows from several. */
  public record Said(double value, int line) {}

  /**
   * Reads a run, finished or not.
   *
   * @throws Failure input (66) where there is none, data (65) where what is there is damaged
   */
  public static RunRecord read(Path path) {
    var folder = new RunFolder(path);
    if (!Run.in(path)) throw Failure.input("%s: holds no run (no config.yaml)", path);
    var events = RunLog.read(folder.log());
    var began = RunLog.last(events, "run");
    if (began.isEmpty()) throw Failure.data("%s: has no event 'run'", folder.log());
    ScoreMatrix scores =
        Files.exists(folder.scoresJson()) || RunLog.last(events, "end").isPresent()
            ? ScoreFiles.loadJson(folder.scoresJson())
            : new ScoreMatrix(names(began.get()));
    String name = path.toAbsolutePath().normalize().getFileName().toString();
    RunConfig config = Run.recorded(path);
    var settings = new LinkedHashMap<>(config.texts());
    settings.computeIfPresent("run.backend", (_, asked) -> chosen(asked, began.get()));
    return new RunRecord(name, folder, config, scores, events, steps(events), settings);
  }

  /** A run by auto is compared with runs by what it chose, which the log says with its library. */
  private static String chosen(String asked, JsonNode began) {
    String by = began.path("backend").asText();
    if (!asked.equals("auto")) return asked;
    return by.contains("libseekr_cuda") ? "cuda" : by.contains("libseekr_cpu") ? "cpu" : asked;
  }

  private static List<String> names(JsonNode run) {
    var names = new ArrayList<String>();
    run.path("tasks").forEach(task -> names.add(task.asText()));
    return names.isEmpty() ? List.of("none") : names;
  }

  private static List<Step> steps(List<JsonNode> events) {
    var steps = new ArrayList<Step>();
    String task = "";
    int before = 0, last = 0;
    for (int i = 0; i < events.size(); i++) {
      JsonNode e = events.get(i);
      if (!e.path("event").asText().equals("step")) continue;
      if (!e.path("task").asText().equals(task)) {
        before += last;
        task = e.path("task").asText();
      }
      last = e.path("step").asInt();
      var losses = new LinkedHashMap<String, Double>();
      e.path("losses")
          .properties()
          .forEach(term -> losses.put(term.getKey(), number(term.getValue())));
      steps.add(
          new Step(
              i + 1,
              before + last,
              task,
              number(e.path("loss")),
              losses,
              number(e.path("lr")),
              number(e.path("grad_norm")),
              number(e.path("tokens")) / number(e.path("seconds"))));
    }
    return steps;
  }

  /** Numbers that JSON lacks are texts in a log. */
  private static double number(JsonNode node) {
    return node.isNumber() ? node.doubleValue() : Double.NaN;
  }

  public String method() {
    return config.method().name().name();
  }

  public long seed() {
    return config.train().seed();
  }

  public boolean finished() {
    return RunLog.last(events, "end").isPresent();
  }

  /** The last event of a kind, and its line. */
  Optional<Map.Entry<Integer, JsonNode>> last(String kind) {
    for (int i = events.size() - 1; i >= 0; i--)
      if (events.get(i).path("event").asText().equals(kind))
        return Optional.of(Map.entry(i + 1, events.get(i)));
    return Optional.empty();
  }

  /** A number of the event that ends the run. */
  Optional<Said> end(String field) {
    return last("end")
        .filter(e -> e.getValue().path(field).isNumber())
        .map(e -> new Said(e.getValue().path(field).doubleValue(), e.getKey()));
  }

  /**
   * A number from 0 on of the event that ends a run; blank while the run is not finished.
   *
   * @throws Failure 65 where it is none
   */
  OptionalDouble figure(String field) {
    var end = last("end");
    if (end.isEmpty()) return OptionalDouble.empty();
    JsonNode value = end.get().getValue().path(field);
    if (!value.isNumber() || !(value.doubleValue() >= 0) || !Double.isFinite(value.doubleValue()))
      throw Failure.data(
          "%s:%d: %s of the end is %s; expected a number from 0 on",
          folder.log(), end.get().getKey(), field, value.isMissingNode() ? "missing" : value);
    return OptionalDouble.of(value.doubleValue());
  }

  /** What old attention restores of what was forgotten; blank where it was not asked. */
  OptionalDouble graftGain() {
    if (!Files.exists(folder.graftedJson())) return OptionalDouble.empty();
    return GraftedScores.read(folder.graftedJson()).gain(scores);
  }

  /** The line that says the score of task i after task j, −1: before all, or 0. */
  int line(int i, int j) {
    String task = scores.tasks().get(i), after = j < 0 ? "" : scores.tasks().get(j);
    for (int line = events.size(); line > 0; line--) {
      JsonNode e = events.get(line - 1);
      if (e.path("event").asText().equals("evaluation")
          && e.path("task").asText().equals(task)
          && e.path("after").isTextual()
          && e.path("after").asText().equals(after)) return line;
    }
    return 0;
  }
}
