package dev.seekr.page;

import dev.seekr.Failure;
import dev.seekr.disk.Reading;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Scores of all attention heads after a stage, as a run keeps them in {@code importance/NN.csv}:
 * layer, head, S, F, I, whether selected. Numbers are blank where a method takes none.
 *
 * @param s [L][NH] sensitivity (paper Eq. 7), f forgettability (Eq. 9), i importance over the tasks
 *     so far; NaN where unknown
 */
record Heads(double[][] s, double[][] f, double[][] i, boolean[][] selected) {
  private static final int COLUMNS = 6;

  /** Of the last stage that has them. */
  static Optional<Heads> last(RunRecord run) {
    return files(run).reduce((a, b) -> b).map(Heads::read);
  }

  /** The F of all stages added up: how far each head's attention moved; empty without files. */
  static Optional<double[]> moved(RunRecord run) {
    List<Heads> all = files(run).map(Heads::read).toList();
    if (all.isEmpty()) return Optional.empty();
    double[] sum = flat(all.getFirst().f).clone();
    for (Heads heads : all.subList(1, all.size())) {
      double[] more = flat(heads.f);
      for (int h = 0; h < sum.length; h++) sum[h] += more[h];
    }
    return Arrays.stream(sum).allMatch(Double::isNaN) ? Optional.empty() : Optional.of(sum);
  }

  private static double[] flat(double[][] rows) {
    return Arrays.stream(rows).flatMapToDouble(Arrays::stream).toArray();
  }

  private static Stream<Path> files(RunRecord run) {
    Path folder = run.folder().path().resolve("importance");
    if (!Files.isDirectory(folder)) return Stream.empty();
    return Reading.list(folder).stream().filter(p -> p.toString().endsWith(".csv")).sorted();
  }

  private static Heads read(Path file) {
    List<String[]> rows =
        Reading.text(file).lines().skip(1).map(line -> line.split(",", -1)).toList();
    try {
      int L = 0, NH = 0;
      for (String[] row : rows) {
        if (row.length != COLUMNS) throw new NumberFormatException(row.length + " fields");
        L = Math.max(L, Integer.parseInt(row[0]) + 1);
        NH = Math.max(NH, Integer.parseInt(row[1]) + 1);
      }
      if (rows.isEmpty() || rows.size() != L * NH) throw new NumberFormatException("not all heads");
      var heads =
          new Heads(new double[L][NH], new double[L][NH], new double[L][NH], new boolean[L][NH]);
      for (String[] row : rows) {
        int l = Integer.parseInt(row[0]), h = Integer.parseInt(row[1]);
        heads.s[l][h] = number(row[2]);
        heads.f[l][h] = number(row[3]);
        heads.i[l][h] = number(row[4]);
        heads.selected[l][h] = row[5].equals("1");
      }
      return heads;
    } catch (NumberFormatException e) {
      throw Failure.data(
          "%s: expected a line of layer,head,S,F,I,selected for each head: %s",
          file, e.getMessage());
    }
  }

  private static double number(String field) {
    return field.isEmpty() ? Double.NaN : Double.parseDouble(field);
  }

  /** Figure 5 of the paper: layers by heads, the selected ones marked. */
  String maps() {
    return map("Sensitivity S", s) + map("Forgettability F", f) + map("Importance I", i);
  }

  private String map(String title, double[][] scores) {
    int L = scores.length, NH = scores[0].length;
    double most = Arrays.stream(flat(scores)).filter(Double::isFinite).max().orElse(0);
    if (most <= 0) return "";
    var out =
        new Markup().open("figure", "class", "chart").element("figcaption", title + " of heads");
    double cell = Math.min(30, Math.min((Axes.W - 60) / NH, 300.0 / L));
    double height = L * cell + 34;
    out.open(
        "svg", "viewBox", "0 0 %.0f %.0f".formatted(Axes.W, height), "role", "img", "class", "map");
    out.element(
        "title", "%s, %d layers by %d heads; selected ones are framed".formatted(title, L, NH));
    var tiles = new StringBuilder[Shades.COUNT];
    Arrays.setAll(tiles, _ -> new StringBuilder());
    var frames = new StringBuilder();
    for (int l = 0; l < L; l++)
      for (int h = 0; h < NH; h++) {
        String at = "M%.1f %.1f".formatted(40 + h * cell, l * cell);
        String tile = at + "h%1$.1fv%1$.1fh-%1$.1fz".formatted(cell - 0.6);
        tiles[Shades.of(scores[l][h] / most)].append(tile);
        if (selected[l][h]) frames.append(tile);
      }
    for (int q = 0; q < tiles.length; q++)
      if (!tiles[q].isEmpty()) out.empty("path", "class", "q" + q, "d", tiles[q]);
    if (!frames.isEmpty()) out.empty("path", "class", "frame", "d", frames);
    out.element(
        "text",
        "layer",
        "class",
        "axis",
        "transform",
        "translate(12 %.0f) rotate(-90)".formatted(L * cell / 2),
        "text-anchor",
        "middle");
    for (int l : new int[] {0, L - 1})
      out.element(
          "text", "" + l, "class", "tick", "x", 36.0, "y", (l + 0.8) * cell, "text-anchor", "end");
    for (int h : new int[] {0, NH - 1})
      out.element(
          "text",
          "" + h,
          "class",
          "tick",
          "x",
          40 + (h + 0.5) * cell,
          "y",
          L * cell + 13,
          "text-anchor",
          "middle");
    out.element(
        "text",
        "head; darkest: " + Scale.label(most),
        "class",
        "axis",
        "x",
        40 + NH * cell / 2,
        "y",
        L * cell + 28,
        "text-anchor",
        "middle");
    return out.close("svg").close("figure").toString();
  }
}
