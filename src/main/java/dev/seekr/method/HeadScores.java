package dev.seekr.method;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.dataformat.csv.CsvMapper;
import com.fasterxml.jackson.dataformat.csv.CsvSchema;
import dev.seekr.Failure;
import dev.seekr.disk.Disk;
import dev.seekr.disk.Reading;
import dev.seekr.disk.RunFolder;
import dev.seekr.safetensors.SafetensorsWriter;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What is known of every head after a stage, [L][NH] each; null where it was not computed. Layers
 * and heads are counted from 0.
 *
 * @param s sensitivity, summed over the tasks so far (paper Eq. 8)
 * @param f forgettability, which is the cumulative change of attention (Eq. 9)
 * @param i importance, what heads are selected by (Eq. 10)
 * @param selected heads whose attention is distilled from now on
 */
public record HeadScores(double[][] s, double[][] f, double[][] i, boolean[][] selected) {
  private static final CsvMapper CSV = new CsvMapper();

  public HeadScores {
    s = Importance.copy(s);
    f = Importance.copy(f);
    i = Importance.copy(i);
    selected = copy(selected);
  }

  private static boolean[][] copy(boolean[][] mask) {
    return mask == null
        ? null
        : Arrays.stream(mask).map(boolean[]::clone).toArray(boolean[][]::new);
  }

  /** A copy. */
  @Override
  public double[][] s() {
    return Importance.copy(s);
  }

  /** A copy. */
  @Override
  public double[][] f() {
    return Importance.copy(f);
  }

  /** A copy. */
  @Override
  public double[][] i() {
    return Importance.copy(i);
  }

  /** A copy. */
  @Override
  public boolean[][] selected() {
    return copy(selected);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof HeadScores o
        && Arrays.deepEquals(s, o.s)
        && Arrays.deepEquals(f, o.f)
        && Arrays.deepEquals(i, o.i)
        && Arrays.deepEquals(selected, o.selected);
  }

  @Override
  public int hashCode() {
    return Arrays.deepHashCode(new Object[] {s, f, i, selected});
  }

  /** Only how far attention has moved. */
  static HeadScores ofChange(double[][] f) {
    return new HeadScores(null, f, null, null);
  }

  /** Heads by layer as a mask [L][NH]. */
  static boolean[][] mask(int[][] heads, int NH) {
    var mask = new boolean[heads.length][NH];
    for (int l = 0; l < heads.length; l++) for (int h : heads[l]) mask[l][h] = true;
    return mask;
  }

  /** These, and how far attention has moved where that is not known here. */
  public HeadScores or(double[][] change) {
    return f == null ? new HeadScores(s, change, i, selected) : this;
  }

  /** The scores that are known, S, F and I, by name. */
  public Map<String, double[][]> byName() {
    var scores = new LinkedHashMap<String, double[][]>();
    if (s != null) scores.put("S", s());
    if (f != null) scores.put("F", f());
    if (i != null) scores.put("I", i());
    return scores;
  }

  public int L() {
    return selected != null ? selected.length : byName().values().iterator().next().length;
  }

  public int NH() {
    return selected != null ? selected[0].length : byName().values().iterator().next()[0].length;
  }

  /** Writes both files of a stage; {@code about}: what is said of it in the metadata. */
  public void write(RunFolder folder, int stage, Map<String, String> about) {
    Disk.makeFolder(folder.importanceCsv(stage).getParent());
    Disk.write(folder.importance(stage), SafetensorsWriter.content(tensors(), about, null));
    Disk.write(folder.importanceCsv(stage), csv());
  }

  /** S, F, I [L,NH] F64 and selected [L,NH] I32, 1 or 0. */
  private Map<String, Tensor> tensors() {
    var tensors = new LinkedHashMap<String, Tensor>();
    long[] shape = {L(), NH()};
    byName()
        .forEach(
            (name, score) -> {
              double[] flat = Arrays.stream(score).flatMapToDouble(Arrays::stream).toArray();
              var bytes = MemorySegment.ofArray(new byte[8 * flat.length]);
              var tensor = new Tensor(DType.F64, shape, bytes);
              for (int n = 0; n < flat.length; n++) tensor.set(n, flat[n]);
              tensors.put(name, tensor);
            });
    if (selected == null) return tensors;
    int[] flat = new int[L() * NH()];
    for (int n = 0; n < flat.length; n++) flat[n] = selected[n / NH()][n % NH()] ? 1 : 0;
    tensors.put("selected", Tensor.of(flat, shape));
    return tensors;
  }

