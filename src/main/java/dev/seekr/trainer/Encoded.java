package dev.seekr.trainer;

import dev.seekr.data.Example;
import dev.seekr.data.Sample;
import dev.seekr.data.SampleEncoder;
import dev.seekr.data.Task;
import dev.seekr.disk.Fingerprint;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The sequences of all tasks, to train and to validate on, encoded before anything is trained or
 * written so that bad data shows at once.
 *
 * @param validation by task; empty where nothing is validated on
 * @param general samples of no task; empty: none
 * @param fingerprints of each task's sequences and test samples, by which a run that goes on sees
 *     that they are the same
 */
public record Encoded(
    Map<String, List<Sample>> byTask,
    Map<String, List<Sample>> validation,
    List<Sample> general,
    Map<String, String> fingerprints) {

  /** The key of general samples among fingerprints; no task has such a name in data.tasks. */
  private static final String GENERAL = "data.general/";

  public static Encoded of(List<Task> tasks, List<Example> general, SampleEncoder encoder) {
    var byTask = new LinkedHashMap<String, List<Sample>>();
    var validation = new LinkedHashMap<String, List<Sample>>();
    var fingerprints = new LinkedHashMap<String, String>();
    for (Task task : tasks) {
      String name = task.name();
      byTask.put(name, encode(task.train(), encoder, name + "/train.json"));
      validation.put(name, encode(task.validation(), encoder, name + ", validation"));
      for (int i = 0; i < task.test().size(); i++) {
        encoder.prompt(task.test().get(i), name + "/test.json: record " + (i + 1));
      }
      var all = new ArrayList<>(byTask.get(name));
      all.addAll(validation.get(name));
      fingerprints.put(name, fingerprint(all, task.test()));
    }
    List<Sample> generals = encode(general, encoder, GENERAL + "train.json");
    if (!generals.isEmpty()) fingerprints.put(GENERAL, fingerprint(generals, List.of()));
    return new Encoded(byTask, validation, generals, fingerprints);
  }

  private static List<Sample> encode(List<Example> examples, SampleEncoder encoder, String where) {
    var samples = new ArrayList<Sample>();
    for (int i = 0; i < examples.size(); i++)
      samples.add(encoder.encode(examples.get(i), where + ": record " + (i + 1)));
    return samples;
  }

  private static String fingerprint(List<Sample> samples, List<Example> test) {
    var text = new StringBuilder();
    for (Sample s : samples)
      text.append(java.util.Arrays.toString(s.tokens())).append(s.answerStart()).append('\n');
    for (Example e : test) text.append(e.prompt()).append('\0').append(e.answer()).append('\0');
    return Fingerprint.of(ByteBuffer.wrap(text.toString().getBytes(StandardCharsets.UTF_8)))
        .sha256();
  }

  List<Sample> of(List<Task> tasks) {
    return tasks.stream().flatMap(t -> byTask.get(t.name()).stream()).toList();
  }

  /** Those that a stage is validated on. */
  List<Sample> validation(List<Task> tasks) {
    return tasks.stream().flatMap(t -> validation.get(t.name()).stream()).toList();
  }
}
