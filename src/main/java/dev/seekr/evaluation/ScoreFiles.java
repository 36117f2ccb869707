package dev.seekr.evaluation;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import dev.seekr.Failure;
import dev.seekr.disk.Reading;
import dev.seekr.disk.StrictJson;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A score matrix on disk: JSON to read again, CSV for a spreadsheet. Row j holds the scores after
 * training on task j.
 */
public final class ScoreFiles {
  /**
   * {@code scores[j][i]} is a[i][j], null where it is blank; initial, of the model before the first
   * task, or general null: there is none.
   */
  private record Stored(
      List<String> tasks,
      List<List<Double>> scores,
      @JsonInclude(JsonInclude.Include.NON_NULL) List<Double> initial,
      @JsonInclude(JsonInclude.Include.NON_NULL) General general) {}

  /** Rows as in {@link GeneralScores}; ga and delta_ga follow from them. */
  private record General(
      List<String> sets, List<List<Double>> scores, List<Double> ga, List<Double> delta_ga) {
    static General of(GeneralScores general) {
      if (general.sets().isEmpty()) return null;
      var rows = IntStream.range(0, general.rows()).boxed().toList();
      return new General(
          general.sets(),
          rows.stream().map(row -> values(generalRow(general, row))).toList(),
          values(rows.stream().map(general::ga).toList()),
          values(rows.stream().map(general::delta).toList()));
    }
  }

  private ScoreFiles() {}

