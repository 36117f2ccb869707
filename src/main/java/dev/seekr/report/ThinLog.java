package dev.seekr.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.seekr.Failure;
import dev.seekr.disk.Reading;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;

/**
 * A log with few of its steps, which are most of it, and curves can be drawn from some; with times
 * at its begin and end alone, and without what each kind of memory came to, which the peak at the
 * end includes.
 */
public final class ThinLog {
  private ThinLog() {}

  /**
   * The lines of a log without most steps: of each task at most so many stay, the last one and
   * those evenly before it.
   *
   * @param steps of a task that stay, from 0
   * @throws Failure as {@link RunLog#read}
   */
  public static String of(Path file, int steps) {
    List<JsonNode> events = RunLog.read(file);
    String[] lines = Reading.lines(file).split("\n");
    var all = new HashMap<String, Long>();
    for (JsonNode event : events) if (isStep(event)) all.merge(task(event), 1L, Long::sum);
    var before = new HashMap<String, Long>();
    var thin = new StringBuilder();
    for (int i = 0; i < events.size(); i++) {
      JsonNode event = events.get(i);
      // Of n steps, counted from 1, the k-th stays where k·steps/n passes a whole number.
      boolean stays = true;
      if (isStep(event)) {
        long n = all.get(task(event)), k = before.merge(task(event), 1L, Long::sum);
        stays = k * steps / n > (k - 1) * steps / n;
      }
      boolean between = i > 0 && i < events.size() - 1;
      if (stays) thin.append(line(event, between, lines[i])).append('\n');
    }
    return thin.toString();
  }

  private static String line(JsonNode event, boolean between, String asItStands) {
    var dropped = between ? List.of("memory", "time") : List.of("memory");
    if (dropped.stream().noneMatch(event::has)) return asItStands;
    return ((ObjectNode) event.deepCopy()).without(dropped).toString();
  }

  private static boolean isStep(JsonNode event) {
    return event.path("event").asText().equals("step");
  }

  private static String task(JsonNode step) {
    return step.path("task").asText();
  }
}
