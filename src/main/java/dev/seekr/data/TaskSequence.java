package dev.seekr.data;

import static dev.seekr.state.Seeds.Purpose.HOLDOUT;

import com.fasterxml.jackson.databind.node.TextNode;
import dev.seekr.Failure;
import dev.seekr.config.DataSettings;
import dev.seekr.disk.Reading;
import dev.seekr.state.Seeds;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The tasks of a run in training order: the user's own list, or one of the paper's four orders (its
 * Table 5).
 */
public final class TaskSequence {
  private static final List<List<String>> ORDERS =
      List.of(
          List.of(
              "C-STANCE",
              "FOMC",
              "MeetingBank",
              "Py150",
              "ScienceQA",
              "NumGLUE-cm",
              "NumGLUE-ds",
              "20Minuten"),
          List.of(
              "NumGLUE-cm",
              "NumGLUE-ds",
              "FOMC",
              "20Minuten",
              "C-STANCE",
              "Py150",
              "MeetingBank",
              "ScienceQA"),
          List.of(
              "task1572",
              "task363",
              "task1290",
              "task181",
              "task002",
              "task1510",
              "task073",
              "task748",
              "task511",
              "task591",
              "task195",
              "task875"),
          List.of(
              "task748",
              "task073",
              "task1572",
              "task195",
              "task591",
              "task363",
              "task1510",
              "task181",
              "task511",
              "task002",
              "task1290",
              "task875"));

  /**
   * Both are sentiment140; where only the second is at hand it takes the first one's place, under
   * its own name.
   */
  private static final String SENTIMENT = "task195";

  private static final String SENTIMENT_STAND_IN = "task1687";

  private TaskSequence() {}

  /**
   * Reads the training and the test split of every task, and its split {@code eval} where that is
   * validated on.
   *
   * @param seed of the choice of samples that are kept apart
   * @throws Failure config when the settings name no sequence, input when a folder or file is
   *     missing, data when files are malformed: a line for each of the first faults of all tasks
   */
  public static List<Task> load(DataSettings data, long seed) {
    var splits = new Splits(data);
    return read(data, splits, (folder, name) -> task(data, splits, folder, name, seed));
  }

  /**
   * The same of test splits alone, which is all that scoring needs; nothing is there to train on.
   */
  public static List<Task> loadTests(DataSettings data) {
    var splits = new Splits(data);
    return read(
        data,
        splits,
        (folder, name) ->
            new Task(
                name, List.of(), List.of(), first(splits.read(folder, "test"), data.testLimit())));
  }

  /**
   * The samples of no task that are mixed into every one; none where the settings name no folder.
   */
  public static List<Example> general(DataSettings data) {
    if (data.general() == null) return List.of();
    Path folder = Path.of(data.general());
    if (!Files.isDirectory(folder))
      throw Failure.input("%s: no such folder (data.general)", folder);
    var splits = new Splits(data);
    List<Example> general = splits.read(folder, "train");
    splits.done();
    return general;
  }

  private static List<Task> read(
      DataSettings data, Splits splits, BiFunction<Path, String, Task> read) {
    var names = names(data);
    if (data.root() == null)
      throw Failure.config("data.root: expected the folder of the tasks, found none");
    Path root = Path.of(data.root());
    if (!Files.isDirectory(root)) throw Failure.input("%s: no such folder (data.root)", root);
    var tasks = new ArrayList<Task>();
    for (String name : names) {
      String there = data.order() == 0 ? name : atHand(root, name);
      tasks.add(read.apply(folder(root, there), there));
    }
    splits.done();
    return List.copyOf(tasks);
  }

  /** The names in training order, as the paper or the user gives them. */
  private static List<String> names(DataSettings data) {
    boolean own = data.tasks() != null && !data.tasks().isEmpty();
    if (own && data.order() != 0) {
      throw Failure.config("data: expected tasks or order, found both (order %d)", data.order());
    }
    if (!own && data.order() == 0)
      throw Failure.config("data.tasks: expected at least one task, found none");
    if (data.order() < 0 || data.order() > ORDERS.size()) {
      throw Failure.config("data.order: expected 1 to %d, found %d", ORDERS.size(), data.order());
    }
    var names = own ? data.tasks() : ORDERS.get(data.order() - 1);
    var seen = new HashSet<String>();
    for (String name : names) {
      if (!isFolderName(name))
        throw Failure.config(
            "data.tasks: expected the name of a folder in data.root, found %s",
            name == null ? "none" : TextNode.valueOf(name));
      if (!seen.add(name)) throw Failure.config("data.tasks: '%s' is there twice", name);
    }
    return names;
  }

