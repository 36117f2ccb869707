package dev.seekr.page;

import dev.seekr.Failure;
import dev.seekr.config.RunConfig;
import dev.seekr.evaluation.Spread;
import dev.seekr.page.Chart.Point;
import dev.seekr.page.Chart.Series;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Runs as one page of HTML that needs nothing else: the claim first, then tables, charts, each run,
 * and what they were computed with.
 *
 * @param examples whether answers are shown, which hold texts of the data
 */
public record Page(List<RunRecord> runs, boolean examples) {
  /** Points of all charts of steps together, about; it keeps ten runs below a megabyte. */
  private static final int POINTS = 2400;

  /** Runs up to this many are unfolded. */
  private static final int UNFOLDED = 2;

  public String html() {
    if (runs.isEmpty()) throw Failure.input("no runs to report");
    Groups groups = Groups.of(runs);
    Results results = Results.of(runs);
    var out = new Markup().raw("<!DOCTYPE html>\n").open("html", "lang", "en");
    out.open("head").empty("meta", "charset", "utf-8");
    out.empty(
        "meta",
        "http-equiv",
        "Content-Security-Policy",
        "content",
        "default-src 'none'; style-src 'unsafe-inline'");
    out.empty("meta", "name", "viewport", "content", "width=device-width, initial-scale=1");
    out.element("title", "Seekr: " + claim(groups)).open("style").raw(style()).close("style");
    out.close("head").open("body").open("main");
    out.element("h1", claim(groups)).element("p", said(groups));
    out.element("h2", "Results").raw(results.html());
    out.element(
        "p",
        "OP: mean score after the last task, percent (paper Eq. 14). BWT: mean change of a task's score since it was learnt (Eq. 15). Mean ± standard deviation over seeds.");
    for (String note : results.notes()) out.element("p", note);
    as(out, "Markdown", results.markdown());
    as(out, "LaTeX", results.latex());
    as(out, "CSV", results.csv());
    paper(out, groups);
    out.open("div", "class", "charts").raw(averages(groups).svg());
    SweepCharts.of(groups).forEach(chart -> out.raw(chart.svg()));
    out.close("div");
    out.element("h2", "Runs");
    int points = Math.clamp(POINTS / runs.size(), 60, 400);
    var heads = HeadFigures.detail(runs);
    for (RunRecord run : runs)
      out.raw(new RunSection(run, points, examples, heads).html(runs.size() <= UNFOLDED));
    settings(out, groups);
    return out.close("main").close("body").close("html").raw("\n").toString();
  }

  private static void as(Markup out, String form, String text) {
    out.open("details").element("summary", "as " + form).element("pre", text).close("details");
  }

  private static Optional<Spread> value(Groups.Group group, Measure measure) {
    return Results.row(group, Map.of()).get(measure);
  }

  private static double op(Groups.Group group) {
    return value(group, Measure.op).map(Spread::mean).orElse(Double.NaN);
  }

  private static String text(Optional<Spread> spread) {
    return spread.map(s -> s.text("%.2f", " ± ")).orElse("");
  }

  /** The best group and its numbers; of one group, its numbers. */
  private static String claim(Groups groups) {
    var done = groups.all().stream().filter(g -> Double.isFinite(op(g))).toList();
    if (done.isEmpty()) return "No run is finished yet";
    var best = done.stream().max(Comparator.comparingDouble(Page::op)).orElseThrow();
    var bwt = value(best, Measure.bwt);
    String numbers =
        "OP " + text(value(best, Measure.op)) + (bwt.isPresent() ? ", BWT " + text(bwt) : "");
    if (done.size() == 1) return best.label() + ": " + numbers;
    if (!sameTest(groups))
      return "%d groups of runs that are tested differently".formatted(done.size());
    var equal = done.stream().filter(g -> op(g) == op(best)).map(Groups.Group::label).toList();
    if (equal.size() > 1) return String.join(" and ", equal) + " have the same OP: " + numbers;
    return best.label()
        + (close(done) ? " has the highest OP, within the spread: " : " has the highest OP: ")
        + numbers;
  }

  /** Whether scores can be ranked: the same tasks, test samples and judgement of answers. */
  private static boolean sameTest(Groups groups) {
    return groups.all().stream()
            .flatMap(g -> g.runs().stream())
            .map(r -> List.of(Set.copyOf(r.scores().tasks()), judged(r.config())))
            .distinct()
            .count()
        == 1;
  }

