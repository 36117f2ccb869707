package dev.seekr.data;

import com.fasterxml.jackson.databind.node.TextNode;
import dev.seekr.Failure;
import dev.seekr.config.DataSettings;
import dev.seekr.disk.Reading;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;

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
   * Reads the training and the test split of every task.
   *
   * @throws Failure config when the settings name no sequence, input when a folder or file is
   *     missing, data when files are malformed: a line for each of the first faults of all tasks
   */
  public static List<Task> load(DataSettings data) {
    var names = names(data);
    if (data.root() == null)
      throw Failure.config("data.root: expected the folder of the tasks, found none");
    Path root = Path.of(data.root());
    if (!Files.isDirectory(root)) throw Failure.input("%s: no such folder (data.root)", root);
    var format = new RecordFormat(data);
    var faults = new DataFaults(data.badRecords() == DataSettings.BadRecords.skip);
    var tasks = new ArrayList<Task>();
    for (String name : names) {
      String there = data.order() == 0 ? name : atHand(root, name);
      Path folder = folder(root, there);
      var train = first(read(folder, "train", format, faults), data.trainLimit());
      var test = first(read(folder, "test", format, faults), data.testLimit());
      tasks.add(new Task(there, train, test));
    }
    faults.done();
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

  private static List<Example> read(
      Path folder, String split, RecordFormat format, DataFaults faults) {
    try {
      return TaskReader.read(TaskReader.files(folder, split), format, faults::record);
    } catch (Failure bad) {
      faults.file(bad);
      return List.of();
    }
  }

  private static List<Example> first(List<Example> examples, int limit) {
    return limit > 0 && limit < examples.size() ? examples.subList(0, limit) : examples;
  }
}
