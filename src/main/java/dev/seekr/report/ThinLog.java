package dev.seekr.report;

import com.fasterxml.jackson.databind.JsonNode;
import dev.seekr.Failure;
import dev.seekr.disk.Reading;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A log with few of its steps: those are most of it, and curves can be drawn from some. */
public final class ThinLog {
  private ThinLog() {}

  /**
   * The lines of a log as they stand there, without most steps: of each task at most so many stay,
   * the last one and those evenly before it.
   *
   * @param steps of a task that stay, from 0
   * @throws Failure as {@link RunLog#read}
   */
  public static String of(Path file, int steps) {
    List<JsonNode> events = RunLog.read(file);
    String[] lines = Reading.lines(file).split("\n");
    var byTask = new HashMap<String, List<Integer>>();
    for (int i = 0; i < events.size(); i++)
      if (isStep(events.get(i)))
        byTask.computeIfAbsent(events.get(i).path("task").asText(), _ -> new ArrayList<>()).add(i);
    var thin = new StringBuilder();
    for (int i = 0; i < events.size(); i++)
      if (!isStep(events.get(i)) || stays(i, events.get(i), byTask, steps))
        thin.append(lines[i]).append('\n');
    return thin.toString();
  }

  private static boolean isStep(JsonNode event) {
    return event.path("event").asText().equals("step");
  }

  /** Of n steps, counted from 1, the k-th stays where k·steps/n passes a whole number. */
  private static boolean stays(
      int line, JsonNode step, Map<String, List<Integer>> byTask, int steps) {
    var all = byTask.get(step.path("task").asText());
    long n = all.size(), k = 1 + all.indexOf(line);
    return k * steps / n > (k - 1) * steps / n;
  }
}
