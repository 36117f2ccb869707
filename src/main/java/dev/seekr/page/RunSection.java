package dev.seekr.page;

import com.fasterxml.jackson.databind.JsonNode;
import dev.seekr.evaluation.ScoreMatrix;
import dev.seekr.page.Chart.Point;
import dev.seekr.page.Chart.Series;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/** Everything about one run: scores, curves, examples. */
record RunSection(RunRecord run, int points, boolean examples, HeadFigures.Detail heads) {
  String html(boolean open) {
    var out = new Markup();
    out.open("details", "class", "run", "id", run.name(), "open", open ? "" : null);
    out.element(
        "summary",
        "%s: %s, seed %d%s"
            .formatted(
                run.name(), run.method(), run.seed(), run.finished() ? "" : ", not finished"));
    out.raw(scores());
    out.open("div", "class", "charts");
    out.raw(overStages().svg());
    if (!run.steps().isEmpty()) overSteps().forEach(chart -> out.raw(chart.thinned(points).svg()));
    out.close("div");
    HeadFigures.of(run).ifPresent(figures -> out.raw(figures.html(heads)));
    out.raw(figures());
    if (examples) {
      String shown = Examples.of(run);
      if (!shown.isEmpty()) out.element("h3", "Answers lost and gained").raw(shown);
    }
    return out.close("details").toString();
  }

  /** The score matrix, a row a stage, as a heat map. */
  private String scores() {
    ScoreMatrix m = run.scores();
    int T = m.tasks().size();
    var out = new Markup().element("h3", "Scores after each task, percent");
    out.open("div", "class", "wide")
        .open("table", "class", "heat")
        .open("tr")
        .element("th", "after");
    for (int i = 0; i < T; i++) out.element("th", m.tasks().get(i), "scope", "col");
    out.close("tr");
    if (m.hasInitial()) stage(out, -1, "no task");
    for (int j = 0; j < T; j++) stage(out, j, m.tasks().get(j));
    return out.close("table").close("div").toString();
  }

  /** A row of the heat map; stage −1 is the initial model. */
  private void stage(Markup out, int j, String name) {
    ScoreMatrix m = run.scores();
    out.open("tr").element("th", name, "scope", "row");
    for (int i = 0; i < m.tasks().size(); i++) {
      var score = j < 0 ? m.initial(i) : m.get(i, j);
      if (score.isEmpty()) {
        out.element("td", "");
        continue;
      }
      int line = run.line(i, j);
      out.element(
          "td",
          String.format(Locale.ROOT, "%.1f", score.getAsDouble()),
          "class",
          "q" + Shades.of(score.getAsDouble() / 100),
          "id",
          line == 0 ? null : run.name() + "-L" + line,
          "title",
          line == 0 ? null : "log.jsonl line " + line);
    }
    out.close("tr");
  }

  private Chart overStages() {
    ScoreMatrix m = run.scores();
    var series = new ArrayList<Series>();
    for (int i = 0; i < m.tasks().size(); i++) {
      var points = new ArrayList<Point>();
      for (int j = 0; j < m.tasks().size(); j++)
        if (m.get(i, j).isPresent())
          points.add(new Point(j + 1, m.get(i, j).getAsDouble(), run.line(i, j)));
      if (!points.isEmpty()) series.add(new Series(m.tasks().get(i), points));
    }
    return new Chart("Each task over the stages", "tasks trained", "score, %", series);
  }

  private List<Chart> overSteps() {
    var names = new LinkedHashSet<String>();
    run.steps().forEach(s -> names.addAll(s.losses().keySet()));
    var terms = new ArrayList<Series>();
    for (String name : names)
      terms.add(series(name, s -> s.losses().getOrDefault(name, Double.NaN)));
    return List.of(
        new Chart("Loss terms before their weights", "step", "mean, nats", terms),
        one("Learning rate", "learning rate", RunRecord.Step::lr),
        one("Gradient norm before clipping", "norm", RunRecord.Step::norm),
        one("Speed", "tokens/s", RunRecord.Step::rate));
  }

  private Chart one(String title, String unit, ToDoubleFunction<RunRecord.Step> value) {
    return new Chart(title, "step", unit, List.of(series(title, value)));
  }

  private Series series(String name, ToDoubleFunction<RunRecord.Step> value) {
    var points = new ArrayList<Point>();
    for (var s : run.steps()) {
      double y = value.applyAsDouble(s);
      // A term that a step has not is left out; one that is not finite leaves a gap.
      if (s.losses().containsKey(name)
          || !run.steps().getFirst().losses().isEmpty() && !Double.isNaN(y))
        points.add(new Point(s.at(), y, s.line()));
    }
    return new Series(name, points);
  }

  /** Numbers of the end, memory by kind, and what computed. */
  private String figures() {
    var out = new Markup().open("dl", "class", "figures");
    number(out, "seconds", "seconds", 1, "%.1f");
    number(out, "peak memory, MiB", "peak_rss_bytes", 1 << 20, "%.0f");
    number(out, "stored of finished tasks, MiB", "stored_bytes", 1 << 20, "%.2f");
    run.last("end")
        .ifPresent(
            end -> {
              for (var kind : end.getValue().path("memory").properties())
                out.element("dt", kind.getKey() + ", MiB at most")
                    .element(
                        "dd",
                        String.format(Locale.ROOT, "%.1f", kind.getValue().asDouble() / (1 << 20)));
            });
    for (JsonNode e : run.events())
      if (e.has("backend"))
        out.element("dt", e.path("event").asText().equals("run") ? "computed by" : "gone on by")
            .element("dd", e.path("backend").asText());
    return out.close("dl").toString();
  }

  private void number(Markup out, String name, String field, double unit, String format) {
    run.end(field)
        .ifPresent(
            said ->
                out.element("dt", name)
                    .element(
                        "dd",
                        String.format(Locale.ROOT, format, said.value() / unit),
                        "title",
                        "log.jsonl line " + said.line()));
  }
}
