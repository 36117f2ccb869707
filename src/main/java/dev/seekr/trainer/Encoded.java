package dev.seekr.trainer;

import dev.seekr.data.Sample;
import dev.seekr.data.SampleEncoder;
import dev.seekr.data.Task;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The training sequences of all tasks, encoded before anything is trained or written so that bad
 * data shows at once.
 */
record Encoded(Map<String, List<Sample>> byTask) {

  static Encoded of(List<Task> tasks, SampleEncoder encoder) {
    var byTask = new LinkedHashMap<String, List<Sample>>();
    for (Task task : tasks) {
      var samples = new ArrayList<Sample>();
      for (int i = 0; i < task.train().size(); i++) {
        samples.add(
            encoder.encode(task.train().get(i), task.name() + "/train.json: record " + (i + 1)));
      }
      for (int i = 0; i < task.test().size(); i++) {
        encoder.prompt(task.test().get(i), task.name() + "/test.json: record " + (i + 1));
      }
      byTask.put(task.name(), samples);
    }
    return new Encoded(byTask);
  }

  List<Sample> of(List<Task> tasks) {
    return tasks.stream().flatMap(t -> byTask.get(t.name()).stream()).toList();
  }
}