  /** A name stands in paths, tables and lines of a log: no separators, no control characters. */
  private static boolean isFolderName(String name) {
    return name != null
        && !name.isBlank()
        && !name.startsWith(".")
        && name.chars().noneMatch(c -> c == '/' || c == '\\' || Character.isISOControl(c));
  }

  private static String atHand(Path root, String name) {
    boolean standIn =
        name.equals(SENTIMENT)
            && !Files.isDirectory(root.resolve(SENTIMENT))
            && Files.isDirectory(root.resolve(SENTIMENT_STAND_IN));
    return standIn ? SENTIMENT_STAND_IN : name;
  }

  private static Path folder(Path root, String name) {
    Path folder = root.resolve(name);
    if (Files.isDirectory(folder)) return folder;
    var names =
        Reading.list(root).stream()
            .filter(Files::isDirectory)
            .map(p -> p.getFileName().toString())
            .toList();
    throw Failure.input(
        "%s: no such task folder; there %s",
        folder, names.isEmpty() ? "are no folders" : "are " + String.join(", ", names));
  }

  private static Task task(DataSettings data, Splits splits, Path folder, String name, long seed) {
    List<Example> train = first(splits.read(folder, "train"), data.trainLimit());
    List<Example> test = first(splits.read(folder, "test"), data.testLimit());
    if (data.validation() == DataSettings.Validation.eval_json)
      return new Task(name, train, evals(splits, folder), test);
    Set<Integer> apart =
        apart(data.holdout(), train.size(), folder, Seeds.of(seed, HOLDOUT, name.hashCode()));
    var byUse =
        IntStream.range(0, train.size())
            .boxed()
            .collect(
                Collectors.partitioningBy(
                    apart::contains, Collectors.mapping(train::get, Collectors.toList())));
    return new Task(name, byUse.get(false), byUse.get(true), test);
  }

  /** Which of n samples are kept apart; none of none, which is told as a fault. */
  private static Set<Integer> apart(double holdout, int n, Path folder, RandomGenerator random) {
    if (holdout == 0 || n == 0) return Set.of();
    int k = holdout < 1 ? (int) Math.max(1, Math.round(holdout * n)) : (int) holdout;
    if (k >= n)
      throw Failure.data(
          "%s: data.holdout keeps %d of %d training records apart; expected one at least to train on",
          folder, k, n);
    return Arrays.stream(SampledQueries.sample(n, k, random).pos())
        .boxed()
        .collect(Collectors.toSet());
  }

  /** Those of the split eval; to choose by the test's own would be to train on the test. */
  private static List<Example> evals(Splits splits, Path folder) {
    List<Example> evals = splits.read(folder, "eval");
    if (!evals.isEmpty() && new HashSet<>(splits.read(folder, "test")).containsAll(evals))
      throw Failure.data(
          "%s: all of its eval records are in the test split too, by which nothing may be chosen; data.holdout keeps some of the training split apart instead",
          folder);
    return evals;
  }

  /** Reads splits, and gathers what is wrong with any of them. */
  private static final class Splits {
    private final RecordFormat format;
    private final DataFaults faults;

    Splits(DataSettings data) {
      format = new RecordFormat(data);
      faults = new DataFaults(data.badRecords() == DataSettings.BadRecords.skip);
    }

    /** None where the split is faulty, which {@link #done} tells. */
    List<Example> read(Path folder, String split) {
      try {
        List<Path> files = TaskReader.files(folder, split);
        List<Example> examples = TaskReader.read(files, format, faults::record);
        if (examples.isEmpty()) faults.none(files.getFirst());
        return examples;
      } catch (Failure bad) {
        faults.file(bad);
        return List.of();
      }
    }

    void done() {
      faults.done();
    }
  }

  private static List<Example> first(List<Example> examples, int limit) {
    return limit > 0 && limit < examples.size() ? examples.subList(0, limit) : examples;
  }
}
