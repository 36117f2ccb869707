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
 * The training sequences of all tasks, encoded before anything is trained or written so that bad
 * data shows at once.
 *
 * @param fingerprints of each task's sequences and test samples, by which a run that goes on sees
 *     that they are the same
 */
public record Encoded(Map<String, List<Sample>> byTask, Map<String, String> fingerprints) {

  public static Encoded of(List<Task> tasks, SampleEncoder encoder) {
    var byTask = new LinkedHashMap<String, List<Sample>>();
    var fingerprints = new LinkedHashMap<String, String>();
    for (Task task : tasks) {
      var samples = new ArrayList<Sample>();
      for (Example e : task.train()) samples.add(encoder.encode(e));
      for (Example e : task.test()) encoder.prompt(e);
      byTask.put(task.name(), samples);
      fingerprints.put(task.name(), fingerprint(samples, task.test()));
    }
    return new Encoded(byTask, fingerprints);
  }

  private static String fingerprint(List<Sample> samples, List<Example> test) {
    var text = new StringBuilder();
    for (Sample s : samples)
      text.append(java.util.Arrays.toString(s.tokens())).append(s.answerStart()).append('\n');
    for (Example e : test) {
      text.append(e.prompt()).append('\0');
      for (String answer : e.answers()) text.append(answer).append('\0');
    }
    return Fingerprint.of(ByteBuffer.wrap(text.toString().getBytes(StandardCharsets.UTF_8)))
        .sha256();
  }

  List<Sample> of(List<Task> tasks) {
    return tasks.stream().flatMap(t -> byTask.get(t.name()).stream()).toList();
  }
}
