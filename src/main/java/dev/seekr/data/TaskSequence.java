package dev.seekr.data;

import static dev.seekr.state.Seeds.Purpose.HOLDOUT;
import static dev.seekr.state.Seeds.Purpose.TEST;

import com.fasterxml.jackson.databind.node.TextNode;
import dev.seekr.Failure;
import dev.seekr.config.DataSettings;
import dev.seekr.config.RunConfig;
import dev.seekr.disk.Reading;
import dev.seekr.state.Seeds;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
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
   * validated on. Where a task has no test split, training samples that {@code data.holdout} keeps
   * apart take its place, and nothing is left to validate on.
   *
   * @param seed of the choice of samples that are validated on
   * @throws Failure config when the settings name no sequence, input when a folder or file is
   *     missing, data when files are malformed: a line for each of the first faults of all tasks
   */
  public static List<Task> load(DataSettings data, long seed) {
    var splits = new Splits(data);
    return read(data, splits, (folder, name) -> task(data, splits, folder, name, seed));
  }

  /**
   * The same of what tasks are scored by alone, which is all that scoring needs; nothing is there
   * to train on.
   */
  public static List<Task> loadTests(DataSettings data) {
    var splits = new Splits(data);
    return read(data, splits, (folder, name) -> tests(data, splits, folder, name));
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
    var tasks = new ArrayList<Task>();
    for (String name : atHand(data).names)
      tasks.add(read.apply(Path.of(data.root()).resolve(name), name));
    splits.done();
    return List.copyOf(tasks);
  }

  /**
   * Finds the folders of tasks.
   *
   * @throws Failure config (78) when the settings name no sequence, input (66) when the root is
   *     missing, or folders are and must not be; it names all of them
   */
  public static AtHand atHand(DataSettings data) {
    var names = names(data);
    if (data.root() == null)
      throw Failure.config("data.root: expected the folder of the tasks, found none");
    Path root = Path.of(data.root());
    if (!Files.isDirectory(root)) throw Failure.input("%s: no such folder (data.root)", root);
    var there = new ArrayList<String>();
    var places = new ArrayList<Integer>();
    var missing = new ArrayList<String>();
    for (int i = 0; i < names.size(); i++) {
      String name = data.order() == 0 ? names.get(i) : standIn(root, names.get(i));
      if (Files.isDirectory(root.resolve(name))) {
        there.add(name);
        places.add(i);
      } else missing.add(name);
    }
    var found = new AtHand(data.root(), there, places, missing);
    boolean skip = data.missing() == DataSettings.Missing.skip;
    if (!missing.isEmpty() && (!skip || there.isEmpty())) throw found.refused();
    return found;
  }

  /**
   * Tasks that have a folder.
   *
   * @param names in training order
   * @param places of these among all, counted from 0
   * @param missing those that have none, in training order
   */
  public record AtHand(
      String root, List<String> names, List<Integer> places, List<String> missing) {
    /** The same settings for these tasks alone, what they give for each task included. */
    public RunConfig settings(RunConfig config) {
      return missing.isEmpty() ? config : config.on(names, places, places.size() + missing.size());
    }

    /** What a user should know of it. */
    public Optional<String> note() {
      return missing.isEmpty()
          ? Optional.empty()
          : Optional.of(
              "%s: trained without %s: no such task %s (data.missing=skip)"
                  .formatted(root, list(missing), missing.size() == 1 ? "folder" : "folders"));
    }

    private Failure refused() {
      var folders =
          Reading.list(Path.of(root)).stream()
              .filter(Files::isDirectory)
              .map(p -> p.getFileName().toString())
              .toList();
      boolean one = missing.size() == 1;
      return Failure.input(
          "%s: no such task %s%s; there %s%s",
          Path.of(root).resolve(missing.getFirst()),
          one ? "folder" : "folder, nor ",
          one ? "" : list(missing.subList(1, missing.size())),
          folders.isEmpty() ? "are no folders" : "are " + list(folders),
          names.isEmpty() ? "" : "; data.missing=skip trains on %s".formatted(list(names)));
    }

    private static String list(List<String> names) {
      return String.join(", ", names);
    }
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

  private static String standIn(Path root, String name) {
    boolean standIn =
        name.equals(SENTIMENT)
            && !Files.isDirectory(root.resolve(SENTIMENT))
            && Files.isDirectory(root.resolve(SENTIMENT_STAND_IN));
    return standIn ? SENTIMENT_STAND_IN : name;
  }

  private static Task task(DataSettings data, Splits splits, Path folder, String name, long seed) {
    if (makesTest(data, folder)) {
      var apart = testApart(data, splits, folder, name);
      List<Example> train = first(apart.rest, data.trainLimit());
      return new Task(name, train, List.of(), first(apart.kept, data.testLimit()), true);
    }
    List<Example> train = first(splits.read(folder, "train"), data.trainLimit());
    List<Example> test = first(splits.read(folder, "test"), data.testLimit());
    if (data.validation() == DataSettings.Validation.eval_json)
      return new Task(name, train, evals(splits, folder), test, false);
    var random = Seeds.of(seed, HOLDOUT, name.hashCode());
    var apart = Apart.of(train, data.holdout(), folder, random);
    return new Task(name, apart.rest, apart.kept, test, false);
  }

  private static Task tests(DataSettings data, Splits splits, Path folder, String name) {
    boolean made = makesTest(data, folder);
    List<Example> test =
        made ? testApart(data, splits, folder, name).kept : splits.read(folder, "test");
    return new Task(name, List.of(), List.of(), first(test, data.testLimit()), made);
  }

  private static boolean makesTest(DataSettings data, Path folder) {
    return data.holdout() > 0 && !TaskReader.has(folder, "test");
  }

  /**
   * Of the whole training split, whatever the limits and the seed: all runs on these data are
   * scored by the same samples, and no model is scored by what another run had it learn.
   */
  private static Apart testApart(DataSettings data, Splits splits, Path folder, String name) {
    var random = Seeds.of(0, TEST, name.hashCode());
    return Apart.of(splits.read(folder, "train"), data.holdout(), folder, random);
  }

  /**
   * A training split in two, each in its order.
   *
   * @param rest to train on
   */
  private record Apart(List<Example> kept, List<Example> rest) {
    /** None are kept of none, which is told as a fault. */
    static Apart of(List<Example> all, double holdout, Path folder, RandomGenerator random) {
      int n = all.size();
      if (holdout == 0 || n == 0) return new Apart(List.of(), all);
      int k = holdout < 1 ? (int) Math.max(1, Math.round(holdout * n)) : (int) holdout;
      if (k >= n)
        throw Failure.data(
            "%s: data.holdout keeps %d of %d training records apart; expected one at least to train on",
            folder, k, n);
      Set<Integer> places =
          Arrays.stream(SampledQueries.sample(n, k, random).pos())
              .boxed()
              .collect(Collectors.toSet());
      var byUse =
          IntStream.range(0, n)
              .boxed()
              .collect(
                  Collectors.partitioningBy(
                      places::contains, Collectors.mapping(all::get, Collectors.toList())));
      return new Apart(byUse.get(true), byUse.get(false));
    }
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