  /** Whether the best two are less apart than one standard deviation of their difference. */
  private static boolean close(List<Groups.Group> groups) {
    var ops =
        groups.stream()
            .map(g -> value(g, Measure.op).orElseThrow())
            .sorted(Comparator.comparingDouble(s -> -s.mean()))
            .toList();
    Spread a = ops.get(0), b = ops.get(1);
    if (a.sd().isEmpty() || b.sd().isEmpty()) return false;
    return a.mean() - b.mean() < Math.hypot(a.sd().getAsDouble(), b.sd().getAsDouble());
  }

  private static List<Object> judged(RunConfig config) {
    return List.of(config.data().testLimit(), config.eval().metrics(), config.eval().answer());
  }

  /** How many runs that rests on, and whether the next best is within their spread. */
  private static String said(Groups groups) {
    var done =
        groups.all().stream()
            .filter(g -> Double.isFinite(op(g)))
            .sorted(Comparator.comparingDouble(g -> -op(g)))
            .toList();
    String tasks =
        "Tasks: "
            + String.join(", ", groups.all().getFirst().runs().getFirst().scores().tasks())
            + ". ";
    if (done.isEmpty()) return tasks;
    if (!sameTest(groups)) return "They have no common ranking; each is in the table.";
    int n = Results.counted(done.getFirst()).size();
    String seeds = n == 1 ? "One seed: no spread is known. " : n + " seeds. ";
    if (done.size() == 1) return tasks + seeds;
    var first = value(done.get(0), Measure.op).orElseThrow();
    var second = value(done.get(1), Measure.op).orElseThrow();
    double apart = first.mean() - second.mean();
    String next =
        String.format(Locale.ROOT, "Next is %s, %.2f below. ", done.get(1).label(), apart);
    return tasks
        + seeds
        + next
        + (close(done) ? "That is within one standard deviation of the difference." : "");
  }

  private static void paper(Markup out, Groups groups) {
    var rows =
        groups.all().stream().filter(g -> Paper.of(g.runs().getFirst()).isPresent()).toList();
    if (rows.isEmpty()) return;
    out.element("h2", "Beside the paper").open("div", "class", "wide").open("table");
    out.open("tr")
        .element("th", "method")
        .element("th", "OP (BWT) here")
        .element("th", "OP (BWT) in the paper, LLaMA-2-7B")
        .close("tr");
    for (var group : rows) {
      String own = text(value(group, Measure.op)) + " (" + text(value(group, Measure.bwt)) + ")";
      out.open("tr").element("th", group.label()).element("td", own);
      out.element("td", Paper.of(group.runs().getFirst()).orElse("")).close("tr");
    }
    out.close("table").close("div");
  }

  /** Mean score of the tasks seen so far over the stages, a line a group. */
  private static Chart averages(Groups groups) {
    var series = new ArrayList<Series>();
    for (var group : groups.all()) {
      var points = new ArrayList<Point>();
      int T = group.runs().getFirst().scores().tasks().size();
      for (int j = 0; j < T; j++) {
        int stage = j;
        var means =
            group.runs().stream()
                .mapToDouble(r -> seen(r, stage))
                .filter(Double::isFinite)
                .average();
        if (means.isPresent()) points.add(new Point(j + 1, means.getAsDouble(), 0));
      }
      if (!points.isEmpty()) series.add(new Series(group.label(), points));
    }
    return new Chart("Mean over the tasks seen so far", "tasks trained", "mean score, %", series);
  }

  private static double seen(RunRecord run, int j) {
    double sum = 0;
    for (int i = 0; i <= j; i++) {
      if (run.scores().get(i, j).isEmpty()) return Double.NaN;
      sum += run.scores().get(i, j).getAsDouble();
    }
    return sum / (j + 1);
  }

  private void settings(Markup out, Groups groups) {
    out.element("h2", "Settings");
    if (!groups.keys().isEmpty()) {
      out.element("p", "What is not the same in all runs:");
      out.open("div", "class", "wide").open("table").open("tr").element("th", "run");
      groups.keys().forEach(key -> out.element("th", key));
      out.close("tr");
      for (RunRecord run : runs) {
        out.open("tr").element("th", run.name());
        groups
            .keys()
            .forEach(key -> out.element("td", run.config().uses(key) ? Groups.text(run, key) : ""));
        out.close("tr");
      }
      out.close("table").close("div");
    }
    String all =
        runs.getFirst().settings().entrySet().stream()
            .map(e -> e.getKey() + ": " + e.getValue())
            .collect(Collectors.joining("\n"));
    out.open("details").element("summary", "all settings of " + runs.getFirst().name());
    out.element("pre", all).close("details");
  }

  private static String style() {
    try (var in = Page.class.getResourceAsStream("page.css")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