  /**
   * {@code {"tasks": […], "scores": [[…], …]}}, digits enough for the same doubles; with scores of
   * the initial model also {@code "initial": […]}, with general ability {@code "general": {"sets":
   * […], "scores": [[…], …], "ga": […], "delta_ga": […]}}.
   */
  public static String json(ScoreMatrix matrix) {
    List<List<Double>> scores = new ArrayList<>();
    for (int j = 0; j < matrix.tasks().size(); j++) scores.add(values(row(matrix, j)));
    try {
      var writer = StrictJson.MAPPER.writerWithDefaultPrettyPrinter();
      return writer.writeValueAsString(
              new Stored(
                  matrix.tasks(),
                  scores,
                  matrix.hasInitial() ? values(initial(matrix)) : null,
                  General.of(matrix.general())))
          + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Reads a file of {@link #json}. */
  public static ScoreMatrix loadJson(Path file) {
    Stored stored;
    try {
      stored = StrictJson.MAPPER.readValue(Reading.text(file), Stored.class);
    } catch (JsonProcessingException e) {
      int line = e.getLocation() == null ? 1 : e.getLocation().getLineNr();
      throw Failure.data("%s:%d: not a score matrix: %s", file, line, e.getOriginalMessage());
    }
    if (stored == null
        || stored.tasks == null
        || stored.tasks.isEmpty()
        || stored.tasks.contains(null)) {
      throw Failure.data("%s: 'tasks' must be a list of names", file);
    }
    return matrix(stored, file);
  }

  private static ScoreMatrix matrix(Stored stored, Path file) {
    int tasks = stored.tasks.size();
    if (stored.scores == null || stored.scores.size() != tasks) {
      throw Failure.data("%s: 'scores' must have one row for each of the %d tasks", file, tasks);
    }
    for (int j = 0; j < tasks; j++) {
      List<Double> row = stored.scores.get(j);
      if (row == null || row.size() != tasks) {
        throw Failure.data(
            "%s: row %d of 'scores' is %s, expected a list of %d scores or nulls",
            file, j + 1, row, tasks);
      }
    }
    if (stored.initial != null
        && (stored.initial.size() != tasks
            || stored.initial.stream().anyMatch(s -> s != null && !Double.isFinite(s))))
      throw Failure.data(
          "%s: 'initial' is %s, expected a list of %d scores or nulls",
          file, stored.initial, tasks);
    General general = general(stored, file);
    // Only now: the matrix is as large as all rows together.
    ScoreMatrix matrix = new ScoreMatrix(stored.tasks, general.sets);
    fill(matrix.general(), general, file);
    for (int i = 0; i < tasks; i++)
      if (stored.initial != null && stored.initial.get(i) != null)
        matrix.setInitial(i, stored.initial.get(i));
    for (int j = 0; j < tasks; j++) {
      for (int i = 0; i < tasks; i++) {
        Double score = stored.scores.get(j).get(i);
        if (score == null) continue;
        if (!Double.isFinite(score)) {
          throw Failure.data("%s: score %d of row %d is %s", file, i + 1, j + 1, score);
        }
        matrix.set(i, j, score);
      }
    }
    return matrix;
  }

  /** As stored, its shape checked; without sets where there is none. */
  private static General general(Stored stored, Path file) {
    if (stored.general == null) return new General(List.of(), List.of(), null, null);
    List<String> sets = stored.general.sets;
    if (sets == null
        || sets.isEmpty()
        || sets.contains(null)
        || Set.copyOf(sets).size() < sets.size())
      throw Failure.data("%s: 'general.sets' must be a list of names, each once", file);
    int rows = stored.tasks.size() + 1;
    List<List<Double>> scores = stored.general.scores;
    if (scores == null
        || scores.size() != rows
        || scores.stream().anyMatch(row -> row == null || row.size() != sets.size()))
      throw Failure.data(
          "%s: 'general.scores' must have %d rows of %d scores or nulls", file, rows, sets.size());
    return stored.general;
  }

  private static void fill(GeneralScores into, General from, Path file) {
    for (int row = 0; row < from.scores.size(); row++)
      for (int i = 0; i < from.sets.size(); i++) {
        Double score = from.scores.get(row).get(i);
        if (score != null && !Double.isFinite(score))
          throw Failure.data("%s: 'general.scores' holds %s", file, score);
        if (score != null) into.set(row, from.sets.get(i), score);
      }
  }

  /**
   * RFC 4180: a header of task names, one row a training stage, an empty field for a blank. Where
   * the model was scored before the first task, a row for that; with general ability further
   * columns.
   */
  public static String csv(ScoreMatrix matrix) {
    List<String> tasks = matrix.tasks();
    var general = matrix.general();
    boolean asked = !general.sets().isEmpty();
    List<String> more = asked ? List.of("GA", "DeltaGA") : List.of();
    var csv =
        new StringBuilder(
            line(Stream.of(List.of("after"), tasks, general.sets(), more).flatMap(List::stream)));
    if (asked || matrix.hasInitial())
      csv.append(line("", initial(matrix), generalFields(general, 0)));
    for (int j = 0; j < tasks.size(); j++)
      csv.append(line(tasks.get(j), row(matrix, j), generalFields(general, j + 1)));
    return csv.toString();
  }

  private static String line(
      String name, List<OptionalDouble> scores, List<OptionalDouble> general) {
    Stream<String> fields =
        Stream.concat(scores.stream(), general.stream())
            .map(s -> s.isPresent() ? Double.toString(s.getAsDouble()) : "");
    return line(Stream.concat(Stream.of(name), fields));
  }

  private static List<OptionalDouble> generalRow(GeneralScores general, int row) {
    return IntStream.range(0, general.sets().size()).mapToObj(i -> general.get(row, i)).toList();
  }

  private static List<OptionalDouble> generalFields(GeneralScores general, int row) {
    if (general.sets().isEmpty()) return List.of();
    var fields = new ArrayList<>(generalRow(general, row));
    fields.add(general.ga(row));
    fields.add(general.delta(row));
    return fields;
  }

  private static List<Double> values(List<OptionalDouble> scores) {
    return scores.stream()
        .map(s -> s.isPresent() ? (Double) s.getAsDouble() : null)
        .collect(Collectors.toList()); // it may hold nulls
  }

  private static List<OptionalDouble> initial(ScoreMatrix matrix) {
    return IntStream.range(0, matrix.tasks().size()).mapToObj(matrix::initial).toList();
  }

  private static List<OptionalDouble> row(ScoreMatrix matrix, int j) {
    return IntStream.range(0, matrix.tasks().size()).mapToObj(i -> matrix.get(i, j)).toList();
  }

  private static String line(Stream<String> fields) {
    return fields.map(ScoreFiles::quoted).collect(Collectors.joining(",", "", "\r\n"));
  }

  private static String quoted(String field) {
    return field.matches("(?s).*[,\"\r\n].*") ? '"' + field.replace("\"", "\"\"") + '"' : field;
  }
}
