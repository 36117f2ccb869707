package dev.seekr.evaluation;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.seekr.Failure;
import dev.seekr.disk.Reading;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A score matrix on disk: JSON to read again, CSV for a spreadsheet. Row j holds the scores after
 * training on task j.
 */
public final class ScoreFiles {
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .build();

  /** {@code scores[j][i]} is a[i][j], null where it is blank. */
  private record Stored(List<String> tasks, List<List<Double>> scores) {}

  private ScoreFiles() {}

  /** {@code {"tasks": […], "scores": [[…], …]}}, digits enough for the same doubles. */
  public static String json(ScoreMatrix matrix) {
    List<List<Double>> scores = new ArrayList<>();
    for (int j = 0; j < matrix.tasks().size(); j++) {
      List<Double> row = new ArrayList<>();
      for (OptionalDouble score : row(matrix, j)) {
        row.add(score.isPresent() ? score.getAsDouble() : null);
      }
      scores.add(row);
    }
    try {
      var writer = JSON.writerWithDefaultPrettyPrinter();
      return writer.writeValueAsString(new Stored(matrix.tasks(), scores)) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Reads a file of {@link #json}. */
  public static ScoreMatrix loadJson(Path file) {
    Stored stored;
    try {
      stored = JSON.readValue(Reading.text(file), Stored.class);
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
    // Only now: the matrix is as large as all rows together.
    ScoreMatrix matrix = new ScoreMatrix(stored.tasks);
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

  /** RFC 4180: a header of task names, one row a training stage, an empty field for a blank. */
  public static String csv(ScoreMatrix matrix) {
    List<String> tasks = matrix.tasks();
    StringBuilder csv = new StringBuilder(line(Stream.concat(Stream.of("after"), tasks.stream())));
    for (int j = 0; j < tasks.size(); j++) {
      Stream<String> scores =
          row(matrix, j).stream().map(s -> s.isPresent() ? Double.toString(s.getAsDouble()) : "");
      csv.append(line(Stream.concat(Stream.of(tasks.get(j)), scores)));
    }
    return csv.toString();
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