  /** A line a head; empty fields where nothing is known, digits enough for the same doubles. */
  private String csv() {
    var text = new StringBuilder("layer,head,S,F,I,selected\n");
    for (int l = 0; l < L(); l++) {
      for (int h = 0; h < NH(); h++) {
        text.append(l).append(',').append(h);
        for (double[][] score : Arrays.asList(s, f, i))
          text.append(',').append(score == null ? "" : "" + score[l][h]);
        text.append(',').append(selected == null ? "" : selected[l][h] ? "1" : "0").append('\n');
      }
    }
    return text.toString();
  }

  /** A line of the CSV. */
  private record Line(
      Integer layer, Integer head, Double S, Double F, Double I, Integer selected) {}

  /**
   * Reads importance/NN.csv, or a table of the same columns made by hand.
   *
   * @throws Failure input (66) where there is none, data (65) where it is no such table: every head
   *     once, layer after layer, a column filled or empty as a whole
   */
  public static HeadScores read(Path csv) {
    var lines = lines(csv);
    int L = 1 + lines.stream().mapToInt(Line::layer).max().orElse(-1);
    int NH = 1 + lines.stream().mapToInt(Line::head).max().orElse(-1);
    for (int n = 0; n < lines.size(); n++) {
      Line line = lines.get(n);
      if ((long) L * NH != lines.size() || line.layer != n / NH || line.head != n % NH)
        throw Failure.data(
            "%s:%d: layer %d, head %d of %d lines; expected every head once, layer after layer, counted from 0",
            csv, n + 2, line.layer, line.head, lines.size());
    }
    var selected = column(csv, "selected", lines, NH, l -> number(l.selected));
    boolean[][] mask = selected == null ? null : new boolean[L][NH];
    for (int n = 0; n < lines.size() && mask != null; n++) {
      double value = selected[n / NH][n % NH];
      if (value != 0 && value != 1)
        throw Failure.data("%s:%d: selected is %s; expected 1 or 0", csv, n + 2, value);
      mask[n / NH][n % NH] = value == 1;
    }
    return new HeadScores(
        column(csv, "S", lines, NH, Line::S),
        column(csv, "F", lines, NH, Line::F),
        column(csv, "I", lines, NH, Line::I),
        mask);
  }

  private static Double number(Integer whole) {
    return whole == null ? null : (double) whole;
  }

  private static List<Line> lines(Path csv) {
    if (csv.toString().endsWith(".safetensors"))
      throw Failure.data("%s: expected the .csv beside it, a line a head", csv);
    var lines = new ArrayList<Line>();
    var schema = CsvSchema.emptySchema().withHeader().withNullValue("");
    try (MappingIterator<Line> rows =
        CSV.readerFor(Line.class).with(schema).readValues(Reading.text(csv))) {
      while (rows.hasNextValue()) {
        Line line = rows.nextValue();
        if (line.layer == null || line.head == null || line.layer < 0 || line.head < 0)
          throw Failure.data(
              "%s:%d: expected layer and head, counted from 0", csv, lines.size() + 2);
        lines.add(line);
      }
    } catch (JsonProcessingException e) {
      throw Failure.data(
          "%s:%d: expected layer,head,S,F,I,selected: whole numbers, three numbers or nothing, and 1 or 0",
          csv, lines.size() + 2);
    } catch (IOException e) {
      throw new IllegalStateException(e); // it is read from memory
    }
    if (lines.isEmpty())
      throw Failure.data("%s: expected layer,head,S,F,I,selected and a line a head", csv);
    return lines;
  }

  private static double[][] column(
      Path csv,
      String name,
      List<Line> lines,
      int NH,
      java.util.function.Function<Line, Double> of) {
    if (lines.stream().allMatch(line -> of.apply(line) == null)) return null;
    var column = new double[lines.size() / NH][NH];
    for (int n = 0; n < lines.size(); n++) {
      Double value = of.apply(lines.get(n));
      if (value == null || !Double.isFinite(value))
        throw Failure.data(
            "%s:%d: %s is %s; expected a number in all lines or in none", csv, n + 2, name, value);
      column[n / NH][n % NH] = value;
    }
    return column;
  }
}
