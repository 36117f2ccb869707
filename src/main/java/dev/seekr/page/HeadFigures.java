package dev.seekr.page;

import dev.seekr.config.MethodName;
import dev.seekr.method.HeadScores;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * What a run knows of its heads after its last stage: the paper's Figure 5, and Figure 4.
 *
 * @param file where the numbers stand
 * @param stages how many they are summed over
 */
record HeadFigures(HeadScores scores, Path file, String after, int stages) {
  /** Cells with titles in a page, about; they take 80 bytes each. */
  private static final int CELLS = 4500;

  /** How much of the heads of each run is drawn. */
  enum Detail {
    /** Maps of all scores. */
    ALL,
    /** That of what heads are chosen by. */
    ONE,
    /** The same, with a number a layer. */
    LAYERS
  }

  /** Of a run; empty where nothing was recorded. */
  static Optional<HeadFigures> of(RunRecord run) {
    List<String> tasks = run.scores().tasks();
    for (int stage = tasks.size() - 1; stage >= 0; stage--) {
      Path file = run.folder().importanceCsv(stage);
      if (!Files.exists(file)) continue;
      boolean together = run.config().method().name() == MethodName.mtl;
      String after = together ? "all tasks" : tasks.get(stage);
      return Optional.of(new HeadFigures(HeadScores.read(file), file, after, stage + 1));
    }
    return Optional.empty();
  }

  /** As much as keeps a page of these runs small. */
  static Detail detail(List<RunRecord> runs) {
    int all = 0, one = 0;
    for (RunRecord run : runs) {
      var figures = of(run);
      if (figures.isEmpty()) continue;
      HeadScores scores = figures.get().scores;
      one += scores.L() * scores.NH();
      all += scores.L() * scores.NH() * scores.byName().size();
    }
    return all <= CELLS ? Detail.ALL : one <= CELLS ? Detail.ONE : Detail.LAYERS;
  }

  String html(Detail detail) {
    var out = new Markup();
    String name = file.getParent().getFileName() + "/" + file.getFileName();
    out.element("h3", "Heads after %s, from %s".formatted(after, name));
    out.open("div", "class", "charts");
    var maps = scores.byName();
    String last = maps.isEmpty() ? "" : List.copyOf(maps.keySet()).getLast();
    maps.forEach(
        (score, values) -> {
          if (detail != Detail.ALL && !score.equals(last)) return;
          boolean cells = detail != Detail.LAYERS;
          out.raw(new HeatMap(title(score), values, scores.selected(), cells).svg());
        });
    if (scores.f() != null) out.raw(changes().svg());
    return out.close("div").toString();
  }

  /** No score has a unit. */
  private static String title(String score) {
    return switch (score) {
      case "S" -> "S, sensitivity of heads: shares of their layer, summed over tasks";
      case "F" -> "F, forgettability of heads: ‖Aᵏ − Aᵏ⁻¹‖, summed over tasks";
      default -> "I, importance of heads";
    };
  }

  private Histogram changes() {
    double[] all = Arrays.stream(scores.f()).flatMapToDouble(Arrays::stream).toArray();
    String over = stages == 1 ? "one task" : stages + " tasks";
    return new Histogram(
        "Cumulative change of attention over " + over, "F, Frobenius norm, no unit", "heads", all);
  }
}
