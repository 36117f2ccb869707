package dev.seekr.data;

import static dev.seekr.state.Seeds.Purpose.HOLDOUT;

import com.fasterxml.jackson.databind.node.TextNode;
import dev.seekr.Failure;
import dev.seekr.config.DataSettings;
import dev.seekr.disk.Reading;
import dev.seekr.state.Seeds;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tasks of a run in training order: the user's own list, or one of the paper's four orders (its
 * Table 5).
 */
public final class TaskSequence {
  private static final Logger LOG = LoggerFactory.getLogger(TaskSequence.class);

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
   * Reads train.json and test.json of every task, and eval.json where that is validated on.
   *
   * @param seed of the choice of samples that are kept apart
   * @throws Failure config when the settings name no sequence, input when a folder or file is
   *     missing, data when a file is malformed
   */
  public static List<Task> load(DataSettings data, long seed) {
    return read(data, (folder, name) -> task(data, folder, name, seed));
  }

  /** The same of test.json alone, which is all that scoring needs; nothing is there to train on. */
  public static List<Task> loadTests(DataSettings data) {
    return read(data, (folder, name) -> new Task(name, List.of(), List.of(), tests(data, folder)));
  }

  /**
   * The samples of no task that are mixed into every one; none where the settings name no folder.
   */
  public static List<Example> general(DataSettings data) {
    if (data.general() == null) return List.of();
    Path folder = Path.of(data.general());
    if (!Files.isDirectory(folder))
      throw Failure.input("%s: no such folder (data.general)", folder);
    return read(data, folder.resolve("train.json"));
  }

  private static List<Task> read(DataSettings data, BiFunction<Path, String, Task> read) {
    var names = names(data);
    if (data.root() == null)
      throw Failure.config("data.root: expected the folder of the tasks, found none");
    Path root = Path.of(data.root());
    if (!Files.isDirectory(root)) throw Failure.input("%s: no such folder (data.root)", root);
    return names.stream()
        .map(name -> data.order() == 0 ? name : atHand(root, name))
        .map(name -> read.apply(folder(root, name), name))
        .toList();
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

  private static Task task(DataSettings data, Path folder, String name, long seed) {
    Path file = folder.resolve("train.json");
    List<Example> train = first(read(data, file), data.trainLimit());
    if (data.validation() == DataSettings.Validation.eval_json)
      return new Task(name, train, evals(data, folder), tests(data, folder));
    Set<Integer> apart =
        apart(data.holdout(), train.size(), file, Seeds.of(seed, HOLDOUT, name.hashCode()));
    var byUse =
        IntStream.range(0, train.size())
            .boxed()
            .collect(
                Collectors.partitioningBy(
                    apart::contains, Collectors.mapping(train::get, Collectors.toList())));
    return new Task(name, byUse.get(false), byUse.get(true), tests(data, folder));
  }

  /** Which of n samples are kept apart. */
  private static Set<Integer> apart(double holdout, int n, Path file, RandomGenerator random) {
    if (holdout == 0) return Set.of();
    int k = holdout < 1 ? (int) Math.max(1, Math.round(holdout * n)) : (int) holdout;
    if (k >= n)
      throw Failure.data(
          "%s: data.holdout keeps %d of %d records apart; expected one at least to train on",
          file, k, n);
    return Arrays.stream(SampledQueries.sample(n, k, random).pos())
        .boxed()
        .collect(Collectors.toSet());
  }

  private static List<Example> tests(DataSettings data, Path folder) {
    return first(read(data, folder.resolve("test.json")), data.testLimit());
  }

  /** Those of eval.json; to choose by the test's own would be to train on the test. */
  private static List<Example> evals(DataSettings data, Path folder) {
    Path file = folder.resolve("eval.json");
    List<Example> evals = read(data, file);
    if (new HashSet<>(read(data, folder.resolve("test.json"))).containsAll(evals))
      throw Failure.data(
          "%s: all of its records are in test.json too, by which nothing may be chosen; data.holdout keeps some of train.json apart instead",
          file);
    return evals;
  }

  private static List<Example> read(DataSettings data, Path file) {
    boolean skip = data.badRecords() == DataSettings.BadRecords.skip;
    return TaskReader.read(
        file,
        bad -> {
          if (!skip)
            throw Failure.data(
                "%s; data.bad_records=skip leaves such records out", bad.getMessage());
          LOG.warn("{}; left out", bad.getMessage());
        });
  }

  private static List<Example> first(List<Example> examples, int limit) {
    return limit > 0 && limit < examples.size() ? examples.subList(0, limit) : examples;
  }
}
