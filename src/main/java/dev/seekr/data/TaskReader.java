package dev.seekr.data;

import dev.seekr.Failure;
import dev.seekr.disk.Reading;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Finds and reads a split of a task: one file, files in parts, or a folder of files. */
final class TaskReader {
  /** Where parts lie in data sets as they are published. */
  private static final String PARTS = "data";

  private TaskReader() {}

  /**
   * The files of a split, in order: {@code train.KIND}, {@code train-00000-of-00002.KIND} and so
   * on, or all files in {@code train/}; the parts may lie in a folder {@code data}.
   *
   * @throws Failure input (66) where there are none; data (65) where it is there in several ways
   */
  static List<Path> files(Path folder, String split) {
    var found = found(folder, split);
    if (found.size() == 1) return found.getFirst();
    if (found.isEmpty())
      throw Failure.input(
          "%s: no %s split; expected %s.%s, or a folder '%s' of such files%s%s",
          folder,
          split.equals("train") ? "training" : split,
          split,
          String.join(", .", RecordFile.KINDS) + " (or with .gz)",
          split,
          files(folder).isEmpty() ? "" : ", found " + names(files(folder)),
          split.equals("test")
              ? "; data.holdout=0.1 keeps a tenth of the training samples apart to test on"
              : "");
    throw Failure.data(
        "%s: the %s split is there %d times, as %s; expected it once",
        folder, split, found.size(), names(found.stream().map(List::getFirst).toList()));
  }

  /** Whether there is such a split, in whatever way. */
  static boolean has(Path folder, String split) {
    return !found(folder, split).isEmpty();
  }

  /** Each way in which a split is there. */
  private static List<List<Path>> found(Path folder, String split) {
    var whole = Pattern.compile(Pattern.quote(split) + "\\.\\w+(\\.gz)?");
    var part = Pattern.compile(Pattern.quote(split) + "-\\d+-of-\\d+\\.\\w+");
    List<Path> parts =
        Stream.of(folder, folder.resolve(PARTS)).flatMap(f -> files(f).stream()).toList();
    var found = new ArrayList<List<Path>>();
    files(folder).stream().filter(f -> matches(whole, f)).forEach(f -> found.add(List.of(f)));
    found.add(parts.stream().filter(f -> matches(part, f)).toList());
    found.add(files(folder.resolve(split)));
    found.removeIf(List::isEmpty);
    return found;
  }

  private static boolean matches(Pattern name, Path file) {
    return name.matcher(file.getFileName().toString()).matches();
  }

  /** Those in a folder that can be read, by name; none where there is no folder. */
  private static List<Path> files(Path folder) {
    if (!Files.isDirectory(folder)) return List.of();
    return Reading.list(folder).stream()
        .filter(Files::isRegularFile)
        .filter(f -> RecordFile.kind(f.getFileName().toString()) != null)
        .toList();
  }

  private static String names(List<Path> files) {
    return String.join(", ", files.stream().map(f -> f.getFileName().toString()).toList());
  }

  /**
   * All examples of some files, in their order; none where no record is one.
   *
   * @param bad gets each record that is no example, as a failure of kind data with file, place and
   *     field; what it does not throw is left out
   * @throws Failure input when a file cannot be read; data, with the place, when it is malformed
   */
  static List<Example> read(List<Path> files, RecordFormat format, Consumer<Failure> bad) {
    var examples = new ArrayList<Example>();
    int[] records = new int[1];
    for (Path file : files)
      RecordFile.read(
          file,
          new RecordFile.Sink() {
            @Override
            public void record(String place, Object value) {
              records[0]++;
              String where = file + ": " + place;
              format.read(where, value, examples::add, fault -> bad.accept(failure(fault)));
            }

            @Override
            public void bad(String place, String fault) {
              records[0]++;
              bad.accept(failure(file + ": " + place + ": " + fault));
            }
          });
    if (records[0] == 0)
      throw Failure.data("%s: expected at least one record, found none", files.getFirst());
    return List.copyOf(examples);
  }

  private static Failure failure(String fault) {
    return Failure.data("%s", fault);
  }
}
