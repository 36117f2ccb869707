package dev.seekr.trainer;

import dev.seekr.config.DataSettings;
import dev.seekr.data.EncodedTask;
import dev.seekr.data.Example;
import dev.seekr.data.Sample;
import dev.seekr.data.SampleEncoder;
import dev.seekr.data.Task;
import dev.seekr.disk.Fingerprint;
import dev.seekr.method.Method;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * The sequences of all tasks, to train and to validate on, encoded before anything is trained or
 * written so that bad data shows at once.
 *
 * @param general samples of no task; empty: none
 * @param fingerprints of each task's sequences and test samples, by which a run that goes on sees
 *     that they are the same
 */
public record Encoded(
    List<EncodedTask> tasks, List<Sample> general, Map<String, String> fingerprints) {

  /** The key of general samples among fingerprints; no task has such a name in data.tasks. */
  private static final String GENERAL = "data.general/";

  public static Encoded of(
      List<Task> tasks, List<Example> general, SampleEncoder encoder, DataSettings data) {
    var encoded = tasks.stream().map(t -> EncodedTask.of(t, encoder, data)).toList();
    var fingerprints = new LinkedHashMap<String, String>();
    for (EncodedTask e : encoded) {
      var all = new ArrayList<>(e.samples());
      all.addAll(e.validation());
      fingerprints.put(e.task().name(), fingerprint(all, e.task().test()));
    }
    List<Sample> generals = general.stream().map(e -> encoder.encode(e).sample()).toList();
    if (!generals.isEmpty()) fingerprints.put(GENERAL, fingerprint(generals, List.of()));
    return new Encoded(encoded, generals, fingerprints);
  }

  /** The stages of a method over these tasks, as it will be told of them. */
  public List<Method.Context> contexts(Method method) {
    var stages = method.stages(tasks.stream().map(EncodedTask::task).toList());
    return IntStream.range(0, stages.size())
        .mapToObj(i -> new Method.Context(i, stages.get(i).name(), of(stages.get(i).tasks()), null))
        .toList();
  }

  private static String fingerprint(List<Sample> samples, List<Example> test) {
    var text = new StringBuilder();
    for (Sample s : samples)
      text.append(java.util.Arrays.toString(s.tokens())).append(s.answerStart()).append('\n');
    for (Example e : test) {
      e.before().forEach(m -> text.append(m.role()).append('\0').append(m.text()).append('\0'));
      text.append(e.prompt()).append('\0');
      for (String answer : e.answers()) text.append(answer).append('\0');
    }
    return Fingerprint.of(ByteBuffer.wrap(text.toString().getBytes(StandardCharsets.UTF_8)))
        .sha256();
  }

  /** Those that these tasks are trained on. */
  List<Sample> of(List<Task> tasks) {
    return tasks.stream().flatMap(t -> encoded(t).samples().stream()).toList();
  }

  /** Those that a stage is validated on. */
  List<Sample> validation(List<Task> tasks) {
    return tasks.stream().flatMap(t -> encoded(t).validation().stream()).toList();
  }

  private EncodedTask encoded(Task task) {
    return tasks.stream()
        .filter(t -> t.task().name().equals(task.name()))
        .findFirst()
        .orElseThrow();
  }
}
